//! `POST /data/$batch`: many requests in one, as if each had come alone.
//!
//! Decides the order (as written, one after another) and what a failure ends: a change set as a whole, which is one unit of work
//! here and in Dataverse, and the batch, unless `Prefer: odata.continue-on-error` asks otherwise. The batch itself is answered 200
//! whatever became of its parts; a write that is refused in it is 500 where it would be 400 alone. Never decides what a part is
//! answered: it is asked what a request of its own would be, after the caller's token, which is the batch's.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use mocktenant_batch::{Batch, BatchItem, Fields, Multipart, Operation, PartAnswer, path_of};
use mocktenant_lab::request::media_type;
use mocktenant_lab::{Answer, Content, Exchange, Part, Request, Trail};
use mocktenant_verdict::foreign::cut;

use crate::bearer::Caller;
use crate::data::{self, Made, Resource};
use crate::entities::{self, Unit, Visible, WriteError};
use crate::errors::{ODataError, WRITE};
use crate::node::NodeState;
use crate::side::{self, Side};
use crate::{onprem, query, schema};

/// Requests of a batch, those in change sets included. [inferred: the product's own bound is not known]
const LIMIT: usize = 1_000;
/// Bytes after which a batch is answered no more.
const ANSWER: usize = 16 * 1024 * 1024;
/// How long a batch is answered: a part alone may take a query's whole time.
const TIME: Duration = Duration::from_secs(30);
/// What a part should have been, for a person.
const EXPECTED: &str =
    "a request that would be answered alone too; its part of the answer says why it is not";
/// Parts that the exchange tells of one by one.
const TOLD: usize = 32;

/// Header fields of a part's answer, in their order, beside its content type and version. The layout is that of the OData library
/// (captures of 2019 have it).
const FIELDS: Fields = &[("etag", "ETag"), ("location", "Location"), ("allow", "Allow")];

/// Answers a batch.
pub(crate) async fn answer(exchange: &mut Exchange, node: &NodeState, caller: &Caller) -> Answer {
    match run(exchange, node, caller).await {
        Ok(answer) => answer,
        Err(error) => data::refused(exchange, &error),
    }
}

async fn run(exchange: &mut Exchange, node: &NodeState, caller: &Caller) -> Result<Answer, ODataError> {
    let goes_on = exchange.request.headers.get_all("prefer").iter().any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.split(',').any(|one| matches!(one.trim(), "odata.continue-on-error" | "continue-on-error"))
    });
    let content_type = exchange.request.header("content-type").unwrap_or_default().to_owned();
    if media_type(&content_type).is_none_or(|kind| kind.essence_str() != "multipart/mixed") {
        let sent = format!("Content-Type {}", entities::told(&content_type));
        exchange.trail.refused(sent, "multipart/mixed with a boundary");
        return Err(ODataError::MediaType);
    }
    // shared with the connection's buffer, so that parts can be read while the exchange is written to
    let body = exchange.request.body.clone().map_err(|_| ODataError::BodyIncomplete)?;
    let batch = Batch::parse(&content_type, &body, LIMIT).map_err(|error| {
        exchange.trail.refused(error.to_string(), "a batch as OData has it");
        ODataError::BatchInvalid
    })?;
    let answers = Multipart::new(boundary(exchange, "batchresponse"), FIELDS);
    let mut running = Running { node, caller, answers, begun: Instant::now(), told: 0, failed: false };
    for item in &batch.items {
        match item {
            BatchItem::Operation(operation) => running.operation(exchange, operation).await,
            BatchItem::ChangeSet(set) => running.change_set(exchange, set).await,
        }
        if running.failed && !goes_on {
            break;
        }
        exchange.context.breathe().await;
    }
    if running.told > TOLD {
        exchange.trail.fact("part", format!("and {} more", running.told - TOLD));
    }
    let content_type = running.answers.content_type();
    let content = Content::Text(running.answers.finish().into(), "multipart/mixed");
    Ok(Answer::typed(StatusCode::OK, content)
        .with("odata-version", "4.0")
        .with_text("content-type", &content_type))
}

/// A batch that is being answered.
struct Running<'b> {
    node: &'b NodeState,
    /// Whose token it is.
    caller: &'b Caller,
    answers: Multipart,
    begun: Instant,
    /// Parts the exchange was told of.
    told: usize,
    /// Whether a part failed.
    failed: bool,
}

