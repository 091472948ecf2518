//! What stands below a record: one of its columns, or the records a link of it leads to.
//!
//! Decides what a name behind a record's key means, and the answer. A column without a value is 204, as OData has it; a link is
//! answered as the set it leads to is, under that set's context.

use http::StatusCode;
use mocktenant_lab::{Answer, Exchange};
use mocktenant_odata::QueryOptions;
use mocktenant_odata::bind::hop;
use mocktenant_schema::{CellRef, Navigation};
use mocktenant_tables::{Database, Key, Row, Snapshot};
use serde_json::{Map, Value};

use super::expand::{Follower, Found, led_to};
use super::read::{Question, Visible, list};
use super::values::Shown;
use super::wire::{Metadata, json_bytes, key_text, no_content, place_of, record};
use super::{Asked, Entity, Member};
use crate::errors::ODataError;

/// What a name behind a record's key means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Below {
    /// A column.
    Column(Member),
    /// A link to an entity that is served.
    Link(Navigation<'static>),
}

impl Below {
    /// What a name means, exactly spelt.
    pub(crate) fn of(entity: Entity, name: &str) -> Option<Self> {
        let link = || entity.navigation(name).map(Self::Link);
        entity.column(name).map(Self::Column).or_else(link)
    }

    /// The entity whose columns a query behind it names.
    pub(crate) fn entity(self) -> Entity {
        match self {
            Self::Column(column) => column.table(),
            Self::Link(link) => link.target(),
        }
    }
}

/// `GET` of what stands below a record.
pub(crate) async fn below(
    exchange: &mut Exchange,
    database: &Database,
    (entity, key, below): (Entity, &Key, Below),
    visible: &Visible,
    (options, asked): (&QueryOptions, &Asked),
) -> Result<Answer, ODataError> {
    let snapshot = database.snapshot();
    let row = snapshot.get(entity, key).filter(|row| visible.shows(entity, |column| row.value(column)));
    let row = row.ok_or(ODataError::UnknownRecord)?;
    match below {
        Below::Column(column) => Ok(value(exchange, entity, row, column, options)),
        Below::Link(link) => {
            linked(exchange, &snapshot, (entity, row, link), visible, (options, asked)).await
        }
    }
}

fn value(exchange: &Exchange, entity: Entity, row: &Row, column: Member, options: &QueryOptions) -> Answer {
    let cell = row.value(column);
    if cell == CellRef::Null {
        return no_content();
    }
    let metadata = Metadata::asked(&exchange.request.headers, options.format.as_deref());
    let mut body = Map::new();
    if metadata != Metadata::None {
        let key = key_text(entity, |column| row.value(column));
        let base = crate::side::base_url(exchange);
        let context = format!("{base}/data/$metadata#{}({key})/{}", entity.set(), column.name());
        body.insert("@odata.context".into(), Value::from(context));
    }
    // Strings and numbers always have a JSON form.
    body.insert("value".into(), serde_json::to_value(Shown(column, cell)).unwrap_or_default());
    json_bytes(StatusCode::OK, Value::Object(body).to_string().into_bytes(), metadata)
}

async fn linked(
    exchange: &mut Exchange,
    snapshot: &Snapshot,
    (entity, row, link): (Entity, &Row, Navigation<'static>),
    visible: &Visible,
    (options, asked): (&QueryOptions, &Asked),
) -> Result<Answer, ODataError> {
    let led = led_to(entity, hop(link), |column| row.value(column));
    let (target, among) = led.ok_or(ODataError::Internal)?;
    let place = format!("{}/{}", place_of(entity, row), link.name());
    if link.is_many() {
        let question = Question { entity: target, visible, asked, options, among: Some(among), place };
        return list(exchange, snapshot, &question).await;
    }
    let filter = visible.condition(target).into_iter().fold(among, mocktenant_query::Expression::and);
    let query = mocktenant_tables::Query {
        filter: Some(&filter),
        top: Some(1),
        ..mocktenant_tables::Query::of(target)
    };
    let page = exchange.context.query(snapshot, query).await.map_err(|_| ODataError::QueryTimeout)?;
    // a link that leads to nobody is a record without a value
    let Some(row) = page.rows.into_iter().next() else { return Ok(no_content()) };
    let mut follower = Follower::new(&exchange.context, snapshot, visible);
    let with = follower.follow(target, &row, &asked.selection.expand).await?;
    let found = Found { row, with };
    Ok(record(exchange, StatusCode::OK, target, &found, (options, &asked.selection)))
}
