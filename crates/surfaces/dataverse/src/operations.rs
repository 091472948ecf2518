//! One request to the Web API, from its token to its answer.
//!
//! Decides the order: token and application user first (so that a stranger learns nothing), then version, resource and
//! body, then the privilege, then the rows. Each operation on rows has a file of its own. The organisation calls
//! nobody, and waits only where it reads many rows.

mod create;
mod delete;
mod functions;
mod list;
mod retrieve;
pub(crate) mod service_document;
mod update;

use std::sync::Arc;

use http::{Method, StatusCode};
use mocktenant_lab::{Answer, Exchange};
use mocktenant_odata::{
    Arguments, Literal, Preferences, QueryError, QueryErrorKind, QueryOptions, ResourceSegment, Return,
    SyntaxErrorKind,
};
use mocktenant_tables::{
    Columns, Commit, Database, KeyName, Reference, Row, Selection, TableError, Transaction,
};
use mocktenant_token::bearer::read_authorization;
use mocktenant_verdict::Checklist;
use mocktenant_world::{ApplicationUser, Organization};
use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::errors::{DataverseError, PayloadDefect, cut, describe, excerpt};
use crate::principal::{self, Operation, Principal};
use crate::representation::{self, Annotations, Shape};
use crate::schema::{Kind, Rows, Table, by_set};
use crate::store::Reader;
use crate::{Dataverse, bearer, headers, payload};

/// API versions there are.
const VERSIONS: [&str; 3] = ["v9.0", "v9.1", "v9.2"];

/// The headers by which a caller names another user to act as.
const IMPERSONATION: [&str; 2] = ["MSCRMCallerID", "CallerObjectId"];

/// A function of the service root.
pub(crate) fn function(surface: &Dataverse, exchange: &mut Exchange) -> Answer {
    let outcome = functions::run(surface, exchange);
    finish(exchange, outcome)
}

/// A table, or one row of it.
pub(crate) async fn resource(surface: &Dataverse, exchange: &mut Exchange) -> Answer {
    let outcome = table(surface, exchange).await;
    finish(exchange, outcome)
}

/// The anonymous probe of the SOAP endpoint, by which clients find authority and resource. SOAP itself is not built: the
/// endpoint answers every request with the challenge.
pub(crate) fn organization_service(exchange: &mut Exchange) -> Answer {
    exchange.trail.not_built("SOAP", "the anonymous probe of the endpoint, and the Web API");
    finish(exchange, Err(DataverseError::Unauthorized))
}

/// Why the caller of a path or method that is not there is a stranger: the checks of its token alone, because nothing here
/// belongs to an application user. `None` if the token is accepted.
pub(crate) fn stranger(exchange: &mut Exchange) -> Option<DataverseError> {
    let organization = organization(exchange)?;
    identify(exchange, &organization, |_, _| None).err()
}

/// Dresses an answer, or a refusal in the words of the catalogue.
pub(crate) fn finish(exchange: &mut Exchange, outcome: Result<Answer, DataverseError>) -> Answer {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => {
            let answer = representation::refusal(exchange, &error);
            match organization(exchange) {
                Some(organization) if error == DataverseError::Unauthorized => {
                    answer.with_text("www-authenticate", &bearer::challenge(exchange, &organization))
                }
                _ => answer,
            }
        }
    };
    headers::dress(exchange, answer)
}

fn organization(exchange: &Exchange) -> Option<Arc<Organization>> {
    exchange.context.world().organization(exchange.context.organization()?).cloned()
}

/// A request whose caller was let in.
struct Call<'x> {
    exchange: &'x mut Exchange,
    organization: &'x Organization,
    principal: Principal,
    /// `https://<host>/api/data/v9.2`
    root: String,
    /// The raw segment after the version.
    raw: String,
    preferences: Preferences,
    annotations: Annotations,
}