/// A write of a change set that is reserved.
struct Reserved<'o> {
    operation: &'o Operation<'o>,
    request: Request,
    made: Made,
    trail: Trail,
}

impl Running<'_> {
    /// A request on its own.
    async fn operation(&mut self, exchange: &mut Exchange, operation: &Operation<'_>) {
        let late = self.answers.len() > ANSWER || self.begun.elapsed() > TIME;
        let request = match request_of(exchange, operation, &HashMap::new()) {
            Ok(_) if late => Err(ODataError::QueryTimeout),
            request => request,
        };
        let (answer, trail) = match request {
            Err(error) => (data::refused(exchange, &error), Trail::default()),
            Ok((request, resource)) => {
                let part = Part::begin(exchange, request);
                let outcome = data::run(part.exchange, self.node, self.caller, &resource).await;
                let answer = worded(part.exchange, outcome);
                (answer, part.end().1)
            }
        };
        self.tell(exchange, operation, &answer, trail, false);
    }

    /// Requests that succeed or fail together: one unit of work. Nobody sees a part of it.
    async fn change_set(&mut self, exchange: &mut Exchange, operations: &[Operation<'_>]) {
        let mut made: HashMap<String, String> = HashMap::new();
        let mut reserved: Vec<Reserved<'_>> = Vec::with_capacity(operations.len());
        let schema = schema::here(&exchange.context);
        let Ok(database) = data::rows(&exchange.context, &schema) else {
            return self.fail(exchange, operations.first(), Trail::default(), ODataError::Internal);
        };
        let mut unit = Unit::begin(&database);
        for operation in operations {
            match self.reserve(exchange, &mut unit, operation, &made) {
                Ok(one) => {
                    if let (Some(id), Made::Record(table, key)) = (&operation.content_id, &one.made) {
                        made.insert(id.clone(), entities::reserved_place(&unit, *table, key));
                    }
                    reserved.push(one);
                }
                Err((error, trail)) => return self.fail(exchange, Some(operation), trail, *error),
            }
        }
        // What happens on the way to Dataverse is told of the set as a whole.
        match unit.finish(exchange, self.node).await {
            Ok(commit) => {
                self.answers.begin_set(boundary(exchange, "changesetresponse"));
                for Reserved { operation, request, made, trail } in reserved {
                    let part = Part::begin(exchange, request);
                    let answer = data::done(part.exchange, &schema, &made, &commit);
                    part.end();
                    self.tell(exchange, operation, &answer, trail, true);
                }
                self.answers.end_set();
            }
            // each operation is one change
            Err((at, error)) => {
                let answer = worded(exchange, Err(error));
                self.answers.begin_set(boundary(exchange, "changesetresponse"));
                if let Some(operation) = operations.get(at) {
                    self.tell(exchange, operation, &answer, Trail::default(), true);
                }
                self.answers.end_set();
            }
        }
    }

    /// Reserves a write of a change set.
    fn reserve<'o>(
        &self,
        exchange: &mut Exchange,
        unit: &mut Unit,
        operation: &'o Operation<'o>,
        made: &HashMap<String, String>,
    ) -> Result<Reserved<'o>, (Box<ODataError>, Trail)> {
        let failed = |error| (Box::new(error), Trail::default());
        let (request, resource) = request_of(exchange, operation, made).map_err(failed)?;
        let part = Part::begin(exchange, request);
        let outcome = self.reserve_part(part.exchange, unit, &resource);
        let (request, trail) = part.end();
        match outcome {
            Ok(made) => Ok(Reserved { operation, request, made, trail }),
            Err(error) => Err((Box::new(error), trail)),
        }
    }

    fn reserve_part(
        &self,
        exchange: &mut Exchange,
        unit: &mut Unit,
        resource: &Resource,
    ) -> Result<Made, ODataError> {
        let options = query::options(exchange)?;
        let Resource::Records(raw) = resource else {
            return Err(data::nothing(exchange));
        };
        let schema = schema::here(&exchange.context);
        let target = data::target(exchange, &schema, raw, &options)?;
        if !entities::allowed(&target).contains(&exchange.request.method) {
            return Err(ODataError::MethodNotAllowed);
        }
        data::reserve(exchange, unit, self.caller, &target, &Visible::new(self.caller, &options))
    }

    /// Answers a change set of which nothing was done, by the part that was refused.
    fn fail(
        &mut self,
        exchange: &mut Exchange,
        operation: Option<&Operation<'_>>,
        trail: Trail,
        error: ODataError,
    ) {
        let answer = worded(exchange, Err(WriteError::OData(error)));
        self.answers.begin_set(boundary(exchange, "changesetresponse"));
        if let Some(operation) = operation {
            self.tell(exchange, operation, &answer, trail, true);
        }
        self.answers.end_set();
    }

    /// Adds the answer of a part. The content type of a refusal names its character set.
    fn push(&mut self, answer: &Answer, content_id: Option<&str>) {
        let Answer { status, headers, content, .. } = answer;
        let (body, kind) = match content {
            Content::Json(body, kind) | Content::Text(body, kind) | Content::Xml(body, kind) => {
                (body.as_ref(), *kind)
            }
            _ => (&b""[..], ""),
        };
        let charset = if status.is_success() || kind.contains("charset") { "" } else { "; charset=utf-8" };
        let kind = (!kind.is_empty()).then(|| format!("{kind}{charset}"));
        let first: Vec<_> = kind.iter().map(|kind| ("Content-Type", kind.as_str())).collect();
        self.answers.push(PartAnswer { status: *status, content_id, first: &first, headers, body });
    }

    /// Writes down a part and its answer; of the first that fails, everything.
    fn tell(
        &mut self,
        exchange: &mut Exchange,
        operation: &Operation<'_>,
        answer: &Answer,
        trail: Trail,
        in_set: bool,
    ) {
        let status = answer.status;
        self.told += 1;
        let written = cut(&operation.target, 128);
        if self.told <= TOLD {
            let line = format!("{}: {} {written} {status}", self.told, operation.method);
            exchange.trail.fact("part", line);
        }
        if status.is_success() {
            // What was delivered to Dataverse is a part's own story.
            exchange.trail.absorb(trail);
        } else if !self.failed {
            self.failed = true;
            exchange.trail.absorb(trail);
            // said last: what the part itself told of its refusal says more
            let what = format!("part {}: {} {written}", self.told, operation.method);
            exchange.trail.refused(what, EXPECTED);
        }
        self.push(answer, operation.content_id.as_deref().filter(|_| in_set));
    }
}

