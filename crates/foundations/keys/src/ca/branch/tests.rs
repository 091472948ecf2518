//! Saved CAs that were not made here.

use rcgen::{CustomExtension, SerialNumber};
use time::macros::datetime;

use super::super::CaNames;
use super::*;

const NOW: OffsetDateTime = datetime!(2030-06-01 12:00:00.5 UTC);

/// A CA as it is made here, but for what is changed in one of its certificates, read back from its files.
fn forged(
    branch: Branch,
    root_change: impl FnOnce(&mut CertificateParams),
    issuing_change: impl FnOnce(&mut CertificateParams),
) -> Result<IssuingCa, CaError> {
    let names = CaNames { real_dns: vec![String::from("login.microsoftonline.com")], ..CaNames::default() };
    let permitted = match branch {
        Branch::Local => Permitted::local(&names),
        Branch::RealNames => Permitted::real_names(&names),
    }
    .unwrap();
    let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut root = authority(root_name(branch, &root_key), &permitted, NOW, branch.life()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    root_change(&mut root);
    let root_certificate = root.self_signed(&root_key).unwrap();
    let mut issuing = authority(issuing_name(branch, &key), &permitted, NOW, branch.life()).unwrap();
    issuing.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    issuing.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    issuing.use_authority_key_identifier_extension = true;
    issuing_change(&mut issuing);
    let issuing = issuing.signed_by(&key, &Issuer::from_params(&root, &root_key)).unwrap();
    let pem = |der: &[u8]| pem_text("CERTIFICATE", der);
    IssuingCa::from_pems(
        branch,
        &pem(root_certificate.der()),
        &pem(issuing.der()),
        &pem_text("PRIVATE KEY", key.serialized_der()),
    )
}

fn as_made(_: &mut CertificateParams) {}

/// A change to one of the certificates.
type Change = fn(&mut CertificateParams);

#[test]
fn a_ca_that_could_do_more_or_lives_longer_was_not_made_here() {
    let more_usage: Change = |params| params.key_usages.push(KeyUsagePurpose::DigitalSignature);
    let longer: Change = |params| params.not_after += Duration::days(3650);
    let earlier: Change = |params| params.not_before -= Duration::days(3650);
    let deeper: Change = |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let clients: Change = |params| params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    let anything: Change = |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
    let no_purpose: Change = |params| params.extended_key_usages.clear();
    let no_usage: Change = |params| params.key_usages.clear();
    let strange: Change = |params| {
        params.custom_extensions.push(CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]));
    };
    for branch in Branch::ALL {
        forged(branch, as_made, as_made).unwrap();
        // A serial number is nobody's business.
        forged(branch, |root| root.serial_number = Some(SerialNumber::from(7_u64)), as_made).unwrap();
        for (change, on_root, on_issuing) in [
            (more_usage, true, true),
            (longer, true, true),
            (earlier, true, true),
            (deeper, true, true),
            (clients, true, true),
            (anything, true, true),
            (no_purpose, false, true),
            (no_usage, true, true),
            (strange, true, true),
        ] {
            let outcome = |result: Result<IssuingCa, CaError>| match result {
                Err(CaError::Files { .. }) => true,
                Err(other) => panic!("{other}"),
                Ok(_) => false,
            };
            assert_eq!(outcome(forged(branch, change, as_made)), on_root);
            assert_eq!(outcome(forged(branch, as_made, change)), on_issuing);
        }
    }
}

#[test]
fn a_root_that_leaves_a_kind_of_name_open_was_not_made_here() {
    let open: Change = |params| {
        if let Some(constraints) = &mut params.name_constraints {
            constraints.excluded_subtrees.clear();
        }
    };
    let one_family: Change = |params| {
        if let Some(constraints) = &mut params.name_constraints {
            constraints.excluded_subtrees.truncate(1);
        }
    };
    let none: Change = |params| params.name_constraints = None;
    for change in [open, one_family, none] {
        // On both certificates, so that they agree with each other.
        assert!(matches!(forged(Branch::RealNames, change, change), Err(CaError::Files { .. })));
    }
    let shut: Change = |params| {
        if let Some(constraints) = &mut params.name_constraints {
            constraints.excluded_subtrees.push(GeneralSubtree::DnsName(String::from("localhost")));
        }
    };
    assert!(matches!(forged(Branch::Local, shut, shut), Err(CaError::Files { .. })));
}

