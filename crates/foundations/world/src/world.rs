//! The snapshot, and how an edit makes the next one.
//!
//! Decides that a world never changes: an edit is RFC 6902 on the view, then the parts it touched are read, spliced into
//! their files and compiled again, and every other part is shared with the snapshot before. The caller swaps snapshots
//! whole. Never decides when a product notices: what an AOS read at its start is the AOS's own.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use mocktenant_artefacts::{Artefact, AxsfPackage, WebConfig, WifConfig};
use mocktenant_patch::{Edit, Problem};
use mocktenant_verdict::Setting;
use serde_json::Value;

use crate::compile::{self, Problems};
use crate::compiled::{Environment, Organization, Tenant, by_folded};
use crate::declaration::{self, Caller, Declaration};
use crate::federation_service::FederationService;
use crate::files::{self, Artefacts};
use crate::origin::{EditedBy, Origin, Origins};
use crate::parts::{self, Parts};
use crate::pointers::{self, CALLER, ENVIRONMENTS, FEDERATION_SERVICES, File, ORGANIZATIONS, TENANTS};
use crate::problem::{EditError, WorldError};
use crate::touched::{self, Changes, Ids, Touched};
use mocktenant_patch::nearest::{clip, one_of};

/// `assets/contoso.yaml` as the build script read it.
const CONTOSO: &str = include_str!(concat!(env!("OUT_DIR"), "/contoso.json"));
const CONTOSO_WEB_CONFIG: &[u8] = include_bytes!("../assets/web.config");
const CONTOSO_WIF_CONFIG: &[u8] = include_bytes!("../assets/wif.config");
const CONTOSO_AXSF: &[u8] = include_bytes!("../assets/AXSF.Package.1.0.xml");

/// The declaration compiled: validated, indexed, keys parsed. Immutable; share it in an `Arc`.
#[derive(Clone)]
pub struct World {
    tenants: Parts<Tenant>,
    /// Verified domain to tenant id.
    domains: Arc<HashMap<String, Arc<str>>>,
    federation_services: Parts<FederationService>,
    environments: Parts<Environment>,
    organizations: Parts<Organization>,
    caller: Arc<Caller>,
    caller_view: Arc<Value>,
    origins: Origins,
    generation: u64,
}

impl World {
    /// The default world: Contoso, healthy, with published ids and shipped keys.
    pub fn contoso() -> Result<Self, WorldError> {
        let outside = |error: &dyn fmt::Display| Problem::new(Setting::fixed(""), error.to_string());
        let declaration =
            Declaration::from_built("contoso.yaml", CONTOSO).map_err(|error| outside(&error))?;
        let web_config =
            WebConfig::parse("web.config", CONTOSO_WEB_CONFIG.to_vec()).map_err(|error| outside(&error))?;
        let wif_config =
            WifConfig::parse("wif.config", CONTOSO_WIF_CONFIG.to_vec()).map_err(|error| outside(&error))?;
        let axsf = AxsfPackage::parse(File::Axsf.usual_name(), CONTOSO_AXSF.to_vec())
            .map_err(|error| outside(&error))?;
        let artefacts = Artefacts::none()
            .with_web_config("onebox", web_config)
            .with_wif_config("onebox", wif_config)
            .with_axsf("onprem", axsf);
        Self::compile(declaration, artefacts, Origins::all_from(Origin::Default))
    }

