//! Whether a form was posted from the provider's own page.
//!
//! Decides it by what browsers say of a request and no page can change: `Origin` (RFC 6454) and `Sec-Fetch-Site` (Fetch
//! Metadata). Who sends neither is no browser, or an old one, and is let in: it carries nobody's cookies against his will.
//! A port of the same host is another site's page here, although browsers call it the same site: a lab's products share
//! localhost. For what must not be done by accident there is a token besides, bound to a session or a flow. Never decides
//! which forms are guarded, nor what anybody is told.
//!
//! A page with such a form must not forbid its browser to say where it comes from: under `Referrer-Policy: no-referrer` a
//! form is posted with `Origin: null`, and that is refused.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderName};
use mocktenant_lab::Exchange;
use mocktenant_lab::outbound::Target;
use mocktenant_lab::request::HostName;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Kind, Mark, Refused, SealError, Sealer, secret};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a form is not the provider's own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// It was posted from a page of another origin, or of one that its browser does not tell (`null`).
    #[error("it was posted from a page of {origin}, not of {own}")]
    Origin {
        /// `Origin` as sent.
        origin: String,
        /// The provider's, as it was called.
        own: String,
    },
    /// Its browser says that it comes from another site.
    #[error("its browser says that it comes from a page that is {site}")]
    FetchSite {
        /// `Sec-Fetch-Site` as sent.
        site: String,
    },
    /// A header field that a browser sends once stands more than once.
    #[error("it has several {field}")]
    Repeated {
        /// The field.
        field: &'static str,
    },
}

/// Whether a form was posted from a page of this provider, as it was called: scheme, host and port.
pub fn from_own_page(exchange: &Exchange) -> Result<(), NotOurs> {
    let request = &exchange.request;
    from_page_of(&request.headers, request.arrival.secure, &request.host)
}

/// The same for a request's fields, the scheme it came by and its `Host`.
pub fn from_page_of(headers: &HeaderMap, secure: bool, host: &str) -> Result<(), NotOurs> {
    if let Some(site) = single(headers, &FETCH_SITE, "Sec-Fetch-Site")?
        && !matches!(&*site, "same-origin" | "none")
    {
        return Err(NotOurs::FetchSite { site });
    }
    let Some(origin) = single(headers, &ORIGIN, "Origin")? else { return Ok(()) };
    let own = HostName::parse(host).map(|host| {
        let port = host.port.unwrap_or(if secure { 443 } else { 80 });
        (secure, host.name, port)
    });
    let from = Target::parse(&origin).ok().filter(Target::is_origin);
    let from = from.map(|from| (from.secure, from.host, from.port));
    if from.is_some() && from == own {
        return Ok(());
    }
    Err(NotOurs::Origin { origin, own: format!("{}://{host}", if secure { "https" } else { "http" }) })
}

/// A field that stands at most once.
fn single(headers: &HeaderMap, name: &HeaderName, field: &'static str) -> Result<Option<String>, NotOurs> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    if values.next().is_some() { Err(NotOurs::Repeated { field }) } else { Ok(first) }
}

/// What a form's token says. A provider's kind is a `const CONFIRM: Kind<FormToken> = Kind::new("..");`, one for each form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormToken {
    /// The session or the flow whose page it was written into.
    pub bound_to: String,
}

/// Why a form's token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// There is none.
    #[error("there is no token")]
    Missing,
    /// It is none of this provider's, or has ended.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It was written into a page of another session or flow.
    #[error("it is of another session or flow")]
    Another,
}

impl FormToken {
    /// A token for a form of one session or flow, good until then.
    pub fn seal(
        sealer: &Sealer<'_>,
        kind: &Kind<Self>,
        bound_to: &str,
        expires: OffsetDateTime,
    ) -> Result<String, SealError> {
        sealer.seal(kind, &Self { bound_to: bound_to.to_owned() }, expires)
    }

    /// Judges the token of a form that came back, and gives what it is called where it is to be good once.
    pub fn check(
        sealer: &Sealer<'_>,
        kind: &Kind<Self>,
        presented: Option<&str>,
        bound_to: &str,
        now: OffsetDateTime,
    ) -> Result<Mark, BadToken> {
        let presented = presented.filter(|text| !text.is_empty()).ok_or(BadToken::Missing)?;
        let opened = sealer.open(kind, presented, now)?;
        let same = secret::same(&opened.payload.bound_to, bound_to);
        if same { Ok(opened.mark) } else { Err(BadToken::Another) }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use mocktenant_keys::SealingKey;
    use mocktenant_lab::{Random, Scope};
    use time::Duration;

    use super::*;

    fn judged(fields: &[(&HeaderName, &str)], secure: bool, host: &str) -> Result<(), NotOurs> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        from_page_of(&headers, secure, host)
    }

