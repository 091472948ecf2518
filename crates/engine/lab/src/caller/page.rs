//! What a browser without scripts sees of a page: its forms, and the lines a person reads.
//!
//! Decides which form a person would fill in (the first that is shown), what stands in it already, and how it is sent (HTML,
//! sections "constructing the entry list" and "form submission", as far as text fields, boxes and buttons go). Reads the pages
//! that the products of a lab make, which are written one way: so this is a scanner of tags and attributes and no HTML
//! parser. It builds no tree, mends no nesting and knows no tables of named characters beyond those that have to be escaped.
//! Whatever else it is handed it reads as far as it goes, in one pass, and never fails.

use std::borrow::Cow;

use super::encoded;

/// One form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent, as written.
    pub action: String,
    /// Whether it is sent in a body.
    pub posted: bool,
    /// Whether it waits in the document unseen.
    pub hidden: bool,
    /// What is in it, in its order.
    pub fields: Vec<Field>,
}

/// One field, or a button that is sent with its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub value: String,
    /// What becomes of it.
    pub kind: Kind,
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person types into it.
    Typed,
    /// It is sent as it is: nobody sees it, or it is chosen already.
    Sent,
    /// It is sent by whoever presses it.
    Button,
}

/// What a browser sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its forms.
    pub forms: Vec<Form>,
    /// What a person reads, a line for each element that begins one.
    pub lines: Vec<String>,
}

/// One tag.
struct Tag<'h> {
    name: &'h str,
    closes: bool,
    attributes: Vec<(&'h str, Cow<'h, str>)>,
}

impl Tag<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// The type of a control, in lower case.
    fn kind(&self, otherwise: &str) -> String {
        self.get("type").unwrap_or(otherwise).to_ascii_lowercase()
    }

    /// Whether text goes on in the same line.
    fn within_a_line(&self) -> bool {
        ["span", "a", "b", "strong", "em", "i", "code"].iter().any(|name| self.is(name))
    }
}

impl Page {
    /// Reads a page.
    pub fn read(html: &str) -> Self {
        let mut page = Self::default();
        let mut line = String::new();
        let (mut open, mut unseen) = (None, false);
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            let (before, after) = rest.split_at(at);
            if !unseen {
                line.push_str(before);
            }
            if let Some(comment) = after.strip_prefix("<!--") {
                rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
                continue;
            }
            let Some((tag, following)) = tag(after) else {
                // A bracket that begins no tag is text.
                if !unseen {
                    line.push('<');
                }
                rest = &after[1..];
                continue;
            };
            rest = following;
            if !tag.within_a_line() {
                page.read_line(&mut line);
            }
            if !tag.closes
                && let Some(name) =
                    ["style", "script", "title", "noscript", "template"].into_iter().find(|name| tag.is(name))
                // A button for whoever has no scripts is for this browser.
                && name != "noscript"
            {
                rest = beyond(rest, name);
                continue;
            }
            if tag.is("form") {
                page.forms.extend(open.take());
                unseen = !tag.closes && tag.get("hidden").is_some();
                open = (!tag.closes).then(|| Form {
                    action: tag.text("action"),
                    posted: tag.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
                    hidden: unseen,
                    fields: Vec::new(),
                });
            } else if let Some(form) = open.as_mut().filter(|_| !tag.closes) {
                form.fields.extend(control(&tag));
            }
        }
        if !unseen {
            line.push_str(rest);
        }
        page.read_line(&mut line);
        page.forms.extend(open);
        page
    }

    fn read_line(&mut self, line: &mut String) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if !words.is_empty() {
            let text = unescaped(&words.join(" ")).into_owned();
            self.lines.push(text);
        }
        line.clear();
    }

    /// The form that a person has before him.
    pub fn shown_form(&self) -> Option<&Form> {
        self.forms.iter().find(|form| !form.hidden)
    }
}

impl Form {
    /// What is sent when its first button is pressed, form-encoded; `typed` says what is typed into a field.
    pub fn filled<'t>(&self, mut typed: impl FnMut(&str) -> Option<&'t str>) -> String {
        let mut body = String::new();
        let mut pressed = false;
        for Field { name, value, kind } in &self.fields {
            let value = match kind {
                Kind::Typed => typed(name).unwrap_or(value),
                Kind::Sent => value,
                Kind::Button if pressed => continue,
                Kind::Button => {
                    pressed = true;
                    value
                }
            };
            if name.is_empty() {
                continue;
            }
            if !body.is_empty() {
                body.push('&');
            }
            body.extend([&*encoded(name).to_string(), "=", &encoded(value).to_string()]);
        }
        body
    }
}

/// A field or a button; none for what is not sent.
fn control(tag: &Tag<'_>) -> Option<Field> {
    let kind = match () {
        () if tag.get("disabled").is_some() => return None,
        () if tag.is("button") => match &*tag.kind("submit") {
            "submit" => Kind::Button,
            _ => return None,
        },
        () if tag.is("input") => match &*tag.kind("text") {
            "hidden" => Kind::Sent,
            "checkbox" | "radio" => {
                tag.get("checked")?;
                let value = tag.get("value").unwrap_or("on").to_owned();
                return Some(Field { name: tag.text("name"), value, kind: Kind::Sent });
            }
            "submit" => Kind::Button,
            "button" | "reset" | "image" | "file" => return None,
            _ => Kind::Typed,
        },
        () => return None,
    };
    Some(Field { name: tag.text("name"), value: tag.text("value"), kind })
}

