//! The journal: what happened, filtered, with waiting.
//!
//! Decides paging and filters; masking is the journal's own. Children stand before their parent, because they were
//! answered first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use mocktenant_lab::Lab;
use mocktenant_lab::journal::{Record, RecordDocument};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use crate::ControlState;
use crate::problem::{Problem, ok};

/// Longest wait for a record, in seconds.
pub const LONGEST_WAIT: f64 = 60.0;

/// How soon whoever waits notices that the lab stops.
const STOP_SEEN: Duration = Duration::from_millis(200);

/// How many there are at the most, where nobody says.
pub(crate) const DEFAULT_LIMIT: usize = 100;
/// How many anybody may ask for.
pub(crate) const LARGEST_LIMIT: usize = 1000;

/// Query of [`list`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Only what was refused.
    #[serde(default)]
    failed: bool,
    /// Only records after this sequence number.
    #[serde(default)]
    since: Option<u64>,
    /// Only the exchange with this id and what it caused, or one that carried this request or correlation id.
    #[serde(default)]
    id: Option<String>,
    /// At most so many: the first after `since`, or without `since` the newest. 1 to 1000.
    #[serde(default)]
    limit: Option<usize>,
    /// Seconds to wait for a record if there is none yet, 0 to 60.
    #[serde(default)]
    wait: Option<f64>,
}

impl Asked {
    fn wants(&self, record: &Record) -> bool {
        let since = self.since.is_none_or(|since| record.sequence > since);
        let failed = !self.failed || record.refused();
        let id = self.id.as_deref().is_none_or(|id| is_about(record, id));
        since && failed && id
    }

    fn select(&self, lab: &Lab) -> Vec<Arc<Record>> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, LARGEST_LIMIT);
        let mut records = lab.journal().records();
        records.retain(|record| self.wants(record));
        if self.since.is_some() {
            records.truncate(limit);
        } else {
            records.drain(..records.len().saturating_sub(limit));
        }
        records
    }
}

/// A filter and no tree: it sees one record at a time, also while waiting, before its cause is there. An exchange's id
/// begins with the id of what caused it.
fn is_about(record: &Record, id: &str) -> bool {
    let below = record.id.strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    below || record.carries(id)
}

/// `GET /v1/journal`: `{records, next, dropped}`; `next` is the `since` of the following call.
pub(crate) async fn list(
    State(state): State<ControlState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let lab = &state.lab;
    let records = found(&state, asked.wait, |record| asked.wants(record), || asked.select(lab)).await?;
    let next = records.last().map_or(asked.since.unwrap_or(0), |record| record.sequence);
    let records: Vec<RecordDocument> = records.iter().map(|record| record.document()).collect();
    Ok(ok(&json!({ "records": records, "next": next, "dropped": lab.journal().dropped() })))
}

/// What `select` finds in the journal; where that is nothing, `wait` seconds may pass until there is a record that is wanted.
pub(crate) async fn found<T>(
    state: &ControlState,
    wait: Option<f64>,
    wants: impl Fn(&Record) -> bool,
    select: impl Fn() -> Vec<T>,
) -> Result<Vec<T>, Problem> {
    let seconds = wait.unwrap_or(0.0);
    if !(0.0..=LONGEST_WAIT).contains(&seconds) {
        let detail = format!("`wait` is a number of seconds from 0 to {LONGEST_WAIT}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    // Followed before it is read, so that nothing falls between the two.
    let follower = state.lab.journal().follow();
    let found = select();
    if !found.is_empty() || seconds <= 0.0 {
        return Ok(found);
    }
    let arrival = first_wanted(follower, wants);
    // Whether it came, the time ran out or the lab stops: the journal says what there is.
    tokio::select! {
        _ = tokio::time::timeout(Duration::from_secs_f64(seconds), arrival) => {}
        () = stopping(&state.ready) => {}
    }
    Ok(select())
}

/// Resolves when a lab that was ready is not any more: nobody who only waits is to hold up its end.
async fn stopping(ready: &AtomicBool) {
    if !ready.load(Ordering::Acquire) {
        return std::future::pending().await;
    }
    while ready.load(Ordering::Acquire) {
        tokio::time::sleep(STOP_SEEN).await;
    }
}

async fn first_wanted(
    mut follower: tokio::sync::broadcast::Receiver<Arc<Record>>,
    wants: impl Fn(&Record) -> bool,
) {
    loop {
        match follower.recv().await {
            Ok(record) if wants(&record) => return,
            Ok(_) => {}
            // Missed some: they are in the journal, where the caller looks next.
            Err(RecvError::Lagged(_) | RecvError::Closed) => return,
        }
    }
}

/// `GET /v1/journal/{id}`: the record with everything it caused under `children`, to any depth.
pub(crate) async fn one(
    State(state): State<ControlState>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let tree = state.lab.journal().tree();
    let Some(record) = tree.get(&id) else {
        let shown: String = id.escape_debug().take(80).collect();
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("the journal has no exchange {shown}")));
    };
    Ok(ok(&json!(tree.document(record))))
}
