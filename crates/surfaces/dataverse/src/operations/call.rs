//! A request whose caller was let in, and what every operation does with one.
//!
//! Decides the order of the questions about a caller: token, application user, whom it acts as; then version, headers and
//! preferences. Never decides what is answered.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use mocktenant_lab::{Answer, Context, Exchange};
use mocktenant_odata::{Binder, Clock, Expansion, Guid, Preferences, QueryError, Return, Selection};
use mocktenant_schema::{Cell, CellRef, Schema, Table};
use mocktenant_tables::{At, Commit, Database, Row, Snapshot, Transaction, Values};
use mocktenant_token::bearer::read_authorization;
use mocktenant_verdict::Checklist;
use mocktenant_world::{ApplicationUser, Depth, Organization};

use super::address::Target;
use super::refused::{unbuilt, unreadable};
use crate::errors::{DataverseError, OptionDefect, describe};
use crate::expanded::Budget;
use crate::ids::Ids;
use crate::payload::{self, Fault, Made};
use crate::principal::{self, Operation, Principal, Users};
use crate::representation::{self, Annotations, Detail, Reach, Shape};
use crate::tables::DIALECT;
use crate::{Dataverse, bearer, impersonation, not_built};

/// Navigation properties that a query may follow, nested ones included.
const MOST_EXPANDED: usize = 15;

/// API versions there are.
const VERSIONS: [&str; 3] = ["v9.0", "v9.1", "v9.2"];

/// A request whose caller was let in.
pub(super) struct Call<'x> {
    pub(super) exchange: &'x mut Exchange,
    pub(super) organization: &'x Organization,
    pub(super) principal: Principal,
    /// `https://<host>/api/data/v9.2`
    pub(super) root: String,
    /// The raw segment after the version.
    pub(super) raw: String,
    pub(super) preferences: Preferences,
    pub(super) annotations: Annotations,
    pub(super) detail: Detail,
    /// The tables there are.
    pub(super) schema: Arc<Schema>,
    /// Where the ids of new rows come from.
    pub(super) ids: &'x Ids,
    /// How far it may append, of tables that was asked of.
    pub(super) granted: Vec<((usize, Operation), Depth)>,
    /// Where it writes instead of the organisation's own rows, and what its `$1` stands for: of a change set.
    pub(super) set: Option<Set>,
}

/// What is answered of rows: columns, what comes with them, and how far the caller may read that.
pub(super) struct Shown {
    pub(super) selection: Selection,
    pub(super) reach: Vec<Reach>,
    /// How much may come along.
    budget: Budget,
}

impl Shown {
    /// Whether rows come with rows, and theirs with them: how many is known only when they are written.
    pub(super) fn multiplies(&self) -> bool {
        fn any(selection: &Selection) -> bool {
            selection.expand.iter().any(|one| one.many || any(&one.selection))
        }
        any(&self.selection)
    }
}

/// What the requests of a change set have in common.
#[derive(Clone)]
pub(super) struct Set {
    /// The rows as the requests before it leave them.
    pub(super) rows: Database,
    /// Addresses of what they wrote, by their `Content-ID`.
    pub(super) made: Arc<Made>,
}

/// Whose token this is: its checks, then those `asked` adds for its client id, all recorded.
pub(super) fn identify<'o>(
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
pub(super) fn admit<'x>(
    surface: &'x Dataverse,
    exchange: &'x mut Exchange,
    organization: &'x Organization,
) -> Result<Call<'x>, DataverseError> {
    let user =
        identify(exchange, organization, |list, client_id| principal::ask(list, organization, client_id))?;
    let caller = user.map_or_else(Principal::nobody, Principal::from);
    admit_as(surface, exchange, organization, caller, None)
}

/// The same for whoever was let in already: the caller of a batch, for each of its parts.
pub(super) fn admit_as<'x>(
    surface: &'x Dataverse,
    exchange: &'x mut Exchange,
    organization: &'x Organization,
    caller: Principal,
    set: Option<Set>,
) -> Result<Call<'x>, DataverseError> {
    let principal = acting(exchange, organization, caller, set.as_ref())?;
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
    let detail = Detail::of(exchange.request.header("accept"));
    if let Some(name) = not_built::header(&exchange.request.headers) {
        exchange.trail.not_built(format!("the header {name}"), "");
        return Err(DataverseError::InvalidQueryOption);
    }
    if let Some((name, _)) = preferences.others.iter().find(|(name, _)| not_built::preference(name)) {
        exchange.trail.not_built(format!("Prefer: {name}"), not_built::PREFERENCES_HERE);
        return Err(DataverseError::InvalidQueryOption);
    }
    let (schema, ids) = (schema(&exchange.context, organization)?, surface.ids());
    Ok(Call {
        exchange,
        organization,
        principal,
        root,
        raw,
        preferences,
        annotations,
        detail,
        schema,
        ids,
        granted: Vec::new(),
        set,
    })
}

