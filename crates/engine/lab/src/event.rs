//! Rows of a product's event logs: what its administrator would read there about an exchange.
//!
//! Decides the shape of a row, its number, and the two forms it is written in: the block of text that Event Viewer copies, and
//! event XML (`http://schemas.microsoft.com/win/2004/08/events/event`). Which rows an exchange leaves, under which provider and
//! in which words, is its surface's ([`crate::Surface::events`]), asked when somebody looks: the journal is all that is kept, and a
//! request pays nothing. Never decides what happened.

use std::fmt::Write as _;
use std::sync::Arc;

use mocktenant_xml::{Document, Element, Namespace, Spelling, is_xml_character};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::masking::Mask;
use crate::record::Record;
use crate::{Lab, stopping};

/// Namespace of event XML.
const EVENT: &str = "http://schemas.microsoft.com/win/2004/08/events/event";
/// As Event Viewer shows a time in English; ours is UTC.
const SHOWN: &[BorrowedFormatItem<'_>] = format_description!(
    "[month padding:none]/[day padding:none]/[year] [hour repr:12 padding:none]:[minute]:[second] [period]"
);
/// As event XML writes a time: to 100 ns, and two digits that are always 0.
const WRITTEN: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]00Z");

/// One record leaves no more rows than this: an event's number is its record's times this, and its place among them.
const ROWS: u64 = 16;

/// A log that a product writes to.
#[derive(Debug, PartialEq, Eq)]
pub struct EventLog {
    /// Short name, for instance `admin`.
    pub name: &'static str,
    /// Its channel: `Log Name`.
    pub channel: &'static str,
    /// Who writes: `Source`.
    pub provider: &'static str,
    /// The provider's GUID in braces; none for one of the classic kind.
    pub guid: Option<&'static str>,
    /// Number and name of the task category.
    pub task: (u16, &'static str),
    /// Namespace of the event inside `UserData` that holds the values; none where they stand in `EventData`.
    pub user_data: Option<&'static str>,
}

/// How bad an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// 2.
    Error,
    /// 3.
    Warning,
    /// 4.
    Information,
    /// 0: an audit, which Event Viewer calls information.
    Audit,
}

impl Severity {
    const fn number(self) -> u8 {
        match self {
            Self::Audit => 0,
            Self::Error => 2,
            Self::Warning => 3,
            Self::Information => 4,
        }
    }

    const fn shown(self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Information | Self::Audit => "Information",
        }
    }
}

/// An event as its product writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// The log.
    pub log: &'static EventLog,
    /// Event id.
    pub id: u16,
    /// How bad it is.
    pub severity: Severity,
    /// Keywords as a mask, and as Event Viewer shows them.
    pub keywords: (u64, &'static str),
    /// The provider's message for this id; `%1` stands for the first value.
    pub message: &'static str,
    /// The values, in their order.
    pub data: Vec<String>,
    /// The id that ties events together.
    pub activity: Option<String>,
    /// The account that writes: its name and its security identifier.
    pub user: (&'static str, &'static str),
    /// The computer's full name.
    pub computer: String,
}

/// An event as it stands in its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `EventRecordID`: never reused, and the same whenever it is looked at.
    pub number: u64,
    /// The exchange it tells of.
    pub exchange: Arc<str>,
    /// Lab time.
    pub at: OffsetDateTime,
    /// What its product wrote, secrets hidden.
    pub row: EventRow,
}

/// An event as it leaves memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventDocument {
    /// `EventRecordID`.
    pub number: u64,
    /// The exchange it tells of.
    pub exchange: Arc<str>,
    /// Lab time.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Short name of the log.
    pub log: String,
    /// Its channel.
    pub channel: String,
    /// Who wrote it.
    pub provider: String,
    /// Event id.
    pub id: u16,
    /// How bad it is.
    pub severity: Severity,
    /// The id that ties events together.
    pub activity: Option<String>,
    /// The computer's full name.
    pub computer: String,
    /// The values, in their order.
    pub data: Vec<String>,
    /// The block of text that Event Viewer copies.
    pub text: String,
    /// Event XML.
    pub xml: String,
}

impl Lab {
    /// What a record left in the event logs of the product that answered, in the order written; of most products nothing.
    pub fn events(&self, record: &Record) -> Vec<Event> {
        // Who does not run writes nothing.
        let there = (!stopping::kept_from(record)).then(|| self.surfaces().iter());
        let mounted = there.and_then(|mut all| all.find(|mounted| mounted.surface.name() == record.surface));
        let rows = mounted.map(|mounted| mounted.surface.events(&self.world(), record)).unwrap_or_default();
        let mask = record.mask();
        let numbers = record.sequence.saturating_mul(ROWS)..;
        // More than there are numbers for would take those of the next record.
        let numbered = numbers.zip(rows).take(usize::try_from(ROWS).unwrap_or(usize::MAX));
        numbered
            .map(|(number, row)| Event {
                number,
                exchange: Arc::clone(&record.id),
                at: record.at,
                row: hidden(row, &mask),
            })
            .collect()
    }

