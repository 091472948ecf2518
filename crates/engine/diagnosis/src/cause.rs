//! From the check that decided to the one thing to change.
//!
//! Decides by roles alone, in this order: what this lab has not built, be it refused by a question or without one; that whoever
//! was called is stopped, which no other value would mend; what a caller has evidence for itself; a value that was presented
//! from a setting and that the world knows better; the ties of `ties`; what the refusing side would change; and last the
//! setting the value was presented from, or the declared caller, with what a person has to supply. What any of that means
//! stands with the product that said it: no product has a name here.

use mocktenant_lab::caller::Made;
use mocktenant_lab::journal::Record;
use mocktenant_lab::{BUILT_HERE, EXPECTED, NOT_BUILT, REFUSED, SERVICE_RUNS};
use mocktenant_verdict::{Change, Check, Edit, Need, Role, Setting, Text};
use mocktenant_world::{World, pointers};
use serde_json::json;

use crate::case::{Case, Presented};
use crate::chain::{Chain, Deciding};
use crate::{Cause, Kind, ties};

/// The name of a secret that stands in for one.
const STAND_IN_SECRET: &str = "stand-in";

/// The cause of a refusal.
pub(crate) fn of<'t>(
    chain: &Chain<'t>,
    deciding: Deciding<'t>,
    world: Option<&World>,
    made: Option<Made>,
) -> Cause {
    Case { chain, deciding, world, made }.cause()
}

impl Case<'_, '_> {
    fn cause(&self) -> Cause {
        if let Some(missing) = self.unbuilt() {
            return missing;
        }
        if let Some(check) = self.deciding.check.filter(|check| check.name == SERVICE_RUNS.name)
            && let Some(change) = here(check)
        {
            return self.change(change, check);
        }
        if let Some(relay) = self.deciding.relay
            && let Some(change) = here(relay)
        {
            return self.change(change, relay);
        }
        let Some(check) = self.deciding.check else { return self.unasked() };
        let presented = check.role.and_then(|role| self.presented(role));
        if let Some(presented) = presented
            && let Some(known) = known_better(presented, check)
        {
            return self.set(presented, known);
        }
        if let Some(settled) = ties::settle(self, check) {
            return settled;
        }
        if let Some(change) = here(check) {
            return self.on_either_side(self.change(change, check), check);
        }
        match (presented, self.deciding.relay) {
            (Some(presented), _) => self.supply(presented, check),
            (None, Some(relay)) => self.own(if check.settings.is_empty() { relay } else { check }),
            // What a product asks for by itself is never its caller's fault.
            (None, None) if self.asked_by().is_some() => self.own(check),
            (None, None) => self.by_caller(check),
        }
    }

    /// What a client and a provider have to agree on is mended at either of them. What can be sent as it is comes first, and of two
    /// such the one at the side that refused.
    fn on_either_side(&self, here: Cause, check: &Check) -> Cause {
        let agreed = match check.role {
            Some(Role::Redirect) => true,
            Some(Role::Client | Role::User) => self.made == Some(Made::ToSignIn),
            _ => false,
        };
        let knows = check.remedy.as_ref().is_some_and(|remedy| !remedy.instead.is_empty());
        if !agreed || !knows || self.asked_by().is_some() {
            return here;
        }
        let there = self.by_caller(check);
        if here.change.is_empty() && !there.change.is_empty() { there.or(here) } else { here.or(there) }
    }

    /// The lab has not what the product has.
    fn unbuilt(&self) -> Option<Cause> {
        let record = self.deciding.record;
        let missing = record.fact(NOT_BUILT)?;
        let built = record.fact(BUILT_HERE).map_or("", |built| &*built.value);
        let cause = self.made(Kind::Unbuilt, pointers::caller().into());
        Some(cause.expected(built.to_owned()).actual(missing.value.to_string()))
    }

