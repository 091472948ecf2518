//! OData below `/data`: what a path asks for, and the answer to it, whether it came alone or in a batch.
//!
//! Decides which question goes to whom: documents, sets, records, what is below a record; which verbs a place takes; and that what
//! was refused is answered in the product's envelope. Who may ask was decided before. How records are read and written is
//! [`crate::entities`]'s.

use std::sync::Arc;

use http::{Method, StatusCode};
use mocktenant_lab::{Answer, Context, Exchange};
use mocktenant_odata::QueryOptions;
use mocktenant_schema::{Column, Schema};
use mocktenant_tables::{Commit, Database, Key};

use crate::bearer::Caller;
use crate::entities::{self, Below, Entity, NoSuchTarget, Notes, Target, Unit, Visible, WriteError};
use crate::errors::{self, ODataError};
use crate::node::NodeState;
use crate::side::FOLDED_BASE;
use crate::{called, query, schema};

/// What a path below `/data` asks for; names and keys as they were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Which sets there are.
    Document,
    /// Their types.
    Metadata,
    /// Many requests in one.
    Batch,
    /// A set, or a record of one.
    Records(String),
    /// How many records a set has.
    Count(String),
    /// What is below a record: the segments behind its key.
    Below(String, Vec<String>),
}

impl Resource {
    /// What the segments behind `/data` ask for.
    pub(crate) fn of(path: &str) -> Self {
        let special = |segment: &str, word: &str| {
            segment.strip_prefix("%24").or_else(|| segment.strip_prefix('$')) == Some(word)
        };
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match segments.as_slice() {
            [] => Self::Document,
            [one] if special(one, "metadata") => Self::Metadata,
            [one] if special(one, "batch") => Self::Batch,
            [one] => Self::Records((*one).to_owned()),
            [one, count] if special(count, "count") => Self::Count((*one).to_owned()),
            [one, below @ ..] => {
                Self::Below((*one).to_owned(), below.iter().map(|&segment| segment.to_owned()).collect())
            }
        }
    }
}

/// Answers what a path asks for.
pub(crate) async fn answer(
    exchange: &mut Exchange,
    node: &NodeState,
    caller: &Caller,
    resource: &Resource,
) -> Answer {
    let outcome = run(exchange, node, caller, resource).await;
    let answer = worded(exchange, outcome);
    if answer.status.is_success() {
        query::preferences(exchange);
    }
    answer
}

/// An outcome in the product's words.
pub(crate) fn worded(exchange: &mut Exchange, outcome: Result<Answer, WriteError>) -> Answer {
    match outcome {
        Ok(answer) => answer,
        Err(WriteError::OData(error)) => refused(exchange, &error),
        // Whatever it failed with is of a world that is no more.
        Err(WriteError::DualWrite(_)) if exchange.context.is_void() => {
            refused(exchange, &ODataError::Restarted)
        }
        Err(WriteError::DualWrite(error)) => {
            let row = error.row();
            exchange.trail.record_error(row.id);
            let body = errors::envelope(Some((&error.text(), row.class)));
            entities::failed(row.status, body)
        }
    }
}

