//! The snapshot, and how an edit makes the next one.
//!
//! Decides that a world never changes: an edit is RFC 6902 on the view, then the parts it touched are read, spliced into
//! their files and compiled again, and every other part is shared with the snapshot before. The caller swaps snapshots
//! whole. Never decides when a product notices: what an AOS read at its start is the AOS's own.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use mocktenant_artefacts::{Artefact, WebConfig, WifConfig};
use mocktenant_verdict::Setting;
use serde_json::Value;

use crate::compile::{self, Before, Problems};
use crate::compiled::{Environment, Organization, Tenant};
use crate::declaration::Declaration;
use crate::files::Artefacts;
use crate::nearest::{clip, one_of};
use crate::origin::{EditedBy, Origin, Origins};
use crate::parts::{self, Parts};
use crate::patch::{self, Edit, Refusal};
use crate::problem::{Problem, WorldError, write_lines};

const CONTOSO: &str = include_str!("../assets/contoso.yaml");
const CONTOSO_WEB_CONFIG: &[u8] = include_bytes!("../assets/web.config");
const CONTOSO_WIF_CONFIG: &[u8] = include_bytes!("../assets/wif.config");

/// The declaration compiled: validated, indexed, keys parsed. Immutable; share it in an `Arc`.
pub struct World {
    declaration: Declaration,
    view: Value,
    origins: Origins,
    artefacts: Artefacts,
    tenants: Arc<IndexMap<String, Arc<Tenant>>>,
    /// Verified domain to tenant id.
    domains: Arc<HashMap<String, String>>,
    environments: IndexMap<String, Arc<Environment>>,
    organizations: IndexMap<String, Arc<Organization>>,
    generation: u64,
}

/// Why an edit was not made. The world it was for is unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// An edit names a place that is not there, or one that does not take it.
    Refused {
        /// Which edit of the patch, from 0.
        edit: usize,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A `test` that does not hold.
    TestFailed {
        /// Which edit of the patch, from 0.
        edit: usize,
        /// What is there instead.
        problem: Problem,
    },
    /// Every edit could be made, but the result is not a world.
    World(WorldError),
}

impl EditError {
    /// Everything that is wrong; at least one.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Refused { problem, .. } | Self::TestFailed { problem, .. } => std::slice::from_ref(problem),
            Self::World(error) => &error.problems,
        }
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { edit, problem } => write!(formatter, "edit {}: {problem}", edit + 1),
            Self::TestFailed { edit, problem } => {
                write!(formatter, "edit {}: test failed: {problem}", edit + 1)
            }
            Self::World(error) => write_lines(formatter, &error.problems),
        }
    }
}

impl std::error::Error for EditError {}

impl From<WorldError> for EditError {
    fn from(error: WorldError) -> Self {
        Self::World(error)
    }
}

impl World {
    /// The default world: Contoso, healthy, with published ids and shipped keys.
    pub fn contoso() -> Result<Self, WorldError> {
        let outside = |error: &dyn fmt::Display| Problem::new(Setting::fixed(""), error.to_string());
        let declaration = Declaration::from_yaml("contoso.yaml", CONTOSO).map_err(|error| outside(&error))?;
        let web_config =
            WebConfig::parse("web.config", CONTOSO_WEB_CONFIG.to_vec()).map_err(|error| outside(&error))?;
        let wif_config =
            WifConfig::parse("wif.config", CONTOSO_WIF_CONFIG.to_vec()).map_err(|error| outside(&error))?;
        let artefacts =
            Artefacts::none().with_web_config("onebox", web_config).with_wif_config("onebox", wif_config);
        Self::compile(declaration, artefacts, Origins::all_from(Origin::Default))
    }

    /// Compiles a declaration with the files of its environments.
    ///
    /// Where an environment declares no `web_config` (or no audience), it takes over what its file says; where it
    /// declares some, that is the whole truth and the file is edited to say it.
    pub fn compile(
        declaration: Declaration,
        artefacts: Artefacts,
        origins: Origins,
    ) -> Result<Self, WorldError> {
        let strangers: Problems = artefacts
            .pointers()
            .filter_map(|pointer| {
                let environment = pointer.segments().nth(1)?;
                (!declaration.environments.contains_key(&environment)).then(|| {
                    Problem::new(pointer, format!("there is no environment `{}`", clip(&environment)))
                        .hint(one_of(&environment, declaration.environments.keys().map(String::as_str)))
                })
            })
            .collect();
        if !strangers.is_empty() {
            return Err(WorldError { problems: strangers });
        }
        Self::build(declaration, artefacts, origins, None)
    }