    /// The logs its products write to.
    pub fn event_logs(&self) -> Vec<&'static EventLog> {
        self.surfaces().iter().flat_map(|mounted| mounted.surface.event_logs()).copied().collect()
    }
}

/// The number of the record that left an event.
pub fn record_of(event: u64) -> u64 {
    event / ROWS
}

fn hidden(mut row: EventRow, mask: &Mask) -> EventRow {
    for value in row.data.iter_mut().chain(row.activity.as_mut()) {
        *value = mask.text(value).into_owned();
    }
    row
}

impl EventRow {
    /// The message with its values.
    pub fn description(&self) -> String {
        let mut out = String::with_capacity(self.message.len());
        let mut rest = self.message;
        while let Some((before, behind)) = rest.split_once('%') {
            out.push_str(before);
            rest = behind;
            match behind.chars().next().and_then(|digit| digit.to_digit(10)) {
                Some(number) if number > 0 => {
                    rest = &behind[1..];
                    out.push_str(self.data.get(number as usize - 1).map_or("", String::as_str));
                }
                _ => out.push('%'),
            }
        }
        out.push_str(rest);
        out
    }
}

impl Event {
    /// The block of text that Event Viewer copies, times in UTC.
    pub fn to_text(&self) -> String {
        let EventRow { log, id, severity, keywords, user, computer, .. } = &self.row;
        let shown = crate::written(self.at.to_offset(time::UtcOffset::UTC), SHOWN);
        let mut text = String::new();
        for (name, value) in [
            ("Log Name:", log.channel),
            ("Source:", log.provider),
            ("Date:", &shown),
            ("Event ID:", &id.to_string()),
            ("Task Category:", log.task.1),
            ("Level:", severity.shown()),
            ("Keywords:", keywords.1),
            ("User:", user.0),
            ("Computer:", computer),
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name:<14} {value}");
        }
        text.push_str("Description:\n");
        text.push_str(&self.row.description());
        text
    }

    /// Event XML, as one element without a declaration.
    pub fn to_xml(&self) -> String {
        let EventRow { log, id, severity, keywords, data, activity, user, computer, .. } = &self.row;
        let outer = Namespace::default_of(EVENT);
        let element = |name: &'static str| Element::new(&outer, name);
        let holding = |name: &'static str, value: &str| element(name).text(writable(value));
        let provider = element("Provider").attribute("Name", log.provider);
        let (provider, event_id) = match log.guid {
            Some(guid) => (provider.attribute("Guid", guid), element("EventID")),
            None => (provider, element("EventID").attribute("Qualifiers", "0")),
        };
        let written = crate::written(self.at.to_offset(time::UtcOffset::UTC), WRITTEN);
        let correlation = match activity {
            Some(activity) => {
                let id = format!("{{{}}}", activity.to_ascii_uppercase());
                element("Correlation").attribute("ActivityID", writable(&id))
            }
            None => element("Correlation"),
        };
        let system = element("System").children([
            provider,
            event_id.text(id.to_string()),
            holding("Version", "0"),
            holding("Level", &severity.number().to_string()),
            holding("Task", &log.task.0.to_string()),
            holding("Opcode", "0"),
            holding("Keywords", &format!("{:#018x}", keywords.0)),
            element("TimeCreated").attribute("SystemTime", written),
            holding("EventRecordID", &self.number.to_string()),
            correlation,
            // No process of the product runs here.
            element("Execution").attribute("ProcessID", "0").attribute("ThreadID", "0"),
            holding("Channel", log.channel),
            holding("Computer", computer),
            element("Security").attribute("UserID", user.1),
        ]);
        let inner = log.user_data.map_or_else(|| outer.clone(), Namespace::default_of);
        let values = data.iter().map(|value| Element::new(&inner, "Data").text(writable(value)));
        let values = Element::new(&inner, "EventData").children(values);
        let values = match log.user_data {
            Some(_) => element("UserData").child(Element::new(&inner, "Event").child(values)),
            None => values,
        };
        let document = Document::new(element("Event").child(system).child(values));
        // Every name is fixed and every text was made writable.
        let bytes = document.map(|document| document.to_bytes(Spelling::Bare)).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// The event as a document.
    pub fn document(&self) -> EventDocument {
        let EventRow { log, id, severity, data, activity, computer, .. } = &self.row;
        EventDocument {
            number: self.number,
            exchange: Arc::clone(&self.exchange),
            at: self.at,
            log: log.name.to_owned(),
            channel: log.channel.to_owned(),
            provider: log.provider.to_owned(),
            id: *id,
            severity: *severity,
            activity: activity.clone(),
            computer: computer.clone(),
            data: data.clone(),
            text: self.to_text(),
            xml: self.to_xml(),
        }
    }
}

