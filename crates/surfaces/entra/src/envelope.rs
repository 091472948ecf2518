//! Ids, header fields and the error body around every answer.
//!
//! Decides trace id, correlation id and the header set of Entra's answers, which differs only in what a caller can see
//! of it: telemetry and `client-request-id` are echoed when sent, HSTS stands under names of the world only. Never
//! decides a status or a text.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use mocktenant_lab::{Answer, Exchange};
use mocktenant_world::is_guid;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::errors::{self, EntraError, Stamp};

/// `2026-08-21 10:00:00Z`.
const TIMESTAMP: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
/// .NET's `o`, with seven decimals.
const ROUND_TRIP: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");
/// How certificate dates are printed.
const INVARIANT: &[BorrowedFormatItem<'static>] =
    format_description!("[month]/[day]/[year] [hour]:[minute]:[second]");

/// Time as texts of Entra print it: .NET's round-trip format.
pub(crate) fn round_trip(moment: OffsetDateTime) -> String {
    written(moment, ROUND_TRIP)
}

/// Time as texts of Entra print certificate dates.
pub(crate) fn invariant(moment: OffsetDateTime) -> String {
    written(moment, INVARIANT)
}

fn written(moment: OffsetDateTime, format: &[BorrowedFormatItem<'static>]) -> String {
    mocktenant_lab::written(moment.to_offset(time::UtcOffset::UTC), format)
}

/// `Fri, 21-Aug-2026 10:00:00 GMT`, as the service writes cookies. Piece by piece: a formatter that reads its format would
/// be among the dearest things on the way of a token.
fn push_cookie_date(out: &mut String, moment: OffsetDateTime) {
    const DAYS: [&str; 7] = ["Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, "];
    const MONTHS: [&str; 12] = [
        "-Jan-", "-Feb-", "-Mar-", "-Apr-", "-May-", "-Jun-", "-Jul-", "-Aug-", "-Sep-", "-Oct-", "-Nov-",
        "-Dec-",
    ];
    fn push_two(out: &mut String, number: u8) {
        out.push(char::from(b'0' + number / 10 % 10));
        out.push(char::from(b'0' + number % 10));
    }
    let moment = moment.to_offset(time::UtcOffset::UTC);
    // Years 1 to 9999, as everything that is written here.
    let Ok(year) = u16::try_from(moment.year()) else { return };
    out.push_str(DAYS[usize::from(moment.weekday().number_days_from_monday()) % DAYS.len()]);
    push_two(out, moment.day());
    out.push_str(MONTHS[usize::from(u8::from(moment.month()) - 1) % MONTHS.len()]);
    for part in [year / 100, year % 100] {
        push_two(out, u8::try_from(part).unwrap_or_default());
    }
    for (before, part) in [(' ', moment.hour()), (':', moment.minute()), (':', moment.second())] {
        out.push(before);
        push_two(out, part);
    }
    out.push_str(" GMT");
}

/// A header field that is the same in every answer.
type Fixed = (HeaderName, HeaderValue);

const fn fixed(name: &'static str, value: &'static str) -> Fixed {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

static REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
static CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
static RETURN_CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("return-client-request-id");
static TELEMETRY: [HeaderName; 2] = [
    HeaderName::from_static("x-client-current-telemetry"),
    HeaderName::from_static("x-client-last-telemetry"),
];

/// Under names of the world only: a browser would refuse plain http to localhost for a year.
static WORLD: [Fixed; 1] = [fixed("strict-transport-security", "max-age=31536000; includeSubDomains")];
static BEFORE_ID: [Fixed; 2] =
    [fixed("x-content-type-options", "nosniff"), fixed("p3p", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\"")];
static AFTER_ID: [Fixed; 1] = [fixed("x-ms-ests-server", "2.1.11898.12 - SCUS ProdSlices")];
static DOCUMENT: [Fixed; 3] = [
    fixed("cache-control", "max-age=86400, private"),
    fixed("access-control-allow-origin", "*"),
    fixed("access-control-allow-methods", "GET, OPTIONS"),
];
static PREFLIGHT: [Fixed; 3] = [
    fixed("access-control-allow-origin", "*"),
    fixed("access-control-allow-methods", "POST, OPTIONS"),
    fixed("access-control-expose-headers", "Content-Length, Content-Encoding, x-ms-request-id, x-ms-srs"),
];
static TOKEN: [Fixed; 5] = [
    fixed("cache-control", "no-store, no-cache"),
    fixed("pragma", "no-cache"),
    fixed("expires", "-1"),
    fixed("x-xss-protection", "0"),
    fixed("x-ms-srs", "1.P"),
];
static COOKIES: [Fixed; 2] = [
    fixed("set-cookie", "x-ms-gateway-slice=estsfd; path=/; secure; samesite=none; httponly"),
    fixed("set-cookie", "stsservicecookie=estsfd; path=/; secure; samesite=none; httponly"),
];

/// Header fields of a document, those included that dispatch and server add: room is made for them once.
const DOCUMENT_FIELDS: usize = 12;
/// Header fields of any other answer.
const FIELDS: usize = 20;

fn add(answer: &mut Answer, fields: &'static [Fixed]) {
    for (name, value) in fields {
        answer.headers.append(name, value.clone());
    }
}

/// A GUID as text.
struct GuidText([u8; 36]);

impl GuidText {
    fn of(id: Uuid) -> Self {
        let mut text = [0; 36];
        id.hyphenated().encode_lower(&mut text);
        Self(text)
    }

    /// A GUID that somebody wrote, in lower case.
    fn written(text: &str) -> Option<Self> {
        let text = text.as_bytes().try_into().ok().filter(|_| is_guid(text));
        text.map(|text: [u8; 36]| Self(text.map(|byte| byte.to_ascii_lowercase())))
    }

    fn as_str(&self) -> &str {
        // Hexadecimal digits and hyphens.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).unwrap_or(HeaderValue::from_static(""))
    }
}

/// What one answer is wrapped in.
pub(crate) struct Envelope {
    trace: Uuid,
    trace_id: GuidText,
    correlation_id: GuidText,
    cookie: [u8; 18],
}

impl Envelope {
    /// Draws the ids of an answer and records them. `parameter` is the form's `client-request-id`, which browsers send
    /// instead of the header.
    pub(crate) fn open(exchange: &mut Exchange, parameter: Option<&str>) -> Self {
        let mut bytes = [0_u8; 50];
        exchange.context.random().fill(&mut bytes);
        let (mut first, mut second, mut cookie) = ([0_u8; 16], [0_u8; 16], [0_u8; 18]);
        first.copy_from_slice(&bytes[..16]);
        second.copy_from_slice(&bytes[16..32]);
        cookie.copy_from_slice(&bytes[32..]);
        // Trace ids of the service end in 00 to 03.
        first[15] = 0;
        let trace = uuid::Builder::from_random_bytes(first).into_uuid();
        let trace_id = GuidText::of(trace);
        let asked = exchange.request.field(&CLIENT_REQUEST_ID).or(parameter).and_then(GuidText::written);
        let correlation_id =
            asked.unwrap_or_else(|| GuidText::of(uuid::Builder::from_random_bytes(second).into_uuid()));
        exchange.trail.activity("request-id", trace_id.as_str());
        exchange.trail.activity("correlation-id", correlation_id.as_str());
        Self { trace, trace_id, correlation_id, cookie }
    }

    /// `uti` of a token issued with this answer: the trace id's bytes as .NET orders them, in base64url.
    pub(crate) fn uti(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.trace.to_bytes_le())
    }

    /// The correlation id of this answer.
    pub(crate) fn correlation_id(&self) -> &str {
        self.correlation_id.as_str()
    }

    /// A success of the token endpoint.
    pub(crate) fn token(&self, exchange: &Exchange, body: impl Into<Bytes>) -> Answer {
        self.dressed(exchange, Answer::json(StatusCode::OK, body), "0")
    }

    /// A refusal of the token endpoint. Recorded by whoever decided it.
    pub(crate) fn refusal(&self, exchange: &Exchange, error: &EntraError) -> Answer {
        let answer = self.refused(exchange, error);
        self.dressed(exchange, answer, error.code())
    }

    /// A refusal in Entra's own body, without header fields: those of what was asked for are to be added.
    pub(crate) fn refused(&self, exchange: &Exchange, error: &EntraError) -> Answer {
        self.refused_at(exchange, error, &exchange.own_base_url())
    }

    /// The same, with the address of the page behind `error_uri` at another base.
    pub(crate) fn refused_at(&self, exchange: &Exchange, error: &EntraError, base: &str) -> Answer {
        let timestamp = written(exchange.context.now(), TIMESTAMP);
        let body = errors::body(
            error,
            &Stamp {
                trace_id: self.trace_id.as_str(),
                correlation_id: self.correlation_id.as_str(),
                timestamp: &timestamp,
                base,
            },
        );
        // Statuses of the catalogue are in range; a test reads them all.
        let status = StatusCode::from_u16(error.row().status).unwrap_or(StatusCode::BAD_REQUEST);
        Answer::json(status, body)
    }

    /// What the token endpoint tells a browser that asks before it posts. That any origin is let in, and the status, are
    /// inferred.
    pub(crate) fn preflight(&self, exchange: &Exchange) -> Answer {
        let mut answer = self.plain(exchange, Answer::empty(StatusCode::OK));
        add(&mut answer, &PREFLIGHT);
        answer
    }

    /// A document that may be kept for a day, and read by any page.
    pub(crate) fn document(&self, exchange: &Exchange, mut answer: Answer) -> Answer {
        answer.headers.reserve(DOCUMENT_FIELDS);
        let mut answer = self.plain(exchange, answer);
        add(&mut answer, &DOCUMENT);
        answer
    }

    /// What every answer has.
    pub(crate) fn plain(&self, exchange: &Exchange, mut answer: Answer) -> Answer {
        if exchange.by_world_name() {
            add(&mut answer, &WORLD);
        }
        add(&mut answer, &BEFORE_ID);
        answer.headers.append(&REQUEST_ID, self.trace_id.header());
        add(&mut answer, &AFTER_ID);
        let asked = exchange.request.field(&RETURN_CLIENT_REQUEST_ID);
        if asked.is_some_and(|asked| asked.eq_ignore_ascii_case("true")) {
            answer.headers.append(&CLIENT_REQUEST_ID, self.correlation_id.header());
        }
        answer
    }

    fn first_party_cookie(&self, expires: OffsetDateTime) -> String {
        let mut cookie = String::with_capacity(112);
        cookie.push_str("fpc=");
        URL_SAFE_NO_PAD.encode_string(self.cookie, &mut cookie);
        cookie.push_str("; expires=");
        push_cookie_date(&mut cookie, expires);
        cookie.push_str("; path=/; secure; HttpOnly; SameSite=None");
        cookie
    }

    /// What the token endpoint adds.
    fn dressed(&self, exchange: &Exchange, mut answer: Answer, code: &str) -> Answer {
        answer.headers.reserve(FIELDS);
        let cookie = self.first_party_cookie(exchange.context.now().saturating_add(Duration::days(30)));
        let mut answer = self.plain(exchange, answer);
        add(&mut answer, &TOKEN);
        let mut answer = answer.with_text("set-cookie", &cookie);
        add(&mut answer, &COOKIES);
        if TELEMETRY.iter().any(|name| exchange.request.headers.contains_key(name)) {
            answer = answer.with_text("x-ms-clitelem", &format!("1,{code},0,,"));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_are_printed_as_dotnet_prints_them() {
        let moment = datetime!(2023-12-11 23:52:19.6223401 UTC);
        assert_eq!(round_trip(moment), "2023-12-11T23:52:19.6223401Z");
        assert_eq!(round_trip(OffsetDateTime::UNIX_EPOCH), "1970-01-01T00:00:00.0000000Z");
        assert_eq!(invariant(moment), "12/11/2023 23:52:19");
        assert_eq!(written(moment, TIMESTAMP), "2023-12-11 23:52:19Z");
        let cookie_date = |moment| {
            let mut out = String::new();
            push_cookie_date(&mut out, moment);
            out
        };
        assert_eq!(cookie_date(moment), "Mon, 11-Dec-2023 23:52:19 GMT");
        assert_eq!(cookie_date(OffsetDateTime::UNIX_EPOCH), "Thu, 01-Jan-1970 00:00:00 GMT");
        assert_eq!(cookie_date(datetime!(0001-02-04 9:08:07 +2)), "Sun, 04-Feb-0001 07:08:07 GMT");
    }
}