    /// The next snapshot, with these edits made in order, all or none.
    ///
    /// Keys of `web_config` and audiences of `wif_config` become splices in their files.
    pub fn edited(&self, patch: &[Edit], by: EditedBy) -> Result<Self, EditError> {
        let mut view = self.view.clone();
        let mut touched = Vec::with_capacity(patch.len());
        for (edit, operation) in patch.iter().enumerate() {
            patch::apply(&mut view, operation, &mut touched).map_err(|refusal| match refusal {
                Refusal::Place(problem) => EditError::Refused { edit, problem },
                Refusal::Test(problem) => EditError::TestFailed { edit, problem },
            })?;
        }
        let parts = Parts::of(&touched);
        let declaration = parts.redeclared(&self.declaration, &view)?;
        let mut artefacts = self.artefacts.clone();
        for id in self.environments.keys().filter(|id| !declaration.environments.contains_key(*id)) {
            artefacts.forget(id);
        }
        let mut origins = self.origins.clone();
        let origin = Origin::from(by);
        for setting in &touched {
            origins.note(setting, origin.clone());
        }
        Ok(Self::build(declaration, artefacts, origins, Some(Previous { world: self, parts: &parts, view }))?)
    }

    /// What a person wrote, completed.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// The declaration as JSON: what edits are made on.
    pub fn view(&self) -> &Value {
        &self.view
    }

    /// The declared value at a pointer (RFC 6901). An element of a list of texts is addressed by its own value; an index
    /// names nothing.
    pub fn get(&self, setting: &Setting) -> Option<&Value> {
        patch::find(&self.view, setting).ok()
    }

    /// Where a declared value came from; also for one that is not there.
    pub fn origin(&self, setting: &Setting) -> Origin {
        self.artefacts.origin(setting).unwrap_or_else(|| self.origins.of(setting).clone())
    }

    /// All tenants, in the order declared.
    pub fn tenants(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        self.tenants.values()
    }

    /// The tenant of this id or verified domain, in any letter case.
    pub fn tenant(&self, id_or_domain: &str) -> Option<&Arc<Tenant>> {
        let name = folded(id_or_domain);
        self.tenants
            .get(name.as_ref())
            .or_else(|| self.domains.get(name.as_ref()).and_then(|id| self.tenants.get(id)))
    }

    /// The environment of this short name.
    pub fn environment(&self, id: &str) -> Option<&Arc<Environment>> {
        self.environments.get(id)
    }

    /// All environments, in the order declared.
    pub fn environments(&self) -> impl Iterator<Item = &Arc<Environment>> {
        self.environments.values()
    }

    /// The organisation of this short name (its key, not its GUID).
    pub fn organization(&self, id: &str) -> Option<&Arc<Organization>> {
        self.organizations.get(id)
    }

    /// All organisations, in the order declared.
    pub fn organizations(&self) -> impl Iterator<Item = &Arc<Organization>> {
        self.organizations.values()
    }

    /// The file at `/environments/<id>/web_config` or `/environments/<id>/wif_config`.
    pub fn artefact(&self, pointer: &Setting) -> Option<&Artefact> {
        self.artefacts.get(pointer).map(Arc::as_ref)
    }

    /// All files of this world.
    pub fn artefacts(&self) -> &Artefacts {
        &self.artefacts
    }

    /// How many edits lie between this snapshot and the one that was compiled first, which has 0.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The name of the file at a pointer.
    pub(crate) fn artefact_file(&self, pointer: &Setting) -> Option<&str> {
        self.artefact(pointer).map(Artefact::name)
    }

