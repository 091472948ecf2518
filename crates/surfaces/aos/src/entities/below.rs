//! What stands below a record: its columns, records of its links, one of those by its key, and how many they are.
//!
//! Decides what the segments behind a record's key mean, and the answer. A key behind a link needs only the parts that the link
//! itself leaves open, as Microsoft's OData library reads one; a record that is there but not linked is not found. A column without
//! a value is 204, as OData has it, and so is a link to one record that leads to none; what stands behind such a link is not found.
//! Many records are answered as their set is, under that set's context. Links are gone by columns, so nothing here makes or breaks
//! one. [inferred: Microsoft's page has links and columns behind a key, and nothing behind those]

use http::StatusCode;
use mocktenant_lab::{Answer, Exchange};
use mocktenant_odata::bind::hop;
use mocktenant_odata::{Arguments, QueryOptions, ResourceSegment, percent_encode};
use mocktenant_query::Expression;
use mocktenant_schema::{Cell, CellRef, Navigation};
use mocktenant_tables::{Database, Key, Query, Row, Snapshot};
use serde_json::{Map, Value};

use super::expand::{Follower, Found, led_to, pairs};
use super::read::{Question, Visible, list, number};
use super::target::NoSuchTarget;
use super::values::{Shown, of_literal};
use super::wire::{Metadata, json_bytes, key_text, no_content, place_of, record};
use super::{Asked, Entity, Member};
use crate::errors::ODataError;

/// Segments behind a record's key.
const MOST: usize = 16;

/// What the segments behind a record's key mean.
#[derive(Debug)]
pub(crate) struct Below<'s> {
    /// All lead to one record, but the last may lead to many.
    steps: Vec<Step<'s>>,
    end: End<'s>,
}

#[derive(Debug)]
struct Step<'s> {
    link: Navigation<'s>,
    /// Parts of the key of one of many, by their columns.
    key: Option<Vec<(u16, Cell)>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End<'s> {
    Records,
    Count,
    Column(Member<'s>),
}

impl Step<'_> {
    fn leads_to_many(&self) -> bool {
        self.link.is_many() && self.key.is_none()
    }
}

impl<'s> Below<'s> {
    /// Reads the raw segments behind a record's key; names are spelt exactly.
    pub(crate) fn of(
        entity: Entity<'s>,
        segments: &[String],
        options: &QueryOptions,
    ) -> Result<Self, NoSuchTarget<'s>> {
        let mut here = entity;
        let mut steps: Vec<Step<'s>> = Vec::new();
        if segments.len() > MOST {
            return Err(NoSuchTarget::Set);
        }
        for (at, raw) in segments.iter().enumerate() {
            let last = at + 1 == segments.len();
            let many = steps.last().is_some_and(Step::leads_to_many);
            if many && last && matches!(raw.as_str(), "$count" | "%24count") {
                return Ok(Self { steps, end: End::Count });
            }
            let segment = ResourceSegment::parse(raw).ok().filter(|_| !many).ok_or(NoSuchTarget::Set)?;
            let bare = segment.arguments == Arguments::None;
            if let Some(column) = here.column(&segment.name).filter(|_| bare && last) {
                return Ok(Self { steps, end: End::Column(column) });
            }
            let link = here.navigation(&segment.name).ok_or(NoSuchTarget::Set)?;
            here = link.target();
            let key = match bare {
                true => None,
                false if link.is_many() => {
                    Some(given(link, &segment, options).ok_or(NoSuchTarget::Key(here))?)
                }
                false => return Err(NoSuchTarget::Set),
            };
            steps.push(Step { link, key });
        }
        Ok(Self { steps, end: End::Records })
    }

    /// The entity whose columns a query behind it names; `None` where it takes no query.
    pub(crate) fn queried(&self) -> Option<Entity<'s>> {
        match self.end {
            End::Column(_) => None,
            End::Records | End::Count => self.steps.last().map(|step| step.link.target()),
        }
    }
}

/// The parts of a key that a segment gives: those that the link leaves open, each once, and others that they have to agree with.
fn given(
    link: Navigation<'_>,
    segment: &ResourceSegment,
    options: &QueryOptions,
) -> Option<Vec<(u16, Cell)>> {
    let target = link.target();
    let implied = |column: Member<'_>| pairs(target, hop(link)).any(|(_, there)| there == column.ordinal());
    let open: Vec<Member<'_>> = target.key().filter(|column| !implied(*column)).collect();
    let single = match open.as_slice() {
        [only] => Some(*only),
        _ => target.id(),
    };
    let single = single.map_or("", |column| column.name());
    let named = segment.named_literals(single, |name| options.alias(name)).ok()?;
    let part = |(name, literal): &(String, mocktenant_odata::Literal)| {
        let column = target.key().find(|column| column.name() == name)?;
        Some((column.ordinal(), of_literal(column, literal)?))
    };
    let parts: Vec<(u16, Cell)> = named.iter().map(part).collect::<Option<_>>()?;
    let has = |column: &Member<'_>| parts.iter().any(|(at, _)| *at == column.ordinal());
    (!parts.is_empty() && open.iter().all(has)).then_some(parts)
}

