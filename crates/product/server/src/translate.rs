//! Between hyper's requests and the lab's: heads, bodies under budget, answers.
//!
//! Decides nothing about a request: everything goes to the lab raw, a body that could not be had included, so that the
//! product's own envelope answers. Bodies are copied out of hyper's buffers, or a small one would keep 64 KiB alive in
//! the journal. `Date` is the answering machine's, which is why hyper writes none.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, DATE, EXPECT, HOST};
use http::{HeaderMap, HeaderValue, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{Arrival, Request, Response};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};
use tokio::time::{Instant, timeout_at};

use crate::limits::Limits;

/// Bytes of a refused body that are read away, so that a client which writes before it reads sees the answer.
const READ_AWAY: usize = 16 * 1024 * 1024;

/// Memory set aside before a body comes, however long it says it is.
const FIRST_CAPACITY: usize = 16 * 1024;

/// RFC 9110 section 5.6.7.
const IMF_FIXDATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// The lab's request. `reached` is the address the caller came to, for HTTP/1.0 requests that name no host.
pub(crate) async fn request(
    request: http::Request<Incoming>,
    arrival: Arrival,
    reached: &str,
    limits: &Limits,
) -> Request {
    let (head, incoming) = request.into_parts();
    let body = body(incoming, &head.headers, limits).await;
    let host = match head.uri.authority() {
        // Absolute form and `:authority` go before `Host` (RFC 9112 section 3.2.2, RFC 9113 section 8.3.1).
        Some(authority) => {
            let authority = authority.as_str();
            authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned()
        }
        None => host(&head.headers, head.version, reached),
    };
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let target = if target.is_empty() { String::from("/") } else { target.to_owned() };
    Request { method: head.method, target, host, headers: head.headers, body, arrival }
}

fn host(headers: &HeaderMap, version: Version, reached: &str) -> String {
    let mut values = headers.get_all(HOST).iter();
    match (values.next(), values.next()) {
        (Some(host), None) => String::from_utf8_lossy(host.as_bytes()).into_owned(),
        // Two hosts are none: joined they are no name, so nobody chooses between them.
        (Some(first), Some(second)) => format!("{first:?}, {second:?}"),
        (None, _) if version < Version::HTTP_11 => reached.to_owned(),
        (None, _) => String::new(),
    }
}

async fn body(mut incoming: Incoming, headers: &HeaderMap, limits: &Limits) -> Result<Bytes, BodyError> {
    if incoming.is_end_stream() {
        return Ok(Bytes::new());
    }
    let limit = limits.body_bytes;
    let announced = incoming.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    let waits = headers.contains_key(EXPECT) && headers.contains_key(CONTENT_LENGTH);
    if waits && announced.is_some_and(|length| length > limit) {
        // Reading would send `100 Continue` and invite what is refused anyway.
        return Err(BodyError::TooLarge { limit });
    }
    let end = Instant::now() + limits.body_total;
    let mut kept = Vec::with_capacity(announced.unwrap_or(0).min(FIRST_CAPACITY));
    let mut seen = 0_usize;
    loop {
        let next = (Instant::now() + limits.body_idle).min(end);
        let frame = match timeout_at(next, incoming.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) if seen > limit => return Err(BodyError::TooLarge { limit }),
            Ok(None) => return Ok(Bytes::from(kept.into_boxed_slice())),
            _ if seen > limit => return Err(BodyError::TooLarge { limit }),
            Ok(Some(Err(_))) => return Err(BodyError::Incomplete),
            Err(_) => return Err(BodyError::Timeout),
        };
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen <= limit {
            kept.extend_from_slice(&data);
        } else {
            kept = Vec::new();
            if seen > READ_AWAY || announced.is_some_and(|length| length > READ_AWAY) {
                return Err(BodyError::TooLarge { limit });
            }
        }
    }
}

/// hyper's answer, with `Date`.
pub(crate) fn response<B>(
    answer: Response,
    dates: &Dates,
    wrap: impl FnOnce(Bytes) -> B,
) -> http::Response<B> {
    let mut response = http::Response::new(wrap(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if let Some(date) = dates.at(answer.at) {
        response.headers_mut().entry(DATE).or_insert(date);
    }
    response
}

/// `Date` of the second that was last asked for on a connection.
#[derive(Debug, Default)]
pub(crate) struct Dates(Mutex<Option<(i64, HeaderValue)>>);

impl Dates {
    /// `None` outside the years 0 to 9999, which a lab's clock may show.
    fn at(&self, at: OffsetDateTime) -> Option<HeaderValue> {
        let second = at.unix_timestamp();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, date)) = &*last
            && *known == second
        {
            return Some(date.clone());
        }
        let date = date(at)?;
        *last = Some((second, date.clone()));
        Some(date)
    }
}

fn date(at: OffsetDateTime) -> Option<HeaderValue> {
    let at = at.to_offset(UtcOffset::UTC);
    if !(0..=9999).contains(&at.year()) {
        return None;
    }
    HeaderValue::try_from(at.format(IMF_FIXDATE).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn dates_are_imf_fixdates() {
        let dates = Dates::default();
        let at = |at| dates.at(at).unwrap();
        assert_eq!(at(datetime!(1994-11-06 08:49:37 UTC)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(at(datetime!(1994-11-06 08:49:37.9 UTC)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(at(datetime!(1994-11-06 09:49:38 +1)), "Sun, 06 Nov 1994 08:49:38 GMT");
        assert_eq!(dates.at(datetime!(-0001-11-06 08:49:37 UTC)), None);
    }

    #[test]
    fn a_host_is_taken_only_where_there_is_exactly_one() {
        let mut headers = HeaderMap::new();
        assert_eq!(host(&headers, Version::HTTP_11, "127.0.0.1:1"), "");
        assert_eq!(host(&headers, Version::HTTP_10, "127.0.0.1:1"), "127.0.0.1:1");
        headers.append(HOST, HeaderValue::from_static("localhost:7443"));
        assert_eq!(host(&headers, Version::HTTP_11, ""), "localhost:7443");
        headers.append(HOST, HeaderValue::from_static("login.windows.net"));
        let two = host(&headers, Version::HTTP_11, "");
        assert!(mocktenant_lab::request::HostName::parse(&two).is_none(), "{two}");
    }
}
