//! A typed answer and how it is delivered.
//!
//! Decides how content becomes bytes and a content type, and the layout of a page that posts itself on (the one that AD FS
//! and Entra answer with under `response_mode=form_post` and WS-Federation). Adds nothing to any other body. What sends a
//! caller elsewhere stays typed until the dispatch point has seen it: the address is translated there ([`crate::forward`]),
//! never in a header or a page that was already written. Where the forms of a page may lead is such an address too: browsers
//! apply `form-action` to what a post is answered with, and to every redirect after that.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFRESH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::request::HostName;

/// What a surface answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Header fields beyond those the content brings.
    pub headers: HeaderMap,
    /// Content.
    pub content: Content,
    /// How it is delivered.
    pub delivery: Delivery,
}

/// The content of an answer.
#[derive(Clone, Debug)]
pub enum Content {
    /// No body.
    Empty,
    /// A JSON document with its content type.
    Json(Bytes, &'static str),
    /// An XML document.
    Xml(Bytes, &'static str),
    /// An HTML page.
    Page(Bytes),
    /// An HTML page with forms, which are sent to where the page came from.
    Form {
        /// The page.
        html: Bytes,
        /// Its `Content-Security-Policy` but for `form-action`, which is written behind it. Takes the place of one among the
        /// answer's header fields.
        policy: &'static str,
        /// Where the answers to its forms send a browser, as the world has it: addresses, translated like a redirect, or a scheme
        /// with its colon for all of that scheme. A browser stops at whatever redirect leads anywhere else, also at one that
        /// others answer with.
        actions: Vec<String>,
    },
    /// An HTML page without forms that loads other addresses unseen, in frames, and may lead on by itself.
    Frames {
        /// The page; the frames are written before the end of its body.
        html: Bytes,
        /// Its `Content-Security-Policy` but for `frame-src`, which is written behind it.
        policy: &'static str,
        /// What is loaded, as the world has it: translated like a redirect.
        frames: Vec<String>,
        /// Where a browser goes a second later (`Refresh`): translated like a redirect.
        then: Option<String>,
    },
    /// Plain text with its content type.
    Text(Bytes, &'static str),
    /// `Location`. Dispatch translates an address under a name of the world for a caller that came by a local name.
    Redirect {
        /// Target, as the world has it.
        to: String,
    },
    /// A page that posts its fields to another address by itself; translated like a redirect.
    AutoPost {
        /// Target, as the world has it.
        to: String,
        /// Hidden fields in their order.
        fields: Vec<(Cow<'static, str>, String)>,
        /// What the page says.
        words: AutoPostWords,
        /// What lets its one line of script run under a content security policy: drawn anew for each page.
        nonce: String,
    },
}

/// What a page that posts itself says to a person: a product's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoPostWords {
    /// Its title.
    pub title: &'static str,
    /// What it says where scripts do not run.
    pub notice: &'static str,
    /// Its button.
    pub button: &'static str,
}

impl Content {
    /// Where it sends its caller.
    pub(crate) fn target_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Redirect { to } | Self::AutoPost { to, .. } => Some(to),
            Self::Frames { then, .. } => then.as_mut(),
            _ => None,
        }
    }

    /// Where what its caller does with it may lead, and what a browser loads for it.
    pub(crate) fn actions_mut(&mut self) -> &mut [String] {
        match self {
            Self::Form { actions, .. } => actions,
            Self::Frames { frames, .. } => frames,
            _ => &mut [],
        }
    }
}

/// How an answer is delivered; anything but the default is a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Whole and at once.
    #[default]
    Whole,
    /// The connection is reset instead.
    Reset,
}

