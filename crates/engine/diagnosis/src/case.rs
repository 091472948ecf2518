//! Everything a cause is found from, and how each kind of cause is put.
//!
//! Decides where a presented value came from and how a change of it is written. Which of the causes it is, is decided in
//! `cause` and `ties`.

use std::sync::Arc;

use mocktenant_lab::Fact;
use mocktenant_lab::caller::Made;
use mocktenant_lab::journal::Record;
use mocktenant_verdict::{Change, Check, Edit, Fault, Input, Need, Role, Setting, Text};
use mocktenant_world::World;

use crate::chain::{Chain, Deciding};
use crate::{Cause, Kind};

/// A client id that stands in for one nobody knows.
const STAND_IN_CLIENT: &str = "5741d100-0000-4000-8000-000000000001";

/// Where a presented value came from.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'t> {
    /// As it was read.
    pub(crate) fact: &'t Fact,
    /// Where it stands.
    pub(crate) setting: &'t Setting,
    /// How it is used and written.
    pub(crate) input: &'t Input,
}

/// Everything a cause is found from.
pub(crate) struct Case<'c, 't> {
    pub(crate) chain: &'c Chain<'t>,
    pub(crate) deciding: Deciding<'t>,
    /// The world as it is now; none for the records of a lab that is gone.
    pub(crate) world: Option<&'c World>,
    /// Which request of the declared caller was refused, if it was one.
    pub(crate) made: Option<Made>,
}

impl<'t> Case<'_, 't> {
    /// Whoever made the refused call, or sent a browser to make it.
    pub(crate) fn asked_by(&self) -> Option<&'t Arc<Record>> {
        self.deciding.caller.or_else(|| self.chain.sender())
    }

    /// The setting that a value of this role was presented from, by whoever that was.
    pub(crate) fn presented(&self, role: Role) -> Option<Presented<'t>> {
        let caller = self.asked_by()?;
        caller.facts.iter().find_map(|fact| {
            let (setting, input) = (fact.setting.as_ref()?, fact.input.as_deref()?);
            (input.role == role).then_some(Presented { fact, setting, input })
        })
    }

    /// Every value of this role the caller read, whatever it used.
    pub(crate) fn read(&self, role: Role) -> impl Iterator<Item = &'t Fact> {
        self.asked_by()
            .into_iter()
            .flat_map(|caller| caller.facts.iter())
            .filter(move |fact| fact.role == Some(role))
    }

    /// The presented value is wrong, and this is the right one.
    pub(crate) fn set(&self, presented: Presented<'_>, value: impl Into<Text>) -> Cause {
        let value = value.into();
        let edit = Edit::add(presented.setting.clone(), &*value);
        self.made(Kind::Setting, presented.setting.clone())
            .expected(value.to_string())
            .actual(presented.fact.value.to_string())
            .change(edit)
    }

    /// The presented value is wrong, and only a person knows the right one.
    pub(crate) fn supply(&self, presented: Presented<'_>, check: &Check) -> Cause {
        if let Some(switch) = &presented.input.switch {
            return self.change(switch, check);
        }
        let role = presented.input.role;
        let mut need = Need::add(presented.setting.clone(), role.word());
        if role == Role::Client {
            let made_up = presented.input.write(STAND_IN_CLIENT);
            need = need.stand_in([Edit::add(presented.setting.clone(), made_up)]);
        }
        self.made(Kind::Setting, presented.setting.clone())
            .expected(presented.input.write(&format!("<{role}>")))
            .actual(presented.fact.value.to_string())
            .need(need)
    }

    /// A change as the product proposes it.
    pub(crate) fn change(&self, change: &Change, check: &Check) -> Cause {
        let kind = match change.fault {
            Fault::Wrong => Kind::Setting,
            Fault::Missing => Kind::Missing,
        };
        let mut cause = self
            .made(kind, change.setting.clone())
            .expected(change.expected.as_ref().unwrap_or(&check.expected).to_string())
            .actual(change.actual.as_ref().unwrap_or(&check.actual).to_string());
        cause.change.clone_from(&change.edits);
        cause.needs.clone_from(&change.needs);
        cause
    }

    pub(crate) fn made(&self, kind: Kind, setting: Setting) -> Cause {
        Cause::new(kind, setting, self.world)
    }
}
