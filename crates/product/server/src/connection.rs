//! Connections: accepted, told apart (http or https by the first byte), served, ended.
//!
//! Decides how long a caller may be silent and when a connection ends; never what is answered. A silent connection costs
//! a socket and a small task: protocol buffers are made only once bytes come. Once a head parsed, everything on a
//! surface's port is the lab's to answer; before that, hyper's empty 400, 414 and 431 stand.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll};
use std::time::Duration;

use axum::Router;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use mocktenant_control::Peer;
use mocktenant_lab::{Arrival, Delivery, Entrance, Lab};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::limits::{HEAD_BYTES, Limits};
use crate::tls::Tls;
use crate::translate::{self, Dates};

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
    pub(crate) tls: Arc<Tls>,
    pub(crate) limits: Limits,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) phase: watch::Receiver<Phase>,
    /// Rung while connections or file handles run short.
    pressure: Notify,
    /// For the lab's own doors: how long a head may take is kept here, by one alarm for a whole connection.
    protocol: auto::Builder<TokioExecutor>,
    /// For the tools port, whose answers may stream: hyper keeps the time of each head.
    streaming: auto::Builder<TokioExecutor>,
}

impl Shared {
    pub(crate) fn new(
        lab: Lab,
        tools: Router,
        tls: Arc<Tls>,
        limits: Limits,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let (protocol, streaming) = (protocol(None), protocol(Some(limits.next_head)));
        let permits = Arc::new(Semaphore::new(limits.connections));
        Self { lab, tools, tls, limits, permits, phase, pressure: Notify::new(), protocol, streaming }
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

fn protocol(head_timeout: Option<Duration>) -> auto::Builder<TokioExecutor> {
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    protocol
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_BYTES)
        .auto_date_header(false);
    protocol
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .auto_date_header(false);
    protocol
}

/// Resolves once the lab has come as far as `phase`.
pub(crate) async fn reached(current: &mut watch::Receiver<Phase>, phase: Phase) {
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
    server_name: Option<Arc<str>>,
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
        let agreeing = async {
            shared.tls.fit().await;
            acceptor.accept(stream).await
        };
        let agreed = tokio::select! {
            biased;
            () = reached(&mut phase, Phase::Draining) => return,
            () = self.shed(&shared) => return,
            agreed = timeout_at(deadline, agreeing) => agreed,
        };
        match agreed {
            Ok(Ok(stream)) => {
                let name = stream.get_ref().1.server_name().map(Arc::from);
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
        let (first_head, limits) = (self.began + shared.limits.first_head, &shared.limits);
        let tools = self.entrance.is_none();
        let context = Arc::new(Context {
            peer: self.peer,
            entrance: self.entrance.clone(),
            caller: tools.then(|| Peer::at(self.peer)),
            reached: at,
            shared: Arc::clone(&shared),
            traffic: Traffic::new(self.began),
            dates: Dates::default(),
        });
        let traffic = &context.traffic;
        let service = {
            let context = Arc::clone(&context);
            service_fn(move |request| {
                let answering = Answering::begin(&context, &request);
                async move { answering.0.answer(request).await }
            })
        };
        let protocol = if tools { &shared.streaming } else { &shared.protocol };
        let stream = Watched { stream, context: Arc::clone(&context) };
        let mut connection = std::pin::pin!(protocol.serve_connection(TokioIo::new(stream), service));
        let mut alarm = std::pin::pin!(sleep_until(first_head));
        let mut crowded = std::pin::pin!(self.shed(&shared));
        let mut leaving = false;
        let mut awaited = Phase::Draining;
        loop {
            tokio::select! {
                // What is asked for comes first: nothing else is looked at while it goes on.
                biased;
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
                    let patience = traffic.patience(limits);
                    match traffic.quiet_until(patience).filter(|_| !tools) {
                        Some(end) if end <= Instant::now() => {
                            if !traffic.http2() {
                                tracing::debug!(peer = %self.peer, "no further request came in time");
                                return;
                            }
                            leaving = true;
                            connection.as_mut().graceful_shutdown();
                            alarm.as_mut().reset(Instant::now() + FAREWELL);
                        }
                        Some(end) => alarm.as_mut().reset(end),
                        // Something is being answered; the tools port may stream for as long as it likes.
                        None => alarm.as_mut().reset(Instant::now() + patience),
                    }
                }
                () = unless_seen(traffic, crowded.as_mut()) => return,
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

/// Polls `crowded` until a complete head has come, and never again: this runs at every wake-up of a connection.
async fn unless_seen(traffic: &Traffic, mut crowded: Pin<&mut impl Future<Output = ()>>) {
    std::future::poll_fn(
        |context| {
            if traffic.seen() { Poll::Pending } else { crowded.as_mut().poll(context) }
        },
    )
    .await;
}

/// What happens on one connection.
struct Traffic {
    seen: AtomicBool,
    http2: AtomicBool,
    answering: AtomicUsize,
    /// Whether the caller does not take what it is sent.
    blocked: AtomicBool,
    last: Mutex<Instant>,
}

impl Traffic {
    fn new(began: Instant) -> Self {
        Self {
            seen: AtomicBool::new(false),
            http2: AtomicBool::new(false),
            answering: AtomicUsize::new(0),
            blocked: AtomicBool::new(false),
            last: Mutex::new(began),
        }
    }

    /// Whether a complete head has come.
    fn seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }

    /// Whether its requests are HTTP/2.
    fn http2(&self) -> bool {
        self.http2.load(Ordering::Relaxed)
    }

    /// How long it may be quiet.
    fn patience(&self, limits: &Limits) -> Duration {
        if self.http2() { limits.idle } else { limits.next_head.min(limits.idle) }
    }

    /// When the connection will have been quiet for so long; none while something is being answered or sent.
    fn quiet_until(&self, patience: Duration) -> Option<Instant> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = self.answering.load(Ordering::Relaxed) > 0 || self.blocked.load(Ordering::Relaxed);
        (!busy).then_some(last + patience)
    }

    /// What a write came to. A caller that has taken the rest is as one that was just answered.
    fn wrote<T>(&self, written: &Poll<T>) {
        let waits = written.is_pending();
        if waits != self.blocked.load(Ordering::Relaxed) {
            self.touch();
            self.blocked.store(waits, Ordering::Relaxed);
        }
    }

    fn touch(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// One request being answered.
struct Answering(Arc<Context>);

impl Answering {
    fn begin<B>(context: &Arc<Context>, request: &http::Request<B>) -> Self {
        let traffic = &context.traffic;
        if !traffic.seen() {
            traffic.http2.store(request.version() == http::Version::HTTP_2, Ordering::Relaxed);
            traffic.seen.store(true, Ordering::Relaxed);
        }
        traffic.answering.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(context))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.traffic.touch();
        self.0.traffic.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection's stream: it knows when its caller does not take what it is sent.
struct Watched<I> {
    stream: I,
    context: Arc<Context>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.context.traffic.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.context.traffic.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.context.traffic.wrote(&flushed);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
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
    /// On the tools port alone.
    caller: Option<Peer>,
    reached: Reached,
    shared: Arc<Shared>,
    traffic: Traffic,
    dates: Dates,
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
            Delivery::Whole => {
                Ok(translate::response(answer, &self.dates, |body| Either::Left(Full::new(body))))
            }
            Delivery::Reset => Err(Reset),
        }
    }

    async fn tools(&self, mut request: http::Request<Incoming>) -> http::Response<Body> {
        request.extensions_mut().insert(self.caller.clone().unwrap_or_default());
        let answered = self.shared.tools.clone().oneshot(request.map(axum::body::Body::new)).await;
        let response = answered.unwrap_or_else(|never: Infallible| match never {});
        response.map(Either::Right)
    }
}
