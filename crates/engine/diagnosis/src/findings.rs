//! What else is wrong in an environment: the rest of the chain, walked in the world alone.
//!
//! The same nine conditions a Dual Write depends on, in the order they are met, plus what `check` would warn about.
//! Says nothing about what an exchange did.

use mocktenant_keys::Thumbprint;
use mocktenant_world::pointers::{self, File};
use mocktenant_world::{Edit, Environment, World};

use crate::knowledge::{self, AOS_ACCOUNT, ERP};
use crate::{Cause, Kind};

const FLIGHT: &str = "DualWriteUnoAuthenticationFnoToCds";

/// Everything wrong on the way from this environment to Dataverse, beside `cause`. What `cause` will change is taken as
/// changed: a wrong thumbprint is not also a certificate missing on the application.
pub(crate) fn of(environment: &str, world: &World, cause: Option<&Cause>) -> Vec<Cause> {
    let mut found = Vec::new();
    let Some(environment) = world.environment(environment) else { return found };
    let at = &environment.pointer;
    if environment.web_config.is_none() {
        // Its keys are no findings of their own: there is nothing they could be changed in.
        let cause = Cause::new(Kind::Missing, at.file(File::WebConfig), world);
        return vec![cause.expected("a web.config").actual("the environment has none")];
    }
    let web_config = |key: &str| at.web_config(key);
    let text = |key: &str| world.get(&web_config(key)).and_then(|value| value.as_str()).unwrap_or_default();
    let thumbprint = web_config("Infrastructure.S2SCertThumbprint");
    let named = match cause.filter(|cause| cause.setting == thumbprint) {
        Some(cause) => {
            cause.change.iter().find_map(|edit| Thumbprint::from_hex(edit.value.as_ref()?.as_str()?))
        }
        None => {
            let named = Thumbprint::from_hex(&text("Infrastructure.S2SCertThumbprint").replace(' ', ""));
            certificate(environment, named, world, &mut found);
            named
        }
    };

    let flight_on = environment.database.sys_flighting.get(FLIGHT).is_some_and(|flight| flight.enabled == 1);
    if !flight_on {
        let setting = at.flight(FLIGHT).enabled();
        let edit = Edit::add(setting.clone(), 1);
        found.push(Cause::new(Kind::Setting, setting, world).expected("1").actual("off").change(edit));
    }
    let realm = text("Aad.Realm");
    let client_id = if flight_on { realm.strip_prefix("spn:").unwrap_or(realm) } else { ERP };
    if flight_on && client_id.eq_ignore_ascii_case(ERP) {
        let erp_signs = knowledge::tenant_of(world, &environment.id)
            .and_then(|tenant| tenant.application(ERP))
            .is_some_and(|erp| {
                named.is_some_and(|named| erp.certificates.iter().any(|held| held.thumbprint() == named))
            });
        // Realm 00000015 alone is no finding: older machines are healthy with the tenant certificate.
        if !erp_signs {
            let cause = Cause::new(Kind::Setting, web_config("Aad.Realm"), world);
            found.push(cause.expected("spn:<your application ID>").actual(realm.to_owned()));
        }
    } else if !client_id.eq_ignore_ascii_case(ERP) {
        registration(environment, client_id, named, world, &mut found);
    }
    application_user(environment, client_id, world, &mut found);
    warnings(environment, realm, named, world, &mut found);
    found
}

fn certificate(environment: &Environment, named: Option<Thumbprint>, world: &World, found: &mut Vec<Cause>) {
    let thumbprint = environment.pointer.web_config("Infrastructure.S2SCertThumbprint");
    let Some(named) = named else {
        found.push(
            Cause::new(Kind::Setting, thumbprint, world)
                .expected("40 hexadecimal digits")
                .actual("no thumbprint"),
        );
        return;
    };
    match environment.stores.find("LocalMachine", "My", &named) {
        Some(stored) if stored.key.is_none() => {
            let setting = stored.pointer.private_key().setting();
            found.push(
                Cause::new(Kind::Missing, setting, world).expected("the private key").actual("only the .cer"),
            );
        }
        Some(stored) if !stored.is_readable_by(AOS_ACCOUNT) => {
            let setting = stored.pointer.private_key().readable_by();
            let edit = Edit::add(pointers::end_of(&setting), AOS_ACCOUNT);
            let cause = Cause::new(Kind::Setting, setting, world)
                .expected(AOS_ACCOUNT)
                .actual("not among the readers");
            found.push(cause.change(edit));
        }
        Some(_) => {}
        // The certificate in LocalMachine\Root and its key in CurrentUser\My work too, as the field does it.
        None if environment.stores.find("LocalMachine", "Root", &named).is_some()
            && environment
                .stores
                .find("CurrentUser", "My", &named)
                .is_some_and(|stored| stored.key.is_some()) => {}
        None => {
            let setting = environment.pointer.stored_certificate("LocalMachine", "My", &named.to_string());
            let cause = Cause::new(Kind::Missing, setting.into(), world);
            found.push(cause.expected(format!("certificate {named}")).actual("not in LocalMachine\\My"));
        }
    }
}

