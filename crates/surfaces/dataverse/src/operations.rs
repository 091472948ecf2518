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
use mocktenant_world::{ApplicationUser, Depth, Organization};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::errors::{DataverseError, cut, describe, excerpt};
use crate::payload::Fault;
use crate::principal::{self, Operation, Principal, Users};
use crate::representation::{self, Annotations, Shape};
use crate::schema::{AlternateKey, Kind, Rows, Table, by_set};
use crate::store::Reader;
use crate::{Dataverse, bearer, headers, impersonation, not_built, payload};

/// Most of a request's address in a text, in characters.
const MAX_URI: usize = 2_048;

/// API versions there are.
const VERSIONS: [&str; 3] = ["v9.0", "v9.1", "v9.2"];

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

/// What a path that leads nowhere, or the wrong verb, is to somebody who is let in. A path below a version may be a part of
/// the real Web API.
pub(crate) fn astray(exchange: &mut Exchange, wrong_verb: bool) -> Option<DataverseError> {
    let path = exchange.request.path().to_owned();
    let mut segments = path.trim_matches('/').split('/').skip(3);
    let first = segments.next().filter(|_| exchange.folded_path().starts_with("/api/data/v9."))?;
    let bare = |segment: &str| segment.split('(').next().unwrap_or_default().to_owned();
    let (name, last) = (bare(first), bare(segments.last().unwrap_or(first)));
    if functions::is_function_name(&last)
        || not_built::operation(&last)
        || last.starts_with(not_built::PREFIX)
    {
        return Some(no_function(exchange, &last));
    }
    if wrong_verb && !not_built::part(&name) {
        return None;
    }
    if not_built::part(&name) {
        exchange.trail.not_built(name, not_built::SETS_HERE);
        return Some(DataverseError::NotImplemented);
    }
    if by_set(&name).is_some() || not_built::entity_set(&name).is_some() {
        let below = path.split('/').skip(4).collect::<Vec<_>>().join("/");
        exchange.trail.not_built(format!("the path {}", excerpt(&below)), not_built::PATHS_HERE);
    }
    None
}

/// A function or action that is not there, or that was called with the wrong verb.
fn no_function(exchange: &mut Exchange, name: &str) -> DataverseError {
    if not_built::operation(name) {
        let what = format!("the function or action {}", excerpt(name));
        exchange.trail.not_built(what, not_built::FUNCTIONS_HERE);
    }
    let (path, query) = (exchange.request.path(), exchange.request.query());
    let mark = if query.is_empty() { "" } else { "?" };
    let uri = format!("{}{path}{mark}{query}", exchange.own_base_url());
    DataverseError::NoHttpResource { uri: mocktenant_verdict::foreign::cut(&uri, MAX_URI).to_owned() }
}

