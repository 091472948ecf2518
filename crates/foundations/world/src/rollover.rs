//! A rollover of token-signing keys: another key signs, and the one before stays published beside it.
//!
//! Decides which edits of the declaration that is: a federation service begins with one published key and a next one
//! (Update-AdfsCertificate makes the next one primary, and both are published from then on); a tenant publishes all its keys
//! from the start, and the next of them takes over. Never decides when anybody who trusts the old key notices.

use mocktenant_declaration::SecretText;
use mocktenant_patch::nearest::{clip, one_of};
use mocktenant_patch::{Edit, Problem};
use mocktenant_verdict::Setting;
use serde_json::{Value, json};

use crate::World;

impl World {
    /// The edits of a rollover: of a federation service by its short name or host name, or of a tenant by its id or a domain.
    pub fn rollover(&self, of: &str) -> Result<Vec<Edit>, Problem> {
        if let Some(service) = self.federation_service(of) {
            let (keys, next) = (&service.signing_keys, &service.next_signing_key);
            let at = service.pointer.signing_keys();
            return match next {
                Some(next) => Ok(vec![
                    Edit::add(at, shown(std::iter::once(next).chain(keys))),
                    Edit::remove(service.pointer.next_signing_key()),
                ]),
                None => rotated(keys, at),
            };
        }
        if let Some(tenant) = self.tenant(of) {
            return rotated(&tenant.signing_keys, tenant.pointer.signing_keys());
        }
        let services = self.federation_services().map(|service| service.host.as_str());
        let domains = self.tenants().flat_map(|tenant| &tenant.domains).map(String::as_str);
        let known: Vec<&str> = services.chain(domains).collect();
        let message = format!("there is no federation service and no tenant `{}`", clip(of));
        Err(Problem::new(Setting::fixed(""), message).hint(one_of(of, known.iter().copied())))
    }
}

/// The second key first, the first one last.
fn rotated(keys: &[SecretText], at: Setting) -> Result<Vec<Edit>, Problem> {
    match keys {
        [first, others @ ..] if !others.is_empty() => {
            Ok(vec![Edit::add(at, shown(others.iter().chain(std::iter::once(first))))])
        }
        _ => Err(Problem::new(at, "has no other key to sign with")
            .hint("add one, for instance `shipped:adfs-signing-next`".to_owned())),
    }
}

fn shown<'k>(keys: impl Iterator<Item = &'k SecretText>) -> Value {
    json!(keys.map(SecretText::as_str).collect::<Vec<_>>())
}
