//! Addresses that a browser is sent back to: what a provider has registered, and what a request asks for.
//!
//! Decides what is an address at all. Readers disagree about user information, backslashes, control characters, blanks, hosts
//! that are escaped or in letters beyond ASCII, and dots and slashes that are escaped in a path: such a text is refused by
//! name before anybody's rule is asked, so that nothing accepted here leads anywhere else in a browser. Then compares it with
//! the registered ones, part by part and never as prefixes, and names the nearest where none is meant. Never decides what
//! counts as the same: that is the provider's [`Policy`]. Mirrors RFC 3986 in what it reads, and nothing beyond it.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::nearest::{self, Near};

/// Longest address that is looked at, in bytes.
pub const LONGEST: usize = 4096;

/// Schemes that a browser runs or reads by itself instead of going anywhere, as they begin an address.
const SCRIPTS: &[&str] =
    &["about:", "blob:", "data:", "file:", "filesystem:", "javascript:", "vbscript:", "view-source:"];

/// A provider's rule.
#[expect(
    clippy::struct_excessive_bools,
    reason = "questions that a provider answers with yes or no, each by itself"
)]
#[derive(Clone, Copy, Debug)]
pub struct Policy<'p> {
    /// Which schemes an address may have, in lower case; `None` for any.
    pub schemes: Option<&'p [&'p str]>,
    /// Whether addresses are compared as texts. Otherwise a scheme's own port may be written or left out, no path is `/`, and
    /// an IPv6 address may have any of its spellings.
    pub exact_text: bool,
    /// Whether letter case counts in scheme and host; it always does in what follows them.
    pub host_case_counts: bool,
    /// Whether a path with a final slash is another one.
    pub final_slash_counts: bool,
    /// Whether what lies below a registered path is registered with it, and any query with an address without one.
    pub below: bool,
    /// Hosts whose port does not count under http, in lower case: a program on the caller's own machine takes what is free.
    pub free_ports: &'p [&'p str],
    /// Whether an address may have a fragment.
    pub fragment: bool,
}

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// Longer than [`LONGEST`].
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    /// As it is, or escaped in the path of a web address.
    #[error("it has control characters")]
    Control,
    /// White space, also around it.
    #[error("it has blanks")]
    Blank,
    /// A slash to browsers, and to nobody else.
    #[error("it has a backslash")]
    Backslash,
    /// No scheme begins it.
    #[error("it is no absolute address")]
    NotAbsolute,
    /// Of a scheme that a browser runs or reads.
    #[error("a browser would run or read it instead of going there")]
    Script,
    /// A web address without a host.
    #[error("it names no host")]
    NoHost,
    /// A name, and maybe a password, before the host.
    #[error("it has user information before its host")]
    UserInformation,
    /// Escapes in the host.
    #[error("its host is escaped")]
    EscapedHost,
    /// Letters beyond ASCII in the host.
    #[error("its host has letters beyond ASCII; a name is registered and sent as xn--")]
    InternationalHost,
    /// Neither a name nor an address in its usual form.
    #[error("its host is neither a name nor an address")]
    BadHost,
    /// No number of a port.
    #[error("its port is none")]
    BadPort,
    /// Characters that have to be escaped.
    #[error("it has characters that an address escapes")]
    Unescaped,
    /// `%` without two digits.
    #[error("it has a broken escape")]
    BrokenEscape,
    /// What separates, or goes up, once somebody decodes it.
    #[error("its path has an escaped dot or slash")]
    EscapedSeparator,
    /// What a browser takes away before it goes.
    #[error("its path goes up or nowhere (a segment of dots)")]
    DotSegment,
    /// Of a scheme that the provider does not send to.
    #[error("its scheme is not allowed")]
    Scheme,
    /// With a fragment, at a provider that takes none.
    #[error("it has a fragment")]
    Fragment,
    /// An address, but none of the registered ones.
    #[error("it is not registered")]
    NotRegistered,
}

/// An address that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct Refused<'r> {
    /// Why.
    pub fault: Fault,
    /// The registered address that was probably meant.
    pub near: Option<Near<'r>>,
}

