//! The event logs of the products that have some: views of the journal, filtered, with waiting.
//!
//! Decides paging and filters, in the manner of the journal. What an event says is its product's; secrets are hidden in the view.

use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use mocktenant_lab::event::record_of;
use mocktenant_lab::journal::Record;
use mocktenant_lab::{Event, EventDocument, Lab};
use serde::Deserialize;
use serde_json::json;

use crate::ControlState;
use crate::journal::{DEFAULT_LIMIT, LARGEST_LIMIT, found};
use crate::problem::{Problem, ok};

/// Query of [`list`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Only of the log with this short name.
    #[serde(default)]
    log: Option<String>,
    /// Only those with this activity id, in braces or not.
    #[serde(default)]
    activity: Option<String>,
    /// Only events after this number.
    #[serde(default)]
    since: Option<u64>,
    /// At most so many: the first after `since`, or without `since` the newest. 1 to 1000.
    #[serde(default)]
    limit: Option<usize>,
    /// Seconds to wait for an event if there is none yet, 0 to 60.
    #[serde(default)]
    wait: Option<f64>,
}

impl Asked {
    /// What a record left that is wanted.
    fn of(&self, lab: &Lab, record: &Record) -> Vec<Event> {
        let since = self.since.unwrap_or(0);
        if record.sequence < record_of(since) {
            return Vec::new();
        }
        let mut events = lab.events(record);
        events.retain(|event| event.number > since && self.wants(event));
        events
    }

    fn wants(&self, event: &Event) -> bool {
        let log = self.log.as_deref().is_none_or(|log| event.row.log.name == log);
        let activity = self.activity.as_deref().is_none_or(|wanted| {
            let wanted = wanted.trim().trim_start_matches('{').trim_end_matches('}');
            event.row.activity.as_deref().is_some_and(|activity| activity.eq_ignore_ascii_case(wanted))
        });
        log && activity
    }

    fn select(&self, lab: &Lab) -> Vec<Event> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, LARGEST_LIMIT);
        let records = lab.journal().records();
        let of = |record: &std::sync::Arc<Record>| self.of(lab, record);
        if self.since.is_some() {
            return records.iter().flat_map(of).take(limit).collect();
        }
        let newest = records.iter().rev().flat_map(|record| of(record).into_iter().rev());
        let mut events: Vec<Event> = newest.take(limit).collect();
        events.reverse();
        events
    }
}

/// `GET /v1/events`: `{events, next, dropped}`; `next` is the `since` of the following call.
pub(crate) async fn list(
    State(state): State<ControlState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let lab = &state.lab;
    if let Some(log) = &asked.log {
        let known: Vec<&str> = lab.event_logs().into_iter().map(|known| known.name).collect();
        if !known.contains(&log.as_str()) {
            let shown: String = log.escape_debug().take(80).collect();
            let detail = format!("there is no event log called {shown}; there are: {}", known.join(", "));
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
    }
    let wanted = |record: &Record| !asked.of(lab, record).is_empty();
    let events = found(&state, asked.wait, wanted, || asked.select(lab)).await?;
    let next = events.last().map_or(asked.since.unwrap_or(0), |event| event.number);
    let events: Vec<EventDocument> = events.iter().map(Event::document).collect();
    Ok(ok(&json!({ "events": events, "next": next, "dropped": lab.journal().dropped() })))
}
