//! How records look on the wire: context, entity tag, members, and as much metadata as was asked for.
//!
//! Decides the form of every answer below `/data` that is no list. A column that a row leaves out is written as the schema has it,
//! without a copy of the row. Mirrors the product: the tag first, then the members in the order of the type; full metadata adds
//! types, addresses and links as a capture of 2021 shows them; no metadata is the OData library's.

use std::fmt::Write as _;
use std::iter::Peekable;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_odata::{QueryOptions, Selection, percent_encode};
use mocktenant_schema::{CellRef, Navigation};
use mocktenant_tables::{Cells, Key, Row, Standing};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::expand::{Expanded, Found};
use super::unit::Unit;
use super::values::{Shown, annotation, spelt};
use super::{Entity, Member, NAMESPACE, Notes};
use crate::errors::ODataError;

/// The content type of a router's own refusal.
const WEB_API: &str = "application/json; charset=utf-8";
/// The parameter of `Accept` and of `$format`.
const PARAMETER: &str = "odata.metadata=";

/// How much metadata an answer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Metadata {
    /// None but counts and links to more.
    None,
    /// Context and tag.
    #[default]
    Minimal,
    /// Types, addresses and links.
    Full,
}

impl Metadata {
    /// What a request asks for: `$format` before `Accept`, as OData has it.
    pub(super) fn asked(headers: &HeaderMap, format: Option<&str>) -> Self {
        let accept = headers.get_all(ACCEPT);
        let accepted = accept.iter().filter_map(|value| value.to_str().ok());
        let mut asked = format.into_iter().chain(accepted).flat_map(|text| text.split([';', ',']));
        let level = asked.find_map(|part| part.trim().strip_prefix(PARAMETER));
        match level {
            Some(level) if level.eq_ignore_ascii_case("none") => Self::None,
            Some(level) if level.eq_ignore_ascii_case("full") => Self::Full,
            _ => Self::Minimal,
        }
    }

    /// The content type of an answer.
    fn content_type(self) -> &'static str {
        match self {
            Self::None => "application/json; odata.metadata=none",
            Self::Minimal => "application/json; odata.metadata=minimal",
            Self::Full => "application/json; odata.metadata=full",
        }
    }
}

/// What every record of an answer is written with.
#[derive(Clone, Copy)]
pub(super) struct Style<'r> {
    pub(super) metadata: Metadata,
    /// Where the lab was called, without `/data`.
    pub(super) base: &'r str,
}

/// One record as it is answered.
pub(super) struct OnTheWire<'r> {
    pub(super) entity: Entity<'r>,
    pub(super) row: &'r Row,
    pub(super) selection: &'r Selection,
    pub(super) with: &'r [Expanded<'r>],
    pub(super) style: Style<'r>,
    /// The context, where the record is the whole answer.
    pub(super) context: Option<&'r str>,
}

/// The values of a row, asked for in the order of its columns.
struct InOrder<'r>(Peekable<Cells<'r>>);

impl<'r> InOrder<'r> {
    fn value(&mut self, column: Member<'r>) -> CellRef<'r> {
        while self.0.next_if(|(at, _)| *at < column.ordinal()).is_some() {}
        match self.0.next_if(|(at, _)| *at == column.ordinal()) {
            Some((_, cell)) => cell,
            None => column.default().unwrap_or_default(),
        }
    }
}

impl Serialize for OnTheWire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entity, row, selection, style: Style { metadata, base }, context, .. } = self;
        let mut map = serializer.serialize_map(None)?;
        let full = *metadata == Metadata::Full;
        let here = if full { place_of(*entity, row) } else { String::new() };
        if let Some(context) = context.filter(|_| *metadata != Metadata::None) {
            map.serialize_entry("@odata.context", context)?;
        }
        if full {
            map.serialize_entry("@odata.type", &format!("#{NAMESPACE}.{}", entity.schema_name()))?;
            map.serialize_entry("@odata.id", &format!("{base}/data/{here}"))?;
        }
        if *metadata != Metadata::None {
            map.serialize_entry("@odata.etag", &etag(*entity, row))?;
        }
        if full {
            map.serialize_entry("@odata.editLink", &here)?;
        }
        let mut values = InOrder(row.cells().peekable());
        for column in entity.columns().filter(|column| selection.has(column.ordinal())) {
            let value = values.value(column);
            if let Some(kind) = annotation(column).filter(|_| full) {
                map.serialize_entry(&format!("{}@odata.type", column.name()), &kind)?;
            }
            map.serialize_entry(column.name(), &Shown(column, value))?;
        }
        let link_to = |map: &mut S::SerializeMap, link: &str| {
            let at = format!("{base}/data/{here}/{link}");
            map.serialize_entry(&format!("{link}@odata.associationLink"), &format!("{at}/$ref"))?;
            map.serialize_entry(&format!("{link}@odata.navigationLink"), &at)
        };
        let asked_for =
            |link: &str| selection.columns.is_none() || selection.links.iter().any(|one| one == link);
        let expanded = |link: &str| self.with.iter().find(|one| one.asked.navigation == link);
        for link in entity.navigations().map(Navigation::name) {
            let with = expanded(link);
            if full && (with.is_some() || asked_for(link)) {
                link_to(&mut map, link)?;
            }
            if let Some(with) = with {
                self.come_with(&mut map, with)?;
            }
        }
        for link in entity.links().filter(|link| full && asked_for(link)) {
            link_to(&mut map, link)?;
        }
        map.end()
    }
}