/// The tables of an organisation, as they are in the world of this exchange.
fn schema(context: &Context, organization: &Organization) -> Result<Arc<Schema>, DataverseError> {
    let known = context.prepared::<Dataverse>().organizations.get(&*organization.key);
    known.map(|known| Arc::clone(&known.schema)).ok_or(DataverseError::Unexpected)
}

/// The rows of a request: of the change set it is in, or the organisation's. One whose tables were changed since the exchange
/// began has others.
pub(super) fn rows(
    context: &Context,
    organization: &Organization,
    set: Option<&Set>,
) -> Result<Database, DataverseError> {
    if let Some(set) = set {
        return Ok(set.rows.clone());
    }
    // An organisation has rows; a test opens them.
    let rows = context.rows().map_err(|_| DataverseError::Unexpected)?;
    let same = Arc::ptr_eq(&rows.schema(), &schema(context, organization)?);
    if same { Ok(rows) } else { Err(DataverseError::ServiceUnavailable) }
}

/// Who the caller is from here on: itself, or the user it names.
fn acting(
    exchange: &mut Exchange,
    organization: &Organization,
    caller: Principal,
    set: Option<&Set>,
) -> Result<Principal, DataverseError> {
    let Exchange { request, context, trail, .. } = exchange;
    let Some(named) = impersonation::named(&request.headers)? else { return Ok(caller) };
    let mut list = Checklist::new(context.switches(), describe);
    let rows = rows(context, organization, set).ok().map(|rows| rows.snapshot());
    let users = Users { organization, world: context.world(), rows: rows.as_ref() };
    let principal = impersonation::ask(&mut list, users, caller, named);
    let (checks, refusal) = list.finish();
    trail.record_checks(checks);
    if principal.by.is_some() {
        trail.fact("acting-as", principal.id.clone());
    }
    refusal.map_or(Ok(principal), Err)
}

