//! Where in a lab something happens.
//!
//! Three things that one box hides: an *entrance* has a port, a *machine* has a clock and a start, a *scope* owns rows and
//! settings. Identity has one entrance and as many machines as there are tenants; a farm has one entrance and several
//! nodes; all nodes of an environment share its scope. Dispatch picks the machine of a request; clocks, starts and what a
//! node read go by machine, rows and resets by scope. Never decides which of them a request gets: a surface does.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use mocktenant_world::{Edit, Setting, World, clock_offset, pointers};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::Duration;

/// Something with a port. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Entrance {
    /// The identity port: every tenant's Entra and, later, AD FS.
    Identity,
    /// An environment by its name in the declaration: its AOS, or the gateway before its nodes.
    Environment(Arc<str>),
    /// A Dataverse organisation by its name in the declaration.
    Organization(Arc<str>),
}

/// Something with a clock and a start. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Machine {
    /// The identity provider of a tenant, by tenant id.
    Tenant(Arc<str>),
    /// One AOS node.
    Node {
        /// Its environment.
        environment: Arc<str>,
        /// Its name there.
        node: Arc<str>,
    },
    /// A Dataverse organisation.
    Organization(Arc<str>),
}

/// Something that owns rows and settings. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// A tenant by its id.
    Tenant(Arc<str>),
    /// An environment by its name in the declaration.
    Environment(Arc<str>),
    /// An organisation by its name in the declaration.
    Organization(Arc<str>),
}

/// A text that names no place of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no {kind}")]
pub struct NoPlace {
    text: String,
    kind: &'static str,
}

impl Entrance {
    /// The environment called `name`.
    pub fn environment(name: &str) -> Self {
        Self::Environment(name.into())
    }

    /// The organisation called `name`.
    pub fn organization(name: &str) -> Self {
        Self::Organization(name.into())
    }
}

impl Machine {
    /// The identity provider of the tenant with this id.
    pub fn tenant(id: &str) -> Self {
        Self::Tenant(id.into())
    }

    /// A node of an environment.
    pub fn node(environment: &str, node: &str) -> Self {
        Self::Node { environment: environment.into(), node: node.into() }
    }

    /// The organisation called `name`.
    pub fn organization(name: &str) -> Self {
        Self::Organization(name.into())
    }

    /// Every machine of a world.
    pub(crate) fn all(world: &World) -> impl Iterator<Item = Self> {
        Scope::all(world).flat_map(|scope| match scope {
            Scope::Tenant(id) => vec![Self::Tenant(id)],
            Scope::Organization(name) => vec![Self::Organization(name)],
            Scope::Environment(name) => {
                let nodes = world.environment(&name).map_or(&[][..], |environment| &environment.nodes);
                nodes.iter().map(|node| Self::node(&name, &node.name)).collect()
            }
        })
    }

    /// Whose rows and settings it works on.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Tenant(id) => Scope::Tenant(Arc::clone(id)),
            Self::Node { environment, .. } => Scope::Environment(Arc::clone(environment)),
            Self::Organization(name) => Scope::Organization(Arc::clone(name)),
        }
    }

    /// The environment it is a node of.
    pub fn environment(&self) -> Option<&str> {
        match self {
            Self::Node { environment, .. } => Some(environment),
            Self::Tenant(_) | Self::Organization(_) => None,
        }
    }

    /// How far its clock is from the lab's time, as declared; nothing for a machine that is not in the world.
    pub fn offset(&self, world: &World) -> Duration {
        let clock = match self {
            Self::Tenant(id) => world.tenant(id).map(|tenant| tenant.clock),
            Self::Node { environment, node } => {
                world.environment(environment).and_then(|found| found.node(node)).map(|node| node.clock)
            }
            Self::Organization(name) => world.organization(name).map(|organization| organization.clock),
        };
        clock.unwrap_or_default()
    }

    /// The setting that says how far its clock is off: a node's own, else that of its environment's machine.
    pub fn clock_setting(&self, world: &World) -> Option<Setting> {
        match self {
            Self::Tenant(id) => Some(world.tenant(id)?.pointer.clock()),
            Self::Node { environment, node } => {
                let environment = world.environment(environment)?;
                let own = environment.node(node)?;
                let has_own = own.declared.clock.is_some();
                Some(if has_own { own.pointer.clock() } else { environment.pointer.clock() })
            }
            Self::Organization(name) => Some(world.organization(name)?.pointer.clock()),
        }
    }

    /// The edit that sets its clock and no other's; `None` for a machine that is not in the world.
    pub(crate) fn clock_edit(&self, world: &World, offset: Duration) -> Option<Edit> {
        let setting = match self {
            Self::Node { environment, node } if world.environment(environment)?.nodes.len() > 1 => {
                pointers::environment(environment).node(node).clock()
            }
            _ => self.clock_setting(world)?,
        };
        Some(Edit::add(setting, clock_offset::to_text(offset)))
    }
}