impl OnTheWire<'_> {
    fn come_with<M: SerializeMap>(&self, map: &mut M, with: &Expanded<'_>) -> Result<(), M::Error> {
        let link = &with.asked.navigation;
        if let Some(count) = with.count {
            map.serialize_entry(&format!("{link}@odata.count"), &count)?;
        }
        let records: Vec<OnTheWire<'_>> = with.rows.iter().map(|found| self.like(with, found)).collect();
        if with.asked.many {
            map.serialize_entry(link, &records)
        } else {
            map.serialize_entry(link, &records.first())
        }
    }

    fn like<'f>(&'f self, with: &'f Expanded<'_>, found: &'f Found<'_>) -> OnTheWire<'f> {
        OnTheWire {
            entity: with.entity,
            row: &found.row,
            selection: &with.asked.selection,
            with: &found.with,
            style: self.style,
            context: None,
        }
    }
}

/// `RecVersion`: 0 in what an environment begins with, 1 in a new record, then a number without order that each change makes
/// another. The product draws that one; here it follows from the row, so that it is the same whenever it is asked for.
fn rec_version(row: &Row) -> u32 {
    match row.standing() {
        Standing::First => 0,
        Standing::Made => 1,
        Standing::Changed => scattered(row.version(), row.recid()),
    }
}

/// A number of 31 bits above 1. Each step can be undone, so versions of a row that follow one another never have the same.
fn scattered(version: u64, recid: i64) -> u32 {
    const BITS: u64 = (1 << 31) - 1;
    let mut number = (version ^ recid.unsigned_abs().wrapping_mul(0x9E37_79B1)) & BITS;
    loop {
        number = (number ^ number >> 15).wrapping_mul(0x2C1B_3C6D) & BITS;
        number = (number ^ number >> 12).wrapping_mul(0x297A_2D39) & BITS;
        number ^= number >> 15;
        match u32::try_from(number) {
            Ok(number) if number > 1 => return number,
            // 0 and 1 say something else
            _ => number = number.wrapping_add(2),
        }
    }
}

/// The entity tag: base64 of quoted pairs of record version and record id, one of each table the entity is made of.
pub(super) fn etag(entity: Entity<'_>, row: &Row) -> String {
    let mut pairs = String::with_capacity(64);
    let written = entity.written();
    for source in 0..entity.sources() {
        pairs.push(if source == 0 { '\'' } else { ';' });
        let is_there = written >> source & 1 == 1;
        let (version, recid) = if is_there { (rec_version(row), row.recid()) } else { (0, 0) };
        // Writing to a string cannot fail.
        let _ = write!(pairs, "{version},{recid}");
    }
    pairs.push('\'');
    format!("W/\"{}\"", STANDARD.encode(pairs))
}

/// What a set or a record of it is described by.
pub(super) fn context(
    exchange: &Exchange,
    entity: Entity<'_>,
    (options, selection): (&QueryOptions, &Selection),
    single: bool,
) -> String {
    let every = options.select.iter().flatten().any(|name| name == "*");
    let chosen = chosen(entity, selection, every);
    let chosen = if chosen.is_empty() { chosen } else { format!("({chosen})") };
    let suffix = if single { "/$entity" } else { "" };
    format!("{}/data/$metadata#{}{chosen}{suffix}", crate::side::base_url(exchange), entity.set())
}

