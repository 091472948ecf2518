//! How records look on the wire: context, entity tag, members, and as much metadata as was asked for.
//!
//! Decides the form of every answer below `/data` that is no list. A column that a row leaves out is written as the entity's
//! shape has it, without a copy of the row. Mirrors the product: the tag first, then the members in the order of the type;
//! full metadata adds types, addresses and links as a capture of 2021 shows them; no metadata is the OData library's.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_odata::{Literal, QueryOptions, percent_encode};
use mocktenant_tables::{Row, Selection};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::{Entity, NAMESPACE};
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

/// One record as it is answered.
pub(super) struct OnTheWire<'r> {
    pub(super) entity: &'static Entity,
    pub(super) row: &'r Row,
    pub(super) selection: &'r Selection<'r>,
    pub(super) metadata: Metadata,
    /// Where the lab was called, without `/data`.
    pub(super) base: &'r str,
    /// The context, where the record is the whole answer.
    pub(super) context: Option<&'r str>,
}

impl Serialize for OnTheWire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entity, row, selection, metadata, base, context } = self;
        let mut map = serializer.serialize_map(None)?;
        let full = *metadata == Metadata::Full;
        let here = if full { key_segment(entity, row) } else { String::new() };
        if let Some(context) = context.filter(|_| *metadata != Metadata::None) {
            map.serialize_entry("@odata.context", context)?;
        }
        if full {
            map.serialize_entry("@odata.type", &format!("#{NAMESPACE}.{}", entity.kind))?;
            map.serialize_entry("@odata.id", &format!("{base}/data/{here}"))?;
        }
        if *metadata != Metadata::None {
            map.serialize_entry("@odata.etag", &etag(entity, row))?;
        }
        if full {
            map.serialize_entry("@odata.editLink", &here)?;
        }
        let shape = &entity.shape;
        for column in shape.columns.iter().filter(|column| selection.has(column.name)) {
            let value = row.get(column.name).filter(|value| !value.is_null());
            let value = value.or_else(|| shape.empty.get(column.name)).unwrap_or(&Value::Null);
            if let Some(kind) = column.kind.annotation().filter(|_| full) {
                map.serialize_entry(&format!("{}@odata.type", column.name), &kind)?;
            }
            map.serialize_entry(column.name, value)?;
        }
        let extension =
            row.columns.iter().filter(|(name, _)| entity.column(name).is_none() && selection.has(name));
        for (name, value) in extension {
            map.serialize_entry(name, value)?;
        }
        for link in entity.links.iter().filter(|link| full && selection.has(link)) {
            map.serialize_entry(
                &format!("{link}@odata.associationLink"),
                &format!("{base}/data/{here}/{link}/$ref"),
            )?;
            map.serialize_entry(
                &format!("{link}@odata.navigationLink"),
                &format!("{base}/data/{here}/{link}"),
            )?;
        }
        map.end()
    }
}

/// The entity tag: base64 of quoted pairs of record version and record id, one of each table the entity is made of.
pub(super) fn etag(entity: &Entity, row: &Row) -> String {
    let mut pairs = String::with_capacity(64);
    for source in 0..entity.sources {
        pairs.push(if source == 0 { '\'' } else { ';' });
        let (version, recid) =
            if entity.written.contains(&source) { (row.version, row.recid) } else { (0, 0) };
        // Writing to a string cannot fail.
        let _ = write!(pairs, "{version},{recid}");
    }
    pairs.push('\'');
    format!("W/\"{}\"", STANDARD.encode(pairs))
}

/// What a set or a record of it is described by.
pub(super) fn context(
    exchange: &Exchange,
    entity: &Entity,
    select: Option<&[String]>,
    single: bool,
) -> String {
    let selected = select.map(|names| format!("({})", names.join(","))).unwrap_or_default();
    let suffix = if single { "/$entity" } else { "" };
    format!("{}/data/$metadata#{}{selected}{suffix}", crate::side::base_url(exchange), entity.set)
}

/// A record's place below `/data`.
fn key_segment(entity: &Entity, row: &Row) -> String {
    let text = |column: &str| Literal::String(row.text(column).unwrap_or_default().to_owned());
    let key: Vec<String> = match entity.key {
        [only] => vec![text(only).to_string()],
        several => several.iter().map(|column| format!("{column}={}", text(column))).collect(),
    };
    percent_encode(&format!("{}({})", entity.set, key.join(",")), "'(),=")
}

/// A record as an answer to its reading, or with 201 to its creation.
pub(super) fn record(
    exchange: &Exchange,
    status: StatusCode,
    entity: &'static Entity,
    row: &Row,
    options: &QueryOptions,
    metadata: Metadata,
) -> Answer {
    let select = options.select.as_deref();
    let context = context(exchange, entity, select, true);
    let base = crate::side::base_url(exchange);
    let selection = Selection::of(select);
    let body =
        OnTheWire { entity, row, selection: &selection, metadata, base: &base, context: Some(&context) };
    // Strings, numbers and maps of them always have a JSON form.
    json_bytes(status, serde_json::to_vec(&body).unwrap_or_default(), metadata)
}

/// A record as an answer to its creation.
pub(crate) fn created(exchange: &Exchange, entity: &'static Entity, row: &Row) -> Answer {
    let metadata = Metadata::asked(&exchange.request.headers, None);
    let location = format!("{}/data/{}", crate::side::base_url(exchange), key_segment(entity, row));
    record(exchange, StatusCode::CREATED, entity, row, &QueryOptions::default(), metadata)
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