    #[test]
    fn a_form_of_the_providers_own_page_is_let_in_and_so_is_who_is_no_browser() {
        for (fields, secure, host) in [
            (&[][..], true, "sts.example"),
            (&[(&ORIGIN, "https://sts.example")], true, "sts.example"),
            (&[(&ORIGIN, "https://sts.example")], true, "STS.example:443"),
            (&[(&ORIGIN, "https://sts.example:443")], true, "sts.example"),
            (&[(&ORIGIN, "http://sts.example")], false, "sts.example:80"),
            (&[(&ORIGIN, "http://sts.example:80")], false, "sts.example"),
            (&[(&ORIGIN, "https://localhost:7443")], true, "localhost:7443"),
            (&[(&ORIGIN, "https://[::1]:7443")], true, "[::1]:7443"),
            (&[(&FETCH_SITE, "same-origin")], true, "a"),
            (&[(&FETCH_SITE, "none")], true, "a"),
            (&[(&FETCH_SITE, "same-origin"), (&ORIGIN, "https://a")], true, "a"),
        ] {
            assert_eq!(judged(fields, secure, host), Ok(()), "{fields:?} {host}");
        }
    }

    #[test]
    fn a_form_of_any_other_page_is_refused() {
        for (origin, secure, host) in [
            ("null", true, "sts.example"),
            ("", true, "sts.example"),
            ("https://evil.example", true, "sts.example"),
            ("http://sts.example", true, "sts.example"),
            ("https://sts.example:444", true, "sts.example"),
            ("https://sts.example.evil.example", true, "sts.example"),
            ("https://evil.example/sts.example", true, "sts.example"),
            ("https://sts.example/evil", true, "sts.example"),
            ("https://localhost:7444", true, "localhost:7443"),
            ("http://localhost:7443", true, "localhost:7443"),
            ("file://", true, ""),
            ("null", true, ""),
            ("https://sts.example https://evil.example", true, "sts.example"),
            ("\u{e4}", true, "sts.example"),
        ] {
            let refused = judged(&[(&ORIGIN, origin), (&FETCH_SITE, "same-origin")], secure, host);
            assert!(matches!(refused, Err(NotOurs::Origin { .. })), "{origin} {host}: {refused:?}");
        }
        for site in ["cross-site", "same-site", "null", "", "Same-Origin"] {
            let refused = Err(NotOurs::FetchSite { site: site.to_owned() });
            assert_eq!(judged(&[(&FETCH_SITE, site), (&ORIGIN, "https://a")], true, "a"), refused);
        }
        for (name, field, value) in
            [(&ORIGIN, "Origin", "https://a"), (&FETCH_SITE, "Sec-Fetch-Site", "none")]
        {
            let twice = judged(&[(name, value), (name, value)], true, "a");
            assert_eq!(twice, Err(NotOurs::Repeated { field }));
        }
        let said = judged(&[(&ORIGIN, "null")], true, "a:1").unwrap_err().to_string();
        assert_eq!(said, "it was posted from a page of null, not of https://a:1");
    }

    #[test]
    fn a_token_is_good_for_the_form_it_was_written_into() {
        const CONFIRM: Kind<FormToken> = Kind::new("toy-confirm");
        const LEAVE: Kind<FormToken> = Kind::new("toy-leave");
        let (key, random, owner) =
            (SealingKey::from_secret(&[1; 32]), Random::seeded(1), Scope::organization("a"));
        let sealer = Sealer::new(&key, &random, &owner, 0);
        let (now, end) = (OffsetDateTime::UNIX_EPOCH, OffsetDateTime::UNIX_EPOCH + Duration::HOUR);
        let token = FormToken::seal(&sealer, &CONFIRM, "one", end).unwrap();
        let check =
            |kind, presented, bound_to, now| FormToken::check(&sealer, kind, presented, bound_to, now);
        assert!(check(&CONFIRM, Some(&*token), "one", now).is_ok());
        assert_eq!(check(&CONFIRM, None, "one", now), Err(BadToken::Missing));
        assert_eq!(check(&CONFIRM, Some(""), "one", now), Err(BadToken::Missing));
        assert_eq!(check(&CONFIRM, Some(&*token), "two", now), Err(BadToken::Another));
        assert_eq!(check(&LEAVE, Some(&*token), "one", now), Err(BadToken::Refused(Refused::OtherKind)));
        let expired = BadToken::Refused(Refused::Expired { at: end });
        assert_eq!(check(&CONFIRM, Some(&*token), "one", end), Err(expired));
        assert_eq!(check(&CONFIRM, Some("one"), "one", now), Err(BadToken::Refused(Refused::Foreign)));
    }
}
