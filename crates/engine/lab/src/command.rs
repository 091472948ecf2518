//! Everything that changes a running lab.
//!
//! Decides that the world changes only here, one command at a time, and is swapped whole. A scenario is edits on the
//! base world; a reset is the base world again; a restart makes an environment read its configuration again.

use std::sync::Arc;

use mocktenant_world::{Edit, EditError, EditedBy, World, scenario};

use crate::clock::ClockChange;
use crate::journal::{Kind, Record};
use crate::{Lab, Site};

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
    /// Base world, broken as the named scenario says; records and caches forgotten, environments restarted.
    Scenario {
        /// Its name.
        name: String,
    },
    /// A change of the clock.
    Clock(ClockChange),
    /// Makes one environment read its configuration again, as IISRESET would.
    Restart {
        /// Environment name.
        environment: String,
    },
    /// Base world, no records, no caches, no journal, clock as real time.
    Reset,
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The world from now on.
    pub world: Arc<World>,
}

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The edits do not apply, or the edited declaration is no world.
    #[error(transparent)]
    Edit(#[from] EditError),
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
}

impl Lab {
    /// Applies one command. Commands are serialised; answers being made keep the snapshot they began with.
    pub async fn apply(&self, command: Command) -> Result<Applied, CommandError> {
        let _one_at_a_time = self.commands().lock().await;
        match command {
            Command::Edit { edits, by } => {
                let world = self.world().edited(&edits, by)?;
                self.swap_world(Arc::new(world));
            }
            Command::Scenario { name } => {
                let found = scenario::find(&name).ok_or_else(|| CommandError::UnknownScenario {
                    name: name.clone(),
                    known: scenario::all().iter().map(|scenario| scenario.name.clone()).collect(),
                })?;
                let world = self.base_world().edited(&found.edits, EditedBy::Scenario(name))?;
                self.begin_again(Arc::new(world)).await;
            }
            Command::Clock(change) => self.clock().apply(change),
            Command::Restart { environment } => {
                let world = self.world();
                let site = Site::environment(&environment);
                if world.environment(&environment).is_none() {
                    return Err(CommandError::UnknownEnvironment {
                        name: environment,
                        known: world.environments().map(|environment| environment.id.to_string()).collect(),
                    });
                }
                self.start_site(&site).await;
            }
            Command::Reset => {
                self.clock().reset();
                self.begin_again(Arc::clone(self.base_world())).await;
            }
        }
        Ok(Applied { world: self.world() })
    }

    async fn begin_again(&self, world: Arc<World>) {
        for mounted in self.surfaces() {
            mounted.surface.reset();
        }
        self.journal().clear();
        self.swap_world(world);
        self.start_all().await;
    }

    /// Starts every site that reads its configuration at a start. Called once the listeners answer.
    pub async fn start_all(&self) {
        let world = self.world();
        let sites: Vec<Site> =
            self.surfaces().iter().flat_map(|mounted| mounted.surface.starts(&world)).collect();
        for site in sites {
            self.start_site(&site).await;
        }
    }

    async fn start_site(&self, site: &Site) {
        let snapshot = self.snapshot();
        for (index, mounted) in self.surfaces().iter().enumerate() {
            if !mounted.surface.starts(&snapshot.world).contains(site) {
                continue;
            }
            let began = std::time::Instant::now();
            let mut activity = self.activity(index, site.clone());
            mounted.surface.start(&mut activity).await;
            let mut record = Record::blank(Arc::clone(activity.id()), Kind::Start, activity.now());
            record.surface = mounted.surface.name();
            record.site = Some(site.clone());
            record.endpoint = "start";
            record.checks = activity.checks;
            record.facts = activity.facts;
            record.error = activity.error;
            record.activities = activity.activities;
            record.generation = activity.snapshot.world.generation();
            record.micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.journal().commit(record);
        }
    }
}
