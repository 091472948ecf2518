//! A change on its way into Dataverse: lookups first, then the write.
//!
//! Decides the requests (alternate keys, `@odata.bind`, the v9.0 Web API) and how Dataverse's answer becomes Dual Write's
//! text. Never decides whether there is a token, and never touches the AOS's own rows.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use mocktenant_lab::outbound::{Call, CallError, Reply};
use mocktenant_lab::{Context, Trail};
use mocktenant_odata::{Literal, percent_encode};
use mocktenant_schema::{CellRef, Kind};
use mocktenant_tables::Values;
use mocktenant_verdict::foreign::cut;
use serde_json::{Map as Object, Value};

use super::map::{Lookup, Map, Target};
use super::{Leaving, Operation};
use crate::entities::Entity;
use crate::errors::{DualWriteError, Troubleshooting};

const JSON: &str = "application/json; charset=utf-8";

/// How much of a foreign message goes into ours.
const SHOWN: usize = 4096;

/// Everything one unit of work needs.
pub(super) struct Session<'s> {
    /// The organisation's URL without a final slash.
    pub(super) base: &'s str,
    /// The access token.
    pub(super) token: &'s str,
    /// Goes along as `x-ms-client-request-id`.
    pub(super) activity_id: &'s str,
    /// The end of every text.
    pub(super) troubleshooting: Troubleshooting,
}

/// A write that did not arrive.
pub(super) struct Undelivered {
    /// What Dataverse said, in short: its code, or how the call failed.
    pub(super) actual: String,
    /// What the product says.
    pub(super) error: Box<DualWriteError>,
    /// Entity sets that lack a row.
    pub(super) missing: Vec<&'static str>,
}

/// A write as Dataverse is asked for it.
pub(super) struct Request {
    pub(super) method: Method,
    /// Below the service root.
    pub(super) path: String,
    pub(super) body: Option<String>,
}

/// What a unit of work has learnt on its way.
#[derive(Default)]
pub(super) struct Learnt {
    /// The ids of rows that lookups lead to, by entity set, value and company.
    ids: HashMap<(&'static str, String, Option<String>), Option<String>>,
    /// Rows that the change set makes before: entity set, key, company, and the number of the operation.
    pub(super) made: Vec<(&'static str, String, String, usize)>,
}

impl Learnt {
    /// What an earlier operation of the change set makes, as a later one calls it.
    pub(super) fn made(&self, set: &str, key: &str, company: Option<&str>) -> Option<String> {
        let is = |(made, its_key, its_company, _): &&(&'static str, String, String, usize)| {
            *made == set && its_key == key && company.is_none_or(|one| one.eq_ignore_ascii_case(its_company))
        };
        self.made.iter().rev().find(is).map(|(.., number)| format!("${number}"))
    }
}

/// What is said of the deletion of a row that is not there.
pub(super) const NOTHING_LEFT: &str = "nothing left to delete";

/// What is said of changes that were taken.
pub(super) const ACCEPTED: &str = "accepted";

impl Session<'_> {
    /// Writes the changes of a unit of work. Answers with what Dataverse said, in short; of one that failed, which one.
    pub(super) async fn write(
        &self,
        context: &Context,
        trail: &mut Trail,
        leaving: &[Leaving<'_>],
    ) -> Result<&'static str, (usize, Undelivered)> {
        match leaving {
            [one] => self.alone(context, trail, one).await.map_err(|undelivered| (one.at, undelivered)),
            several => self.together(context, trail, several).await,
        }
    }

    async fn alone(
        &self,
        context: &Context,
        trail: &mut Trail,
        one: &Leaving<'_>,
    ) -> Result<&'static str, Undelivered> {
        let Some(request) = self.request(context, trail, one, &mut Learnt::default()).await? else {
            return Ok(NOTHING_LEFT);
        };
        let Request { method, path, body } = request;
        let body = body.map(|body| (JSON.to_owned(), body.into_bytes()));
        let reply = self.call(context, trail, one.map, (method, &path, body)).await?;
        // A row that is not there any more is as deleted as it can be.
        if one.operation == Operation::Delete && reply.status == StatusCode::NOT_FOUND {
            return Ok(NOTHING_LEFT);
        }
        self.accepted(one.map, reply.status, &reply.body)?;
        Ok(ACCEPTED)
    }

    /// What Dataverse is asked for; nothing where there is nothing it could have.
    pub(super) async fn request(
        &self,
        context: &Context,
        trail: &mut Trail,
        one: &Leaving<'_>,
        learnt: &mut Learnt,
    ) -> Result<Option<Request>, Undelivered> {
        let (map, operation) = (one.map, one.operation);
        let body = match operation {
            Operation::Insert | Operation::Update => {
                Some(Value::Object(self.payload(context, trail, one, learnt).await?).to_string())
            }
            Operation::Delete => None,
        };
        let (method, path) = match operation {
            Operation::Insert => (Method::POST, map.external.to_owned()),
            Operation::Update | Operation::Delete => {
                let Some(key) = self.key(context, trail, one, learnt).await? else { return Ok(None) };
                let path = percent_encode(&format!("{}({})", map.external, key.join(",")), "'(),=");
                (if operation == Operation::Update { Method::PATCH } else { Method::DELETE }, path)
            }
        };
        Ok(Some(Request { method, path, body }))
    }