/// What XML cannot carry is replaced: a client may have sent it.
fn writable(value: &str) -> String {
    value.chars().map(|one| if is_xml_character(one) { one } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    use mocktenant_xml::{Budget, Prefixes, Text, Tree};
    use time::macros::datetime;

    use super::*;

    static PLAIN: EventLog = EventLog {
        name: "plain",
        channel: "Toy/Plain",
        provider: "Toy",
        guid: Some("{0}"),
        task: (0, "None"),
        user_data: Some("urn:toy"),
    };
    static AUDITS: EventLog = EventLog {
        name: "audits",
        channel: "Audits",
        provider: "Toy Auditing",
        guid: None,
        task: (3, "(3)"),
        user_data: None,
    };

    fn event(log: &'static EventLog, data: &[&str]) -> Event {
        Event {
            number: 33,
            exchange: "x-1".into(),
            at: datetime!(2026-11-22 00:05:09.114873 UTC),
            row: EventRow {
                log,
                id: 7,
                severity: Severity::Warning,
                keywords: (0x8000_0000_0000_0001, "Toy"),
                message: "It is %1 of %2, at 100% and %0; %3.",
                data: data.iter().map(|value| (*value).to_owned()).collect(),
                activity: Some("ab-cd".to_owned()),
                user: ("NOBODY", "S-1-0-0"),
                computer: "toy.example".to_owned(),
            },
        }
    }

    #[test]
    fn an_event_is_shown_as_event_viewer_copies_it_with_its_values_where_the_message_wants_them() {
        assert_eq!(
            event(&PLAIN, &["one", "%1"]).to_text(),
            "Log Name:      Toy/Plain\nSource:        Toy\nDate:          11/22/2026 12:05:09 AM\nEvent ID:      7\n\
             Task Category: None\nLevel:         Warning\nKeywords:      Toy\nUser:          NOBODY\n\
             Computer:      toy.example\nDescription:\nIt is one of %1, at 100% and %0; ."
        );
    }

    #[test]
    fn an_event_is_written_as_xml_with_its_values_where_its_provider_keeps_them() {
        assert_eq!(
            event(&PLAIN, &["<a>", "\u{0}\u{ffff}"]).to_xml(),
            "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><System><Provider Name=\"Toy\" Guid=\"{0}\"/>\
             <EventID>7</EventID><Version>0</Version><Level>3</Level><Task>0</Task><Opcode>0</Opcode>\
             <Keywords>0x8000000000000001</Keywords><TimeCreated SystemTime=\"2026-11-22T00:05:09.114873000Z\"/>\
             <EventRecordID>33</EventRecordID><Correlation ActivityID=\"{AB-CD}\"/><Execution ProcessID=\"0\" ThreadID=\"0\"/>\
             <Channel>Toy/Plain</Channel><Computer>toy.example</Computer><Security UserID=\"S-1-0-0\"/></System>\
             <UserData><Event xmlns=\"urn:toy\"><EventData><Data>&lt;a&gt;</Data><Data>\u{fffd}\u{fffd}</Data></EventData></Event>\
             </UserData></Event>"
        );
        let classic = event(&AUDITS, &["a"]).to_xml();
        assert!(classic.contains("<Provider Name=\"Toy Auditing\"/><EventID Qualifiers=\"0\">7</EventID>"));
        assert!(classic.ends_with("</System><EventData><Data>a</Data></EventData></Event>"), "{classic}");
    }

    #[test]
    fn event_xml_is_read_back_whatever_was_sent() {
        let hostile = "a\r\n\t<b>&amp;\"' ]]> \u{7f}\u{85}\u{2028}\u{1f600}";
        let written = event(&PLAIN, &[hostile, ""]).to_xml();
        let budget = Budget { bytes: 1 << 20, depth: 8, elements: 100, attributes: 8 };
        let text = Text::utf8(written.into_bytes(), 1 << 20).unwrap();
        let tree = Tree::scan(&text, &budget, Prefixes::Declared).unwrap();
        let system = tree.root().children_in(EVENT, "System").next().unwrap();
        let provider = system.children_in(EVENT, "Provider").next().unwrap();
        assert_eq!((provider.value("Name"), provider.value("Guid")), (Some("Toy"), Some("{0}")));
        let values: Vec<_> = tree.root().descendants().filter(|node| node.is("urn:toy", "Data")).collect();
        let values: Vec<_> = values.into_iter().map(mocktenant_xml::Node::text).collect();
        assert_eq!(values, [hostile, ""]);
    }

    #[test]
    fn an_event_reads_back_what_it_wrote() {
        let document = event(&PLAIN, &["a", "b"]).document();
        let written = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<EventDocument>(&written).unwrap(), document);
    }
}
