//! The roles of a scenario and who plays them in a world.
//!
//! Decides how a role is written in a scenario's pointers and values (`{app}`) and what stands there in a given world, so
//! that one file breaks any world. `Cast::of` knows what the declaration alone says; what only a product can tell, for
//! instance which application an AOS asks as, that product adds. Never decides what a scenario does.

use std::fmt;
use std::sync::Arc;

use mocktenant_patch::Edit;
use mocktenant_verdict::Setting;
use mocktenant_world::{Environment, World};
use serde_json::Value;

use crate::{Act, Scenario, Step};

/// A role. Lower-case words in braces are roles; anything else in braces (`{0}`) is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `{tenant}`: the identity provider of the one-box.
    Tenant,
    /// `{onebox}`: the environment the caller calls.
    Onebox,
    /// `{app}`: the application the one-box asks for tokens as.
    App,
    /// `{cert}`: the thumbprint of the certificate it does that with.
    Cert,
    /// `{org}`: the organisation it is linked with.
    Org,
    /// `{adfs}`: the federation service the caller signs its user in at.
    Adfs,
    /// `{group}`: the application group of the native application it does that as.
    Group,
    /// `{client}`: that application's client id.
    Client,
    /// `{user}`: who signs in.
    User,
    /// `{onprem}`: the environment that stands behind that federation service.
    Onprem,
    /// `{node}`: one of several nodes of that environment, and not the first.
    Node,
    /// `{nodes}`: each node of that environment; an edit or a pointer with it stands for as many.
    Nodes,
    /// `{adfs_host}`: the host name of the federation service, as its administrator spelled it.
    AdfsHost,
    /// `{native_client}`: the client id that environment signs its users in as.
    NativeClient,
    /// `{ax_group}`: the application group that client is in.
    AxGroup,
    /// `{web_api}`: the Web API of the environment, by the identifier it is declared under.
    WebApi,
    /// `{audience}`: the identifier of it that the environment takes tokens for.
    Audience,
    /// `{user_row}`: the user's row in the environment's UserInfo.
    UserRow,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Tenant,
        Self::Onebox,
        Self::App,
        Self::Cert,
        Self::Org,
        Self::Adfs,
        Self::Group,
        Self::Client,
        Self::User,
        Self::Onprem,
        Self::Node,
        Self::Nodes,
        Self::AdfsHost,
        Self::NativeClient,
        Self::AxGroup,
        Self::WebApi,
        Self::Audience,
        Self::UserRow,
    ];

    /// As it is written, without braces.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Onebox => "onebox",
            Self::App => "app",
            Self::Cert => "cert",
            Self::Org => "org",
            Self::Adfs => "adfs",
            Self::Group => "group",
            Self::Client => "client",
            Self::User => "user",
            Self::Onprem => "onprem",
            Self::Node => "node",
            Self::Nodes => "nodes",
            Self::AdfsHost => "adfs_host",
            Self::NativeClient => "native_client",
            Self::AxGroup => "ax_group",
            Self::WebApi => "web_api",
            Self::Audience => "audience",
            Self::UserRow => "user_row",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.word() == word)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{}}}", self.word())
    }
}

/// As it stands in a pointer.
const EACH_NODE: &str = "{nodes}";

/// A role that nobody in a world plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vacant(pub Part);

impl fmt::Display for Vacant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "this world has nobody for {}", self.0)
    }
}

impl std::error::Error for Vacant {}

/// Who plays which role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cast {
    names: [Option<String>; Part::ALL.len()],
    /// Who plays `{nodes}`, one after the other.
    nodes: Vec<String>,
}

impl Cast {
    /// What the declaration alone says: the environment the caller calls, its identity provider, its organisation; and where, as
    /// what and whom it signs in.
    pub fn of(world: &World) -> Self {
        let mut cast = Self::default();
        if let Some(onebox) = world.environment(&world.caller().environment) {
            cast.set(Part::Onebox, &onebox.id);
            if let Some(tenant) = onebox.identity.tenant() {
                cast.set(Part::Tenant, tenant);
            }
            if let Some(organization) = world.linked_organization(onebox) {
                cast.set(Part::Org, &organization.key);
            }
        }
        let sign_in = world.caller().sign_in.as_ref();
        if let Some((sign_in, service)) =
            sign_in.and_then(|sign_in| Some((sign_in, world.federation_service(&sign_in.provider)?)))
        {
            cast.set(Part::Adfs, &service.id);
            if let Some(client) = service.client(&sign_in.client_id).filter(|one| one.credentials.is_none()) {
                cast.set(Part::Group, &client.group);
                cast.set(Part::Client, &client.client_id);
            }
            if let Some(user) = service.person(&sign_in.user) {
                cast.set(Part::User, &user.name);
            }
        }
        let behind = |environment: &&Arc<Environment>| {
            let service = environment.identity.federation_service();
            service.is_some() && cast.name(Part::Adfs).is_ok_and(|adfs| service == Some(adfs))
        };
        let on_premises = || world.environments().find(|one| one.identity.federation_service().is_some());
        if let Some(environment) = world.environments().find(behind).or_else(on_premises) {
            cast.stands_behind(world, environment);
        }
        cast
    }

