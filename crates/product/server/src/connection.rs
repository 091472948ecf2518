//! Connections: accepted, told apart (http or https by the first byte), served, ended.
//!
//! Decides when a connection begins and ends, by the rules of `traffic` and the room of `share`; never what is answered. A
//! silent connection costs a socket and a small task: protocol buffers are made only once bytes come. Once a head parsed,
//! everything on a surface's port is the lab's to answer, but for an empty 503 where there is no room for a body or an
//! answer; before that, hyper's empty 400, 414 and 431 stand.

mod exchange;
mod watched;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use mocktenant_control::Peer;
use mocktenant_lab::Lab;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;

use self::exchange::Context;
use self::watched::Watched;
use crate::limits::{self, HEAD_BYTES, Limits, UNIT};
use crate::listen::Door;
use crate::names::Names;
use crate::proxy::Way;
use crate::share::{Budget, Share};
use crate::stream::{Begun, Stream};
use crate::tls::Tls;
use crate::traffic::{Answering, Traffic, Verdict};
use crate::translate::Dates;

/// A TLS record of type handshake: the first byte of every ClientHello, and of no HTTP request.
const HANDSHAKE: u8 = 0x16;

/// How long a connection that was asked to leave may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// The same where others wait for its place.
const HURRIED_FAREWELL: Duration = Duration::from_millis(100);

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

/// What a connection finds in its lab.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) tools: Router,
    pub(crate) tls: Arc<Tls>,
    pub(crate) names: Arc<Names>,
    /// The port of the tools, which is the proxy's.
    pub(crate) tools_port: u16,
    pub(crate) limits: Limits,
    pub(crate) phase: watch::Receiver<Phase>,
}

/// What the connections of one lab share.
pub(crate) struct Shared {
    site: Site,
    /// Room on the surfaces' ports, and on the tools port.
    pub(crate) shares: [Arc<Share>; 2],
    /// hyper keeps no time of its own: one alarm does for a whole connection.
    protocol: auto::Builder<TokioExecutor>,
}

impl Shared {
    pub(crate) fn new(site: Site) -> Self {
        let limits = &site.limits;
        let shares = [&limits.surfaces, &limits.tools].map(|room| Arc::new(Share::new(room, limits.wait)));
        Self { site, shares, protocol: protocol() }
    }

    /// The share of a port.
    fn share(&self, door: &Door) -> &Share {
        &self.shares[usize::from(*door == Door::Tools)]
    }
}

fn protocol() -> auto::Builder<TokioExecutor> {
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    protocol
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES)
        .auto_date_header(false);
    protocol
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::STREAMS)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .initial_stream_window_size(limits::STREAM_WINDOW)
        .initial_connection_window_size(limits::CONNECTION_WINDOW)
        .max_pending_accept_reset_streams(limits::RESETS)
        .max_local_error_reset_streams(limits::MISTAKES)
        .max_send_buf_size(limits::SEND_BUFFER)
        .auto_date_header(false);
    protocol
}

/// Resolves once the lab has come as far as `phase`.
pub(crate) async fn reached(current: &mut watch::Receiver<Phase>, phase: Phase) {
    // An error says that the lab is gone, which is as far as it gets.
    let _ = current.wait_for(|current| *current >= phase).await;
}