    /// Compiles a declaration with the files of its environments.
    ///
    /// Where an environment declares no `web_config` (or no audience), it takes over what its file says; where it
    /// declares some, that is the whole truth and the file is edited to say it. Where it has neither member nor file, it has
    /// no such file.
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
        let mut problems = Problems::new();
        let caller_view = parts::json(&*declaration.caller, || pointers::caller().into(), &mut problems);
        let empty = Self {
            tenants: Parts::none(),
            domains: Arc::default(),
            federation_services: Parts::none(),
            environments: Parts::none(),
            organizations: Parts::none(),
            caller: declaration.caller,
            caller_view: Arc::new(caller_view),
            origins,
            generation: 0,
        };
        let changes = AllChanges {
            tenants: Changes::first(declaration.tenants),
            federation_services: Changes::first(declaration.federation_services),
            environments: Changes::first(declaration.environments),
            organizations: Changes::first(declaration.organizations),
        };
        empty.changed(changes, artefacts, problems)
    }

    /// The next snapshot, with these edits made in order, all or none.
    ///
    /// Keys of `web_config` and audiences of `wif_config` become splices in their files. Read, compiled and shown anew are
    /// the parts the edits are about; of the rest of a collection only the list of pointers is copied.
    pub fn edited(&self, patch: &[Edit], by: EditedBy) -> Result<Self, EditError> {
        mocktenant_patch::check(patch).map_err(|refused| EditError::of(refused, |problem| problem))?;
        let pointers = patch.iter().flat_map(|edit| std::iter::once(&edit.path).chain(&edit.from));
        let (mut view, settings) = match self.patched(patch, &Touched::by(pointers)) {
            Ok(patched) => patched,
            Err(beyond @ EditError::OverBudget { .. }) => return Err(beyond),
            // A refusal names the nearest thing that exists, so everything that does has to be in sight.
            Err(_) => self.patched(patch, &Touched::all())?,
        };
        let touched = Touched::by(&settings);
        let mut problems = Problems::new();
        touched::strangers(&view, &mut problems);
        let given = Artefacts::taken_from(&mut view, &mut problems);
        let mut changes = AllChanges {
            tenants: touched::read(&touched.tenants, &view, &self.tenants, &mut problems),
            federation_services: touched::read(
                &touched.federation_services,
                &view,
                &self.federation_services,
                &mut problems,
            ),
            environments: touched::read(&touched.environments, &view, &self.environments, &mut problems),
            organizations: touched::read(&touched.organizations, &view, &self.organizations, &mut problems),
        };
        // Another file that says the same is another file.
        changes.environments.renew(|id| given.has(id));
        let mut next = self.clone();
        if touched.caller {
            let at = || pointers::caller().setting();
            match view.get(CALLER).map(|value| mocktenant_patch::document::part::<Caller>(value, at)) {
                Some(Ok(written)) => {
                    next.caller_view = Arc::new(parts::json(&written, at, &mut problems));
                    next.caller = Arc::new(written);
                }
                Some(Err(problem)) => problems.push(problem),
                None => problems.push(Problem::new(at(), "the caller cannot be missing")),
            }
        }
        if !problems.is_empty() {
            return Err(WorldError { problems }.into());
        }
        let origin = Origin::from(by);
        for setting in &settings {
            if mocktenant_patch::value_at(&view, setting.as_str()).is_some() {
                next.origins.note(setting, origin.clone());
            } else {
                next.origins.note_gone(setting, origin.clone());
            }
        }
        next.generation += 1;
        Ok(next.changed(changes, given, problems)?)
    }

    /// The next snapshot, with one tenant, environment or organisation as it is in `base`, files and origins included; a
    /// part that `base` does not have goes. A pointer to anything else changes nothing.
    pub fn restored(&self, base: &Self, part: &Setting) -> Result<Self, WorldError> {
        let mut next = self.clone();
        let mut segments = part.segments();
        if let (Some(collection), Some(id)) = (segments.next(), segments.next()) {
            match collection.as_str() {
                TENANTS => next.tenants.restore(&id, &base.tenants),
                FEDERATION_SERVICES => next.federation_services.restore(&id, &base.federation_services),
                ENVIRONMENTS => next.environments.restore(&id, &base.environments),
                ORGANIZATIONS => next.organizations.restore(&id, &base.organizations),
                _ => {}
            }
        }
        let mut problems = Problems::new();
        next.domains = Arc::new(compile::domains(&next.tenants, &mut problems));
        next.ask_between_parts(&mut problems);
        compile::caller(&next.caller, &next.environments, &mut problems);
        next.origins.restore(part, &base.origins);
        next.generation += 1;
        if problems.is_empty() { Ok(next) } else { Err(WorldError { problems }) }
    }

    /// Whether the map at this place takes any name (the keys of a file, the tenants by id); else the declaration knows every
    /// member there can be. Asked of the declaration itself, with a name that nobody declares.
    pub fn is_open(&self, at: &Setting) -> bool {
        let stranger = Edit::add(at.join("\u{1}nobody"), Value::Null);
        match self.edited(&[stranger], EditedBy::Control) {
            Ok(_) => true,
            Err(error) => {
                error.problems().iter().all(|problem| !mocktenant_patch::document::is_unknown(problem))
            }
        }
    }

    /// What a person wrote, completed: put together from the parts. Whoever needs one part asks for that.
    pub fn declaration(&self) -> Declaration {
        Declaration {
            tenants: self.tenants.declared(),
            federation_services: self.federation_services.declared(),
            environments: self.environments.declared(),
            organizations: self.organizations.declared(),
            caller: Arc::clone(&self.caller),
        }
    }

    /// The declaration as JSON: what edits are made on. Put together from the parts, so for a large world it is large.
    pub fn view(&self) -> Value {
        self.view_of(&Touched::all())
    }

    /// The declared value at a pointer (RFC 6901). An element of a list of texts is addressed by its own value; an index
    /// names nothing. A collection of parts (`/tenants`) and the declaration itself are no single value: see
    /// [`Self::read`].
    pub fn get(&self, setting: &Setting) -> Option<&Value> {
        let pointer = setting.as_str().strip_prefix('/')?;
        let (member, pointer) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
        if member == CALLER {
            return mocktenant_patch::value_at(&self.caller_view, pointer);
        }
        let pointer = pointer.strip_prefix('/')?;
        let (_, below) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
        let id = setting.segments().nth(1)?;
        let view = match member {
            TENANTS => self.tenants.view(&id),
            FEDERATION_SERVICES => self.federation_services.view(&id),
            ENVIRONMENTS => self.environments.view(&id),
            ORGANIZATIONS => self.organizations.view(&id),
            _ => None,
        };
        mocktenant_patch::value_at(view?, below)
    }

    /// [`Self::get`], and the same for a collection of parts and the declaration itself, which are put together.
    pub fn read(&self, setting: &Setting) -> Option<Cow<'_, Value>> {
        let whole = match setting.as_str() {
            "" => return Some(Cow::Owned(self.view())),
            other => other.strip_prefix('/')?,
        };
        match whole {
            TENANTS => Some(Cow::Owned(self.tenants.view_of(&Ids::All))),
            FEDERATION_SERVICES => Some(Cow::Owned(self.federation_services.view_of(&Ids::All))),
            ENVIRONMENTS => Some(Cow::Owned(self.environments.view_of(&Ids::All))),
            ORGANIZATIONS => Some(Cow::Owned(self.organizations.view_of(&Ids::All))),
            _ => self.get(setting).map(Cow::Borrowed),
        }
    }

    /// Where a declared value came from; also for one that is not there.
    pub fn origin(&self, setting: &Setting) -> Origin {
        let segments: Vec<String> = setting.segments().take(5).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let in_file = match segments.as_slice() {
            [ENVIRONMENTS, id, rest @ ..] => {
                self.environments.get(id).and_then(|environment| environment.files().origin(rest))
            }
            _ => None,
        };
        in_file.unwrap_or_else(|| self.origins.of(setting).clone())
    }

    /// All tenants, in the order declared.
    pub fn tenants(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        self.tenants.iter()
    }

    /// The tenant of this id or verified domain, in any letter case.
    pub fn tenant(&self, id_or_domain: &str) -> Option<&Arc<Tenant>> {
        by_folded(id_or_domain, |name| {
            self.tenants.get(name).or_else(|| self.tenants.get(self.domains.get(name)?))
        })
    }

    /// The federation service of this short name or host name, in any letter case.
    pub fn federation_service(&self, id_or_host: &str) -> Option<&Arc<FederationService>> {
        self.federation_services.get(id_or_host).or_else(|| {
            self.federation_services.iter().find(|service| service.host.eq_ignore_ascii_case(id_or_host))
        })
    }

    /// All federation services, in the order declared. The first is the one on localhost.
    pub fn federation_services(&self) -> impl Iterator<Item = &Arc<FederationService>> {
        self.federation_services.iter()
    }

    /// The environment of this short name.
    pub fn environment(&self, id: &str) -> Option<&Arc<Environment>> {
        self.environments.get(id)
    }

    /// All environments, in the order declared.
    pub fn environments(&self) -> impl Iterator<Item = &Arc<Environment>> {
        self.environments.iter()
    }

    /// The organisation of this short name (its key, not its GUID).
    pub fn organization(&self, id: &str) -> Option<&Arc<Organization>> {
        self.organizations.get(id)
    }

    /// All organisations, in the order declared.
    pub fn organizations(&self) -> impl Iterator<Item = &Arc<Organization>> {
        self.organizations.iter()
    }

    /// The organisation an environment is linked with: the one whose host its Dual Write writes to. None where the link
    /// names no organisation of this world.
    pub fn linked_organization(&self, environment: &Environment) -> Option<&Arc<Organization>> {
        let url = environment.database.dual_write.as_ref()?.external_environment_url.trim();
        let (_, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#', ':']).next()?;
        let is = |name: &str| name.eq_ignore_ascii_case(host);
        self.organizations().find(|organization| is(&organization.host) || is(&organization.api_host))
    }

    /// The client a scenario drives.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// The file at `/environments/<id>/web_config`, `.../wif_config` or `.../axsf`.
    pub fn artefact(&self, pointer: &Setting) -> Option<&Artefact> {
        let mut segments = pointer.segments();
        let (collection, id, member) = (segments.next()?, segments.next()?, segments.next()?);
        if collection != ENVIRONMENTS || segments.next().is_some() {
            return None;
        }
        self.environments.get(&id)?.file(File::of_member(&member)?)
    }

    /// All files of this world.
    pub fn artefacts(&self) -> Artefacts {
        let mut artefacts = Artefacts::none();
        for environment in self.environments.iter() {
            artefacts.insert(&environment.id, environment.files());
        }
        artefacts
    }

    /// How many edits lie between this snapshot and the one that was compiled first, which has 0.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The parts of the view that are in sight.
    fn view_of(&self, sight: &Touched) -> Value {
        let mut view = serde_json::Map::new();
        for (name, ids, collection) in [
            (TENANTS, &sight.tenants, self.tenants.view_of(&sight.tenants)),
            (
                FEDERATION_SERVICES,
                &sight.federation_services,
                self.federation_services.view_of(&sight.federation_services),
            ),
            (ENVIRONMENTS, &sight.environments, self.environments.view_of(&sight.environments)),
            (ORGANIZATIONS, &sight.organizations, self.organizations.view_of(&sight.organizations)),
        ] {
            if !ids.is_empty() {
                view.insert(name.to_owned(), collection);
            }
        }
        if sight.caller {
            view.insert(CALLER.to_owned(), Value::clone(&self.caller_view));
        }
        Value::Object(view)
    }

    /// Makes edits on what is in sight: the view they leave, and the settings they changed.
    fn patched(&self, patch: &[Edit], sight: &Touched) -> Result<(Value, Vec<Setting>), EditError> {
        let mut view = self.view_of(sight);
        match mocktenant_patch::apply(&mut view, patch) {
            Ok(settings) => Ok((view, settings)),
            Err(refused) => Err(EditError::of(refused, |problem| files::explained(problem, &view))),
        }
    }

    /// This snapshot with changed parts, compiled and asked whatever concerns them.
    fn changed(
        self,
        changes: AllChanges,
        mut artefacts: Artefacts,
        mut problems: Problems,
    ) -> Result<Self, WorldError> {
        let (tenants, domains_changed) =
            self.tenants.changed(changes.tenants, compile::tenant, &mut problems);
        let domains =
            if domains_changed { Arc::new(compile::domains(&tenants, &mut problems)) } else { self.domains };
        let (environments, hosts_changed) = self.environments.changed(
            changes.environments,
            |id, declared, before, problems| {
                compile::environment(id, declared, artefacts.take(id), before, problems)
            },
            &mut problems,
        );
        let (federation_services, services_changed) = self.federation_services.changed(
            changes.federation_services,
            compile::federation_service,
            &mut problems,
        );
        let (organizations, names_changed) = self.organizations.changed(
            changes.organizations,
            |key, declared, _, problems| compile::organization(key, declared, problems),
            &mut problems,
        );
        let next = Self { tenants, domains, federation_services, environments, organizations, ..self };
        if domains_changed || services_changed || hosts_changed || names_changed {
            next.ask_between_parts(&mut problems);
        }
        compile::caller(&next.caller, &next.environments, &mut problems);
        if problems.is_empty() { Ok(next) } else { Err(WorldError { problems }) }
    }

    fn ask_between_parts(&self, problems: &mut Problems) {
        compile::hosts_and_providers(
            &self.tenants,
            &self.federation_services,
            &self.environments,
            &self.organizations,
            problems,
        );
    }
}

/// What became of every collection.
struct AllChanges {
    tenants: Changes<declaration::Tenant>,
    federation_services: Changes<declaration::FederationService>,
    environments: Changes<declaration::Environment>,
    organizations: Changes<declaration::Organization>,
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("World")
            .field("generation", &self.generation)
            .field("tenants", &self.tenants.len())
            .field("federation_services", &self.federation_services.ids().collect::<Vec<_>>())
            .field("environments", &self.environments.ids().collect::<Vec<_>>())
            .field("organizations", &self.organizations.ids().collect::<Vec<_>>())
            .field("origins", &self.origins.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_build_read_of_the_default_world_is_what_the_strict_reader_reads() {
        let read = Declaration::from_yaml("contoso.yaml", include_str!("../assets/contoso.yaml"));
        assert_eq!(Declaration::from_built("contoso.yaml", CONTOSO), read);
        assert!(read.is_ok());
    }
}