/// The registered address that is asked for.
pub fn registered<'r>(policy: &Policy<'_>, known: &[&'r str], sent: &str) -> Result<&'r str, Refused<'r>> {
    let found = Address::read(sent).and_then(|address| {
        policy.allows(&address)?;
        let same = |one: &&&str| Address::read(one).is_ok_and(|one| policy.same(&one, &address));
        known.iter().find(same).copied().ok_or(Fault::NotRegistered)
    });
    // Nobody meant a text of that length.
    let near = || if sent.len() > LONGEST { None } else { nearest::of(sent, known) };
    found.map_err(|fault| Refused { fault, near: near() })
}

/// The parts of an address, as they are written.
struct Address<'a> {
    scheme: &'a str,
    /// Host and port; none for `scheme:rest`.
    authority: Option<(&'a str, Option<u16>)>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl Policy<'_> {
    fn allows(&self, address: &Address<'_>) -> Result<(), Fault> {
        let is = |scheme: &&str| scheme.eq_ignore_ascii_case(address.scheme);
        if self.schemes.is_some_and(|schemes| !schemes.iter().any(is)) {
            return Err(Fault::Scheme);
        }
        if address.fragment.is_some() && !self.fragment {
            return Err(Fault::Fragment);
        }
        Ok(())
    }

    /// Whether what was sent counts as what is registered.
    fn same(&self, known: &Address<'_>, sent: &Address<'_>) -> bool {
        let named = |one: &str, other: &str| {
            if self.host_case_counts { one == other } else { one.eq_ignore_ascii_case(other) }
        };
        named(known.scheme, sent.scheme)
            && match (known.authority, sent.authority) {
                (None, None) => true,
                (Some((host, port)), Some((other, other_port))) => {
                    let same = named(host, other) || (!self.exact_text && address_v6(host, other));
                    same && (self.port_is_free(known.scheme, host)
                        || self.port(known.scheme, port) == self.port(sent.scheme, other_port))
                }
                _ => false,
            }
            && self.paths(known, sent)
            && (self.reaches_below(known) || (known.query == sent.query && known.fragment == sent.fragment))
    }

    fn port_is_free(&self, scheme: &str, host: &str) -> bool {
        scheme.eq_ignore_ascii_case("http")
            && self.free_ports.iter().any(|free| free.eq_ignore_ascii_case(host))
    }

    fn port(&self, scheme: &str, written: Option<u16>) -> Option<u16> {
        let own = || match own_port(scheme) {
            Some(own) if !self.exact_text => Some(own),
            _ => None,
        };
        written.or_else(own)
    }

    fn paths(&self, known: &Address<'_>, sent: &Address<'_>) -> bool {
        let (one, other) = (self.path(known), self.path(sent));
        let slashless = |path| str::strip_suffix(path, '/').unwrap_or(path);
        let under = || other.strip_prefix(slashless(one)).is_some_and(|rest| rest.starts_with('/'));
        one == other
            || (!self.final_slash_counts && slashless(one) == slashless(other))
            || (self.reaches_below(known) && under())
    }

    fn path<'a>(&self, address: &Address<'a>) -> &'a str {
        match address.path {
            "" if !self.exact_text && own_port(address.scheme).is_some() => "/",
            written => written,
        }
    }

    /// Of the web alone: nobody says what is below what elsewhere.
    fn reaches_below(&self, known: &Address<'_>) -> bool {
        self.below && own_port(known.scheme).is_some() && known.query.is_none()
    }
}

/// The port that a web scheme has where none is written.
fn own_port(scheme: &str) -> Option<u16> {
    let own = [("http", 80), ("https", 443)].into_iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme));
    own.map(|(_, port)| port)
}

/// Whether two hosts are one IPv6 address.
fn address_v6(one: &str, other: &str) -> bool {
    let read = |host: &str| host.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    read(one).is_some_and(|one| read(other) == Some(one))
}

