//! The identities every lab ships: fixed, published, valid to 2099.
//!
//! Decides that key ids and thumbprints of the untouched world are the same on every machine, so that documentation,
//! golden files and other people's tests may quote them. They are **not secret**: every subject says so, and
//! [`is_shipped`] lets a check refuse a real configuration that holds one. The files under `assets/` come from
//! `examples/make_shipped_keys.rs` and are reproducible byte for byte; nothing is generated when the lab runs.

use std::sync::LazyLock;

use time::macros::datetime;

use crate::certificate::Certificate;
use crate::identity::Identity;
use crate::rsa_key::SigningKey;
use crate::self_signed::{Subject, Validity};
use crate::thumbprint::Thumbprint;

/// The organizational unit of every shipped certificate.
pub const PUBLIC_TEST_KEY: &str = "PUBLIC TEST KEY - not secret";

/// The seed the shipped keys were derived from.
pub const SEED: &str = "mocktenant shipped keys 1";

/// How long the shipped certificates are valid.
pub const VALIDITY: Validity = Validity {
    not_before: datetime!(2024-01-01 00:00:00 UTC),
    not_after: datetime!(2099-12-31 23:59:59 UTC),
};

/// What a shipped identity is made from, besides [`SEED`] and [`VALIDITY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The name in kebab-case, which is also the label of the derivation and the stem of the files.
    pub name: &'static str,
    /// The subject's common name.
    pub common_name: &'static str,
}

impl Recipe {
    /// The whole subject.
    pub const fn subject(&self) -> Subject<'static> {
        Subject { common_name: self.common_name, organizational_unit: Some(PUBLIC_TEST_KEY) }
    }
}

/// The shipped identities, in the order of [`names`].
pub const RECIPES: [Recipe; 8] = [
    Recipe { name: "token-signing", common_name: "accounts.accesscontrol.windows.net" },
    Recipe { name: "token-signing-next", common_name: "accounts.accesscontrol.windows.net" },
    Recipe { name: "sample-client", common_name: "mocktenant sample client" },
    Recipe { name: "onebox-s2s", common_name: "myselfcert" },
    Recipe { name: "second-client", common_name: "mocktenant second client" },
    Recipe { name: "adfs-signing", common_name: "ADFS Signing - ADFS.contoso.com" },
    Recipe { name: "adfs-signing-next", common_name: "ADFS Signing - ADFS.contoso.com" },
    Recipe { name: "adfs-decrypting", common_name: "ADFS Encryption - ADFS.contoso.com" },
];

/// Certificate and PKCS#8 key of one recipe.
struct Asset {
    certificate: &'static [u8],
    key: &'static [u8],
}

macro_rules! asset {
    ($name:literal) => {
        Asset {
            certificate: include_bytes!(concat!("../assets/", $name, ".cer")),
            key: include_bytes!(concat!("../assets/", $name, ".key.der")),
        }
    };
}

static ASSETS: [Asset; 8] = [
    asset!("token-signing"),
    asset!("token-signing-next"),
    asset!("sample-client"),
    asset!("onebox-s2s"),
    asset!("second-client"),
    asset!("adfs-signing"),
    asset!("adfs-signing-next"),
    asset!("adfs-decrypting"),
];

static IDENTITIES: [LazyLock<Identity>; 8] = [
    LazyLock::new(|| parse(0)),
    LazyLock::new(|| parse(1)),
    LazyLock::new(|| parse(2)),
    LazyLock::new(|| parse(3)),
    LazyLock::new(|| parse(4)),
    LazyLock::new(|| parse(5)),
    LazyLock::new(|| parse(6)),
    LazyLock::new(|| parse(7)),
];

static THUMBPRINTS: LazyLock<[Thumbprint; 8]> =
    LazyLock::new(|| std::array::from_fn(|index| Thumbprint::of_der(ASSETS[index].certificate)));

/// Entra's first published token-signing key, the one that signs.
pub fn token_signing() -> &'static Identity {
    &IDENTITIES[0]
}

/// Entra's second published token-signing key, for key rollover.
pub fn token_signing_next() -> &'static Identity {
    &IDENTITIES[1]
}

/// The certificate of the sample client application.
pub fn sample_client() -> &'static Identity {
    &IDENTITIES[2]
}

/// The one-box AOS's own certificate, as the one-box recipe makes it.
pub fn onebox_s2s() -> &'static Identity {
    &IDENTITIES[3]
}

