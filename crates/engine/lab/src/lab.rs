//! One running lab and how it is put together.
//!
//! A lab owns everything mutable: world snapshot, clock, randomness, journal, expected calls. There are no globals, so
//! two labs in one process never see each other.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use arc_swap::ArcSwap;
use mocktenant_verdict::{Check, Switches};
use mocktenant_world::World;

use crate::clock::{Clock, lock};
use crate::dispatch::{Mounted, Snapshot};
use crate::journal::Journal;
use crate::outbound::{NoSockets, Outbound};
use crate::random::Random;
use crate::request::Request;
use crate::surface::{CatalogueRow, Surface};
use crate::{Activity, Response, Site, dispatch};

/// The lab's own addresses by site: `https://localhost:7444`, no trailing slash.
///
/// One is public: what the lab prints and writes into documents. The others reach the same site and mean the same as an
/// audience: `https://127.0.0.1:7444`, or the port behind a mapped public URL.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    public: HashMap<Site, String>,
    others: Vec<(Site, String)>,
}

impl Addresses {
    /// The public address of a site.
    pub fn get(&self, site: &Site) -> Option<&String> {
        self.public.get(site)
    }

    /// Every address of a site, the public one first.
    pub fn all<'a>(&'a self, site: &'a Site) -> impl Iterator<Item = &'a str> {
        let others = self.others.iter().filter(move |(other, _)| other == site).map(|(_, url)| url.as_str());
        self.public.get(site).map(String::as_str).into_iter().chain(others)
    }

    /// Adds an address that reaches a site besides the public one.
    #[must_use]
    pub fn with_other(mut self, site: Site, url: String) -> Self {
        if self.public.get(&site) != Some(&url) {
            self.others.push((site, url));
        }
        self
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.public.values().chain(self.others.iter().map(|(_, url)| url)).map(String::as_str)
    }
}

impl FromIterator<(Site, String)> for Addresses {
    fn from_iter<I: IntoIterator<Item = (Site, String)>>(addresses: I) -> Self {
        Self { public: addresses.into_iter().collect(), others: Vec::new() }
    }
}

impl<const N: usize> From<[(Site, String); N]> for Addresses {
    fn from(addresses: [(Site, String); N]) -> Self {
        addresses.into_iter().collect()
    }
}

/// Default budget of the journal in bytes.
pub const JOURNAL_BUDGET: usize = 4 * 1024 * 1024;

/// A running lab. Cheap to clone; all clones are the same lab.
#[derive(Clone)]
pub struct Lab {
    core: Arc<Core>,
}

struct Core {
    snapshot: ArcSwap<Snapshot>,
    base: Arc<World>,
    surfaces: Vec<Mounted>,
    clock: Clock,
    random: Random,
    journal: Journal,
    outbound: OnceLock<Box<dyn Outbound>>,
    switches: Switches,
    commands: tokio::sync::Mutex<()>,
    expected: Mutex<HashMap<Arc<str>, Expected>>,
    ids: AtomicU64,
}

/// An outgoing call that has not arrived yet.
pub(crate) struct Expected {
    pub(crate) id: Arc<str>,
    pub(crate) parent: Arc<str>,
    pub(crate) hops: u8,
}

/// Puts a lab together.
pub struct LabBuilder {
    world: Arc<World>,
    surfaces: Vec<Mounted>,
    random: Random,
    journal_budget: usize,
    switches: Switches,
}

impl LabBuilder {
    /// Adds a surface. For local names the first surface that wants a path gets it.
    #[must_use]
    pub fn surface<S: Surface>(mut self, surface: S) -> Self {
        self.surfaces.push(Mounted::new(Box::new(surface)));
        self
    }

    /// Seeds the randomness, for tests only.
    #[must_use]
    pub fn random(mut self, random: Random) -> Self {
        self.random = random;
        self
    }

    /// Budget of the journal in bytes.
    #[must_use]
    pub fn journal_budget(mut self, bytes: usize) -> Self {
        self.journal_budget = bytes;
        self
    }

    /// Turns checks off, for tests only: no flag, file or control call reaches this.
    #[must_use]
    pub fn switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }

    /// The lab, not yet started: call [`Lab::start_all`] once its listeners answer.
    pub fn build(self) -> Lab {
        let snapshot = Snapshot::new(Arc::clone(&self.world), Arc::default(), &self.surfaces);
        let mut first_id = [0_u8; 4];
        self.random.fill(&mut first_id);
        // 20 random bits above a counter: ids of two labs rarely look alike, and ids of one lab grow.
        let first_id = u64::from(u32::from_be_bytes(first_id) & 0xF_FFFF) << 15;
        Lab {
            core: Arc::new(Core {
                snapshot: ArcSwap::from_pointee(snapshot),
                base: self.world,
                surfaces: self.surfaces,
                clock: Clock::new(),
                random: self.random,
                journal: Journal::new(self.journal_budget),
                outbound: OnceLock::new(),
                switches: self.switches,
                commands: tokio::sync::Mutex::new(()),
                expected: Mutex::new(HashMap::new()),
                ids: AtomicU64::new(first_id),
            }),
        }
    }
}

