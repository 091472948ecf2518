//! The journal, and the event logs that are views of it.

use mocktenant_lab::Severity;

use super::*;

static ADMIN: EventLog = EventLog {
    name: "admin",
    channel: "Door/Admin",
    provider: "Door",
    guid: None,
    task: (0, "None"),
    user_data: None,
};
static SECURITY: EventLog = EventLog { name: "security", channel: "Security", ..ADMIN };

/// The logs the doorkeeper writes to.
pub(super) const LOGS: &[&EventLog] = &[&ADMIN, &SECURITY];

/// An event in each of them, whose id counts the knocks.
pub(super) fn left_by(record: &Record) -> Vec<EventRow> {
    let row = |log: &'static EventLog| EventRow {
        log,
        id: u16::try_from(record.sequence).unwrap(),
        severity: Severity::Error,
        keywords: (0, "Door"),
        message: "Shut: %1",
        data: vec![String::from("contoso-app-secret-not-secret")],
        activity: Some(format!("ABC-{}", record.sequence)),
        user: ("NOBODY", "S-1-0-0"),
        computer: String::from("door.contoso.com"),
    };
    vec![row(&ADMIN), row(&SECURITY)]
}

#[tokio::test]
async fn the_journal_filters_pages_and_waits() {
    let state = state();
    let first = knock(&state.lab).await;
    let second = knock(&state.lab).await;
    let ids = |body: &Value| -> Vec<String> {
        let records = body["records"].as_array().unwrap();
        records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    };
    let (_, all, _) = read(&state, get("/v1/journal?failed=true")).await;
    assert_eq!(
        (ids(&all), &all["next"], &all["dropped"]),
        (vec![first.clone(), second.clone()], &json!(2), &json!(0))
    );
    let (_, newest, _) = read(&state, get("/v1/journal?limit=1")).await;
    assert_eq!(ids(&newest), [second.as_str()]);
    let (_, oldest, _) = read(&state, get("/v1/journal?since=0&limit=1")).await;
    assert_eq!((ids(&oldest), &oldest["next"]), (vec![first.clone()], &json!(1)));
    let (_, by_id, _) = read(&state, get(&format!("/v1/journal?id={second}"))).await;
    assert_eq!(ids(&by_id), [second.as_str()]);
    let (_, by_request_id, _) = read(&state, get("/v1/journal?id=abc-1")).await;
    assert_eq!(ids(&by_request_id).len(), 2);

    let waiting = tokio::spawn({
        let state = state.clone();
        async move { read(&state, get("/v1/journal?since=2&wait=20")).await }
    });
    tokio::task::yield_now().await;
    let third = knock(&state.lab).await;
    assert_eq!(ids(&waiting.await.unwrap().1), [third]);
    let (_, nothing, _) = read(&state, get("/v1/journal?since=3&wait=0.01")).await;
    assert_eq!((ids(&nothing), &nothing["next"]), (Vec::<String>::new(), &json!(3)));
}

#[tokio::test]
async fn the_event_logs_filter_page_and_wait_as_the_journal_does() {
    let state = state();
    for _ in 0..2 {
        knock(&state.lab).await;
    }
    let ids = |body: &Value| -> Vec<(String, u64)> {
        let events = body["events"].as_array().unwrap();
        let shown =
            |event: &Value| (event["log"].as_str().unwrap().to_owned(), event["id"].as_u64().unwrap());
        events.iter().map(shown).collect()
    };
    let (admin, security) = (|id| (String::from("admin"), id), |id| (String::from("security"), id));
    let (_, all, _) = read(&state, get("/v1/events")).await;
    assert_eq!(ids(&all), [admin(1), security(1), admin(2), security(2)]);
    let (_, audits, _) = read(&state, get("/v1/events?log=security")).await;
    assert_eq!(ids(&audits), [security(1), security(2)]);
    let (_, newest, _) = read(&state, get("/v1/events?limit=1")).await;
    assert_eq!((ids(&newest), &newest["next"]), (vec![security(2)], &all["next"]));
    // One page after the other has every event once, also where a page ends in the middle of a record.
    let mut since = 0;
    let mut paged = Vec::new();
    for _ in 0..4 {
        let (_, page, _) = read(&state, get(&format!("/v1/events?since={since}&limit=1"))).await;
        paged.extend(ids(&page));
        since = page["next"].as_u64().unwrap();
    }
    assert_eq!(paged, ids(&all));
    for activity in ["abc-1", "%7BABC-1%7D"] {
        let (_, of_one, _) = read(&state, get(&format!("/v1/events?activity={activity}"))).await;
        assert_eq!(ids(&of_one), [admin(1), security(1)], "{activity}");
    }
    let waiting = tokio::spawn({
        let state = state.clone();
        async move { read(&state, get(&format!("/v1/events?log=admin&since={since}&wait=20"))).await }
    });
    tokio::task::yield_now().await;
    let third = knock(&state.lab).await;
    let (_, arrived, _) = waiting.await.unwrap();
    assert_eq!((ids(&arrived), &arrived["events"][0]["exchange"]), (vec![admin(3)], &json!(third)));
    let next = arrived["next"].as_u64().unwrap();
    let (_, nothing, _) = read(&state, get(&format!("/v1/events?log=admin&since={next}&wait=0.01"))).await;
    assert_eq!((ids(&nothing), &nothing["next"]), (Vec::new(), &json!(next)));
}

#[tokio::test]
async fn an_event_is_shown_whole_in_two_forms_without_secrets_and_only_of_a_log_there_is() {
    let state = state();
    knock(&state.lab).await;
    let (_, body, _) = read(&state, get("/v1/events?log=admin")).await;
    let event = &body["events"][0];
    assert_eq!(event["data"], json!(["***"]));
    let (text, xml) = (event["text"].as_str().unwrap(), event["xml"].as_str().unwrap());
    assert!(text.contains("Description:\nShut: ***") && xml.contains("<Data>***</Data>"), "{text}\n{xml}");
    assert_eq!(event["number"].as_u64(), body["next"].as_u64());
    assert!(xml.contains(&format!("<EventRecordID>{}</EventRecordID>", event["number"])), "{xml}");
    for refused in ["/v1/events?log=debug", "/v1/events?wait=61", "/v1/events?colour=red"] {
        let (status, problem, _) = read(&state, get(refused)).await;
        assert_eq!(status, 400, "{problem}");
    }
    let (_, problem, _) = read(&state, get("/v1/events?log=debug")).await;
    assert_eq!(problem["detail"], "there is no event log called debug; there are: admin, security");
}