    /// Nothing was asked: whoever called sent what no such product answers.
    fn unasked(&self) -> Cause {
        let record = self.deciding.record;
        let told = match record.fact("call-error") {
            Some(error) => error.value.to_string(),
            None if record.id == self.chain.root().id => {
                format!("{}: {}", request_line(record), self.chain.symptom().replace('\n', " "))
            }
            None => request_line(record),
        };
        let (refused, expected) = (record.fact(REFUSED), record.fact(EXPECTED));
        // what a product passes on and another one refuses for what is in it is what its own caller sent
        let content = |relay: &Check| {
            relay.role == Some(Role::Resource) && record.error.is_some() && matches!(record.status, 400 | 412)
        };
        if let Some(relay) = self.deciding.relay
            && !content(relay)
        {
            return self.own(relay).actual(told);
        }
        let passed_on = self.deciding.relay.is_some();
        let member = if passed_on || record.status == 400 && !record.request_body.is_empty() {
            self.member_of_caller(Role::Record)
        } else {
            pointers::caller().into()
        };
        if let (Some(refused), Some(expected)) = (refused, expected) {
            let cause = self.made(Kind::Caller, member);
            return cause.expected(expected.value.to_string()).actual(refused.value.to_string());
        }
        let expected =
            if passed_on { "a record that is taken there" } else { "a request this product answers" };
        self.made(Kind::Caller, member).expected(expected).actual(told)
    }

    /// The first setting the check depends on.
    fn own(&self, check: &Check) -> Cause {
        let place = || {
            self.chain
                .environment()
                .map_or_else(|| pointers::caller().into(), |at| pointers::environment(at).into())
        };
        let setting = check.settings.first().cloned().unwrap_or_else(place);
        let need = Need::add(setting.clone(), check.role.map_or("the right value", Role::word));
        let cause = self.made(Kind::Setting, setting).expected(check.expected.to_string());
        cause.actual(check.actual.to_string()).need(need)
    }

    /// The request itself is wrong: the member of the declared caller that says so.
    fn by_caller(&self, check: &Check) -> Cause {
        let Some(role) = check.role else {
            // A record of an older lab, which knew no roles.
            return match check.settings.first() {
                Some(_) => self.own(check),
                None => self.asked_wrongly(pointers::caller().into(), check),
            };
        };
        let setting = self.member_of_caller(role);
        let mut cause = self.asked_wrongly(setting.clone(), check);
        let known: Vec<Text> =
            check.remedy.iter().flat_map(|remedy| remedy.instead.iter().cloned()).collect();
        if role == Role::Redirect && !known.is_empty() {
            let known: Vec<&str> = known.iter().map(|known| &**known).collect();
            cause = cause.expected(known.join(" or "));
        }
        let Some(world) = self.world else { return cause };
        let declared = world.get(&setting).and_then(|value| value.as_str().map(str::to_owned));
        match (role, pick(known, world), declared) {
            (Role::Secret, ..) => cause.need(self.secret_needed(setting, world)),
            (Role::Session, ..) => {
                let sign_in = world.caller().sign_in.as_ref();
                let loses = self.made == Some(Made::ToSignIn)
                    && sign_in.is_some_and(|sign_in| !sign_in.loses.is_empty());
                if loses { cause.change(Edit::add(setting, json!([]))) } else { cause }
            }
            // Without one the caller types the user's own.
            (Role::Password, _, Some(_)) => cause.change(Edit::remove(setting)),
            (_, Some(known), declared) if declared.as_deref().is_none_or(|now| !same(now, &known)) => {
                cause.expected(known.to_string()).change(Edit::add(setting, &*known))
            }
            (_, _, Some(_)) => cause.need(Need::add(setting, role.word())),
            _ => cause,
        }
    }

    fn asked_wrongly(&self, setting: Setting, check: &Check) -> Cause {
        let cause = self.made(Kind::Caller, setting);
        cause.expected(check.expected.to_string()).actual(check.actual.to_string())
    }