impl Answer {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), content: Content::Empty, delivery: Delivery::Whole }
    }

    /// JSON, `application/json; charset=utf-8`.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::typed(status, Content::Json(body.into(), "application/json; charset=utf-8"))
    }

    /// Any content.
    pub fn typed(status: StatusCode, content: Content) -> Self {
        Self { status, headers: HeaderMap::new(), content, delivery: Delivery::Whole }
    }

    /// With a header field whose value is fixed.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// With a header field whose value is made; a value that is no header text is left out (it came from a stranger).
    #[must_use]
    pub fn with_text(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(HeaderName::from_static(name), value);
        }
        self
    }

    pub(crate) fn into_parts(self) -> (StatusCode, HeaderMap, Bytes, Delivery) {
        let Self { status, mut headers, content, delivery } = self;
        let (body, content_type) = match content {
            Content::Empty => (Bytes::new(), None),
            Content::Json(body, kind) | Content::Xml(body, kind) | Content::Text(body, kind) => {
                (body, Some(kind))
            }
            Content::Page(body) => (body, Some("text/html; charset=utf-8")),
            Content::Form { html, policy, actions } => {
                let policy = format!("{policy}; {}", sources("form-action 'self'", &actions));
                if let Ok(policy) = HeaderValue::from_str(&policy) {
                    headers.insert(CONTENT_SECURITY_POLICY, policy);
                }
                (html, Some("text/html; charset=utf-8"))
            }
            Content::Frames { html, policy, frames, then } => {
                let policy = format!("{policy}; {}", sources("frame-src", &frames));
                if let Ok(policy) = HeaderValue::from_str(&policy) {
                    headers.insert(CONTENT_SECURITY_POLICY, policy);
                }
                let then = then.and_then(|to| HeaderValue::from_str(&format!("1;url={to}")).ok());
                if let Some(then) = then {
                    headers.insert(REFRESH, then);
                }
                (with_frames(&html, &frames).into(), Some("text/html; charset=utf-8"))
            }
            Content::Redirect { to } => {
                if let Ok(to) = HeaderValue::from_str(&to) {
                    headers.insert(LOCATION, to);
                }
                (Bytes::new(), None)
            }
            Content::AutoPost { to, fields, words, nonce } => {
                if let Ok(policy) =
                    HeaderValue::from_str(&format!("default-src 'none'; script-src 'nonce-{nonce}'"))
                {
                    headers.insert(CONTENT_SECURITY_POLICY, policy);
                }
                (auto_post(&to, &fields, words, &nonce).into(), Some("text/html; charset=utf-8"))
            }
        };
        if let Some(kind) = content_type {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
        }
        (status, headers, body, delivery)
    }
}

