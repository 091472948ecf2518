//! A federation service by the command: its values, its groups, its keys, its clock, and the way back.

use serde_json::Value;

use crate::served::{Served, text};

fn says(lab: &Served, arguments: &[&str]) -> String {
    let output = lab.run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout).trim_end().to_owned()
}

fn refuses(lab: &Served, arguments: &[&str]) -> (i32, String) {
    let output = lab.run(arguments);
    (output.status.code().unwrap(), text(&output.stderr))
}

#[test]
fn settings_of_a_federation_service_have_short_names() {
    let lab = Served::new(&[]);
    let said = says(&lab, &["set", "federation_services/contoso/clock", "+20m"]);
    assert!(said.starts_with("added /federation_services/contoso/clock\n  +20m"), "{said}");
    assert_eq!(says(&lab, &["get", "federation_services/contoso/clock"]), "+20m");
    let said = says(&lab, &["set", "m365_compatibility", "false"]);
    assert!(said.contains("/federation_services/contoso/m365_compatibility\n  true -> false"), "{said}");
    let said = says(&lab, &["set", "federation_services/contoso/users/ada@contoso.com/enabled", "false"]);
    assert!(said.contains("  true -> false"), "{said}");
    let users: Value = serde_json::from_str(&says(&lab, &["get", "users"])).unwrap();
    assert_eq!(users[1]["enabled"], false);
    let (code, said) = refuses(&lab, &["set", "federation_services/contoso/clok", "+20m"]);
    assert!(code == 1 && said.contains("did you mean `clock`?"), "{said}");
    let groups: Value = serde_json::from_str(&says(&lab, &["get", "application-groups"])).unwrap();
    assert_eq!(groups[0]["applications"][2]["kind"], "Server application");

    let reset = ["scenarios", "--reset", "--scope", "federation-service/contoso"];
    assert!(says(&lab, &reset).starts_with("federation-service/contoso of the lab at "));
    let (code, _) = refuses(&lab, &["get", "federation_services/contoso/clock"]);
    assert_eq!(code, 1);
    assert_eq!(says(&lab, &["get", "m365_compatibility"]), "true");
}

#[test]
fn a_rollover_prints_what_signs_and_what_stays_published() {
    let lab = Served::new(&[]);
    let once = says(&lab, &["rollover", "adfs.contoso.com"]);
    let lines: Vec<&str> = once.lines().collect();
    let new = lines[0].strip_prefix("federation-service/contoso signs with ").unwrap();
    let old = lines[1].strip_prefix("  still published: ").unwrap();
    assert_eq!(lines.len(), 2, "{once}");
    let twice = says(&lab, &["rollover", "contoso"]);
    assert_eq!(twice, format!("federation-service/contoso signs with {old}\n  still published: {new}"));
    assert!(says(&lab, &["rollover", "contoso.onmicrosoft.com"]).starts_with("tenant/c0117050-"));
    let (code, said) = refuses(&lab, &["rollover", "adfs.contoso.example"]);
    assert!(code == 2 && said.contains("federation-service/contoso"), "{said}");
    says(&lab, &["scenarios", "--reset"]);
    says(&lab, &["unset", "next_signing_key"]);
    let (code, said) = refuses(&lab, &["rollover", "contoso"]);
    assert!(code == 1 && said.contains("/federation_services/contoso/signing_keys"), "{said}");
}

#[test]
fn a_stop_and_a_start_say_what_they_did_and_a_reset_starts_what_is_stopped() {
    let lab = Served::new(&[]);
    let said = says(&lab, &["stop", "adfs.contoso.com"]);
    let (first, hint) = said.split_once('\n').unwrap();
    assert_eq!(first, "federation-service/contoso is stopped");
    assert!(hint.starts_with("  it answers again after: mocktenant start adfs.contoso.com"), "{hint}");
    assert!(says(&lab, &["stop", "contoso"]).starts_with("federation-service/contoso was stopped already\n"));
    assert_eq!(says(&lab, &["get", "federation_services/contoso/stopped"]), "true");
    assert_eq!(says(&lab, &["start", "contoso"]), "federation-service/contoso runs again");
    assert_eq!(says(&lab, &["start", "ADFS.contoso.com"]), "federation-service/contoso runs already");
    for verb in ["stop", "start"] {
        for nobody in ["box7", "adfs.contoso.example"] {
            let (code, said) = refuses(&lab, &[verb, nobody]);
            assert!(code == 2 && said.contains("there are: federation-service/contoso"), "{said}");
        }
        assert_eq!(refuses(&lab, &[verb]).0, 2);
        assert!(says(&lab, &[verb, "--help"]).contains("mocktenant start adfs.contoso.com"), "{verb}");
    }
    says(&lab, &["stop", "contoso"]);
    says(&lab, &["scenarios", "--reset"]);
    assert_eq!(says(&lab, &["get", "federation_services/contoso/stopped"]), "false");
}

