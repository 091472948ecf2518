//! A request as the lab sees it: raw and folded path, host, body or the reason there is none.
//!
//! Decides how a path is folded for matching (case, one trailing slash, decode once) and that values always come from
//! the raw path at the same segments. Encoded slash, backslash, NUL and dot segments never separate. Never touches
//! sockets.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::AsHeaderName;
use http::{HeaderMap, HeaderName, Method};
use mime::Mime;

use crate::Entrance;

/// The largest body of a request, in bytes.
pub const BODY_BYTES: usize = 1024 * 1024;

/// A request handed to [`crate::Lab::answer`].
#[derive(Debug)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path and query as sent, undecoded (origin form).
    pub target: String,
    /// `Host` header or `:authority`, as sent.
    pub host: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// The body, or why there is none.
    pub body: Result<Bytes, BodyError>,
    /// How it came in.
    pub arrival: Arrival,
}

/// Why a body could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// More than the budget, in bytes.
    TooLarge {
        /// The budget.
        limit: usize,
    },
    /// It did not come in time.
    Timeout,
    /// The connection ended before the body did, or its framing was broken.
    Incomplete,
}

/// How a request came in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The port it came to: decides the surface for local names.
    pub entrance: Entrance,
    /// Whether it came to a port that all products share: then a name decides alone, and one that belongs to several of them
    /// is nobody's.
    pub by_name: bool,
    /// Whether TLS was spoken.
    pub secure: bool,
    /// SNI, if sent.
    pub server_name: Option<Arc<str>>,
    /// The caller's address.
    pub peer: Option<SocketAddr>,
    /// The name it was sent to through the lab's forward proxy: it may name no other.
    pub proxied: Option<Arc<str>>,
}

impl Arrival {
    /// A call without a socket (tests, `lab.answer`).
    pub fn direct(entrance: Entrance) -> Self {
        Self { entrance, by_name: false, secure: true, server_name: None, peer: None, proxied: None }
    }
}

impl Request {
    /// A request without headers or body, for tests and for calls without a socket.
    pub fn new(method: Method, host: &str, target: &str, entrance: Entrance) -> Self {
        Self {
            method,
            target: target.into(),
            host: host.into(),
            headers: HeaderMap::new(),
            body: Ok(Bytes::new()),
            arrival: Arrival::direct(entrance),
        }
    }

    /// The raw path, without the query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The raw query, without `?`; empty if there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The single value of a header as text; `None` if absent, repeated or not ASCII text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.single(name)
    }

    /// The same for a name that is known beforehand: nothing has to be read to look it up.
    pub fn field(&self, name: &HeaderName) -> Option<&str> {
        self.single(name)
    }

    fn single(&self, name: impl AsHeaderName) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() {
            return None;
        }
        first.to_str().ok()
    }
}

/// `Host` split into a lower-case name and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// Lower case, no final dot, no brackets around an IPv6 address.
    pub name: String,
    /// Port if written.
    pub port: Option<u16>,
}

impl HostName {
    /// Reads a `Host` value, `name[:port]` or `[IPv6 address][:port]` (RFC 9110 section 7.2); `None` if it is none. The port
    /// may be empty, and nothing may stand beside name and port.
    pub fn parse(host: &str) -> Option<Self> {
        let (name, port) = if let Some(rest) = host.strip_prefix('[') {
            let (address, after) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
            (address, port)
        } else {
            let (name, port) = match host.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (host, None),
            };
            let name = name.strip_suffix('.').unwrap_or(name);
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
            if name.len() > 253 || !name.split('.').all(label) {
                return None;
            }
            (name, port)
        };
        let port = match port {
            None | Some("") => None,
            // A sign would be read as part of a number.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
        };
        Some(Self { name: name.to_ascii_lowercase(), port })
    }

    /// Whether the name means "this machine or this network" rather than a product's public name: localhost, an
    /// address, a single label, or a name below `.localhost`, `.test`, `.internal`, `.local`.
    pub fn is_local(&self) -> bool {
        // A single label is most often localhost, and is told sooner than an address.
        !self.name.contains('.')
            || self.name.parse::<std::net::IpAddr>().is_ok()
            || [".localhost", ".test", ".internal", ".local"].iter().any(|suffix| self.name.ends_with(suffix))
    }
}

