//! One line per exchange, two where the screen is narrow, and more for what refused it.
//!
//! Decides what a person sees of an exchange at a glance: when, status, surface, request, who asked, how many checks held,
//! how long it took, its id. The same line comes from a live record and from the control API's JSON.

use std::fmt::Write as _;

use mocktenant_lab::journal::{Kind, Record, RecordDocument};
use mocktenant_lab::steps::STEPS;
use mocktenant_lab::{Machine, NOT_BUILT};
use mocktenant_verdict::Outcome;
use mocktenant_verdict::foreign::{cut, excerpt};
use mocktenant_world::is_guid;
use serde::Deserialize as _;
use serde_json::Value;

use crate::console::harmless;
use crate::screen::{Paint, Screen};

/// Longest target shown, in characters.
const TARGET_WIDTH: usize = 38;
/// Where the lines below an exchange begin, and where theirs go on.
const BELOW: &str = "              ";
const BELOW_THAT: &str = "                ";
/// Columns an exchange needs to be told whole on one line.
const WIDE: usize = 124;
/// Longest request shown where the screen is narrower than that, and the longest part of its path.
const NARROW_WIDTH: usize = 35;
const NARROW_SEGMENT: usize = 16;
/// Longest value of a check shown, in characters.
const VALUE_WIDTH: usize = 120;
/// Longest cause shown, in characters: a whole sentence, with a pointer or a name in it.
const CAUSE_WIDTH: usize = 600;
/// Longest method shown, in characters.
const METHOD_WIDTH: usize = 16;
/// Longest word of a line shown, in characters: a method, a name, an id, whoever made it.
const WORD_WIDTH: usize = 64;

/// What is shown of an exchange.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ExchangeLine {
    time: String,
    status: u64,
    surface: String,
    request: String,
    client: Option<String>,
    passed: usize,
    asked: usize,
    error: Option<String>,
    failed: Option<FailedCheck>,
    micros: u64,
    id: String,
    /// Whether a client asked it itself.
    root: bool,
    /// What it came through, if not straight: the proxy; and which steps of a sign-in it is, with the node.
    via: Option<String>,
    /// What `explain` names as the cause.
    cause: Option<String>,
}

#[derive(Debug, PartialEq)]
struct FailedCheck {
    name: String,
    expected: String,
    actual: String,
}

impl ExchangeLine {
    /// From a record of a lab in this process.
    pub(crate) fn of(record: &Record) -> Self {
        let at = record.at;
        let (passed, asked) = count_checks(record);
        let request = match record.kind {
            Kind::Start => {
                let machine = record.machine.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("start {}", excerpt(&machine, WORD_WIDTH))
            }
            Kind::Forged => {
                let defect = record.fact("defect").map(|fact| fact.value.to_string()).unwrap_or_default();
                format!("forge a token, defect {}", excerpt(&defect, WORD_WIDTH))
            }
            Kind::Judged => String::from("judge a token"),
            Kind::Request | Kind::Call => {
                format!(
                    "{:<5} {}",
                    excerpt(record.method.as_str(), METHOD_WIDTH),
                    shortened(&record.shown_target())
                )
            }
        };
        let mask = record.mask();
        let shown = |text: &str| mask.text(text).into_owned();
        let failed = record.failed_check().map(|check| FailedCheck {
            name: check.name.to_string(),
            expected: shown(&check.expected),
            actual: shown(&check.actual),
        });
        Self {
            time: format!("{:02}:{:02}:{:02}.{:03}Z", at.hour(), at.minute(), at.second(), at.millisecond()),
            status: u64::from(record.status),
            surface: record.surface.to_string(),
            request,
            client: record
                .fact("caller")
                .or_else(|| record.fact("client-id").filter(|fact| fact.read_at_start.is_none()))
                .map(|fact| shown(&fact.value)),
            passed,
            asked,
            error: error_of(record).map(|error| shown(&error)),
            failed,
            micros: record.micros,
            id: record.id.to_string(),
            root: record.parent.is_none(),
            via: beside(record, shown),
            cause: None,
        }
    }

