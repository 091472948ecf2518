//! What an exchange reads: one snapshot, one time, one place, from beginning to end.
//!
//! Decides nothing. Whoever is being asked holds it by shared reference and writes to the [`crate::Trail`] beside it, so
//! nothing is cloned for a borrow. Outgoing calls leave here too, because they need both.

use std::sync::Arc;

use mocktenant_tables::{Commit, Database, Draft, Reset, Transaction};
use mocktenant_verdict::Switches;
use mocktenant_world::World;
use time::OffsetDateTime;

use crate::dispatch::Snapshot;
use crate::random::Random;
use crate::rows::{Lineage, NoRows};
use crate::run_on::Outward;
use crate::{Addresses, Entrance, Lab, Machine, Scope, Store, Surface};

/// What an exchange, a start or a judgement is made from.
pub struct Context {
    pub(crate) lab: Lab,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) surface: Option<usize>,
    pub(crate) id: Arc<str>,
    pub(crate) parent: Option<Arc<str>>,
    pub(crate) hops: u8,
    pub(crate) entrance: Option<Entrance>,
    pub(crate) machine: Option<Machine>,
    pub(crate) now: OffsetDateTime,
    pub(crate) lineage: Lineage,
    /// Whether it has begun to call outside; none for what is brought to its end anyhow.
    pub(crate) outward: Option<Arc<Outward>>,
}

impl Context {
    /// The world this runs against.
    pub fn world(&self) -> &Arc<World> {
        &self.snapshot.world
    }

    /// The port it came by; none for what began inside the lab.
    pub fn entrance(&self) -> Option<&Entrance> {
        self.entrance.as_ref()
    }

    /// The machine that answers; none where the request names none (an authority that is no tenant).
    pub fn machine(&self) -> Option<&Machine> {
        self.machine.as_ref()
    }

    /// The environment's name, if a node of one answers.
    pub fn environment(&self) -> Option<&str> {
        self.machine.as_ref().and_then(Machine::environment)
    }

    /// The organisation's name in the declaration, if one answers.
    pub fn organization(&self) -> Option<&str> {
        match &self.machine {
            Some(Machine::Organization(name)) => Some(name),
            _ => None,
        }
    }

    /// What the machine's clock showed when it began.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// The lab's randomness.
    pub fn random(&self) -> &Random {
        self.lab.random()
    }

    /// The exchange id, `x-...`.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Checks a test turned off.
    pub fn switches(&self) -> &Switches {
        self.lab.switches()
    }

    /// The lab.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// What the surface prepared for this snapshot.
    ///
    /// # Panics
    /// Never, if `S` is the answering surface: the snapshot holds one per surface, made by that surface.
    pub fn prepared<S: Surface>(&self) -> &S::Prepared {
        let surface = self.surface.unwrap_or(usize::MAX);
        self.snapshot
            .prepared
            .get(surface)
            .and_then(|prepared| prepared.downcast_ref())
            .unwrap_or_else(|| unreachable!("a surface asks for what it prepared itself"))
    }

    /// The lab's own public address of an entrance, for instance `https://localhost:7444`; `None` without sockets.
    pub fn public_address(&self, entrance: &Entrance) -> Option<&str> {
        self.snapshot.addresses.get(entrance).map(String::as_str)
    }

    /// The lab's own addresses.
    pub fn addresses(&self) -> &Addresses {
        &self.snapshot.addresses
    }

    /// The rows of this machine's scope.
    pub fn rows(&self) -> Result<Database, NoRows> {
        let scope = self.scope().ok_or(NoRows)?;
        self.lab.rows_of(self.surface.ok_or(NoRows)?, &scope, self.now)
    }

    /// Commits changes to rows, unless a reset came since this exchange, or one it was made because of, began: what began
    /// before a reset writes nothing after it.
    pub fn commit(&self, transaction: Transaction) -> Result<Commit, Reset> {
        self.lab.rows().commit(&self.lineage, self.scope().as_ref(), transaction)
    }

    /// Makes the changes of a draft visible all at once, under the same condition.
    pub fn adopt(&self, draft: Draft) -> Result<(), Reset> {
        self.lab.rows().adopt(&self.lineage, self.scope().as_ref(), draft)
    }

    /// Writes to the store, under the same condition. Everything that decides and writes stands in `work`, which is short: a
    /// reset waits for it.
    pub fn remember<R>(&self, work: impl FnOnce(&Store) -> R) -> Result<R, Reset> {
        let scope = self.scope();
        self.lab.rows().unless_reset(&self.lineage, scope.as_ref(), || work(self.lab.store()))
    }

    /// Whether a reset came over this exchange: what it holds is void, and whatever it says about the world is of before.
    pub fn is_void(&self) -> bool {
        self.lab.rows().was_reset(&self.lineage, self.scope().as_ref())
    }

    /// The reset generation of a scope as it was when this began: what is sealed by an exchange that a reset came over is of
    /// before the reset.
    pub fn generation(&self, scope: &Scope) -> u64 {
        self.lab.rows().generation_of(&self.lineage, scope)
    }

    /// Whether the journal that it belongs to was forgotten, with what it was made because of.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.parent.is_some() && self.lab.rows().all_was_reset(&self.lineage)
    }

    /// Whose rows and settings the machine that answers works on.
    pub fn scope(&self) -> Option<Scope> {
        self.machine.as_ref().map(Machine::scope)
    }

    /// The answering surface's name; empty where none answers.
    pub(crate) fn surface_name(&self) -> &'static str {
        self.surface.and_then(|index| self.lab.surfaces().get(index)).map_or("", |one| one.surface.name())
    }
}
