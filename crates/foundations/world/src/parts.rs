//! The parts of a world: each tenant, environment and organisation, compiled, with its view.
//!
//! Decides what is shared between snapshots: a part that an edit leaves as it was is the same `Arc` in both, a collection
//! none of whose parts changed is the same map, and inside a part that did change, what is declared as before is held
//! once. Never decides whether a part is right.

use std::sync::Arc;

use indexmap::IndexMap;
use mocktenant_verdict::Setting;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::compile::Problems;
use crate::compiled::{Environment, Organization, Tenant};
use crate::declaration;
use crate::federation_service::FederationService;
use crate::pointers::{ENVIRONMENTS, FEDERATION_SERVICES, ORGANIZATIONS, TENANTS};
use crate::touched::{Changes, Ids};
use mocktenant_patch::Problem;

/// What compiled parts have in common.
pub(crate) trait Compiled {
    /// What a person wrote of it.
    type Declared: Serialize + DeserializeOwned + PartialEq;

    /// The member of the declaration such parts are in.
    const COLLECTION: &'static str;

    /// What a person wrote, completed.
    fn declared(&self) -> &Arc<Self::Declared>;

    /// What questions between parts are about: names that may be there once or have to be there. While these are as
    /// before, such questions have the answers they had.
    fn public_names(&self) -> Vec<&str>;

    /// Takes over from `before` whatever is declared as it was, so that it is held once.
    fn rejoin(declared: &mut Self::Declared, before: &Self::Declared);
}

/// One part and what a person sees of it.
#[derive(Debug)]
struct Part<C> {
    compiled: Arc<C>,
    view: Arc<Value>,
}

impl<C> Clone for Part<C> {
    fn clone(&self) -> Self {
        Self { compiled: Arc::clone(&self.compiled), view: Arc::clone(&self.view) }
    }
}

/// One collection of parts in the order declared. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Parts<C>(Arc<IndexMap<Arc<str>, Part<C>>>);

