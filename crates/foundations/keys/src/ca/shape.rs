//! What a certificate of a saved CA must look like to be taken back.
//!
//! Decides that it has exactly the extensions, purposes, constraints and lifetime that one made here has: a CA that could
//! do more, or lives longer, was not made here, whoever owns its file. Never decides whether its names are those of a world
//! or whether it is valid now.

use std::collections::BTreeSet;

use time::Duration;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{X509Certificate, X509Version};

use super::Branch;
use super::branch::BACKDATED;
use super::names::Permitted;

/// The two certificates of a branch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    Issuing,
}

/// Refuses a certificate of another shape, with what is wrong about it.
pub(super) fn check(
    certificate: &X509Certificate<'_>,
    place: Place,
    branch: Branch,
    permitted: &Permitted,
) -> Result<(), &'static str> {
    if certificate.version() != X509Version::V3 {
        return Err("a certificate is not of version 3");
    }
    let validity = certificate.validity();
    let life = validity.not_after.to_datetime() - validity.not_before.to_datetime();
    // Certificates hold whole seconds, each end cut on its own.
    if (life - (branch.life() + BACKDATED)).abs() > Duration::SECOND {
        return Err("a certificate has another lifetime than the lab gives");
    }
    let mut seen = BTreeSet::new();
    for extension in certificate.extensions() {
        let critical = extension.critical;
        let kind = match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(basic) => {
                // One floor below the root, none below that.
                let length = u32::from(place == Place::Root);
                if !critical || !basic.ca || basic.path_len_constraint != Some(length) {
                    return Err("a certificate may sign for more floors than the lab's");
                }
                "basic"
            }
            ParsedExtension::KeyUsage(usage) => {
                // Bits 5 and 6: keyCertSign and cRLSign.
                if !critical || usage.flags != 0b0110_0000 {
                    return Err("a certificate has another key usage than the lab gives");
                }
                "usage"
            }
            ParsedExtension::ExtendedKeyUsage(purposes) => {
                let others = purposes.any
                    || purposes.client_auth
                    || purposes.code_signing
                    || purposes.email_protection
                    || purposes.time_stamping
                    || purposes.ocsp_signing
                    || !purposes.other.is_empty();
                if place == Place::Root || !purposes.server_auth || others {
                    return Err("a certificate has other purposes than the lab gives");
                }
                "purpose"
            }
            ParsedExtension::NameConstraints(constraints) => {
                let excluded = constraints.excluded_subtrees.as_deref().unwrap_or_default();
                let every_address = |subtree: &x509_parser::extensions::GeneralSubtree<'_>| matches!(&subtree.base, GeneralName::IPAddress(octets) if matches!(octets.len(), 8 | 32) && octets.iter().all(|octet| *octet == 0));
                // "No address" has to be said where none is permitted, for both families.
                let closed = if permitted.ip.is_empty() {
                    excluded.len() == 2 && excluded.iter().all(every_address)
                } else {
                    excluded.is_empty()
                };
                if !critical || !closed || permitted.dns.is_empty() {
                    return Err("a certificate has other name constraints than the lab gives");
                }
                "names"
            }
            ParsedExtension::SubjectKeyIdentifier(_) => "subject key",
            ParsedExtension::AuthorityKeyIdentifier(_) => "authority key",
            _ => return Err("a certificate has an extension that the lab does not give"),
        };
        if !seen.insert(kind) {
            return Err("a certificate has an extension twice");
        }
    }
    let needed: &[&str] = match place {
        Place::Root => &["basic", "usage", "names"],
        Place::Issuing => &["basic", "usage", "names", "purpose"],
    };
    if needed.iter().all(|kind| seen.contains(kind)) {
        Ok(())
    } else {
        Err("a certificate lacks an extension that the lab gives")
    }
}