/// The tag that a text begins with, and what follows it.
fn tag(text: &str) -> Option<(Tag<'_>, &str)> {
    let rest = text.strip_prefix('<')?;
    let (closes, rest) = match rest.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix('!').unwrap_or(rest)),
    };
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
    if !rest.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return None;
    }
    let (name, mut rest) = rest.split_at(end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '/');
        if let Some(rest) = rest.strip_prefix('>') {
            return Some((Tag { name, closes, attributes }, rest));
        }
        let end = |letter: char| letter.is_ascii_whitespace() || matches!(letter, '=' | '>' | '/');
        // An equals sign where a name should begin is part of it.
        let begin = rest.chars().next()?.len_utf8();
        let length = rest[begin..].find(end).map_or(rest.len(), |at| begin + at);
        let (attribute, after) = rest.split_at(length);
        rest = after.trim_start();
        let Some(value) = rest.strip_prefix('=') else {
            attributes.push((attribute, Cow::Borrowed("")));
            continue;
        };
        let value = value.trim_start();
        let (value, after) = match value.chars().next()? {
            quote @ ('"' | '\'') => {
                let length = value[1..].find(quote)?;
                (&value[1..=length], &value[length + 2..])
            }
            _ => {
                let bare = |letter: char| letter.is_ascii_whitespace() || letter == '>';
                value.split_at(value.find(bare).unwrap_or(value.len()))
            }
        };
        attributes.push((attribute, unescaped(value)));
        rest = after;
    }
}

/// What follows the end of an element whose content is no markup.
fn beyond<'h>(text: &'h str, name: &str) -> &'h str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return rest.find('>').map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

/// A text with its character references read: those of [`crate::escaped`], and numbers.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest[1..].split_once(';').filter(|(name, _)| name.len() < 10);
        match reference.and_then(|(name, after)| Some((character(name)?, after))) {
            Some((character, after)) => {
                out.push(character);
                rest = after;
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let digits = name.strip_prefix('#')?;
            let number = match digits.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => digits.parse(),
            };
            number.ok().and_then(char::from_u32)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TWO: &str = "<!DOCTYPE html><html lang=\"en\"><head><title>Not read</title><style>p > b { }</style></head>\n\
        <body><!-- <form hidden> --><h1>Sign <b>in</b></h1><p id=why>Tom &amp; &#39;Ada&#x27;s</p>\n\
        <form id=\"one\" method=\"post\" action=\"/a?b=1&amp;c=%20\" novalidate>\n\
        <label for=\"n\">Name</label><input type=\"email\" id=\"n\" name=\"name\" value=\"a&quot;b\" autofocus>\n\
        <input type=\"checkbox\" name=\"keep\" value=\"true\"><input type=checkbox name=kept checked>\n\
        <button type=\"submit\"><span class=\"x\">Next</span></button>\n\
        <button type=\"submit\" name=\"back\" value=\"1\">Back</button><button type=button name=no>No</button></form>\n\
        <form id=\"two\" method=\"POST\" hidden><input type=hidden name=name value='x y'>\n\
        <input type=\"password\" name=\"word\"/><input type=submit name=go value=Go></form>";

    fn typed<'t>(known: &'t [(&'t str, &'t str)]) -> impl FnMut(&str) -> Option<&'t str> {
        move |name| known.iter().find(|(field, _)| *field == name).map(|(_, value)| *value)
    }

    #[test]
    fn forms_are_read_as_they_are_sent() {
        let page = Page::read(TWO);
        let shown = page.shown_form().unwrap();
        assert_eq!((&*shown.action, shown.posted), ("/a?b=1&c=%20", true));
        // The first button has no name, and a box nobody ticked is not sent.
        assert_eq!(shown.filled(typed(&[("name", "Ada L")])), "name=Ada%20L&kept=on");
        assert_eq!(shown.filled(typed(&[])), "name=a%22b&kept=on", "what stands there already");
        let waiting = &page.forms[1];
        assert!(waiting.hidden && waiting.posted && waiting.action.is_empty());
        assert_eq!(waiting.filled(typed(&[("word", "&=")])), "name=x%20y&word=%26%3D&go=Go");
    }

    #[test]
    fn a_person_reads_what_is_shown() {
        let lines = Page::read(TWO).lines;
        assert_eq!(lines, ["Sign in", "Tom & 'Ada's", "Name", "Next", "Back", "No"]);
        assert_eq!(Page::read("1 < 2 &amp; 3 <").lines, ["1 < 2 & 3 <"]);
        assert_eq!(Page::read("").lines, Vec::<String>::new());
    }

    #[test]
    fn who_has_no_scripts_presses_the_button() {
        let page = Page::read(
            "<script nonce=\"n\">if (a < b) { document.write('<form>') }</script>\
             <form method=\"POST\" name=\"f\" action=\"http://localhost/cb\"><input type=\"hidden\" name=\"state\" value=\"1\">\
             <noscript><p>Press it.</p><input type=\"submit\" value=\"Submit\"></noscript></form>",
        );
        assert_eq!(page.forms.len(), 1);
        assert_eq!(page.shown_form().unwrap().filled(typed(&[])), "state=1");
        assert_eq!(page.lines, ["Press it."]);
    }

    #[test]
    fn what_is_cut_short_is_read_as_far_as_it_goes() {
        for end in 0..TWO.len() {
            if TWO.is_char_boundary(end) {
                let page = Page::read(&TWO[..end]);
                assert!(page.forms.len() <= 2, "{end}");
            }
        }
        for text in [
            "<",
            "</",
            "<!",
            "<!--",
            "<form",
            "<form a",
            "<form a=",
            "<form a=\"",
            "<a b='",
            "<a =",
            "<script>",
            "&",
            "&#;",
            "&#x110000;",
            "<form><input ü=ß>",
        ] {
            Page::read(text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([<>/=\"' &;!a-z\u{e4}-]|<form|<input|<!--|-->|<script|</script|&#x){0,60}") {
            let page = Page::read(&text);
            for form in &page.forms {
                form.filled(|_| None);
            }
        }
    }
}
