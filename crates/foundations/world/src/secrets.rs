//! What a world declares as secret: every password, client secret and private key in it.
//!
//! Decides which declared values those are. Never decides where they are hidden: whoever shows something asks for them.

use crate::declaration::Machine;
use crate::parts::Compiled as _;
use crate::{SecretText, World};

/// How a value is written that names a published key instead of holding one.
const SHIPPED: &str = "shipped:";

impl World {
    /// Every value declared as secret. Names of shipped keys are none: those keys are published.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretText> {
        let tenants = self.tenants().flat_map(|tenant| {
            let declared = tenant.declared();
            let users = declared.users.values().map(|user| &user.password);
            let applications = declared.applications.values();
            let secrets = applications.flat_map(|one| one.secrets.values().map(|secret| &secret.value));
            declared.signing_keys.iter().chain(users).chain(secrets).chain(&declared.identity_header)
        });
        let services = self.federation_services().flat_map(|service| {
            let declared = service.declared();
            let users = declared.users.values().map(|user| &user.password);
            let groups = declared.application_groups.values();
            let servers = groups.flat_map(|group| group.server_applications.values());
            let keys = declared.signing_keys.iter().chain(&declared.next_signing_key);
            keys.chain([&declared.decrypting_key])
                .chain(users)
                .chain(servers.flat_map(|server| server.secrets.values()))
        });
        let machines = self.environments().flat_map(|environment| keys(&environment.declared().machine));
        let caller = self.caller();
        let signs_in = caller.sign_in.iter().flat_map(|sign_in| [&sign_in.client_secret, &sign_in.password]);
        let callers = std::iter::once(&caller.client_secret).chain(signs_in.flatten());
        let all = tenants.chain(services).chain(machines).chain(callers);
        all.filter(|secret| !secret.starts_with(SHIPPED))
    }

    /// Every key of the config files with its value: some of those are secret too, by their names.
    pub fn config_values(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.environments().filter_map(|environment| environment.declared().web_config.as_ref());
        files.flat_map(|keys| keys.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }
}

fn keys(machine: &Machine) -> impl Iterator<Item = &SecretText> {
    let stores = machine.certificates.values().flat_map(|stores| stores.values());
    let certificates = stores.flat_map(|certificates| certificates.values());
    certificates.filter_map(|certificate| certificate.private_key.as_ref().map(|key| &key.key))
}
