//! How a node gets the documents that its start needs, and what its machine says to the certificates they come with.
//!
//! Decides two questions before anybody is called: whether the machine's Root store trusts who signed the certificates of this
//! lab, and whether those are valid by the machine's own clock; what a rehearsal asks too, which has no sockets. Then a GET,
//! with redirects followed as .NET's `HttpClient` follows them, and inside the lab only. The handshake itself is in real time,
//! whatever a machine's clock says. Mirrors the errors of Schannel as an operator meets them.

use std::sync::Arc;

use bytes::Bytes;
use http::header::LOCATION;
use mocktenant_keys::{LEAF_BACKDATED, LEAF_LIFE};
use mocktenant_lab::outbound::{Call, Reply};
use mocktenant_lab::{Context, Fact, Trail};
use mocktenant_verdict::{Change, Checklist, Edit, Finding, Question, Role, Setting};
use mocktenant_world::{Environment, Stores, clock_offset};
use serde_json::{Value, json};
use time::Duration;

use crate::configuration::origin;
use crate::errors::StartError;

/// The machine trusts who signed the certificates it is shown.
pub(crate) static ROOT_TRUSTED: Question = Question::new("tls-root-trusted", Role::Key);
/// By its clock they are valid.
pub(crate) static TIME_VALID: Question = Question::new("tls-time-valid", Role::Time);

/// Where the roots of a machine are.
const STORE: (&str, &str) = ("LocalMachine", "Root");
/// The lab's own roots, as a store names them.
const LAB_CA: &str = "lab-ca";
/// A real client follows more; what sends one further than this sends it in a circle.
const REDIRECTS: usize = 5;

/// What of a machine decides whether TLS comes about.
pub(crate) struct Machine<'m> {
    stores: &'m Stores,
    root: Setting,
    /// What stood there at the start.
    read: Value,
    skew: Duration,
    clock: Option<Setting>,
}

impl<'m> Machine<'m> {
    /// The machine of the context, in the environment it belongs to.
    pub(crate) fn of(context: &Context, environment: &'m Environment) -> Self {
        let machine = context.machine();
        let node = match machine {
            Some(mocktenant_lab::Machine::Node { node, .. }) => environment.node(node),
            _ => None,
        };
        let (location, store) = STORE;
        let own = node.filter(|node| {
            let stores = node.declared.machine.certificates.get(location);
            stores.is_some_and(|stores| stores.contains_key(store))
        });
        let root = match own {
            Some(node) => node.pointer.stored_certificate(location, store, LAB_CA).setting(),
            None => environment.pointer.stored_certificate(location, store, LAB_CA).setting(),
        };
        Self {
            stores: node.map_or(&environment.stores, |node| &node.stores),
            read: context.world().get(&root).cloned().unwrap_or(Value::Null),
            root,
            skew: node.map_or(Duration::ZERO, |node| node.clock),
            clock: machine.and_then(|machine| machine.clock_setting(context.world())),
        }
    }

    /// What it is, as facts of a start.
    pub(crate) fn note(&self, trail: &mut Trail) {
        let (location, store) = STORE;
        let is_in = if self.stores.holds_lab_ca(location, store) { "in" } else { "not in" };
        let fact = Fact::new("tls-root", Arc::<str>::from(format!("{is_in} {location}\\{store}")));
        let fact = fact.read(self.root.clone(), self.read.clone()).role(Role::Key);
        trail.share(&std::iter::once(fact).collect());
    }
}

/// Asks what has to hold before any of these addresses is called. What is http needs neither.
pub(crate) fn ask_tls(list: &mut Checklist<'_, StartError>, machine: &Machine<'_>, urls: &[&str]) -> bool {
    let secured =
        urls.iter().any(|url| url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")));
    let (location, store) = STORE;
    let expected = "the root of the certificates in LocalMachine\\Root";
    let finding = if !secured {
        Finding::not_applicable("no https")
    } else if machine.stores.holds_lab_ca(location, store) {
        Finding::pass("there")
    } else {
        Finding::fail("not there", StartError::RootUntrusted).mended_by(|| {
            let root = Edit::add(machine.root.clone(), json!({ "certificate": LAB_CA }));
            Change::missing(machine.root.clone()).expected("there").actual("not there").edit(root)
        })
    };
    let trusted = list.ask(&ROOT_TRUSTED, expected, || vec![machine.root.clone()], finding);

    let finding = if !secured {
        Finding::not_applicable("no https")
    } else if (-LEAF_BACKDATED..=LEAF_LIFE - LEAF_BACKDATED).contains(&machine.skew) {
        Finding::pass("valid")
    } else {
        let off = clock_offset::to_text(machine.skew);
        let finding = Finding::fail(format!("the machine's clock is {off} off"), StartError::ClockOff);
        match &machine.clock {
            Some(clock) => {
                finding.mended_by(|| Change::set(clock.clone(), "+0s").expected("+0s").actual(off))
            }
            None => finding,
        }
    };
    let clock = || machine.clock.iter().cloned().collect();
    let valid = list.ask(&TIME_VALID, "certificates that are valid by the machine's clock", clock, finding);
    trusted && valid
}

/// Why a document did not come.
pub(crate) struct Missed {
    /// What came instead, in a few words.
    pub(crate) actual: String,
    /// The answer, if there was one.
    pub(crate) reply: Option<Reply>,
}

/// GETs a document.
pub(crate) async fn get(context: &Context, trail: &mut Trail, url: &str) -> Result<Bytes, Missed> {
    let mut url = url.to_owned();
    for _ in 0..=REDIRECTS {
        let reply = context
            .call(trail, Call::get(&url))
            .await
            .map_err(|error| Missed { actual: error.to_string(), reply: None })?;
        if reply.status.is_success() {
            return Ok(reply.body);
        }
        let to = reply.headers.get(LOCATION).and_then(|to| to.to_str().ok());
        match to.and_then(|to| beside(&url, to)).filter(|_| reply.status.is_redirection()) {
            Some(next) => url = next,
            None => {
                let actual = format!("{} from {url}", reply.status.as_u16());
                return Err(Missed { actual, reply: Some(reply) });
            }
        }
    }
    Err(Missed { actual: format!("redirected more than {REDIRECTS} times, at last to {url}"), reply: None })
}

/// Where a `Location` leads from an address: an address of its own, or a path on the same host.
fn beside(url: &str, to: &str) -> Option<String> {
    if origin(to).is_some() {
        return Some(to.to_owned());
    }
    let path = to.starts_with('/') && !to.starts_with("//");
    path.then(|| origin(url).map(|origin| format!("{origin}{to}"))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_an_address_or_to_a_path_on_the_same_host() {
        let from = "https://adfs.contoso.com/a/b?c";
        for (to, leads) in [
            ("https://login.windows.net/x", Some("https://login.windows.net/x")),
            ("/x?y", Some("https://adfs.contoso.com/x?y")),
            ("//elsewhere.example/x", None),
            ("x", None),
            ("", None),
            ("ftp://adfs.contoso.com/", None),
        ] {
            assert_eq!(beside(from, to).as_deref(), leads, "{to}");
        }
    }
}
