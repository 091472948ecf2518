//! One running lab and how it is put together.
//!
//! A lab owns everything mutable: world snapshot, clock, randomness, rows, store, journal, expected calls. There are no
//! globals, so two labs in one process never see each other.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockWriteGuard, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use mocktenant_keys::SealingKey;
use mocktenant_tables::Database;
use mocktenant_verdict::{Check, Question, Switches};
use mocktenant_world::World;
use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::calling::ExpectedCalls;
use crate::clock::Clock;
use crate::dispatch::{Mounted, Snapshot};
use crate::gate::Gate;
use crate::journal::Journal;
use crate::masking::{Mask, Masking};
use crate::outbound::{Dial, NoSockets, Outbound};
use crate::patience::{Patience, QUERY_TIME};
use crate::random::Random;
use crate::request::Request;
use crate::rows::{NoRows, Rows};
use crate::starting::Starting;
use crate::store::{STORE_BUDGET, Store};
use crate::surface::{CatalogueRow, Surface};
use crate::{Context, Entrance, Machine, Response, Scope, Trail, dispatch};

/// The lab's own addresses by entrance: `https://localhost:7444`, no trailing slash.
///
/// One is public: what the lab prints and writes into documents. The others reach the same entrance and mean the same as an
/// audience: `https://127.0.0.1:7444`, or the port behind a mapped public URL.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    public: HashMap<Entrance, String>,
    others: Vec<(Entrance, String)>,
}

impl Addresses {
    /// The public address of an entrance.
    pub fn get(&self, entrance: &Entrance) -> Option<&String> {
        self.public.get(entrance)
    }

    /// Every address of an entrance, the public one first.
    pub fn all<'a>(&'a self, entrance: &'a Entrance) -> impl Iterator<Item = &'a str> {
        let others =
            self.others.iter().filter(move |(other, _)| other == entrance).map(|(_, url)| url.as_str());
        self.public.get(entrance).map(String::as_str).into_iter().chain(others)
    }

    /// Adds an address that reaches an entrance besides the public one.
    #[must_use]
    pub fn with_other(mut self, entrance: Entrance, url: String) -> Self {
        if self.public.get(&entrance) != Some(&url) {
            self.others.push((entrance, url));
        }
        self
    }

    /// Every address with its entrance.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&Entrance, &str)> {
        let others = self.others.iter().map(|(entrance, url)| (entrance, url));
        self.public.iter().chain(others).map(|(entrance, url)| (entrance, url.as_str()))
    }
}

impl FromIterator<(Entrance, String)> for Addresses {
    fn from_iter<I: IntoIterator<Item = (Entrance, String)>>(addresses: I) -> Self {
        Self { public: addresses.into_iter().collect(), others: Vec::new() }
    }
}

impl<const N: usize> From<[(Entrance, String); N]> for Addresses {
    fn from(addresses: [(Entrance, String); N]) -> Self {
        addresses.into_iter().collect()
    }
}

/// Default budget of the journal in bytes.
pub const JOURNAL_BUDGET: usize = 4 * 1024 * 1024;

/// How long a command waits for what is being answered, until it is applied all the same.
pub const GRACE: Duration = Duration::from_secs(3);

/// Exchanges that call outside at once; others wait for a place before their first call.
pub const OUTWARD_AT_ONCE: usize = 256;

/// A running lab. Cheap to clone; all clones are the same lab.
#[derive(Clone)]
pub struct Lab {
    core: Arc<Core>,
}

/// A lab that is not kept alive: what a lab's own parts hold to find back to it.
#[derive(Clone)]
pub struct WeakLab {
    core: Weak<Core>,
}

impl WeakLab {
    /// The lab, if somebody still holds it.
    pub fn upgrade(&self) -> Option<Lab> {
        self.core.upgrade().map(|core| Lab { core })
    }
}

impl fmt::Debug for WeakLab {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WeakLab").finish_non_exhaustive()
    }
}