/// `GET` of what stands below a record.
pub(crate) async fn below(
    exchange: &mut Exchange,
    database: &Database,
    (entity, key, below): (Entity<'_>, &Key, &Below<'_>),
    visible: &Visible,
    (options, asked): (&QueryOptions, &Asked),
) -> Result<Answer, ODataError> {
    let snapshot = database.snapshot();
    let row = snapshot.get(entity, key).filter(|row| visible.shows(entity, |column| row.value(column)));
    let mut row = row.ok_or(ODataError::UnknownRecord)?.clone();
    let mut entity = entity;
    for (at, step) in below.steps.iter().enumerate() {
        if step.leads_to_many() {
            let (target, among) = led(step, entity, &row)?;
            let place = format!("{}/{}", place_of(entity, &row), step.link.name());
            let question = Question { entity: target, visible, asked, options, among: Some(among), place };
            return match below.end {
                End::Count => number(exchange, &snapshot, &question).await,
                _ => list(exchange, &snapshot, &question).await,
            };
        }
        let next = match &step.key {
            Some(parts) => one_of_many(&snapshot, (step, parts), (entity, &row), visible),
            None => the_one(exchange, &snapshot, step, (entity, &row), visible).await?,
        };
        let last = at + 1 == below.steps.len() && below.end == End::Records && step.key.is_none();
        row = match next {
            Some(next) => next,
            // a link that leads to nobody is a record without a value
            None if last => return Ok(no_content()),
            None => return Err(ODataError::UnknownRecord),
        };
        entity = step.link.target();
    }
    if let End::Column(column) = below.end {
        return Ok(value(exchange, entity, &row, column, options));
    }
    let mut follower = Follower::new(&exchange.context, &snapshot, visible);
    let with = follower.follow(entity, &row, &asked.selection.expand).await?;
    let found = Found { row, with };
    Ok(record(exchange, StatusCode::OK, entity, &found, (options, &asked.selection)))
}

fn led<'s>(step: &Step<'s>, entity: Entity<'s>, row: &Row) -> Result<(Entity<'s>, Expression), ODataError> {
    led_to(entity, hop(step.link), |column| row.value(column)).ok_or(ODataError::Internal)
}

/// One of the records that a link leads to, by its key.
fn one_of_many(
    snapshot: &Snapshot,
    (step, parts): (&Step<'_>, &[(u16, Cell)]),
    (entity, row): (Entity<'_>, &Row),
    visible: &Visible,
) -> Option<Row> {
    let target = step.link.target();
    let own = |there: u16| {
        let (here, _) = pairs(target, hop(step.link)).find(|(_, other)| *other == there)?;
        Some(row.value(entity.at(here)?))
    };
    let cells: Option<Vec<CellRef<'_>>> = target
        .key()
        .map(|column| {
            let part = parts.iter().find(|(at, _)| *at == column.ordinal()).map(|(_, cell)| cell.as_ref());
            part.or_else(|| own(column.ordinal()))
        })
        .collect();
    let found = snapshot.get(target, &Key::of(cells?))?;
    let linked = pairs(target, hop(step.link)).all(|(here, there)| {
        let (here, there) = (entity.at(here), target.at(there));
        let values = here.zip(there).map(|(here, there)| (row.value(here), found.value(there)));
        values.is_some_and(|(here, there)| Key::of([here]) == Key::of([there]))
    });
    (linked && visible.shows(target, |column| found.value(column))).then(|| found.clone())
}

/// The record that a link to one leads to; of several the first.
async fn the_one(
    exchange: &mut Exchange,
    snapshot: &Snapshot,
    step: &Step<'_>,
    (entity, row): (Entity<'_>, &Row),
    visible: &Visible,
) -> Result<Option<Row>, ODataError> {
    let (target, among) = led(step, entity, row)?;
    let filter = visible.condition(target).into_iter().fold(among, Expression::and);
    let query = Query { filter: Some(&filter), top: Some(1), ..Query::of(target) };
    let page = exchange.context.query(snapshot, query).await.map_err(|_| ODataError::QueryTimeout)?;
    Ok(page.rows.into_iter().next())
}

fn value(
    exchange: &Exchange,
    entity: Entity<'_>,
    row: &Row,
    column: Member<'_>,
    options: &QueryOptions,
) -> Answer {
    let cell = row.value(column);
    if cell == CellRef::Null {
        return no_content();
    }
    let metadata = Metadata::asked(&exchange.request.headers, options.format.as_deref());
    let mut body = Map::new();
    if metadata != Metadata::None {
        let key = percent_encode(&key_text(entity, |column| row.value(column)), "'(),=");
        let base = crate::side::base_url(exchange);
        let context = format!("{base}/data/$metadata#{}({key})/{}", entity.set(), column.name());
        body.insert("@odata.context".into(), Value::from(context));
    }
    // Strings and numbers always have a JSON form.
    body.insert("value".into(), serde_json::to_value(Shown(column, cell)).unwrap_or_default());
    json_bytes(StatusCode::OK, Value::Object(body).to_string().into_bytes(), metadata)
}
