//! The CA as its callers and, through openssl, as TLS clients see it.

#![expect(clippy::unwrap_used, reason = "a test's own preparations may fail loudly")]
#![expect(clippy::print_stdout, reason = "a skipped test says why")]

use std::path::Path;
use std::process::Command;

use mocktenant_keys::{
    Branch, CaError, CaFiles, CaNames, Certificate, IpNet, LabCa, Leaf, LeafPurpose, WhyNot,
};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2030-06-01 12:00:00.5 UTC);

fn names() -> CaNames {
    CaNames {
        local_dns: vec!["adfs.contoso.com".to_owned(), "aos".to_owned()],
        local_ip: vec!["203.0.113.0/24".parse().unwrap(), "192.168.0.0/16".parse().unwrap()],
        real_dns: vec!["login.microsoftonline.com".to_owned(), "crm4.dynamics.com".to_owned()],
    }
}

fn ca() -> LabCa {
    LabCa::create(&names(), NOW).unwrap()
}

/// Why openssl cannot be asked, unless the environment insists that it can.
fn openssl_is_absent() -> bool {
    let absent = Command::new("openssl").arg("version").output().is_err();
    if absent {
        assert!(
            std::env::var("MOCKTENANT_REQUIRE_CLIENTS").as_deref() != Ok("1"),
            "openssl is required and was not found"
        );
        println!("skipped: openssl was not found");
    }
    absent
}

fn pem(directory: &Path, name: &str, der: &[u8]) -> String {
    let path = directory.join(name);
    std::fs::write(&path, Certificate::from_der(der).unwrap().pem()).unwrap();
    path.into_os_string().into_string().unwrap()
}

/// What `openssl verify` says of a leaf whose client trusts both roots: `OK`, or its complaint.
fn openssl_verify(ca: &LabCa, leaf: &Leaf, purpose: &str) -> String {
    openssl_verify_at(ca, leaf, purpose, NOW)
}

