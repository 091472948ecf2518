//! A lab with its sockets: started in order, stopped without leaving anything behind.
//!
//! Decides the order: state, CA, sockets, addresses, accepting, environments, settings. `settings.json` appears last, so
//! whoever reads it finds everything answering. Mirrors no product.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mocktenant_control::ControlState;
use mocktenant_control::settings::{Published, Settings};
use mocktenant_keys::{Branch, CaNames};
use mocktenant_lab::outbound::Target;
use mocktenant_lab::request::HostName;
use mocktenant_lab::{Addresses, Entrance, Lab, real_now};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::authority::{Need, ca_names};
use crate::client::Client;
use crate::connection::{Phase, Shared, Site, accept};
use crate::error::StartError;
use crate::limits::Limits;
use crate::listen::{
    Door, Listening, Ports, RealNames, doors, listen, listen_for_names, listen_for_own, loopback, planned,
    planned_for_names,
};
use crate::names::Names;
use crate::outbound::{DialTable, Loop};
use crate::public_roots::PublicRoots;
use crate::settings::{self, Facts};
use crate::share::Share;
use crate::state::{Home, StateDir};
use crate::tls::Tls;
use crate::trust::{RealClock, Shown, Trust};
use crate::{Options, mount};

/// How long connections that were ended may take to notice.
const AFTERMATH: Duration = Duration::from_secs(1);

/// What is left of [`Options`] once the lab is built.
pub(crate) struct Setup {
    pub(crate) state: std::path::PathBuf,
    pub(crate) ports: Ports,
    pub(crate) real_names: RealNames,
    pub(crate) bind: Vec<IpAddr>,
    pub(crate) public_urls: HashMap<Entrance, String>,
    pub(crate) ca_directory: Option<std::path::PathBuf>,
    pub(crate) control_token: Option<String>,
    pub(crate) control_open: bool,
    pub(crate) publish_settings: bool,
    pub(crate) scenario: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) clock: RealClock,
}

impl From<Options> for (Lab, Setup) {
    fn from(options: Options) -> Self {
        let lab = mount::lab(options.world, options.random, options.switches);
        let setup = Setup {
            state: options.state,
            ports: options.ports,
            real_names: options.real_names,
            bind: options.bind,
            public_urls: options.public_urls,
            ca_directory: options.ca_directory,
            control_token: options.control_token,
            control_open: options.control_open,
            publish_settings: options.publish_settings,
            scenario: options.scenario,
            limits: Limits::of_this_process(),
            clock: RealClock::default(),
        };
        (lab, setup)
    }
}

/// Where a lab can be reached. No URL ends in a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urls {
    /// The control API.
    pub control: String,
    /// Entra.
    pub identity: String,
    /// AOS environments by name, in the order declared.
    pub environments: Vec<(String, String)>,
    /// Dataverse organisations by name, in the order declared.
    pub organizations: Vec<(String, String)>,
}

/// A running lab. Dropping it is [`Running::stop_now`].
pub struct Running {
    lab: Lab,
    instance: String,
    urls: Urls,
    settings: Arc<Published>,
    trust: Arc<Trust>,
    client: Client,
    ready: Arc<AtomicBool>,
    phase: watch::Sender<Phase>,
    shares: [Arc<Share>; 2],
    /// The doors of the lab's own calls, which stay open until nothing calls any more.
    own_phase: watch::Sender<Phase>,
    own_share: Arc<Share>,
    names: Arc<Names>,
    real_name_ports: Vec<u16>,
    home: Option<Home>,
    directory: std::path::PathBuf,
}

/// Starts a lab. Returns once every listener answers and every environment was started.
///
/// Needs a tokio runtime with time and network; the lab's tasks run on it.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let (lab, setup) = options.into();
    start_lab(lab, setup).await
}

