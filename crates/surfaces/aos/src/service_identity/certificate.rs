//! The AOS's own certificate in the machine's stores.
//!
//! Decides where it is looked for (inferred from the vendor's recipe and a public tool for it): LocalMachine\My with a private key NETWORK SERVICE may read; else the
//! thumbprint in LocalMachine\Root with the key in CurrentUser\My, which is the layout a field report describes and usable with a
//! warning; else it is not found, or only its public half is. Spaces and letter case of the thumbprint do not matter, a
//! hidden character does. Expiry is not looked at: Entra refuses what has expired.

use mocktenant_keys::{Certificate, PastedThumbprint, SigningKey, Thumbprint};
use mocktenant_lab::Context;
use mocktenant_verdict::{Checklist, Finding, Question, Role, Setting};
use mocktenant_world::{Environment, StoredCertificate};

use crate::advice;
use crate::configuration::{MACHINE_MY, MACHINE_ROOT, StorePlace, USER_MY};
use crate::errors::DualWriteError;
use crate::onebox::State;

/// The thumbprint is set.
static THUMBPRINT_CONFIGURED: Question = Question::new("thumbprint-configured", Role::Key);
/// It names a certificate where the AOS looks.
static CERTIFICATE_FOUND: Question =
    Question::new("certificate-found", Role::Key).needs(&[&THUMBPRINT_CONFIGURED]);
/// With its private key.
static KEY_PRESENT: Question = Question::new("private-key-present", Role::Key).needs(&[&CERTIFICATE_FOUND]);
/// Which the AOS may read.
pub(super) static KEY_READABLE: Question =
    Question::new("private-key-readable", Role::Key).needs(&[&KEY_PRESENT]);

/// The questions about the certificate, in order.
pub(crate) static QUESTIONS: &[&Question] =
    &[&THUMBPRINT_CONFIGURED, &CERTIFICATE_FOUND, &KEY_PRESENT, &KEY_READABLE];

/// The account the AOS runs as.
pub(crate) const ACCOUNT: &str = "NETWORK SERVICE";

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
    fn nowhere(&self, pasted: &PastedThumbprint) -> &'static str {
        if pasted.hidden_characters {
            return "the thumbprint holds a character that cannot be seen (U+200E from the certificate dialog)";
        }
        if pasted.thumbprint.is_none() {
            return "no thumbprint: 40 hex digits";
        }
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
    list: &mut Checklist<'_, DualWriteError>,
    context: &Context,
    node: &State,
    refused: &DualWriteError,
) -> Option<Signer> {
    let configuration = &node.configuration;
    let setting = configuration.thumbprint.setting.clone();
    let text = configuration.thumbprint.value.trim();
    let pasted = PastedThumbprint::read(text);
    let configured = !text.is_empty();
    let why = || refused.clone();
    let finding = Finding::held(configured, "set", || ("nothing", why())).mended_by(|| {
        advice::remedy(context, |advice| Some(advice.thumbprint_missing(configuration))).advice(
            "In web.config set Infrastructure.S2SCertThumbprint to the certificate's thumbprint, then restart the AOS (IISRESET).",
        )
    });
    let expected = "a thumbprint in Infrastructure.S2SCertThumbprint";
    list.ask(&THUMBPRINT_CONFIGURED, expected, || vec![setting.clone()], finding);

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
    let finding = || {
        match holder {
        _ if !configured => Finding::skip(THUMBPRINT_CONFIGURED.name),
        Some(_) if found.machine.is_some() => Finding::pass("in LocalMachine\\My"),
        Some(_) => Finding::pass("in CurrentUser\\My; warning: it belongs in LocalMachine\\My"),
        None => Finding::fail(found.nowhere(&pasted), why()).mended_by(|| {
            advice::remedy(context, |advice| Some(advice.certificate_missing(configuration, &pasted))).advice(
                "Install the certificate with its private key in LocalMachine\\My, or correct Infrastructure.S2SCertThumbprint in web.config; then restart the AOS (IISRESET).",
            )
        }),
    }
    };
    list.ask(&CERTIFICATE_FOUND, "a certificate in LocalMachine\\My", settings, finding);

    let key = || declared().map(|pointer| pointer.private_key());
    let finding = || match holder {
        None => Finding::skip(CERTIFICATE_FOUND.name),
        Some(stored) => {
            let has = stored.key.is_some() || found.usable().is_some();
            Finding::when(has, if has { "there" } else { "only the public half" }, why).mended_by(|| {
                advice::remedy(context, |advice| advice.key_missing(configuration, &pasted)).advice(
                    "The .cer alone does not sign: install the certificate with its private key (.pfx) in LocalMachine\\My, then restart the AOS (IISRESET).",
                )
            })
        }
    };
    let settings = || key().map(Setting::from).into_iter().collect::<Vec<_>>();
    list.ask(&KEY_PRESENT, "a private key", settings, finding);

    let usable = found.usable();
    let finding = || {
        match (holder, usable) {
        (None, _) => Finding::skip(KEY_PRESENT.name),
        (Some(_), Some(_)) => Finding::pass("readable"),
        (Some(stored), None) => Finding::fail(readers(stored), why()).mended_by(|| {
            advice::remedy(context, |advice| advice.key_unreadable(&pasted)).advice(
                "In certlm.msc give NETWORK SERVICE read access to the certificate's private key (All Tasks > Manage Private Keys), then restart the AOS (IISRESET).",
            )
        }),
    }
    };
    let settings = || key().map(|key| key.readable_by()).into_iter().collect::<Vec<_>>();
    list.ask(&KEY_READABLE, "readable by NETWORK SERVICE", settings, finding);
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
