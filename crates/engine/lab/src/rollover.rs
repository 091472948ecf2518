//! The next token-signing key becomes the primary one.
//!
//! Decides which edits of the declaration a rollover is: where one key is declared as the next, it goes to the front and
//! those before it stay published; without one the list is rotated. Makes no key: with one key and no next one there is
//! nothing to roll over to. Mirrors what an administrator's rollover does to what is published and what signs.

use mocktenant_world::{Edit, Setting, World};
use serde_json::Value;

use crate::command::CommandError;
use crate::{Machine, Scope};

/// The identity provider that a person means: a tenant by id or domain, a federation service by short name or host, or
/// either as a scope is written.
pub(crate) fn provider(world: &World, name: &str) -> Result<Scope, CommandError> {
    let known = match name.parse() {
        Ok(Scope::Tenant(id)) => world.tenant(&id).map(|tenant| Scope::Tenant((*tenant.id).into())),
        Ok(Scope::FederationService(id)) => {
            world.federation_service(&id).map(|service| Scope::federation_service(&service.id))
        }
        Ok(_) => None,
        Err(_) => {
            let service = world.federation_service(name).map(|one| Scope::federation_service(&one.id));
            service.or_else(|| world.tenant(name).map(|tenant| Scope::Tenant((*tenant.id).into())))
        }
    };
    known.ok_or_else(|| CommandError::UnknownPlace {
        place: format!("identity provider {name:?}"),
        known: Machine::all(world)
            .map(|machine| machine.scope())
            .filter(|scope| matches!(scope, Scope::Tenant(_) | Scope::FederationService(_)))
            .map(|scope| scope.to_string())
            .collect(),
    })
}

/// What makes the next key of an identity provider the primary one.
pub(crate) fn edits(world: &World, provider: &Scope) -> Result<Vec<Edit>, CommandError> {
    let (keys, next): (Setting, Option<Setting>) = match provider {
        Scope::FederationService(name) => {
            let pointer = mocktenant_world::pointers::federation_service(name);
            (pointer.signing_keys(), Some(pointer.next_signing_key()))
        }
        other => (other.pointer().join("signing_keys"), None),
    };
    let mut all = world.get(&keys).and_then(Value::as_array).cloned().unwrap_or_default();
    let declared =
        next.and_then(|next| world.get(&next).filter(|key| !key.is_null()).cloned().zip(Some(next)));
    let mut edits = Vec::new();
    if let Some((key, at)) = declared {
        all.retain(|one| *one != key);
        all.insert(0, key);
        edits.push(Edit::remove(at));
    } else if all.len() > 1 {
        all.rotate_left(1);
    } else {
        return Err(CommandError::NoNextKey { place: provider.to_string(), keys });
    }
    edits.insert(0, Edit::replace(keys, all));
    Ok(edits)
}

#[cfg(test)]
mod tests {
    use mocktenant_world::EditedBy;
    use serde_json::json;

    use super::*;

    const TENANT: &str = "c0117050-0000-4000-8000-000000000001";

    fn rolled(world: &World, name: &str) -> World {
        let edits = edits(world, &provider(world, name).unwrap()).unwrap();
        world.edited(&edits, EditedBy::Control).unwrap()
    }

    fn keys(world: &World, of: &str) -> Value {
        world.get(&Setting::from_pointer(format!("{of}/signing_keys"))).unwrap().clone()
    }

    #[test]
    fn the_next_key_of_a_federation_service_goes_to_the_front_and_then_they_take_turns() {
        let world = World::contoso().unwrap();
        let (old, new) = ("shipped:adfs-signing", "shipped:adfs-signing-next");
        let before = world.federation_service("contoso").unwrap().signing[0].certificate().thumbprint();
        let once = rolled(&world, "ADFS.contoso.com");
        assert_eq!(keys(&once, "/federation_services/contoso"), json!([new, old]));
        let service = once.federation_service("contoso").unwrap();
        assert_eq!(service.next_signing_key, None);
        assert_eq!(service.signing[1].certificate().thumbprint(), before, "the old one stays published");
        let twice = rolled(&once, "federation-service/contoso");
        assert_eq!(keys(&twice, "/federation_services/contoso"), json!([old, new]));
    }

    #[test]
    fn a_tenant_by_id_domain_or_place_signs_with_the_next_of_the_keys_it_publishes() {
        let world = World::contoso().unwrap();
        let at = format!("/tenants/{TENANT}");
        for name in [TENANT, "contoso.onmicrosoft.com", &format!("tenant/{TENANT}")] {
            let once = rolled(&world, name);
            assert_eq!(
                keys(&once, &at),
                json!(["shipped:token-signing-next", "shipped:token-signing"]),
                "{name}"
            );
            assert_eq!(keys(&rolled(&once, name), &at), keys(&world, &at), "{name}");
        }
    }

    #[test]
    fn a_key_that_is_published_already_is_there_once_after_it_became_the_primary_one() {
        let both = json!(["shipped:adfs-signing", "shipped:adfs-signing-next"]);
        let edit = Edit::replace(Setting::fixed("/federation_services/contoso/signing_keys"), both);
        let world = World::contoso().unwrap().edited(&[edit], EditedBy::Control).unwrap();
        let rolled = rolled(&world, "contoso");
        let expected = json!(["shipped:adfs-signing-next", "shipped:adfs-signing"]);
        assert_eq!(keys(&rolled, "/federation_services/contoso"), expected);
    }

    #[test]
    fn with_one_key_there_is_nothing_to_roll_over_to_and_nowhere_is_nobody() {
        let edit = Edit::remove(Setting::fixed("/federation_services/contoso/next_signing_key"));
        let world = World::contoso().unwrap().edited(&[edit], EditedBy::Control).unwrap();
        let refused = edits(&world, &provider(&world, "contoso").unwrap()).unwrap_err().to_string();
        assert!(refused.starts_with("federation-service/contoso has no next token-signing key"), "{refused}");
        for nobody in ["onebox", "environment/onebox", "tenant/none", "federation-service/none", ""] {
            let refused = provider(&world, nobody).unwrap_err();
            let CommandError::UnknownPlace { known, .. } = refused else { panic!("{refused}") };
            assert_eq!(known, [&*format!("tenant/{TENANT}"), "federation-service/contoso"]);
        }
    }
}