/// Accepts connections until the lab drains.
pub(crate) async fn accept(listener: TcpListener, door: Door, shared: Arc<Shared>) {
    let mut phase = shared.site.phase.clone();
    let share = shared.share(&door);
    let mut short = false;
    loop {
        let place = tokio::select! {
            biased;
            () = reached(&mut phase, Phase::Draining) => return,
            place = share.place() => place,
        };
        let Some(place) = place else { return };
        let accepted = tokio::select! {
            biased;
            () = reached(&mut phase, Phase::Draining) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if std::mem::take(&mut short) {
                    share.relax();
                }
                let caller = Caller { peer, door: door.clone(), proxied: None, began: Instant::now() };
                tokio::spawn(caller.served(stream, Arc::clone(&shared), place));
            }
            Err(error) if gone_already(&error) => {}
            Err(error) => {
                // Said once, however often it is tried again: file handles may be short for long.
                if !std::mem::replace(&mut short, true) {
                    tracing::warn!(%error, "cannot accept a connection; trying again");
                }
                for share in &shared.shares {
                    share.press();
                }
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
    door: Door,
    /// The name a tunnel leads to.
    proxied: Option<Arc<str>>,
    began: Instant,
}

/// A tunnel that was asked for and given.
struct Tunnel {
    way: Way,
    upgrade: OnUpgrade,
}

impl Caller {
    async fn served(self, stream: TcpStream, shared: Arc<Shared>, permit: OwnedSemaphorePermit) {
        let mut phase = shared.site.phase.clone();
        let deadline = self.began + shared.site.limits.first_head;
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
        let Ok(local) = stream.local_addr() else { return };
        let peer = self.peer;
        // On the heap, and only now: the silent ones must stay small.
        let tunnel = if first[0] == HANDSHAKE {
            let tls = shared.site.tls.server(local.ip());
            Box::pin(self.secure(Box::new(stream), local.to_string(), tls, &shared)).await
        } else {
            let reached = Reached { address: local.to_string(), secure: false, server_name: None };
            Box::pin(self.serve(Box::new(stream), reached, &shared)).await
        };
        if let Some(tunnel) = tunnel {
            Box::pin(Self::through(peer, tunnel, &shared, permit)).await;
        }
    }

    /// What comes through a tunnel: a caller of the surface it leads to, with a place there.
    async fn through(peer: SocketAddr, tunnel: Tunnel, shared: &Arc<Shared>, permit: OwnedSemaphorePermit) {
        let Tunnel { way: Way { name, entrance }, upgrade } = tunnel;
        let caller =
            Self { peer, door: Door::Lab(entrance), proxied: Some(Arc::clone(&name)), began: Instant::now() };
        let deadline = caller.began + shared.site.limits.first_head;
        let begun = async {
            let place = shared.share(&caller.door).place().await?;
            drop(permit);
            let parts = auto::upgrade::downcast::<TokioIo<Watched>>(upgrade.await.ok()?).ok()?;
            let mut stream = Begun::new(parts.read_buf, parts.io.into_inner().stream);
            let first = stream.peek().await.ok()??;
            Some((place, stream, first))
        };
        let mut phase = shared.site.phase.clone();
        let begun = tokio::select! {
            biased;
            () = reached(&mut phase, Phase::Draining) => return,
            () = caller.shed(shared) => return,
            begun = timeout_at(deadline, begun) => begun,
        };
        let Ok(Some((place, stream, first))) = begun else {
            tracing::debug!(%peer, "nothing came through a tunnel to {name}");
            return;
        };
        let stream: Stream = Box::new(stream);
        if first == HANDSHAKE {
            let tls = shared.site.tls.tunnel(&name);
            caller.secure(stream, name.to_string(), tls, shared).await;
        } else {
            let reached = Reached { address: name.to_string(), secure: false, server_name: None };
            caller.serve(stream, reached, shared).await;
        }
        drop(place);
    }

    /// Resolves when this caller, still without a head, is to make room for others.
    async fn shed(&self, shared: &Shared) {
        let share = shared.share(&self.door);
        loop {
            share.pressed().await;
            if self.began.elapsed() >= shared.site.limits.spared {
                tracing::debug!(peer = %self.peer, "a silent connection makes room");
                return;
            }
        }
    }

    async fn secure(
        self,
        stream: Stream,
        address: String,
        tls: Arc<ServerConfig>,
        shared: &Arc<Shared>,
    ) -> Option<Tunnel> {
        let mut phase = shared.site.phase.clone();
        let deadline = self.began + shared.site.limits.first_head;
        let agreeing = async {
            shared.site.tls.fit().await;
            TlsAcceptor::from(tls).accept(stream).await
        };
        let agreed = tokio::select! {
            biased;
            () = reached(&mut phase, Phase::Draining) => return None,
            () = self.shed(shared) => return None,
            agreed = timeout_at(deadline, agreeing) => agreed,
        };
        match agreed {
            Ok(Ok(stream)) => {
                let server_name = stream.get_ref().1.server_name().map(Arc::from);
                let reached = Reached { address, secure: true, server_name };
                return Box::pin(self.serve(Box::new(stream), reached, shared)).await;
            }
            Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "TLS was not agreed"),
            Err(_) => tracing::debug!(peer = %self.peer, "TLS was not agreed in time"),
        }
        None
    }

    /// Serves requests until the connection ends, or becomes a tunnel.
    async fn serve(self, stream: Stream, at: Reached, shared: &Arc<Shared>) -> Option<Tunnel> {
        let mut phase = shared.site.phase.clone();
        let limits = &shared.site.limits;
        let share = shared.share(&self.door);
        let context = Arc::new(Context {
            peer: self.peer,
            door: self.door.clone(),
            proxied: self.proxied.clone(),
            tunnel: Mutex::default(),
            caller: (self.door == Door::Tools).then(|| Peer::at(self.peer)),
            reached: at,
            shared: Arc::clone(shared),
            traffic: Traffic::new(self.began),
            bodies: Semaphore::new(limits::CONNECTION_BODIES / UNIT),
            answers: Budget::new(limits::CONNECTION_ANSWERS, limits.wait),
            dates: Dates::default(),
        });
        let traffic = &context.traffic;
        let service = {
            let context = Arc::clone(&context);
            service_fn(move |request: http::Request<Incoming>| {
                let answering = Answering::begin(&context, request.version());
                async move { answering.0.answer(request).await }
            })
        };
        let stream = TokioIo::new(Watched { stream, context: Arc::clone(&context) });
        let mut connection = std::pin::pin!(shared.protocol.serve_connection_with_upgrades(stream, service));
        let mut alarm = std::pin::pin!(sleep_until(traffic.first_look(limits)));
        // When it was asked to leave, how long it may take.
        let mut farewell: Option<Instant> = None;
        let mut awaited = Phase::Draining;
        loop {
            tokio::select! {
                // What is asked for comes first: nothing else is looked at while it goes on.
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(peer = %self.peer, %error, "the connection ended");
                    }
                    return context.tunnel.lock().unwrap_or_else(PoisonError::into_inner).take();
                }
                () = alarm.as_mut() => {
                    let now = Instant::now();
                    let verdict = traffic.judge(now, limits, share);
                    let next = match verdict {
                        _ if farewell.is_some_and(|end| end <= now) => return None,
                        Verdict::Ends(why) => {
                            tracing::debug!(peer = %self.peer, "a connection is closed: {why}");
                            return None;
                        }
                        Verdict::Leaves(why) | Verdict::MakesRoom(why) if farewell.is_none() => {
                            tracing::debug!(peer = %self.peer, "a connection is asked to leave: {why}");
                            if !traffic.http2() {
                                return None;
                            }
                            connection.as_mut().graceful_shutdown();
                            let hurried = matches!(verdict, Verdict::MakesRoom(_));
                            let end = now + if hurried { HURRIED_FAREWELL } else { FAREWELL.min(limits.idle) };
                            farewell = Some(end);
                            end
                        }
                        Verdict::Leaves(_) | Verdict::MakesRoom(_) => now + limits.glance,
                        Verdict::Stays(next) => next,
                    };
                    alarm.as_mut().reset(farewell.map_or(next, |end| end.min(next)));
                }
                () = reached(&mut phase, awaited) => {
                    if awaited == Phase::Stopped {
                        return None;
                    }
                    awaited = Phase::Stopped;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}
