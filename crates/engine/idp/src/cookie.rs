//! Cookies of a provider: read from a request, written into an answer (RFC 6265).
//!
//! Decides what of a request's cookies is read (all fields in their order, quotation marks taken off, the first of a name
//! before the others, a bounded number of octets and pairs), how one is written, and what it is called: ports of a host
//! share one jar, so on a local name the name carries the port. None is ever given a `Domain`: it goes back to the host
//! that set it and to no other. Never decides what a cookie is called otherwise, what is in it, how long it stays or which
//! sites it is sent from.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use mocktenant_lab::Exchange;
use mocktenant_lab::request::HostName;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

/// Octets of cookies that are read of one request; browsers send less.
pub const MAX_READ: usize = 64 * 1024;
/// Pairs that are read of one request.
pub const MAX_PAIRS: usize = 200;
/// Octets of one cookie, name, value and attributes, that browsers keep (RFC 6265 section 6.1).
pub const MAX_COOKIE: usize = 4096;

/// The cookies of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cookies<'r> {
    pairs: Vec<(&'r str, &'r str)>,
    cut: bool,
}

impl<'r> Cookies<'r> {
    /// Reads them. What is no pair, or no UTF-8, is passed over; what is beyond the bounds is not looked at.
    pub fn read(headers: &'r HeaderMap) -> Self {
        let mut read = Self::default();
        let mut left = MAX_READ;
        for field in headers.get_all(COOKIE) {
            if field.len() > left {
                read.cut = true;
                break;
            }
            left -= field.len();
            for piece in field.as_bytes().split(|octet| *octet == b';') {
                let Some(pair) = std::str::from_utf8(piece).ok().and_then(pair) else { continue };
                if read.pairs.len() == MAX_PAIRS {
                    read.cut = true;
                    return read;
                }
                read.pairs.push(pair);
            }
        }
        read
    }

    /// The first of that name: browsers send the one of the longer path, and of the earlier date, before others.
    pub fn get(&self, name: &str) -> Option<&'r str> {
        self.all(name).next()
    }

    /// Every one of that name, in the order sent.
    pub fn all<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'r str> + 'c {
        self.pairs.iter().filter(move |(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// Every pair, in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (&'r str, &'r str)> {
        self.pairs.iter().copied()
    }

    /// Whether there were more than are read.
    pub fn is_cut(&self) -> bool {
        self.cut
    }
}

/// Name and value; `None` where it is none.
fn pair(piece: &str) -> Option<(&str, &str)> {
    let (name, value) = piece.split_once('=')?;
    let (name, value) = (name.trim_matches([' ', '\t']), value.trim_matches([' ', '\t']));
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    (!name.is_empty()).then_some((name, quoted.unwrap_or(value)))
}

/// What a cookie is called for the caller of this exchange: with the port behind it where he came by a local name. Ports of
/// one host share a jar, and two products, or two labs, that run there would take each other's cookies for their own. By a
/// name of the world it is called as the product calls it.
pub fn name_for<'n>(name: &'n str, exchange: &Exchange) -> Cow<'n, str> {
    if exchange.by_world_name() {
        return Cow::Borrowed(name);
    }
    HostName::parse(&exchange.request.host).map_or(Cow::Borrowed(name), |host| name_at(name, &host))
}

/// The same for a host: `NAME-7443` at `localhost:7443`. A port that is not written is the scheme's own, and nobody shares it.
pub fn name_at<'n>(name: &'n str, host: &HostName) -> Cow<'n, str> {
    name_behind(name, host.port.filter(|_| host.is_local()))
}

/// The same for a port that shares its jar with others, if it does.
pub fn name_behind(name: &str, jar: Option<u16>) -> Cow<'_, str> {
    jar.map_or(Cow::Borrowed(name), |port| Cow::Owned(format!("{name}-{port}")))
}

/// Which sites' requests a cookie is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Any; browsers take it only beside `Secure`.
    None,
    /// Its own, and where somebody follows a link from elsewhere.
    Lax,
    /// Its own alone.
    Strict,
}

impl SameSite {
    /// As written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Lax => "Lax",
            Self::Strict => "Strict",
        }
    }
}

/// How long a browser keeps a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// As long as its own session.
    Session,
    /// Until then (`expires`).
    Until(OffsetDateTime),
    /// So long from now (`max-age`), in whole seconds.
    For(Duration),
    /// No longer: it is taken away.
    Gone,
}

/// How a provider sets one of its cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// `path`.
    pub path: &'static str,
    /// Whether scripts do not see it.
    pub http_only: bool,
    /// Whether it travels over TLS alone.
    pub secure: bool,
    /// Which sites' requests it is sent with; absent leaves it to the browser.
    pub same_site: Option<SameSite>,
}

