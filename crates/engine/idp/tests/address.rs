//! Addresses by the corpus in `addresses.tsv`, under three rules that providers have, and by chance, with another reader of
//! addresses as the judge.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::HashSet;

use http::Uri;
use mocktenant_idp::address::{Fault, LONGEST, Policy, registered};
use proptest::prelude::*;

const EXACT: Policy<'_> = Policy {
    schemes: None,
    exact_text: true,
    host_case_counts: false,
    final_slash_counts: true,
    below: false,
    free_ports: &[],
    fragment: false,
};
/// As Microsoft documents it for Entra ID.
const FREE_PORT: Policy<'_> = Policy { free_ports: &["localhost", "127.0.0.1"], ..EXACT };
/// What a passive reply address is compared by.
const BELOW: Policy<'_> = Policy { schemes: Some(&["https"]), exact_text: false, below: true, ..EXACT };

const CORPUS: &str = include_str!("addresses.tsv");

/// A text of the corpus as it is sent: `\n`, `\0`, `\x7f`, `\u{fc}` and `{x*9}` written out.
fn written_out(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '{']) {
        out.push_str(&rest[..at]);
        let (sign, after) = rest[at..].split_at(1);
        let (one, used) = match (sign, after.chars().next()) {
            ("\\", Some('n')) => (Some('\n'.to_string()), 1),
            ("\\", Some('r')) => (Some('\r'.to_string()), 1),
            ("\\", Some('t')) => (Some('\t'.to_string()), 1),
            ("\\", Some('0')) => (Some('\0'.to_string()), 1),
            ("\\", Some('\\')) => (Some('\\'.to_string()), 1),
            ("\\", Some('x')) => (letter(&after[1..3]), 3),
            ("\\", Some('u')) => {
                let end = after.find('}').unwrap();
                (letter(&after[2..end]), end + 1)
            }
            _ => {
                match after.split_once('}').and_then(|(inside, _)| Some((inside, inside.split_once('*')?))) {
                    Some((inside, (part, times))) => {
                        (Some(part.repeat(times.parse().unwrap())), inside.len() + 1)
                    }
                    None => (None, 0),
                }
            }
        };
        out.push_str(one.as_deref().unwrap_or(sign));
        rest = &after[used..];
    }
    out + rest
}

fn letter(digits: &str) -> Option<String> {
    char::from_u32(u32::from_str_radix(digits, 16).unwrap()).map(String::from)
}

fn verdict(policy: &Policy<'_>, known: &[&str], sent: &str) -> &'static str {
    match registered(policy, known, sent) {
        Ok(found) => {
            assert!(known.contains(&found), "{found}");
            "yes"
        }
        Err(refused) => refused.fault.name(),
    }
}

#[test]
fn every_address_of_the_corpus_has_the_verdict_of_each_rule() {
    let (mut cases, mut names, mut wrong) = (0, HashSet::new(), Vec::new());
    for (number, line) in CORPUS.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [known, sent, exact, free_port, below, why] = cells[..] else { panic!("line {}", number + 1) };
        let known: Vec<String> = known.split(' ').map(written_out).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let sent = written_out(sent);
        for (rule, policy, expected) in
            [("exact", EXACT, exact), ("free port", FREE_PORT, free_port), ("below", BELOW, below)]
        {
            let found = verdict(&policy, &known, &sent);
            if found != expected {
                wrong.push(format!("{}: {rule}: {found}, not {expected} ({why})", number + 1));
            }
            names.insert(found);
        }
        cases += 1;
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases >= 150, "{cases}");
    // Every refusal there is, and being accepted.
    assert_eq!(names.len(), 20, "{names:?}");
}

