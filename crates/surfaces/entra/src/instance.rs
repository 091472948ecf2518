//! Instance discovery: whether a host is one of Entra's, and by which names it goes.
//!
//! Decides that the four names of the world are one instance, and that the lab's own hosts are accepted without being
//! listed: SDKs treat an accepted host that is in no entry as an instance of its own, port included, whereas a listed
//! one would have its port replaced (MSAL.NET). SDKs also drop the port of the authority they ask about: a host of the lab
//! is one without it too, and what is answered leads to the port that was called. Any other host is 50049. Never decides
//! whether a tenant exists.

use http::{Method, StatusCode, Uri};
use mocktenant_lab::{Answer, Exchange};

use crate::Entra;
use crate::authority::{WORLD_HOSTS, host_and_port, is_regional, without_port};
use crate::envelope::Envelope;
use crate::errors::EntraError;
use crate::path;
use mocktenant_idp::form::Form;
use mocktenant_idp::json::{push_list, push_member, push_name};

/// The name caches of SDKs file the public cloud under.
const PREFERRED_CACHE: &str = "login.windows.net";

/// Answers instance discovery.
pub(crate) fn discovery(exchange: &mut Exchange) -> Answer {
    let envelope = Envelope::open(exchange, None);
    if exchange.request.method == Method::OPTIONS {
        return envelope.document(exchange, Answer::empty(StatusCode::OK));
    }
    match decide(exchange) {
        Ok(body) => envelope.document(exchange, Answer::json(StatusCode::OK, body)),
        Err(error) => {
            exchange.trail.record_error(error.row().id);
            let answer = envelope.refused(exchange, &error);
            envelope.document(exchange, answer)
        }
    }
}

fn decide(exchange: &Exchange) -> Result<Vec<u8>, EntraError> {
    let query =
        Form::parse(exchange.request.query().as_bytes()).map_err(|_| EntraError::DiscoveryMalformed)?;
    let asked = query.get("authorization_endpoint").ok_or(EntraError::DiscoveryMalformed)?;
    let endpoint: Uri = asked.parse().map_err(|_| EntraError::DiscoveryMalformed)?;
    let (Some("https"), Some(authority)) = (endpoint.scheme_str(), endpoint.authority()) else {
        return Err(EntraError::DiscoveryMalformed);
    };
    let authority = lab_authority(exchange, &authority.as_str().to_ascii_lowercase(), &endpoint)
        .ok_or(EntraError::UnknownInstance)?;
    let segment = endpoint.path().split('/').nth(1).filter(|segment| !segment.is_empty()).unwrap_or("common");
    let pattern = if endpoint.path().to_ascii_lowercase().contains("/v2.0/") {
        path::CONFIGURATION_V2
    } else {
        path::CONFIGURATION_V1
    };
    let mut out = Vec::with_capacity(512);
    out.push(b'{');
    push_member(
        &mut out,
        "tenant_discovery_endpoint",
        &format!("https://{authority}{}", pattern.replacen("{tenant}", segment, 1)),
    );
    push_member(
        &mut out,
        "api-version",
        query.get("api-version").filter(|version| *version == "1.0").unwrap_or("1.1"),
    );
    push_name(&mut out, "metadata");
    out.extend_from_slice(b"[{");
    push_member(&mut out, "preferred_network", WORLD_HOSTS[0]);
    push_member(&mut out, "preferred_cache", PREFERRED_CACHE);
    push_name(&mut out, "aliases");
    push_list(&mut out, WORLD_HOSTS);
    out.extend_from_slice(b"}]}");
    Ok(out)
}

/// Where the instance is that a lower-case authority names, if it is one of the lab's; without a port it is wherever the
/// lab has that host, the port that was called first.
fn lab_authority(exchange: &Exchange, authority: &str, endpoint: &Uri) -> Option<String> {
    let host = endpoint.host().unwrap_or_default().to_ascii_lowercase();
    let own = exchange.own_base_url();
    let called = host_and_port(&own);
    let prepared = exchange.context.prepared::<Entra>();
    let world = |host: &str| WORLD_HOSTS.contains(&host) || is_regional(host);
    if endpoint.port().is_some() {
        let known = world(&host) || called == authority || prepared.is_lab_authority(authority);
        return known.then(|| authority.to_owned());
    }
    let (own_host, port) = called.split_at(without_port(called).len());
    if world(&host) {
        // One name of the world is reached where another one was.
        let port = if exchange.by_world_name() { port } else { "" };
        return Some(format!("{host}{port}"));
    }
    if own_host == host {
        return Some(called.to_owned());
    }
    prepared.lab_address(&host).map(str::to_owned)
}