impl<'a> Address<'a> {
    /// Reads an absolute address; whatever two readers could take for two things is none.
    fn read(text: &'a str) -> Result<Self, Fault> {
        if text.len() > LONGEST {
            return Err(Fault::TooLong);
        }
        if text.contains(|letter: char| letter.is_control()) {
            return Err(Fault::Control);
        }
        if text.contains(|letter: char| letter.is_whitespace()) {
            return Err(Fault::Blank);
        }
        if text.contains('\\') {
            return Err(Fault::Backslash);
        }
        let (scheme, rest) =
            text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).ok_or(Fault::NotAbsolute)?;
        let begins = |script: &&str| {
            script.strip_suffix(':').is_some_and(|script| script.eq_ignore_ascii_case(scheme))
        };
        if SCRIPTS.iter().any(begins) {
            return Err(Fault::Script);
        }
        let web = own_port(scheme).is_some();
        let (authority, rest) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (written, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
                (Some(authority(written, web)?), rest)
            }
            None if web => return Err(Fault::NoHost),
            None => (None, rest),
        };
        characters(rest)?;
        let (rest, fragment) = split(rest, '#');
        let (path, query) = split(rest, '?');
        if web {
            segments(path)?;
        }
        Ok(Self { scheme, authority, path, query, fragment })
    }
}

/// What stands before a separator, and behind it where there is one.
fn split(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Host and port.
fn authority(written: &str, web: bool) -> Result<(&str, Option<u16>), Fault> {
    if written.contains('@') {
        return Err(Fault::UserInformation);
    }
    if written.contains('%') {
        return Err(Fault::EscapedHost);
    }
    if !written.is_ascii() {
        return Err(Fault::InternationalHost);
    }
    let (host, port) = match written.rfind(']') {
        Some(end) if written.starts_with('[') => written.split_at(end + 1),
        _ => written.split_at(written.find(':').unwrap_or(written.len())),
    };
    if host.is_empty() && web {
        return Err(Fault::NoHost);
    }
    let fine = (port.is_empty() || port.starts_with(':'))
        && match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => host.is_empty() || is_name(host, web),
        };
    if !fine {
        return Err(Fault::BadHost);
    }
    if port.is_empty() {
        return Ok((host, None));
    }
    // One spelling each: no sign, no zeros before it, no nothing.
    let digits =
        port.strip_prefix(':').filter(|digits| digits.starts_with(|first| matches!(first, '1'..='9')));
    let port = digits.and_then(|digits| digits.parse().ok()).ok_or(Fault::BadPort)?;
    Ok((host, Some(port)))
}

/// A name, or an IPv4 address as four numbers: browsers read others for one, such as `127.1` and `0x7f000001`.
fn is_name(host: &str, web: bool) -> bool {
    let labels = host.strip_suffix('.').unwrap_or(host);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(plain);
    let last = labels.rsplit('.').next().unwrap_or(labels);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let number = last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    host.len() <= 254
        && labels.split('.').all(is_label)
        && !(web && number && host.parse::<Ipv4Addr>().is_err())
}

/// Whether what follows the authority has only what an address may have, and whole escapes.
fn characters(rest: &str) -> Result<(), Fault> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    if !rest.bytes().all(allowed) || rest.matches('#').count() > 1 {
        return Err(Fault::Unescaped);
    }
    let whole = |after: &str| matches!(after.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    if !rest.split('%').skip(1).all(whole) {
        return Err(Fault::BrokenEscape);
    }
    Ok(())
}

/// Whether a browser goes where a path of the web says, and a server that decodes it once sees the same segments.
fn segments(path: &str) -> Result<(), Fault> {
    for escape in path.split('%').skip(1) {
        match u8::from_str_radix(&escape[..2], 16) {
            Ok(b'.' | b'/' | b'\\') => return Err(Fault::EscapedSeparator),
            Ok(byte) if byte.is_ascii_control() => return Err(Fault::Control),
            _ => {}
        }
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(Fault::DotSegment);
    }
    Ok(())
}

impl Fault {
    /// A word for it that stays the same.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Control => "control-character",
            Self::Blank => "blank",
            Self::Backslash => "backslash",
            Self::NotAbsolute => "not-absolute",
            Self::Script => "script",
            Self::NoHost => "no-host",
            Self::UserInformation => "user-information",
            Self::EscapedHost => "escaped-host",
            Self::InternationalHost => "international-host",
            Self::BadHost => "bad-host",
            Self::BadPort => "bad-port",
            Self::Unescaped => "unescaped",
            Self::BrokenEscape => "broken-escape",
            Self::EscapedSeparator => "escaped-separator",
            Self::DotSegment => "dot-segment",
            Self::Scheme => "scheme",
            Self::Fragment => "fragment",
            Self::NotRegistered => "not-registered",
        }
    }
}
