//! The frame of the pages that an identity provider shows to people.
//!
//! Decides the layout: one column, labels and headings that say what they are, a list behind a disclosure that a keyboard
//! opens; light or dark as the reader has it, more contrast where that is asked for, narrow screens. A page runs no script,
//! loads nothing and sends nothing: one style sheet stands in it, and [`POLICY`] names that one by its hash. Never decides a
//! word or an id: all are handed in, and everything handed in is escaped. Mirrors nobody's page: the design is ours.
//!
//! A page that asks for something has forms ([`form`]); where they may lead is for the lab to say once it has translated that,
//! so such a page is answered as [`mocktenant_lab::Content::Form`] with [`FORM_POLICY`]. The pages that people meet when they
//! sign in are in [`people`].

use mocktenant_lab::escaped;

pub mod form;
pub mod people;

use form::{Form, Link};

/// The one style sheet.
const STYLE: &str = include_str!("page/page.css");

/// A policy that lets in the one style sheet.
macro_rules! policy {
    ($more:literal) => {
        concat!(
            "default-src 'none'; style-src 'sha256-z3+r+c0BT5PCXDFcDssWcXMSBMFe/xsGsuLjgnvvbA0='; base-uri 'none'; \
             frame-ancestors 'none'",
            $more
        )
    };
}

/// `Content-Security-Policy` of a page that only says something.
pub const POLICY: &str = policy!("; form-action 'none'");

/// The same of a page with forms, but for where they may lead.
pub const FORM_POLICY: &str = policy!("");

/// A page.
#[derive(Clone, Copy, Debug)]
pub struct Page<'p> {
    /// Language of its texts, as in `lang`.
    pub lang: &'p str,
    /// What a browser calls it.
    pub title: &'p str,
    /// Who shows it: stands above everything else.
    pub provider: &'p str,
    /// Id of what the parts are in.
    pub area: &'p str,
    /// What it says, from top to bottom.
    pub parts: &'p [Part<'p>],
}