impl Lab {
    /// Begins a lab of this world.
    pub fn builder(world: Arc<World>) -> LabBuilder {
        LabBuilder {
            world,
            surfaces: Vec::new(),
            random: Random::System,
            journal_budget: JOURNAL_BUDGET,
            switches: Switches::default(),
        }
    }

    /// Answers one request; works without a socket.
    pub async fn answer(&self, request: Request) -> Response {
        dispatch::answer(self, request).await
    }

    /// The current world.
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.core.snapshot.load().world)
    }

    /// The world a reset returns to.
    pub fn base_world(&self) -> &Arc<World> {
        &self.core.base
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.core.clock
    }

    /// The randomness.
    pub fn random(&self) -> &Random {
        &self.core.random
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.core.journal
    }

    /// The lab's own public addresses.
    pub fn addresses(&self) -> Arc<Addresses> {
        Arc::clone(&self.core.snapshot.load().addresses)
    }

    /// Sets how calls leave, once, before the lab starts. A second call is ignored.
    pub fn set_outbound(&self, outbound: impl Outbound) {
        // The first one stands: a lab is given its sockets once.
        let _ = self.core.outbound.set(Box::new(outbound));
    }

    /// Sets the lab's own addresses once its listeners are bound.
    pub fn set_addresses(&self, addresses: Addresses) {
        let world = self.world();
        let snapshot = Snapshot::new(world, Arc::new(addresses), &self.core.surfaces);
        self.core.snapshot.store(Arc::new(snapshot));
    }

    /// World names with the site that answers them, for the outbound table and TLS.
    pub fn hosts(&self) -> Vec<(String, Site)> {
        let snapshot = self.core.snapshot.load();
        let mut hosts: Vec<_> =
            snapshot.hosts.iter().map(|(name, (_, site))| (name.clone(), site.clone())).collect();
        hosts.sort();
        hosts
    }

    /// Names of the mounted surfaces with their catalogues.
    pub fn catalogues(&self) -> Vec<(&'static str, Vec<CatalogueRow>)> {
        self.core
            .surfaces
            .iter()
            .map(|mounted| (mounted.surface.name(), mounted.surface.catalogue()))
            .collect()
    }

    /// Judges a token as `surface` at `site` would; `None` if there is no such surface.
    pub fn judge(&self, surface: &str, site: &Site, token: &str) -> Option<Vec<Check>> {
        let index = self.core.surfaces.iter().position(|mounted| mounted.surface.name() == surface)?;
        let activity = self.activity(index, site.clone());
        let now = activity.now();
        Some(self.core.surfaces[index].surface.judge(&activity, token, now))
    }

    pub(crate) fn activity(&self, surface: usize, site: Site) -> Activity {
        Activity {
            lab: self.clone(),
            snapshot: self.snapshot(),
            surface: Some(surface),
            id: self.next_id(),
            parent: None,
            hops: 0,
            children: 0,
            now: self.core.clock.now(&site),
            site,
            checks: Vec::new(),
            facts: Vec::new(),
            error: None,
            activities: Vec::new(),
        }
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.core.snapshot.load_full()
    }

    pub(crate) fn swap_world(&self, world: Arc<World>) {
        let addresses = self.addresses();
        self.core.snapshot.store(Arc::new(Snapshot::new(world, addresses, &self.core.surfaces)));
    }

    pub(crate) fn surfaces(&self) -> &[Mounted] {
        &self.core.surfaces
    }

    pub(crate) fn switches(&self) -> &Switches {
        &self.core.switches
    }

    pub(crate) fn commands(&self) -> &tokio::sync::Mutex<()> {
        &self.core.commands
    }

    pub(crate) fn outbound(&self) -> &dyn Outbound {
        self.core.outbound.get().map_or(&NoSockets, AsRef::as_ref)
    }

    pub(crate) fn next_id(&self) -> Arc<str> {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut number = self.core.ids.fetch_add(1, Ordering::Relaxed);
        let mut digits = [b'0'; 9];
        let mut at = digits.len();
        while at > 2 || number > 0 {
            at -= 1;
            digits[at] = DIGITS[usize::try_from(number & 31).unwrap_or(0)];
            number >>= 5;
            if at == 0 {
                break;
            }
        }
        let text = std::str::from_utf8(&digits[at..]).unwrap_or_default();
        format!("x-{text}").into()
    }

    pub(crate) fn expect_call(&self, id: &Arc<str>, parent: &Arc<str>, hops: u8) {
        let expected = Expected { id: Arc::clone(id), parent: Arc::clone(parent), hops };
        lock(&self.core.expected).insert(Arc::clone(id), expected);
    }

    pub(crate) fn take_expected(&self, id: &str) -> Option<Expected> {
        lock(&self.core.expected).remove(id)
    }
}
