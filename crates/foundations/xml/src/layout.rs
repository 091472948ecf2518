//! Where a new line goes and what an old one takes with it.
//!
//! Decides indentation, line end, quotes and spacing of an inserted element from its neighbours, so that a person's
//! diff shows one line. It never touches a line that holds anything else, and never decides what is inserted. The edits it
//! gives are for [`crate::Text::spliced`], and of trees that were read to their end.

use std::ops::Range;

use crate::grammar::escaped;
use crate::text::Edit;
use crate::tree::Node;

/// How the neighbours are written.
#[derive(Debug, Clone, Copy)]
struct Style {
    quote: char,
    before_end: &'static str,
}

/// `<name key="value" ... />` in the style of another such element.
pub fn element(name: &str, neighbour: Option<Node<'_>>, attributes: &[(&str, &str)]) -> String {
    let Style { quote, before_end } = neighbour.map_or(Style { quote: '"', before_end: " " }, style_of);
    let mut element = format!("<{name}");
    for (name, value) in attributes {
        element.extend([" ", name, "="]);
        element.push(quote);
        element.push_str(&escaped(value, quote));
        element.push(quote);
    }
    element + before_end + "/>"
}

/// `<name key="value" ...>` around one new element, written like another such element and broken into lines like it.
/// `neighbour` is written and indented as the inner one is to be.
pub fn element_around(
    like: Node<'_>,
    neighbour: Option<Node<'_>>,
    attributes: &[(&str, &str)],
    inner: &str,
) -> String {
    let (source, name) = (source(like), like.qualified_name());
    let empty = element(name, Some(like), attributes);
    let opening = empty.trim_end_matches("/>").trim_end();
    let start = like.opening().start;
    let own = first_on_line(source, start);
    let beside = match neighbour {
        Some(neighbour) => first_on_line(source, neighbour.opening().start).map(str::to_owned),
        None => own.map(|indent| format!("{indent}  ")),
    };
    match own.zip(beside) {
        Some((indent, beside)) => {
            let eol = line_end_before(source, start - indent.len());
            format!("{opening}>{eol}{beside}{inner}{eol}{indent}</{name}>")
        }
        None => format!("{opening}>{inner}</{name}>"),
    }
}

fn source(node: Node<'_>) -> &str {
    node.tree().source().as_str()
}

fn style_of(node: Node<'_>) -> Style {
    let tag = &source(node)[node.opening()];
    Style {
        quote: tag.chars().find(|c| matches!(c, '"' | '\'')).unwrap_or('"'),
        before_end: if tag.ends_with("'/>") || tag.ends_with("\"/>") { "" } else { " " },
    }
}

/// Puts elements last into a container. `neighbour` is indented as they are to be.
pub fn insert_last(container: Node<'_>, neighbour: Option<Node<'_>>, new: &[String]) -> Edit {
    let source = source(container);
    let opening = container.opening();
    let Some(closing) = container.closing() else {
        // `<appSettings />` becomes a pair of tags around the new element.
        let beside = neighbour.and_then(|node| first_on_line(source, node.opening().start));
        let slash = opening.end - 2;
        let start = source[..slash].trim_end().len();
        let name = container.qualified_name();
        let (inner, back) = match (line_end(source), first_on_line(source, opening.start)) {
            (Some(eol), Some(indent)) => {
                let beside = beside.map_or_else(|| format!("{indent}  "), str::to_owned);
                (format!("{eol}{beside}"), format!("{eol}{indent}"))
            }
            _ => (String::new(), String::new()),
        };
        let content = each(new, &inner, "");
        return Edit { range: start..opening.end, with: format!(">{content}{back}</{name}>") };
    };
    match first_on_line(source, closing.start) {
        Some(indent) if closing.start - indent.len() >= opening.end => {
            let line = closing.start - indent.len();
            let beside = neighbour
                .and_then(|node| first_on_line(source, node.opening().start))
                .map_or_else(|| format!("{indent}  "), str::to_owned);
            let eol = line_end_before(source, line);
            Edit { range: line..line, with: each(new, &beside, eol) }
        }
        _ => Edit { range: closing.start..closing.start, with: new.concat() },
    }
}

/// Puts elements after another one, on their own lines if the other has one. A comment that ends the other's line stays
/// with it.
pub fn insert_after(node: Node<'_>, new: &[String]) -> Edit {
    let source = source(node);
    let span = node.span();
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
    Edit { range: at..at, with: each(new, &before, "") }
}

/// Puts elements before another one, on their own lines if the other has one.
pub fn insert_before(node: Node<'_>, new: &[String]) -> Edit {
    let source = source(node);
    let start = node.opening().start;
    let after = match first_on_line(source, start) {
        Some(indent) => format!("{}{indent}", line_end_before(source, start - indent.len())),
        None => String::new(),
    };
    Edit { range: start..start, with: each(new, "", &after) }
}

/// Takes an element out, with its line or lines when nothing else stands on them.
pub fn remove(node: Node<'_>) -> Edit {
    Edit { range: whole_lines(source(node), node.span()), with: String::new() }
}

/// Every element between these two texts.
fn each(new: &[String], before: &str, after: &str) -> String {
    new.iter().flat_map(|new| [before, new, after]).collect()
}

/// Looks only at the white space around the span, so that many removals on one long line cost no more than that.
fn whole_lines(source: &str, span: Range<usize>) -> Range<usize> {
    let Some(indent) = first_on_line(source, span.start) else { return span };
    let rest =
        source[span.end..].trim_start_matches(|c: char| c.is_whitespace() && !matches!(c, '\n' | '\r'));
    let end = source.len() - rest.len();
    let eol = match rest.as_bytes() {
        [] => 0,
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => return span,
    };
    span.start - indent.len()..end + eol
}

/// The white space before `offset` on its line, if there is nothing else before it there.
fn first_on_line(source: &str, offset: usize) -> Option<&str> {
    let before = source[..offset].trim_end_matches([' ', '\t']);
    (before.is_empty() || before.ends_with(['\n', '\r'])).then(|| &source[before.len()..offset])
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
