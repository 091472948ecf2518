//! How the client of a world asks an organisation for what it does.
//!
//! Decides the request: the account of the caller's customer, in the organisation its environment is linked with. Never
//! decides what comes of it. Mirrors an integration that looks for what Dual Write brought.

use mocktenant_lab::caller::encoded;
use mocktenant_lab::{Ask, Entrance, Step};
use mocktenant_world::{Errand, World};
use serde_json::Value;

/// The request of an errand that is for an organisation.
pub(crate) fn step(world: &World, errand: Errand) -> Option<Step> {
    if errand != Errand::DataverseRequest {
        return None;
    }
    let caller = world.caller();
    let linked = world.environment(&caller.environment).and_then(|one| world.linked_organization(one));
    let organization = linked.or_else(|| world.organizations().next())?;
    let number = caller.customer.get("CustomerAccount").and_then(Value::as_str).map(|number| {
        let filter = format!("accountnumber eq '{}'", number.replace('\'', "''"));
        format!("&$filter={}", encoded(&filter))
    });
    let query = number.unwrap_or_default();
    let target = format!("/api/data/v9.2/accounts?$select=accountnumber,name{query}");
    Some(Step {
        ask: Ask::get(Entrance::Organization(organization.key.clone()), &organization.host, target),
        resource: format!("https://{}", organization.host),
    })
}
