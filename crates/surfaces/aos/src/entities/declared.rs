//! The rows an environment begins with: its declared records, and what the product keeps of the declaration itself.
//!
//! Decides how a declared record becomes a row (a column the entity has not is left out, and so is a value of another type), and
//! which members users, applications and Dual Write's projects have where the product has them as entities of their own. Those
//! are seen here and changed in the declaration.

use std::collections::HashSet;

use mocktenant_keys::sha256;
use mocktenant_lab::DeclaredRow;
use mocktenant_lab::declared::{self, Wrong};
use mocktenant_odata::fold_case;
use mocktenant_schema::{Cell, Guid, Kind, Rule, Violation, moment};
use mocktenant_tables::Values;
use mocktenant_world::{Environment, Problem};
use serde_json::{Map, Value};

use super::complete::complete;
use super::values::take;
use super::{Entity, Member, Notes, all};
use crate::dual_write::map::MAPS;
use crate::schema;

/// All rows of an environment, those that others refer to first.
pub(crate) fn rows(environment: &Environment) -> Vec<DeclaredRow> {
    let mut rows = Vec::new();
    let schema = schema::of(environment);
    for entity in all(&schema) {
        let declared = environment.records.get(entity.set()).into_iter().flatten();
        if entity.is_kept() {
            rows.extend(declared.map(|(name, row)| record(entity, name, row)));
        }
    }
    rows.extend(companies(environment));
    rows.extend(users(environment));
    rows.extend(applications(environment));
    rows.extend(projects(environment));
    rows
}

fn record(entity: Entity<'_>, name: &str, row: &Map<String, Value>) -> DeclaredRow {
    let mut values = Values::default();
    for (column, value) in row {
        let Some(column) = entity.column(column) else { continue };
        if value.is_null() {
            continue;
        }
        if let Some(cell) = held(column, value) {
            values.set(column.ordinal(), cell);
        }
    }
    complete(entity, &mut values);
    row_of(entity, name, &values)
}

/// What a declared value is in its column.
fn held(column: Member<'_>, value: &Value) -> Option<Cell> {
    take(column, value).or_else(|| forgiven(column, value))
}

/// What is wrong with the entities and records that an environment declares.
pub(crate) fn findings(environment: &Environment) -> Vec<Problem> {
    let pointer = &environment.pointer;
    let findings = schema::findings(environment);
    if !findings.is_empty() {
        return declared::tables(&pointer.tables(), findings);
    }
    let schema = schema::of(environment);
    let kept = schema.tables().filter(|entity| entity.is_kept());
    declared::rows(
        &environment.records,
        |set| pointer.records(set),
        &kept,
        |entity, name, value| {
            let column = entity.column(name).ok_or(Wrong::NoColumn)?;
            let taken = value.is_null() || held(column, value).is_some();
            let violation = || Violation { rule: Rule::Type, column, value: value.clone() };
            if taken { Ok(()) } else { Err(Wrong::Value(violation())) }
        },
    )
}

/// What a person writes into a file and a client never sends: a day alone, digits without quotes.
fn forgiven(column: Member<'_>, value: &Value) -> Option<Cell> {
    match (column.kind(), value) {
        (Kind::Day, Value::String(text)) => moment::parse_day(text).map(Cell::Day),
        (Kind::Moment, Value::String(text)) => moment::parse_moment(text).map(Cell::Moment),
        (Kind::Text | Kind::Memo, Value::Number(number)) => take(column, &Value::from(number.to_string())),
        _ => None,
    }
}

fn row_of(entity: Entity<'_>, name: &str, values: &Values) -> DeclaredRow {
    let cell = |(at, cell): (u16, &Cell)| Some((entity.at(at)?.name().to_owned(), cell.clone()));
    DeclaredRow {
        table: entity.name().to_owned(),
        name: name.to_owned(),
        cells: values.iter().filter_map(cell).collect(),
    }
}

