//! The client of a scenario as `reproduce` needs it: what it does, and what it finds afterwards.
//!
//! Decides nothing about its requests: the lab drives the caller its world declares, over real HTTP, by the lab's public
//! addresses and with trust in the lab's CA, as any client would. What is read here is the wording of the answers.

use mocktenant_diagnosis::Explanation;
use mocktenant_lab::caller::{DriveError, drive, drive_as};
use mocktenant_lab::{Attempt, Lab};
use mocktenant_server::client::Client;
use mocktenant_world::Errand;
use serde_json::Value;

use crate::failure::{Exit, Failure};

/// The caller of one lab.
pub(super) struct Caller<'l> {
    lab: &'l Lab,
    client: Client,
}

impl<'l> Caller<'l> {
    pub(super) fn new(lab: &'l Lab, client: Client) -> Self {
        Self { lab, client }
    }

    /// What it does.
    pub(super) fn errand(&self) -> Errand {
        self.lab.world().caller().does
    }

    /// What the customer is called in the request.
    pub(super) fn customer(&self) -> String {
        let world = self.lab.world();
        let customer = &world.caller().customer;
        customer.get("CustomerAccount").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Who signs in, where that is what it does.
    pub(super) fn user(&self) -> Option<String> {
        let world = self.lab.world();
        let sign_in = world.caller().sign_in.as_ref().filter(|_| self.errand().signs_in());
        sign_in.map(|sign_in| sign_in.user.clone())
    }

    /// Does what the user did.
    pub(super) async fn try_once(&self) -> Result<Attempt, Failure> {
        drive(self.lab, &self.client).await.map_err(|error| lost(&error))
    }

    /// Whether the AOS has no such customer; `None` if it does not say.
    pub(super) async fn is_absent(&self, attempt: &Attempt) -> Result<Option<bool>, Failure> {
        let (Some(token), Errand::CreateCustomer) = (&attempt.token, self.errand()) else { return Ok(None) };
        Ok(self.rows(Errand::ReadCustomers, Some(token.clone())).await?.map(|rows| rows.is_empty()))
    }

    /// The account in Dataverse, read as the caller's own application; `None` if it is not there.
    pub(super) async fn account(&self) -> Result<Option<Value>, Failure> {
        Ok(self.rows(Errand::DataverseRequest, None).await?.and_then(|mut rows| rows.pop()))
    }

    async fn rows(&self, errand: Errand, token: Option<String>) -> Result<Option<Vec<Value>>, Failure> {
        match drive_as(self.lab, &self.client, errand, token).await {
            Ok(attempt) => {
                let rows = attempt.json()["value"].as_array_mut().map(std::mem::take);
                Ok(rows.filter(|_| attempt.status.is_success()))
            }
            // A world without one has no row of it either.
            Err(DriveError::NobodyToAsk(_) | DriveError::NoProvider(_)) => Ok(None),
            Err(error) => Err(lost(&error)),
        }
    }
}

/// The lines of the message in an answer's own body, or of the page that it is.
pub(super) fn lines(attempt: &Attempt) -> Vec<String> {
    let shown = attempt.shown();
    if shown.is_empty() { words_of(&attempt.json()) } else { shown }
}

/// The same of any body that is a product's.
pub(in crate::verbs) fn words_of(body: &Value) -> Vec<String> {
    let members = ["/error/innererror/message", "/error_description", "/error/message", "/error"];
    let message = members.iter().find_map(|member| body.pointer(member)?.as_str()).or_else(|| body.as_str());
    let lines = message.unwrap_or_default().lines().map(str::to_owned);
    lines.filter(|line| !line.trim().is_empty()).collect()
}

pub(super) async fn explanation(lab: &Lab, attempt: &Attempt) -> Option<Explanation> {
    mocktenant_diagnosis::explain(lab, &attempt.exchange).await
}

fn lost(error: &DriveError) -> Failure {
    match error {
        DriveError::Call(error) => Failure::new(Exit::Unreachable, "the lab does not answer").because(error),
        other => Failure::new(Exit::Finding, other.to_string()),
    }
}