    fn build(
        mut declaration: Declaration,
        mut artefacts: Artefacts,
        origins: Origins,
        previous: Option<Previous<'_>>,
    ) -> Result<Self, WorldError> {
        let mut problems = Problems::new();
        let before = previous.as_ref().map(|previous| previous.world);
        let all = Parts::all();
        let parts = previous.as_ref().map_or(&all, |previous| previous.parts);

        let tenants = match before {
            Some(world) if parts.tenants.is_empty() => Arc::clone(&world.tenants),
            _ => Arc::new(
                declaration
                    .tenants
                    .iter()
                    .map(|(id, declared)| {
                        let was = before.and_then(|world| {
                            Some((world.declaration.tenants.get(id)?, world.tenants.get(id)?))
                        });
                        let compiled = match was {
                            Some((_, compiled)) if !parts.tenants.has(id) => Arc::clone(compiled),
                            _ => {
                                let was = was.map(|(declared, compiled)| Before {
                                    declared,
                                    compiled: compiled.as_ref(),
                                });
                                Arc::new(compile::tenant(id, declared, was.as_ref(), &mut problems))
                            }
                        };
                        (id.clone(), compiled)
                    })
                    .collect::<IndexMap<_, _>>(),
            ),
        };
        let domains = match before {
            Some(world) if parts.tenants.is_empty() => Arc::clone(&world.domains),
            _ => {
                compile::domains(&declaration, &mut problems);
                let domains = tenants.values();
                Arc::new(
                    domains
                        .flat_map(|tenant| {
                            tenant.domains.iter().map(|domain| (domain.clone(), tenant.id.clone()))
                        })
                        .collect(),
                )
            }
        };

        let mut environments = IndexMap::with_capacity(declaration.environments.len());
        for (id, declared) in &mut declaration.environments {
            let was = before.and_then(|world| {
                Some((world.declaration.environments.get(id)?, world.environments.get(id)?))
            });
            let compiled = match was {
                Some((_, compiled)) if !parts.environments.has(id) => Arc::clone(compiled),
                _ => {
                    compile::complete(declared);
                    let Some(files) = artefacts.reconcile(id, declared, before.is_none(), &mut problems)
                    else {
                        continue;
                    };
                    let was =
                        was.map(|(declared, compiled)| Before { declared, compiled: compiled.as_ref() });
                    Arc::new(compile::environment(id, declared, files, was.as_ref(), &mut problems))
                }
            };
            environments.insert(id.clone(), compiled);
        }

        let mut organizations = IndexMap::with_capacity(declaration.organizations.len());
        for (key, declared) in &declaration.organizations {
            let was = before.and_then(|world| {
                Some((world.declaration.organizations.get(key)?, world.organizations.get(key)?))
            });
            let compiled = match was {
                Some((_, compiled)) if !parts.organizations.has(key) => Arc::clone(compiled),
                _ => {
                    let was =
                        was.map(|(declared, compiled)| Before { declared, compiled: compiled.as_ref() });
                    Arc::new(compile::organization(key, declared, was.as_ref(), &mut problems))
                }
            };
            organizations.insert(key.clone(), compiled);
        }

        compile::hosts_and_tenants(&declaration, &mut problems);
        compile::caller(&declaration, &mut problems);
        let generation = before.map_or(0, |world| world.generation + 1);
        let view = match previous {
            Some(Previous { mut view, parts, .. }) => {
                parts.write(&declaration, &mut view, &mut problems);
                view
            }
            None => parts::json(&declaration, &Setting::fixed(""), &mut problems),
        };
        if problems.is_empty() {
            Ok(Self {
                declaration,
                view,
                origins,
                artefacts,
                tenants,
                domains,
                environments,
                organizations,
                generation,
            })
        } else {
            Err(WorldError { problems })
        }
    }
}

/// Without the declaration: it holds secrets, and what is printed ends in logs.
impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("World")
            .field("generation", &self.generation)
            .field("tenants", &self.tenants.len())
            .field("environments", &self.environments.keys())
            .field("organizations", &self.organizations.keys())
            .finish_non_exhaustive()
    }
}

/// The snapshot an edit begins with, what it touched, and the view it made.
struct Previous<'w> {
    world: &'w World,
    parts: &'w Parts,
    view: Value,
}

fn folded(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