/// A text that is no name or no value of a cookie, or a cookie that no browser keeps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCookie {
    /// Its name is empty or has a character that separates.
    #[error("{name:?} is no name of a cookie")]
    Name {
        /// The name.
        name: String,
    },
    /// Its value has a character that no value has.
    #[error("the value of {name} has characters that no cookie has")]
    Value {
        /// The cookie's name.
        name: String,
    },
    /// It is too long for any browser.
    #[error("{name} has {length} octets, and browsers keep {MAX_COOKIE}")]
    TooLong {
        /// The cookie's name.
        name: String,
        /// How many octets it has.
        length: usize,
    },
}

/// A cookie that is set: the value of one `Set-Cookie` field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookie(HeaderValue);

impl SetCookie {
    /// A cookie of that name and value.
    pub fn new(name: &str, value: &str, keep: Keep, attributes: &Attributes) -> Result<Self, NoCookie> {
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(NoCookie::Name { name: name.to_owned() });
        }
        let bad_value = || NoCookie::Value { name: name.to_owned() };
        if !value.bytes().all(is_cookie_octet) || !attributes.path.bytes().all(is_path_octet) {
            return Err(bad_value());
        }
        let value = if keep == Keep::Gone { "" } else { value };
        let mut text = format!("{name}={value}");
        match keep {
            Keep::Session => {}
            Keep::Until(end) => push_expires(&mut text, end),
            // Writing to a String cannot fail.
            Keep::For(lasts) => drop(write!(text, "; max-age={}", lasts.whole_seconds().max(0))),
            Keep::Gone => push_expires(&mut text, OffsetDateTime::UNIX_EPOCH),
        }
        text.extend(["; path=", attributes.path]);
        if attributes.http_only {
            text.push_str("; HttpOnly");
        }
        if attributes.secure {
            text.push_str("; Secure");
        }
        if let Some(same_site) = attributes.same_site {
            text.extend(["; SameSite=", same_site.name()]);
        }
        if text.len() > MAX_COOKIE {
            return Err(NoCookie::TooLong { name: name.to_owned(), length: text.len() });
        }
        HeaderValue::from_str(&text).map(Self).map_err(|_| bad_value())
    }

    /// The field's value.
    pub fn into_value(self) -> HeaderValue {
        self.0
    }
}

impl fmt::Display for SetCookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// IMF-fixdate of RFC 9110 section 5.6.7.
const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// What ended before 1970 ended then: earlier years are not readable everywhere.
fn push_expires(text: &mut String, end: OffsetDateTime) {
    const NEVER: &str = "Fri, 31 Dec 9999 23:59:59 GMT";
    let end = end.max(OffsetDateTime::UNIX_EPOCH).checked_to_offset(UtcOffset::UTC);
    let date = end.map(|end| mocktenant_lab::written(end, DATE));
    text.extend(["; expires=", date.as_deref().unwrap_or(NEVER)]);
}

/// `tchar` of RFC 9110 section 5.6.2.
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