    /// What the declaration says of an environment behind a federation service.
    fn stands_behind(&mut self, world: &World, environment: &Environment) {
        let service = environment.identity.federation_service().and_then(|id| world.federation_service(id));
        let Some(service) = service else { return };
        self.set(Part::Onprem, &environment.id);
        if let Some(node) = environment.nodes.get(1) {
            self.set(Part::Node, &node.name);
        }
        self.nodes = environment.nodes.iter().map(|node| node.name.to_string()).collect();
        self.set(Part::Adfs, &service.id);
        self.set(Part::AdfsHost, &service.host_name);
        let user = world.caller().sign_in.as_ref().and_then(|sign_in| service.person(&sign_in.user));
        if let Some(user) = user {
            self.set(Part::User, &user.name);
            let mut rows = environment.database.user_info.iter();
            let own = rows.find(|(_, row)| row.network_alias.eq_ignore_ascii_case(&user.name));
            if let Some((row, _)) = own {
                self.set(Part::UserRow, row);
            }
        }
    }

    /// Gives a role to somebody. Whoever has it already keeps it.
    pub fn set(&mut self, part: Part, name: &str) {
        self.names[part as usize].get_or_insert_with(|| name.to_owned());
    }

    /// Who plays a role.
    pub fn name(&self, part: Part) -> Result<&str, Vacant> {
        self.names[part as usize].as_deref().ok_or(Vacant(part))
    }

    /// A whole scenario, with names for roles.
    pub fn scenario(&self, scenario: &Scenario) -> Result<Scenario, Vacant> {
        Ok(Scenario {
            edits: self.edits(&scenario.edits)?,
            after: scenario.after.iter().map(|act| self.act(act)).collect::<Result<_, _>>()?,
            steps: scenario.steps.iter().map(|step| self.step(step)).collect::<Result<_, _>>()?,
            at: scenario.at.as_ref().map(|at| self.text(at, str::to_owned)).transpose()?,
            ..scenario.clone()
        })
    }

    /// One step, with names for roles.
    pub fn step(&self, step: &Step) -> Result<Step, Vacant> {
        let Step { title, how, see, act } = step;
        Ok(Step {
            title: self.text(title, str::to_owned)?,
            how: how.iter().map(|line| self.text(line, str::to_owned)).collect::<Result<_, _>>()?,
            see: see.clone(),
            act: self.act(act)?,
        })
    }

    /// What is done, with names for roles.
    pub fn act(&self, act: &Act) -> Result<Act, Vacant> {
        let Act { restore, edits, wait, servicing, restart } = act;
        let places = |places: &[String]| {
            places.iter().map(|place| self.text(place, str::to_owned)).collect::<Result<_, _>>()
        };
        Ok(Act {
            restore: self
                .for_each_node(restore, |pointer| pointer.as_str().contains(EACH_NODE))
                .map(|(cast, pointer)| cast.pointer(pointer))
                .collect::<Result<_, _>>()?,
            edits: self.edits(edits)?,
            wait: *wait,
            servicing: places(servicing)?,
            restart: places(restart)?,
        })
    }

    fn edits(&self, edits: &[Edit]) -> Result<Vec<Edit>, Vacant> {
        let edit = |(cast, edit): (Self, &Edit)| {
            Ok(Edit {
                op: edit.op,
                path: cast.pointer(&edit.path)?,
                from: edit.from.as_ref().map(|from| cast.pointer(from)).transpose()?,
                value: edit.value.as_ref().map(|value| cast.value(value)).transpose()?,
            })
        };
        self.for_each_node(edits, |edit| edit.path.as_str().contains(EACH_NODE)).map(edit).collect()
    }

