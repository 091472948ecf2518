//! What stands behind the AOS's outgoing calls in these tests: scripted answers, and every call kept.
//!
//! Metadata is real (written by the federation crate), tokens are real (signed with shipped keys); the Dataverse side only
//! says what a test told it to say.

use std::sync::{Arc, Mutex};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use mocktenant_batch::{Batch, BatchItem, Multipart, Operation, PartAnswer};
use mocktenant_federation::{EntraMetadata, SignatureForm, Signer};
use mocktenant_keys::shipped;
use mocktenant_lab::BoxFuture;
use mocktenant_lab::outbound::{Call, CallError, Outbound, Reply};
use serde_json::{Value, json};

use super::{NOW, TENANT};

/// A scripted answer.
pub(super) type Scripted = Result<(u16, String), CallError>;

struct Rule {
    method: Method,
    part: String,
    /// What the body has to hold.
    body: String,
    answer: Scripted,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    /// What change sets asked for.
    operations: Vec<(String, String, Value)>,
    rules: Vec<Rule>,
    token_lifetime: Option<i64>,
}

/// The wire. Clones are the same wire.
#[derive(Clone, Default)]
pub(super) struct Wire(Arc<Mutex<State>>);

impl Wire {
    /// Answers calls of this method whose URL holds `part` like this from now on.
    pub(super) fn script(&self, method: Method, part: &str, answer: Scripted) {
        self.script_body(method, part, "", answer);
    }

    /// The same for calls whose body holds `body`.
    pub(super) fn script_body(&self, method: Method, part: &str, body: &str, answer: Scripted) {
        let rule = Rule { method, part: part.to_owned(), body: body.to_owned(), answer };
        self.0.lock().unwrap().rules.insert(0, rule);
    }

    pub(super) fn token_lifetime(&self, seconds: i64) {
        self.0.lock().unwrap().token_lifetime = Some(seconds);
    }

    /// The calls of this method whose URL holds `part`.
    pub(super) fn calls(&self, method: &Method, part: &str) -> Vec<Call> {
        let state = self.0.lock().unwrap();
        state.calls.iter().filter(|call| call.method == *method && call.url.contains(part)).cloned().collect()
    }

    /// What change sets asked for: method, address and body of each operation.
    pub(super) fn operations(&self) -> Vec<(String, String, Value)> {
        self.0.lock().unwrap().operations.clone()
    }