pub(crate) async fn start_lab(lab: Lab, setup: Setup) -> Result<Running, StartError> {
    let instance = instance_id();
    let world = lab.world();
    lab.check(&world)?;
    let public = PublicUrls::read(&setup.public_urls)?;
    let bind = guarded_bind(&setup)?;
    let state = StateDir::open(&setup.state)?;
    let public_roots = setup.ca_directory.as_deref();
    let public_roots = public_roots.map(|path| PublicRoots::open(path, state.root())).transpose()?;
    let home = if setup.publish_settings { state.hold(&instance)? } else { state.run(&instance)? };
    let need = Need { state, serves: home.serves(), names: wanted_names(&lab, &public, &bind) };
    let trust = Arc::new(Trust::load(need, setup.clock)?);

    let listening = listen(&world, setup.ports, &bind)?;
    let by_name = listen_for_names(setup.real_names, &bind)?;
    let real_name_ports: Vec<u16> = by_name.iter().map(|one| one.port).collect();
    let host = public_host(&bind);
    let (urls, addresses) =
        urls(listening.iter().map(|listening| (&listening.door, listening.port)), &host, &public.by_entrance);
    lab.set_addresses(own_addresses(&addresses, listening.iter().map(|one| (&one.door, one.port))));

    let public_names = public.hosts();
    let names = Arc::new(Names::new(lab.clone(), public.names));
    let tls = Arc::new(Tls::new(Arc::clone(&trust), Arc::clone(&names))?);
    let own = listen_for_own(&listening)?;
    let table = Arc::new(DialTable::new(Arc::clone(&names), &listening, &own, public.by_authority));
    lab.set_outbound(Loop::new(Arc::clone(&table), Arc::clone(&trust)));
    let client = Client::of_lab(Arc::clone(&trust), table);

    let ready = Arc::new(AtomicBool::new(false));
    let settings = Arc::new(Published::default());
    let tools_port = listening.iter().find(|one| matches!(one.door, Door::Tools)).map_or(0, |one| one.port);
    let tools = mocktenant_control::router(ControlState {
        lab: lab.clone(),
        instance: instance.clone(),
        version: env!("CARGO_PKG_VERSION"),
        ready: Arc::clone(&ready),
        settings: Arc::clone(&settings),
        caller: Arc::new(client.clone()),
        ca: Arc::new(Shown(Arc::clone(&trust))),
        port: tools_port,
        own_names: own_names(public_names),
        machine: machine(),
        ca_directory: public_roots.as_ref().map(|roots| roots.directory().to_owned()),
        token: setup.control_token,
        open: setup.control_open,
    });
    let (phase, phase_seen) = watch::channel(Phase::Running);
    tokio::spawn(Trust::watch(Arc::downgrade(&trust), phase_seen.clone()));
    let (own_phase, own_phase_seen) = watch::channel(Phase::Running);
    let shared_own = Arc::new(Shared::new(Site {
        lab: lab.clone(),
        tools: axum::Router::new(),
        tls: Arc::clone(&tls),
        names: Arc::clone(&names),
        tools_port,
        limits: setup.limits.of_own(),
        phase: own_phase_seen,
    }));
    let shared = Arc::new(Shared::new(Site {
        lab: lab.clone(),
        tools,
        tls,
        names: Arc::clone(&names),
        tools_port,
        limits: setup.limits,
        phase: phase_seen,
    }));
    let running = Running {
        lab,
        instance,
        urls,
        settings,
        trust,
        client,
        ready,
        phase,
        own_share: Arc::clone(&shared_own.shares[0]),
        own_phase,
        shares: shared.shares.clone(),
        names,
        real_name_ports,
        directory: home.directory().to_owned(),
        home: Some(home),
    };
    let open = || {
        accept_on(listening, &shared)?;
        accept_on(by_name, &shared)?;
        accept_on(own, &shared_own)
    };
    match setup.scenario {
        Some(name) => running.lab.open_in_scenario(open, name).await.map_err(StartError::Scenario)??,
        None => running.lab.open_and_start_all(open).await?,
    }
    running.publish(&addresses, public_roots)?;
    Ok(running)
}

/// What a client reaches through the proxy.
fn world_names(lab: &Lab) -> Vec<String> {
    lab.hosts().iter().map(|(name, _)| name.clone()).collect()
}

fn wanted_names(lab: &Lab, public: &PublicUrls, bind: &[IpAddr]) -> CaNames {
    let hosts = lab.hosts();
    let names = hosts.iter().map(|(name, _)| name.as_str()).chain(public.names.iter().map(String::as_str));
    ca_names(names, bind)
}

fn accept_on(listening: Vec<Listening>, shared: &Arc<Shared>) -> Result<(), StartError> {
    for Listening { door, port, sockets } in listening {
        for socket in sockets {
            let address = socket.local_addr().map_or(IpAddr::from([0, 0, 0, 0]), |address| address.ip());
            let listener = TcpListener::from_std(socket).map_err(|source| StartError::Listen {
                port,
                entrance: door.name(),
                address,
                source,
            })?;
            tokio::spawn(accept(listener, door.clone(), Arc::clone(shared)));
        }
    }
    Ok(())
}

