//! Connections: accepted, told apart (http or https by the first byte), served, ended.
//!
//! Decides how long a caller may be silent and when a connection ends; never what is answered. A silent connection costs
//! a socket and a small task: protocol buffers are made only once bytes come. Once a head parsed, everything on a
//! surface's port is the lab's to answer; before that, hyper's empty 400, 414 and 431 stand.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use mocktenant_control::Peer;
use mocktenant_lab::{Arrival, Delivery, Entrance, Lab};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::limits::{HEAD_BYTES, Limits};
use crate::tls::Tls;
use crate::translate;

/// A TLS record of type handshake: the first byte of every ClientHello, and of no HTTP request.
const HANDSHAKE: u8 = 0x16;

/// How long a connection that was asked to leave may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// Pause after the system refused another connection.
const BACK_OFF: Duration = Duration::from_millis(50);

/// How far a lab has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Accepting.
    Running,
    /// No new connections; those there are finish what they began.
    Draining,
    /// Everything ends now.
    Stopped,
}

/// What the connections of one lab share.
pub(crate) struct Shared {
    pub(crate) lab: Lab,
    pub(crate) tools: Router,
    pub(crate) tls: Tls,
    pub(crate) limits: Limits,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) phase: watch::Receiver<Phase>,
    /// Rung while connections or file handles run short.
    pressure: Notify,
    protocol: auto::Builder<TokioExecutor>,
}

impl Shared {
    pub(crate) fn new(
        lab: Lab,
        tools: Router,
        tls: Tls,
        limits: Limits,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let mut protocol = auto::Builder::new(TokioExecutor::new());
        protocol
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.next_head)
            .max_buf_size(HEAD_BYTES)
            .auto_date_header(false);
        protocol
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(100)
            .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
            .auto_date_header(false);
        let permits = Arc::new(Semaphore::new(limits.connections));
        Self { lab, tools, tls, limits, permits, phase, pressure: Notify::new(), protocol }
    }

    /// Waits for a place among the connections; while there is none, silent callers are dropped.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
                return Some(permit);
            }
            self.pressure.notify_waiters();
            let waiting = Arc::clone(&self.permits).acquire_owned();
            tokio::select! {
                permit = waiting => return permit.ok(),
                () = sleep(BACK_OFF * 4) => {}
            }
        }
    }
}

/// Resolves once the lab has come as far as `phase`.
async fn reached(current: &mut watch::Receiver<Phase>, phase: Phase) {
    // An error says that the lab is gone, which is as far as it gets.
    let _ = current.wait_for(|current| *current >= phase).await;
}

/// Accepts connections until the lab drains. `entrance` is none for the tools port.
pub(crate) async fn accept(listener: TcpListener, entrance: Option<Entrance>, shared: Arc<Shared>) {
    let mut phase = shared.phase.clone();
    loop {
        let permit = tokio::select! {
            biased;
            () = reached(&mut phase, Phase::Draining) => return,
            permit = shared.permit() => permit,
        };
        let Some(permit) = permit else { return };
        let accepted = tokio::select! {
            biased;
            () = reached(&mut phase, Phase::Draining) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let caller = Caller { peer, entrance: entrance.clone(), began: Instant::now() };
                tokio::spawn(caller.served(stream, Arc::clone(&shared), permit));
            }
            Err(error) if gone_already(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection; trying again");
                shared.pressure.notify_waiters();
                sleep(BACK_OFF).await;
            }
        }
    }
}