/// A boundary that stands in no part.
fn boundary(exchange: &Exchange, name: &str) -> String {
    format!("{name}_{}", exchange.context.random().guid())
}

/// An outcome in the words and with the status it has in a batch.
fn worded(exchange: &mut Exchange, outcome: Result<Answer, WriteError>) -> Answer {
    let refuses_a_write = match &outcome {
        Err(WriteError::OData(error)) => error.row().class == WRITE,
        Err(WriteError::DualWrite(error)) => error.row().class == WRITE,
        Ok(_) => false,
    };
    let mut answer = data::worded(exchange, outcome);
    if refuses_a_write && answer.status == StatusCode::BAD_REQUEST {
        answer.status = StatusCode::INTERNAL_SERVER_ERROR;
    }
    answer
}

/// A part as a request of its own, and what it asks for.
fn request_of(
    exchange: &Exchange,
    operation: &Operation<'_>,
    made: &HashMap<String, String>,
) -> Result<(Request, Resource), ODataError> {
    let written = operation.target.as_str();
    let service = service_root(exchange);
    let nothing = || ODataError::UnknownResource { uri: cut(written, 512).to_owned() };
    let target = match operation.reference() {
        Some((id, rest)) => format!("{service}/{}{rest}", made.get(id).ok_or_else(nothing)?),
        None => path_of(written, &service),
    };
    let path = target.split('?').next().unwrap_or_default();
    let own = path.get(..service.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(&service));
    let below = path.get(service.len()..).filter(|below| own && below.starts_with('/'));
    let resource = Resource::of(below.ok_or_else(nothing)?);
    let method = Method::from_bytes(operation.method.as_bytes()).map_err(|_| ODataError::MethodNotAllowed)?;
    Ok((exchange.within(method, target, operation.header_map(), operation.body), resource))
}

/// Where the data are, as a path: what is asked for elsewhere is no part of a batch.
fn service_root(exchange: &Exchange) -> String {
    let base = match side::of_environment(exchange) {
        Side::OneBox => "",
        Side::OnPremises => onprem::BASE,
    };
    format!("{base}/data")
}
