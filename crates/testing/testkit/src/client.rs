//! A small HTTP client that trusts one lab, for what a test does by hand.
//!
//! Decides nothing about answers: any status is one. A call that gets no answer at all panics, because a lab that runs
//! answers. Real clients are given [`crate::Lab::settings`] instead.

use http::{HeaderMap, HeaderValue, Method};
use mocktenant_lab::WeakLab;
use mocktenant_lab::caller::ask_for_token;
use mocktenant_lab::outbound::Call;
use mocktenant_server::client;
use serde_json::Value;
use tokio::runtime::Handle;

/// An HTTP client that trusts one lab and reaches it by its URLs and by the names of its world, and nothing else. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct Client {
    inner: client::Client,
    handle: Handle,
    engine: WeakLab,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Client {
    pub(crate) fn of(inner: client::Client, engine: WeakLab, handle: Handle) -> Self {
        Self { inner, handle, engine }
    }

    /// The same client with a bearer token on every call.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Self {
        Self { inner: self.inner.clone().with_token(Some(token)), ..self.clone() }
    }

    /// An access token for `resource` as the world's caller, by its secret.
    ///
    /// # Panics
    /// If Entra refuses; the message is its answer.
    pub async fn token(&self, resource: &str) -> String {
        let Some(engine) = self.engine.upgrade() else { panic!("no token for {resource}: the lab stopped") };
        let (inner, wanted) = (self.inner.clone(), resource.to_owned());
        let asked = self.handle.spawn(async move { ask_for_token(&engine, &inner, &wanted).await }).await;
        match asked {
            Ok(Ok((_, Some(token)))) => token,
            Ok(Ok((refusal, None))) => {
                panic!("no token for {resource}: {}", String::from_utf8_lossy(&refusal.body))
            }
            Ok(Err(error)) => panic!("no token for {resource}: {error}"),
            Err(error) => panic!("no token for {resource}: {error}"),
        }
    }

    /// `GET`.
    pub async fn get(&self, url: &str) -> Reply {
        self.send(Method::GET, url, &[], Vec::new()).await
    }

    /// `POST` of a JSON document.
    pub async fn post_json(&self, url: &str, document: &Value) -> Reply {
        self.send(Method::POST, url, &[("content-type", "application/json")], document.to_string()).await
    }

    /// `POST` of a form.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, url, &[("content-type", "application/x-www-form-urlencoded")], body).await
    }

    /// Any request. Redirects are not followed.
    ///
    /// # Panics
    /// If no answer comes, or a header is no header text.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let mut fields = HeaderMap::new();
        for (name, value) in headers {
            match HeaderValue::from_str(value) {
                Ok(value) => {
                    fields.append(*name, value);
                }
                Err(error) => panic!("{value:?} for {name}: {error}"),
            }
        }
        let call = Call { method, url: url.to_owned(), headers: fields, body: body.into().into() };
        let inner = self.inner.clone();
        // On the lab's own runtime, so that a test needs none of a particular kind.
        let outcome = self.handle.spawn(async move { inner.send(call).await }).await;
        match outcome {
            Ok(Ok(reply)) => {
                Reply { status: reply.status.as_u16(), headers: reply.headers, body: reply.body.to_vec() }
            }
            Ok(Err(error)) => panic!("no answer from {url}: {error}"),
            Err(error) => panic!("no answer from {url}: {error}"),
        }
    }
}

impl Reply {
    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header field, if it is there once and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// The exchange this answers, as the journal knows it.
    pub fn exchange(&self) -> Option<&str> {
        self.header("x-mocktenant-exchange")
    }
}
