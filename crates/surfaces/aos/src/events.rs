//! The AOS's own event log on-premises: what its administrator reads there about a start or a sign-in that failed.
//!
//! Decides that what the token library says of a refusal is one event, and that nothing else leaves any: a browser is told less,
//! and `AD FS/Admin` has nothing of it. The sentences are those of the exchange's `log`. The channel is the product's; id, layout,
//! account and the computer's name are inferred, for no capture shows this log. Mirrors Event Viewer > Applications and Services Logs
//! on an AOS machine.

use mocktenant_lab::journal::Record;
use mocktenant_lab::{EventLog, EventRow, Machine, Severity};
use mocktenant_verdict::foreign::harmless;
use mocktenant_world::World;

/// The log of an AOS.
static AOS: EventLog = EventLog {
    name: "aos",
    channel: "Microsoft-Dynamics-AX-SystemRuntime/Operational",
    provider: "Microsoft-Dynamics-AX-SystemRuntime",
    guid: None,
    task: (0, "None"),
    user_data: None,
};

/// The logs there are.
pub(crate) const LOGS: &[&EventLog] = &[&AOS];

/// The fact that holds what is logged.
pub(crate) const LOG: &str = "log";

/// Inferred: the real ids are not public.
const ID: u16 = 1000;
/// The account that the lab's AOS runs as.
const ACCOUNT: (&str, &str) = ("NETWORK SERVICE", "S-1-5-20");

/// The event of a record, if it left one.
pub(crate) fn of(world: &World, record: &Record) -> Vec<EventRow> {
    let (Some(Machine::Node { environment, node }), Some(log)) = (&record.machine, record.fact(LOG)) else {
        return Vec::new();
    };
    let Some(environment) = world.environment(environment).filter(|found| found.is_on_premises()) else {
        return Vec::new();
    };
    let domain = environment.host.split_once('.').map_or("", |(_, domain)| domain);
    vec![EventRow {
        log: &AOS,
        id: ID,
        severity: Severity::Error,
        keywords: (0x8000_0000_0000_0000, ""),
        message: "%1",
        data: vec![harmless(&log.value).into_owned()],
        // The id of a sign-in is the journal's, and no GUID.
        activity: None,
        user: ACCOUNT,
        computer: if domain.is_empty() { node.to_string() } else { format!("{node}.{domain}") },
    }]
}
