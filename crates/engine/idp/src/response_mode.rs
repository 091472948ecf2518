//! Response modes: how an authorization response travels through a browser to a redirect URI.
//!
//! Decides how parameters are put there (behind the query that is there, as the fragment, or as fields of a page that posts
//! itself), in their order, and that a redirect URI is otherwise left as it was written: only what no header can carry is
//! escaped. Never decides where a response may go, which parameters it has, or how a product escapes them: that is its
//! policy. Mirrors OAuth 2.0 Multiple Response Type Encoding Practices and OAuth 2.0 Form Post Response Mode; what comes out
//! is typed ([`Content::Redirect`], [`Content::AutoPost`]), so that the lab may translate its target.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use mocktenant_lab::{Answer, AutoPostWords, Content, Random};

/// Name and value of each parameter, in the order they are written.
pub type Parameters = Vec<(Cow<'static, str>, String)>;

/// Octets of the nonce of a page's script.
const NONCE: usize = 16;

/// How a response travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    Query,
    /// In its fragment, which only the browser sees.
    Fragment,
    /// In a form that a page posts there by itself.
    FormPost,
}

impl ResponseMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Query, Self::Fragment, Self::FormPost];

    /// Its registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// The mode of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// How a product escapes names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escapes {
    /// Whether the letters of an escape are capitals.
    pub capitals: bool,
    /// Whether a blank is written `+`.
    pub plus: bool,
    /// What stands for itself beside letters and digits.
    pub bare: &'static str,
}

impl Escapes {
    /// RFC 3986 section 2.1: everything but unreserved characters, with capitals.
    pub const RFC_3986: Self = Self { capitals: true, plus: false, bare: "-._~" };
    /// As .NET's `HttpUtility.UrlEncode` writes: lower case, `+` for a blank.
    pub const DOTNET: Self = Self { capitals: false, plus: true, bare: "-_.!*()" };

    /// Appends a text.
    pub fn push(&self, out: &mut String, text: &str) {
        for octet in text.bytes() {
            match octet {
                b' ' if self.plus => out.push('+'),
                _ if octet.is_ascii_alphanumeric() || self.bare.as_bytes().contains(&octet) => {
                    out.push(char::from(octet));
                }
                _ => push_escape(out, octet, self.capitals),
            }
        }
    }

    /// Parameters as a query is written.
    pub fn query(&self, parameters: &[(Cow<'static, str>, String)]) -> String {
        let mut out = String::new();
        for (index, (name, value)) in parameters.iter().enumerate() {
            if index > 0 {
                out.push('&');
            }
            self.push(&mut out, name);
            out.push('=');
            self.push(&mut out, value);
        }
        out
    }
}

fn push_escape(out: &mut String, octet: u8, capitals: bool) {
    // Writing to a String cannot fail.
    let _ = if capitals { write!(out, "%{octet:02X}") } else { write!(out, "%{octet:02x}") };
}

/// What becomes of a fragment that a redirect URI has: RFC 6749 section 3.1.2 wants none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnFragment {
    /// The response is not sent there.
    Refused,
    /// It is taken away.
    Replaced,
}

/// A product's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Responding {
    /// How it escapes.
    pub escapes: Escapes,
    /// What becomes of a fragment.
    pub own_fragment: OwnFragment,
    /// What a page that posts itself says.
    pub words: AutoPostWords,
}

/// A redirect URI has a fragment of its own, and none may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the redirect URI has a fragment of its own")]
pub struct HasFragment;