struct Core {
    snapshot: ArcSwap<Snapshot>,
    base: Arc<World>,
    surfaces: Vec<Mounted>,
    clock: Clock,
    random: Random,
    sealing: Arc<SealingKey>,
    journal: Journal,
    masking: Arc<Masking>,
    outbound: OnceLock<Box<dyn Outbound>>,
    switches: Switches,
    commands: tokio::sync::Mutex<()>,
    gate: Gate,
    starting: Starting,
    /// Whose turn it always is.
    preferred: OnceLock<Machine>,
    grace: Duration,
    /// Held while world, rows and store are changed together, and while they are copied.
    changing: RwLock<()>,
    outward: Arc<Semaphore>,
    rows: Rows,
    store: Store,
    expected_calls: ExpectedCalls,
    ids: AtomicU64,
    patience: Arc<Patience>,
}

/// Puts a lab together.
pub struct LabBuilder {
    world: Arc<World>,
    surfaces: Vec<Mounted>,
    random: Random,
    journal_budget: usize,
    switches: Switches,
    grace: Duration,
    query_time: Duration,
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

    /// How long a command waits for what is being answered; [`GRACE`] unless a test cannot wait for so long.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Turns checks off, for tests only: no flag, file or control call reaches this.
    #[must_use]
    pub fn switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }

    /// How long a query over rows may take, for tests only; [`QUERY_TIME`] otherwise.
    #[must_use]
    pub fn query_time(mut self, time: Duration) -> Self {
        self.query_time = time;
        self
    }

    /// The lab, not yet started: call [`Lab::start_all`] once its listeners answer.
    pub fn build(self) -> Lab {
        let names = self.surfaces.iter().map(|mounted| mounted.surface.secret_names()).collect();
        let masking = Arc::new(Masking::new(names, &self.world));
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
                sealing: Arc::new(self.random.sealing_key()),
                random: self.random.in_blocks(),
                journal: Journal::new(self.journal_budget),
                masking,
                outbound: OnceLock::new(),
                switches: self.switches,
                commands: tokio::sync::Mutex::new(()),
                gate: Gate::default(),
                starting: Starting::default(),
                preferred: OnceLock::new(),
                grace: self.grace,
                changing: RwLock::default(),
                outward: Arc::new(Semaphore::new(OUTWARD_AT_ONCE)),
                rows: Rows::default(),
                store: Store::new(STORE_BUDGET),
                expected_calls: ExpectedCalls::default(),
                ids: AtomicU64::new(first_id),
                patience: Patience::new(self.query_time),
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
            grace: GRACE,
            query_time: QUERY_TIME,
        }
    }

    /// The same lab, not kept alive.
    pub fn downgrade(&self) -> WeakLab {
        WeakLab { core: Arc::downgrade(&self.core) }
    }

    /// Everything of this lab but its journal and its way out.
    pub(crate) fn copied(&self, at: OffsetDateTime) -> Self {
        let core = &self.core;
        let _unchanged = core.changing.read().unwrap_or_else(PoisonError::into_inner);
        Self {
            core: Arc::new(Core {
                snapshot: ArcSwap::new(core.snapshot.load_full()),
                base: Arc::clone(&core.base),
                surfaces: core.surfaces.iter().map(Mounted::fork).collect(),
                clock: Clock::stopped(at),
                random: core.random.fork(),
                sealing: Arc::clone(&core.sealing),
                journal: Journal::new(JOURNAL_BUDGET),
                masking: Arc::new(core.masking.fork()),
                outbound: OnceLock::new(),
                switches: core.switches.clone(),
                commands: tokio::sync::Mutex::new(()),
                gate: Gate::default(),
                starting: Starting::default(),
                preferred: OnceLock::new(),
                grace: core.grace,
                changing: RwLock::default(),
                outward: Arc::new(Semaphore::new(OUTWARD_AT_ONCE)),
                rows: core.rows.fork(),
                store: core.store.fork(),
                expected_calls: ExpectedCalls::default(),
                ids: AtomicU64::new(core.ids.load(Ordering::Relaxed)),
                patience: Arc::clone(&core.patience),
            }),
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

    /// The current world, and how often it was exchanged for another one since the lab began: a number that no two worlds
    /// of a lab share, though a reset returns to the same declaration.
    pub fn world_and_revision(&self) -> (Arc<World>, u64) {
        let snapshot = self.core.snapshot.load();
        (Arc::clone(&snapshot.world), snapshot.revision)
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

    /// What seals values that this lab hands out and takes back. It is made with the lab, written nowhere, and gone with it:
    /// the marks of what was used are, too.
    pub fn sealing_key(&self) -> &SealingKey {
        &self.core.sealing
    }

    /// The places for long queries.
    pub(crate) fn patience(&self) -> &Arc<Patience> {
        &self.core.patience
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.core.journal
    }

    /// What hides the secrets of this lab in whatever is shown of it.
    pub fn mask(&self) -> Mask {
        self.core.masking.mask()
    }

    pub(crate) fn masking(&self) -> &Arc<Masking> {
        &self.core.masking
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

    /// The table this lab's calls are dialled by; `None` before it has one.
    pub fn dial(&self) -> Option<Arc<dyn Dial>> {
        self.outbound().dial()
    }

    /// Sets the lab's own addresses once its listeners are bound.
    pub fn set_addresses(&self, addresses: Addresses) {
        let before = self.snapshot();
        let world = Arc::clone(&before.world);
        let mut snapshot = Snapshot::new(world, Arc::new(addresses), &self.core.surfaces);
        snapshot.revision = before.revision;
        self.core.snapshot.store(Arc::new(snapshot));
    }

    /// World names in lower case with the entrance each of them leads to, in order.
    pub fn hosts(&self) -> Vec<(String, Entrance)> {
        let snapshot = self.core.snapshot.load();
        let mut hosts: Vec<_> =
            snapshot.hosts.iter().map(|(name, (_, entrance))| (name.clone(), entrance.clone())).collect();
        hosts.sort_unstable();
        hosts
    }

    /// The world's own name for an entrance: the first one declared.
    pub fn name_of(&self, entrance: &Entrance) -> Option<String> {
        self.core.snapshot.load().names.get(entrance).cloned()
    }

    /// The entrance a world name, in lower case, leads to.
    pub fn entrance_of(&self, host: &str) -> Option<Entrance> {
        self.core.snapshot.load().hosts.get(host).map(|(_, entrance)| entrance.clone())
    }

    /// Names of the mounted surfaces that others call.
    pub fn called(&self) -> Vec<&'static str> {
        let mounted = self.core.surfaces.iter().map(|mounted| &mounted.surface);
        mounted.filter(|surface| surface.called()).map(|surface| surface.name()).collect()
    }

    /// Names of the mounted surfaces with their catalogues.
    pub fn catalogues(&self) -> Vec<(&'static str, Vec<CatalogueRow>)> {
        self.core
            .surfaces
            .iter()
            .map(|mounted| (mounted.surface.name(), mounted.surface.catalogue()))
            .collect()
    }

    /// A mounted surface's name as people say it; another text as it is.
    pub fn title<'t>(&self, surface: &'t str) -> &'t str {
        let named = self.core.surfaces.iter().find(|mounted| mounted.surface.name() == surface);
        named.map_or(surface, |mounted| mounted.surface.title())
    }

    /// What the steps of a sign-in to a mounted surface are called; nothing where it has none.
    pub fn steps_of(&self, surface: &str) -> &'static [&'static str] {
        let named = self.core.surfaces.iter().find(|mounted| mounted.surface.name() == surface);
        named.map_or(&[], |mounted| mounted.surface.steps())
    }

    /// Names of the mounted surfaces with the patterns of their routes.
    pub fn routes(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        let of = |mounted: &Mounted| {
            let patterns = mounted.surface.table().iter().map(|row| row.pattern).collect();
            (mounted.surface.name(), patterns)
        };
        self.core.surfaces.iter().map(of).collect()
    }

    /// Names of the mounted surfaces with every question they ask.
    pub fn questions(&self) -> Vec<(&'static str, Vec<&'static Question>)> {
        let of = |mounted: &Mounted| (mounted.surface.name(), mounted.surface.questions());
        self.core.surfaces.iter().map(of).collect()
    }

    /// Judges a token as `surface` on that machine would; `None` if there is no such surface.
    pub fn judge(&self, surface: &str, machine: Option<&Machine>, token: &str) -> Option<Vec<Check>> {
        let index = self.core.surfaces.iter().position(|mounted| mounted.surface.name() == surface)?;
        let context = self.context(index, machine.cloned());
        let mut trail = Trail::default();
        self.core.surfaces[index].surface.judge(&context, token, &mut trail);
        Some(trail.checks)
    }

    /// The reset generation of a scope: a number that grows with every reset it was touched by.
    pub fn generation(&self, scope: &Scope) -> u64 {
        self.rows().generation(scope)
    }

    /// What products remember for a while.
    pub fn store(&self) -> &Store {
        &self.core.store
    }

    /// The context of something that begins inside the lab.
    pub(crate) fn context(&self, surface: usize, machine: Option<Machine>) -> Context {
        let snapshot = self.snapshot();
        Context {
            lab: self.clone(),
            surface: Some(surface),
            id: self.next_id(),
            parent: None,
            hops: 0,
            entrance: None,
            now: self.now_at(machine.as_ref(), &snapshot),
            lineage: self.core.rows.begin(),
            machine,
            snapshot,
            outward: None,
        }
    }

    /// What a machine's clock shows; the lab's time where there is none.
    pub(crate) fn now_at(&self, machine: Option<&Machine>, snapshot: &Snapshot) -> OffsetDateTime {
        let now = self.core.clock.now();
        // Nearly every lab has one time, and then nobody has to be looked up.
        match machine.filter(|_| snapshot.skewed) {
            Some(machine) => now.saturating_add(machine.offset(&snapshot.world)),
            None => now,
        }
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.core.rows
    }

    /// The rows of a scope, from the declaration as it is now if they are asked for the first time.
    pub(crate) fn rows_of(
        &self,
        surface: usize,
        scope: &Scope,
        now: OffsetDateTime,
    ) -> Result<Database, NoRows> {
        let mounted = &self.core.surfaces.get(surface).ok_or(NoRows)?.surface;
        self.core.rows.open(
            scope,
            surface,
            || mounted.tables(&self.world(), scope),
            || mounted.declared_rows(&self.world(), scope, now),
        )
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.core.snapshot.load_full()
    }

    pub(crate) fn swap_world(&self, world: Arc<World>) {
        // Known as secret before anybody can send or read it.
        if let Some(sequence) = self.core.masking.declare(&world, self.core.journal.newest()) {
            self.core.journal.forget_through(sequence);
        }
        let before = self.snapshot();
        let addresses = Arc::clone(&before.addresses);
        let mut snapshot = Snapshot::new(world, addresses, &self.core.surfaces);
        snapshot.revision = before.revision + 1;
        self.core.snapshot.store(Arc::new(snapshot));
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

    pub(crate) fn gate(&self) -> &Gate {
        &self.core.gate
    }

    /// From here on it is this machine's turn wherever one is chosen by turns: in a copy that asks again what one of several
    /// was asked. The first one stands.
    pub fn prefer(&self, machine: Machine) {
        let _ = self.core.preferred.set(machine);
    }

    pub(crate) fn preferred(&self) -> Option<&Machine> {
        self.core.preferred.get()
    }

    pub(crate) fn starting(&self) -> &Starting {
        &self.core.starting
    }

    pub(crate) fn grace(&self) -> Duration {
        self.core.grace
    }

    /// While this is held the lab is not copied.
    pub(crate) fn changing(&self) -> RwLockWriteGuard<'_, ()> {
        self.core.changing.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among those that call outside; none would mean that there will never be one.
    pub(crate) async fn outward_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.core.outward).acquire_owned().await.ok()
    }

    pub(crate) fn outbound(&self) -> &dyn Outbound {
        self.core.outbound.get().map_or(&NoSockets, AsRef::as_ref)
    }

    pub(crate) fn next_id(&self) -> Arc<str> {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut number = self.core.ids.fetch_add(1, Ordering::Relaxed);
        let mut text = [b'0'; 11];
        let mut at = text.len();
        // Nine digits at the most, seven at least, and `x-` before them.
        while at > 4 || (number > 0 && at > 2) {
            at -= 1;
            text[at] = DIGITS[usize::try_from(number & 31).unwrap_or(0)];
            number >>= 5;
        }
        text[at - 2..at].copy_from_slice(b"x-");
        std::str::from_utf8(&text[at - 2..]).unwrap_or_default().into()
    }

    pub(crate) fn expected_calls(&self) -> &ExpectedCalls {
        &self.core.expected_calls
    }
}