/// A spare, registered nowhere in the default world.
pub fn second_client() -> &'static Identity {
    &IDENTITIES[4]
}

/// What AD FS signs with until a rollover.
pub fn adfs_signing() -> &'static Identity {
    &IDENTITIES[5]
}

/// What AD FS signs with after a rollover.
pub fn adfs_signing_next() -> &'static Identity {
    &IDENTITIES[6]
}

/// What AD FS has tokens encrypted for.
pub fn adfs_decrypting() -> &'static Identity {
    &IDENTITIES[7]
}

/// The shipped identity of a kebab-case name.
pub fn by_name(name: &str) -> Option<&'static Identity> {
    let index = RECIPES.iter().position(|recipe| recipe.name == name)?;
    Some(&IDENTITIES[index])
}

/// The names [`by_name`] knows.
pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
    RECIPES.iter().map(|recipe| recipe.name)
}

/// Whether a certificate with this thumbprint is one of the shipped ones; costs no key parsing.
pub fn is_shipped(thumbprint: Thumbprint) -> bool {
    THUMBPRINTS.contains(&thumbprint)
}

/// Parses one asset: 0.2 ms, once per process.
fn parse(index: usize) -> Identity {
    let asset = &ASSETS[index];
    // The bytes are part of this program, and a test parses each of them.
    Certificate::from_der(asset.certificate)
        .ok()
        .zip(SigningKey::from_pkcs8_der(asset.key).ok())
        .and_then(|(certificate, key)| Identity::new(certificate, key).ok())
        .expect("the shipped identities are sound")
}

#[cfg(test)]
mod tests {
    use super::{PUBLIC_TEST_KEY, RECIPES, SEED, VALIDITY, by_name, is_shipped, names};
    use crate::self_signed::SelfSigned;
    use crate::thumbprint::Thumbprint;

    #[test]
    fn every_shipped_certificate_is_a_re_issue_from_its_shipped_key() {
        for recipe in RECIPES {
            let identity = by_name(recipe.name).unwrap();
            let serial = crate::seeded::serial_from_seed(SEED, recipe.name);
            let issued = SelfSigned { subject: recipe.subject(), validity: VALIDITY, serial: &serial };
            assert_eq!(&issued.issue(identity.key()).unwrap(), identity.certificate(), "{}", recipe.name);
        }
    }

    #[test]
    fn every_shipped_certificate_says_that_its_key_is_public() {
        for name in names() {
            let certificate = by_name(name).unwrap().certificate();
            assert!(certificate.subject().contains(PUBLIC_TEST_KEY), "{}", certificate.subject());
            assert_eq!(certificate.public_key().unwrap().bits(), 2048);
            assert_eq!(
                (certificate.not_before(), certificate.not_after()),
                (VALIDITY.not_before, VALIDITY.not_after)
            );
            assert!(is_shipped(certificate.thumbprint()));
        }
        assert!(!is_shipped(Thumbprint::of_der(b"")));
        assert!(by_name("root").is_none() && by_name("").is_none());
    }

    #[test]
    fn the_published_thumbprints_never_change() {
        let published: Vec<String> = names()
            .map(|name| format!("{name} {}", by_name(name).unwrap().certificate().thumbprint()))
            .collect();
        assert_eq!(
            published,
            [
                "token-signing 05899AE27A128A438FD692D05C2DB458F0BDCF3C",
                "token-signing-next 47EAEA2678F19464529906AC9C63B5C21C15FEF5",
                "sample-client AC8CE85E26ED732A9812AB09785B499F53D5951F",
                "onebox-s2s 61142666E97BF830049B4B6CB322DBA8DFFB0C4D",
                "second-client 7CBE87BD5ECEE14266F15D662056998852A005E0",
                "adfs-signing 4B5E74D9B2E81F319EE8C89C8D34B6FBB3FEF714",
                "adfs-signing-next D6B2D7E4FAC372862572EDEC42A3419F606490B5",
                "adfs-decrypting 525F1C14800167694865A63AA4906975D6982BCB",
            ]
        );
    }

    #[test]
    fn no_two_shipped_identities_share_a_key() {
        for (index, first) in RECIPES.iter().enumerate() {
            for second in &RECIPES[..index] {
                let key = |name| by_name(name).unwrap().key().public().clone();
                assert_ne!(key(first.name), key(second.name));
            }
        }
    }
}
