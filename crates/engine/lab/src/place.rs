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
    /// The identity port: every tenant's Entra and every federation service.
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
    /// A federation service by its name in the declaration.
    FederationService(Arc<str>),
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
    /// A federation service by its name in the declaration.
    FederationService(Arc<str>),
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

    /// The federation service called `name`.
    pub fn federation_service(name: &str) -> Self {
        Self::FederationService(name.into())
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
            Scope::FederationService(name) => vec![Self::FederationService(name)],
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
            Self::FederationService(name) => Scope::FederationService(Arc::clone(name)),
            Self::Node { environment, .. } => Scope::Environment(Arc::clone(environment)),
            Self::Organization(name) => Scope::Organization(Arc::clone(name)),
        }
    }

    /// The environment it is a node of.
    pub fn environment(&self) -> Option<&str> {
        match self {
            Self::Node { environment, .. } => Some(environment),
            Self::Tenant(_) | Self::FederationService(_) | Self::Organization(_) => None,
        }
    }

    /// How far its clock is from the lab's time, as declared; nothing for a machine that is not in the world.
    pub fn offset(&self, world: &World) -> Duration {
        let clock = match self {
            Self::Tenant(id) => world.tenant(id).map(|tenant| tenant.clock),
            Self::FederationService(name) => world.federation_service(name).map(|service| service.clock),
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
            Self::FederationService(name) => Some(world.federation_service(name)?.pointer.clock()),
            Self::Node { environment, node } => {
                let environment = world.environment(environment)?;
                let own = environment.node(node)?;
                let has_own = own.declared.clock.is_some();
                Some(if has_own { own.pointer.clock() } else { environment.pointer.clock() })
            }
            Self::Organization(name) => Some(world.organization(name)?.pointer.clock()),
        }
    }

    /// The setting that says whether it is stopped; `None` for a machine that cannot be, or is not in the world.
    pub fn stopped_setting(&self, world: &World) -> Option<Setting> {
        match self {
            Self::FederationService(name) => Some(world.federation_service(name)?.pointer.stopped()),
            Self::Node { environment, node } => {
                let environment = world.environment(environment)?;
                let own = environment.node(node)?;
                // Where all are stopped together, or there is one alone, the environment's says it.
                let together = environment.declared.stopped || environment.nodes.len() == 1;
                Some(if together { environment.pointer.stopped() } else { own.pointer.stopped() })
            }
            Self::Tenant(_) | Self::Organization(_) => None,
        }
    }

    /// Whether it is stopped, as declared: then nobody is answered there.
    pub fn is_stopped(&self, world: &World) -> bool {
        match self {
            Self::FederationService(name) => {
                world.federation_service(name).is_some_and(|service| service.stopped)
            }
            Self::Node { environment, node } => {
                let environment = world.environment(environment);
                environment.and_then(|found| found.node(node)).is_some_and(|node| node.stopped)
            }
            Self::Tenant(_) | Self::Organization(_) => false,
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

    /// The federation service called `name`.
    pub fn federation_service(name: &str) -> Self {
        Self::FederationService(name.into())
    }

    /// The organisation called `name`.
    pub fn organization(name: &str) -> Self {
        Self::Organization(name.into())
    }

    /// Every scope of a world.
    pub(crate) fn all(world: &World) -> impl Iterator<Item = Self> {
        let tenants = world.tenants().map(|tenant| Self::Tenant((*tenant.id).into()));
        let services = world.federation_services().map(|service| Self::federation_service(&service.id));
        let environments = world.environments().map(|environment| Self::environment(&environment.id));
        let organizations = world.organizations().map(|organization| Self::organization(&organization.key));
        tenants.chain(services).chain(environments).chain(organizations)
    }

    /// Where it is declared.
    pub fn pointer(&self) -> Setting {
        match self {
            Self::Tenant(id) => pointers::tenant(id).into(),
            Self::FederationService(name) => pointers::federation_service(name).into(),
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
            Self::FederationService(name) => {
                same(one.federation_service(name), other.federation_service(name))
            }
            Self::Environment(name) => same(one.environment(name), other.environment(name)),
            Self::Organization(name) => same(one.organization(name), other.organization(name)),
        }
    }

    /// Its name in the declaration; a tenant's id.
    pub fn name(&self) -> &str {
        match self {
            Self::Tenant(name)
            | Self::FederationService(name)
            | Self::Environment(name)
            | Self::Organization(name) => name,
        }
    }
}

const TENANT: &str = "tenant/";
const FEDERATION_SERVICE: &str = "federation-service/";
const ENVIRONMENT: &str = "environment/";
const ORGANIZATION: &str = "organization/";

/// Whether an environment is called like a kind of place: then its nodes have theirs before them.
fn is_prefix(environment: &str) -> bool {
    let kinds = [TENANT, FEDERATION_SERVICE, ENVIRONMENT, ORGANIZATION];
    kinds.iter().any(|kind| kind.strip_suffix('/') == Some(environment))
}

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
            Self::FederationService(name) => write!(formatter, "{FEDERATION_SERVICE}{name}"),
            Self::Node { environment, node } if is_prefix(environment) => {
                write!(formatter, "{ENVIRONMENT}{environment}/{node}")
            }
            Self::Node { environment, node } => write!(formatter, "{environment}/{node}"),
            Self::Organization(name) => write!(formatter, "{ORGANIZATION}{name}"),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(id) => write!(formatter, "{TENANT}{id}"),
            Self::FederationService(name) => write!(formatter, "{FEDERATION_SERVICE}{name}"),
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
        if let Some(name) = text.strip_prefix(FEDERATION_SERVICE) {
            return Ok(Self::federation_service(name));
        }
        if let Some(name) = text.strip_prefix(ORGANIZATION) {
            return Ok(Self::organization(name));
        }
        // Names of environments and nodes hold no slash.
        let rest = text.strip_prefix(ENVIRONMENT).filter(|rest| rest.contains('/')).unwrap_or(text);
        rest.split_once('/')
            .filter(|(_, node)| !node.is_empty() && !node.contains('/'))
            .filter(|(environment, _)| rest != text || !is_prefix(environment))
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
        if let Some(name) = text.strip_prefix(FEDERATION_SERVICE) {
            return Ok(Self::federation_service(name));
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
    use mocktenant_world::EditedBy;

    use super::*;

    #[test]
    fn places_are_written_as_text_and_read_back() {
        for text in ["identity", "environment/onebox", "organization/contoso"] {
            assert_eq!(text.parse::<Entrance>().unwrap().to_string(), text);
        }
        for text in [
            "tenant/c01",
            "federation-service/f",
            "onebox/aos1",
            "environment/tenant/a",
            "organization/contoso",
        ] {
            assert_eq!(text.parse::<Machine>().unwrap().to_string(), text);
        }
        for text in ["tenant/c01", "federation-service/f", "environment/onebox", "organization/contoso"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        assert!("environment/onebox".parse::<Machine>().is_err(), "an environment is not one machine");
        assert!("tools".parse::<Entrance>().is_err());
        assert!("identity".parse::<Scope>().is_err());
    }

    const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
    const SERVICE: &str = "federation-service/contoso";

    fn added(path: &str, value: &str) -> Edit {
        let value: serde_json::Value = serde_json::from_str(value).unwrap();
        serde_json::from_value(serde_json::json!({ "op": "add", "path": path, "value": value })).unwrap()
    }

    fn with(edits: &[(&str, &str)]) -> World {
        let edits: Vec<Edit> = edits.iter().map(|(path, value)| added(path, value)).collect();
        World::contoso().unwrap().edited(&edits, EditedBy::Control).unwrap()
    }

    #[test]
    fn every_tenant_service_node_and_organisation_of_a_world_is_a_machine_by_a_name_that_leads_back_to_it() {
        let world = World::contoso().unwrap();
        let machines: Vec<String> = Machine::all(&world).map(|machine| machine.to_string()).collect();
        let tenant = format!("tenant/{TENANT}");
        let nodes = ["onebox/aos1", "onprem/AOS_1", "onprem/AOS_2", "onprem/AOS_3"];
        assert_eq!(machines, [&[&*tenant, SERVICE][..], &nodes, &["organization/contoso"]].concat());
        let scopes: Vec<String> = Scope::all(&world).map(|scope| scope.to_string()).collect();
        let environments = ["environment/onebox", "environment/onprem"];
        assert_eq!(scopes, [&*tenant, SERVICE, environments[0], environments[1], "organization/contoso"]);
        for machine in Machine::all(&world) {
            let edit = machine.clock_edit(&world, Duration::minutes(20)).unwrap();
            world.edited(&[edit], EditedBy::Control).unwrap();
        }
    }

    #[test]
    fn a_clock_is_off_by_what_is_declared_of_its_own_machine() {
        let world = with(&[
            ("/environments/onebox/nodes/aos2", "{}"),
            ("/environments/onebox/nodes/aos3", r#"{"clock": "-1h30m"}"#),
            ("/environments/onebox/machine/clock", r#""+20m""#),
            (&format!("/tenants/{TENANT}/clock"), r#""+1d""#),
            ("/organizations/contoso/clock", r#""-5s""#),
            ("/federation_services/contoso/clock", r#""-2h""#),
        ]);
        for (machine, seconds, setting) in [
            (Machine::node("onebox", "aos2"), 1_200, "/environments/onebox/machine/clock"),
            (Machine::node("onebox", "aos3"), -5_400, "/environments/onebox/nodes/aos3/clock"),
            (Machine::tenant(TENANT), 86_400, &*format!("/tenants/{TENANT}/clock")),
            (Machine::organization("contoso"), -5, "/organizations/contoso/clock"),
            (Machine::federation_service("contoso"), -7_200, "/federation_services/contoso/clock"),
        ] {
            assert_eq!(machine.offset(&world), Duration::seconds(seconds), "{machine}");
            assert_eq!(machine.clock_setting(&world).unwrap().to_string(), setting, "{machine}");
        }
        for nowhere in [
            Machine::node("onebox", "aos9"),
            Machine::node("none", "aos1"),
            Machine::tenant("contoso"),
            Machine::organization("none"),
            Machine::federation_service("none"),
        ] {
            assert_eq!(nowhere.offset(&world), Duration::ZERO, "{nowhere}");
            assert_eq!(nowhere.clock_setting(&world), None, "{nowhere}");
        }
    }

    #[test]
    fn a_machine_that_is_stopped_is_told_from_its_setting_and_only_one_that_has_it_can_be() {
        let world = with(&[("/federation_services/contoso/stopped", "true")]);
        let (contoso, none) = (Machine::federation_service("contoso"), Machine::federation_service("none"));
        assert!(contoso.is_stopped(&world) && !contoso.is_stopped(&with(&[])) && !none.is_stopped(&world));
        let setting = contoso.stopped_setting(&world).unwrap();
        assert_eq!(setting.to_string(), "/federation_services/contoso/stopped");
        let node = Machine::node("onebox", "aos1");
        assert_eq!(node.stopped_setting(&world).unwrap().to_string(), "/environments/onebox/stopped");
        assert!(!node.is_stopped(&world));
        let nowhere = Machine::node("onebox", "aos9");
        for other in [none, nowhere, Machine::organization("contoso"), Machine::tenant(TENANT)] {
            assert_eq!((other.stopped_setting(&world), other.is_stopped(&world)), (None, false), "{other}");
        }
    }

    #[test]
    fn setting_the_clock_of_one_node_of_several_sets_no_others_and_of_the_only_one_the_machines() {
        let aos1 = Machine::node("onebox", "aos1");
        let path = |world: &World| aos1.clock_edit(world, Duration::minutes(-20)).unwrap();
        let alone = path(&World::contoso().unwrap());
        assert_eq!(alone.path.to_string(), "/environments/onebox/machine/clock");
        assert_eq!(alone.value, Some("-20m".into()));
        let one_of_two = path(&with(&[("/environments/onebox/nodes/aos2", "{}")]));
        assert_eq!(one_of_two.path.to_string(), "/environments/onebox/nodes/aos1/clock");
        assert_eq!(Machine::node("none", "aos1").clock_edit(&with(&[]), Duration::ZERO), None);
    }

    #[test]
    fn two_worlds_share_the_places_that_no_edit_was_in() {
        let before = World::contoso().unwrap();
        let edit = |path: &str, value: &str| before.edited(&[added(path, value)], EditedBy::Control).unwrap();
        let tenant = Scope::Tenant(TENANT.into());
        let (onebox, contoso) = (Scope::environment("onebox"), Scope::organization("contoso"));
        let service = Scope::federation_service("contoso");
        for (world, differs) in [
            (edit(&format!("/tenants/{TENANT}/clock"), r#""+1d""#), &tenant),
            (edit("/environments/onebox/machine/clock", r#""+1d""#), &onebox),
            (edit("/organizations/contoso/clock", r#""+1d""#), &contoso),
            (edit("/federation_services/contoso/clock", r#""+1d""#), &service),
        ] {
            for scope in [&tenant, &service, &onebox, &contoso] {
                assert_eq!(scope.is_shared(&before, &world), scope != differs, "{scope} of {differs}");
            }
        }
        let nowhere = Scope::Tenant(TENANT.replace("0001", "0009").into());
        assert!(nowhere.is_shared(&before, &before), "in neither nothing differs");
        let more = edit(
            &nowhere.pointer().to_string(),
            r#"{"name": "N", "domains": ["none.onmicrosoft.com"], "region": "EU", "signing_keys": ["shipped:token-signing"]}"#,
        );
        assert!(!nowhere.is_shared(&more, &before) && !nowhere.is_shared(&before, &more));
    }

    #[test]
    fn a_machine_works_on_the_rows_of_its_tenant_environment_or_organisation() {
        for (machine, scope, name, environment) in [
            (Machine::tenant(TENANT), Scope::Tenant(TENANT.into()), TENANT, None),
            (Machine::node("onebox", "aos1"), Scope::environment("onebox"), "onebox", Some("onebox")),
            (Machine::organization("contoso"), Scope::organization("contoso"), "contoso", None),
            (Machine::federation_service("contoso"), Scope::federation_service("contoso"), "contoso", None),
        ] {
            assert_eq!(machine.scope(), scope);
            assert_eq!((scope.name(), machine.environment()), (name, environment));
        }
        assert_eq!(Scope::environment("onebox").pointer().to_string(), "/environments/onebox");
        assert_eq!(Scope::organization("contoso").pointer().to_string(), "/organizations/contoso");
        let service = Scope::federation_service("contoso");
        assert_eq!(service.pointer().to_string(), "/federation_services/contoso");
        assert_eq!(Scope::Tenant(TENANT.into()).pointer().to_string(), format!("/tenants/{TENANT}"));
    }

    #[test]
    fn a_text_that_names_no_place_is_refused_with_what_it_was_to_be() {
        let said = |refused: NoPlace| refused.to_string();
        assert_eq!(said("tools".parse::<Entrance>().unwrap_err()), "\"tools\" names no entrance");
        assert_eq!(said("node".parse::<Machine>().unwrap_err()), "\"node\" names no machine");
        assert_eq!(said("identity".parse::<Scope>().unwrap_err()), "\"identity\" names no scope");
        let read: Machine = serde_json::from_str("\"environment/onebox/aos1\"").unwrap();
        assert_eq!(read, Machine::node("onebox", "aos1"));
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"onebox/aos1\"");
        for bad in ["a/b/c", "environment/a/b/c", "onprem/", "tenant", "environment/x"] {
            assert!(bad.parse::<Machine>().is_err(), "{bad}");
        }
    }
}