#[test]
fn the_escapes_of_the_corpus_are_written_out() {
    assert_eq!(written_out(r"a\n\r\t\0\\\x7f\u{fc}{ab*2}{c}\"), "a\n\r\t\0\\\u{7f}\u{fc}abab{c}\\");
}

#[test]
fn the_other_answers_a_rule_can_give_change_the_verdict_and_nothing_else() {
    let loose = Policy { exact_text: false, ..EXACT };
    let slash = Policy { final_slash_counts: false, ..EXACT };
    let case = Policy { host_case_counts: true, ..EXACT };
    let fragment = Policy { fragment: true, ..EXACT };
    let web = Policy { schemes: Some(&["http", "https"]), ..EXACT };
    for (policy, known, sent, expected) in [
        (case, "https://a.b/c", "https://A.b/c", "not-registered"),
        (case, "https://a.b/c", "HTTPS://a.b/c", "not-registered"),
        (case, "https://A.b/c", "https://A.b/c", "yes"),
        (slash, "https://a.b/c", "https://a.b/c/", "yes"),
        (slash, "https://a.b/c/", "https://a.b/c", "yes"),
        (slash, "https://a.b/", "https://a.b", "yes"),
        (slash, "https://a.b/c", "https://a.b/c//", "not-registered"),
        (slash, "https://a.b/c?d", "https://a.b/c/?d", "yes"),
        (slash, "https://a.b/c?d", "https://a.b/c?d/", "not-registered"),
        (fragment, "https://a.b/#c", "https://a.b/#c", "yes"),
        (fragment, "https://a.b/#c", "https://a.b/#d", "not-registered"),
        (fragment, "https://a.b/", "https://a.b/#", "not-registered"),
        (loose, "https://a.b", "https://a.b:443/", "yes"),
        (loose, "http://a.b:80/", "http://a.b", "yes"),
        (loose, "https://a.b:80/", "https://a.b/", "not-registered"),
        (loose, "https://a.b/c", "https://a.b/c/d", "not-registered"),
        (loose, "https://a.b/c", "https://a.b/c?d", "not-registered"),
        (loose, "app://a", "app://a/", "not-registered"),
        (web, "app://a", "app://a", "scheme"),
        (web, "http://a.b/", "HTTP://a.b/", "yes"),
        (Policy { schemes: None, ..BELOW }, "app://a/b", "app://a/b/../c", "not-registered"),
        (Policy { schemes: None, ..BELOW }, "app://a/b", "app://a/b/c", "not-registered"),
    ] {
        assert_eq!(verdict(&policy, &[known], sent), expected, "{known} {sent}");
    }
}

#[test]
fn a_refusal_says_why_in_words_and_names_what_was_probably_meant() {
    let known = ["https://app.contoso.com/signin", "https://app.contoso.com/"];
    let refused = registered(&EXACT, &known, "https://app.contoso.com/SignIn").unwrap_err();
    assert_eq!(refused.to_string(), "it is not registered");
    assert_eq!(refused.near.map(|near| (near.known, near.by)), Some((known[0], "letter case")));
    let near = |sent: &str| registered(&EXACT, &known, sent).unwrap_err().near.map(|near| near.by);
    assert_eq!(near("https://app.contoso.com:443/signin"), Some("its port"));
    assert_eq!(near("https://app.contoso.com/signin "), Some("blanks around it"));
    assert_eq!(near("https://app.contoso.com.evil.example/signin"), None);
    assert_eq!(near(&format!("https://app.contoso.com/{}", "x".repeat(LONGEST))), None);
    assert_eq!(registered(&EXACT, &[], known[0]).unwrap_err().fault, Fault::NotRegistered);
}

const PIECES: &[&str] = &[
    "https",
    "http",
    ":",
    "//",
    "/",
    "\\",
    "@",
    "?",
    "#",
    "%2e",
    "%2f",
    "%",
    "..",
    ".",
    "[",
    "]",
    "::1",
    ":443",
    ":8080",
    "app.contoso.com",
    "APP.contoso.com",
    "localhost",
    "127.0.0.1",
    "evil.example",
    "signin",
    "\u{fc}",
    "\u{3002}",
    " ",
    "\t",
    "\0",
    "xn--a",
    "a=b",
    "&",
    ";",
    "'",
    "javascript",
    "0x7f.1",
];
const KNOWN: &[&str] = &[
    "https://app.contoso.com/signin",
    "https://app.contoso.com",
    "http://localhost/cb",
    "http://127.0.0.1:8400/",
    "https://[::1]/cb",
    "https://contoso.com/app/?a=b",
    "app://58145B91/cb",
];

/// A registered address with a few pieces put in or in the place of others, its letter case changed here and there.
fn nearly() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0..6_usize, prop::sample::select(PIECES), any::<bool>());
    (prop::sample::select(KNOWN), prop::collection::vec(change, 0..3), any::<u64>()).prop_map(
        |(known, changes, case)| {
            let mut text: Vec<char> = known.chars().collect();
            if case % 3 == 0 {
                for (at, letter) in text.iter_mut().enumerate().filter(|(at, _)| case >> (at % 60) & 1 == 1) {
                    // The path keeps its case, else hardly anything is accepted.
                    *letter = if at < 20 { letter.to_ascii_uppercase() } else { *letter };
                }
            }
            for (at, taken, piece, put) in changes {
                let at = at.index(text.len() + 1);
                let end = (at + taken).min(text.len());
                text.splice(at..end, piece.chars().filter(|_| put));
            }
            text.into_iter().collect()
        },
    )
}

fn anything() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..9).prop_map(|pieces| pieces.concat())
}

/// Scheme, host and path, as the `http` crate reads them.
fn judged(text: &str) -> (String, String, String) {
    let uri: Uri = text.parse().unwrap();
    let lower = |text: Option<&str>| text.unwrap().to_ascii_lowercase();
    (lower(uri.scheme_str()), lower(uri.host()), uri.path().to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_accepted_leads_to_the_scheme_and_the_host_that_are_registered(
        sent in prop_oneof![4 => nearly(), 1 => anything()],
    ) {
        for policy in [EXACT, FREE_PORT, BELOW, Policy { exact_text: false, final_slash_counts: false, fragment: true, ..EXACT }] {
            if let Ok(found) = registered(&policy, KNOWN, &sent) {
                let ((scheme, host, path), known) = (judged(&sent), judged(found));
                prop_assert_eq!(scheme, known.0);
                prop_assert_eq!(host, known.1);
                prop_assert!(path.starts_with(known.2.trim_end_matches('/')), "{} {}", path, known.2);
                prop_assert!(policy.below || path.len().abs_diff(known.2.len()) <= 1);
                if policy.exact_text && policy.free_ports.is_empty() && policy.final_slash_counts {
                    prop_assert!(sent.eq_ignore_ascii_case(found));
                }
            }
        }
    }
}