impl<C> Clone for Parts<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Compiled> Parts<C> {
    pub(crate) fn none() -> Self {
        Self(Arc::new(IndexMap::new()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<C>> {
        self.0.values().map(|part| &part.compiled)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(AsRef::as_ref)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Arc<C>> {
        self.0.get(id).map(|part| &part.compiled)
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What a person sees of one part.
    pub(crate) fn view(&self, id: &str) -> Option<&Value> {
        self.0.get(id).map(|part| &*part.view)
    }

    /// What a person sees of these parts, as a collection.
    pub(crate) fn view_of(&self, ids: &Ids) -> Value {
        let shown = |(id, part): (&Arc<str>, &Part<C>)| (id.to_string(), Value::clone(&part.view));
        let view: Map<String, Value> = match ids {
            Ids::All => self.0.iter().map(shown).collect(),
            Ids::Some(ids) => {
                ids.iter().filter_map(|id| self.0.get_key_value(id.as_str())).map(shown).collect()
            }
        };
        Value::Object(view)
    }

    /// One part as it is in `base`; gone if it is not there.
    pub(crate) fn restore(&mut self, id: &str, base: &Self) {
        let parts = Arc::make_mut(&mut self.0);
        match base.0.get_key_value(id) {
            Some((id, part)) => {
                parts.insert(Arc::clone(id), part.clone());
            }
            None => {
                parts.shift_remove(id);
            }
        }
    }

    /// What a person wrote, by id.
    pub(crate) fn declared(&self) -> IndexMap<String, Arc<C::Declared>> {
        self.iter_with_ids().map(|(id, part)| (id.to_owned(), Arc::clone(part.declared()))).collect()
    }

    pub(crate) fn iter_with_ids(&self) -> impl Iterator<Item = (&str, &Arc<C>)> {
        self.0.iter().map(|(id, part)| (&**id, &part.compiled))
    }

    /// The collection with these changes, and whether a public name came, went or moved.
    pub(crate) fn changed(
        &self,
        changes: Changes<C::Declared>,
        mut compile: impl FnMut(&Arc<str>, Arc<C::Declared>, Option<&C>, &mut Problems) -> C,
        problems: &mut Problems,
    ) -> (Self, bool) {
        let (mut parts, mut renamed, changes) = match changes {
            Changes::None => return (self.clone(), false),
            Changes::All(changes) => (IndexMap::with_capacity(changes.len()), true, changes),
            Changes::Some(changes) => (IndexMap::clone(&self.0), false, changes),
        };
        for (id, declared) in changes {
            let Some(declared) = declared else {
                renamed |= parts.shift_remove(&id).is_some();
                continue;
            };
            let before = self.0.get(&id);
            let part = match before {
                Some(before) if Arc::ptr_eq(before.compiled.declared(), &declared) => before.clone(),
                _ => {
                    let before = before.map(|part| part.compiled.as_ref());
                    let compiled = compile(&id, declared, before, problems);
                    renamed |= before.is_none_or(|was| was.public_names() != compiled.public_names());
                    let pointer = || Setting::of([C::COLLECTION, &id]);
                    let view = Arc::new(json(&**compiled.declared(), pointer, problems));
                    Part { compiled: Arc::new(compiled), view }
                }
            };
            parts.insert(id, part);
        }
        (Self(Arc::new(parts)), renamed)
    }
}

/// What is declared, as JSON. Every map of the declaration has text for keys, so this does not fail; if it did, it would
/// be said.
pub(crate) fn json<T: Serialize>(
    declared: &T,
    pointer: impl FnOnce() -> Setting,
    problems: &mut Problems,
) -> Value {
    serde_json::to_value(declared).unwrap_or_else(|error| {
        problems.push(Problem::new(pointer(), error.to_string()));
        Value::Null
    })
}

impl Compiled for Tenant {
    type Declared = declaration::Tenant;

    const COLLECTION: &'static str = TENANTS;

    fn declared(&self) -> &Arc<declaration::Tenant> {
        &self.declared
    }

    fn public_names(&self) -> Vec<&str> {
        self.domains.iter().map(String::as_str).collect()
    }

    fn rejoin(declared: &mut declaration::Tenant, before: &declaration::Tenant) {
        rejoin_all(&mut declared.applications, &before.applications);
        rejoin_all(&mut declared.users, &before.users);
    }
}

impl Compiled for FederationService {
    type Declared = declaration::FederationService;

    const COLLECTION: &'static str = FEDERATION_SERVICES;

    fn declared(&self) -> &Arc<declaration::FederationService> {
        &self.declared
    }

    fn public_names(&self) -> Vec<&str> {
        vec![&self.host]
    }

    fn rejoin(declared: &mut declaration::FederationService, before: &declaration::FederationService) {
        rejoin_all(&mut declared.users, &before.users);
        rejoin_all(&mut declared.application_groups, &before.application_groups);
    }
}

impl Compiled for Environment {
    type Declared = declaration::Environment;

    const COLLECTION: &'static str = ENVIRONMENTS;

    fn declared(&self) -> &Arc<declaration::Environment> {
        &self.declared
    }

    fn public_names(&self) -> Vec<&str> {
        let own = [self.declared.identity.as_str(), &self.host];
        let nodes = self.nodes.iter().filter_map(|node| node.host.as_deref());
        own.into_iter().chain(nodes).collect()
    }

    fn rejoin(declared: &mut declaration::Environment, before: &declaration::Environment) {
        rejoin_one(&mut declared.tables, &before.tables);
        rejoin_one(&mut declared.records, &before.records);
    }
}

impl Compiled for Organization {
    type Declared = declaration::Organization;

    const COLLECTION: &'static str = ORGANIZATIONS;

    fn declared(&self) -> &Arc<declaration::Organization> {
        &self.declared
    }

    fn public_names(&self) -> Vec<&str> {
        vec![&self.tenant, &self.id, &self.host, &self.api_host]
    }

    fn rejoin(declared: &mut declaration::Organization, before: &declaration::Organization) {
        rejoin_all(&mut declared.application_users, &before.application_users);
        rejoin_all(&mut declared.roles, &before.roles);
        rejoin_one(&mut declared.tables, &before.tables);
        rejoin_one(&mut declared.records, &before.records);
    }
}

fn rejoin_one<T: PartialEq>(declared: &mut Arc<T>, before: &Arc<T>) {
    if *declared == *before {
        *declared = Arc::clone(before);
    }
}

fn rejoin_all<T: PartialEq>(declared: &mut IndexMap<String, Arc<T>>, before: &IndexMap<String, Arc<T>>) {
    for (id, declared) in declared {
        if let Some(before) = before.get(id) {
            rejoin_one(declared, before);
        }
    }
}