fn registration(
    environment: &Environment,
    client_id: &str,
    named: Option<Thumbprint>,
    world: &World,
    found: &mut Vec<Cause>,
) {
    let Some(tenant) = knowledge::tenant_of(world, &environment.id) else { return };
    match tenant.application(client_id) {
        None => {
            let setting = tenant.pointer.application(client_id);
            let cause = Cause::new(Kind::Missing, setting.into(), world);
            found.push(cause.expected(format!("an app registration {client_id}")).actual("not registered"));
        }
        Some(application) => {
            if let Some(named) = named
                && !application.certificates.iter().any(|held| held.thumbprint() == named)
            {
                let setting = application.pointer.certificate(&named.to_string());
                let cause = Cause::new(Kind::Missing, setting.into(), world);
                found.push(cause.expected(format!("certificate {named}")).actual("not on the application"));
            }
        }
    }
}

fn application_user(environment: &Environment, client_id: &str, world: &World, found: &mut Vec<Cause>) {
    let url = &environment.database.dual_write.external_environment_url;
    let host = url.trim_end_matches('/').rsplit("//").next().unwrap_or_default();
    let setting = environment.pointer.dataverse_url();
    let Some(organization) =
        world.organizations().find(|organization| organization.host.eq_ignore_ascii_case(host))
    else {
        found.push(
            Cause::new(Kind::Setting, setting, world)
                .expected("the URL of an organisation")
                .actual(url.clone()),
        );
        return;
    };
    match organization.application_user(client_id) {
        None => {
            let setting = organization.pointer.application_user(client_id);
            let cause = Cause::new(Kind::Missing, setting.into(), world);
            found.push(cause.expected(format!("an application user for {client_id}")).actual("no such user"));
        }
        Some(user) if !user.enabled => {
            let setting = user.pointer.enabled();
            let edit = Edit::add(setting.clone(), true);
            found.push(
                Cause::new(Kind::Setting, setting, world).expected("true").actual("false").change(edit),
            );
        }
        Some(user) if user.roles.is_empty() => {
            let setting = user.pointer.roles();
            found.push(Cause::new(Kind::Setting, setting, world).expected("a security role").actual("none"));
        }
        Some(_) => {}
    }
}

/// What does not stop Dual Write but will stop something else.
fn warnings(
    environment: &Environment,
    realm: &str,
    named: Option<Thumbprint>,
    world: &World,
    found: &mut Vec<Cause>,
) {
    let audiences = environment.pointer.audience_uris();
    let listed = |value: &str| {
        world
            .get(&audiences)
            .and_then(|list| list.as_array())
            .is_some_and(|list| list.iter().any(|entry| entry.as_str() == Some(value)))
    };
    if !realm.is_empty() && !listed(realm) {
        let edit = Edit::add(pointers::end_of(&audiences), realm);
        let cause = Cause::new(Kind::Setting, audiences.clone(), world);
        found.push(cause.expected(realm.to_owned()).actual("not among the audiences").change(edit));
    }
    let graph = environment.pointer.web_config("GraphApi.GraphAPIServicePrincipalCert");
    let graph_value = world.get(&graph).and_then(|value| value.as_str()).unwrap_or_default();
    if let Some(named) = named
        && !graph_value.replace(' ', "").eq_ignore_ascii_case(&named.to_string())
    {
        let cause = Cause::new(Kind::Setting, graph, world);
        found.push(cause.expected(named.to_string()).actual(graph_value.to_owned()));
    }
}
