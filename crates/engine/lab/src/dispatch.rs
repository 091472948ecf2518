//! The one dispatch point: every request passes here, whatever socket it came by.
//!
//! Decides the surface by host (world names first, then the entrance for local names), asks it for the machine, finds the
//! endpoint by the folded path, and sees that whatever a surface does not handle is refused in that surface's own envelope.
//! Commits the record before the answer leaves, also of a request whose caller did not wait. Faults will hook in here.

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use mocktenant_verdict::foreign;
use mocktenant_world::World;

use crate::calling::{CALL_HEADER, Expected};
use crate::gate::Inside;
use crate::record::{HOST_BUDGET, Kind, Record, bounded, cut, header_lines};
use crate::request::{HostName, Request, fold};
use crate::run_on::{Outward, RunOn};
use crate::surface::{Asker, Mount, Refusal, Way};
use crate::{
    Addresses, Answer, BUILT_HERE, Context, Delivery, Entrance, Exchange, Lab, NOT_BUILT, Response, Trail,
    stopping,
};

/// The one header of ours on an answer.
pub const EXCHANGE_HEADER: HeaderName = HeaderName::from_static("x-mocktenant-exchange");

/// Longest text of a stranger in a log line, in characters.
const SHOWN: usize = 120;

/// Everything that is computed from a world, swapped whole.
pub(crate) struct Snapshot {
    pub(crate) world: Arc<World>,
    /// How often the world was exchanged for another one.
    pub(crate) revision: u64,
    pub(crate) addresses: Arc<Addresses>,
    /// World names in lower case, with surface and entrance.
    pub(crate) hosts: HashMap<String, (usize, Entrance)>,
    /// The first world name of each entrance.
    pub(crate) names: HashMap<Entrance, String>,
    /// Whether any machine is declared to have another time than the lab's.
    pub(crate) skewed: bool,
    /// Whether any machine is stopped.
    pub(crate) stopped: bool,
    /// Names of the lab's own public addresses: as local as localhost; with the entrance, where it is one alone.
    own_names: HashMap<String, Option<Entrance>>,
    pub(crate) prepared: Vec<Box<dyn Any + Send + Sync>>,
}

impl Snapshot {
    pub(crate) fn new(world: Arc<World>, addresses: Arc<Addresses>, surfaces: &[Mounted]) -> Self {
        let (mut hosts, mut names) = (HashMap::new(), HashMap::new());
        for (index, mounted) in surfaces.iter().enumerate() {
            for (name, entrance) in mounted.surface.hosts(&world) {
                let name = name.to_ascii_lowercase();
                names.entry(entrance.clone()).or_insert_with(|| name.clone());
                hosts.entry(name).or_insert((index, entrance));
            }
        }
        let own_name = |address: &str| address.parse::<http::Uri>().ok()?.host().map(str::to_ascii_lowercase);
        let mut own_names: HashMap<String, Option<Entrance>> = HashMap::new();
        for (entrance, address) in addresses.each() {
            let Some(name) = own_name(address) else { continue };
            let sole = own_names.entry(name).or_insert_with(|| Some(entrance.clone()));
            if sole.as_ref() != Some(entrance) {
                *sole = None;
            }
        }
        let prepared = surfaces.iter().map(|mounted| mounted.surface.prepare(&world, &addresses)).collect();
        let tenants = world.tenants().map(|tenant| tenant.clock);
        let nodes =
            world.environments().flat_map(|environment| environment.nodes.iter().map(|node| node.clock));
        let organizations = world.organizations().map(|organization| organization.clock);
        let services = world.federation_services().map(|service| service.clock);
        let skewed = tenants.chain(services).chain(nodes).chain(organizations).any(|clock| !clock.is_zero());
        let stopped = world.federation_services().any(|service| service.stopped)
            || world.environments().any(|environment| environment.nodes.iter().any(|node| node.stopped));
        Self { world, revision: 0, addresses, hosts, names, skewed, stopped, own_names, prepared }
    }
}

/// A surface with its compiled route table.
pub(crate) struct Mounted {
    pub(crate) surface: Box<dyn Mount>,
    table: Arc<RouteTable>,
}