    /// The member of the declared caller that values of a role come from; the caller as a whole where none does.
    fn member_of_caller(&self, role: Role) -> Setting {
        let caller = pointers::caller();
        let sign_in = caller.sign_in();
        let signs_in = self.made == Some(Made::ToSignIn);
        match role {
            Role::Redirect => sign_in.redirect_uri(),
            Role::Session if signs_in => sign_in.loses(),
            Role::Client if signs_in => sign_in.client_id(),
            Role::Secret if signs_in => sign_in.client_secret(),
            Role::Resource if signs_in => sign_in.resource(),
            Role::User if signs_in => sign_in.user(),
            Role::Password if signs_in => sign_in.password(),
            _ if signs_in => sign_in.into(),
            Role::Secret => caller.client_secret(),
            Role::Client => caller.client_id(),
            Role::Resource => caller.resource(),
            Role::Authority => caller.tenant(),
            Role::Record => caller.customer(),
            _ => caller.into(),
        }
    }

    /// The stand-in is a secret of the caller's own application: it is tried out and never shown.
    fn secret_needed(&self, setting: Setting, world: &World) -> Need {
        let need = Need::add(setting.clone(), Role::Secret.word());
        let caller = world.caller();
        if self.made == Some(Made::ToSignIn) {
            let client = caller
                .sign_in
                .as_ref()
                .and_then(|sign_in| world.federation_service(&sign_in.provider)?.client(&sign_in.client_id));
            let secret = client.and_then(|client| client.credentials.as_ref()?.secrets.first());
            return need.stand_in(secret.map(|(_, secret)| Edit::add(setting, secret.as_str())));
        }
        let application =
            world.tenant(&caller.tenant).and_then(|tenant| tenant.application(&caller.client_id));
        let secret = application
            .and_then(|application| application.secrets.iter().find(|secret| secret.expires.is_none()));
        // An application without one is given the caller's: a new registration has none either.
        let given = || {
            let at = application?.pointer.secret(STAND_IN_SECRET).setting();
            Some(Edit::add(at, json!({ "value": caller.client_secret.as_str() })))
        };
        let stand_in = secret.map(|secret| Edit::add(setting, secret.value.as_str())).or_else(given);
        need.stand_in(stand_in)
    }
}

/// What the setting should be, where either side knows it and it is something else.
fn known_better(presented: Presented<'_>, check: &Check) -> Option<Text> {
    let instead = check.remedy.iter().flat_map(|remedy| &remedy.instead);
    let known: Vec<Text> = match &presented.input.known[..] {
        [] => instead.map(|known| presented.input.write(known).into()).collect(),
        known => known.to_vec(),
    };
    better(known, &presented.fact.value)
}

/// What the side that asked would change of its own.
fn here(check: &Check) -> Option<&Change> {
    check.remedy.as_ref()?.here.as_ref()
}

/// The likeliest of the known values, unless the present one is among them.
fn better(known: Vec<Text>, present: &str) -> Option<Text> {
    if known.iter().any(|known| same(known, present)) { None } else { known.into_iter().next() }
}

/// Of several known values the one that leads to the environment the caller calls; one alone is as good.
fn pick(mut known: Vec<Text>, world: &World) -> Option<Text> {
    if known.len() > 1 {
        let host =
            world.environment(&world.caller().environment).map(|environment| environment.host.clone())?;
        known.retain(|known| known.contains(host.as_str()));
    }
    known.into_iter().next()
}

/// Letter case, blanks around it and one final slash make no other value: no product here minds all three, and advice to
/// change what differs in no more than that would be none.
fn same(left: &str, right: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim();
        text.strip_suffix('/').unwrap_or(text).to_owned()
    };
    bare(left).eq_ignore_ascii_case(&bare(right))
}

fn request_line(record: &Record) -> String {
    format!("{} {} {}", record.method, record.shown_target(), record.status)
}
