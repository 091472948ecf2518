//! Dual Write outbound: a change in Finance & Operations that has to arrive in Dataverse before it counts.
//!
//! Decides whether a change leaves at all (the map runs and its filter lets the row through) and asks the checks of the way:
//! is there a URL, a certificate, a token, and did Dataverse take it. Runs inside the caller's transaction: if it fails,
//! the caller drops what it reserved. Several changes of one unit of work go together, as one change set that Dataverse takes or
//! refuses. Mirrors the synchronous live sync; a paused map does not queue in this cut.

pub(crate) mod map;
mod together;
mod writer;

use std::sync::Arc;

use mocktenant_lab::{Context, Trail};
use mocktenant_tables::Values;
use mocktenant_verdict::{Change, Checklist, Finding, Need, Question, Remedy, Role, Setting};
use mocktenant_world::Organization;

use crate::advice;
use crate::configuration::origin;
use crate::entities::Entity;
use crate::errors::{DualWriteError, Troubleshooting};
use crate::onebox::State;
use crate::service_identity;
use map::{MAPS, Map};
use writer::{Session, Undelivered};

/// There is a URL to write to.
pub(crate) static URL_CONFIGURED: Question = Question::new("dataverse-url-configured", Role::Resource);
/// Dataverse takes the write.
static ACCEPTED: Question =
    Question::new("dataverse-accepted", Role::Resource).needs(&[&service_identity::TOKEN_ISSUED]).relays();

/// The questions of a delivery, in order.
pub(crate) fn questions() -> impl Iterator<Item = &'static Question> {
    let first = std::iter::once(&URL_CONFIGURED).chain(service_identity::OF_CERTIFICATE.iter().copied());
    first.chain([&service_identity::TOKEN_ISSUED, &ACCEPTED])
}

/// What happened to the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// It is new.
    Insert,
    /// It changed.
    Update,
    /// It goes.
    Delete,
}

/// A record that a unit of work writes.
pub(crate) struct Written<'c> {
    pub(crate) entity: Entity<'c>,
    pub(crate) operation: Operation,
    /// The record as it is to be; one that goes as it was.
    pub(crate) row: &'c Values,
}

/// A change that a map takes to Dataverse.
struct Leaving<'c> {
    /// Which one of its unit, from 0.
    at: usize,
    map: &'static Map,
    operation: Operation,
    row: (Entity<'c>, &'c Values),
}

