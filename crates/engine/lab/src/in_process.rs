//! Calls of a lab to itself without a socket.
//!
//! Decides that a call becomes a request of the same lab, found by the same table as over sockets and failing as it would
//! there. Never decides who a name is: that is the [`Dial`]'s. TLS is not spoken: whatever the table knows has a
//! certificate of the lab's. Mirrors the network between the real products, for documents made from a run, and for runs
//! that must not touch the lab they are about.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderValue, Method};

use crate::outbound::{Call, CallError, Dial, Outbound, REPLY_BYTES, Reply, Target};
use crate::request::{BODY_BYTES, BodyError};
use crate::{Arrival, BoxFuture, Delivery, Entrance, Lab, Request, WeakLab};

/// The way out of a lab that leads back in without a socket. It does not keep the lab alive.
pub struct InProcess {
    lab: WeakLab,
    dial: Arc<dyn Dial>,
}

impl InProcess {
    /// The way out of `lab`, by a table of one's own or by the one a running lab's [`Outbound::dial`] hands out.
    pub fn new(lab: &Lab, dial: Arc<dyn Dial>) -> Self {
        Self { lab: lab.downgrade(), dial }
    }

    /// The way out of a lab that never had a port: [`WorldNames`].
    pub fn by_world_names(lab: &Lab) -> Self {
        Self::new(lab, Arc::new(WorldNames))
    }
}

impl Outbound for InProcess {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            let target = Target::parse(&call.url)?;
            let lab = self.lab.upgrade().ok_or_else(|| refused(&target.host, target.port))?;
            let entrance = self.dial.entrance(&lab, &target.host, target.port)?;
            let broken = |why: &str| CallError::Broken { host: target.host.clone(), why: why.to_owned() };
            let request =
                request(call, &target, entrance).ok_or_else(|| broken("failed to parse header value"))?;
            let answer = lab.answer(request).await;
            match answer.delivery {
                Delivery::Reset => Err(broken("connection closed before message completed")),
                Delivery::Whole if answer.body.len() > REPLY_BYTES => Err(broken("length limit exceeded")),
                Delivery::Whole => {
                    Ok(Reply { status: answer.status, headers: answer.headers, body: answer.body })
                }
            }
        })
    }

    fn dial(&self) -> Option<Arc<dyn Dial>> {
        Some(Arc::clone(&self.dial))
    }
}

fn refused(host: &str, port: u16) -> CallError {
    CallError::Refused { host: host.to_owned(), port }
}

/// The request as it would arrive over a socket; `None` where no such head could be sent.
fn request(call: Call, target: &Target, entrance: Entrance) -> Option<Request> {
    let Call { method, mut headers, body, .. } = call;
    if !headers.contains_key(HOST) {
        headers.insert(HOST, HeaderValue::from_str(target.authority()).ok()?);
    }
    if !body.is_empty() || matches!(method, Method::POST | Method::PUT | Method::PATCH) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let host = headers.get(HOST).map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    let named = target.host.parse::<std::net::IpAddr>().is_err();
    Some(Request {
        method,
        target: target.path().as_str().to_owned(),
        host: host.unwrap_or_default(),
        headers,
        body: if body.len() > BODY_BYTES { Err(BodyError::TooLarge { limit: BODY_BYTES }) } else { Ok(body) },
        arrival: Arrival {
            entrance,
            by_name: false,
            secure: target.secure,
            // What a client's TLS would have sent.
            server_name: (target.secure && named).then(|| target.host.as_str().into()),
            peer: None,
            proxied: None,
        },
    })
}

/// The table of a lab without sockets: the world's own names on the ports of http and https, and nobody else.
#[derive(Clone, Copy, Debug)]
pub struct WorldNames;

impl Dial for WorldNames {
    fn entrance(&self, lab: &Lab, host: &str, port: u16) -> Result<Entrance, CallError> {
        let local = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let known = lab.entrance_of(host);
        if known.is_none() && !local {
            return Err(CallError::UnknownHost { host: host.to_owned(), port });
        }
        let listens = matches!(port, 80 | 443) && lab.stopped_at(host).is_none();
        known.filter(|_| listens).ok_or_else(|| refused(host, port))
    }
}