/// Whose token this is: its checks, then those `asked` adds for its client id, all recorded.
fn identify<'o>(
    exchange: &mut Exchange,
    organization: &'o Organization,
    asked: impl FnOnce(&mut Checklist<'_, DataverseError>, Option<&str>) -> Option<&'o ApplicationUser>,
) -> Result<Option<&'o ApplicationUser>, DataverseError> {
    exchange.trail.fact_from("organization", &organization.key, organization.pointer.setting());
    let Exchange { request, context, trail, .. } = exchange;
    let prepared = context.prepared::<Dataverse>();
    let trust = prepared.organizations.get(&*organization.key).ok_or(DataverseError::Unexpected)?;
    let values = request.headers.get_all("authorization");
    let authorization = read_authorization(values.iter().map(http::HeaderValue::as_bytes));
    let mut list = Checklist::new(context.switches(), describe);
    let client_id = bearer::ask(&mut list, organization, trust, &authorization, context.now());
    let user = asked(&mut list, client_id.as_deref());
    if let Some(client_id) = client_id {
        trail.fact("client-id", client_id);
    }
    if let Some(user) = user {
        trail.fact_from("user", user.id.clone(), user.pointer.setting());
    }
    let (checks, refusal) = list.finish();
    trail.record_checks(checks);
    refusal.map_or(Ok(user), Err)
}

/// Lets the caller in, or does not: token, application user, impersonation, version.
fn admit<'x>(exchange: &'x mut Exchange, organization: &'x Organization) -> Result<Call<'x>, DataverseError> {
    let user =
        identify(exchange, organization, |list, client_id| principal::ask(list, organization, client_id))?;
    if let Some(header) = IMPERSONATION.into_iter().find(|name| exchange.request.header(name).is_some()) {
        exchange.trail.not_built(format!("impersonation by the header {header}"), "callers as themselves");
        return Err(DataverseError::ImpersonationNotBuilt);
    }
    let segment = |index| exchange.request.path().split('/').nth(index).unwrap_or_default();
    let asked = segment(3);
    let version = VERSIONS
        .iter()
        .find(|version| version.eq_ignore_ascii_case(asked))
        .ok_or(DataverseError::NotFound)?;
    let root = format!("{}/api/data/{version}", exchange.own_base_url());
    let raw = segment(4).to_owned();
    let preferences = representation::preferences(exchange);
    let principal = user.map_or_else(Principal::nobody, Principal::from);
    let annotations = Annotations::of(&preferences);
    Ok(Call { exchange, organization, principal, root, raw, preferences, annotations })
}

async fn table(surface: &Dataverse, exchange: &mut Exchange) -> Result<Answer, DataverseError> {
    let organization = organization(exchange).ok_or(DataverseError::NotFound)?;
    let mut call = admit(exchange, &organization)?;
    let segment = call.segment()?;
    if functions::is_function(&segment) {
        return functions::answer(&call, &segment);
    }
    let table = by_set(&segment.name)
        .ok_or_else(|| DataverseError::ResourceNotFound { segment: cut(&segment.name) })?;
    call.exchange.trail.fact("table", table.set);
    let (options, page) = list::options(&mut call)?;
    if let Some(expand) = &options.expand {
        call.exchange.trail.not_built(format!("$expand={}", excerpt(expand)), "rows one table at a time");
    }
    let reference = key_of(table, &segment, |name| options.alias(name))?;
    let method = call.exchange.request.method.clone();
    let writes = !matches!(method, Method::GET | Method::HEAD);
    if writes && table.rows != Rows::Stored {
        return Err(DataverseError::MethodNotAllowed);
    }
    let now = timestamp(call.exchange.context.now());
    // An organisation has rows; a test opens them.
    let database = call.exchange.context.rows().map_err(|_| DataverseError::Unexpected)?;
    let target = Target { table, reference, segment, options, page, database, now };
    if !writes && target.reference.is_none() {
        return list::answer(&mut call, &target).await;
    }
    let _one_at_a_time = writes.then(|| surface.begin_write());
    match (method, &target.reference) {
        (Method::GET | Method::HEAD, Some(reference)) => retrieve::answer(&mut call, &target, reference),
        (Method::POST, None) => create::answer(&mut call, &target),
        (Method::PATCH, Some(reference)) => update::answer(&mut call, &target, reference),
        (Method::DELETE, Some(reference)) => delete::answer(&mut call, &target, reference),
        _ => Err(DataverseError::MethodNotAllowed),
    }
}

/// What a request addresses.
struct Target {
    table: &'static Table,
    /// The row, if it names one.
    reference: Option<Reference>,
    segment: ResourceSegment,
    options: QueryOptions,
    /// Rows of earlier pages, from `$skiptoken`.
    page: u64,
    database: Database,
    /// RFC 3339, whole seconds.
    now: String,
}

