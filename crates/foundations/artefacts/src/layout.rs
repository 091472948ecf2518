//! Where a new line goes and what an old one takes with it.
//!
//! Decides indentation, line end, quotes and spacing of an inserted element from its neighbours, so that a person's
//! diff shows one line. It never touches a line that holds anything else.

use std::ops::Range;

use crate::text::{Text, TextEdit};
use crate::xml::{Document, escaped};

/// How the neighbours are written.
#[derive(Debug, Clone, Copy)]
struct Style {
    quote: char,
    before_end: &'static str,
}

/// `<add name="value" ... />` in the style of another such element.
pub(crate) fn add_element(
    document: &Document,
    text: &Text,
    neighbour: Option<usize>,
    attributes: &[(&str, &str)],
) -> String {
    let style =
        neighbour.map_or(Style { quote: '"', before_end: " " }, |element| style_of(document, text, element));
    let Style { quote, before_end } = style;
    let mut element = "<add".to_owned();
    for (name, value) in attributes {
        element.extend([" ", name, "="]);
        element.push(quote);
        element.push_str(&escaped(value, quote));
        element.push(quote);
    }
    element + before_end + "/>"
}

fn style_of(document: &Document, text: &Text, element: usize) -> Style {
    let tag = &text.as_str()[document.elements[element].opening.clone()];
    Style {
        quote: tag.chars().find(|c| matches!(c, '"' | '\'')).unwrap_or('"'),
        before_end: if tag.ends_with("'/>") || tag.ends_with("\"/>") { "" } else { " " },
    }
}

/// Puts elements last into a container.
pub(crate) fn insert_last(
    document: &Document,
    text: &Text,
    container: usize,
    neighbour: Option<usize>,
    new: &[String],
) -> TextEdit {
    let source = text.as_str();
    let element = &document.elements[container];
    let outer = first_on_line(source, element.opening.start);
    let Some(closing) = &element.closing else {
        // `<appSettings />` becomes a pair of tags around the new element.
        let slash = element.opening.end - 2;
        let start = source[..slash].trim_end().len();
        let name =
            source[element.opening.start + 1..].split([' ', '\t', '\r', '\n', '/', '>']).next().unwrap_or("");
        let (inner, back) = match (line_end(source), outer) {
            (Some(eol), Some(indent)) => (format!("{eol}{indent}  "), format!("{eol}{indent}")),
            _ => (String::new(), String::new()),
        };
        let content = each(new, &inner, "");
        return TextEdit { range: start..element.opening.end, with: format!(">{content}{back}</{name}>") };
    };
    let line = line_start(source, closing.start);
    match first_on_line(source, closing.start) {
        Some(indent) if line >= element.opening.end => {
            let beside = neighbour
                .and_then(|element| first_on_line(source, document.elements[element].opening.start))
                .map_or_else(|| format!("{indent}  "), str::to_owned);
            let eol = line_end_before(source, line);
            TextEdit { range: line..line, with: each(new, &beside, eol) }
        }
        _ => TextEdit { range: closing.start..closing.start, with: new.concat() },
    }
}

/// Puts elements after another one, on their own lines if the other has one. A comment that ends the other's line stays
/// with it.
pub(crate) fn insert_after(document: &Document, text: &Text, element: usize, new: &[String]) -> TextEdit {
    let source = text.as_str();
    let span = document.elements[element].span();
    let rest = &source[span.end..end_of_line(source, span.end)];
    let tail = rest.trim();
    let comment = tail.strip_prefix("<!--").and_then(|tail| tail.strip_suffix("-->"));
    let at = match comment {
        Some(inside) if !inside.contains(['<', '>']) => span.end + rest.trim_end().len(),
        _ => span.end,
    };
    let before = match first_on_line(source, span.start) {
        Some(indent) => format!("{}{indent}", line_end_before(source, span.start - indent.len())),
        None => String::new(),
    };
    TextEdit { range: at..at, with: each(new, &before, "") }
}

/// Puts elements before another one, on their own lines if the other has one.
pub(crate) fn insert_before(document: &Document, text: &Text, element: usize, new: &[String]) -> TextEdit {
    let source = text.as_str();
    let start = document.elements[element].opening.start;
    let after = match first_on_line(source, start) {
        Some(indent) => format!("{}{indent}", line_end_before(source, start - indent.len())),
        None => String::new(),
    };
    TextEdit { range: start..start, with: each(new, "", &after) }
}

/// Takes an element out, with its line or lines when nothing else stands on them.
pub(crate) fn remove(document: &Document, text: &Text, element: usize) -> TextEdit {
    TextEdit { range: whole_lines(text.as_str(), document.elements[element].span()), with: String::new() }
}

/// Every element between these two texts.
fn each(new: &[String], before: &str, after: &str) -> String {
    new.iter().flat_map(|new| [before, new, after]).collect()
}

fn whole_lines(source: &str, span: Range<usize>) -> Range<usize> {
    let end = end_of_line(source, span.end);
    let alone = first_on_line(source, span.start).is_some() && source[span.end..end].trim().is_empty();
    if !alone {
        return span;
    }
    let eol = match &source.as_bytes()[end..] {
        [b'\r', b'\n', ..] => 2,
        [] => 0,
        _ => 1,
    };
    line_start(source, span.start)..end + eol
}

/// The white space before `offset` on its line, if there is nothing else before it there.
fn first_on_line(source: &str, offset: usize) -> Option<&str> {
    let indent = &source[line_start(source, offset)..offset];
    indent.chars().all(|c| matches!(c, ' ' | '\t')).then_some(indent)
}

fn line_start(source: &str, offset: usize) -> usize {
    source[..offset].rfind(['\n', '\r']).map_or(0, |end| end + 1)
}

fn end_of_line(source: &str, offset: usize) -> usize {
    source[offset..].find(['\n', '\r']).map_or(source.len(), |length| offset + length)
}

/// The line end just before a line, or the file's usual one when the line is the first.
fn line_end_before(source: &str, line: usize) -> &str {
    let before = &source[..line];
    if before.ends_with("\r\n") {
        "\r\n"
    } else if before.ends_with('\n') {
        "\n"
    } else if before.ends_with('\r') {
        "\r"
    } else {
        line_end(source).unwrap_or("\n")
    }
}

/// The first line end of the file, if it has more than one line.
fn line_end(source: &str) -> Option<&str> {
    let end = source.find(['\n', '\r'])?;
    Some(if source[end..].starts_with("\r\n") { "\r\n" } else { &source[end..=end] })
}