/// A refusal below `/data` has the OData envelope; elsewhere no body is known.
pub(crate) fn refused(exchange: &mut Exchange, error: &ODataError) -> Answer {
    exchange.trail.record_error(error.row().id);
    if error.is_unrouted()
        && let Some((what, built)) =
            entities::place(&schema::here(&exchange.context), exchange.request.path())
    {
        exchange.trail.not_built(what, built);
    }
    let path = mocktenant_lab::request::fold(exchange.request.path());
    let path = path.strip_prefix(FOLDED_BASE).unwrap_or(&path);
    if path == "/data" || path.starts_with("/data/") {
        return entities::refusal(error);
    }
    Answer::empty(StatusCode::from_u16(error.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// The answer to one request, before it is worded.
pub(crate) async fn run(
    exchange: &mut Exchange,
    node: &NodeState,
    caller: &Caller,
    resource: &Resource,
) -> Result<Answer, WriteError> {
    let options = query::options(exchange)?;
    let schema = schema::here(&exchange.context);
    let raw = match resource {
        Resource::Document => {
            let document = |exchange: &Exchange| entities::service_document(exchange, &schema, &options);
            return Ok(only(exchange, READ, document));
        }
        Resource::Metadata => {
            return Ok(only(exchange, READ, |_| entities::metadata_document(&schema)));
        }
        // A batch is answered by whoever answers its parts.
        Resource::Batch => return Err(nothing(exchange).into()),
        Resource::Records(raw) | Resource::Count(raw) | Resource::Below(raw, _) => raw,
    };
    let target = target(exchange, &schema, raw, &options)?;
    let below = match (resource, &target.record) {
        (Resource::Records(_), _) | (Resource::Count(_), None) => None,
        (Resource::Below(_, segments), Some(_)) => {
            let below = Below::of(target.entity, segments, &options);
            Some(below.map_err(|none| no_target(exchange, none))?)
        }
        _ => return Err(nothing(exchange).into()),
    };
    let method = method_of(exchange);
    let allowed = if below.is_some() || matches!(resource, Resource::Count(_)) {
        READ
    } else {
        entities::allowed(&target)
    };
    if !allowed.contains(&method) {
        if below.is_some() {
            let what = format!("{method} of what stands behind a record");
            exchange.trail.refused(what, "the same of its own set, or of the record by its own key");
        }
        return Ok(not_allowed(exchange, target.entity, allowed));
    }
    let now = exchange.context.now();
    let asked = match below.as_ref().map_or(Some(target.entity), Below::queried) {
        Some(entity) => entities::bind(&mut exchange.trail, (&schema, entity), &options, now)?,
        None => {
            no_options(&options)?;
            entities::Asked::default()
        }
    };
    let visible = Visible::new(caller, &options);
    let database = rows(&exchange.context, &schema)?;
    if method != Method::GET {
        let mut unit = Unit::begin(&database);
        let made = reserve(exchange, &mut unit, caller, &target, &visible)?;
        let commit = unit.finish(exchange, node).await.map_err(|(_, error)| error)?;
        return Ok(done(exchange, &schema, &made, &commit));
    }
    let asked = (&options, &asked);
    let answer = match (&below, &target.record, resource) {
        (Some(below), Some(key), _) => {
            entities::below(exchange, &database, (target.entity, key, below), &visible, asked).await
        }
        (_, _, Resource::Count(_)) => {
            entities::count(exchange, &database, target.entity, &visible, asked).await
        }
        _ => entities::read(exchange, &database, &target, &visible, asked).await,
    };
    Ok(answer?)
}

/// The rows of the environment that answers. One whose entities were changed since the exchange began has others.
pub(crate) fn rows(context: &Context, schema: &Arc<Schema>) -> Result<Database, ODataError> {
    // An environment has rows; a test opens them.
    let rows = context.rows().map_err(|_| ODataError::Internal)?;
    if Arc::ptr_eq(&rows.schema(), schema) { Ok(rows) } else { Err(ODataError::Restarted) }
}

const READ: &[Method] = &[Method::GET];

/// The verb, where looking at the head of an answer is looking at it.
fn method_of(exchange: &Exchange) -> Method {
    match &exchange.request.method {
        &Method::HEAD => Method::GET,
        method => method.clone(),
    }
}

fn only(exchange: &mut Exchange, allowed: &[Method], make: impl FnOnce(&Exchange) -> Answer) -> Answer {
    if allowed.contains(&method_of(exchange)) {
        return make(exchange);
    }
    let allow = listed(allowed);
    refused(exchange, &ODataError::MethodNotAllowed).with_text("allow", &allow)
}

fn listed(methods: &[Method]) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}

fn not_allowed(exchange: &mut Exchange, entity: Entity<'_>, allowed: &[Method]) -> Answer {
    if !entity.is_kept() {
        let what = format!("{} of {}", exchange.request.method, entity.set());
        exchange.trail.not_built(what, "reading them, and the declaration they are a view of");
    }
    refused(exchange, &ODataError::MethodNotAllowed).with_text("allow", &listed(allowed))
}

/// Nothing is there. Links have no addresses of their own: what refers to another record are columns. [inferred: full metadata
/// names such addresses, which the library writes by itself, and nobody shows that one answers]
pub(crate) fn nothing(exchange: &mut Exchange) -> ODataError {
    if matches!(exchange.request.path().rsplit('/').next(), Some("$ref" | "%24ref")) {
        exchange
            .trail
            .refused("$ref, the address of a link", "the columns of a record by which its links go");
    }
    ODataError::UnknownResource { uri: called(exchange) }
}

/// What a segment names.
pub(crate) fn target<'s>(
    exchange: &mut Exchange,
    schema: &'s Schema,
    raw: &str,
    options: &QueryOptions,
) -> Result<Target<'s>, ODataError> {
    entities::target(schema, raw, options).map_err(|none| no_target(exchange, none))
}

fn no_target(exchange: &mut Exchange, none: NoSuchTarget<'_>) -> ODataError {
    match none {
        NoSuchTarget::Set => nothing(exchange),
        NoSuchTarget::Key(entity) => {
            let columns: Vec<&str> = entity.key().map(Column::name).collect();
            exchange.trail.refused(format!("the key of {}", entity.set()), columns.join(", "));
            ODataError::KeyInvalid { uri: called(exchange) }
        }
    }
}

/// A column is answered as it is.
fn no_options(options: &QueryOptions) -> Result<(), ODataError> {
    let given = [
        ("$select", options.select.is_some()),
        ("$filter", options.filter.is_some()),
        ("$orderby", !options.orderby.is_empty()),
        ("$top", options.top.is_some()),
        ("$skip", options.skip.is_some()),
        ("$count", options.count),
        ("$expand", !options.expand.is_empty()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(ODataError::OptionUnknown { option: option.to_owned() }),
        None => Ok(()),
    }
}

/// What a write leaves behind.
pub(crate) enum Made {
    /// A record of this key, in the table at that position.
    Record(usize, Key),
    /// Nothing that is answered.
    Nothing,
}

/// Reserves what a request writes.
pub(crate) fn reserve(
    exchange: &mut Exchange,
    unit: &mut Unit,
    caller: &Caller,
    target: &Target<'_>,
    visible: &Visible,
) -> Result<Made, ODataError> {
    let entity = target.entity;
    match (exchange.request.method.clone(), &target.record) {
        (Method::POST, None) => {
            entities::create(exchange, unit, entity, caller).map(|key| Made::Record(entity.position(), key))
        }
        (Method::PATCH | Method::PUT, Some(key)) => {
            entities::change(exchange, unit, (entity, key), visible)?;
            Ok(Made::Nothing)
        }
        (Method::DELETE, Some(key)) => {
            entities::delete(exchange, unit, (entity, key), visible)?;
            Ok(Made::Nothing)
        }
        _ => Err(ODataError::MethodNotAllowed),
    }
}

/// The answer to a write that is committed.
pub(crate) fn done(exchange: &Exchange, schema: &Schema, made: &Made, commit: &Commit) -> Answer {
    let Made::Record(table, key) = made else { return entities::no_content() };
    let change = commit.changes.iter().find(|one| one.table == *table && one.key == *key);
    match change.and_then(|change| change.after.as_ref()).zip(schema.at(*table)) {
        Some((row, entity)) => entities::created(exchange, entity, row),
        // made and unmade in one set
        None => entities::no_content(),
    }
}