impl Target {
    /// The columns that the URL's alternate key gives, ready to be written; empty for the primary key.
    fn key_columns(&self) -> Columns {
        let named = self.segment.named_literals(self.table.id, |name| self.options.alias(name));
        let named = named.unwrap_or_default();
        named
            .into_iter()
            .filter(|(name, _)| name != self.table.id)
            .map(|(name, literal)| (name, literal.to_json()))
            .collect()
    }

    /// The primary key in the URL.
    fn id_in_url(&self) -> Option<String> {
        match &self.reference {
            Some(Reference::Primary(key)) => {
                let id = key.parts().first().map(ToString::to_string).unwrap_or_default();
                Some(id.trim_matches('\'').to_owned())
            }
            _ => None,
        }
    }
}

impl<'x> Call<'x> {
    /// The resource segment: a table or function, with its arguments.
    fn segment(&self) -> Result<ResourceSegment, DataverseError> {
        ResourceSegment::parse(&self.raw).map_err(|_| {
            let name = self.raw.split_once('(').map(|(name, _)| name);
            match name {
                // the name is fine, what stands in the parentheses is not
                Some(name) if by_set(name).is_some() => DataverseError::QuerySyntax,
                _ => DataverseError::ResourceNotFound { segment: cut(&self.raw) },
            }
        })
    }

    /// Asks for the privilege, and records it.
    fn authorize(&mut self, table: &'static Table, operation: Operation) -> Result<(), DataverseError> {
        self.exchange.trail.fact("operation", operation.name());
        let mut list = Checklist::new(self.exchange.context.switches(), describe);
        principal::ask_privilege(&mut list, self.organization, &self.principal, table, operation);
        let (checks, refusal) = list.finish();
        self.exchange.trail.record_checks(checks);
        refusal.map_or(Ok(()), Err)
    }

    /// The body as changes to a row.
    fn changes(&mut self, table: &'static Table) -> Result<payload::Changes, DataverseError> {
        let changes = self.read_changes(table);
        if let Err(DataverseError::UncapturedPayload {
            inner: PayloadDefect::NestedResource { name }, ..
        }) = &changes
        {
            self.exchange
                .trail
                .not_built(format!("deep insert of {name}"), "...@odata.bind to rows that are there");
        }
        changes
    }

    fn read_changes(&self, table: &'static Table) -> Result<payload::Changes, DataverseError> {
        if !payload::is_json(self.exchange.request.header("content-type")) {
            return Err(DataverseError::UnsupportedMediaType);
        }
        match &self.exchange.request.body {
            Ok(body) => payload::read(table, body),
            Err(_) => Err(DataverseError::IncompleteBody),
        }
    }

    fn reader<'r>(&self, database: &Database) -> Reader<'r>
    where
        'x: 'r,
    {
        Reader::new(self.organization, database)
    }

    fn shape<'s>(&'s self, options: &'s QueryOptions) -> Shape<'s> {
        let select = options.select.as_deref();
        Shape { root: &self.root, select, selection: Selection::of(select), annotations: self.annotations }
    }

    /// The answer to a write: the row if the caller prefers it, else only its address.
    fn written(&mut self, target: &Target, row: &Row, status: StatusCode) -> Answer {
        let id = row.text(target.table.id).unwrap_or_default().to_owned();
        let address = format!("{}/{}({id})", self.root, target.table.set);
        self.exchange.trail.fact("record-id", id);
        let answer = if self.preferences.returning == Some(Return::Representation) {
            let reader = self.reader(&target.database);
            let body = self.shape(&target.options).entity(&reader, target.table, row);
            self.applied(representation::json_answer(status, &body)).with_text("etag", &row.etag())
        } else {
            Answer::empty(StatusCode::NO_CONTENT)
        };
        let answer = answer.with_text("odata-entityid", &address);
        if status == StatusCode::CREATED { answer.with_text("location", &address) } else { answer }
    }

