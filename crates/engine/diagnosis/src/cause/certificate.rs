//! Rules about the AOS's certificate: which thumbprint, in which store, with which key, on which application.
//!
//! Decides the ties of the design's section 6: a thumbprint in no store is blamed on the setting only where something else
//! in the world says what it should have been.

use mocktenant_keys::{PastedThumbprint, Thumbprint};
use mocktenant_verdict::Setting;
use mocktenant_world::pointers;
use mocktenant_world::{Edit, Environment, Operation};
use serde_json::json;

use super::{ChangeTo as _, Context, FLIGHT_SERVICE, add_unknown};
use crate::knowledge::{self, AOS_ACCOUNT, ERP};
use crate::{Cause, Kind};

impl Context<'_> {
    pub(super) fn thumbprint_setting(&self, thumbprint: Option<Thumbprint>) -> Cause {
        let cause = self
            .cause(Kind::Setting, self.web_config("Infrastructure.S2SCertThumbprint"))
            .actual(self.value_of("thumbprint"));
        match thumbprint {
            Some(thumbprint) => cause.expected(thumbprint.to_string()).change_to(thumbprint.to_string()),
            None => cause.expected("the thumbprint of a certificate in LocalMachine\\My").change_unknown(),
        }
    }

    pub(super) fn thumbprint_empty(&self) -> Cause {
        let only = self.environment().and_then(|environment| only(knowledge::personal(environment)));
        self.thumbprint_setting(only)
    }

    /// The thumbprint names a certificate that is in no store, or not where the AOS looks.
    pub(super) fn certificate_found(&self) -> Cause {
        let Some(environment) = self.environment() else { return self.thumbprint_setting(None) };
        let Some(named) = self.thumbprint() else {
            // Hidden characters, or no 40 digits: what was meant, if the machine has it.
            let intended = PastedThumbprint::read(&self.value_of("thumbprint")).intended;
            return self
                .thumbprint_setting(intended.filter(|meant| knowledge::in_any_store(environment, meant)));
        };
        let elsewhere = knowledge::in_any_store(environment, &named);
        if !elsewhere && let Some(wrong) = self.thumbprint_is_the_odd_one(environment, &named) {
            return wrong;
        }
        let setting = self.in_store(&named).setting();
        let web_config =
            Cause::new(Kind::Setting, self.web_config("Infrastructure.S2SCertThumbprint"), self.world);
        let cause = self
            .cause(Kind::Missing, setting.clone())
            .expected(format!(
                "certificate {named} with its private key in LocalMachine\\My ({} Infrastructure.S2SCertThumbprint names it)",
                web_config.whereabouts()
            ))
            .actual(self.check.actual.to_string());
        match key_elsewhere(environment, &named).filter(|from| *from != setting) {
            Some(from) => {
                let mut copy = add_unknown(setting);
                copy.op = Operation::Copy;
                copy.from = Some(from);
                cause.change(copy)
            }
            None => cause.change(add_unknown(setting)),
        }
    }

    /// Whether the thumbprint rather than the store is wrong, though nothing has the certificate it names: exactly one
    /// usable certificate that the application knows, or that nothing contradicts, or the Graph thumbprint (which the
    /// recipe sets to the same value) names another one.
    pub(super) fn thumbprint_is_the_odd_one(
        &self,
        environment: &Environment,
        named: &Thumbprint,
    ) -> Option<Cause> {
        let tenant = knowledge::tenant_of(self.world, &environment.id)?;
        let usable: Vec<Thumbprint> =
            knowledge::usable(environment).iter().map(|stored| stored.certificate.thumbprint()).collect();
        let mut registered =
            usable.iter().filter(|thumbprint| !knowledge::holders(tenant, thumbprint).is_empty());
        if let (Some(own), None) = (registered.next(), registered.next()) {
            return Some(self.thumbprint_setting(Some(*own)));
        }
        let named_is_registered = !knowledge::holders(tenant, named).is_empty();
        if named_is_registered {
            return None;
        }
        if let Some(own) = only(knowledge::personal(environment)) {
            return Some(self.thumbprint_setting(Some(own)));
        }
        let graph = self.world.get(&self.web_config("GraphApi.GraphAPIServicePrincipalCert"))?.as_str()?;
        let graph = Thumbprint::from_hex(graph).filter(|graph| graph != named)?;
        Some(self.thumbprint_setting(Some(graph)))
    }

    pub(super) fn private_key_present(&self) -> Cause {
        let (Some(environment), Some(named)) = (self.environment(), self.thumbprint()) else {
            return self.first_setting(Kind::Missing);
        };
        if let Some(from) = key_elsewhere(environment, &named) {
            let stored = self.in_store(&named);
            let mut copy = add_unknown(stored.setting());
            copy.op = Operation::Copy;
            copy.from = Some(from);
            return self.cause(Kind::Missing, stored.private_key().into()).change(copy);
        }
        let setting = self.in_store(&named).private_key().setting();
        self.cause(Kind::Missing, setting.clone())
            .expected("the private key of the certificate, in LocalMachine\\My")
            .change(add_unknown(setting))
    }

    pub(super) fn private_key_readable(&self) -> Cause {
        let Some(named) = self.thumbprint() else { return self.first_setting(Kind::Setting) };
        let setting = self.in_store(&named).private_key().readable_by();
        let edit = Edit::add(pointers::end_of(&setting), AOS_ACCOUNT);
        self.cause(Kind::Setting, setting)
            .expected(format!("{AOS_ACCOUNT} may read the private key"))
            .change(edit)
    }

    /// 700027: on 00000015-... the flight if off, else Aad.Realm; on the own application its certificate.
    pub(super) fn certificate_registered(&self) -> Cause {
        if !self.by_aos() {
            return self
                .first_setting(Kind::Missing)
                .expected(format!("certificate {}", self.check.actual))
                .actual("not on the application")
                .change_unknown();
        }
        let client_id = self
            .record
            .fact("client-id")
            .map_or_else(|| self.value_of("client-id"), |fact| fact.value.to_string());
        if client_id.eq_ignore_ascii_case(ERP) {
            let flight = self.chain.input("flight");
            let off = flight.is_some_and(|flight| !matches!(&*flight.value, "1" | "on" | "true"));
            if let (true, Some(setting)) = (off, flight.and_then(|flight| flight.setting.clone())) {
                let cause = self
                    .cause(Kind::Setting, setting.clone())
                    .expected("1 (on): the AOS then uses Aad.Realm as its identity")
                    .actual(self.value_of("flight"));
                if self.world.get(&setting).is_some() {
                    return cause.change_to(1);
                }
                // No such row: the whole of it.
                let row = setting.as_str().trim_end_matches("/Enabled").to_owned();
                let value = json!({ "Enabled": 1, "FlightServiceId": FLIGHT_SERVICE });
                return cause.change(Edit::add(Setting::from_pointer(row), value));
            }
            return self.realm(self.holder().as_deref());
        }
        let cause = self
            .first_setting(Kind::Missing)
            .expected(format!("certificate {}", self.check.actual))
            .actual(format!("not on application {client_id}"));
        let stored = self.thumbprint().and_then(|thumbprint| {
            let stored = self
                .environment()?
                .stores
                .iter()
                .find(|stored| stored.certificate.thumbprint() == thumbprint)?;
            Some(json!({ "certificate": stored.certificate.base64_der() }))
        });
        match stored {
            Some(certificate) => cause.change_to(certificate),
            None => cause.change_unknown(),
        }
    }

    pub(super) fn in_store(&self, thumbprint: &Thumbprint) -> pointers::StoredCertificate {
        self.at().stored_certificate("LocalMachine", "My", &thumbprint.to_string())
    }
}

/// Another personal store that has the certificate with its key.
fn key_elsewhere(environment: &Environment, thumbprint: &Thumbprint) -> Option<Setting> {
    environment
        .stores
        .iter()
        .find(|stored| stored.key.is_some() && stored.certificate.thumbprint() == *thumbprint)
        .map(|stored| stored.pointer.setting())
}

fn only<T>(mut found: Vec<T>) -> Option<T> {
    if found.len() == 1 { found.pop() } else { None }
}
