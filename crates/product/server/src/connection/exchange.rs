//! One request of a connection, and its answer.
//!
//! Decides to whom a request goes: the lab, the tools or a tunnel that is to be; and that an answer holds its room until
//! its last byte was taken. Never looks at what is asked. Where there is no room the answer is HTTP's own, an empty 503.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use mocktenant_control::{Peer, Unread};
use mocktenant_lab::{Arrival, Delivery, Entrance};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use super::{Reached, Shared, Tunnel};
use crate::limits::SMALL_ANSWER;
use crate::listen::Door;
use crate::proxy::{self, Asked, Way};
use crate::share::{Budget, Share};
use crate::traffic::{Traffic, Untaken};
use crate::translate::{self, Came, Dates, Intake};

/// The connection is to end without an answer: an error hyper passes on by dropping it.
#[derive(Debug, thiserror::Error)]
#[error("the answer is a reset")]
pub(super) struct Reset;

/// What every request of a connection has in common.
pub(super) struct Context {
    pub(super) peer: SocketAddr,
    /// The port it came to, or would have without a tunnel.
    pub(super) door: Door,
    /// The name of the tunnel this came through.
    pub(super) proxied: Option<Arc<str>>,
    /// What the connection becomes once the answer is written.
    pub(super) tunnel: Mutex<Option<Tunnel>>,
    /// On the tools port alone.
    pub(super) caller: Option<Peer>,
    pub(super) reached: Reached,
    pub(super) shared: Arc<Shared>,
    pub(super) traffic: Traffic,
    /// Room for bodies on this connection, in units.
    pub(super) bodies: Semaphore,
    /// Room for answers on it.
    pub(super) answers: Budget,
    pub(super) dates: Dates,
}

impl AsRef<Traffic> for Context {
    fn as_ref(&self) -> &Traffic {
        &self.traffic
    }
}

impl Context {
    pub(super) async fn answer(
        self: &Arc<Self>,
        request: http::Request<Incoming>,
    ) -> Result<http::Response<Full<Bytes>>, Reset> {
        let shared = &self.shared;
        let (entrance, proxied, request) = match &self.door {
            Door::Lab(entrance) => (entrance.clone(), self.proxied.clone(), request),
            // The name decides; the entrance is only whom an unknown one is recorded at.
            Door::Names => (Entrance::Identity, None, request),
            Door::Tools => {
                match proxy::asked(&request, &shared.site.names, shared.site.tools_port, self.peer) {
                    Asked::Forward(Way { name, entrance }) => {
                        (entrance, Some(name), proxy::unwrapped(request))
                    }
                    Asked::Tools => {
                        let answered =
                            self.tools(request, self.intake(shared.site.limits.tools_body_bytes)).await;
                        return Ok(
                            answered.unwrap_or_else(|| self.no_room("a body or an answer of the tools port"))
                        );
                    }
                    Asked::Tunnel(way) => {
                        let upgrade = hyper::upgrade::on(request);
                        *self.tunnel.lock().unwrap_or_else(PoisonError::into_inner) =
                            Some(Tunnel { way, upgrade });
                        return Ok(http::Response::new(Full::default()));
                    }
                    Asked::Refused(response) => return Ok(response),
                }
            }
        };
        let arrival = Arrival {
            entrance,
            by_name: self.door == Door::Names,
            secure: self.reached.secure && self.door != Door::Tools,
            // Where the proxy itself is reached over TLS, that was with a name of the proxy's.
            server_name: self.reached.server_name.clone().filter(|_| self.door != Door::Tools),
            peer: Some(self.peer),
            proxied,
        };
        let intake = self.intake(shared.site.limits.body_bytes);
        let came = Came { to: &self.reached.address, proxy_port: shared.site.tools_port };
        let taken = translate::request(request, arrival, &came, &intake).await;
        let Ok((request, room)) = taken else { return Ok(self.no_room("a body")) };
        let mut answer = shared.site.lab.answer(request).await;
        drop(room);
        if answer.delivery == Delivery::Reset {
            return Err(Reset);
        }
        let Some(body) = self.outgoing(intake.share, std::mem::take(&mut answer.body)).await else {
            return Ok(self.no_room("an answer"));
        };
        Ok(translate::response(answer, &self.dates, Full::new(body)))
    }

    fn intake(&self, body_bytes: usize) -> Intake<'_> {
        let share = self.shared.share(&self.door);
        let limits = &self.shared.site.limits;
        Intake { limits, body_bytes, share, own: &self.bodies, traffic: &self.traffic }
    }

    /// An answer of the control API; none where there is no room for it or what it answers.
    async fn tools(
        self: &Arc<Self>,
        request: http::Request<Incoming>,
        intake: Intake<'_>,
    ) -> Option<http::Response<Full<Bytes>>> {
        let share = intake.share;
        let (head, incoming) = request.into_parts();
        let (body, room) = intake.body(incoming, &head.headers).await.ok()?;
        let mut request = http::Request::from_parts(head, axum::body::Body::empty());
        request.extensions_mut().insert(self.caller.clone().unwrap_or_default());
        match body {
            Ok(body) => *request.body_mut() = axum::body::Body::from(body),
            Err(why) => {
                request.extensions_mut().insert(Unread(why));
            }
        }
        let answered = self.shared.site.tools.clone().oneshot(request).await;
        drop(room);
        let (head, body) = answered.unwrap_or_else(|never: Infallible| match never {}).into_parts();
        // Its answers are whole: collecting them copies nothing.
        let body = body.collect().await.ok()?.to_bytes();
        let body = self.outgoing(share, body).await?;
        Some(http::Response::from_parts(head, Full::new(body)))
    }

    /// An answer's body that holds its room until the last byte of it was taken; none where there is no room.
    async fn outgoing(self: &Arc<Self>, share: &Share, body: Bytes) -> Option<Bytes> {
        let small = body.len() <= SMALL_ANSWER;
        // A small answer of HTTP/1.1 is the only one of its connection, and waits in hyper's buffer if it waits at all.
        if body.is_empty() || small && !self.traffic.http2() {
            return Some(body);
        }
        let mut room = None;
        if !small {
            let own = self.answers.take(body.len()).await?;
            room = Some((own, share.answers.take(body.len()).await?));
        }
        Some(Bytes::from_owner(Outgoing { body, _room: room, _untaken: Untaken::begin(self) }))
    }

    /// HTTP's own answer where bytes in flight have no room. Whatever was done was done and is in the journal.
    fn no_room(&self, what: &str) -> http::Response<Full<Bytes>> {
        tracing::warn!(peer = %self.peer, "503: no room for {what}; too many bytes wait for slow callers");
        let mut response = http::Response::new(Full::default());
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
        response
    }
}

/// A body on its way out.
struct Outgoing {
    body: Bytes,
    _room: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    _untaken: Untaken<Context>,
}

impl AsRef<[u8]> for Outgoing {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}