/// Columns and links that were chosen, as a context has them: a link that comes with the records is one of those chosen, and
/// then stands with what was chosen of it.
fn chosen(entity: Entity<'_>, selection: &Selection, every: bool) -> String {
    let mut items: Vec<String> = Vec::new();
    if every {
        items.push("*".to_owned());
    }
    let columns = selection.columns.iter().flatten();
    items.extend(columns.filter_map(|at| entity.at(*at)).map(|column| column.name().to_owned()));
    items.extend(selection.links.iter().cloned());
    for link in &selection.expand {
        if selection.columns.is_some() && !selection.links.contains(&link.navigation) {
            items.push(link.navigation.clone());
        }
        let Some(target) = entity.beside(link.table) else { continue };
        let inner = self::chosen(target, &link.selection, false);
        if !inner.is_empty() {
            items.push(format!("{}({inner})", link.navigation));
        }
    }
    items.join(",")
}

/// A record's place below `/data`.
pub(super) fn place_of(entity: Entity<'_>, row: &Row) -> String {
    place(entity, |column| row.value(column))
}

/// The place below `/data` of a record that is reserved.
pub(crate) fn reserved_place(unit: &Unit, table: usize, key: &Key) -> String {
    let Some(entity) = unit.transaction.schema().at(table) else { return String::new() };
    let values = unit.transaction.get(entity, 0, key).ok().flatten();
    values.map(|(_, values)| place(entity, |column| values.value(column))).unwrap_or_default()
}

/// The place below `/data` of a record of these values.
fn place<'s, 'v>(entity: Entity<'s>, value: impl Fn(Member<'s>) -> CellRef<'v>) -> String {
    percent_encode(&format!("{}({})", entity.set(), key_text(entity, value)), "'(),=:")
}

/// A key as an address has it, not yet encoded.
pub(super) fn key_text<'s, 'v>(entity: Entity<'s>, value: impl Fn(Member<'s>) -> CellRef<'v>) -> String {
    match entity.id() {
        Some(only) => spelt(only, value(only)),
        None => {
            let part = |column: Member<'s>| format!("{}={}", column.name(), spelt(column, value(column)));
            entity.key().map(part).collect::<Vec<_>>().join(",")
        }
    }
}

/// A record as an answer to its reading, or with 201 to its creation.
pub(super) fn record(
    exchange: &Exchange,
    status: StatusCode,
    entity: Entity<'_>,
    found: &Found<'_>,
    (options, selection): (&QueryOptions, &Selection),
) -> Answer {
    let metadata = Metadata::asked(&exchange.request.headers, options.format.as_deref());
    let context = context(exchange, entity, (options, selection), true);
    let base = crate::side::base_url(exchange);
    let style = Style { metadata, base: &base };
    let Found { row, with } = found;
    let body = OnTheWire { entity, row, selection, with, style, context: Some(&context) };
    // Strings, numbers and maps of them always have a JSON form.
    json_bytes(status, serde_json::to_vec(&body).unwrap_or_default(), metadata)
}

/// A record as an answer to its creation.
pub(crate) fn created(exchange: &Exchange, entity: Entity<'_>, row: &Row) -> Answer {
    let location = format!("{}/data/{}", crate::side::base_url(exchange), place_of(entity, row));
    let found = Found { row: row.clone(), with: Vec::new() };
    let all = (&QueryOptions::default(), &Selection::default());
    record(exchange, StatusCode::CREATED, entity, &found, all)
        .with_text("location", &location)
        .with_text("etag", &etag(entity, row))
}

/// An OData answer of a document that is written already.
pub(super) fn json_bytes(status: StatusCode, bytes: Vec<u8>, metadata: Metadata) -> Answer {
    Answer::typed(status, Content::Json(bytes.into(), metadata.content_type())).with("odata-version", "4.0")
}

/// An OData answer without a body.
pub(crate) fn no_content() -> Answer {
    Answer::empty(StatusCode::NO_CONTENT).with("odata-version", "4.0")
}

/// A refusal in the OData envelope, or in that of the router which found nothing.
pub(crate) fn refusal(error: &ODataError) -> Answer {
    if error.is_unrouted() {
        return Answer::typed(StatusCode::NOT_FOUND, Content::Json(error.body().into(), WEB_API));
    }
    failed(error.row().status, error.body())
}

/// Any other error in the OData envelope.
pub(crate) fn failed(status: u16, body: String) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json_bytes(status, body.into_bytes(), Metadata::Minimal)
}