/// A route table, compiled once for a surface and its copies.
struct RouteTable {
    router: matchit::Router<usize>,
    patterns: Vec<Pattern>,
}

struct Pattern {
    parameters: Arc<[(&'static str, usize)]>,
    routes: Vec<(usize, &'static [Method], &'static str)>,
}

impl Mounted {
    /// Compiles the route table.
    ///
    /// # Panics
    /// On a malformed pattern in a surface's static table: a defect that every test of that surface meets at once.
    pub(crate) fn new(surface: Box<dyn Mount>) -> Self {
        let mut router = matchit::Router::new();
        let mut patterns: Vec<Pattern> = Vec::new();
        let mut known: HashMap<&'static str, usize> = HashMap::new();
        for (index, row) in surface.table().into_iter().enumerate() {
            let at = *known.entry(row.pattern).or_insert_with(|| {
                let parameters = row.pattern.split('/').skip(1).enumerate().filter_map(|(at, segment)| {
                    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
                    // `*name` stays as written: it tells a catch-all from a segment.
                    Some((name, at))
                });
                patterns.push(Pattern { parameters: parameters.collect(), routes: Vec::new() });
                if let Err(error) = router.insert(row.pattern, patterns.len() - 1) {
                    unreachable!("route table of {}: {}: {error}", surface.name(), row.pattern);
                }
                patterns.len() - 1
            });
            patterns[at].routes.push((index, row.methods, row.endpoint));
        }
        Self { surface, table: Arc::new(RouteTable { router, patterns }) }
    }

    /// The same product in the same state, for a lab that nobody else sees.
    pub(crate) fn fork(&self) -> Self {
        Self { surface: self.surface.fork(), table: Arc::clone(&self.table) }
    }
}

enum Chosen {
    Route { index: usize, endpoint: &'static str },
    Refused(Refusal),
}

fn choose(mounted: &Mounted, folded: &str, method: &Method) -> (Chosen, Arc<[(&'static str, usize)]>) {
    let Ok(found) = mounted.table.router.at(folded) else {
        return (Chosen::Refused(Refusal::NotFound), Arc::default());
    };
    let pattern = &mounted.table.patterns[*found.value];
    let wanted = if method == Method::HEAD { &Method::GET } else { method };
    let route =
        pattern.routes.iter().find(|(_, methods, _)| methods.contains(wanted) || methods.contains(method));
    let chosen = match route {
        Some((index, _, endpoint)) => Chosen::Route { index: *index, endpoint },
        None => {
            let allow: Vec<&str> = pattern
                .routes
                .iter()
                .flat_map(|(_, methods, _)| methods.iter().map(Method::as_str))
                .collect();
            Chosen::Refused(Refusal::MethodNotAllowed { allow: allow.join(", ") })
        }
    };
    (chosen, Arc::clone(&pattern.parameters))
}

pub(crate) async fn answer(lab: &Lab, mut request: Request) -> Response {
    let began = Instant::now();
    let call = request.headers.remove(CALL_HEADER);
    let linked = call.and_then(|id| lab.expected_calls().take(id.to_str().ok()?));
    let mut arrived = Arrived { lab, began, request: Some((request, linked)) };
    let inside = match (&arrived.request, lab.gate().try_enter()) {
        (_, Some(inside)) => inside,
        // Somebody inside waits for it.
        (Some((_, Some(_))), None) => lab.gate().pass(),
        (_, None) => lab.gate().enter().await,
    };
    let Some((mut answering, surface)) = arrived.begin(inside) else {
        unreachable!("it begins once");
    };
    let context = &answering.exchange.context;
    // Who asks because of something else is not held up: that may be the start.
    if let Some(machine) = context.machine.as_ref().filter(|_| context.parent.is_none()) {
        lab.starting().wait_for(machine).await;
    }
    match surface {
        None => {
            let answer = nobody(lab, &mut answering.exchange);
            answering.finish(answer)
        }
        Some(surface) => match answering.exchange.context.outward.clone() {
            Some(outward) => RunOn::once_begun(outward, Box::pin(lasting(surface, answering))).await,
            None => served(lab, surface, answering).await,
        },
    }
}

async fn served(lab: &Lab, surface: usize, mut answering: Answering) -> Response {
    let answer = serve(lab, surface, &mut answering.exchange).await;
    answering.finish(answer)
}

/// The same, holding the lab itself: it may go on when nobody waits for it any more.
async fn lasting(surface: usize, answering: Answering) -> Response {
    let lab = answering.exchange.context.lab.clone();
    served(&lab, surface, answering).await
}

/// A request that has arrived and may have to wait at the gate. If its caller goes away meanwhile it is recorded as well.
struct Arrived<'l> {
    lab: &'l Lab,
    began: Instant,
    request: Option<(Request, Option<Expected>)>,
}

impl Arrived<'_> {
    /// Begins to answer it, once.
    fn begin(&mut self, inside: Inside<'_>) -> Option<(Answering, Option<usize>)> {
        let (request, linked) = self.request.take()?;
        let (exchange, surface) = begin(self.lab, request, linked);
        // It leaves when it has been recorded.
        inside.stay();
        Some((Answering { began: self.began, exchange, recorded: false }, surface))
    }
}

impl Drop for Arrived<'_> {
    fn drop(&mut self) {
        if self.request.is_some() {
            // Abandoned as soon as it has begun.
            drop(self.begin(self.lab.gate().pass()));
        }
    }
}

/// Finds out whom a request is for, and reads everything its answer is made from.
fn begin(lab: &Lab, request: Request, linked: Option<Expected>) -> (Exchange, Option<usize>) {
    let snapshot = lab.snapshot();
    let (id, parent, hops, lineage) = match linked {
        Some(expected) => (expected.id, Some(expected.parent), expected.hops, expected.lineage),
        None => (lab.next_id(), None, 0, lab.rows().begin()),
    };
    let host = HostName::parse(&request.host);
    let folded = fold(request.path());
    let mut trail = Trail::default();
    if request.arrival.proxied.is_some() {
        trail.fact("via", "proxy");
    }
    let strays = strays(&request, host.as_ref());
    let known = host.as_ref().filter(|_| !strays);
    let listed = known.and_then(|host| snapshot.hosts.get(&host.name).cloned());
    let local = listed.is_none() && known.as_ref().is_some_and(|host| is_local(&snapshot, host));
    let by_name = match known {
        Some(host) if listed.is_none() && !local => unlisted(lab, &host.name),
        _ => listed,
    };
    let world_name = by_name.is_some();
    let (named, entrance) = match by_name {
        Some((surface, entrance)) => (Some(surface), entrance),
        None => (None, own_entrance(&snapshot, &request, host.as_ref())),
    };
    let local = local && !is_shared(&snapshot, &request, host.as_ref());
    let surface = named.or_else(|| {
        lab.surfaces().iter().position(|mounted| mounted.surface.at(&entrance, &folded)).filter(|_| local)
    });
    let machine = surface.and_then(|surface| {
        let jar = host.as_ref().filter(|host| !world_name && host.is_local()).and_then(|host| host.port);
        let host = host.as_ref().map_or("", |host| host.name.as_str());
        let asker = Asker { headers: &request.headers, jar, prefers: lab.preferred() };
        let way = Way { entrance: &entrance, host, path: &folded, asker: Some(asker) };
        lab.surfaces()[surface].surface.machine(&snapshot.world, &way)
    });
    let calls_out = surface.is_some_and(|surface| lab.surfaces()[surface].surface.calls_out());
    let outward = calls_out.then(|| Arc::new(Outward::default()));
    let context = Context {
        lab: lab.clone(),
        surface,
        id,
        parent,
        hops,
        entrance: Some(entrance),
        now: lab.now_at(machine.as_ref(), &snapshot),
        lineage,
        machine,
        snapshot,
        outward,
    };
    let exchange = Exchange {
        request,
        context,
        trail,
        host,
        world_name,
        folded,
        endpoint: "",
        parameters: Arc::default(),
    };
    (exchange, surface)
}

/// Whether a request through the proxy names another host than the one it was sent to.
fn strays(request: &Request, host: Option<&HostName>) -> bool {
    let proxied = request.arrival.proxied.as_ref();
    proxied.is_some_and(|name| host.is_none_or(|host| host.name != **name))
}

/// Whether a host is one of this machine: then the port decides.
fn is_local(snapshot: &Snapshot, host: &HostName) -> bool {
    host.is_local() || snapshot.own_names.contains_key(&host.name)
}

/// The entrance that a name of this machine means: on a port that all products share the one whose public address it is.
fn own_entrance(snapshot: &Snapshot, request: &Request, host: Option<&HostName>) -> Entrance {
    let sole = || snapshot.own_names.get(&host?.name)?.clone();
    let sole = if request.arrival.by_name { sole() } else { None };
    sole.unwrap_or_else(|| request.arrival.entrance.clone())
}

/// Whether nothing says which product is meant: not the port, and not the name either.
fn is_shared(snapshot: &Snapshot, request: &Request, host: Option<&HostName>) -> bool {
    request.arrival.by_name
        && host.is_none_or(|host| snapshot.own_names.get(&host.name).is_none_or(Option::is_none))
}

/// Who plays a host that no list names.
fn unlisted(lab: &Lab, host: &str) -> Option<(usize, Entrance)> {
    let mut surfaces = lab.surfaces().iter().enumerate();
    surfaces.find_map(|(at, mounted)| Some((at, mounted.surface.plays(host)?)))
}

/// A request on its way to an answer, inside the gate. If its caller goes away first it is dropped, and recorded all the
/// same.
struct Answering {
    began: Instant,
    exchange: Exchange,
    recorded: bool,
}

impl Answering {
    fn finish(mut self, mut answer: Answer) -> Response {
        self.exchange.forward(&mut answer.content);
        let (status, mut headers, mut body, delivery) = answer.into_parts();
        let at = self.exchange.context.now;
        // What is never sent is no answer.
        let answered = (delivery == Delivery::Whole).then(|| Answered {
            status,
            headers: header_lines(&headers),
            body: cut(&body),
        });
        if let Ok(id) = HeaderValue::from_str(&self.exchange.context.id) {
            headers.insert(EXCHANGE_HEADER, id);
        }
        if self.exchange.request.method == Method::HEAD {
            // The length of what GET would have sent, and nothing of it: HTTP/2 has no framing that would drop a body.
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            body = bytes::Bytes::new();
        }
        self.record(answered);
        Response { status, headers, body, delivery, at }
    }

    /// Commits the record, which takes what it keeps out of the exchange.
    fn record(&mut self, answered: Option<Answered>) {
        self.recorded = true;
        let Exchange { request, context, trail, endpoint, .. } = &mut self.exchange;
        let mut record = Record::of(Kind::Request, context, std::mem::take(trail), self.began);
        record.endpoint = Cow::Borrowed(*endpoint);
        record.method = std::mem::take(&mut request.method);
        record.scheme = Cow::Borrowed(if request.arrival.secure { "https" } else { "http" });
        record.host = bounded(std::mem::take(&mut request.host), HOST_BUDGET).into();
        record.target = std::mem::take(&mut request.target).into();
        record.request_headers = header_lines(&request.headers);
        record.request_body = request.body.as_ref().map(cut).unwrap_or_default();
        if let Some(answered) = answered {
            record.status = answered.status.as_u16();
            record.response_headers = answered.headers;
            record.response_body = answered.body;
        }
        if record.status >= 400
            && let Some(missing) = record.fact(NOT_BUILT)
        {
            let built = record.fact(BUILT_HERE).map_or("", |built| &*built.value);
            let mask = context.lab.mask();
            let (missing, built) = (shown(&mask.text(&missing.value)), shown(&mask.text(built)));
            tracing::warn!(exchange = %record.id, %built, "not built in this lab: {missing}");
        }
        // With what it was made because of, that is: nobody would find it.
        if !context.is_forgotten() {
            context.lab.journal().commit(record);
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if !self.recorded {
            self.exchange.trail.record_error("no-caller");
            self.exchange.trail.fact("abandoned", "the caller went away before it was answered");
            self.record(None);
        }
        self.exchange.context.lab.gate().leave();
    }
}

/// No product answers: the name is neither the world's nor local, or no product of this lab plays this place. The answer is the
/// lab's own, 421, for it stands in for nobody's.
fn nobody(lab: &Lab, exchange: &mut Exchange) -> Answer {
    let id = exchange.context.id();
    if let Some(name) =
        exchange.request.arrival.proxied.clone().filter(|_| strays(&exchange.request, exchange.host.as_ref()))
    {
        let host = shown(&lab.mask().text(&exchange.request.host));
        tracing::warn!(exchange = %id, "421 for host {host}: the tunnel it came through leads to {name}");
        exchange.trail.record_error("421");
        exchange.trail.refused(format!("a request for {host} in a tunnel to {name}"), "one host for both");
        return Answer::empty(StatusCode::MISDIRECTED_REQUEST);
    }
    let snapshot = &exchange.context.snapshot;
    let local = exchange.host.as_ref().is_some_and(|host| is_local(snapshot, host));
    let shared = is_shared(snapshot, &exchange.request, exchange.host.as_ref());
    let host = shown(&lab.mask().text(&exchange.request.host));
    match (local, shared) {
        (true, true) => tracing::warn!(
            exchange = %id,
            "421 for host {host}: on this port only names of the world say which product is meant; call one of them, or \
             {host} on the product's own port",
        ),
        (true, false) => tracing::warn!(
            exchange = %id,
            "421 for host {host}: no product of this lab plays this place",
        ),
        (false, _) => tracing::warn!(
            exchange = %id,
            "421 for host {host}: no name of this world; declare it as a host of a federation service, an environment or an organisation, or call localhost",
        ),
    }
    exchange.trail.record_error("421");
    exchange.trail.fact("unknown-host", host);
    Answer::empty(StatusCode::MISDIRECTED_REQUEST)
}

/// A text of a stranger in a line of ours.
fn shown(text: &str) -> String {
    foreign::harmless(&foreign::excerpt(text, SHOWN)).into_owned()
}

async fn serve(lab: &Lab, surface: usize, exchange: &mut Exchange) -> Answer {
    let mounted = &lab.surfaces()[surface];
    if let Some(nobody) = stopping::closed(mounted.surface.title(), mounted.surface.in_front(), exchange) {
        return nobody;
    }
    let (chosen, parameters) = choose(mounted, &exchange.folded, &exchange.request.method);
    exchange.parameters = parameters;
    let index = match chosen {
        Chosen::Route { index, endpoint } => {
            exchange.endpoint = endpoint;
            index
        }
        Chosen::Refused(why) => return mounted.surface.refuse(exchange, why),
    };
    if let Err(why) = &exchange.request.body {
        let why = Refusal::Body(*why);
        return mounted.surface.refuse(exchange, why);
    }
    let guarded = {
        // Inside the guard from its first instruction: a handler may work before it first awaits.
        let mut given = Some(&mut *exchange);
        let mut handling = None;
        std::future::poll_fn(move |context| {
            let poll = || {
                if let Some(exchange) = given.take() {
                    handling = Some(mounted.surface.handle(index, exchange));
                }
                handling.as_mut().map_or(Poll::Pending, |handling| handling.as_mut().poll(context))
            };
            match std::panic::catch_unwind(AssertUnwindSafe(poll)) {
                Ok(Poll::Ready(answer)) => Poll::Ready(Some(answer)),
                Ok(Poll::Pending) => Poll::Pending,
                Err(_) => Poll::Ready(None),
            }
        })
        .await
    };
    match guarded {
        Some(answer) => answer,
        None => {
            tracing::error!(exchange = %exchange.context.id(), "a handler panicked; please report this exchange");
            mounted.surface.refuse(exchange, Refusal::Panic)
        }
    }
}

/// What was answered, as the journal keeps it.
struct Answered {
    status: StatusCode,
    headers: Box<str>,
    body: bytes::Bytes,
}