/// Dresses an answer, or a refusal in the words of the catalogue.
pub(crate) fn finish(exchange: &mut Exchange, outcome: Result<Answer, DataverseError>) -> Answer {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => {
            representation::tell_unknown_name(exchange, &error);
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
    let Exchange { request, context, trail, .. } = exchange;
    let values = request.headers.get_all("authorization");
    let authorization = read_authorization(values.iter().map(http::HeaderValue::as_bytes));
    bearer::identify(context, trail, organization, &authorization, asked)
}

/// Lets the caller in, or does not: token, application user, whom it acts as, version, and what the request asks beside its
/// address.
fn admit<'x>(exchange: &'x mut Exchange, organization: &'x Organization) -> Result<Call<'x>, DataverseError> {
    let user =
        identify(exchange, organization, |list, client_id| principal::ask(list, organization, client_id))?;
    let caller = user.map_or_else(Principal::nobody, Principal::from);
    let principal = acting(exchange, organization, caller)?;
    let segment = |index| exchange.request.path().split('/').nth(index).unwrap_or_default();
    let asked = segment(3);
    let version = VERSIONS
        .iter()
        .find(|version| version.eq_ignore_ascii_case(asked))
        .ok_or(DataverseError::NotFound)?;
    let root = format!("{}/api/data/{version}", exchange.own_base_url());
    let raw = segment(4).to_owned();
    let preferences = representation::preferences(exchange);
    let annotations = Annotations::of(&preferences);
    if let Some(name) = not_built::header(&exchange.request.headers) {
        exchange.trail.not_built(format!("the header {name}"), "");
        return Err(DataverseError::InvalidQueryOption);
    }
    if let Some((name, _)) = preferences.others.iter().find(|(name, _)| not_built::preference(name)) {
        exchange.trail.not_built(format!("Prefer: {name}"), not_built::PREFERENCES_HERE);
        return Err(DataverseError::InvalidQueryOption);
    }
    Ok(Call { exchange, organization, principal, root, raw, preferences, annotations })
}

/// Who the caller is from here on: itself, or the user it names.
fn acting(
    exchange: &mut Exchange,
    organization: &Organization,
    caller: Principal,
) -> Result<Principal, DataverseError> {
    let Exchange { request, context, trail, .. } = exchange;
    let Some(named) = impersonation::named(&request.headers)? else { return Ok(caller) };
    let mut list = Checklist::new(context.switches(), describe);
    let users = Users { organization, world: context.world() };
    let principal = impersonation::ask(&mut list, users, caller, named);
    let (checks, refusal) = list.finish();
    trail.record_checks(checks);
    if principal.by.is_some() {
        trail.fact("acting-as", principal.id.clone());
    }
    refusal.map_or(Ok(principal), Err)
}

async fn table(surface: &Dataverse, exchange: &mut Exchange) -> Result<Answer, DataverseError> {
    let organization = organization(exchange).ok_or(DataverseError::NotFound)?;
    let mut call = admit(exchange, &organization)?;
    let segment = call.segment()?;
    if functions::is_function(&segment) {
        return functions::answer(&mut call, &segment);
    }
    let Some(table) = by_set(&segment.name) else { return Err(call.no_table(&segment)) };
    call.exchange.trail.fact("table", table.set);
    let (options, page) = list::options(&mut call)?;
    if let Some(expand) = &options.expand {
        call.exchange.trail.not_built(format!("$expand={}", excerpt(expand)), "rows one table at a time");
    }
    let reference = key_of(table, &segment, |name| options.alias(name))?;
    let method = call.exchange.request.method.clone();
    let writes = !matches!(method, Method::GET | Method::HEAD);
    if writes && table.rows != Rows::Stored {
        call.exchange.trail.not_built(format!("{method} {}", table.set), "reading them");
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
    fn segment(&mut self) -> Result<ResourceSegment, DataverseError> {
        ResourceSegment::parse(&self.raw).map_err(|_| {
            let name = self.raw.split_once('(').map(|(name, _)| name.to_owned());
            match name {
                // the name is fine, what stands in the parentheses is not
                Some(name) if by_set(&name).is_some() => DataverseError::QuerySyntax,
                Some(name) => no_function(self.exchange, &name),
                None if not_built::part(&self.raw) => self.no_part(),
                None => DataverseError::ResourceNotFound { segment: cut(&self.raw) },
            }
        })
    }

    /// What is there in place of a table: a part of the Web API, a function, a table that is not built, or nothing.
    fn no_table(&mut self, segment: &ResourceSegment) -> DataverseError {
        let name = segment.name.as_str();
        if not_built::part(name) {
            return self.no_part();
        }
        if not_built::entity_set(name).is_some() {
            self.exchange.trail.not_built(format!("the entity set {name}"), not_built::SETS_HERE);
            return DataverseError::ResourceNotFound { segment: cut(name) };
        }
        if segment.arguments != Arguments::None
            || name.starts_with(not_built::PREFIX)
            || not_built::operation(name)
        {
            return no_function(self.exchange, name);
        }
        DataverseError::ResourceNotFound { segment: cut(name) }
    }

    fn no_part(&mut self) -> DataverseError {
        self.exchange.trail.not_built(excerpt(&self.raw), not_built::SETS_HERE);
        DataverseError::NotImplemented
    }

    /// Asks for the privilege, and records it; how far it reaches.
    fn authorize(&mut self, table: &'static Table, operation: Operation) -> Result<Depth, DataverseError> {
        self.exchange.trail.fact("operation", operation.name());
        let depth = self.ask(|list, users, principal| {
            principal::ask_privilege(list, users, principal, table, operation)
        })?;
        // with the deciding check turned off nothing is out of reach
        Ok(depth.unwrap_or(Depth::Global))
    }

    /// Asks whether that reaches a row, where it may not.
    fn reach(
        &mut self,
        (table, operation, depth): (&'static Table, Operation, Depth),
        row: &Columns,
    ) -> Result<(), DataverseError> {
        if depth > Depth::Basic {
            return Ok(());
        }
        self.ask(|list, users, principal| {
            principal::ask_row(list, users, principal, table, operation, (depth, row));
        })
    }

    /// Asks of a row that gets another owner whether that one could read it.
    fn owner(&mut self, table: &'static Table, columns: &mut Columns) -> Result<(), DataverseError> {
        let Some(Value::String(owner)) = columns.get("_ownerid_value").cloned() else { return Ok(()) };
        columns.insert("_owninguser_value".to_owned(), Value::String(owner.clone()));
        if owner.eq_ignore_ascii_case(&self.principal.id) {
            return Ok(());
        }
        self.ask(|list, users, _| {
            if let Some(owner) = users.by_id(&owner) {
                principal::ask_owner(list, users, owner, table);
            }
        })
    }

    /// Asks questions about the caller and records them.
    fn ask<T>(
        &mut self,
        ask: impl FnOnce(&mut Checklist<'_, DataverseError>, Users<'_>, &Principal) -> T,
    ) -> Result<T, DataverseError> {
        let Exchange { context, trail, .. } = &mut *self.exchange;
        let mut list = Checklist::new(context.switches(), describe);
        let users = Users { organization: self.organization, world: context.world() };
        let found = ask(&mut list, users, &self.principal);
        let (checks, refusal) = list.finish();
        trail.record_checks(checks);
        refusal.map_or(Ok(found), Err)
    }

    /// The body as changes to a row.
    fn changes(&mut self, table: &'static Table) -> Result<payload::Changes, DataverseError> {
        if !payload::is_json(self.exchange.request.header("content-type")) {
            return Err(DataverseError::UnsupportedMediaType);
        }
        let read = match &self.exchange.request.body {
            Ok(body) => payload::read(table, body),
            Err(_) => return Err(DataverseError::IncompleteBody),
        };
        read.map_err(|fault| self.told(fault))
    }

    /// Records what a refused body is refused for.
    fn told(&mut self, fault: Fault) -> DataverseError {
        let trail = &mut self.exchange.trail;
        if let Some(about) = fault.about {
            trail.refused(format!("{} = {}", about.column, about.value), about.expected);
        }
        if let Some(unbuilt) = fault.unbuilt {
            trail.not_built(unbuilt.0, unbuilt.1);
        }
        *fault.error
    }

    fn reader<'r>(&self, database: &Database) -> Reader<'r>
    where
        'x: 'r,
    {
        Reader::new(self.organization, self.exchange.context.world(), database)
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
            self.applied(representation::json_answer(status, &body), None).with_text("etag", &row.etag())
        } else {
            Answer::empty(StatusCode::NO_CONTENT)
        };
        let answer = answer.with_text("odata-entityid", &address);
        if status == StatusCode::CREATED { answer.with_text("location", &address) } else { answer }
    }

    /// Says which preferences were honoured.
    fn applied(&self, answer: Answer, page_size: Option<u64>) -> Answer {
        let mut applied = Vec::new();
        if self.preferences.returning == Some(Return::Representation)
            && self.exchange.request.method != Method::GET
        {
            applied.push("return=representation".to_owned());
        }
        if let Some(list) = &self.preferences.include_annotations {
            applied.push(format!("odata.include-annotations=\"{list}\""));
        }
        if let Some(size) = page_size {
            applied.push(format!("odata.maxpagesize={size}"));
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

/// The columns a new row has whatever the request says; its state is settled later.
fn defaults(call: &Call<'_>, now: &str) -> Columns {
    let user = &call.principal.id;
    let members = json!({
        "_ownerid_value": user, "_owninguser_value": user,
        "_owningbusinessunit_value": call.organization.business_unit,
        "_createdby_value": user, "_modifiedby_value": user,
        "createdon": now, "modifiedon": now,
    });
    let mut columns = members.as_object().cloned().unwrap_or_default();
    for column in ["_createdonbehalfby_value", "_modifiedonbehalfby_value"] {
        columns.insert(column.to_owned(), on_behalf(call));
    }
    columns
}

/// Who really called, where one user acts as another.
fn on_behalf(call: &Call<'_>) -> Value {
    call.principal.by.as_ref().map_or(Value::Null, |caller| Value::String(caller.id.clone()))
}

/// Columns that follow from others: a contact's full name.
fn derive(table: &Table, before: Option<&Columns>, columns: &mut Columns) {
    if table.logical != "contact" {
        return;
    }
    let part = |name: &str| {
        let value = columns.get(name).or_else(|| before.and_then(|row| row.get(name)));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let name = format!("{} {}", part("firstname"), part("lastname"));
    columns.insert("fullname".to_owned(), Value::String(name.trim().to_owned()));
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

/// The values another row has already, as the annotation `DuplicateAttributes` shows them.
fn duplicate_attributes(key: &AlternateKey, row: &Columns) -> String {
    let shown = |column: &&str| {
        let value =
            row.get(*column).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let name = column.trim_start_matches('_').trim_end_matches("_value");
        let value = value.unwrap_or_default().replace('&', "&amp;").replace('<', "&lt;");
        format!("<{name}>{value}</{name}>")
    };
    let inner: String = key.columns.iter().map(shown).collect();
    format!("<DuplicateAttributes>{inner}</DuplicateAttributes>")
}

/// The values of a row's alternate keys: what is left to tell of once the row has gone into a write.
fn key_values(table: &Table, row: &Columns) -> Columns {
    let names = table.keys.iter().flat_map(|key| key.columns);
    names.filter_map(|name| Some(((*name).to_owned(), row.get(*name)?.clone()))).collect()
}

/// A refusal of the database in Dataverse's words, of a row that should have been written.
fn refused(table: &'static Table, row: &Columns, error: TableError) -> DataverseError {
    match error {
        TableError::DuplicateKey { key: KeyName::Alternate(name), .. } => {
            let key = table.keys.iter().find(|key| key.name == name);
            key.map_or(DataverseError::DuplicateRecord, |key| DataverseError::DuplicateRecordEntityKey {
                key: key.name,
                columns: key.labels.to_owned(),
                entity: table.logical,
                attributes: duplicate_attributes(key, row),
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
    match &error.kind {
        QueryErrorKind::Syntax(SyntaxErrorKind::TooManyTerms { .. }) => {
            DataverseError::TooManyConditionsInQuery
        }
        QueryErrorKind::Unknown if not_built::option(&error.option) => DataverseError::InvalidQueryOption,
        QueryErrorKind::Unknown => DataverseError::UnknownQueryOption { name: cut(&error.option) },
        QueryErrorKind::Syntax(SyntaxErrorKind::UnsupportedFunction { name })
            if not_built::filter_function(name) =>
        {
            DataverseError::InvalidQueryOption
        }
        QueryErrorKind::Syntax(SyntaxErrorKind::UnsupportedName { .. }) => DataverseError::InvalidQueryOption,
        _ => DataverseError::QuerySyntax,
    }
}

/// RFC 3339 in UTC, whole seconds.
pub(crate) fn timestamp(now: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    now.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}