    /// Says which preferences were honoured.
    fn applied(&self, answer: Answer) -> Answer {
        let mut applied = Vec::new();
        if self.preferences.returning == Some(Return::Representation)
            && self.exchange.request.method != Method::GET
        {
            applied.push("return=representation".to_owned());
        }
        if let Some(list) = &self.preferences.include_annotations {
            applied.push(format!("odata.include-annotations=\"{list}\""));
        }
        if applied.is_empty() { answer } else { answer.with_text("preference-applied", &applied.join(",")) }
    }

    /// Makes a write visible. A reset in the meantime took it away.
    fn commit(&self, transaction: Transaction) -> Result<Commit, DataverseError> {
        self.exchange.context.commit(transaction).map_err(|_| DataverseError::ServiceUnavailable)
    }

    /// A header with entity tags.
    fn condition(&self, name: &str) -> Option<&str> {
        self.exchange.request.header(name).map(str::trim)
    }
}

/// The columns a new row has whatever the request says.
fn defaults(call: &Call<'_>, now: &str) -> Columns {
    let user = &call.principal.id;
    let members = json!({
        "_ownerid_value": user, "_owningbusinessunit_value": call.organization.business_unit,
        "_createdby_value": user, "_modifiedby_value": user,
        "createdon": now, "modifiedon": now, "statecode": 0, "statuscode": 1,
    });
    members.as_object().cloned().unwrap_or_default()
}

/// The row a segment names; `None` for the whole set. Ids are written without quotes, values of alternate keys as their
/// columns' types ask.
pub(crate) fn key_of<'q>(
    table: &Table,
    segment: &ResourceSegment,
    alias: impl Fn(&str) -> Option<&'q str>,
) -> Result<Option<Reference>, DataverseError> {
    if segment.arguments == Arguments::None {
        return Ok(None);
    }
    let syntax = |_| DataverseError::QuerySyntax;
    let named = segment.named_literals(table.id, alias).map_err(syntax)?;
    for (name, literal) in &named {
        let kind = table.column(name).map(|column| column.kind);
        let fits = match kind {
            Some(Kind::Identifier | Kind::Lookup { .. }) => matches!(literal, Literal::Guid(_)),
            Some(kind) => *literal != Literal::Null && payload::comparable(kind, literal),
            None => false,
        };
        if !fits {
            return Err(DataverseError::QuerySyntax);
        }
    }
    table.keys_of_rows().reference(&named).map(Some).map_err(|_| DataverseError::QuerySyntax)
}

/// A refusal of the database in Dataverse's words.
fn refused(table: &'static Table, error: TableError) -> DataverseError {
    match error {
        TableError::DuplicateKey { key: KeyName::Alternate(name), .. } => {
            let key = table.keys.iter().find(|key| key.name == name);
            key.map_or(DataverseError::DuplicateRecord, |key| DataverseError::DuplicateRecordEntityKey {
                key: key.name,
                columns: key.labels.to_owned(),
            })
        }
        TableError::DuplicateKey { key: KeyName::Primary, .. } | TableError::AlreadyExists { .. } => {
            DataverseError::DuplicateRecord
        }
        TableError::NotFound { key, .. } => payload::missing(table, &Reference::Primary(key)),
        TableError::VersionMismatch { .. } => DataverseError::ConcurrencyVersionMismatch,
        TableError::RowTooLarge { .. } => DataverseError::RequestLengthTooLarge,
        TableError::Reset | TableError::RowLocked { .. } => DataverseError::ServiceUnavailable,
        TableError::NoSuchKey { .. } | TableError::InvalidKeyValue { .. } => DataverseError::QuerySyntax,
        // a full database, a table of ours that is not there
        _ => DataverseError::Unexpected,
    }
}

/// A query option that cannot be read: one that is not built, or none at all.
fn unreadable(error: &QueryError) -> DataverseError {
    match error.kind {
        QueryErrorKind::Syntax(SyntaxErrorKind::TooManyTerms { .. }) => {
            DataverseError::TooManyConditionsInQuery
        }
        QueryErrorKind::Unknown
        | QueryErrorKind::Syntax(
            SyntaxErrorKind::UnsupportedFunction { .. } | SyntaxErrorKind::UnsupportedName { .. },
        ) => DataverseError::InvalidQueryOption,
        _ => DataverseError::QuerySyntax,
    }
}

/// RFC 3339 in UTC, whole seconds.
pub(crate) fn timestamp(now: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    now.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}