/// Delivers the changes of a unit of work of which a map says so: all of them, or none. Records checks and facts, and says which one
/// failed, counted from 0.
pub(crate) async fn deliver(
    context: &Context,
    trail: &mut Trail,
    node: &State,
    written: &[Written<'_>],
) -> Result<(), (usize, DualWriteError)> {
    let mut leaving: Vec<Leaving<'_>> = Vec::new();
    for (at, one) in written.iter().enumerate() {
        let row = (one.entity, one.row);
        for map in MAPS.into_iter().filter(|map| map.internal == one.entity.set()) {
            if leaves(context, trail, map, row) {
                leaving.push(Leaving { at, map, operation: one.operation, row });
            }
        }
    }
    let Some(first) = leaving.first() else { return Ok(()) };
    // whoever is refused for what all of them need is the first
    let (mut failed, map) = (first.at, first.map);
    let configuration = &node.configuration;
    trail.share(&node.outbound);
    let activity_id = context.random().guid().to_string();
    trail.activity("activity-id", activity_id.as_str());

    let url = &configuration.dataverse_url.value;
    let base = url.trim().trim_end_matches('/').to_owned();
    let organization = organization(context, &base);
    let refused = DualWriteError::AuthenticationFailed {
        set: map.external.to_owned(),
        url: shown_url(&base, organization.is_some(), map.external),
    };
    let mut list = Checklist::new(context.switches(), DualWriteError::describe);

    let configured = ask_url(&mut list, context, node, map, &base);
    let settings = || accepted_settings(node, organization);
    let token = service_identity::access_token(context, trail, node, &mut list, &refused, configured).await;
    let expected = "the write is accepted";
    let delivered = match token {
        None => {
            list.ask(&ACCEPTED, expected, settings, Finding::skip(service_identity::TOKEN_ISSUED.name));
            false
        }
        Some(token) => {
            let troubleshooting = Troubleshooting { activity: activity_id.to_ascii_uppercase() };
            let session = Session { base: &base, token: &token, activity_id: &activity_id, troubleshooting };
            match session.write(context, trail, &leaving).await {
                Ok(accepted) => list.ask(&ACCEPTED, expected, settings, Finding::pass(accepted)),
                Err((at, Undelivered { actual, error, missing })) => {
                    failed = at;
                    let rows = || missing.iter().filter_map(|set| Some(organization?.pointer.records(set)));
                    let all = || rows().chain(settings()).collect::<Vec<Setting>>();
                    let unanswered =
                        matches!(*error, DualWriteError::WriteUnanswered { .. }) && !context.is_void();
                    let finding = Finding::fail(actual, *error).mended_by(|| match rows().next() {
                        Some(set) => Remedy::here(row_missing(set)),
                        None => wrong_link(context, node, unanswered || organization.is_none()),
                    });
                    list.ask(&ACCEPTED, expected, all, finding)
                }
            }
        }
    };
    let (checks, refusal) = list.finish();
    trail.record_checks(checks);
    match refusal {
        Some(error) => Err((failed, error)),
        // A check that a test turned off refuses nothing, yet without a token nothing arrived.
        None if !delivered => Err((failed, refused)),
        None => Ok(()),
    }
}

/// Whether the map runs and takes the row. The map's state is live: pausing one needs no restart.
fn leaves(context: &Context, trail: &mut Trail, map: &Map, row: (Entity<'_>, &Values)) -> bool {
    let environment = context.environment().and_then(|name| context.world().environment(name));
    let Some(environment) = environment else { return false };
    let link = environment.database.dual_write.as_ref();
    let configured = link.and_then(|link| link.maps.get(map.internal));
    let state = configured.map_or("none", |configured| configured.state.as_str());
    let running = state.eq_ignore_ascii_case("Running");
    let takes = map.takes(row);
    let suffix = if takes { "" } else { ", but its filter leaves this row out" };
    let setting = environment.pointer.dual_write_map(map.internal).state();
    trail.fact_from("map", format!("{} -> {}: {state}{suffix}", map.internal, map.external), setting);
    running && takes
}

/// A row the write refers to is not in the organisation. Its name is the person's own; so is what is in it.
fn row_missing(set: Setting) -> Change {
    let what = format!("the row of {} the write refers to", set.segments().last().unwrap_or_default());
    let need = Need::add(set.join("added"), what.clone());
    Change::missing(set).expected(what).need(need)
}

/// The URL names no organisation of this world, or nobody answers there: then it is the URL.
fn wrong_link(context: &Context, node: &State, evident: bool) -> Remedy {
    advice::remedy(context, |advice| evident.then(|| advice.link(&node.configuration)))
}

fn ask_url(
    list: &mut Checklist<'_, DualWriteError>,
    context: &Context,
    node: &State,
    map: &Map,
    base: &str,
) -> bool {
    let payload = |reason| DualWriteError::PayloadFailed { entity: map.entity.to_owned(), reason };
    let finding = if base.is_empty() {
        Finding::fail("empty", payload("Invalid URI: The URI is empty."))
    } else if origin(base).is_none() {
        let reason = "Invalid URI: The format of the URI could not be determined.";
        Finding::fail(base.to_owned(), payload(reason))
    } else {
        Finding::pass("a URL")
    };
    let settings = || vec![node.configuration.dataverse_url.setting.clone()];
    let finding =
        finding.mended_by(|| advice::remedy(context, |advice| Some(advice.link(&node.configuration))));
    list.ask(&URL_CONFIGURED, "the URL of an organisation", settings, finding) && origin(base).is_some()
}

/// The organisation of this world that a URL names, by either of its hosts.
fn organization<'c>(context: &'c Context, base: &str) -> Option<&'c Organization> {
    let host = host_of(base)?.to_ascii_lowercase();
    let named =
        |organization: &&Arc<Organization>| organization.host == host || organization.api_host == host;
    context.world().organizations().find(named).map(Arc::as_ref)
}

fn host_of(base: &str) -> Option<&str> {
    let (_, authority) = origin(base)?.split_once("://")?;
    Some(match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    })
}

/// The URL as the product prints it. A port behind a world name is the lab's, the real organisation has none.
fn shown_url(base: &str, world_name: bool, set: &str) -> String {
    let shown = match (origin(base), host_of(base)) {
        (Some(origin), Some(host)) if world_name => {
            let scheme = origin.split("://").next().unwrap_or("https");
            format!("{scheme}://{host}{}", &base[origin.len()..])
        }
        _ => base.to_owned(),
    };
    format!("{shown}/api/data/v9.0/{set}")
}

/// What Dataverse's answer depends on, the likeliest to be wrong first.
fn accepted_settings(node: &State, organization: Option<&Organization>) -> Vec<Setting> {
    let configuration = &node.configuration;
    let mut settings = Vec::new();
    if let Some(organization) = organization {
        let user = organization.pointer.application_user(&configuration.client_id().to_ascii_lowercase());
        settings.push(user.setting());
        settings.push(user.roles());
    }
    settings.push(configuration.client_id_setting().clone());
    settings.push(configuration.dataverse_url.setting.clone());
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_a_person_reads_has_no_lab_port_behind_a_world_name() {
        let shown = |base| shown_url(base, true, "accounts");
        let expected = "https://contoso.crm4.dynamics.com/api/data/v9.0/accounts";
        assert_eq!(shown("https://contoso.crm4.dynamics.com"), expected);
        assert_eq!(shown("https://contoso.crm4.dynamics.com:7446"), expected);
        assert_eq!(
            shown_url("https://localhost:7446", false, "accounts"),
            "https://localhost:7446/api/data/v9.0/accounts"
        );
    }

    #[test]
    fn a_host_is_read_without_its_port() {
        assert_eq!(host_of("https://a.b:1/x"), Some("a.b"));
        assert_eq!(host_of("https://a.b"), Some("a.b"));
        assert_eq!(host_of("a.b"), None);
    }
}