impl Call<'_> {
    /// Whether it changes rows, whatever it is called.
    pub(super) fn writes(&self) -> bool {
        !matches!(self.exchange.request.method, Method::GET | Method::HEAD)
    }

    /// Asks for the privilege, and records it; how far it reaches.
    pub(super) fn authorize(
        &mut self,
        table: Table<'_>,
        operation: Operation,
    ) -> Result<Depth, DataverseError> {
        self.exchange.trail.fact("operation", operation.name());
        let depth = self.ask(|list, users, principal| {
            principal::ask_privilege(list, users, principal, table, operation)
        })?;
        // with the deciding check turned off nothing is out of reach
        Ok(depth.unwrap_or(Depth::Global))
    }

    /// Asks whether that reaches a row with these values, where it may not.
    pub(super) fn reach<'r>(
        &mut self,
        (table, operation, depth): (Table<'_>, Operation, Depth),
        value: impl Fn(&str) -> CellRef<'r>,
    ) -> Result<(), DataverseError> {
        if depth > Depth::Basic {
            return Ok(());
        }
        self.ask(|list, users, principal| {
            principal::ask_row(list, users, principal, (table, operation, depth), value);
        })
    }

    /// Asks of a row that gets another owner whether that one could read it.
    pub(super) fn owner(&mut self, table: Table<'_>, values: &mut Values) -> Result<(), DataverseError> {
        let Some(column) = table.column("ownerid") else { return Ok(()) };
        let Some(Cell::Id(owner)) = values.get(column.ordinal()).cloned() else { return Ok(()) };
        if let Some(user) = table.column("owninguser") {
            values.set(user.ordinal(), Cell::Id(owner));
        }
        if Guid::parse(&self.principal.id) == Some(owner) {
            return Ok(());
        }
        self.ask(|list, users, _| {
            if let Some(owner) = users.by_id(&owner.to_string()) {
                principal::ask_owner(list, users, owner, table);
            }
        })
    }

    /// The next id of a new row.
    pub(super) fn next_id(&self) -> Guid {
        let base = || Guid::from_bytes(self.exchange.context.random().guid().into_bytes());
        self.ids.next(&self.organization.key, base)
    }

    /// The moment of the request, in seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.exchange.context.now().unix_timestamp()
    }

    /// The same, with where the day began for whoever asks.
    pub(super) fn clock(&self) -> Clock {
        let (now, zone) = (self.now(), &self.principal.zone);
        let local = zone.local(now);
        let date = local - local.rem_euclid(mocktenant_schema::moment::DAY);
        Clock { now, day: zone.moment(date), date }
    }

    /// Asks questions about the caller and records them.
    pub(super) fn ask<T>(
        &mut self,
        ask: impl FnOnce(&mut Checklist<'_, DataverseError>, Users<'_>, &Principal) -> T,
    ) -> Result<T, DataverseError> {
        let rows = self.rows().ok().map(|rows| rows.snapshot());
        let Exchange { context, trail, .. } = &mut *self.exchange;
        let mut list = Checklist::new(context.switches(), describe);
        let users = Users { organization: self.organization, world: context.world(), rows: rows.as_ref() };
        let found = ask(&mut list, users, &self.principal);
        let (checks, refusal) = list.finish();
        trail.record_checks(checks);
        refusal.map_or(Ok(found), Err)
    }

    /// The body as changes to a row.
    pub(super) fn changes(&mut self, table: Table<'_>) -> Result<payload::Changes, DataverseError> {
        let body = self.body()?;
        let schema = Arc::clone(&self.schema);
        let read = payload::read(&schema, table, &body, self.made());
        read.map_err(|fault| self.told(fault))
    }

    /// The body, which says that it is JSON.
    pub(super) fn body(&self) -> Result<Bytes, DataverseError> {
        if !payload::is_json(self.exchange.request.header("content-type")) {
            return Err(DataverseError::UnsupportedMediaType);
        }
        self.exchange.request.body.clone().map_err(|_| DataverseError::IncompleteBody)
    }

    /// What `$1` stands for.
    pub(super) fn made(&self) -> Option<&Made> {
        self.set.as_ref().map(|set| &*set.made)
    }

    /// Records what a refused body is refused for.
    pub(super) fn told(&mut self, fault: Fault) -> DataverseError {
        let trail = &mut self.exchange.trail;
        if let Some(about) = fault.about {
            trail.refused(format!("{} = {}", about.column, about.value), about.expected);
        }
        if let Some(unbuilt) = fault.unbuilt {
            trail.not_built(unbuilt.0, unbuilt.1);
        }
        *fault.error
    }

    /// What `$select` and `$expand` ask for, bound to the table.
    pub(super) fn bound_selection(&mut self, target: &Target<'_>) -> Result<Selection, DataverseError> {
        let schema = Arc::clone(&self.schema);
        let alias = |name: &str| target.options.alias(name).map(str::to_owned);
        let clock = || self.clock();
        let bound = Binder::new(&schema, &DIALECT, &alias, &clock).selection(target.table, &target.options);
        bound.map_err(|error| self.unreadable(&error))
    }

    /// The same with how far the caller may read what is expanded.
    pub(super) fn selection(&mut self, target: &Target<'_>) -> Result<Shown, DataverseError> {
        let bound = self.bound_selection(target)?;
        self.shown(bound)
    }

    /// Asks of every table that is expanded whether the caller may read it, and how far.
    pub(super) fn shown(&mut self, selection: Selection) -> Result<Shown, DataverseError> {
        let mut left = MOST_EXPANDED;
        let reach = self.reaches(&selection, &mut left)?;
        let budget = Budget::of(self.exchange.context.query_time());
        Ok(Shown { selection, reach, budget })
    }

    fn reaches(&mut self, selection: &Selection, left: &mut usize) -> Result<Vec<Reach>, DataverseError> {
        let schema = Arc::clone(&self.schema);
        let mut all = Vec::with_capacity(selection.expand.len());
        for expansion in &selection.expand {
            *left = left.checked_sub(1).ok_or_else(|| {
                let most = format!("at most {MOST_EXPANDED} navigation properties");
                self.exchange.trail.refused("$expand", most);
                DataverseError::QuerySyntax
            })?;
            if let Some(defect) = misused(selection, expansion) {
                return Err(defect.into());
            }
            let table = schema.at(expansion.table).ok_or(DataverseError::Unexpected)?;
            let depth = self.authorize(table, Operation::Read)?;
            all.push(Reach { depth, below: self.reaches(&expansion.selection, left)? });
        }
        Ok(all)
    }

    /// A query option that cannot be read, in the product's words; says what is not built.
    pub(super) fn unreadable(&mut self, error: &QueryError) -> DataverseError {
        if let Some(what) = unbuilt(error) {
            self.exchange.trail.not_built(what, not_built::OPTIONS_HERE);
        }
        unreadable(error)
    }

    pub(super) fn shape<'s>(&'s self, rows: &'s Snapshot, shown: &'s Shown) -> Shape<'s> {
        Shape {
            root: &self.root,
            rows,
            selection: &shown.selection,
            reach: &shown.reach,
            budget: &shown.budget,
            annotations: self.annotations,
            principal: &self.principal,
            detail: self.detail,
            tagged: true,
            list: None,
            nested: shown.selection.expand.iter().any(|one| !one.selection.expand.is_empty()),
            link: None,
        }
    }

    /// The answer to a write: the row if the caller prefers it, else only its address.
    pub(super) fn written(
        &mut self,
        target: &Target<'_>,
        shown: &Shown,
        row: &Row,
        status: StatusCode,
    ) -> Result<Answer, DataverseError> {
        let id = representation::id_text(target.table, row);
        let address = format!("{}/{}({id})", self.root, target.table.set());
        self.exchange.trail.fact("record-id", id);
        let answer = if self.preferences.returning == Some(Return::Representation) {
            let rows = target.database.snapshot();
            let answer = self.entity(&rows, shown, target.table, row, status)?;
            self.applied(answer, None).with_text("etag", &row.etag())
        } else {
            Answer::empty(StatusCode::NO_CONTENT)
        };
        let answer = answer.with_text("odata-entityid", &address);
        Ok(if status == StatusCode::CREATED { answer.with_text("location", &address) } else { answer })
    }

    /// A row on its own, with what comes with it.
    pub(super) fn entity(
        &mut self,
        rows: &Snapshot,
        shown: &Shown,
        table: Table<'_>,
        row: &Row,
        status: StatusCode,
    ) -> Result<Answer, DataverseError> {
        let at = At { table: table.position(), row };
        // texts, numbers and maps of them always have a JSON form
        let write = || serde_json::to_vec(&self.shape(rows, shown).entity(table, at)).unwrap_or_default();
        let answer = representation::rows(status, self.aside(shown, write), self.detail);
        if shown.budget.is_spent() { Err(self.more_than_may_come(shown)) } else { Ok(answer) }
    }

    /// Writes rows; where others come with them, while others have the thread.
    pub(super) fn aside<R>(&self, shown: &Shown, write: impl FnOnce() -> R) -> R {
        if shown.multiplies() { self.exchange.context.aside(write) } else { write() }
    }

    /// The refusal of an expansion that multiplies.
    pub(super) fn more_than_may_come(&mut self, shown: &Shown) -> DataverseError {
        if shown.budget.is_late() {
            self.exchange
                .trail
                .fact("given-up", "rows that come along take longer than the lab gives a query");
            return DataverseError::SqlTimeoutError;
        }
        self.exchange.trail.fact("given-up", "more rows come along than one answer has");
        DataverseError::AggregateQueryRecordLimit
    }

    /// Says which preferences were honoured.
    pub(super) fn applied(&self, answer: Answer, page_size: Option<u64>) -> Answer {
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

    /// The rows it reads and writes.
    pub(super) fn rows(&self) -> Result<Database, DataverseError> {
        rows(&self.exchange.context, self.organization, self.set.as_ref())
    }

    /// Makes a write visible. A reset in the meantime took it away.
    pub(super) fn commit(&self, transaction: Transaction) -> Result<Commit, DataverseError> {
        self.exchange.context.commit(transaction).map_err(|_| DataverseError::ServiceUnavailable)
    }

    /// A header with entity tags.
    pub(super) fn condition(&self, name: &str) -> Option<&str> {
        self.exchange.request.header(name).map(str::trim)
    }
}

/// What is wrong with an expansion that can be read: documented under Join tables using OData.
fn misused(selection: &Selection, expansion: &Expansion) -> Option<OptionDefect> {
    let nested = selection.expand.iter().any(|one| !one.selection.expand.is_empty());
    let cut = expansion.top.is_some() || !expansion.order.is_empty();
    if expansion.reference && expansion.many {
        Some(OptionDefect::ReferencesOfMany)
    } else if cut && (nested || !expansion.many) {
        Some(OptionDefect::ExpansionCut)
    } else {
        None
    }
}