#[test]
fn nodes_are_stopped_restarted_shown_and_serviced_one_by_one() {
    let lab = Served::new(&[]);
    let states = |lab: &Served| -> Vec<(String, String)> {
        let lines = says(lab, &["get", "onprem/nodes"]);
        let words = |line: &str| line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
        let nodes = lines.lines().filter(|line| !line.starts_with(' ')).map(words);
        nodes.map(|words| (words[0].clone(), words[1].clone())).collect()
    };
    let all = |second: &str| {
        [("onprem/AOS_1", "running"), ("onprem/AOS_2", second), ("onprem/AOS_3", "running")]
            .map(|(node, state)| (node.to_owned(), state.to_owned()))
    };
    assert_eq!(states(&lab), all("running"));
    assert!(says(&lab, &["stop", "onprem/AOS_2"]).starts_with("onprem/AOS_2 is stopped\n"));
    assert_eq!(states(&lab), all("stopped"));
    assert_eq!(says(&lab, &["start", "onprem/AOS_2"]), "onprem/AOS_2 runs again");
    let current = "onprem/nodes/AOS_2/AXSF.Package.Current.xml";
    let before = says(&lab, &["get", current]);
    assert!(before.contains("Name=\"AADTenantId\" Value=\"adfs\""), "{before}");
    let own = "onprem/nodes/AOS_2/axsf/Aad.AADTenantId";
    let said = says(&lab, &["set", "--new", own, "other"]);
    assert!(said.contains("mocktenant restart onprem/AOS_2"), "{said}");
    let pending = says(&lab, &["get", "onprem/nodes"]);
    let waits = "  restart pending: /environments/onprem/nodes/AOS_2/axsf/Aad.AADTenantId";
    assert!(pending.lines().any(|line| line == waits), "{pending}");
    assert_eq!(says(&lab, &["get", current]), before, "it runs with what it read");
    assert_eq!(says(&lab, &["restart", "onprem/AOS_2"]), "restarted onprem/AOS_2");
    assert!(says(&lab, &["get", current]).contains("Name=\"AADTenantId\" Value=\"other\""));
    assert_eq!(
        says(&lab, &["servicing", "onprem"]),
        "serviced onprem\n  gone: /environments/onprem/nodes/AOS_2/axsf/Aad.AADTenantId"
    );
    assert_eq!(says(&lab, &["servicing"]), "serviced onprem\n  nothing was edited on single nodes");
    assert_eq!(says(&lab, &["get", current]), before);
    for (arguments, there) in [
        (&["restart", "onprem/AOS_9"][..], "AOS_1"),
        (&["stop", "onprem/AOS_9"], "onprem/AOS_2"),
        (&["servicing", "nowhere"], "onprem"),
    ] {
        let (code, said) = refuses(&lab, arguments);
        assert!(code == 2 && said.contains(there), "{arguments:?}: {said}");
    }
    says(
        &lab,
        &[
            "set",
            "--new",
            "onprem/nodes/AOS_2/axsf/Aad.AADMetadataLocationFormat",
            "https://adfs.contoso.example/x",
        ],
    );
    assert_eq!(refuses(&lab, &["restart", "onprem/AOS_2"]).0, 1);
    assert_eq!(states(&lab), all("not-started"));
    let log = says(&lab, &["events", "--log", "aos"]);
    assert!(
        log.contains("IDX20803: Unable to obtain configuration from: 'https://adfs.contoso.example/x'"),
        "{log}"
    );
}