/// One thing that a page says.
#[derive(Clone, Copy, Debug)]
pub enum Part<'p> {
    /// The heading.
    Heading(Text<'p>),
    /// A paragraph.
    Paragraph(Text<'p>),
    /// Lines that few want to read, closed until somebody opens them.
    Details {
        /// What opens them.
        summary: Text<'p>,
        /// Id of the list.
        list: &'p str,
        /// The lines.
        lines: &'p [Text<'p>],
    },
    /// A form.
    Form(Form<'p>),
    /// A link.
    Link(Link<'p>),
}

/// A text with the id that it can be found by.
#[derive(Clone, Copy, Debug)]
pub struct Text<'p> {
    /// The id; empty for none.
    pub id: &'p str,
    /// The text.
    pub text: &'p str,
}

impl<'p> Text<'p> {
    /// A text that can be found by `id`.
    pub const fn called(id: &'p str, text: &'p str) -> Self {
        Self { id, text }
    }

    /// A text without an id.
    pub const fn plain(text: &'p str) -> Self {
        Self { id: "", text }
    }
}

/// Writes a page.
pub fn frame(page: &Page<'_>) -> String {
    let mut out = String::with_capacity(STYLE.len() + 2048);
    out.extend([
        "<!DOCTYPE html>\n<html lang=\"",
        &*escaped(page.lang),
        "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
        &*escaped(page.title),
        "</title>\n<style>",
        STYLE,
        "</style>\n</head>\n<body>\n",
    ]);
    element(&mut out, "header", Text::plain(page.provider));
    out.extend(["<main id=\"", &*escaped(page.area), "\">\n"]);
    for part in page.parts {
        match *part {
            Part::Heading(text) => element(&mut out, "h1", text),
            Part::Paragraph(text) => element(&mut out, "p", text),
            Part::Details { summary, list, lines } => {
                out.push_str("<details>\n");
                element(&mut out, "summary", summary);
                out.extend(["<ul id=\"", &*escaped(list), "\">\n"]);
                for line in lines {
                    element(&mut out, "li", *line);
                }
                out.push_str("</ul>\n</details>\n");
            }
            Part::Form(ref one) => form::form(&mut out, one),
            Part::Link(ref one) => form::link(&mut out, one),
        }
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// Appends one element on a line of its own.
fn element(out: &mut String, name: &str, text: Text<'_>) {
    out.extend(["<", name]);
    if !text.id.is_empty() {
        out.extend([" id=\"", &*escaped(text.id), "\""]);
    }
    out.extend([">", &*escaped(text.text), "</", name, ">\n"]);
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use mocktenant_keys::sha256;

    use super::*;

    const LINES: &[Text<'_>] = &[Text::called("one", "1 < 2"), Text::plain("it's \"quoted\" & so on")];
    const PARTS: &[Part<'_>] = &[
        Part::Heading(Text::called("top", "Heading")),
        Part::Paragraph(Text::plain("<script>alert(1)</script>")),
        Part::Details { summary: Text::called("more", "More"), list: "list", lines: LINES },
    ];
    const PAGE: Page<'_> =
        Page { lang: "en", title: "A </title>", provider: "Somebody & Sons", area: "area", parts: PARTS };

    /// What stands between the first `begin` and the next `end`.
    fn between<'t>(text: &'t str, begin: &str, end: &str) -> &'t str {
        let (_, rest) = text.split_once(begin).unwrap();
        rest.split_once(end).unwrap().0
    }

    #[test]
    fn the_policy_lets_in_the_style_of_a_page_as_it_is_sent_and_nothing_else() {
        let page = frame(&PAGE);
        let style = between(&page, "<style>", "</style>");
        let hash = STANDARD.encode(sha256(style));
        assert_eq!(between(POLICY, "style-src 'sha256-", "'"), hash);
        assert_eq!(POLICY, format!("{FORM_POLICY}; form-action 'none'"));
        assert!(!style.contains("url(") && !style.contains("@import"), "nothing is loaded");
        assert!(!page.contains(" style=") && !page.contains("src=") && !page.contains("href="), "{page}");
    }

    #[test]
    fn a_page_says_its_parts_in_their_order_and_escapes_every_text() {
        let page = frame(&PAGE);
        assert!(page.contains("<title>A &lt;/title></title>"), "{page}");
        let (_, body) = page.split_once("<body>\n").unwrap();
        assert_eq!(
            body,
            "<header>Somebody &amp; Sons</header>\n<main id=\"area\">\n<h1 id=\"top\">Heading</h1>\n\
             <p>&lt;script>alert(1)&lt;/script></p>\n<details>\n<summary id=\"more\">More</summary>\n\
             <ul id=\"list\">\n<li id=\"one\">1 &lt; 2</li>\n\
             <li>it&#39;s &quot;quoted&quot; &amp; so on</li>\n</ul>\n</details>\n</main>\n</body>\n</html>\n"
        );
    }

    #[test]
    fn a_page_can_be_read_in_the_dark_on_a_narrow_screen_and_with_more_contrast() {
        let page = frame(&PAGE);
        assert!(page.contains("<html lang=\"en\">") && page.contains("name=\"viewport\""), "{page}");
        for asked in ["prefers-color-scheme: dark", "prefers-contrast: more", "max-width", ":focus-visible"] {
            assert!(STYLE.contains(asked), "{asked}");
        }
    }

    /// Relative luminance of WCAG 2.2.
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    #[test]
    fn what_is_written_stands_out_from_what_it_is_written_on() {
        let mut themes = 0;
        for theme in STYLE.split("--ground: ").skip(1) {
            let colour = |name: &str| {
                if name == "ground" { &theme[..7] } else { &between(theme, &format!("--{name}: "), ";")[..7] }
            };
            for (ink, paper, least) in [
                ("ink", "ground", 7.0),
                ("ink", "sheet", 7.0),
                ("soft", "ground", 7.0),
                ("soft", "sheet", 7.0),
                ("act", "sheet", 7.0),
                ("wrong", "sheet", 7.0),
                ("line", "sheet", 3.0),
            ] {
                let (one, other) = (luminance(colour(ink)), luminance(colour(paper)));
                let ratio = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(ratio >= least, "{ink} on {paper}: {ratio:.2}");
            }
            themes += 1;
        }
        assert_eq!(themes, 2, "light and dark");
    }
}
