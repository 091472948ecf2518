//! Between hyper's requests and the lab's: heads, bodies under budget, answers.
//!
//! Decides nothing about a request: everything goes to the lab raw, a body that could not be had included, so that the
//! product's own envelope answers. Bodies are copied out of hyper's buffers, or a small one would keep 64 KiB alive in
//! the journal. `Date` is the answering machine's, which is why hyper writes none.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, DATE, EXPECT, HOST};
use http::{HeaderMap, HeaderValue, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{Arrival, Request, Response};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use crate::limits::{CONNECTION_BODIES, FREE_BYTES, Limits, UNIT};
use crate::proxy;
use crate::share::Share;
use crate::traffic::{HeldBack, Reading, Traffic};

/// Bytes of a refused body that are read away, so that a client which writes before it reads sees the answer.
const READ_AWAY: usize = 16 * 1024 * 1024;

/// Memory set aside before a body comes, however long it says it is.
const FIRST_CAPACITY: usize = 16 * 1024;

/// RFC 9110 section 5.6.7.
const IMF_FIXDATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// There is no room for a body.
#[derive(Debug)]
pub(crate) struct NoRoom;

/// Where a request came to.
pub(crate) struct Came<'c> {
    /// The address, or the name a tunnel leads to: the host of HTTP/1.0 requests that name none.
    pub(crate) to: &'c str,
    /// The port of the lab's proxy.
    pub(crate) proxy_port: u16,
}

/// The lab's request, and the room its body holds until it is answered.
pub(crate) async fn request<'i>(
    request: http::Request<Incoming>,
    arrival: Arrival,
    came: &Came<'_>,
    intake: &Intake<'i>,
) -> Result<(Request, Room<'i>), NoRoom> {
    let (head, incoming) = request.into_parts();
    let (body, room) = intake.body(incoming, &head.headers).await?;
    let host = match head.uri.authority() {
        // Absolute form and `:authority` go before `Host` (RFC 9112 section 3.2.2, RFC 9113 section 8.3.1).
        Some(authority) => {
            let authority = authority.as_str();
            authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned()
        }
        None => host(&head.headers, head.version, came.to),
    };
    // Some clients write the proxy's own address inside a tunnel and mean what the tunnel leads to.
    let host = match &arrival.proxied {
        Some(name) if proxy::is_own(&host, came.proxy_port) => name.to_string(),
        _ => host,
    };
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let target = if target.is_empty() { String::from("/") } else { target.to_owned() };
    Ok((Request { method: head.method, target, host, headers: head.headers, body, arrival }, room))
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

/// Room that a body holds.
#[derive(Debug, Default)]
pub(crate) struct Room<'i> {
    units: usize,
    own: Option<SemaphorePermit<'i>>,
    shared: Option<OwnedSemaphorePermit>,
}

/// How the bodies of a connection are taken in.
pub(crate) struct Intake<'i> {
    pub(crate) limits: &'i Limits,
    /// The largest body.
    pub(crate) body_bytes: usize,
    pub(crate) share: &'i Share,
    /// Room on the connection, in units.
    pub(crate) own: &'i Semaphore,
    pub(crate) traffic: &'i Traffic,
}

impl<'i> Intake<'i> {
    /// A body within its budgets, or why there is none; what cannot be kept is read away, so that its answer is seen.
    pub(crate) async fn body(
        &self,
        mut incoming: Incoming,
        headers: &HeaderMap,
    ) -> Result<(Result<Bytes, BodyError>, Room<'i>), NoRoom> {
        let mut room = Room::default();
        if incoming.is_end_stream() {
            return Ok((Ok(Bytes::new()), room));
        }
        let limit = self.body_bytes;
        let announced =
            incoming.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let waits = headers.contains_key(EXPECT) && headers.contains_key(CONTENT_LENGTH);
        if waits && announced.is_some_and(|length| length > limit) {
            // Reading would send `100 Continue` and invite what is refused anyway.
            return Ok((Err(BodyError::TooLarge { limit }), room));
        }
        let _reading = Reading::begin(self.traffic);
        let end = Instant::now() + self.limits.body_total;
        let mut kept = Vec::with_capacity(announced.unwrap_or(0).min(FIRST_CAPACITY));
        let mut seen = 0_usize;
        let mut crowded = false;
        let outcome = loop {
            let next = (Instant::now() + self.limits.body_idle).min(end);
            let frame = match timeout_at(next, incoming.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                _ if crowded => return Err(NoRoom),
                Ok(None) if seen > limit => break Err(BodyError::TooLarge { limit }),
                Ok(None) => break Ok(Bytes::from(kept.into_boxed_slice())),
                _ if seen > limit => break Err(BodyError::TooLarge { limit }),
                Ok(Some(Err(_))) => break Err(BodyError::Incomplete),
                Err(_) => break Err(BodyError::Timeout),
            };
            let Ok(data) = frame.into_data() else { continue };
            seen = seen.saturating_add(data.len());
            if seen <= limit && !crowded {
                // What is announced is asked of the connection at once: else bodies that come side by side would each hold a
                // part of its room and wait for the others'.
                let expected = announced.unwrap_or(0).min(limit);
                if self.grow(&mut room, seen, expected).await.is_ok() {
                    kept.extend_from_slice(&data);
                    continue;
                }
                crowded = true;
            }
            kept = Vec::new();
            room = Room::default();
            if seen > READ_AWAY || announced.is_some_and(|length| length > READ_AWAY) {
                break if crowded { return Err(NoRoom) } else { Err(BodyError::TooLarge { limit }) };
            }
        };
        Ok((outcome, room))
    }

    /// Room for so many bytes: on the connection, and beyond what each connection has of its own in the lab's budget.
    async fn grow(&self, room: &mut Room<'i>, bytes: usize, expected: usize) -> Result<(), NoRoom> {
        let wanted = bytes.max(expected).div_ceil(UNIT);
        let held = room.own.as_ref().map_or(0, SemaphorePermit::num_permits);
        if wanted > held {
            let more = u32::try_from(wanted - held).unwrap_or(u32::MAX);
            let own = match self.own.try_acquire_many(more) {
                Ok(own) => own,
                Err(_) => {
                    let _held_back = HeldBack::begin(self.traffic);
                    let waiting = tokio::time::timeout(self.limits.wait, self.own.acquire_many(more));
                    waiting.await.map_err(|_| NoRoom)?.map_err(|_| NoRoom)?
                }
            };
            match &mut room.own {
                Some(held) => held.merge(own),
                none => *none = Some(own),
            }
        }
        let units = bytes.div_ceil(UNIT);
        if units > room.units {
            let on_connection = CONNECTION_BODIES / UNIT - self.own.available_permits();
            if on_connection > FREE_BYTES / UNIT {
                let _held_back = HeldBack::begin(self.traffic);
                let more = self.share.bodies.take((units - room.units) * UNIT).await.ok_or(NoRoom)?;
                match &mut room.shared {
                    Some(held) => held.merge(more),
                    none => *none = Some(more),
                }
            }
            room.units = units;
        }
        Ok(())
    }
}

/// hyper's answer, with `Date`.
pub(crate) fn response(answer: Response, dates: &Dates, body: Full<Bytes>) -> http::Response<Full<Bytes>> {
    let mut response = http::Response::new(body);
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
    HeaderValue::try_from(mocktenant_lab::written(at, IMF_FIXDATE)).ok()
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
