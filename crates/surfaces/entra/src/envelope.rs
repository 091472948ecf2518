//! Ids, header fields and the error body around every answer.
//!
//! Decides trace id, correlation id and the header set of Entra's answers, which differs only in what a caller can see
//! of it: telemetry and `client-request-id` are echoed when sent, HSTS stands under names of the world only. Never
//! decides a status or a text.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::StatusCode;
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
/// `Fri, 21-Aug-2026 10:00:00 GMT`, as the service writes cookies.
const COOKIE_DATE: &[BorrowedFormatItem<'static>] =
    format_description!("[weekday repr:short], [day]-[month repr:short]-[year] [hour]:[minute]:[second] GMT");
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

/// Years 1 to 9999, so every format can be written; what cannot reads as empty.
fn written(moment: OffsetDateTime, format: &[BorrowedFormatItem<'static>]) -> String {
    moment.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

/// What one answer is wrapped in.
pub(crate) struct Envelope {
    trace: Uuid,
    trace_id: String,
    correlation_id: String,
    cookie: [u8; 18],
    telemetry: bool,
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
        let trace_id = trace.to_string();
        let asked = exchange.request.header("client-request-id").or(parameter).filter(|id| is_guid(id));
        let correlation_id = asked.map_or_else(
            || uuid::Builder::from_random_bytes(second).into_uuid().to_string(),
            str::to_ascii_lowercase,
        );
        let telemetry = ["x-client-current-telemetry", "x-client-last-telemetry"]
            .iter()
            .any(|name| exchange.request.headers.contains_key(*name));
        exchange.trail.activity("request-id", trace_id.as_str());
        exchange.trail.activity("correlation-id", correlation_id.as_str());
        Self { trace, trace_id, correlation_id, cookie, telemetry }
    }

    /// `uti` of a token issued with this answer: the trace id's bytes as .NET orders them, in base64url.
    pub(crate) fn uti(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.trace.to_bytes_le())
    }

    /// A success of the token endpoint.
    pub(crate) fn token(&self, exchange: &Exchange, body: impl Into<Bytes>) -> Answer {
        self.dressed(exchange, Answer::json(StatusCode::OK, body), "0")
    }

    /// A refusal in Entra's own body. Recorded by whoever decided it.
    pub(crate) fn refusal(&self, exchange: &Exchange, error: &EntraError) -> Answer {
        let base = exchange.own_base_url();
        let timestamp = written(exchange.context.now(), TIMESTAMP);
        let body = errors::body(
            error,
            &Stamp {
                trace_id: &self.trace_id,
                correlation_id: &self.correlation_id,
                timestamp: &timestamp,
                base: &base,
            },
        );
        // Statuses of the catalogue are in range; a test reads them all.
        let status = StatusCode::from_u16(error.row().status).unwrap_or(StatusCode::BAD_REQUEST);
        self.dressed(exchange, Answer::json(status, body), error.code())
    }

    /// A document that may be kept for a day, and read by any page.
    pub(crate) fn document(&self, exchange: &Exchange, answer: Answer) -> Answer {
        self.plain(exchange, answer)
            .with("cache-control", "max-age=86400, private")
            .with("access-control-allow-origin", "*")
            .with("access-control-allow-methods", "GET, OPTIONS")
    }

    /// What every answer has.
    pub(crate) fn plain(&self, exchange: &Exchange, mut answer: Answer) -> Answer {
        // One allocation instead of three: no answer has more fields.
        answer.headers.reserve(20);
        let answer = if exchange.by_world_name() {
            answer.with("strict-transport-security", "max-age=31536000; includeSubDomains")
        } else {
            // A browser would refuse plain http to localhost for a year.
            answer
        };
        let answer = answer
            .with("x-content-type-options", "nosniff")
            .with("p3p", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\"")
            .with_text("x-ms-request-id", &self.trace_id)
            .with("x-ms-ests-server", "2.1.11898.12 - SCUS ProdSlices");
        let asked = exchange.request.header("return-client-request-id");
        if asked.is_some_and(|asked| asked.eq_ignore_ascii_case("true")) {
            answer.with_text("client-request-id", &self.correlation_id)
        } else {
            answer
        }
    }

    /// What the token endpoint adds.
    fn dressed(&self, exchange: &Exchange, answer: Answer, code: &str) -> Answer {
        let expires = written(exchange.context.now().saturating_add(Duration::days(30)), COOKIE_DATE);
        let cookie = URL_SAFE_NO_PAD.encode(self.cookie);
        let answer = self
            .plain(exchange, answer)
            .with("cache-control", "no-store, no-cache")
            .with("pragma", "no-cache")
            .with("expires", "-1")
            .with("x-xss-protection", "0")
            .with("x-ms-srs", "1.P")
            .with_text(
                "set-cookie",
                &format!("fpc={cookie}; expires={expires}; path=/; secure; HttpOnly; SameSite=None"),
            )
            .with("set-cookie", "x-ms-gateway-slice=estsfd; path=/; secure; samesite=none; httponly")
            .with("set-cookie", "stsservicecookie=estsfd; path=/; secure; samesite=none; httponly");
        if self.telemetry { answer.with_text("x-ms-clitelem", &format!("1,{code},0,,")) } else { answer }
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
        assert_eq!(written(moment, COOKIE_DATE), "Mon, 11-Dec-2023 23:52:19 GMT");
    }
}
