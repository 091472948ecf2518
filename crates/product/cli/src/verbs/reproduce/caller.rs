//! The client of a scenario, over real HTTP: gets a token, creates the customer, looks for the account.
//!
//! Decides nothing: who it is, what it asks for and what it sends stand in the world's `caller`, so that a wrong request
//! is a wrong world too. It finds the lab by its public addresses and trusts the lab's CA, as any client would.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use mocktenant_diagnosis::Explanation;
use mocktenant_lab::outbound::Call;
use mocktenant_lab::{EXCHANGE_HEADER, Entrance, Lab};
use mocktenant_server::client::{Client, Reply, read_json};
use mocktenant_world::World;
use serde_json::Value;

use crate::failure::{Exit, Failure};
use crate::find_lab::encoded;

/// The caller of one lab.
pub(super) struct Caller<'l> {
    lab: &'l Lab,
    client: Client,
}

/// One try: the answer that ended it, and the token if it got that far.
pub(super) struct Attempt {
    /// The exchange that ended it.
    pub(super) exchange: String,
    /// Its status.
    pub(super) status: u16,
    /// Its body, decoded.
    pub(super) body: Value,
    /// The access token for the environment.
    token: Option<String>,
}

impl Attempt {
    fn new(reply: &Reply, token: Option<String>) -> Self {
        let exchange =
            reply.headers.get(EXCHANGE_HEADER).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        let body = read_json(reply)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&reply.body).into_owned()));
        Self { exchange, status: reply.status.as_u16(), body, token }
    }

    pub(super) fn refused(&self) -> bool {
        self.status >= 400
    }

    /// The lines of the message in the answer's own body.
    pub(super) fn lines(&self) -> Vec<String> {
        let members = ["/error/innererror/message", "/error_description", "/error/message", "/error"];
        let message = members
            .iter()
            .find_map(|member| self.body.pointer(member)?.as_str())
            .or_else(|| self.body.as_str());
        let lines = message.unwrap_or_default().lines().map(str::to_owned);
        lines.filter(|line| !line.trim().is_empty()).collect()
    }

    pub(super) async fn explanation(&self, lab: &Lab) -> Option<Explanation> {
        mocktenant_diagnosis::explain(lab, &self.exchange).await
    }
}

impl<'l> Caller<'l> {
    pub(super) fn new(lab: &'l Lab, client: Client) -> Self {
        Self { lab, client }
    }

    /// What the customer is called in the request.
    pub(super) fn customer(&self) -> String {
        let world = self.lab.world();
        let customer = &world.caller().customer;
        customer.get("CustomerAccount").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Does what the user did: a token from Entra, then the customer to the AOS.
    pub(super) async fn try_once(&self) -> Result<Attempt, Failure> {
        let world = self.lab.world();
        let caller = world.caller();
        let resource = caller.resource.clone().or_else(|| {
            let environment = world.environment(&caller.environment)?;
            Some(format!("https://{}", environment.host))
        });
        let reply = self.token(&world, &resource.unwrap_or_default()).await?;
        let Some(token) = token_of(&reply) else { return Ok(Attempt::new(&reply, None)) };
        let url = format!("{}/data/CustomersV3", self.address(&Entrance::environment(&caller.environment))?);
        let body = Value::Object(caller.customer.clone()).to_string();
        let reply = self.send(Method::POST, url, &token, body).await?;
        Ok(Attempt::new(&reply, Some(token)))
    }

    /// Whether the AOS has no such customer; `None` if it does not say.
    pub(super) async fn is_absent(&self, attempt: &Attempt) -> Result<Option<bool>, Failure> {
        let world = self.lab.world();
        let caller = world.caller();
        let Some(token) = &attempt.token else { return Ok(None) };
        let base = self.address(&Entrance::environment(&caller.environment))?;
        let filter = encoded(&format!("CustomerAccount eq '{}'", self.customer().replace('\'', "''")));
        let reply = self
            .send(Method::GET, format!("{base}/data/CustomersV3?$filter={filter}"), token, String::new())
            .await?;
        let document = read_json(&reply).unwrap_or_default();
        Ok(document["value"].as_array().filter(|_| reply.status.is_success()).map(Vec::is_empty))
    }

    /// The account in Dataverse, read as the caller's own application; `None` if it is not there.
    pub(super) async fn account(&self) -> Result<Option<Value>, Failure> {
        let world = self.lab.world();
        let caller = world.caller();
        let Some(environment) = world.environment(&caller.environment) else { return Ok(None) };
        let linked = environment.database.dual_write.external_environment_url.as_str();
        let host = linked.trim_end_matches('/').rsplit("//").next().unwrap_or_default();
        let Some(organization) = world.organizations().find(|one| one.host.eq_ignore_ascii_case(host)) else {
            return Ok(None);
        };
        let reply = self.token(&world, &format!("https://{}", organization.host)).await?;
        let Some(token) = token_of(&reply) else { return Ok(None) };
        let base = self.address(&Entrance::organization(&organization.key))?;
        let filter = encoded(&format!("accountnumber eq '{}'", self.customer().replace('\'', "''")));
        let url = format!("{base}/api/data/v9.2/accounts?$select=accountnumber,name&$filter={filter}");
        let reply = self.send(Method::GET, url, &token, String::new()).await?;
        let mut document = read_json(&reply).unwrap_or_default();
        Ok(document["value"].as_array_mut().and_then(Vec::pop))
    }

    async fn token(&self, world: &World, resource: &str) -> Result<Reply, Failure> {
        let caller = world.caller();
        let url = format!("{}/{}/oauth2/v2.0/token", self.address(&Entrance::Identity)?, caller.tenant);
        let scope = format!("{resource}/.default");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", caller.client_id.as_str()),
            ("client_secret", caller.client_secret.as_str()),
            ("scope", scope.as_str()),
        ];
        self.client.post_form(&url, &form).await.map_err(|error| lost(&error))
    }

    async fn send(&self, method: Method, url: String, token: &str, body: String) -> Result<Reply, Failure> {
        let mut headers = HeaderMap::new();
        if let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {token}")) {
            headers.insert(AUTHORIZATION, bearer);
        }
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        self.client.send(Call { method, url, headers, body: body.into() }).await.map_err(|error| lost(&error))
    }

    fn address(&self, entrance: &Entrance) -> Result<String, Failure> {
        let address = self.lab.addresses().get(entrance).cloned();
        address.ok_or_else(|| Failure::new(Exit::Finding, format!("the lab does not listen for {entrance}")))
    }
}

fn token_of(reply: &Reply) -> Option<String> {
    let document = read_json(reply).ok()?;
    document["access_token"].as_str().filter(|_| reply.status.is_success()).map(str::to_owned)
}

fn lost(error: &mocktenant_server::client::CallError) -> Failure {
    Failure::new(Exit::Unreachable, "the lab does not answer").because(error)
}