    /// The alternate key of a change's row, column by column; nothing where its company is not there, and so no row of it.
    pub(super) async fn key(
        &self,
        context: &Context,
        trail: &mut Trail,
        one: &Leaving<'_>,
        learnt: &mut Learnt,
    ) -> Result<Option<Vec<String>>, Undelivered> {
        let (source, target) = one.map.key;
        let mut key = vec![format!("{target}={}", Literal::String(text(one.row, source).to_owned()))];
        if let Some(column) = one.map.key_company
            && let Target::Lookup { lookup, .. } = one.map.company.target
        {
            let company = text(one.row, one.map.company.source);
            match self.find(context, trail, (one.map, lookup), (company, None), learnt).await? {
                Some(id) => key.push(format!("{column}={id}")),
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// The Dataverse row: columns, lookups, and on creation the defaults.
    async fn payload(
        &self,
        context: &Context,
        trail: &mut Trail,
        one: &Leaving<'_>,
        learnt: &mut Learnt,
    ) -> Result<Object<String, Value>, Undelivered> {
        let (map, operation, row) = (one.map, one.operation, one.row);
        let mut body = Object::new();
        let mut missing: Vec<(&Lookup, &str)> = Vec::new();
        let mut company: Option<String> = None;
        let fields = std::iter::once(&map.company).chain(map.fields);
        for field in fields.filter(|field| field.arrow.leaves()) {
            let value = text(row, field.source);
            match field.target {
                // The alternate key of an update stands in the URL.
                Target::Column(column) if operation == Operation::Update && column == map.key.1 => {}
                Target::Column(column) if !value.is_empty() => {
                    body.insert(column.to_owned(), Value::from(value));
                }
                Target::Flag(column) => {
                    body.insert(column.to_owned(), Value::from(is_yes(row, field.source)));
                }
                Target::Column(column) if operation == Operation::Update => {
                    body.insert(column.to_owned(), Value::Null);
                }
                Target::Lookup { navigation, lookup } if !value.is_empty() => {
                    let own_company = lookup.company.map(|_| text(row, map.company.source));
                    let bound = match learnt.made(lookup.set, value, own_company) {
                        Some(reference) => Some(reference),
                        None => {
                            let asked = (value, company.as_deref());
                            let id = self.find(context, trail, (map, lookup), asked, learnt).await?;
                            if field.source == map.company.source {
                                company.clone_from(&id);
                            }
                            id.map(|id| format!("/{}({id})", lookup.set))
                        }
                    };
                    match bound {
                        Some(bound) => {
                            body.insert(format!("{navigation}@odata.bind"), Value::from(bound));
                        }
                        None => missing.push((lookup, value)),
                    }
                }
                Target::Column(_) | Target::Lookup { .. } => {}
            }
        }
        if !missing.is_empty() {
            return Err(self.lookups_missing(map, &missing));
        }
        if operation == Operation::Insert {
            for (column, value) in map.defaults {
                body.insert((*column).to_owned(), Value::from(*value));
            }
        }
        Ok(body)
    }

    /// The id of the row a value stands for, of a company where the lookup asks for one.
    async fn find(
        &self,
        context: &Context,
        trail: &mut Trail,
        (map, lookup): (&Map, &Lookup),
        (value, company): (&str, Option<&str>),
        learnt: &mut Learnt,
    ) -> Result<Option<String>, Undelivered> {
        let company = lookup.company.and_then(|column| Some((column, company?)));
        let asked = (lookup.set, value.to_owned(), company.map(|(_, id)| id.to_owned()));
        if let Some(known) = learnt.ids.get(&asked) {
            return Ok(known.clone());
        }
        let mut filter = format!("{} eq {}", lookup.by, Literal::String(value.to_owned()));
        if let Some((column, company)) = company {
            // Writing to a string cannot fail.
            let _ = write!(filter, " and {column} eq {company}");
        }
        let select = format!("{},{}", lookup.id, lookup.by);
        let found = self.first(context, trail, map, (lookup.set, &select, &filter)).await?;
        let id = found.as_ref().and_then(|row| row.get(lookup.id)).and_then(Value::as_str).map(str::to_owned);
        learnt.ids.insert(asked, id.clone());
        Ok(id)
    }

    /// The first row of an entity set for which a condition holds.
    pub(super) async fn first(
        &self,
        context: &Context,
        trail: &mut Trail,
        map: &Map,
        (set, select, filter): (&str, &str, &str),
    ) -> Result<Option<Value>, Undelivered> {
        let path = format!("{set}?$select={select}&$filter={}", percent_encode(filter, "'"));
        let reply = self.call(context, trail, map, (Method::GET, &path, None)).await?;
        self.accepted(map, reply.status, &reply.body)?;
        let mut body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        Ok(body.pointer_mut("/value/0").map(Value::take))
    }

    /// One call, with the content type of its body.
    pub(super) async fn call(
        &self,
        context: &Context,
        trail: &mut Trail,
        map: &Map,
        (method, path, body): (Method, &str, Option<(String, Vec<u8>)>),
    ) -> Result<Reply, Undelivered> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static("odata-version"), HeaderValue::from_static("4.0"));
        headers.insert(HeaderName::from_static("odata-maxversion"), HeaderValue::from_static("4.0"));
        let bearer =
            HeaderValue::from_str(&format!("Bearer {}", self.token)).map(|value| (AUTHORIZATION, value));
        let activity = HeaderValue::from_str(self.activity_id)
            .map(|value| (HeaderName::from_static("x-ms-client-request-id"), value));
        headers.extend(bearer.into_iter().chain(activity));
        let body = match body {
            Some((kind, body)) => {
                headers.extend(HeaderValue::from_str(&kind).map(|kind| (CONTENT_TYPE, kind)));
                body
            }
            None => Vec::new(),
        };
        let url = format!("{}/api/data/v9.0/{path}", self.base);
        let call = Call { method, url, headers, body: body.into() };
        context.call(trail, call).await.map_err(|error| self.unanswered(map, &error))
    }

    /// Whether a write was taken, by its status; if not, what the product says of the answer.
    pub(super) fn accepted(&self, map: &Map, status: StatusCode, body: &[u8]) -> Result<(), Undelivered> {
        if status.is_success() {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let member = |name: &str| body.get("error")?.get(name)?.as_str().filter(|text| !text.is_empty());
        let Some(code) = member("code") else { return Err(self.bare(map, status)) };
        let (set, entity) = (map.external.to_owned(), map.entity.to_owned());
        let code = cut(code, 64).to_owned();
        let message = cut(member("message").unwrap_or_default(), SHOWN).to_owned();
        let (actual, status) = (code.clone(), status_name(status));
        let troubleshooting = self.troubleshooting.clone();
        let error = DualWriteError::WriteRefused { set, entity, status, code, message, troubleshooting };
        Err(Undelivered { actual, error: Box::new(error), missing: Vec::new() })
    }

    /// An answer that says nothing beyond its status.
    pub(super) fn bare(&self, map: &Map, status: StatusCode) -> Undelivered {
        let reason = status.canonical_reason().unwrap_or("Error").to_owned();
        let actual = format!("HTTP {}", status.as_u16());
        let (set, entity) = (map.external.to_owned(), map.entity.to_owned());
        let (status, troubleshooting) = (status_name(status), self.troubleshooting.clone());
        let error = DualWriteError::WriteRefusedBare { set, entity, status, reason, troubleshooting };
        Undelivered { actual, error: Box::new(error), missing: Vec::new() }
    }

    fn lookups_missing(&self, map: &Map, missing: &[(&Lookup, &str)]) -> Undelivered {
        let lookups: Vec<String> =
            missing.iter().map(|(lookup, value)| DualWriteError::lookup(lookup.set, value)).collect();
        let actual: Vec<String> = missing
            .iter()
            .map(|(lookup, value)| format!("no {} with {} {value}", lookup.set, lookup.by))
            .collect();
        let error = DualWriteError::LookupMissing {
            set: map.external.to_owned(),
            lookups: lookups.join("."),
            troubleshooting: self.troubleshooting.clone(),
        };
        let missing = missing.iter().map(|(lookup, _)| lookup.set).collect();
        Undelivered { actual: actual.join(", "), error: Box::new(error), missing }
    }

    fn unanswered(&self, map: &Map, error: &CallError) -> Undelivered {
        let error_text = error.to_string();
        let exception = DualWriteError::exception(error);
        let error = DualWriteError::WriteUnanswered {
            set: map.external.to_owned(),
            entity: map.entity.to_owned(),
            exception,
            troubleshooting: self.troubleshooting.clone(),
        };
        Undelivered { actual: error_text, error: Box::new(error), missing: Vec::new() }
    }
}

pub(super) fn text<'r>((entity, values): (Entity<'r>, &'r Values), column: &str) -> &'r str {
    entity.column(column).and_then(|column| values.value(column).as_text()).unwrap_or_default()
}

/// Whether a column of yes and no says yes.
fn is_yes((entity, values): (Entity<'_>, &Values), column: &str) -> bool {
    let column = entity.column(column).filter(|column| column.kind() == Kind::Choice);
    column.is_some_and(|column| values.value(column) == CellRef::Whole(1))
}

/// The status as .NET's `HttpStatusCode` names it, which is how Dual Write prints it.
fn status_name(status: StatusCode) -> Cow<'static, str> {
    let name = match status.as_u16() {
        200 => "OK",
        201 => "Created",
        204 => "NoContent",
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        409 => "Conflict",
        412 => "PreconditionFailed",
        413 => "RequestEntityTooLarge",
        429 => "TooManyRequests",
        500 => "InternalServerError",
        502 => "BadGateway",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        other => return Cow::Owned(other.to_string()),
    };
    Cow::Borrowed(name)
}
