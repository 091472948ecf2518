//! `POST $batch`: many requests in one, as if each had come alone.
//!
//! Decides the order (as written, one after another), what a failure ends (a change set as a whole; the batch too, unless
//! `Prefer: odata.continue-on-error` asks otherwise), and what `$1` stands for in a change set. Never decides what a part is
//! answered: it is asked what a request of its own would be asked, after the caller's token, which is the batch's. Header
//! fields of the batch are not those of its parts. The exchange tells of every part, and all about the first that fails.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use mocktenant_batch::{Batch, BatchItem, Fields, Multipart, Operation, PartAnswer, path_of};
use mocktenant_lab::request::media_type;
use mocktenant_lab::{Answer, Content, Exchange, Part, Request, Trail};
use mocktenant_world::Organization;

use super::call::{Set, admit, admit_as, rows};
use super::{dispatch, drafted, finish, organization, worded};
use crate::Dataverse;
use crate::errors::{BatchDefect, DataverseError, cut, excerpt};
use crate::payload::Made;
use crate::principal::Principal;

/// Requests of a batch, those in change sets included.
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

/// Header fields of a part's answer, in their order, beside its content type and version, as captured answers have them.
const FIELDS: Fields = &[
    ("location", "Location"),
    ("odata-entityid", "OData-EntityId"),
    ("preference-applied", "Preference-Applied"),
];

/// `POST /api/data/v9.2/$batch`.
pub(crate) async fn answer(surface: &Dataverse, exchange: &mut Exchange) -> Answer {
    let outcome = run(surface, exchange).await;
    finish(exchange, outcome)
}

async fn run(surface: &Dataverse, exchange: &mut Exchange) -> Result<Answer, DataverseError> {
    let organization = organization(exchange).ok_or(DataverseError::NotFound)?;
    let call = admit(surface, exchange, &organization)?;
    let goes_on = call.preferences.others.iter().any(|(name, value)| {
        matches!(name.as_str(), "odata.continue-on-error" | "continue-on-error")
            && value.as_deref() != Some("false")
    });
    let (principal, root) = (call.principal.clone(), call.root.clone());
    let content_type = exchange.request.header("content-type").unwrap_or_default().to_owned();
    if media_type(&content_type).is_none_or(|kind| kind.essence_str() != "multipart/mixed") {
        let sent = format!("Content-Type {}", excerpt(&content_type));
        exchange.trail.refused(sent, "multipart/mixed with a boundary");
        return Err(DataverseError::UnsupportedMediaType);
    }
    // shared with the connection's buffer, so that parts can be read while the exchange is written to
    let body = exchange.request.body.clone().map_err(|_| DataverseError::IncompleteBody)?;
    let batch = Batch::parse(&content_type, &body, LIMIT).map_err(|error| {
        exchange.trail.refused(error.to_string(), "a batch as OData has it");
        DataverseError::batch(BatchDefect::new(error, &content_type))
    })?;
    let mut running = Running {
        surface,
        organization: &organization,
        principal,
        root,
        answers: Multipart::new(boundary(exchange, "batchresponse"), FIELDS),
        begun: Instant::now(),
        told: 0,
        failed: None,
    };
    for item in &batch.items {
        match item {
            BatchItem::Operation(operation) => running.operation(exchange, operation).await,
            BatchItem::ChangeSet(set) => running.change_set(exchange, set),
        }
        if running.failed.is_some() && !goes_on {
            break;
        }
        exchange.context.breathe().await;
    }
    if running.told > TOLD {
        exchange.trail.fact("part", format!("and {} more", running.told - TOLD));
    }
    let status = running.failed.filter(|_| !goes_on).unwrap_or(StatusCode::OK);
    let content_type = running.answers.content_type();
    let content = Content::Text(running.answers.finish().into(), "multipart/mixed");
    Ok(Answer::typed(status, content).with_text("content-type", &content_type))
}

/// A batch that is being answered.
struct Running<'b> {
    surface: &'b Dataverse,
    organization: &'b Organization,
    /// Whose token it is, and as whom it acts.
    principal: Principal,
    root: String,
    answers: Multipart,
    begun: Instant,
    /// Parts the exchange was told of.
    told: usize,
    /// Status of the first part that failed.
    failed: Option<StatusCode>,
}

