//! The parts of a declaration, and which of them an edit touched.
//!
//! Decides that a part is one tenant, one environment, one organisation or the caller: what an edit touched is read from
//! the edited view again, everything else is taken over as it was. Never decides whether a part is right.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use mocktenant_verdict::Setting;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::compile::Problems;
use crate::declaration::{Caller, Declaration};
use crate::document::hint_in;
use crate::nearest::{clip, one_of};
use crate::problem::{Problem, WorldError};

const TENANTS: &str = "tenants";
const ENVIRONMENTS: &str = "environments";
const ORGANIZATIONS: &str = "organizations";
const CALLER: &str = "caller";
const MEMBERS: [&str; 4] = [TENANTS, ENVIRONMENTS, ORGANIZATIONS, CALLER];

/// Which parts of a collection an edit touched.
pub(crate) enum Touched {
    All,
    Ids(BTreeSet<String>),
}

impl Touched {
    fn none() -> Self {
        Self::Ids(BTreeSet::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Ids(ids) if ids.is_empty())
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Ids(ids) => ids.contains(id),
        }
    }

    fn add(&mut self, id: Option<String>) {
        match (self, id) {
            (Self::Ids(ids), Some(id)) => {
                ids.insert(id);
            }
            (this, None) => *this = Self::All,
            (Self::All, Some(_)) => {}
        }
    }

    /// Takes the touched elements of a collection over from the view.
    fn read<T: DeserializeOwned>(
        &self,
        view: &Value,
        name: &str,
        declared: &mut IndexMap<String, T>,
        problems: &mut Problems,
    ) {
        if self.is_empty() {
            return;
        }
        let pointer = Setting::of([name]);
        let elements = match view.get(name) {
            Some(Value::Object(elements)) => elements,
            Some(_) => return problems.push(Problem::new(pointer, "takes a map, by id")),
            None => {
                return problems.push(
                    Problem::new(pointer, "cannot be missing").hint(Some("`{}` is none of them".to_owned())),
                );
            }
        };
        let mut take = |id: &str, value: &Value, declared: &mut IndexMap<String, T>| match read(
            value,
            &pointer.join(id),
        ) {
            Ok(element) => {
                declared.insert(id.to_owned(), element);
            }
            Err(problem) => problems.push(problem),
        };
        match self {
            Self::All => {
                declared.clear();
                elements.iter().for_each(|(id, value)| take(id, value, declared));
            }
            Self::Ids(ids) => {
                for id in ids {
                    match elements.get(id) {
                        Some(value) => take(id, value, declared),
                        None => {
                            declared.shift_remove(id);
                        }
                    }
                }
            }
        }
    }

    /// Puts the touched elements of a collection back into the view, completed as compiling completed them.
    fn write<T: Serialize>(
        &self,
        declared: &IndexMap<String, T>,
        name: &str,
        view: &mut Value,
        problems: &mut Problems,
    ) {
        let pointer = Setting::of([name]);
        if let Some(Value::Object(elements)) = view.get_mut(name) {
            for (id, element) in declared.iter().filter(|(id, _)| self.has(id)) {
                elements.insert(id.clone(), json(element, &pointer.join(id), problems));
            }
        }
    }
}

/// Which parts of the declaration an edit touched.
pub(crate) struct Parts {
    pub(crate) tenants: Touched,
    pub(crate) environments: Touched,
    pub(crate) organizations: Touched,
    caller: bool,
}

impl Parts {
    /// Everything, for a declaration that is compiled for the first time.
    pub(crate) fn all() -> Self {
        Self { tenants: Touched::All, environments: Touched::All, organizations: Touched::All, caller: true }
    }

    /// What these pointers are in.
    pub(crate) fn of(touched: &[Setting]) -> Self {
        let mut parts = Self {
            tenants: Touched::none(),
            environments: Touched::none(),
            organizations: Touched::none(),
            caller: false,
        };
        for setting in touched {
            let mut segments = setting.segments();
            match segments.next().as_deref() {
                Some(TENANTS) => parts.tenants.add(segments.next()),
                Some(ENVIRONMENTS) => parts.environments.add(segments.next()),
                Some(ORGANIZATIONS) => parts.organizations.add(segments.next()),
                Some(CALLER) => parts.caller = true,
                // The whole declaration; a stranger beside the four members is refused when the view is read.
                _ => parts = Self::all(),
            }
        }
        parts
    }

    /// Reads the touched parts of an edited view; every other part is as it was.
    pub(crate) fn redeclared(&self, before: &Declaration, view: &Value) -> Result<Declaration, WorldError> {
        let mut problems = Problems::new();
        if let Value::Object(members) = view {
            for member in members.keys().filter(|member| !MEMBERS.contains(&member.as_str())) {
                problems.push(
                    Problem::new(
                        Setting::of([member.as_str()]),
                        format!("there is no member `{}` here", clip(member)),
                    )
                    .hint(one_of(member, MEMBERS)),
                );
            }
        }
        let mut declaration = before.clone();
        self.tenants.read(view, TENANTS, &mut declaration.tenants, &mut problems);
        self.environments.read(view, ENVIRONMENTS, &mut declaration.environments, &mut problems);
        self.organizations.read(view, ORGANIZATIONS, &mut declaration.organizations, &mut problems);
        if self.caller {
            let pointer = Setting::of([CALLER]);
            match view.get(CALLER) {
                Some(value) => match read::<Caller>(value, &pointer) {
                    Ok(caller) => declaration.caller = caller,
                    Err(problem) => problems.push(problem),
                },
                None => problems.push(Problem::new(pointer, "the caller cannot be missing")),
            }
        }
        if problems.is_empty() { Ok(declaration) } else { Err(WorldError { problems }) }
    }

    /// Puts what was touched back into the view, completed as compiling completed it.
    pub(crate) fn write(&self, declaration: &Declaration, view: &mut Value, problems: &mut Problems) {
        self.tenants.write(&declaration.tenants, TENANTS, view, problems);
        self.environments.write(&declaration.environments, ENVIRONMENTS, view, problems);
        self.organizations.write(&declaration.organizations, ORGANIZATIONS, view, problems);
        if self.caller {
            view[CALLER] = json(&declaration.caller, &Setting::of([CALLER]), problems);
        }
    }
}

/// Reads one part of the view; the error names the pointer inside it and the nearest valid member.
fn read<T: DeserializeOwned>(value: &Value, pointer: &Setting) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut at = pointer.clone();
        for segment in error.path() {
            match segment {
                serde_path_to_error::Segment::Map { key } => at = at.join(key),
                // An element of a list has no name while it is not a text.
                _ => break,
            }
        }
        let message = error.into_inner().to_string();
        let hint = hint_in(&message);
        // serde goes on to list every member; the hint says it better.
        let message = message.split_once(", expected one of").map_or(message.as_str(), |(start, _)| start);
        Problem::new(at, message).hint(hint)
    })
}

/// A part as JSON. Every map of the declaration has text for keys, so this does not fail; if it did, it would be said.
pub(crate) fn json<T: Serialize>(part: &T, pointer: &Setting, problems: &mut Problems) -> Value {
    serde_json::to_value(part).unwrap_or_else(|error| {
        problems.push(Problem::new(pointer.clone(), error.to_string()));
        Value::Null
    })
}