    /// Takes a change set, or refuses it with what a rule has for one of its operations.
    fn change_set(&self, call: &Call) -> Reply {
        let kind = call.headers["content-type"].to_str().unwrap();
        let batch = Batch::parse(kind, &call.body, 1_000).unwrap();
        let [BatchItem::ChangeSet(operations)] = batch.items.as_slice() else { panic!("{batch:?}") };
        let mut answers = Multipart::new("batchresponse_x".to_owned(), &[]);
        answers.begin_set("changesetresponse_x".to_owned());
        let none = HeaderMap::new();
        let part = |operation: &Operation<'_>, status, body: &str| {
            let content_id = operation.content_id.as_deref();
            answers.push(PartAnswer {
                status,
                content_id,
                first: &[],
                headers: &none,
                body: body.as_bytes(),
            });
        };
        let mut part = part;
        let mut state = self.0.lock().unwrap();
        let State { operations: told, rules, .. } = &mut *state;
        let refused = operations.iter().find_map(|operation| {
            let text = String::from_utf8_lossy(operation.body);
            let body = serde_json::from_str(&text).unwrap_or_default();
            told.push((operation.method.clone(), operation.target.clone(), body));
            let url = format!("/{}", operation.target);
            let meant = |rule: &&Rule| {
                rule.method == operation.method.as_str()
                    && url.contains(&rule.part)
                    && text.contains(&rule.body)
            };
            let rule = rules.iter().find(meant)?;
            let (status, body) = rule.answer.clone().unwrap();
            (status >= 400).then(|| (operation, StatusCode::from_u16(status).unwrap(), body))
        });
        let status = refused.as_ref().map_or(StatusCode::OK, |(_, status, _)| *status);
        match refused {
            Some((operation, status, body)) => part(operation, status, &body),
            None => operations.iter().for_each(|operation| part(operation, StatusCode::NO_CONTENT, "")),
        }
        answers.end_set();
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, answers.content_type().parse().unwrap())]);
        Reply { status, headers, body: answers.finish().into() }
    }

    fn answer(&self, call: &Call) -> Scripted {
        let mut state = self.0.lock().unwrap();
        state.calls.push(call.clone());
        let text = String::from_utf8_lossy(&call.body);
        let meant = |rule: &&Rule| {
            rule.method == call.method && call.url.contains(&rule.part) && text.contains(&rule.body)
        };
        let rule = state.rules.iter().find(meant);
        if let Some(rule) = rule {
            return rule.answer.clone();
        }
        let lifetime = state.token_lifetime.unwrap_or(3599);
        drop(state);
        let url = call.url.as_str();
        let rows = |column: &str, id: &str| Ok((200, json!({ "value": [{ column: id }] }).to_string()));
        match (call.method.as_str(), url) {
            ("GET", url) if url.contains("FederationMetadata.xml") => Ok((200, metadata())),
            ("POST", url) if url.ends_with("/oauth2/token") => Ok((200, token_answer(lifetime).to_string())),
            ("GET", url) if url.contains("/cdm_companies?") => rows("cdm_companyid", "company-1"),
            ("GET", url) if url.contains("/msdyn_customergroups?") => {
                rows("msdyn_customergroupid", "group-30")
            }
            ("GET", url) if url.contains("/transactioncurrencies?") => rows("transactioncurrencyid", "eur-1"),
            ("GET", url) if url.contains("/msdyn_paymentterms?") => rows("msdyn_paymenttermid", "term-1"),
            ("GET", url) if url.contains("/accounts?") => rows("accountnumber", "there"),
            ("POST", url) if url.ends_with("/$batch") => Ok((204, String::new())),
            ("POST" | "PATCH" | "DELETE", url)
                if url.contains("/accounts") || url.contains("/msdyn_customergroups") =>
            {
                Ok((204, String::new()))
            }
            _ => Err(CallError::UnknownHost { host: url.to_owned(), port: 443 }),
        }
    }
}

impl Outbound for Wire {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
        let taken = call.url.ends_with("/$batch");
        let answer = self.answer(&call).map(|(status, body)| {
            if taken && status == 204 {
                return self.change_set(&call);
            }
            let status = StatusCode::from_u16(status).unwrap();
            Reply { status, headers: HeaderMap::new(), body: body.into() }
        });
        Box::pin(async move {
            // A call takes time: others get their turn meanwhile.
            tokio::task::yield_now().await;
            answer
        })
    }
}

/// The tenant's federation metadata.
pub(super) fn metadata() -> String {
    let signing = shipped::token_signing();
    let certificates = [signing.certificate().clone(), shipped::token_signing_next().certificate().clone()];
    let document = EntraMetadata {
        id: "_c0117050-0000-4000-8000-0000000f0001",
        entity_id: &format!("https://sts.windows.net/{TENANT}/"),
        endpoint_base: &format!("https://login.microsoftonline.com/{TENANT}"),
        signing_certificates: &certificates,
    };
    let signer =
        Signer { key: signing.key(), certificate: signing.certificate(), form: SignatureForm::Unprefixed };
    String::from_utf8(document.to_bytes(signer).unwrap()).unwrap()
}

fn token_answer(lifetime: i64) -> Value {
    let expires_on = NOW.unix_timestamp() + lifetime;
    json!({
        "token_type": "Bearer",
        "expires_in": lifetime.to_string(),
        "expires_on": expires_on.to_string(),
        "resource": "https://contoso.crm4.dynamics.com",
        "access_token": "eyJ.the.token",
    })
}
