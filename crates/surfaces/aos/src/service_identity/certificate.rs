//! The AOS's own certificate in the machine's stores.
//!
//! Decides where it is looked for (inferred from the vendor's recipe and a public tool for it): LocalMachine\My with a private key NETWORK SERVICE may read; else the
//! thumbprint in LocalMachine\Root with the key in CurrentUser\My, which is the layout a field report describes and usable with a
//! warning; else it is not found, or only its public half is. Spaces and letter case of the thumbprint do not matter, a
//! hidden character does. Expiry is not looked at: Entra refuses what has expired.

use mocktenant_keys::{Certificate, PastedThumbprint, SigningKey, Thumbprint};
use mocktenant_verdict::{Checklist, Finding, Setting};
use mocktenant_world::{Environment, StoredCertificate};

use crate::configuration::{MACHINE_MY, MACHINE_ROOT, StorePlace, USER_MY};
use crate::errors::{DualWriteError, Failure};
use crate::node::NodeState;

/// The account the AOS runs as.
const ACCOUNT: &str = "NETWORK SERVICE";

/// A certificate the AOS can sign with.
pub(super) struct Signer {
    pub(super) certificate: Certificate,
    pub(super) key: SigningKey,
}

/// What the stores hold under one thumbprint.
struct Found<'e> {
    machine: Option<&'e StoredCertificate>,
    root: Option<&'e StoredCertificate>,
    user: Option<&'e StoredCertificate>,
}

impl<'e> Found<'e> {
    fn look(environment: &'e Environment, thumbprint: &PastedThumbprint) -> Self {
        let find = |place: StorePlace| {
            let thumbprint = thumbprint.thumbprint?;
            environment.stores.find(place.location, place.store, &thumbprint)
        };
        Self { machine: find(MACHINE_MY), root: find(MACHINE_ROOT), user: find(USER_MY) }
    }

    /// The layout of the field report: the `.cer` in Root, the key where `New-SelfSignedCertificate` left it.
    fn by_the_report(&self) -> Option<&'e StoredCertificate> {
        self.root.and(self.user).filter(|stored| stored.key.is_some())
    }

    fn in_machine_and_readable(&self) -> Option<&'e StoredCertificate> {
        self.machine.filter(|stored| stored.key.is_some() && stored.is_readable_by(ACCOUNT))
    }

    /// The one that signs, if any.
    fn usable(&self) -> Option<&'e StoredCertificate> {
        self.in_machine_and_readable().or_else(|| self.by_the_report())
    }

    /// Where it is instead, for a person.
    fn elsewhere(&self) -> &'static str {
        match (self.root, self.user) {
            (Some(_), None) => "only its public half, in LocalMachine\\Root",
            (Some(_), Some(_)) => "only its public half, in LocalMachine\\Root and CurrentUser\\My",
            (None, Some(_)) => "only in CurrentUser\\My",
            (None, None) => "in no store",
        }
    }
}

/// Asks the four questions about the certificate. `None` without one that can sign.
pub(super) fn ask(
    list: &mut Checklist<'_, Failure>,
    node: &NodeState,
    refused: &DualWriteError,
) -> Option<Signer> {
    let configuration = &node.configuration;
    let setting = configuration.thumbprint.setting.clone();
    let text = configuration.thumbprint.value.trim();
    let pasted = PastedThumbprint::read(text);
    let configured = !text.is_empty();
    list.ask_named(
        "thumbprint-configured",
        "a thumbprint in Infrastructure.S2SCertThumbprint",
        || vec![setting.clone()],
        Finding::held(configured, "set", || ("nothing", Failure::ThumbprintMissing(refused.clone()))),
    );

    let found = Found::look(&node.environment, &pasted);
    // Where it is declared, or would be.
    let declared = || {
        let pointer = |named: Thumbprint| {
            let named = named.to_string();
            node.environment.pointer.stored_certificate(MACHINE_MY.location, MACHINE_MY.store, &named)
        };
        pasted.intended.map(pointer)
    };
    let settings = || -> Vec<Setting> {
        std::iter::once(setting.clone()).chain(declared().map(Setting::from)).collect()
    };
    let holder = found.machine.or_else(|| found.by_the_report());
    let finding = if !configured {
        Finding::skip("thumbprint-configured")
    } else if holder.is_some() {
        Finding::pass(if found.machine.is_some() {
            "in LocalMachine\\My"
        } else {
            "in CurrentUser\\My; warning: it belongs in LocalMachine\\My"
        })
    } else {
        let actual = if pasted.hidden_characters {
            "the thumbprint holds a character that cannot be seen (U+200E from the certificate dialog)"
        } else if pasted.thumbprint.is_none() {
            "no thumbprint: 40 hex digits"
        } else {
            found.elsewhere()
        };
        Finding::fail(actual, Failure::CertificateMissing(refused.clone()))
    };
    list.ask_named("certificate-found", "a certificate in LocalMachine\\My", settings, finding);

    let key = || declared().map(|pointer| pointer.private_key());
    let finding = match holder {
        None => Finding::skip("certificate-found"),
        Some(stored) => {
            let has = stored.key.is_some() || found.usable().is_some();
            let actual = if has { "there" } else { "only the public half" };
            Finding::when(has, actual, || Failure::PrivateKeyMissing(refused.clone()))
        }
    };
    let present = list.ask_named(
        "private-key-present",
        "a private key",
        || key().map(Setting::from).into_iter().collect(),
        finding,
    );

    let usable = found.usable();
    let finding = match (present && holder.is_some(), usable) {
        (false, _) => Finding::skip("private-key-present"),
        (true, Some(_)) => Finding::pass("readable"),
        (true, None) => Finding::fail(
            holder.map_or_else(String::new, readers),
            Failure::PrivateKeyUnreadable(refused.clone()),
        ),
    };
    let settings = || key().map(|key| key.readable_by()).into_iter().collect();
    list.ask_named("private-key-readable", "readable by NETWORK SERVICE", settings, finding);
    let stored = usable?;
    Some(Signer { certificate: stored.certificate.clone(), key: stored.key.clone()? })
}

fn readers(stored: &StoredCertificate) -> String {
    if stored.readable_by.is_empty() {
        format!("{}\\{}, nobody named", stored.location, stored.store)
    } else {
        format!("{}\\{}, readable by {}", stored.location, stored.store, stored.readable_by.join(", "))
    }
}