/// The settings document `serve` would give, without starting anything: no instance and no process in it. Makes the CA
/// and the client's files, so that what it names is there.
pub fn settings_without_lab(options: Options) -> Result<Settings, StartError> {
    let (lab, setup) = options.into();
    let world = lab.world();
    let public = PublicUrls::read(&setup.public_urls)?;
    let state = StateDir::open(&setup.state)?;
    let bind = if setup.bind.is_empty() { loopback() } else { setup.bind };
    let need = Need { state, serves: true, names: wanted_names(&lab, &public, &bind) };
    let ca = need.load(real_now(), None)?;
    let mut ports = Vec::new();
    for (door, offset) in doors(&world) {
        if let Some(port) = planned(setup.ports, offset)? {
            ports.push((door, port));
        }
    }
    let (urls, addresses) =
        urls(ports.iter().map(|(door, port)| (door, *port)), &public_host(&bind), &public.by_entrance);
    let facts = Facts {
        directory: need.state.root(),
        ca: &ca,
        addresses: &addresses,
        control_url: &urls.control,
        names: world_names(&lab),
        real_name_ports: planned_for_names(setup.real_names),
        running: None,
    };
    settings::document(&world, &facts)
}

impl Running {
    /// The lab.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The settings document: what `settings.json` holds. Its certificates change when the CA is renewed.
    pub fn settings(&self) -> Arc<Settings> {
        // Set before anybody is given a running lab.
        self.settings.get().unwrap_or_default()
    }

    /// Where it can be reached.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// The instance id, the same as in `settings.json` and `GET /health`.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Where this lab writes: the state directory of a `serve`, else a directory that goes with the lab.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The `local` root, PEM: what `ca.pem` holds.
    pub fn ca_pem(&self) -> String {
        self.trust.now().ca.root(Branch::Local).pem()
    }

    /// The `real-names` root, PEM: whoever trusts it takes this lab for Microsoft.
    pub fn ca_real_names_pem(&self) -> String {
        self.trust.now().ca.root(Branch::RealNames).pem()
    }

    /// A client that trusts this lab and reaches it by world names, public URLs and localhost alike, and nothing else.
    pub fn outbound_client(&self) -> Client {
        self.client.clone()
    }

    /// Stops: no new connections, those there finish what they began, for at most `grace`.
    pub async fn stop(mut self, grace: Duration) {
        self.withdraw();
        self.phase.send_replace(Phase::Draining);
        let end = Instant::now() + grace;
        if !quiet_within(&self.shares, grace).await {
            tracing::info!("connections are still open after {} s and are ended", grace.as_secs_f32());
        }
        self.phase.send_replace(Phase::Stopped);
        // What has called outside goes on without its caller.
        let rest = end.saturating_duration_since(Instant::now()).max(AFTERMATH);
        if !self.lab.settled_within(rest).await {
            tracing::info!("something is still being answered and is left alone");
        }
        self.own_phase.send_replace(Phase::Stopped);
        quiet_within(&self.shares, AFTERMATH).await;
        quiet_within(std::slice::from_ref(&self.own_share), AFTERMATH).await;
        self.home = None;
    }

    /// Stops at once: every connection ends where it is.
    pub fn stop_now(self) {
        drop(self);
    }

    /// The room of its surfaces' ports and of its tools port.
    #[cfg(test)]
    pub(crate) fn shares(&self) -> &[Arc<Share>; 2] {
        &self.shares
    }

    fn publish(
        &self,
        addresses: &HashMap<Entrance, String>,
        public: Option<PublicRoots>,
    ) -> Result<(), StartError> {
        self.trust.publish(self.directory.clone(), public, Arc::clone(&self.settings), |ca| {
            let facts = Facts {
                directory: &self.directory,
                ca,
                addresses,
                control_url: &self.urls.control,
                names: world_names(&self.lab),
                real_name_ports: &self.real_name_ports,
                running: Some((&self.instance, std::process::id())),
            };
            let document = settings::document(&self.lab.world(), &facts)?;
            // Before the file: whoever finds it finds the lab well.
            self.settings.set(document.clone());
            self.ready.store(true, Ordering::Release);
            Ok(document)
        })
    }

    fn withdraw(&self) {
        self.ready.store(false, Ordering::Release);
        self.trust.withdraw();
        if let Some(home) = &self.home {
            home.withdraw_settings();
        }
    }
}

/// Whether every connection and every listener is gone within `time`.
async fn quiet_within(shares: &[Arc<Share>], time: Duration) -> bool {
    let empty = async {
        for share in shares {
            share.empty().await;
        }
    };
    tokio::time::timeout(time, empty).await.is_ok()
}