#[test]
fn a_ca_for_any_one_purpose_more_was_not_made_here() {
    for branch in Branch::ALL {
        for purpose in [
            ExtendedKeyUsagePurpose::Any,
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::CodeSigning,
            ExtendedKeyUsagePurpose::EmailProtection,
            ExtendedKeyUsagePurpose::TimeStamping,
            ExtendedKeyUsagePurpose::OcspSigning,
            ExtendedKeyUsagePurpose::Other(vec![1, 2, 3, 4]),
        ] {
            let more = |params: &mut CertificateParams| params.extended_key_usages.push(purpose.clone());
            assert!(matches!(forged(branch, as_made, more), Err(CaError::Files { .. })), "{purpose:?}");
        }
        let servers: Change = |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        forged(branch, as_made, servers).unwrap();
        assert!(
            matches!(forged(branch, servers, as_made), Err(CaError::Files { .. })),
            "a root has no purpose"
        );
    }
}

#[test]
fn a_ca_lives_as_long_as_the_lab_gives_to_the_second() {
    let second: Change = |params| params.not_after += Duration::SECOND;
    let more: Change = |params| params.not_after += Duration::seconds(2);
    let less: Change = |params| params.not_after -= Duration::seconds(2);
    for branch in Branch::ALL {
        // Certificates hold whole seconds, each end cut on its own.
        forged(branch, second, second).unwrap();
        for change in [more, less] {
            assert!(matches!(forged(branch, change, as_made), Err(CaError::Files { .. })));
            assert!(matches!(forged(branch, as_made, change), Err(CaError::Files { .. })));
        }
    }
}

#[test]
fn a_ca_signs_for_exactly_as_many_floors_as_it_has_below_it() {
    for branch in Branch::ALL {
        for (root, issuing) in [(0, 0), (2, 0), (1, 1), (1, 2)] {
            let floors = |floors: u8| {
                move |params: &mut CertificateParams| {
                    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(floors));
                }
            };
            let outcome = forged(branch, floors(root), floors(issuing));
            assert!(matches!(outcome, Err(CaError::Files { .. })), "{root} {issuing}");
        }
    }
}

/// Writes one of the extensions by hand, as it was or as one that a reader may pass over.
fn by_hand(params: &mut CertificateParams, oid: &[u64], critical: bool) {
    let key = KeyPair::generate().unwrap();
    let made = params.clone().self_signed(&key).unwrap();
    let dotted = oid.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
    let parsed = parse(made.der()).unwrap();
    let extension = parsed.extensions().iter().find(|one| one.oid.to_id_string() == dotted).unwrap();
    let mut custom = CustomExtension::from_oid_content(oid, extension.value.to_vec());
    custom.set_criticality(critical);
    match oid {
        [.., 15] => params.key_usages.clear(),
        [.., 19] => params.is_ca = IsCa::NoCa,
        _ => params.name_constraints = None,
    }
    params.custom_extensions.push(custom);
}

#[test]
fn a_ca_whose_limits_a_reader_may_pass_over_was_not_made_here() {
    for branch in Branch::ALL {
        for oid in [[2, 5, 29, 15], [2, 5, 29, 19], [2, 5, 29, 30]] {
            for critical in [true, false] {
                let change = |params: &mut CertificateParams| by_hand(params, &oid, critical);
                assert_eq!(forged(branch, change, as_made).is_ok(), critical, "root {oid:?}");
                assert_eq!(forged(branch, as_made, change).is_ok(), critical, "issuing {oid:?}");
            }
        }
    }
}
