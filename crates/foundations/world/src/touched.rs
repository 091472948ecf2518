//! What an edit touched, and reading it again.
//!
//! Decides from pointers which parts an edit has to see and which it changed: the first are put into the view it works
//! on, the second are read from that view again. Never decides whether what it read is right.

use std::collections::BTreeSet;
use std::sync::Arc;

use mocktenant_verdict::Setting;
use serde_json::Value;

use crate::compile::Problems;
use crate::parts::{Compiled, Parts};
use crate::pointers::{CALLER, ENVIRONMENTS, FEDERATION_SERVICES, ORGANIZATIONS, TENANTS};
use mocktenant_patch::Problem;
use mocktenant_patch::document::{NO_MEMBER, part};
use mocktenant_patch::nearest::{clip, one_of};

const MEMBERS: [&str; 5] = [TENANTS, FEDERATION_SERVICES, ENVIRONMENTS, ORGANIZATIONS, CALLER];

/// Some parts of a collection, or the collection itself.
pub(crate) enum Ids {
    All,
    Some(BTreeSet<String>),
}

impl Ids {
    fn none() -> Self {
        Self::Some(BTreeSet::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Some(ids) if ids.is_empty())
    }

    fn add(&mut self, id: Option<String>) {
        match (self, id) {
            (Self::Some(ids), Some(id)) => {
                ids.insert(id);
            }
            (this, None) => *this = Self::All,
            (Self::All, Some(_)) => {}
        }
    }
}

/// Which parts of the declaration pointers are in.
pub(crate) struct Touched {
    pub(crate) tenants: Ids,
    pub(crate) federation_services: Ids,
    pub(crate) environments: Ids,
    pub(crate) organizations: Ids,
    pub(crate) caller: bool,
}

impl Touched {
    pub(crate) fn all() -> Self {
        Self {
            tenants: Ids::All,
            federation_services: Ids::All,
            environments: Ids::All,
            organizations: Ids::All,
            caller: true,
        }
    }

    /// What these pointers are in.
    pub(crate) fn by<'s>(pointers: impl IntoIterator<Item = &'s Setting>) -> Self {
        let mut touched = Self {
            tenants: Ids::none(),
            federation_services: Ids::none(),
            environments: Ids::none(),
            organizations: Ids::none(),
            caller: false,
        };
        for pointer in pointers {
            let mut segments = pointer.segments();
            match segments.next().as_deref() {
                Some(TENANTS) => touched.tenants.add(segments.next()),
                Some(FEDERATION_SERVICES) => touched.federation_services.add(segments.next()),
                Some(ENVIRONMENTS) => touched.environments.add(segments.next()),
                Some(ORGANIZATIONS) => touched.organizations.add(segments.next()),
                Some(CALLER) => touched.caller = true,
                // The whole declaration, or a stranger beside its members.
                _ => return Self::all(),
            }
        }
        touched
    }
}

/// What became of a collection: new parts, changed parts, and `None` for those that are gone.
pub(crate) enum Changes<D> {
    None,
    /// It was made anew and holds these.
    All(Vec<(Arc<str>, Option<Arc<D>>)>),
    /// These changed.
    Some(Vec<(Arc<str>, Option<Arc<D>>)>),
}

impl<D: Clone> Changes<D> {
    /// Has these parts count as changed, whatever they say.
    pub(crate) fn renew(&mut self, which: impl Fn(&str) -> bool) {
        let (Self::All(changes) | Self::Some(changes)) = self else { return };
        for (_, declared) in changes.iter_mut().filter(|(id, _)| which(id)) {
            *declared = declared.take().map(|declared| Arc::new(D::clone(&declared)));
        }
    }
}

impl<D> Changes<D> {
    /// A collection as declared for the first time.
    pub(crate) fn first(declared: impl IntoIterator<Item = (String, Arc<D>)>) -> Self {
        Self::All(declared.into_iter().map(|(id, part)| (id.into(), Some(part))).collect())
    }
}

/// Reads the touched parts of a collection from an edited view. What is declared as `before` is taken from there.
pub(crate) fn read<C: Compiled>(
    ids: &Ids,
    view: &Value,
    before: &Parts<C>,
    problems: &mut Problems,
) -> Changes<C::Declared> {
    if ids.is_empty() {
        return Changes::None;
    }
    let collection = || Setting::of([C::COLLECTION]);
    let elements = match view.get(C::COLLECTION) {
        Some(Value::Object(elements)) => elements,
        Some(_) => {
            problems.push(Problem::new(collection(), "takes a map, by id"));
            return Changes::None;
        }
        None => {
            let problem = Problem::new(collection(), "cannot be missing");
            problems.push(problem.hint("`{}` is none of them".to_owned()));
            return Changes::None;
        }
    };
    let mut take = |id: &str, value: &Value| {
        let declared: C::Declared = match part(value, || collection().join(id)) {
            Ok(declared) => declared,
            Err(problem) => {
                problems.push(problem);
                return None;
            }
        };
        Some(match before.get(id).map(|part| part.declared()) {
            Some(before) if **before == declared => Arc::clone(before),
            Some(before) => {
                let mut declared = declared;
                C::rejoin(&mut declared, before);
                Arc::new(declared)
            }
            None => Arc::new(declared),
        })
    };
    match ids {
        Ids::All => {
            Changes::All(elements.iter().map(|(id, value)| (id.as_str().into(), take(id, value))).collect())
        }
        Ids::Some(ids) => Changes::Some(
            ids.iter()
                .map(|id| (id.as_str().into(), elements.get(id).and_then(|value| take(id, value))))
                .collect(),
        ),
    }
}

/// Members beside those of a declaration.
pub(crate) fn strangers(view: &Value, problems: &mut Problems) {
    let Value::Object(members) = view else { return };
    for member in members.keys().filter(|member| !MEMBERS.contains(&member.as_str())) {
        let message = format!("{NO_MEMBER} `{}` here", clip(member));
        problems.push(Problem::new(Setting::of([member.as_str()]), message).hint(one_of(member, MEMBERS)));
    }
}