/// A path folded for matching: lower case, decoded once, without one trailing slash.
///
/// Segments of the folded copy stand at the same indexes as those of the raw path. A segment whose decoded form would
/// separate (slash, backslash, NUL) or be a dot segment keeps its raw spelling, so it matches no pattern.
pub fn fold(raw_path: &str) -> String {
    let mut folded = String::with_capacity(raw_path.len());
    let trimmed = if raw_path.len() > 1 { raw_path.strip_suffix('/').unwrap_or(raw_path) } else { raw_path };
    // Nearly every path stands for itself: then only letter case is to fold. What could be an escape or would separate is
    // looked at segment by segment.
    let special = |byte: &u8| matches!(*byte, b'%' | b'\\' | 0);
    if trimmed.starts_with('/') && trimmed.is_ascii() && !trimmed.as_bytes().iter().any(special) {
        folded.push_str(trimmed);
        folded.make_ascii_lowercase();
        return folded;
    }
    for segment in trimmed.split('/').skip(1) {
        folded.push('/');
        match decode_once(segment) {
            // Nearly every path is ASCII; the rest takes the slow way.
            Some(decoded) if decoded.is_ascii() => {
                let from = folded.len();
                folded.push_str(&decoded);
                folded[from..].make_ascii_lowercase();
            }
            Some(decoded) => folded.extend(decoded.chars().flat_map(char::to_lowercase)),
            None => folded.push_str(segment),
        }
    }
    if folded.is_empty() {
        folded.push('/');
    }
    folded
}

/// Decodes a raw path segment once; `None` if the result would separate, is a dot segment or is not UTF-8.
pub fn decode_once(segment: &str) -> Option<Cow<'_, str>> {
    let decoded = percent_decoded(segment)?;
    let separates = decoded.contains(['/', '\\', '\0']) || matches!(&*decoded, "." | "..");
    (!separates).then_some(decoded)
}

/// Decodes `%XX` once, as strictly as the products do: `None` where a `%` has no two hexadecimal digits after it (which
/// the URL standard lets stand for itself), or where the result is not UTF-8.
pub fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.as_bytes().contains(&b'%') {
        return Some(Cow::Borrowed(text));
    }
    let whole = |after: &str| {
        after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(whole) {
        return None;
    }
    percent_encoding::percent_decode_str(text).decode_utf8().ok()
}

