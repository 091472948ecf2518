//! Everything that changes a running lab.
//!
//! Decides that the world changes only here, one command at a time, each of them one cut for whoever is answered, and is
//! swapped whole together with the rows it declares. A scenario is edits on the base world, and acts after the start; a reset is the base world again, whole or
//! for one scope; a restart makes machines read their configuration again; a machine's clock is a setting like any other.

use std::sync::Arc;
use std::time::{Duration as RealDuration, Instant};

use mocktenant_scenario::{self as scenario, Act, Cast, Scenario, Vacant};
use mocktenant_world::{Edit, EditError, EditedBy, Setting, World, WorldError, servicing};
use time::Duration;

use crate::clock::ClockChange;
use crate::record::{Kind, Record};
use crate::rows::{Change, RowRefused};
use crate::run_on::RunOn;
use crate::{Lab, Machine, Scope, Trail, rollover, stopping};

/// How long what was made void may take to notice.
const AFTERMATH: RealDuration = RealDuration::from_secs(1);

/// A change of a lab.
#[derive(Clone, Debug)]
pub enum Command {
    /// RFC 6902 edits of the declaration.
    Edit {
        /// The edits, all or none.
        edits: Vec<Edit>,
        /// Who asked: becomes the settings' origin.
        by: EditedBy,
    },
    /// Base world, broken as the named scenario says; rows, caches and journal forgotten, machines started again, then
    /// what the scenario does after the start. Else the lab's clock stays as it is.
    Scenario {
        /// Its name.
        name: String,
    },
    /// What a scenario or one of its steps does. Its roles are those of the base world.
    Act {
        /// What.
        act: Act,
        /// Who asked: becomes the settings' origin.
        by: EditedBy,
    },
    /// A change of the lab's clock.
    Clock(ClockChange),
    /// Sets how far one machine's clock is from the lab's time: an edit of its `clock`.
    MachineClock {
        /// Which machine.
        machine: Machine,
        /// How far.
        offset: Duration,
        /// Who asked: becomes the setting's origin.
        by: EditedBy,
    },
    /// Makes machines of an environment read their configuration again, as IISRESET would.
    Restart {
        /// Environment name.
        environment: String,
        /// One of its nodes; all of them if none is named.
        node: Option<String>,
    },
    /// Makes the next token-signing key of an identity provider its primary one: an edit of its keys.
    Rollover {
        /// A tenant by id or domain, or a federation service by short name or host.
        of: String,
        /// Who asked: becomes the settings' origin.
        by: EditedBy,
    },
    /// Stops a machine: nobody is answered there. An edit of its `stopped`; none where it is stopped already.
    Stop {
        /// A federation service by short name or host, or a machine as it is written.
        of: String,
        /// Who asked: becomes the setting's origin.
        by: EditedBy,
    },
    /// Starts a machine that is stopped, in the same way.
    Start {
        /// As for a stop.
        of: String,
        /// Who asked: becomes the setting's origin.
        by: EditedBy,
    },
    /// Services an environment: what was edited on single nodes is gone, and all of them start again.
    Servicing {
        /// Environment name.
        environment: String,
        /// Who asked: becomes the settings' origin.
        by: EditedBy,
    },
    /// Base world again, no rows of clients, nothing remembered, machines started again. The whole lab also loses its
    /// journal and gets real time back (a frozen clock stays frozen); one scope keeps both, being one of several.
    Reset {
        /// One tenant, federation service, environment or organisation; the whole lab if none is named.
        scope: Option<Scope>,
    },
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The world from now on.
    pub world: Arc<World>,
    /// Its revision: see [`Lab::world_and_revision`].
    pub revision: u64,
}

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The edits do not apply, or the edited declaration is no world.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The declared rows are in use and cannot become what the edits say.
    #[error(transparent)]
    Row(#[from] RowRefused),
    /// Nobody in this world plays a role of the scenario.
    #[error(transparent)]
    Vacant(#[from] Vacant),
    /// The world is not the one the command was meant for.
    #[error("the world has changed since: it is at revision {revision}; nothing was changed")]
    Stale {
        /// The revision there is.
        revision: u64,
    },
    /// No scenario of that name.
    #[error("no scenario is called {name:?}")]
    UnknownScenario {
        /// As asked.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// No environment of that name.
    #[error("no environment is called {name:?}")]
    UnknownEnvironment {
        /// As asked.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// No node of that name in the environment.
    #[error("no node of {environment} is called {name:?}")]
    UnknownNode {
        /// The environment.
        environment: String,
        /// As asked.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// One token-signing key, and none to follow it.
    #[error("{place} has no next token-signing key: add one to {keys}")]
    NoNextKey {
        /// The identity provider.
        place: String,
        /// Where its keys are declared.
        keys: Setting,
    },
    /// No place of that name.
    #[error("this world has no {place}")]
    UnknownPlace {
        /// As asked.
        place: String,
        /// The places there are.
        known: Vec<String>,
    },
}

impl Lab {
    /// Applies one command, also if nobody waits for it any more. Each is one cut: what is being answered ends first, what
    /// comes meanwhile waits. What takes longer than [`crate::GRACE`] is void where the command forgets rows, and keeps
    /// the snapshot it began with where it does not.
    pub async fn apply(&self, command: Command) -> Result<Applied, CommandError> {
        self.apply_if(|_| true, command).await
    }

    /// [`Self::apply`], if the world's revision is one that was meant: asked when no other command can come between.
    pub async fn apply_if(
        &self,
        meant: impl FnOnce(u64) -> bool + Send + 'static,
        command: Command,
    ) -> Result<Applied, CommandError> {
        let lab = self.clone();
        RunOn::always(Box::pin(async move { lab.apply_now(meant, command).await })).await
    }

    async fn apply_now(
        &self,
        meant: impl FnOnce(u64) -> bool + Send,
        command: Command,
    ) -> Result<Applied, CommandError> {
        let _one_at_a_time = self.commands().lock().await;
        let (_, revision) = self.world_and_revision();
        if !meant(revision) {
            return Err(CommandError::Stale { revision });
        }
        let closed = self.gate().close();
        let ended = closed.empty_within(self.grace()).await;
        if !ended {
            tracing::info!("a command is applied while something is still being answered");
        }
        let forgets = matches!(command, Command::Reset { .. } | Command::Scenario { .. });
        let applied = self.change(command).await;
        if forgets && !ended {
            // What was made void ends now, and it ends before whoever asked is told.
            closed.empty_within(AFTERMATH).await;
        }
        applied
    }

    async fn change(&self, command: Command) -> Result<Applied, CommandError> {
        match command {
            Command::Edit { edits, by } => self.edit(&edits, by)?,
            Command::Scenario { name } => {
                let found = scenario::find(&name).ok_or_else(|| CommandError::UnknownScenario {
                    name: name.clone(),
                    known: scenario::all().iter().map(|scenario| scenario.name.clone()).collect(),
                })?;
                self.play(&found, &EditedBy::Scenario(name)).await?;
            }
            Command::Act { act, by } => self.act(&self.cast().act(&act)?, by).await?,
            Command::Clock(change) => self.clock().apply(change),
            Command::MachineClock { machine, offset, by } => {
                let world = self.world();
                let edit = machine.clock_edit(&world, offset).ok_or_else(|| CommandError::UnknownPlace {
                    place: machine.to_string(),
                    known: Machine::all(&world).map(|machine| machine.to_string()).collect(),
                })?;
                self.edit(&[edit], by)?;
            }
            Command::Rollover { of, by } => {
                let world = self.world();
                let edits = rollover::edits(&world, &rollover::provider(&world, &of)?)?;
                self.edit(&edits, by)?;
            }
            Command::Stop { of, by } => self.run_or_stop(&of, true, by).await?,
            Command::Start { of, by } => self.run_or_stop(&of, false, by).await?,
            Command::Restart { environment, node } => {
                for machine in self.machines_of(&environment, node.as_deref())? {
                    self.start_machine(&machine).await;
                }
            }
            Command::Servicing { environment, by } => self.service(&environment, by).await?,
            Command::Reset { scope: None } => {
                self.clock().reset();
                self.begin_again(Arc::clone(self.base_world())).await;
            }
            Command::Reset { scope: Some(scope) } => self.reset_scope(&scope).await?,
        }
        let (world, revision) = self.world_and_revision();
        Ok(Applied { world, revision })
    }

    /// Who plays which role of a scenario in the world a reset returns to.
    pub fn cast(&self) -> Cast {
        let base = self.base_world();
        let mut cast = Cast::of(base);
        for mounted in self.surfaces() {
            mounted.surface.cast(base, &mut cast);
        }
        cast
    }

    async fn play(&self, scenario: &Scenario, by: &EditedBy) -> Result<(), CommandError> {
        let (cast, base) = (self.cast(), self.base_world());
        let before = cast.act(&scenario.before())?;
        let after = scenario.after.iter().map(|act| cast.act(act)).collect::<Result<Vec<_>, _>>()?;
        let broken = base.edited(&before.edits_in(base, base), by.clone())?;
        self.found_right(&broken, |scope| !scope.is_shared(base, &broken)).map_err(EditError::from)?;
        self.begin_again(Arc::new(broken)).await;
        for act in &after {
            if let Err(error) = self.act(act, by.clone()).await {
                // Never left half-way.
                self.begin_again(Arc::clone(base)).await;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn act(&self, act: &Act, by: EditedBy) -> Result<(), CommandError> {
        self.edit(&act.edits_in(&self.world(), self.base_world()), by)?;
        if let Some(time) = act.wait {
            self.clock().apply(ClockChange::Forward(time));
        }
        for environment in &act.servicing {
            for machine in self.machines_of(environment, None)? {
                self.start_machine(&machine).await;
            }
        }
        for place in &act.restart {
            let (environment, node) = match place.split_once('/') {
                Some((environment, node)) => (environment, Some(node)),
                None => (place.as_str(), None),
            };
            for machine in self.machines_of(environment, node)? {
                self.start_machine(&machine).await;
            }
        }
        Ok(())
    }

    /// Edits the world and, with it, declared rows that are in use already: both or neither.
    fn edit(&self, edits: &[Edit], by: EditedBy) -> Result<(), CommandError> {
        let before = self.world();
        let world = Arc::new(before.edited(edits, by)?);
        self.found_right(&world, |scope| !scope.is_shared(&before, &world)).map_err(EditError::from)?;
        let now = self.clock().now();
        let _together = self.changing();
        self.rows().while_nobody_writes(|opened| {
            let mut changes = Vec::new();
            for (scope, rows) in opened {
                let Some(mounted) = self.surfaces().get(rows.owner) else { continue };
                if scope.is_shared(&before, &world) {
                    continue;
                }
                let Some(tables) = mounted.surface.tables(&world, scope) else { continue };
                let declared = |world: &World| mounted.surface.declared_rows(world, scope, now);
                let declared = (&*declared(&before), &*declared(&world));
                changes.extend(Change::of(scope, &rows.database, &tables.schema, declared)?);
            }
            self.swap_world(world);
            changes.into_iter().for_each(Change::apply);
            Ok(())
        })
    }

    /// Whether the products take what a world declares of rows and tables: the world knows no product's.
    ///
    /// # Errors
    /// Everything that is wrong, as in a declaration that makes no world.
    pub fn check(&self, world: &World) -> Result<(), WorldError> {
        self.found_right(world, |_| true)
    }

    fn found_right(&self, world: &World, of: impl Fn(&Scope) -> bool) -> Result<(), WorldError> {
        let mut problems = Vec::new();
        for scope in Scope::all(world).filter(of) {
            for mounted in self.surfaces() {
                problems.extend(mounted.surface.findings(world, &scope));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(WorldError { problems }) }
    }

    async fn run_or_stop(&self, machine: &str, stopped: bool, by: EditedBy) -> Result<(), CommandError> {
        let world = self.world();
        let (meant, edits) = stopping::edits(&world, machine, stopped)?;
        if edits.is_empty() {
            return Ok(());
        }
        self.edit(&edits, by)?;
        // Whoever was stopped reads its configuration when it starts.
        for machine in meant.machines(&world).iter().filter(|machine| !stopped && machine.is_stopped(&world))
        {
            self.start_machine(machine).await;
        }
        Ok(())
    }

    async fn service(&self, environment: &str, by: EditedBy) -> Result<(), CommandError> {
        let machines = self.machines_of(environment, None)?;
        let edits =
            self.world().environment(environment).map(|found| servicing::edits(found)).unwrap_or_default();
        if !edits.is_empty() {
            self.edit(&edits, by)?;
        }
        for machine in machines {
            self.start_machine(&machine).await;
        }
        Ok(())
    }

    /// The world first: whoever opens rows from here on opens those of the new one.
    async fn begin_again(&self, world: Arc<World>) {
        {
            let _together = self.changing();
            self.swap_world(world);
            self.forget(None);
            self.journal().clear();
        }
        self.start_machines().await;
    }

    async fn reset_scope(&self, scope: &Scope) -> Result<(), CommandError> {
        let pointer = scope.pointer();
        if self.world().get(&pointer).or_else(|| self.base_world().get(&pointer)).is_none() {
            return Err(CommandError::UnknownPlace {
                place: scope.to_string(),
                known: Scope::all(&self.world()).map(|scope| scope.to_string()).collect(),
            });
        }
        let world = self.world().restored(self.base_world(), &pointer).map_err(EditError::from)?;
        {
            let _together = self.changing();
            self.swap_world(Arc::new(world));
            self.forget(Some(scope));
        }
        for machine in self.all_starts() {
            if machine.scope() == *scope {
                self.start_machine(&machine).await;
            }
        }
        Ok(())
    }

    fn forget(&self, scope: Option<&Scope>) {
        self.rows().reset(scope);
        self.store().reset(scope);
        for mounted in self.surfaces() {
            mounted.surface.reset(scope);
        }
    }

    /// Starts every machine that reads its configuration at a start. Called once the listeners answer; who asks one of them
    /// meanwhile waits.
    pub async fn start_all(&self) {
        self.open_and_start_all(|| ()).await;
    }

    /// The same where listeners are opened by this function: not even the first request to a machine is answered before it has
    /// started, and nobody else waits.
    pub async fn open_and_start_all<T>(&self, open: impl FnOnce() -> T) -> T {
        let _one_at_a_time = self.commands().lock().await;
        let machines = self.all_starts();
        let announced = self.starting().announce(&machines);
        let opened = open();
        for machine in &machines {
            self.start_machine(machine).await;
            announced.over(machine);
        }
        opened
    }

    /// The same in a world that a scenario has broken: nobody is answered by the one before.
    pub async fn open_in_scenario<T>(
        &self,
        open: impl FnOnce() -> T,
        name: String,
    ) -> Result<T, CommandError> {
        let _one_at_a_time = self.commands().lock().await;
        let _closed = self.gate().close();
        let opened = open();
        self.change(Command::Scenario { name }).await?;
        Ok(opened)
    }

    /// Whether everything that is being answered has ended within that time, with or without somebody who waits for it.
    /// Nothing new begins meanwhile.
    pub async fn settled_within(&self, time: RealDuration) -> bool {
        let settled = async {
            let _one_at_a_time = self.commands().lock().await;
            let closed = self.gate().close();
            closed.empty_within(time).await
        };
        tokio::time::timeout(time, settled).await.unwrap_or(false)
    }

    async fn start_machines(&self) {
        for machine in self.all_starts() {
            self.start_machine(&machine).await;
        }
    }

    fn all_starts(&self) -> Vec<Machine> {
        let world = self.world();
        self.surfaces().iter().flat_map(|mounted| mounted.surface.starts(&world)).collect()
    }

    fn machines_of(&self, environment: &str, node: Option<&str>) -> Result<Vec<Machine>, CommandError> {
        let world = self.world();
        if world.environment(environment).is_none() {
            return Err(CommandError::UnknownEnvironment {
                name: environment.to_owned(),
                known: world.environments().map(|environment| environment.id.to_string()).collect(),
            });
        }
        let mut machines = self.all_starts();
        machines.retain(|machine| machine.environment() == Some(environment));
        let Some(wanted) = node else { return Ok(machines) };
        let name = |machine: &Machine| match machine {
            Machine::Node { node, .. } => node.to_string(),
            other => other.to_string(),
        };
        let known = machines.iter().map(name).collect();
        machines.retain(|machine| name(machine) == wanted);
        if machines.is_empty() {
            let (environment, name) = (environment.to_owned(), wanted.to_owned());
            return Err(CommandError::UnknownNode { environment, name, known });
        }
        Ok(machines)
    }

    async fn start_machine(&self, machine: &Machine) {
        let world = self.world();
        for (index, mounted) in self.surfaces().iter().enumerate() {
            if !mounted.surface.starts(&world).contains(machine) {
                continue;
            }
            let began = Instant::now();
            let context = self.context(index, Some(machine.clone()));
            let mut trail = Trail::default();
            mounted.surface.start(&context, &mut trail).await;
            let record = Record::of(Kind::Start, &context, trail, began);
            self.journal().commit(Record { endpoint: "start".into(), ..record });
        }
    }
}