    /// What is about each node as many times as there are nodes, with the cast in which that one plays it.
    fn for_each_node<'a, T>(
        &'a self,
        all: &'a [T],
        about_each: impl Fn(&T) -> bool + 'a,
    ) -> impl Iterator<Item = (Self, &'a T)> {
        all.iter().flat_map(move |one| {
            let nodes: &[String] = if about_each(one) { &self.nodes } else { &[] };
            let mut casts: Vec<Self> = nodes.iter().map(|node| self.with_each(node)).collect();
            if casts.is_empty() {
                casts.push(self.clone());
            }
            casts.into_iter().map(move |cast| (cast, one))
        })
    }

    fn with_each(&self, node: &str) -> Self {
        let mut cast = self.clone();
        cast.names[Part::Nodes as usize] = Some(node.to_owned());
        cast
    }

    fn pointer(&self, pointer: &Setting) -> Result<Setting, Vacant> {
        let escaped = |name: &str| Setting::of([name]).as_str()[1..].to_owned();
        self.text(pointer.as_str(), escaped).map(Setting::from_pointer)
    }

    fn value(&self, value: &Value) -> Result<Value, Vacant> {
        Ok(match value {
            Value::String(text) => Value::String(self.text(text, str::to_owned)?),
            Value::Array(elements) => {
                Value::Array(elements.iter().map(|element| self.value(element)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| {
                    Ok((self.text(name, str::to_owned)?, self.value(value)?))
                };
                Value::Object(members.iter().map(member).collect::<Result<_, _>>()?)
            }
            other => other.clone(),
        })
    }

    fn text(&self, text: &str, spelt: impl Fn(&str) -> String) -> Result<String, Vacant> {
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                // A word that is no role was refused when the scenario was read.
                Piece::Word(word) => match Part::of(word) {
                    Some(part) => filled.push_str(&spelt(self.name(part)?)),
                    None => filled.extend(["{", word, "}"]),
                },
            }
        }
        Ok(filled)
    }
}

enum Piece<'t> {
    Text(&'t str),
    Word(&'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while let Some(open) = text[at..].find('{').map(|found| at + found) {
        at = open + 1;
        let end = text[at..]
            .find(|character: char| !character.is_ascii_lowercase() && character != '_')
            .map(|found| at + found);
        if let Some(end) = end.filter(|end| *end > at && text[*end..].starts_with('}')) {
            pieces.extend([Piece::Text(&text[begin..open]), Piece::Word(&text[at..end])]);
            (begin, at) = (end + 1, end + 1);
        }
    }
    pieces.push(Piece::Text(&text[begin..]));
    pieces
}

/// Refuses a word in braces that is no role. The message offers those there are.
pub(super) fn known(text: &str) -> Result<(), String> {
    let stranger = |piece: &Piece<'_>| matches!(piece, Piece::Word(word) if Part::of(word).is_none());
    match pieces(text).into_iter().find(stranger) {
        Some(Piece::Word(word)) => {
            let roles = Part::ALL.map(|part| format!("`{part}`"));
            Err(format!("`{{{word}}}` is no role, expected one of {}", roles.join(", ")))
        }
        _ => Ok(()),
    }
}

/// The same for every text in an edit.
pub(super) fn known_in(edit: &Edit) -> Result<(), String> {
    known(edit.path.as_str())?;
    edit.from.iter().try_for_each(|from| known(from.as_str()))?;
    edit.value.iter().try_for_each(known_in_value)
}

fn known_in_value(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) => known(text),
        Value::Array(elements) => elements.iter().try_for_each(known_in_value),
        Value::Object(members) => {
            members.iter().try_for_each(|(name, value)| known(name).and_then(|()| known_in_value(value)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_words_in_braces_are_roles_and_the_rest_is_text() {
        let mut cast = Cast::default();
        cast.set(Part::App, "a/b");
        cast.set(Part::App, "late");
        let text = |text: &str| cast.text(text, str::to_owned);
        assert_eq!(text("spn:{app}{app}-{0}{}{{app}}{a b").unwrap(), "spn:a/ba/b-{0}{}{a/b}{a b");
        assert_eq!(text("{cert}"), Err(Vacant(Part::Cert)));
        let pointer = Setting::fixed("/x/{app}");
        assert_eq!(cast.pointer(&pointer).unwrap().as_str(), "/x/a~1b");
        let value = serde_json::json!({ "{app}": ["{app}", 1, null] });
        assert_eq!(cast.value(&value).unwrap(), serde_json::json!({ "a/b": ["a/b", 1, null] }));
        assert!(known("{0} {app} { a}").is_ok());
        assert!(known("/{application}").unwrap_err().contains("`{application}` is no role, expected one of"));
    }
}