impl Scope {
    /// The environment called `name`.
    pub fn environment(name: &str) -> Self {
        Self::Environment(name.into())
    }

    /// The organisation called `name`.
    pub fn organization(name: &str) -> Self {
        Self::Organization(name.into())
    }

    /// Every scope of a world.
    pub(crate) fn all(world: &World) -> impl Iterator<Item = Self> {
        let tenants = world.tenants().map(|tenant| Self::Tenant((*tenant.id).into()));
        let environments = world.environments().map(|environment| Self::environment(&environment.id));
        let organizations = world.organizations().map(|organization| Self::organization(&organization.id));
        tenants.chain(environments).chain(organizations)
    }

    /// Where it is declared.
    pub fn pointer(&self) -> Setting {
        match self {
            Self::Tenant(id) => pointers::tenant(id).into(),
            Self::Environment(name) => pointers::environment(name).into(),
            Self::Organization(name) => pointers::organization(name).into(),
        }
    }

    /// Whether two snapshots have it in common: then nothing declared of it differs.
    pub(crate) fn is_shared(&self, one: &World, other: &World) -> bool {
        fn same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
            match (one, other) {
                (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                (None, None) => true,
                _ => false,
            }
        }
        match self {
            Self::Tenant(id) => same(one.tenant(id), other.tenant(id)),
            Self::Environment(name) => same(one.environment(name), other.environment(name)),
            Self::Organization(name) => same(one.organization(name), other.organization(name)),
        }
    }

    /// Its name in the declaration; a tenant's id.
    pub fn name(&self) -> &str {
        match self {
            Self::Tenant(name) | Self::Environment(name) | Self::Organization(name) => name,
        }
    }
}

const TENANT: &str = "tenant/";
const ENVIRONMENT: &str = "environment/";
const ORGANIZATION: &str = "organization/";

impl fmt::Display for Entrance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => formatter.write_str("identity"),
            Self::Environment(name) => write!(formatter, "{ENVIRONMENT}{name}"),
            Self::Organization(name) => write!(formatter, "{ORGANIZATION}{name}"),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(id) => write!(formatter, "{TENANT}{id}"),
            Self::Node { environment, node } => write!(formatter, "{ENVIRONMENT}{environment}/{node}"),
            Self::Organization(name) => write!(formatter, "{ORGANIZATION}{name}"),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(id) => write!(formatter, "{TENANT}{id}"),
            Self::Environment(name) => write!(formatter, "{ENVIRONMENT}{name}"),
            Self::Organization(name) => write!(formatter, "{ORGANIZATION}{name}"),
        }
    }
}

impl FromStr for Entrance {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        if text == "identity" {
            return Ok(Self::Identity);
        }
        let environment = text.strip_prefix(ENVIRONMENT).map(Self::environment);
        environment
            .or_else(|| text.strip_prefix(ORGANIZATION).map(Self::organization))
            .ok_or_else(|| NoPlace { text: text.to_owned(), kind: "entrance" })
    }
}

impl FromStr for Machine {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        if let Some(id) = text.strip_prefix(TENANT) {
            return Ok(Self::tenant(id));
        }
        if let Some(name) = text.strip_prefix(ORGANIZATION) {
            return Ok(Self::organization(name));
        }
        // Names of environments and nodes hold no slash.
        text.strip_prefix(ENVIRONMENT)
            .and_then(|rest| rest.split_once('/'))
            .map(|(environment, node)| Self::node(environment, node))
            .ok_or_else(|| NoPlace { text: text.to_owned(), kind: "machine" })
    }
}

impl FromStr for Scope {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        if let Some(id) = text.strip_prefix(TENANT) {
            return Ok(Self::Tenant(id.into()));
        }
        let environment = text.strip_prefix(ENVIRONMENT).map(Self::environment);
        environment
            .or_else(|| text.strip_prefix(ORGANIZATION).map(Self::organization))
            .ok_or_else(|| NoPlace { text: text.to_owned(), kind: "scope" })
    }
}

/// A place travels as its text.
macro_rules! as_text {
    ($($place:ty),*) => {$(
        impl Serialize for $place {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $place {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text!(Entrance, Machine, Scope);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_text_and_read_back() {
        for text in ["identity", "environment/onebox", "organization/contoso"] {
            assert_eq!(text.parse::<Entrance>().unwrap().to_string(), text);
        }
        for text in ["tenant/c01", "environment/onebox/aos1", "organization/contoso"] {
            assert_eq!(text.parse::<Machine>().unwrap().to_string(), text);
        }
        for text in ["tenant/c01", "environment/onebox", "organization/contoso"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        assert!("environment/onebox".parse::<Machine>().is_err(), "an environment is not one machine");
        assert!("tools".parse::<Entrance>().is_err());
        assert!("identity".parse::<Scope>().is_err());
    }
}