/// The media type of a `Content-Type` without its parameters, which decide nothing here: however they are broken, the
/// products read the type before them, so they are not handed to the parser, which would refuse it all.
pub fn media_type(content_type: &str) -> Option<Mime> {
    let (essence, _parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    match essence.trim() {
        // What nearly everybody sends needs no parser.
        "application/x-www-form-urlencoded" => Some(mime::APPLICATION_WWW_FORM_URLENCODED),
        "application/json" => Some(mime::APPLICATION_JSON),
        essence => essence.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_lowers_decodes_once_and_drops_one_slash() {
        assert_eq!(fold("/Common/%4FAuth2/Token/"), "/common/oauth2/token");
        assert_eq!(fold("/a//"), "/a/");
        assert_eq!(fold("/"), "/");
        assert_eq!(fold("/%2541"), "/%41");
    }

    #[test]
    fn encoded_separators_and_dots_never_separate() {
        assert_eq!(fold("/A\\b/C"), "/A\\b/c", "a backslash would separate");
        for raw in ["/a%2Fb", "/a%5cb", "/a%00b", "/%2e%2E", "/%2e"] {
            assert_eq!(fold(raw), raw, "{raw} must match no pattern");
        }
    }

    #[test]
    fn an_escape_that_is_none_makes_the_whole_text_unreadable() {
        assert!(matches!(percent_decoded("a+b"), Some(Cow::Borrowed("a+b"))));
        assert_eq!(percent_decoded("%41%c3%A4%2541").as_deref(), Some("A\u{e4}%41"));
        for bad in ["%", "%4", "a%zz", "%%41", "%4%41", "%+1", "%ff", "%\u{e4}"] {
            assert_eq!(percent_decoded(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_media_type_is_read_whatever_its_case_and_parameters() {
        for json in [
            "application/json",
            " Application/JSON ; charset=utf-8",
            "application/json; charset",
            "application/json;;odata.metadata=minimal",
        ] {
            assert_eq!(media_type(json), Some(mime::APPLICATION_JSON), "{json}");
        }
        assert_eq!(media_type("Application/JSON-patch+json").unwrap(), "application/json-patch+json");
        for other in ["", "json", ";application/json", "application/json, application/json", "text/json"] {
            assert_ne!(media_type(other), Some(mime::APPLICATION_JSON), "{other}");
        }
    }

    proptest::proptest! {
        /// Whatever is taken for a host is written back as one, and is exactly what was sent but for case, final dot and port.
        #[test]
        fn a_host_is_a_name_and_a_port_and_nothing_else(text in "\\PC{0,40}|[a-z0-9.:\\[\\] +-]{0,24}|\\[[0-9a-f:]{0,12}\\](:[0-9:]{0,8})?") {
            if let Some(HostName { name, port }) = HostName::parse(&text) {
                let address = name.parse::<std::net::Ipv6Addr>().is_ok();
                proptest::prop_assert_eq!(name.contains(':'), address);
                let written = if address { format!("[{name}]") } else { name.clone() };
                let lower = text.to_ascii_lowercase();
                let rest = lower.strip_prefix(&written).expect("the name stands first");
                let rest = rest.strip_prefix('.').filter(|_| !address).unwrap_or(rest);
                let digits = rest.strip_prefix(':').unwrap_or(rest);
                proptest::prop_assert!(digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.is_empty() || rest.starts_with(':')));
                proptest::prop_assert_eq!(port, digits.parse().ok());
                let again = HostName::parse(&format!("{written}{}", port.map(|port| format!(":{port}")).unwrap_or_default()));
                proptest::prop_assert_eq!(again, Some(HostName { name, port }));
            }
        }
    }

    #[test]
    fn hosts_lose_port_case_and_final_dot() {
        let host = |text: &str| HostName::parse(text).unwrap();
        assert_eq!(
            host("Login.Windows.NET.:443"),
            HostName { name: "login.windows.net".into(), port: Some(443) }
        );
        assert_eq!(host("[::1]:7443").name, "::1");
        assert_eq!(host("[2001:DB8::1]"), HostName { name: "2001:db8::1".into(), port: None });
        assert_eq!((host("aos:").port, host("aos:00443").port), (None, Some(443)));
        for none in [
            "",
            " ",
            ".",
            "..",
            ":",
            ":443",
            "a b",
            " a",
            "a ",
            "x:99999",
            "x:+80",
            "x:-1",
            "x:8 0",
            "a..b",
            ".localhost",
            "localhost:7443:7443",
            "localhost:7443:",
            "[::1]:7443:7443",
            "[::1]7443",
            "[::1",
            "::1",
            "[]",
            "[::1]]",
            "[[::1]]",
            "[::1.]",
            "[localhost]",
            "[127.0.0.1]",
            "[fe80::1%25eth0]",
            "u@localhost",
            "localhost/",
            "localhost,localhost",
            "h\u{e4}",
            "a%41",
        ] {
            assert_eq!(HostName::parse(none), None, "{none:?}");
        }
        assert!(
            host("tenant").is_local() && host("127.0.0.1").is_local() && !host("evil.example").is_local()
        );
    }
}