fn openssl_verify_at(ca: &LabCa, leaf: &Leaf, purpose: &str, at: OffsetDateTime) -> String {
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("ca.pem");
    std::fs::write(&roots, ca.roots_pem()).unwrap();
    let output = Command::new("openssl")
        .args(["verify", "-x509_strict", "-purpose", purpose, "-attime", &at.unix_timestamp().to_string()])
        .arg("-CAfile")
        .arg(&roots)
        .args(["-untrusted", &pem(directory.path(), "issuing.pem", &leaf.chain_der[1])])
        .arg(pem(directory.path(), "leaf.pem", &leaf.chain_der[0]))
        .output()
        .unwrap();
    if output.status.success() {
        "OK".to_owned()
    } else {
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}

#[test]
fn openssl_accepts_leaves_for_names_inside_the_constraints() {
    if openssl_is_absent() {
        return;
    }
    let ca = ca();
    for hosts in [
        &["localhost", "127.0.0.1", "::1", "aos"][..],
        &["adfs.contoso.com"],
        &["x.y.test"],
        &["192.168.3.4"],
        &["203.0.113.9"],
        &["login.microsoftonline.com"],
        &["contoso.api.crm4.dynamics.com"],
    ] {
        let leaf = ca.leaf_for(hosts, NOW).unwrap();
        assert_eq!(openssl_verify(&ca, &leaf, "sslserver"), "OK", "{hosts:?}");
    }
}

#[test]
fn openssl_refuses_leaves_for_names_outside_even_if_the_issuing_ca_signed_them() {
    if openssl_is_absent() {
        return;
    }
    let ca = ca();
    for (branch, host, complaint) in [
        (Branch::Local, "evil.example", "permitted subtree violation"),
        (Branch::Local, "login.microsoftonline.com", "permitted subtree violation"),
        (Branch::Local, "evil-adfs.contoso.com", "permitted subtree violation"),
        (Branch::Local, "8.8.8.8", "permitted subtree violation"),
        (Branch::Local, "10.0.0.1", "permitted subtree violation"),
        (Branch::Local, "fd00::1", "permitted subtree violation"),
        (Branch::Local, "2001:db8::1", "permitted subtree violation"),
        (Branch::RealNames, "evil.example", "permitted subtree violation"),
        (Branch::RealNames, "localhost", "permitted subtree violation"),
        (Branch::RealNames, "127.0.0.1", "excluded subtree violation"),
        (Branch::RealNames, "::1", "excluded subtree violation"),
    ] {
        let leaf = ca.leaf_unchecked(branch, &[host], LeafPurpose::ServerAuth, NOW).unwrap();
        let said = openssl_verify(&ca, &leaf, "sslserver");
        assert!(said.contains(complaint), "{branch} {host}: {said}");
    }
}

#[test]
fn openssl_refuses_leaves_for_other_purposes_than_tls_servers() {
    if openssl_is_absent() {
        return;
    }
    let ca = ca();
    for branch in Branch::ALL {
        let host = if branch == Branch::Local { "localhost" } else { "login.microsoftonline.com" };
        for (leaf_purpose, asked) in [
            (LeafPurpose::CodeSigning, "sslserver"),
            (LeafPurpose::ClientAuth, "sslserver"),
            (LeafPurpose::ClientAuth, "sslclient"),
            (LeafPurpose::ServerAuth, "smimesign"),
        ] {
            let leaf = ca.leaf_unchecked(branch, &[host], leaf_purpose, NOW).unwrap();
            let said = openssl_verify(&ca, &leaf, asked);
            assert!(said.contains("purpose"), "{branch} {leaf_purpose:?} {asked}: {said}");
        }
    }
}

#[test]
fn a_world_without_microsoft_names_has_a_real_names_root_that_speaks_for_nothing() {
    let ca = LabCa::create(&CaNames::default(), NOW).unwrap();
    assert!(matches!(ca.leaf("login.microsoftonline.com", NOW), Err(CaError::Outside { .. })));
    assert!(ca.leaf("localhost", NOW).is_ok());
    if openssl_is_absent() {
        return;
    }
    let leaf =
        ca.leaf_unchecked(Branch::RealNames, &["login.microsoftonline.com"], LeafPurpose::ServerAuth, NOW);
    assert!(openssl_verify(&ca, &leaf.unwrap(), "sslserver").contains("permitted subtree violation"));
}

#[test]
fn the_ca_certificates_have_critical_constraints_and_one_purpose() {
    let ca = ca();
    for (branch, host) in [(Branch::Local, "localhost"), (Branch::RealNames, "login.microsoftonline.com")] {
        let leaf = ca.leaf(host, NOW).unwrap();
        for (der, path_length) in [(ca.root(branch).der(), 1), (leaf.chain_der[1].as_slice(), 0)] {
            let (_, parsed) = x509_parser::parse_x509_certificate(der).unwrap();
            let constraints = parsed.basic_constraints().unwrap().unwrap();
            assert!(constraints.critical && constraints.value.ca);
            assert_eq!(constraints.value.path_len_constraint, Some(path_length));
            assert!(parsed.key_usage().unwrap().unwrap().critical);
            assert!(parsed.name_constraints().unwrap().unwrap().critical);
            assert_eq!(parsed.extended_key_usage().unwrap().is_some(), path_length == 0);
        }
        let (_, issuing) = x509_parser::parse_x509_certificate(&leaf.chain_der[1]).unwrap();
        let purposes = issuing.extended_key_usage().unwrap().unwrap().value;
        assert!(purposes.server_auth && !purposes.any && !purposes.client_auth && !purposes.code_signing);
    }
}

#[test]
fn a_leaf_is_refused_for_names_outside_for_mixed_roots_and_for_no_name() {
    let ca = ca();
    assert!(matches!(ca.leaf("evil.example", NOW), Err(CaError::Outside { .. })));
    assert!(matches!(ca.leaf("8.8.8.8", NOW), Err(CaError::Outside { .. })));
    let mixed = ca.leaf_for(&["localhost", "login.microsoftonline.com"], NOW);
    assert!(matches!(mixed, Err(CaError::TwoBranches { branch: Branch::RealNames, .. })));
    assert_eq!(ca.leaf_for(&[], NOW).unwrap_err(), CaError::NoNames);
    for bad in ["", "*.test", "a b", "evil.example/.test", "x\0.test", &"a".repeat(1 << 20)] {
        assert!(matches!(ca.leaf(bad, NOW), Err(CaError::NotAName { .. })), "{bad:.80}");
    }
    let very_many = vec!["localhost"; 1 << 20];
    assert!(ca.leaf_for(&very_many, NOW).is_ok(), "repeated names count once");
}

#[test]
fn a_leaf_lives_seven_days_at_most_and_never_longer_than_its_ca() {
    let ca = ca();
    for ahead in [0, 5, 20, 26, 29] {
        let now = NOW + Duration::days(ahead);
        let leaf = ca.leaf("login.microsoftonline.com", now).unwrap();
        let certificate = Certificate::from_der(&leaf.chain_der[0]).unwrap();
        let issuing = Certificate::from_der(&leaf.chain_der[1]).unwrap();
        assert!(certificate.not_before() <= now && now < certificate.not_after());
        assert!(certificate.not_after() - certificate.not_before() <= Duration::days(7));
        assert!(certificate.not_after() <= issuing.not_after());
        assert!(issuing.not_before() <= certificate.not_before());
        assert_eq!(certificate.not_after(), leaf.not_after);
    }
    for now in [NOW + Duration::days(31), NOW - Duration::days(1)] {
        let refused = ca.leaf("login.microsoftonline.com", now).unwrap_err();
        assert_eq!(refused, CaError::NotValidNow { branch: Branch::RealNames });
    }
}

#[test]
fn a_ca_is_made_saved_and_believed_in_every_year_to_come() {
    // Certificates write years before 2050 with two digits and others with four; 2038 ends a 32-bit clock.
    for now in [
        datetime!(1999-12-31 23:59:59 UTC),
        datetime!(2038-01-19 03:14:08 UTC),
        datetime!(2049-12-20 00:00 UTC),
        datetime!(2049-12-31 23:59:59 UTC),
        datetime!(2050-01-01 00:00 UTC),
        datetime!(2079-06-01 00:00 UTC),
        datetime!(2106-02-07 06:28:16 UTC),
    ] {
        let ca = LabCa::create(&names(), now).unwrap();
        let read = LabCa::from_files(&ca.to_files()).unwrap();
        assert_eq!(read.covers(&names(), now), Ok(()), "{now}");
        assert!(read.is_valid_at(now) && !read.is_valid_at(now - Duration::days(1)), "{now}");
        assert!(!read.is_valid_at(now + Duration::days(31)), "{now}");
        let (from, until) = read.carefree();
        assert!(from <= now && until - now > Duration::days(26), "{now}: {from} {until}");
        let leaf = read.leaf("login.microsoftonline.com", now).unwrap();
        assert!(leaf.not_before <= now && now < leaf.not_after, "{now}");
        if !openssl_is_absent() {
            assert_eq!(openssl_verify_at(&ca, &leaf, "sslserver", now), "OK", "{now}");
        }
    }
}

#[test]
fn a_saved_ca_comes_back_with_its_names_and_signs_under_the_same_roots() {
    let ca = ca();
    let files = ca.to_files();
    let secrets: Vec<_> = files.files().iter().filter(|file| file.secret).map(|file| file.name).collect();
    assert_eq!(secrets, ["local-issuing.key.pem", "real-names-issuing.key.pem"]);
    assert!(files.files().iter().all(|file| file.secret == file.text.contains("PRIVATE KEY")));
    let collected = CaFiles::read_with(|name| {
        files.files().into_iter().find(|file| file.name == name).map(|file| file.text.to_owned()).ok_or(())
    });
    for files in [collected.unwrap(), CaFiles::from_bundle(&files.to_bundle()).unwrap()] {
        let read = LabCa::from_files(&files).unwrap();
        assert_eq!((read.roots_pem(), read.covers(&names(), NOW)), (ca.roots_pem(), Ok(())));
        if !openssl_is_absent() {
            let leaf = read.leaf("aos", NOW).unwrap();
            assert_eq!(openssl_verify(&ca, &leaf, "sslserver"), "OK");
        }
    }
}

#[test]
fn files_that_are_damaged_or_do_not_belong_together_are_refused() {
    let (one, other) = (ca().to_files(), ca().to_files());
    let text = |files: &CaFiles, index: usize| files.files()[index].text.to_owned();
    let with = |index: usize, replacement: &str| {
        let mut position = 0;
        let files = CaFiles::read_with(|_| {
            position += 1;
            Ok::<_, ()>(if position == index + 1 { replacement.to_owned() } else { text(&one, position - 1) })
        });
        LabCa::from_files(&files.unwrap())
    };
    assert!(with(0, &text(&one, 0)).is_ok());
    for index in 0..6 {
        let damaged = text(&one, index).replace('M', "N");
        for replacement in ["", "garbage", &text(&other, index), &text(&one, (index + 3) % 6), &damaged] {
            assert!(
                matches!(with(index, replacement), Err(CaError::Files { .. })),
                "{index}: {replacement:.40}"
            );
        }
        assert!(with(index, &"A".repeat(1 << 20)).is_err());
    }
    assert!(CaFiles::from_bundle("").is_none());
    assert!(CaFiles::from_bundle(&"-".repeat(1 << 20)).is_none());
}

#[test]
fn what_the_ca_does_not_cover_is_named() {
    let ca = ca();
    assert_eq!(ca.covers(&names(), NOW), Ok(()));
    let wider = WhyNot::Wider { branch: Branch::Local, name: "aos".to_owned() };
    assert_eq!(ca.covers(&CaNames::default(), NOW), Err(wider));
    let wanting = |dns: &str| {
        let mut names = names();
        names.local_dns.push(dns.to_owned());
        ca.covers(&names, NOW)
    };
    assert_eq!(wanting("sts.adfs.contoso.com"), Ok(()));
    assert_eq!(wanting("AOS"), Ok(()));
    let missing = WhyNot::Name { branch: Branch::Local, name: "sts.contoso.com".to_owned() };
    assert_eq!(wanting("sts.contoso.com"), Err(missing));
    assert!(matches!(wanting("not a name"), Err(WhyNot::Names(_))));
    let mut more = names();
    more.local_ip.push("198.51.100.7".parse::<IpNet>().unwrap());
    let missing = WhyNot::Name { branch: Branch::Local, name: "198.51.100.7/32".to_owned() };
    assert_eq!(ca.covers(&more, NOW), Err(missing));
    let mut more = names();
    more.real_dns.push("sts.windows.net".to_owned());
    assert_eq!(ca.covers(&more, NOW).unwrap_err().branch(), Some(Branch::RealNames));
}

#[test]
fn a_ca_with_under_three_days_left_is_renewed_and_only_that_branch() {
    let ca = ca();
    assert_eq!(ca.covers(&names(), NOW + Duration::days(26)), Ok(()));
    let late = NOW + Duration::days(28);
    assert!(matches!(ca.covers(&names(), late), Err(WhyNot::Ending { branch: Branch::RealNames, .. })));
    assert!(matches!(ca.covers(&names(), NOW + Duration::days(400)), Err(WhyNot::Ending { .. })));
    assert!(matches!(ca.covers(&names(), NOW - Duration::days(2)), Err(WhyNot::NotYetValid { .. })));

    let (renewed, replaced) = ca.renewed(&names(), late).unwrap();
    assert_eq!(replaced, [Branch::RealNames]);
    assert_eq!(renewed.root(Branch::Local), ca.root(Branch::Local));
    assert_ne!(renewed.root(Branch::RealNames), ca.root(Branch::RealNames));
    assert_eq!(renewed.covers(&names(), late), Ok(()));
    assert_eq!(renewed.renewed(&names(), late).unwrap().1, []);
}

#[test]
fn names_that_are_none_too_many_names_and_an_impossible_clock_are_refused() {
    let with = |local_dns: Vec<String>| LabCa::create(&CaNames { local_dns, ..CaNames::default() }, NOW);
    assert!(matches!(with(vec!["a b".to_owned()]), Err(CaError::NotAName { .. })));
    assert!(matches!(with(vec![String::new()]), Err(CaError::NotAName { .. })));
    let many = (0..2000).map(|n| format!("n{n}.example")).collect();
    assert_eq!(with(many).unwrap_err(), CaError::TooManyNames);
    let below_one = (0..2000).map(|n| format!("n{n}.test")).collect();
    assert!(with(below_one).is_ok(), "names below a permitted one cost nothing");
    for now in [datetime!(9999-12-31 00:00 UTC), datetime!(-9999-01-01 00:00 UTC)] {
        assert!(LabCa::create(&CaNames::default(), now).is_err());
    }
}

#[test]
fn printing_a_ca_its_files_or_a_leaf_shows_no_key() {
    let ca = ca();
    let printed = format!("{:?} {:?} {:?}", ca, ca.to_files(), ca.leaf("localhost", NOW).unwrap());
    assert!(!printed.contains("PRIVATE"), "{printed}");
    let key: Vec<u8> = ca.leaf("localhost", NOW).unwrap().key_pkcs8_der;
    assert!(!printed.contains(&format!("{:?}", &key[..8])), "{printed}");
}