/// The rows of a view: what each of its members holds, by the name it is declared under. Of two names that the database takes for
/// one the first is seen.
fn view<'d, T: 'd>(
    set: &str,
    declared: impl IntoIterator<Item = (&'d String, &'d T)>,
    members: impl Fn(&str, &T) -> Vec<(&'static str, Value)>,
) -> Vec<DeclaredRow> {
    let schema = schema::built_in();
    let Some(entity) = schema.by_set(set) else { return Vec::new() };
    let mut seen = HashSet::new();
    let first = declared.into_iter().filter(|(name, _)| seen.insert(fold_case(name)));
    let row = |(name, one): (&String, &T)| {
        let cell = |(column, value): (&str, Value)| {
            let column = entity.column(column)?;
            Some((column.ordinal(), take(column, &value)?))
        };
        row_of(entity, name, &members(name, one).into_iter().filter_map(cell).collect())
    };
    first.map(row).collect()
}

/// Companies: the legal entities that are declared, with the few members these have in common, where no company is declared by
/// itself. Both are one table in the product; what is written later to one of the two is seen in the other (`twin`).
fn companies(environment: &Environment) -> Vec<DeclaredRow> {
    if environment.records.contains_key("Companies") {
        return Vec::new();
    }
    let declared = environment.records.get("LegalEntities").into_iter().flatten();
    view("Companies", declared, |_, company| {
        let member = |name: &str| company.get(name).cloned().unwrap_or_else(|| Value::from(""));
        let language = company.get("LanguageId").cloned().unwrap_or_else(|| Value::from("en-US"));
        vec![
            ("DataArea", member("LegalEntityId")),
            ("Name", member("Name")),
            ("KnownAs", member("Name")),
            ("LanguageId", language),
            ("PartyNumber", member("PartyNumber")),
        ]
    })
}

/// SystemUsers: UserInfo. Members that the declaration has nothing for stay empty. [inferred: no whole answer is captured]
fn users(environment: &Environment) -> Vec<DeclaredRow> {
    view("SystemUsers", &environment.database.user_info, |id, user| {
        vec![
            ("UserID", Value::from(id)),
            ("UserName", Value::from(user.name.as_str())),
            ("PersonName", Value::from(user.name.as_str())),
            ("Alias", Value::from(user.network_alias.as_str())),
            ("Email", Value::from(user.network_alias.as_str())),
            ("NetworkDomain", Value::from(user.network_domain.as_str())),
            ("Company", Value::from(user.company.as_str())),
            ("Enabled", Value::from(user.enable == 1)),
            ("UserInfo_language", Value::from("en-US")),
            ("Helplanguage", Value::from("en-US")),
            ("Language", Value::from("en-US")),
        ]
    })
}

/// SysAADClients: "Microsoft Entra ID applications".
fn applications(environment: &Environment) -> Vec<DeclaredRow> {
    view("SysAADClients", &environment.database.sys_aad_client_table, |id, client| {
        vec![
            ("AADClientId", Value::from(id)),
            ("Name", Value::from(client.name.as_str())),
            ("UserId", Value::from(client.user_id.as_str())),
        ]
    })
}

/// DualWriteProjectConfigurations: the link's maps, with the product's names of both sides where the map is one that is played: the
/// label of the entity, the set in Dataverse and its table, whose names differ by an `s` in these.
fn projects(environment: &Environment) -> Vec<DeclaredRow> {
    let Some(link) = &environment.database.dual_write else { return Vec::new() };
    let schema = schema::of(environment);
    view("DualWriteProjectConfigurations", &link.maps, |internal, map| {
        let running = map.state.eq_ignore_ascii_case("Running");
        let entity = schema.by_set(internal).map_or(internal, Entity::label);
        let external = MAPS.iter().find(|map| map.internal == internal).map_or("", |map| map.external);
        vec![
            ("ProjectName", Value::from(project_name(&environment.id, internal))),
            ("InternalEntityName", Value::from(entity)),
            ("ExternalEntityName", Value::from(external)),
            ("ExternalLogicalEntityName", Value::from(external.strip_suffix('s').unwrap_or(external))),
            ("ExternalEnvironmentUrl", Value::from(link.external_environment_url.as_str())),
            ("Status", Value::from(if running { "Enabled" } else { "Disabled" })),
        ]
    })
}

/// What the project of a map is called: two ids, of the environment and of the map in it. Made from their names alone, so that a
/// project is called the same in every lab and whatever is changed about it. [inferred: what the ids are of]
fn project_name(environment: &str, internal: &str) -> String {
    let id = |of: &str| {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(sha256(of)).for_each(|(byte, digest)| *byte = digest);
        Guid::from_bytes(bytes)
    };
    format!("DWM-{}-{}", id(environment), id(&format!("{environment}/{internal}")))
}
