//! One change on its way into Dataverse: lookups first, then the write.
//!
//! Decides the requests (alternate keys, `@odata.bind`, the v9.0 Web API) and how Dataverse's answer becomes Dual Write's
//! text. Never decides whether there is a token, and never touches the AOS's own rows.

use std::borrow::Cow;
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

use super::Operation;
use super::map::{Lookup, Map, Target};
use crate::entities::Entity;
use crate::errors::{DualWriteError, Troubleshooting};

/// How much of a foreign message goes into ours.
const SHOWN: usize = 4096;

/// Everything one write needs.
pub(super) struct Session<'s> {
    /// The organisation's URL without a final slash.
    pub(super) base: &'s str,
    /// The access token.
    pub(super) token: &'s str,
    /// Goes along as `x-ms-client-request-id`.
    pub(super) activity_id: &'s str,
    /// The map.
    pub(super) map: &'s Map,
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

impl Session<'_> {
    /// Writes one change. Answers with what Dataverse said, in short.
    pub(super) async fn write(
        &self,
        context: &Context,
        trail: &mut Trail,
        operation: Operation,
        row: (Entity<'_>, &Values),
    ) -> Result<&'static str, Undelivered> {
        let (source, target) = self.map.key;
        let key = Literal::String(text(row, source).to_owned());
        let by_key = percent_encode(&format!("{}({target}={key})", self.map.external), "'(),=");
        let (method, path, body) = match operation {
            Operation::Insert => (
                Method::POST,
                self.map.external.to_owned(),
                Some(self.payload(context, trail, operation, row).await?),
            ),
            Operation::Update => {
                (Method::PATCH, by_key, Some(self.payload(context, trail, operation, row).await?))
            }
            Operation::Delete => (Method::DELETE, by_key, None),
        };
        let reply = self.call(context, trail, method, &path, body.as_ref()).await?;
        // A row that is not there any more is as deleted as it can be.
        if operation == Operation::Delete && reply.status == StatusCode::NOT_FOUND {
            return Ok("nothing left to delete");
        }
        self.accepted(&reply)?;
        Ok("accepted")
    }

    /// The Dataverse row: columns, lookups, and on creation the defaults.
    async fn payload(
        &self,
        context: &Context,
        trail: &mut Trail,
        operation: Operation,
        row: (Entity<'_>, &Values),
    ) -> Result<Object<String, Value>, Undelivered> {
        let mut body = Object::new();
        let mut missing: Vec<(&Lookup, &str)> = Vec::new();
        let mut company: Option<String> = None;
        let fields = std::iter::once(&self.map.company).chain(self.map.fields);
        for field in fields.filter(|field| field.arrow.leaves()) {
            let value = text(row, field.source);
            match field.target {
                // The alternate key of an update stands in the URL.
                Target::Column(column) if operation == Operation::Update && column == self.map.key.1 => {}
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
                    match self.find(context, trail, lookup, value, company.as_deref()).await? {
                        Some(id) => {
                            body.insert(
                                format!("{navigation}@odata.bind"),
                                Value::from(format!("/{}({id})", lookup.set)),
                            );
                            if field.source == self.map.company.source {
                                company = Some(id);
                            }
                        }
                        None => missing.push((lookup, value)),
                    }
                }
                Target::Column(_) | Target::Lookup { .. } => {}
            }
        }
        if !missing.is_empty() {
            return Err(self.lookups_missing(&missing));
        }
        if operation == Operation::Insert {
            for (column, value) in self.map.defaults {
                body.insert((*column).to_owned(), Value::from(*value));
            }
        }
        Ok(body)
    }

    /// The id of the row a value stands for.
    async fn find(
        &self,
        context: &Context,
        trail: &mut Trail,
        lookup: &Lookup,
        value: &str,
        company: Option<&str>,
    ) -> Result<Option<String>, Undelivered> {
        let mut filter = format!("{} eq {}", lookup.by, Literal::String(value.to_owned()));
        if let (Some(column), Some(company)) = (lookup.company, company) {
            // Writing to a string cannot fail.
            let _ = write!(filter, " and {column} eq {company}");
        }
        let path = format!(
            "{}?$select={},{}&$filter={}",
            lookup.set,
            lookup.id,
            lookup.by,
            percent_encode(&filter, "'")
        );
        let reply = self.call(context, trail, Method::GET, &path, None).await?;
        self.accepted(&reply)?;
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let id = body.get("value").and_then(|rows| rows.get(0)).and_then(|row| row.get(lookup.id));
        Ok(id.and_then(Value::as_str).map(str::to_owned))
    }

    async fn call(
        &self,
        context: &Context,
        trail: &mut Trail,
        method: Method,
        path: &str,
        body: Option<&Object<String, Value>>,
    ) -> Result<Reply, Undelivered> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static("odata-version"), HeaderValue::from_static("4.0"));
        headers.insert(HeaderName::from_static("odata-maxversion"), HeaderValue::from_static("4.0"));
        if let Ok(value) = HeaderValue::from_str(&format!("Bearer {}", self.token)) {
            headers.insert(AUTHORIZATION, value);
        }
        if let Ok(value) = HeaderValue::from_str(self.activity_id) {
            headers.insert(HeaderName::from_static("x-ms-client-request-id"), value);
        }
        let body = match body {
            Some(body) => {
                let json = HeaderValue::from_static("application/json; charset=utf-8");
                headers.insert(CONTENT_TYPE, json);
                Value::Object(body.clone()).to_string()
            }
            None => String::new(),
        };
        let url = format!("{}/api/data/v9.0/{path}", self.base);
        let call = Call { method, url, headers, body: body.into() };
        context.call(trail, call).await.map_err(|error| self.unanswered(&error))
    }

    fn accepted(&self, reply: &Reply) -> Result<(), Undelivered> {
        if reply.status.is_success() {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let member = |name: &str| body.get("error")?.get(name)?.as_str().filter(|text| !text.is_empty());
        let set = self.map.external.to_owned();
        let entity = self.map.entity.to_owned();
        let status = status_name(reply.status);
        let troubleshooting = self.troubleshooting.clone();
        let (actual, error) = match member("code") {
            Some(code) => {
                let code = cut(code, 64).to_owned();
                let message = cut(member("message").unwrap_or_default(), SHOWN).to_owned();
                let actual = code.clone();
                (actual, DualWriteError::WriteRefused { set, entity, status, code, message, troubleshooting })
            }
            None => {
                let reason = reply.status.canonical_reason().unwrap_or("Error").to_owned();
                let actual = format!("HTTP {}", reply.status.as_u16());
                (actual, DualWriteError::WriteRefusedBare { set, entity, status, reason, troubleshooting })
            }
        };
        Err(Undelivered { actual, error: Box::new(error), missing: Vec::new() })
    }

    fn lookups_missing(&self, missing: &[(&Lookup, &str)]) -> Undelivered {
        let lookups: Vec<String> =
            missing.iter().map(|(lookup, value)| DualWriteError::lookup(lookup.set, value)).collect();
        let actual: Vec<String> = missing
            .iter()
            .map(|(lookup, value)| format!("no {} with {} {value}", lookup.set, lookup.by))
            .collect();
        let error = DualWriteError::LookupMissing {
            set: self.map.external.to_owned(),
            lookups: lookups.join("."),
            troubleshooting: self.troubleshooting.clone(),
        };
        let missing = missing.iter().map(|(lookup, _)| lookup.set).collect();
        Undelivered { actual: actual.join(", "), error: Box::new(error), missing }
    }

    fn unanswered(&self, error: &CallError) -> Undelivered {
        let error_text = error.to_string();
        let exception = DualWriteError::exception(error);
        let error = DualWriteError::WriteUnanswered {
            set: self.map.external.to_owned(),
            entity: self.map.entity.to_owned(),
            exception,
            troubleshooting: self.troubleshooting.clone(),
        };
        Undelivered { actual: error_text, error: Box::new(error), missing: Vec::new() }
    }
}

fn text<'r>((entity, values): (Entity<'r>, &'r Values), column: &str) -> &'r str {
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