    /// With what `explain` names as its cause.
    pub(crate) fn with_cause(mut self, cause: Option<String>) -> Self {
        self.cause = cause;
        self
    }

    /// Whether it is a refusal that a client got, so that there is something to explain.
    pub(crate) fn is_told(&self) -> bool {
        self.root && self.is_refused()
    }

    fn is_refused(&self) -> bool {
        self.error.is_some() || self.failed.is_some() || self.status >= 400
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// From a record as the control API gives it; `None` for what is no record.
    pub(crate) fn from_json(record: &Value) -> Option<Self> {
        RecordDocument::deserialize(record).ok().map(|document| Self::of(&document.into()))
    }

    /// The line, and those below it for a refusal.
    pub(crate) fn to_text(&self, screen: Screen) -> String {
        let wide = screen.fits(WIDE);
        let mut text = if wide { self.wide(screen) } else { self.narrow(screen) };
        let mut below = Vec::new();
        if !wide && let Some(error) = &self.error {
            let who: Vec<String> = self.client().into_iter().chain(self.via.as_deref().map(word)).collect();
            let who = if who.is_empty() { String::new() } else { format!(" ({})", who.join(", ")) };
            below.push(format!("{}{who}", value(error)));
        }
        if let Some(failed) = &self.failed {
            let (name, expected) = (word(&failed.name), value(&failed.expected));
            below.push(format!("{name}: expected {expected}, got {}", value(&failed.actual)));
        }
        // What a check would have changed need not be the cause, which may lie with another product: one place says what
        // to do, and it is quoted here, or named.
        if let Some(cause) = &self.cause {
            below.push(format!("cause: {}", shown(cause, CAUSE_WIDTH)));
        } else if self.is_told() {
            below.push(format!("what to change: mocktenant explain {}", word(&self.id)));
        }
        for words in below {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n{}", screen.wrapped(BELOW, BELOW_THAT, &words));
        }
        text
    }

    /// All of it on one line.
    fn wide(&self, screen: Screen) -> String {
        let came_to = match &self.error {
            Some(error) => screen.paint(Paint::Bad, &format!("REFUSED {}", value(error))).into_owned(),
            None if self.is_refused() => screen.paint(Paint::Bad, "REFUSED").into_owned(),
            None => {
                let counted = self.counted().map(|counted| format!("{counted} checks")).unwrap_or_default();
                format!("{counted:>12}  {}", milliseconds(self.micros))
            }
        };
        let via = self.via.as_deref().map(|via| format!("  {}", word(via))).unwrap_or_default();
        format!(
            "{}  {} {:<9}  {:<44}  {:<11}  {came_to}  {}{via}",
            screen.paint(Paint::Faint, &word(&self.time)),
            self.painted_status(screen),
            self.surface(),
            harmless(&self.request),
            self.client().unwrap_or_default(),
            screen.paint(Paint::Faint, &word(&self.id))
        )
    }

    /// What a person needs at a glance, on one line of eighty columns.
    fn narrow(&self, screen: Screen) -> String {
        let time = word(&self.time);
        let seconds = time.split_once('.').map_or(time.as_str(), |(seconds, _)| seconds);
        let came_to = match self.counted() {
            _ if self.is_refused() => screen.paint(Paint::Bad, "REFUSED").into_owned(),
            counted => format!("{:>7}", counted.unwrap_or_default()),
        };
        format!(
            "{} {} {:<9} {:<35} {came_to} {}",
            screen.paint(Paint::Faint, &format!("{seconds}Z")),
            self.painted_status(screen),
            self.surface(),
            narrowed(&harmless(&self.request)),
            screen.paint(Paint::Faint, &word(&self.id))
        )
    }

    fn painted_status(&self, screen: Screen) -> String {
        let status = if self.status == 0 { String::from("  -") } else { format!("{:>3}", self.status) };
        let paint = if self.is_refused() { Paint::Bad } else { Paint::Good };
        screen.paint(paint, &status).into_owned()
    }

    fn surface(&self) -> String {
        word(if self.surface.is_empty() { "-" } else { &self.surface })
    }

    fn client(&self) -> Option<String> {
        self.client.as_deref().map(|client| format!("app {}", tail(client)))
    }

    /// How many checks held, of those that arose.
    fn counted(&self) -> Option<String> {
        (self.asked > 0).then(|| format!("{}/{}", self.passed, self.asked))
    }
}

/// `via proxy`, `step 6`, `steps 1-5 at AOS_2`.
fn beside(record: &Record, shown: impl Fn(&str) -> String) -> Option<String> {
    let via = record.fact("via").map(|via| format!("via {}", shown(&via.value)));
    let steps = record.fact(STEPS).map(|steps| {
        let text = shown(&steps.value);
        let (first, last) =
            (text.split(' ').next().unwrap_or_default(), text.rsplit(' ').next().unwrap_or_default());
        let node = match &record.machine {
            Some(Machine::Node { node, .. }) => format!(" at {}", shown(node)),
            _ => String::new(),
        };
        if first == last { format!("step {first}{node}") } else { format!("steps {first}-{last}{node}") }
    });
    let said: Vec<String> = via.into_iter().chain(steps).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn error_of(record: &Record) -> Option<String> {
    if let Some(missing) = record.fact(NOT_BUILT) {
        return Some(format!("not built in this lab: {}", missing.value));
    }
    let call_error = record.fact("call-error").map(|fact| fact.value.to_string());
    call_error.or_else(|| record.error.as_deref().map(str::to_owned))
}

/// How many checks of a record passed, of those that arose.
pub(crate) fn count_checks(record: &Record) -> (usize, usize) {
    counted(record.checks.iter().map(|check| match check.outcome {
        Outcome::Passed => "passed",
        Outcome::NotApplicable => "not_applicable",
        Outcome::Failed | Outcome::Skipped { .. } => "",
    }))
}

fn counted<'c>(outcomes: impl Iterator<Item = &'c str>) -> (usize, usize) {
    outcomes.fold((0, 0), |(passed, asked), outcome| match outcome {
        "passed" => (passed + 1, asked + 1),
        "not_applicable" => (passed, asked),
        _ => (passed, asked + 1),
    })
}

fn milliseconds(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

/// The last four characters of an id, which tell the lab's own ids apart.
fn tail(id: &str) -> String {
    let start = id.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    format!("...{}", harmless(&id[start..]))
}

fn value(text: &str) -> String {
    shown(text, VALUE_WIDTH)
}

fn word(text: &str) -> String {
    shown(text, WORD_WIDTH)
}

/// Cut before it is escaped, and after: an escape is longer than what it stands for.
fn shown(text: &str, longest: usize) -> String {
    excerpt(&harmless(&excerpt(text, longest)), longest).into_owned()
}

/// A target for a line: without query, GUIDs cut to their first group, at most so wide.
pub(crate) fn shortened(target: &str) -> String {
    let (path, query) = target.split_once('?').map_or((target, false), |(path, _)| (path, true));
    let mut shown = String::with_capacity(path.len().min(64));
    // What is cut away need not be looked at.
    for (index, segment) in cut(path, 4 * TARGET_WIDTH).split('/').enumerate() {
        if index > 0 {
            shown.push('/');
        }
        if is_guid(segment) {
            shown.push_str(&segment[..8]);
            shown.push_str("...");
        } else {
            shown.push_str(segment);
        }
    }
    if query {
        shown.push_str("?...");
    }
    if shown.chars().count() > TARGET_WIDTH {
        shown = excerpt(&shown, TARGET_WIDTH - 3).into_owned();
    }
    shown
}

/// A request for a narrow line: `POST  /a/b` with the long parts of its path cut.
fn narrowed(request: &str) -> String {
    let (method, target) = request.split_once(' ').unwrap_or((request, ""));
    let cut_short = |segment: &str| {
        if segment.chars().count() > NARROW_SEGMENT {
            excerpt(segment, NARROW_SEGMENT - 3).into_owned()
        } else {
            segment.to_owned()
        }
    };
    let segments: Vec<String> = target.trim_start().split('/').map(cut_short).collect();
    let shown = format!("{method:<4} {}", segments.join("/"));
    if shown.chars().count() > NARROW_WIDTH { excerpt(&shown, NARROW_WIDTH - 3).into_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_success_is_one_line_with_its_checks_and_time() {
        let line = line(json!({
            "id": "x-01JD7K", "kind": "request", "at": "2026-11-22T12:00:03.114873Z", "surface": "entra",
            "request": { "method": "POST",
                "url": "https://localhost:7443/c0117050-0000-4000-8000-000000000001/oauth2/v2.0/token?a=b" },
            "answer": { "status": 200 }, "error": null,
            "checks": [{ "name": "a", "expected": "", "actual": "", "outcome": "passed" },
                { "name": "b", "expected": "", "actual": "", "outcome": "not_applicable" }],
            "facts": [{ "name": "client-id", "value": "c0117050-0000-4000-8000-00000000a001" }],
            "micros": 340,
        }));
        assert_eq!(
            line.to_text(Screen::plain(500)),
            "12:00:03.114Z  200 entra      POST  /c0117050.../oauth2/v2.0/token?...      app ...a001    1/1 checks  0.3 ms  x-01JD7K"
        );
    }

    #[test]
    fn on_a_narrow_screen_it_is_one_line_too_and_why_it_was_refused_stands_below() {
        let mut record = json!({
            "id": "x-01JD7K2.13", "kind": "request", "at": "2026-11-22T12:00:03.114873Z", "surface": "dataverse",
            "request": { "method": "POST", "url": "https://h/contoso.onmicrosoft.com/oauth2/v2.0/token?a=b" },
            "answer": { "status": 200 }, "error": null, "micros": 340,
            "checks": [{ "name": "a", "expected": "", "actual": "", "outcome": "passed" }],
            "facts": [{ "name": "client-id", "value": "c0117050-0000-4000-8000-00000000a001" }],
        });
        let healthy = line(record.clone()).to_text(Screen::plain(80));
        assert_eq!(
            healthy,
            "12:00:03Z 200 dataverse POST /contoso.onmic.../oauth2/v2...     1/1 x-01JD7K2.13"
        );
        assert_eq!(healthy.chars().count(), 80);
        record["error"] = json!("AADSTS7000215");
        let refused = line(record).to_text(Screen::plain(80));
        let lines: Vec<&str> = refused.lines().collect();
        assert!(lines[0].contains(" REFUSED x-01JD7K2.13"), "{refused}");
        assert_eq!(lines[1], "              AADSTS7000215 (app ...a001)");
        assert_eq!(lines[2], "              what to change: mocktenant explain x-01JD7K2.13");
    }

    #[test]
    fn a_refusal_says_what_was_expected_and_which_command_says_what_to_change() {
        let line = line(json!({
            "id": "x-1", "kind": "request", "at": "2026-11-22T12:00:04Z", "surface": "entra",
            "request": { "method": "POST", "url": "https://h/t" }, "answer": { "status": 401 }, "error": "AADSTS700027",
            "checks": [{ "name": "certificate-registered", "outcome": "failed", "expected": "3C0D", "actual": "77\u{1b}B2",
                "change": "upload the .cer" }],
            "facts": [], "micros": 1,
        }));
        let text = line.to_text(Screen::plain(500));
        let (first, second) = text.split_once('\n').unwrap();
        assert!(
            first.starts_with("12:00:04.000Z  401 entra") && first.contains("REFUSED AADSTS700027  x-1"),
            "{first}"
        );
        assert_eq!(
            second,
            "              certificate-registered: expected 3C0D, got 77\\u{1b}B2\n              what to change: mocktenant explain x-1"
        );
    }

    /// A record with these members, as the control API gives it.
    fn with(members: Value) -> Value {
        let mut record = json!({
            "sequence": 1, "id": "x-1", "parent": null, "kind": "request", "at": "2026-11-22T12:00:00Z", "surface": "",
            "endpoint": "", "error": null, "checks": [], "facts": [], "activities": {}, "micros": 0, "generation": 0,
        });
        let Value::Object(members) = members else { panic!("members") };
        record.as_object_mut().unwrap().extend(members);
        record
    }

    fn line(members: Value) -> ExchangeLine {
        ExchangeLine::from_json(&with(members)).unwrap()
    }

    #[test]
    fn no_value_begins_a_line_or_hides_in_one() {
        let evil = "a\n12:00:00.000  200 entra \u{202e}b\u{200b}";
        let line = line(json!({
            "id": evil, "surface": evil, "error": evil, "kind": "request",
            "request": { "method": evil, "url": format!("https://h/{evil}") }, "answer": { "status": 401 },
            "checks": [{ "name": evil, "outcome": "failed", "expected": evil, "actual": evil, "change": evil }],
            "facts": [{ "name": "client-id", "value": evil }],
        }));
        let text = line.to_text(Screen::plain(500));
        assert!(text.lines().skip(1).all(|line| line.starts_with(BELOW)), "{text}");
        assert!(!text.contains(['\u{202e}', '\u{200b}']), "{text}");
        assert_eq!(value(&"\u{feff}".repeat(VALUE_WIDTH)).chars().count(), VALUE_WIDTH + 3);
    }

    #[test]
    fn a_call_to_an_aos_shows_its_caller_and_not_the_aos_itself() {
        let line = line(json!({ "surface": "aos", "kind": "request",
            "facts": [{ "name": "caller", "value": "the-caller-a001" },
                { "name": "client-id", "value": "the-aos-a002", "setting": "/x", "read_at_start": "y" }] }));
        assert_eq!(line.client.as_deref(), Some("the-caller-a001"));
    }

    #[test]
    fn a_start_and_a_call_that_reached_nobody_have_lines_too() {
        let start =
            json!({ "kind": "start", "machine": "environment/onebox/aos1", "surface": "aos", "id": "x-2" });
        assert!(line(start).to_text(Screen::plain(500)).contains("aos        start onebox/aos1"));
        let steps = |steps: &str, machine: &str| {
            let record = json!({ "kind": "request", "machine": machine, "surface": "aos", "id": "x-3",
                "facts": [{ "name": "steps", "value": steps }] });
            line(record).via.unwrap()
        };
        assert_eq!(steps("1 2 3 4 5", "onprem/AOS_2"), "steps 1-5 at AOS_2");
        assert_eq!(steps("6", "federation-service/contoso"), "step 6");
        let call = json!({ "kind": "call", "id": "x-2.1", "error": "no-answer",
            "facts": [{ "name": "call-error", "value": "connection refused by a:443" }] });
        let text = line(call).to_text(Screen::plain(500));
        assert!(text.contains("REFUSED connection refused by a:443"), "{text}");
    }

    #[test]
    fn anything_at_all_can_be_shown() {
        for record in [Value::Null, json!([]), with(json!({ "checks": 7 }))] {
            assert_eq!(ExchangeLine::from_json(&record), None);
        }
        line(json!({ "request": { "method": "", "url": "é" } })).to_text(Screen::plain(500));
        assert_eq!(shortened(&"é".repeat(200)).chars().count(), TARGET_WIDTH);
    }
}