/// A directive: how it begins, and the origin of each address once.
fn sources(begin: &str, addresses: &[String]) -> String {
    let mut sources = Vec::new();
    for source in addresses.iter().filter_map(|address| source(address)) {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources.insert(0, begin.to_owned());
    sources.join(" ")
}

/// A page with frames that nobody sees.
fn with_frames(html: &[u8], frames: &[String]) -> String {
    let html = String::from_utf8_lossy(html);
    let (before, after) = html.rsplit_once("</body>").unwrap_or((&html, ""));
    let mut page = before.to_owned();
    for to in frames {
        page.extend(["<iframe hidden src=\"", &*escaped(to), "\"></iframe>\n"]);
    }
    page + "</body>" + after
}

/// What a policy calls an address by: scheme, host and port, since a path does not count after a redirect; where there is no
/// host, or an address of IPv6, which a policy has no word for, the scheme. None for what is no address: nothing of it may
/// become a directive.
fn source(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if !scheme.starts_with(|first: char| first.is_ascii_lowercase()) || !scheme.bytes().all(part) {
        return None;
    }
    if !matches!(&*scheme, "http" | "https") || rest.is_empty() {
        return Some(format!("{scheme}:"));
    }
    let authority = rest.strip_prefix("//")?.split(['/', '?', '#']).next()?;
    let HostName { name, port } = HostName::parse(authority)?;
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(if name.contains(':') { format!("{scheme}:") } else { format!("{scheme}://{name}{port}") })
}

/// The page that posts itself. Element by element as AD FS writes it, but for its script: a string handed to a timer would be evaluated, which
/// no policy with a nonce allows, so it submits at once.
fn auto_post(to: &str, fields: &[(Cow<'static, str>, String)], words: AutoPostWords, nonce: &str) -> String {
    let AutoPostWords { title, notice, button } = words;
    let mut page = format!(
        "<html><head><title>{}</title></head><body><form method=\"POST\" name=\"hiddenform\" action=\"{}\">",
        escaped(title),
        escaped(to),
    );
    for (name, value) in fields {
        let (name, value) = (escaped(name), escaped(value));
        page.extend(["<input type=\"hidden\" name=\"", &*name, "\" value=\"", &*value, "\" />"]);
    }
    page.extend([
        "<noscript><p>",
        &*escaped(notice),
        "</p><input type=\"submit\" value=\"",
        &*escaped(button),
        "\" /></noscript></form><script language=\"javascript\" nonce=\"",
        &*escaped(nonce),
        "\">document.forms[0].submit();</script></body></html>",
    ]);
    page
}

/// Text within HTML or a quoted attribute, escaped as .NET's `HtmlAttributeEncode` does: `>` stands for itself.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '"', '&', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// An answer as bytes, ready for a connection.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// How it is delivered.
    pub delivery: Delivery,
    /// Lab time of the answering machine when it began: what its `Date` header says.
    pub at: time::OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_posts_itself_has_the_products_layout_and_escapes_what_it_carries() {
        let content = Content::AutoPost {
            to: String::from("https://ax.contoso.com/?a=1&b=\"2\""),
            fields: vec![
                ("wa".into(), "wsignin1.0".into()),
                ("wresult".into(), "<t:A b=\"c\">'d'</t:A>".into()),
            ],
            words: AutoPostWords { title: "T", notice: "N", button: "B" },
            nonce: String::from("n0"),
        };
        let (status, headers, body, _) = Answer::typed(StatusCode::OK, content).into_parts();
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(headers[CONTENT_SECURITY_POLICY], "default-src 'none'; script-src 'nonce-n0'");
        assert_eq!(
            String::from_utf8_lossy(&body),
            "<html><head><title>T</title></head><body><form method=\"POST\" name=\"hiddenform\" \
             action=\"https://ax.contoso.com/?a=1&amp;b=&quot;2&quot;\">\
             <input type=\"hidden\" name=\"wa\" value=\"wsignin1.0\" />\
             <input type=\"hidden\" name=\"wresult\" value=\"&lt;t:A b=&quot;c&quot;>&#39;d&#39;&lt;/t:A>\" />\
             <noscript><p>N</p><input type=\"submit\" value=\"B\" /></noscript></form>\
             <script language=\"javascript\" nonce=\"n0\">document.forms[0].submit();</script></body></html>"
        );
    }

    #[test]
    fn a_policy_names_the_origins_that_forms_lead_to_and_nothing_that_is_no_address() {
        for (actions, expected) in [
            (&[][..], "form-action 'self'"),
            (
                &["https://App.contoso.com/signin?a=b", "https://app.contoso.com"],
                "form-action 'self' https://app.contoso.com",
            ),
            (
                &["http://localhost:5000/cb", "HTTPS://ax.contoso.com:7445"],
                "form-action 'self' http://localhost:5000 https://ax.contoso.com:7445",
            ),
            (&["https://[::1]:7444/"], "form-action 'self' https:"),
            (
                &["App://58145B91/", "urn:ietf:wg:oauth:2.0:oob", "http:"],
                "form-action 'self' app: urn: http:",
            ),
            (
                &[
                    "https://a; script-src *",
                    "https://a, default-src *",
                    "https://u@a/",
                    "x y:",
                    "*",
                    "'none'",
                    ":",
                    "//a",
                    "https:/a",
                ],
                "form-action 'self'",
            ),
        ] {
            let actions: Vec<String> = actions.iter().map(|action| (*action).into()).collect();
            assert_eq!(sources("form-action 'self'", &actions), expected);
        }
    }

    #[test]
    fn a_page_with_forms_has_one_policy_its_own() {
        let html = Bytes::from_static(b"<form>");
        let actions = vec![String::from("https://ax.contoso.com/")];
        let content = Content::Form { html: html.clone(), policy: "default-src 'none'", actions };
        let answer =
            Answer::typed(StatusCode::OK, content).with("content-security-policy", "default-src 'self'");
        let (_, headers, body, _) = answer.into_parts();
        let policies: Vec<_> = headers.get_all(CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(policies, ["default-src 'none'; form-action 'self' https://ax.contoso.com"]);
        assert_eq!(
            (body, &headers[CONTENT_TYPE]),
            (html, &HeaderValue::from_static("text/html; charset=utf-8"))
        );
    }

    #[test]
    fn frames_stand_in_the_page_and_alone_in_its_policy() {
        let frames = vec![String::from("https://a.example/out?x=\"1\""), String::from("javascript:alert(1)")];
        let html = Bytes::from_static(b"<body>x</body></html>");
        let content =
            Content::Frames { html, policy: "default-src 'none'", frames, then: Some("https://b".into()) };
        let (_, headers, body, _) = Answer::typed(StatusCode::OK, content).into_parts();
        assert_eq!(
            body,
            "<body>x<iframe hidden src=\"https://a.example/out?x=&quot;1&quot;\"></iframe>\n\
             <iframe hidden src=\"javascript:alert(1)\"></iframe>\n</body></html>"
        );
        let policy = &headers[CONTENT_SECURITY_POLICY];
        assert_eq!(policy, "default-src 'none'; frame-src https://a.example javascript:");
        assert_eq!(headers[REFRESH], "1;url=https://b");
    }
}
