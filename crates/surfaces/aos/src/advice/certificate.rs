//! Advice on the service's own certificate: which thumbprint, in which store, with which key.
//!
//! Decides the tie of the design's section 6 that an AOS meets alone: a thumbprint in no store is blamed on the setting
//! only where something else in the world says what it should have been. Looks at the tenant's registrations for that,
//! which an AOS cannot do; no decision depends on it.

use mocktenant_keys::{Certificate, PastedThumbprint, Thumbprint, shipped};
use mocktenant_verdict::{Change, Need};
use mocktenant_world::{Edit, Origin, Setting, StoredCertificate, pointers};
use serde_json::json;

use super::Advice;
use crate::configuration::{Configuration, MACHINE_MY};
use crate::service_identity::ACCOUNT;

impl Advice<'_> {
    /// No thumbprint is set.
    pub(crate) fn thumbprint_missing(&self, configuration: &Configuration) -> Change {
        self.thumbprint(configuration, self.only_personal())
    }

    /// The thumbprint names a certificate that is in no store, or not where the AOS looks.
    pub(crate) fn certificate_missing(
        &self,
        configuration: &Configuration,
        pasted: &PastedThumbprint,
    ) -> Change {
        let Some(named) = pasted.thumbprint else {
            // Hidden characters, or no 40 digits: what was meant, if the machine has it.
            let meant = pasted.intended.filter(|meant| self.in_any_store(meant));
            return self.thumbprint(configuration, meant.or_else(|| self.only_personal()));
        };
        if !self.in_any_store(&named)
            && let Some(own) = self.odd_one(&named)
        {
            return self.thumbprint(configuration, Some(own));
        }
        let stored = self.in_machine_store(&named);
        let named_by = match self.world.origin(&configuration.thumbprint.setting) {
            Origin::File { file, line, .. } => format!("{file}:{line} "),
            _ => String::new(),
        };
        let change = Change::missing(stored.setting()).expected(format!(
            "certificate {named} with its private key in LocalMachine\\My ({named_by}Infrastructure.S2SCertThumbprint names it)",
        ));
        match self.key_elsewhere(&named).filter(|from| *from != stored.setting()) {
            Some(from) => change.edit(Edit::copy(from, stored.setting())),
            None => {
                let need = Need::add(stored.setting(), format!("certificate {named} with its private key"));
                change.need(need.stand_in(self.stand_in(configuration, &named)))
            }
        }
    }

    /// Only the public half is there.
    pub(crate) fn key_missing(
        &self,
        configuration: &Configuration,
        pasted: &PastedThumbprint,
    ) -> Option<Change> {
        let named = pasted.thumbprint?;
        let stored = self.in_machine_store(&named);
        let key = stored.private_key().setting();
        let change =
            Change::missing(key.clone()).expected("the private key of the certificate, in LocalMachine\\My");
        if let Some(from) = self.key_elsewhere(&named) {
            return Some(change.edit(Edit::copy(from, stored.setting())));
        }
        let need = Need::add(key, format!("the private key of certificate {named}"));
        Some(change.need(need.stand_in(self.stand_in(configuration, &named))))
    }

    /// The service may not read the key.
    pub(crate) fn key_unreadable(&self, pasted: &PastedThumbprint) -> Option<Change> {
        let readers = self.in_machine_store(&pasted.thumbprint?).private_key().readable_by();
        let edit = Edit::add(pointers::end_of(&readers), ACCOUNT);
        Some(Change::wrong(readers).expected(format!("{ACCOUNT} may read the private key")).edit(edit))
    }

    fn thumbprint(&self, configuration: &Configuration, right: Option<Thumbprint>) -> Change {
        let input = &configuration.thumbprint;
        let setting = input.setting.clone();
        let change = match right {
            Some(right) => Change::set(setting, right.to_string()).expected(right.to_string()),
            None => {
                let need = Need::add(setting.clone(), "the thumbprint of a certificate in LocalMachine\\My");
                let need = need.stand_in(spare(self.environment, configuration));
                Change::wrong(setting)
                    .expected("the thumbprint of a certificate in LocalMachine\\My")
                    .need(need)
            }
        };
        change.actual(input.value.clone())
    }

    /// What the thumbprint should have been, where something else in the world says so: exactly one usable certificate
    /// that the tenant knows, or that nothing contradicts, or the Graph thumbprint, which the recipe sets to the same
    /// value.
    fn odd_one(&self, named: &Thumbprint) -> Option<Thumbprint> {
        self.tenant?;
        let mut registered = self.usable().filter(|own| self.holder(own).is_some());
        if let (Some(own), None) = (registered.next(), registered.next()) {
            return Some(own);
        }
        if self.holder(named).is_some() {
            return None;
        }
        let graph = || {
            let key = self.environment.pointer.web_config("GraphApi.GraphAPIServicePrincipalCert");
            let text = self.world.get(&key)?.as_str()?;
            Thumbprint::from_hex(text).filter(|graph| graph != named)
        };
        self.only_personal().or_else(graph)
    }

    /// Certificates the AOS could sign with: in LocalMachine\My, key there and readable.
    fn usable(&self) -> impl Iterator<Item = Thumbprint> {
        let usable = |stored: &&StoredCertificate| {
            stored.location == MACHINE_MY.location
                && stored.store == MACHINE_MY.store
                && stored.key.is_some()
                && stored.is_readable_by(ACCOUNT)
        };
        self.environment.stores.iter().filter(usable).map(|stored| stored.certificate.thumbprint())
    }

    /// The one certificate of the personal stores, with or without key.
    pub(super) fn only_personal(&self) -> Option<Thumbprint> {
        let personal = self.environment.stores.iter().filter(|stored| stored.store == MACHINE_MY.store);
        let mut found: Vec<Thumbprint> = personal.map(|stored| stored.certificate.thumbprint()).collect();
        found.sort_unstable();
        found.dedup();
        if found.len() == 1 { found.pop() } else { None }
    }

    fn in_any_store(&self, thumbprint: &Thumbprint) -> bool {
        self.environment.stores.iter().any(|stored| stored.certificate.thumbprint() == *thumbprint)
    }

    /// The customer's application that has this certificate, the first by client id.
    pub(super) fn holder(&self, thumbprint: &Thumbprint) -> Option<&str> {
        let applications = self.tenant?.applications.values();
        let holders = applications.filter(|one| {
            !one.first_party && one.certificates.iter().any(|held| held.thumbprint() == *thumbprint)
        });
        holders.map(|holder| holder.client_id.as_str()).min()
    }

    /// Another store that has the certificate with its key.
    fn key_elsewhere(&self, thumbprint: &Thumbprint) -> Option<Setting> {
        let found = self
            .environment
            .stores
            .iter()
            .find(|stored| stored.key.is_some() && stored.certificate.thumbprint() == *thumbprint);
        found.map(|stored| stored.pointer.setting())
    }

    fn in_machine_store(&self, thumbprint: &Thumbprint) -> pointers::StoredCertificate {
        let at = &self.environment.pointer;
        at.stored_certificate(MACHINE_MY.location, MACHINE_MY.store, &thumbprint.to_string())
    }

    /// What stands in for a certificate with its key. Its own key, where that is one of the shipped ones; else a spare
    /// one takes its place wherever it is: in the store, in the setting, and on every application that has it.
    fn stand_in(&self, configuration: &Configuration, named: &Thumbprint) -> Vec<Edit> {
        if let Some(certificate) = self.public_half(named)
            && let Some(name) = shipped_key_of(certificate)
        {
            let value = json!({
                "certificate": certificate.base64_der(),
                "private_key": { "key": format!("shipped:{name}"), "readable_by": [ACCOUNT] },
            });
            return vec![Edit::add(self.in_machine_store(named).setting(), value)];
        }
        let mut edits = spare(self.environment, configuration);
        let spare = shipped::second_client().certificate().thumbprint().to_string();
        let applications = self.tenant.into_iter().flat_map(|tenant| tenant.applications.values());
        for application in applications {
            if application.certificates.iter().any(|held| held.thumbprint() == *named) {
                let value = json!({ "certificate": SPARE });
                edits.push(Edit::add(application.pointer.certificate(&spare).setting(), value));
            }
        }
        edits
    }

    /// The certificate without its key, wherever the world has it.
    fn public_half(&self, named: &Thumbprint) -> Option<&Certificate> {
        let stored = self.environment.stores.iter().map(|stored| &stored.certificate);
        let applications = self.tenant.into_iter().flat_map(|tenant| tenant.applications.values());
        let registered = applications.flat_map(|application| &application.certificates);
        stored.chain(registered).find(|certificate| certificate.thumbprint() == *named)
    }
}

/// A certificate with its key that nobody uses.
const SPARE: &str = "shipped:second-client";

/// The spare certificate in the machine's store, and named.
fn spare(environment: &mocktenant_world::Environment, configuration: &Configuration) -> Vec<Edit> {
    let thumbprint = shipped::second_client().certificate().thumbprint().to_string();
    let stored = environment.pointer.stored_certificate(MACHINE_MY.location, MACHINE_MY.store, &thumbprint);
    let value = json!({ "certificate": SPARE, "private_key": { "key": SPARE, "readable_by": [ACCOUNT] } });
    vec![Edit::add(stored.setting(), value), Edit::add(configuration.thumbprint.setting.clone(), thumbprint)]
}

/// The shipped key a certificate is for.
fn shipped_key_of(certificate: &Certificate) -> Option<&'static str> {
    let key = certificate.public_key().ok()?;
    shipped::names().find(|name| {
        shipped::by_name(name)
            .is_some_and(|own| own.certificate().public_key().is_ok_and(|known| known == key))
    })
}