impl Running<'_> {
    /// A request on its own.
    async fn operation(&mut self, exchange: &mut Exchange, operation: &Operation<'_>) {
        let request = match request_of(exchange, operation, None) {
            Ok(_) if self.answers.len() > ANSWER => Err(DataverseError::BatchAnswerTooLarge),
            Ok(_) if self.begun.elapsed() > TIME => Err(DataverseError::SqlTimeoutError),
            request => request,
        };
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                let answer = worded(exchange, Err(error));
                return self.tell(exchange, operation, &answer, Trail::default(), false);
            }
        };
        let part = Part::begin(exchange, request);
        let outcome =
            match admit_as(self.surface, part.exchange, self.organization, self.principal.clone(), None) {
                Ok(mut call) => dispatch(self.surface, &mut call).await,
                Err(error) => Err(error),
            };
        let answer = worded(part.exchange, outcome);
        let (_, trail) = part.end();
        self.tell(exchange, operation, &answer, trail, false);
    }

    /// Requests that succeed or fail together. Nobody else writes meanwhile, and nobody sees a part of it.
    fn change_set(&mut self, exchange: &mut Exchange, operations: &[Operation<'_>]) {
        let _one_at_a_time = self.surface.begin_write(&exchange.context);
        let draft = rows(&exchange.context, self.organization, None).map(|rows| rows.draft());
        let mut made: Arc<Made> = Arc::new(HashMap::new());
        let mut answered = Vec::with_capacity(operations.len());
        for operation in operations {
            let set = draft
                .as_ref()
                .ok()
                .map(|draft| Set { rows: draft.database().clone(), made: Arc::clone(&made) });
            let request = request_of(exchange, operation, Some(&made));
            let request = match (request, set) {
                (Ok(request), Some(set)) => Ok((request, set)),
                (Err(error), _) => Err(error),
                (_, None) => Err(DataverseError::Unexpected),
            };
            let (answer, trail) = match request {
                Ok((request, set)) => {
                    let mut part = Part::begin(exchange, request);
                    let outcome = self.drafted(&mut part, set);
                    let answer = worded(part.exchange, outcome);
                    (answer, part.end().1)
                }
                Err(error) => (worded(exchange, Err(error)), Trail::default()),
            };
            if !answer.status.is_success() {
                self.answers.begin_set(boundary(exchange, "changesetresponse"));
                self.tell(exchange, operation, &answer, trail, true);
                return self.answers.end_set();
            }
            let address = answer.headers.get("odata-entityid").and_then(|value| value.to_str().ok());
            if let (Some(id), Some(address)) = (&operation.content_id, address) {
                // nobody shares it any more: the part has ended
                Arc::make_mut(&mut made).insert(id.clone(), address.to_owned());
            }
            answered.push((operation, answer, trail));
        }
        let adopted = draft
            .map_err(|_| DataverseError::Unexpected)
            .and_then(|draft| exchange.context.adopt(draft).map_err(|_| DataverseError::ServiceUnavailable));
        self.answers.begin_set(boundary(exchange, "changesetresponse"));
        match (adopted, answered.first()) {
            (Err(error), Some((first, ..))) => {
                let answer = worded(exchange, Err(error));
                self.tell(exchange, first, &answer, Trail::default(), true);
            }
            _ => {
                for (operation, answer, trail) in answered {
                    self.tell(exchange, operation, &answer, trail, true);
                }
            }
        }
        self.answers.end_set();
    }

    /// A write of a change set.
    fn drafted(&self, part: &mut Part<'_>, set: Set) -> Result<Answer, DataverseError> {
        let mut call =
            admit_as(self.surface, part.exchange, self.organization, self.principal.clone(), Some(set))?;
        drafted(&mut call)
    }

    /// Adds the answer of a part. One with a refusal begins with its request id.
    fn push(&mut self, exchange: &Exchange, answer: &Answer, content_id: Option<&str>) {
        let Answer { status, headers, content, .. } = answer;
        let refused = !status.is_success() && *status != StatusCode::NOT_MODIFIED;
        let id = refused.then(|| exchange.context.random().guid().to_string());
        let (body, kind) = match content {
            // as captured: rows of a part stream
            Content::Json(body, kind) if !refused => {
                (body.as_ref(), Some(format!("{kind}; odata.streaming=true")))
            }
            Content::Json(body, kind) | Content::Text(body, kind) | Content::Xml(body, kind) => {
                (body.as_ref(), Some((*kind).to_owned()))
            }
            _ => (&b""[..], None),
        };
        let id = id.iter().map(|id| ("REQ_ID", id.as_str()));
        let first: Vec<_> = id.chain(kind.as_deref().map(|kind| ("Content-Type", kind))).collect();
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
        if self.told <= TOLD {
            let target = operation.target.strip_prefix(&*self.root).unwrap_or(&operation.target);
            let line = format!("{}: {} {} {status}", self.told, operation.method, excerpt(target));
            exchange.trail.fact("part", line);
        }
        if !status.is_success() && status != StatusCode::NOT_MODIFIED {
            if self.failed.is_none() {
                exchange.trail.absorb(trail);
                // said last: what the part itself told of its refusal says more
                let what = format!("{}: {} {}", self.told, operation.method, excerpt(&operation.target));
                exchange.trail.refused(format!("part {what}"), EXPECTED);
            }
            self.failed.get_or_insert(status);
        }
        self.push(exchange, answer, operation.content_id.as_deref().filter(|_| in_set));
    }
}

/// A boundary that stands in no part.
fn boundary(exchange: &Exchange, name: &str) -> String {
    format!("{name}_{}", exchange.context.random().guid())
}

/// A part as a request of its own.
fn request_of(
    exchange: &Exchange,
    operation: &Operation<'_>,
    made: Option<&Made>,
) -> Result<Request, DataverseError> {
    let written = operation.target.as_str();
    let referred = match (operation.reference(), made) {
        (Some((id, rest)), Some(made)) => {
            let error = || DataverseError::ContentIdReference { id: cut(&format!("${id}")) };
            Some(format!("{}{rest}", made.get(id).ok_or_else(error)?))
        }
        _ => None,
    };
    let service = exchange.request.path().trim_end_matches('/');
    let service = service.rsplit_once('/').map_or("", |(service, _)| service);
    let target = path_of(referred.as_deref().unwrap_or(written), service);
    if !target.to_ascii_lowercase().starts_with("/api/data/") {
        return Err(DataverseError::NotFound);
    }
    // a batch in a batch
    if target.split(['?', '/']).nth(4) == Some("$batch") {
        return Err(DataverseError::QuerySyntax);
    }
    let method = Method::from_bytes(operation.method.as_bytes());
    let method = method.map_err(|_| DataverseError::MethodNotAllowed)?;
    Ok(exchange.within(method, target, operation.header_map(), operation.body))
}