impl Drop for Running {
    fn drop(&mut self) {
        self.withdraw();
        self.phase.send_replace(Phase::Stopped);
        self.own_phase.send_replace(Phase::Stopped);
        self.names.forget();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Running")
            .field("instance", &self.instance)
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

/// 16 hexadecimal digits from the system, whatever the lab's own randomness is: two labs never share one.
fn instance_id() -> String {
    let mut bytes = [0_u8; 8];
    mocktenant_keys::fill_from_system(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// A token of the control API that nobody guesses: 32 hexadecimal digits from the system.
pub fn control_token() -> String {
    format!("{}{}", instance_id(), instance_id())
}

/// Where to listen. Beyond this machine only where that does not hand the control API to whoever comes.
fn guarded_bind(setup: &Setup) -> Result<Vec<IpAddr>, StartError> {
    if setup.bind.is_empty() {
        return Ok(loopback());
    }
    let guarded = setup.control_open || setup.control_token.as_ref().is_some_and(|token| !token.is_empty());
    match setup.bind.iter().find(|address| !address.to_canonical().is_loopback()) {
        Some(wide) if !guarded => Err(StartError::ControlUnguarded { address: *wide }),
        _ => Ok(setup.bind.clone()),
    }
}

/// What this machine is called, besides localhost, by whoever reaches the tools port.
fn own_names(public: Vec<String>) -> Arc<[String]> {
    let name = machine();
    let short = name.split('.').next().unwrap_or_default().to_owned();
    public.into_iter().chain([name, short]).filter(|name| !name.is_empty()).collect()
}

/// What this machine calls itself.
fn machine() -> String {
    gethostname::gethostname().to_string_lossy().trim_end_matches('.').to_owned()
}

/// The host in the lab's own URLs.
fn public_host(bind: &[IpAddr]) -> String {
    let near = |address: &IpAddr| address.is_loopback() || address.is_unspecified();
    match bind.first() {
        Some(first) if !bind.iter().any(near) => match first {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        },
        _ => String::from("localhost"),
    }
}

fn urls<'e>(
    ports: impl Iterator<Item = (&'e Door, u16)>,
    host: &str,
    public: &HashMap<Entrance, String>,
) -> (Urls, HashMap<Entrance, String>) {
    let mut urls = Urls {
        control: String::new(),
        identity: String::new(),
        environments: Vec::new(),
        organizations: Vec::new(),
    };
    let mut addresses = HashMap::new();
    for (door, port) in ports {
        let local = format!("https://{host}:{port}");
        let Door::Lab(entrance) = door else {
            urls.control = local;
            continue;
        };
        let url = public.get(entrance).cloned().unwrap_or(local);
        match entrance {
            Entrance::Identity => urls.identity.clone_from(&url),
            Entrance::Environment(name) => urls.environments.push((name.to_string(), url.clone())),
            Entrance::Organization(name) => urls.organizations.push((name.to_string(), url.clone())),
        }
        addresses.insert(entrance.clone(), url);
    }
    (urls, addresses)
}

/// Public addresses, and whatever else reaches the same ports: both loopback literals, and localhost behind a public URL.
fn own_addresses<'e>(
    public: &HashMap<Entrance, String>,
    ports: impl Iterator<Item = (&'e Door, u16)>,
) -> Addresses {
    let mut addresses: Addresses =
        public.iter().map(|(entrance, url)| (entrance.clone(), url.clone())).collect();
    for (door, port) in ports {
        let Door::Lab(entrance) = door else { continue };
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            addresses = addresses.with_other(entrance.clone(), format!("https://{host}:{port}"));
        }
    }
    addresses
}

/// The public URLs, read.
struct PublicUrls {
    /// Without a final slash.
    by_entrance: HashMap<Entrance, String>,
    by_authority: HashMap<(String, u16), Entrance>,
    /// Hosts that are no local names: the CA has to speak for them.
    names: Vec<String>,
}

impl PublicUrls {
    fn read(given: &HashMap<Entrance, String>) -> Result<Self, StartError> {
        let mut read = Self { by_entrance: HashMap::new(), by_authority: HashMap::new(), names: Vec::new() };
        for (entrance, url) in given {
            let trimmed = url.trim().trim_end_matches('/');
            let target = Target::parse(trimmed).ok().filter(Target::is_origin);
            let Some(target) = target else {
                return Err(StartError::PublicUrl { entrance: entrance.to_string(), url: url.clone() });
            };
            let name = HostName::parse(&target.host);
            if !name.is_some_and(|name| name.is_local() && name.name.contains('.'))
                && target.host != "localhost"
            {
                read.names.push(target.host.clone());
            }
            read.by_authority.insert((target.host, target.port), entrance.clone());
            read.by_entrance.insert(entrance.clone(), trimmed.to_owned());
        }
        read.names.sort();
        read.names.dedup();
        Ok(read)
    }

    /// Every host of them.
    fn hosts(&self) -> Vec<String> {
        self.by_authority.keys().map(|(host, _)| host.clone()).collect()
    }
}
