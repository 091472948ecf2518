//! Clients of Java: MSAL4J.

use mocktenant_acceptance::pins::Pin;
use mocktenant_acceptance::programs::Language;

use crate::{Client, alike, by_name, flow};

pub(crate) const CLIENTS: &[Client] = &[Client {
    name: "MSAL for Java",
    pin: Pin::Artifact("msal4j"),
    language: Language::Java,
    file: "Msal4j.java",
    flows: &[
        flow("secret", alike::secret),
        flow("certificate", alike::certificate),
        flow("certificate, chain sent", alike::chain),
        flow(".default alone", alike::default_beside),
        flow("username and password", alike::password),
        flow("refresh by the cache", alike::never_kept),
        flow("wrong secret", alike::wrong_secret),
        flow("unknown client", alike::unknown_client),
        flow("wrong password", alike::wrong_password),
        flow("sign-in", |seen| alike::signed_in(seen, "Public")),
        flow("device code", alike::by_device),
        by_name("sign-in, by name", |seen| alike::named(seen, |seen| alike::signed_in(seen, "Public"))),
        by_name("secret, by name", |seen| alike::named(seen, alike::secret)),
        by_name("certificate, by name", |seen| alike::named(seen, alike::certificate)),
    ],
}];