/// `cookie-octet` of RFC 6265 section 4.1.1.
fn is_cookie_octet(octet: u8) -> bool {
    matches!(octet, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

fn is_path_octet(octet: u8) -> bool {
    matches!(octet, b' '..=b'~') && octet != b';'
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn headers(fields: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(COOKIE, HeaderValue::from_bytes(field).unwrap());
        }
        headers
    }

    #[test]
    fn cookies_are_read_in_their_order_and_the_first_of_a_name_comes_first() {
        let headers = headers(&[
            b"a=1; b=\"two\";c=x=y ; a=3; flag; =none; d=; e=\"; f = 6",
            b"g=\xc3\xa4; h=\xff; a=4; B=5",
        ]);
        let cookies = Cookies::read(&headers);
        let read: Vec<_> = cookies.iter().collect();
        let expected = [
            ("a", "1"),
            ("b", "two"),
            ("c", "x=y"),
            ("a", "3"),
            ("d", ""),
            ("e", "\""),
            ("f", "6"),
            ("g", "\u{e4}"),
            ("a", "4"),
            ("B", "5"),
        ];
        assert_eq!(read, expected);
        assert_eq!(cookies.all("a").collect::<Vec<_>>(), ["1", "3", "4"]);
        assert_eq!((cookies.get("a"), cookies.get("b"), cookies.get("z")), (Some("1"), Some("two"), None));
        assert!(!cookies.is_cut());
        assert_eq!(Cookies::read(&HeaderMap::new()), Cookies::default());
    }

    #[test]
    fn more_cookies_than_any_browser_sends_are_not_read() {
        let many = (0..=MAX_PAIRS).map(|index| format!("c{index}=1")).collect::<Vec<_>>().join("; ");
        let headers_of_many = headers(&[many.as_bytes()]);
        let read = Cookies::read(&headers_of_many);
        assert_eq!((read.iter().count(), read.is_cut()), (MAX_PAIRS, true));
        assert_eq!(read.get("c0"), Some("1"));
        let long = format!("b={}", "x".repeat(MAX_READ));
        let headers_of_long = headers(&[b"a=1", long.as_bytes(), b"c=1"]);
        let read = Cookies::read(&headers_of_long);
        assert_eq!((read.iter().collect::<Vec<_>>(), read.is_cut()), (vec![("a", "1")], true));
        let exact = format!("b={}", "x".repeat(MAX_READ - 2));
        assert!(!Cookies::read(&headers(&[exact.as_bytes()])).is_cut());
    }

    #[test]
    fn on_a_local_name_a_cookie_carries_the_port() {
        for (host, expected) in [
            ("localhost:7443", "Auth-7443"),
            ("LOCALHOST:7444", "Auth-7444"),
            ("127.0.0.1:7443", "Auth-7443"),
            ("[::1]:7443", "Auth-7443"),
            ("box.test:7443", "Auth-7443"),
            ("localhost", "Auth"),
            ("sts.contoso.com", "Auth"),
            ("sts.contoso.com:7443", "Auth"),
        ] {
            assert_eq!(name_at("Auth", &HostName::parse(host).unwrap()), expected, "{host}");
        }
    }

    const BARE: Attributes = Attributes { path: "/", http_only: false, secure: false, same_site: None };
    const FULL: Attributes =
        Attributes { path: "/app", http_only: true, secure: true, same_site: Some(SameSite::None) };

    #[test]
    fn a_cookie_is_written_for_its_host_alone() {
        const EPOCH: &str = "A=b.c; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/";
        let end = datetime!(2026-03-01 12:00 +02:00);
        for (keep, attributes, expected) in [
            (Keep::Session, BARE, "A=b.c; path=/"),
            (Keep::Session, FULL, "A=b.c; path=/app; HttpOnly; Secure; SameSite=None"),
            (Keep::For(Duration::seconds_f64(90.5)), BARE, "A=b.c; max-age=90; path=/"),
            (Keep::For(-Duration::HOUR), BARE, "A=b.c; max-age=0; path=/"),
            (Keep::Until(end), BARE, "A=b.c; expires=Sun, 01 Mar 2026 10:00:00 GMT; path=/"),
            (Keep::Until(datetime!(0001-01-01 0:00 UTC)), BARE, EPOCH),
            (Keep::Gone, BARE, "A=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/"),
        ] {
            let written = SetCookie::new("A", "b.c", keep, &attributes).unwrap();
            assert_eq!(written.to_string(), expected);
            assert_eq!(written.into_value(), expected);
        }
        for (same_site, written) in [(SameSite::Lax, "Lax"), (SameSite::Strict, "Strict")] {
            let attributes = Attributes { same_site: Some(same_site), ..BARE };
            let cookie = SetCookie::new("A", "b", Keep::Session, &attributes).unwrap();
            assert_eq!(cookie.to_string(), format!("A=b; path=/; SameSite={written}"));
        }
    }

    #[test]
    fn what_no_browser_would_take_for_a_cookie_is_not_written() {
        let set = |name: &str, value: &str| SetCookie::new(name, value, Keep::Session, &BARE);
        for name in ["", "a b", "a;b", "a=b", "a\r\nb", "\u{e4}"] {
            assert_eq!(set(name, "1"), Err(NoCookie::Name { name: name.to_owned() }));
        }
        for value in ["a b", "a;b", "a,b", "a\"", "a\\", "a\r\nSet-Cookie: b=1", "\u{e4}", "\u{7f}"] {
            assert_eq!(set("a", value), Err(NoCookie::Value { name: "a".to_owned() }), "{value}");
        }
        let room = MAX_COOKIE - "a=; path=/".len();
        assert!(set("a", &"x".repeat(room)).is_ok());
        let length = MAX_COOKIE + 1;
        assert_eq!(set("a", &"x".repeat(room + 1)), Err(NoCookie::TooLong { name: "a".to_owned(), length }));
    }

    #[test]
    fn what_is_written_reads_back() {
        let value = "aZ09-_.~!#$%&'()*+/:<=>?@[]^`{|}";
        let written = SetCookie::new("A", value, Keep::Session, &FULL).unwrap().to_string();
        let (pair, _) = written.split_once(';').unwrap();
        let headers = headers(&[pair.as_bytes()]);
        assert_eq!(Cookies::read(&headers).get("A"), Some(value));
    }
}