/// The caller left between connecting and being accepted; the next one is fine.
fn gone_already(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// How a connection came in.
struct Reached {
    /// The lab's own address and port.
    address: String,
    /// Whether TLS was spoken.
    secure: bool,
    /// SNI, if sent.
    server_name: Option<String>,
}

/// One caller, from accept on.
struct Caller {
    peer: SocketAddr,
    entrance: Option<Entrance>,
    began: Instant,
}

impl Caller {
    async fn served(self, stream: TcpStream, shared: Arc<Shared>, permit: OwnedSemaphorePermit) {
        let mut phase = shared.phase.clone();
        let deadline = self.began + shared.limits.first_head;
        let mut first = [0_u8];
        let peeked = tokio::select! {
            biased;
            () = reached(&mut phase, Phase::Draining) => return,
            () = self.shed(&shared) => return,
            peeked = timeout_at(deadline, stream.peek(&mut first)) => peeked,
        };
        let Ok(Ok(1)) = peeked else { return };
        // Only a matter of speed.
        let _ = stream.set_nodelay(true);
        // On the heap, and only now: the silent ones must stay small.
        if first[0] == HANDSHAKE {
            Box::pin(self.secure(stream, shared, deadline, phase)).await;
        } else {
            let address = stream.local_addr().map(|address| address.to_string()).unwrap_or_default();
            let reached = Reached { address, secure: false, server_name: None };
            Box::pin(self.serve(stream, reached, shared, phase)).await;
        }
        drop(permit);
    }

    /// Resolves when this caller, still without a head, is to make room for others.
    async fn shed(&self, shared: &Shared) {
        loop {
            shared.pressure.notified().await;
            if self.began.elapsed() >= shared.limits.spared {
                tracing::debug!(peer = %self.peer, "a silent connection makes room");
                return;
            }
        }
    }

    async fn secure(
        self,
        stream: TcpStream,
        shared: Arc<Shared>,
        deadline: Instant,
        mut phase: watch::Receiver<Phase>,
    ) {
        let Ok(local) = stream.local_addr() else { return };
        let acceptor = TlsAcceptor::from(shared.tls.server(local.ip()));
        let agreed = tokio::select! {
            biased;
            () = reached(&mut phase, Phase::Draining) => return,
            () = self.shed(&shared) => return,
            agreed = timeout_at(deadline, acceptor.accept(stream)) => agreed,
        };
        match agreed {
            Ok(Ok(stream)) => {
                let name = stream.get_ref().1.server_name().map(str::to_owned);
                let reached = Reached { address: local.to_string(), secure: true, server_name: name };
                Box::pin(self.serve(stream, reached, shared, phase)).await;
            }
            Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "TLS was not agreed"),
            Err(_) => tracing::debug!(peer = %self.peer, "TLS was not agreed in time"),
        }
    }

    /// Serves requests until the connection ends.
    async fn serve<I>(self, stream: I, at: Reached, shared: Arc<Shared>, mut phase: watch::Receiver<Phase>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (first_head, idle) = (self.began + shared.limits.first_head, shared.limits.idle);
        let traffic = Arc::new(Traffic::new(self.began));
        let context = Arc::new(Context {
            peer: self.peer,
            entrance: self.entrance.clone(),
            reached: at,
            shared: Arc::clone(&shared),
        });
        let service = {
            let (context, traffic) = (Arc::clone(&context), Arc::clone(&traffic));
            service_fn(move |request| {
                let answering = traffic.begin();
                let context = Arc::clone(&context);
                async move {
                    let answered = context.answer(request).await;
                    drop(answering);
                    answered
                }
            })
        };
        let mut connection = std::pin::pin!(shared.protocol.serve_connection(TokioIo::new(stream), service));
        let mut alarm = std::pin::pin!(sleep_until(first_head));
        let mut leaving = false;
        let mut awaited = Phase::Draining;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(peer = %self.peer, %error, "the connection ended");
                    }
                    return;
                }
                () = alarm.as_mut() => {
                    if leaving || !traffic.seen() {
                        tracing::debug!(peer = %self.peer, "a connection without a request is closed");
                        return;
                    }
                    match traffic.quiet_until(idle).filter(|_| context.entrance.is_some()) {
                        Some(end) if end <= Instant::now() => {
                            leaving = true;
                            connection.as_mut().graceful_shutdown();
                            alarm.as_mut().reset(Instant::now() + FAREWELL);
                        }
                        Some(end) => alarm.as_mut().reset(end),
                        // Something is being answered; the tools port may stream for as long as it likes.
                        None => alarm.as_mut().reset(Instant::now() + idle),
                    }
                }
                () = self.shed(&shared), if !traffic.seen() => {
                    if !traffic.seen() {
                        return;
                    }
                }
                () = reached(&mut phase, awaited) => {
                    if awaited == Phase::Stopped {
                        return;
                    }
                    awaited = Phase::Stopped;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// What happens on one connection.
struct Traffic {
    seen: AtomicBool,
    answering: AtomicUsize,
    last: Mutex<Instant>,
}

impl Traffic {
    fn new(began: Instant) -> Self {
        Self { seen: AtomicBool::new(false), answering: AtomicUsize::new(0), last: Mutex::new(began) }
    }

    /// Whether a complete head has come.
    fn seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }

    fn begin(self: &Arc<Self>) -> Answering {
        self.seen.store(true, Ordering::Relaxed);
        self.answering.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    /// When the connection will have been idle for so long; none while something is being answered.
    fn quiet_until(&self, idle: Duration) -> Option<Instant> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (self.answering.load(Ordering::Relaxed) == 0).then_some(last + idle)
    }
}

/// One request being answered.
struct Answering(Arc<Traffic>);

impl Drop for Answering {
    fn drop(&mut self) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

type Body = Either<Full<bytes::Bytes>, axum::body::Body>;

/// The connection is to end without an answer: an error hyper passes on by dropping it.
#[derive(Debug, thiserror::Error)]
#[error("the answer is a reset")]
struct Reset;

/// What every request of a connection has in common.
struct Context {
    peer: SocketAddr,
    /// None on the tools port.
    entrance: Option<Entrance>,
    reached: Reached,
    shared: Arc<Shared>,
}

impl Context {
    async fn answer(&self, request: http::Request<Incoming>) -> Result<http::Response<Body>, Reset> {
        let Some(entrance) = &self.entrance else { return Ok(self.tools(request).await) };
        let arrival = Arrival {
            entrance: entrance.clone(),
            secure: self.reached.secure,
            server_name: self.reached.server_name.clone(),
            peer: Some(self.peer),
        };
        let request = translate::request(request, arrival, &self.reached.address, &self.shared.limits).await;
        let answer = self.shared.lab.answer(request).await;
        match answer.delivery {
            Delivery::Whole => Ok(translate::response(answer, |body| Either::Left(Full::new(body)))),
            Delivery::Reset => Err(Reset),
        }
    }

    async fn tools(&self, mut request: http::Request<Incoming>) -> http::Response<Body> {
        request.extensions_mut().insert(Peer(Some(self.peer)));
        let answered = self.shared.tools.clone().oneshot(request.map(axum::body::Body::new)).await;
        let response = answered.unwrap_or_else(|never: Infallible| match never {});
        response.map(Either::Right)
    }
}