impl Responding {
    /// The address that a browser is sent to with these parameters; with a form, the one that is posted to.
    pub fn address(
        &self,
        mode: ResponseMode,
        redirect_uri: &str,
        parameters: &[(Cow<'static, str>, String)],
    ) -> Result<String, HasFragment> {
        let bare = match (redirect_uri.split_once('#'), self.own_fragment) {
            (Some(_), OwnFragment::Refused) => return Err(HasFragment),
            (Some((bare, _)), OwnFragment::Replaced) => bare,
            (None, _) => redirect_uri,
        };
        let mut to = String::with_capacity(bare.len() + 256);
        for octet in bare.bytes() {
            if octet.is_ascii_graphic() {
                to.push(char::from(octet));
            } else {
                push_escape(&mut to, octet, true);
            }
        }
        match mode {
            ResponseMode::FormPost => return Ok(to),
            ResponseMode::Fragment => to.push('#'),
            ResponseMode::Query if !to.contains('?') => to.push('?'),
            ResponseMode::Query if to.ends_with(['?', '&']) => {}
            ResponseMode::Query => to.push('&'),
        }
        to.push_str(&self.escapes.query(parameters));
        Ok(to)
    }

    /// The answer that sends them there: 302, or 200 with a page that posts itself.
    pub fn answer(
        &self,
        mode: ResponseMode,
        redirect_uri: &str,
        parameters: Parameters,
        random: &Random,
    ) -> Result<Answer, HasFragment> {
        let to = self.address(mode, redirect_uri, &parameters)?;
        Ok(match mode {
            ResponseMode::Query | ResponseMode::Fragment => {
                Answer::typed(StatusCode::FOUND, Content::Redirect { to })
            }
            ResponseMode::FormPost => {
                let mut nonce = [0; NONCE];
                random.fill(&mut nonce);
                let nonce = URL_SAFE_NO_PAD.encode(nonce);
                let content = Content::AutoPost { to, fields: parameters, words: self.words, nonce };
                Answer::typed(StatusCode::OK, content)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Form;

    const WORDS: AutoPostWords = AutoPostWords { title: "T", notice: "N", button: "B" };
    const LOWER: Responding =
        Responding { escapes: Escapes::DOTNET, own_fragment: OwnFragment::Refused, words: WORDS };
    const STRICT: Responding =
        Responding { escapes: Escapes::RFC_3986, own_fragment: OwnFragment::Replaced, words: WORDS };

    fn parameters() -> Parameters {
        vec![
            ("error".into(), "access_denied".into()),
            ("error_description".into(), "X1: The client's not allowed (to) \u{e4}~.".into()),
            ("state".into(), "a&b=c+d".into()),
        ]
    }

    const LOWER_QUERY: &str = "error=access_denied&error_description=X1%3a+The+client%27s+not+allowed+(to)+%c3%a4%7e.\
                               &state=a%26b%3dc%2bd";
    const STRICT_QUERY: &str = "error=access_denied&error_description=X1%3A%20The%20client%27s%20not%20allowed%20\
                                %28to%29%20%C3%A4~.&state=a%26b%3Dc%2Bd";

    #[test]
    fn parameters_are_written_in_their_order_as_the_product_escapes_them() {
        assert_eq!(Escapes::DOTNET.query(&parameters()), LOWER_QUERY);
        assert_eq!(Escapes::RFC_3986.query(&parameters()), STRICT_QUERY);
        for query in [LOWER_QUERY, STRICT_QUERY] {
            let form = Form::parse(query.as_bytes()).unwrap();
            let read: Vec<_> = form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let sent: Vec<_> =
                parameters().into_iter().map(|(name, value)| (name.into_owned(), value)).collect();
            assert_eq!(read, sent);
        }
    }

    #[test]
    fn a_redirect_uri_keeps_the_query_it_has() {
        let one: Parameters = vec![("code".into(), "x".into())];
        for (uri, expected) in [
            ("https://a/b", "https://a/b?code=x"),
            ("https://a/b?", "https://a/b?code=x"),
            ("https://a/b?c=%2F+d", "https://a/b?c=%2F+d&code=x"),
            ("https://a/b?c&", "https://a/b?c&code=x"),
            ("app://host", "app://host?code=x"),
            ("https://a/\u{e4} \r\n", "https://a/%C3%A4%20%0D%0A?code=x"),
        ] {
            assert_eq!(LOWER.address(ResponseMode::Query, uri, &one).as_deref(), Ok(expected));
        }
        let to = LOWER.address(ResponseMode::Fragment, "https://a/b?c=d", &one);
        assert_eq!(to.as_deref(), Ok("https://a/b?c=d#code=x"));
        let to = LOWER.address(ResponseMode::FormPost, "https://a/b?c=d", &one);
        assert_eq!(to.as_deref(), Ok("https://a/b?c=d"));
    }

    #[test]
    fn a_fragment_of_its_own_is_refused_or_taken_away() {
        let one: Parameters = vec![("code".into(), "x".into())];
        for (mode, expected) in [
            (ResponseMode::Query, "https://a/b?code=x"),
            (ResponseMode::Fragment, "https://a/b#code=x"),
            (ResponseMode::FormPost, "https://a/b"),
        ] {
            for uri in ["https://a/b#", "https://a/b#c?d"] {
                assert_eq!(LOWER.address(mode, uri, &one), Err(HasFragment));
                assert_eq!(STRICT.address(mode, uri, &one).as_deref(), Ok(expected));
            }
        }
    }

    #[test]
    fn an_answer_is_a_redirect_or_a_page_that_posts_itself_with_a_nonce_of_its_own() {
        let random = Random::seeded(1);
        let answer = |mode| LOWER.answer(mode, "https://a/b", parameters(), &random).unwrap();
        let redirect = answer(ResponseMode::Query);
        assert_eq!(redirect.status, StatusCode::FOUND);
        let Content::Redirect { to } = redirect.content else { panic!("no redirect") };
        assert_eq!(to, format!("https://a/b?{LOWER_QUERY}"));
        let nonces = [(); 2].map(|()| {
            let page = answer(ResponseMode::FormPost);
            assert_eq!(page.status, StatusCode::OK);
            let Content::AutoPost { to, fields, words, nonce } = page.content else { panic!("no form") };
            assert_eq!((&*to, fields, words), ("https://a/b", parameters(), WORDS));
            nonce
        });
        assert_eq!(nonces[0].len(), 22);
        assert_ne!(nonces[0], nonces[1]);
    }

    #[test]
    fn modes_have_their_registered_names() {
        assert_eq!(
            ResponseMode::ALL.map(|mode| ResponseMode::named(mode.name())),
            ResponseMode::ALL.map(Some)
        );
        for other in ["", "Query", "form-post", "web_message"] {
            assert_eq!(ResponseMode::named(other), None);
        }
    }
}
