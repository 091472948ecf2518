//! `get`, `set`, `unset`, `try` and which lab they talk to, with the binary and labs of its own.

use std::process::Output;

use serde_json::Value;

use crate::served::{Served, command, run};

const REALM: &str = "/environments/onebox/web_config/Aad.Realm";

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim_end().to_owned()
}

impl Served {
    /// What it says when it does it.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", err(&output));
        out(&output)
    }

    /// How it refuses: exit code, and what it says.
    fn refuses(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        assert_ne!(output.status.code(), Some(0), "{arguments:?}: {}", out(&output));
        (output.status.code().unwrap(), err(&output))
    }
}

#[test]
fn a_setting_is_named_by_as_much_of_its_pointer_as_tells_it_from_others() {
    let lab = Served::new(&[]);
    let realm = lab.says(&["get", REALM]);
    for name in
        ["web_config/Aad.Realm", "onebox/aad.realm", "onebox/Aad.Realm", "onebox/web.config/Aad.Realm"]
    {
        assert_eq!(lab.says(&["get", name]), realm, "{name}");
    }
    let (code, said) = lab.refuses(&["get", "Aad.Realm"]);
    assert_eq!(code, 2, "{said}");
    for setting in [REALM, "/environments/onprem/axsf/Aad.Realm"] {
        assert!(said.lines().any(|line| line.ends_with(setting)), "{said}");
    }
    let thumbprint = lab.says(&["get", "Infrastructure.S2SCertThumbprint"]);
    assert_eq!(lab.says(&["get", "infrastructure.s2scertthumbprint"]), thumbprint, "one environment has it");
    let (code, said) = lab.refuses(&["get", "Aad.Relm"]);
    assert_eq!(code, 1);
    assert!(said.contains("did you mean `Aad.Realm`?"), "{said}");
    let (code, said) = lab.refuses(&["set", "name", "x"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("settings are called name") && said.contains("/tenants/"), "{said}");

    // What is printed to paste is a pointer, and the file keeps its own spelling of the key.
    let new = "spn:c0117050-0000-4000-8000-00000000a002";
    let said = lab.says(&["set", "onebox/AAD.REALM", "spn:00000015-0000-0000-c000-000000000000"]);
    assert_eq!(said.lines().next(), Some(&*format!("changed {REALM}")), "{said}");
    let said = lab.says(&["set", "onebox/aad.realm", new]);
    assert!(said.contains(&format!("\n  spn:00000015-0000-0000-c000-000000000000 -> {new}\n")), "{said}");
    let state = lab.state.path().display();
    assert!(said.ends_with("it counts after: mocktenant restart onebox"), "{said} {state}");
    let keys: Value = serde_json::from_str(&lab.says(&["get", "onebox/web_config"])).unwrap();
    let spellings: Vec<&String> =
        keys.as_object().unwrap().keys().filter(|key| key.eq_ignore_ascii_case("aad.realm")).collect();
    assert_eq!(spellings, ["Aad.Realm"]);

    // The flags that lead to the lab are in what is printed to paste.
    let given =
        command().args(["set", "onebox/Aad.Realm", new, "--state"]).arg(lab.state.path()).output().unwrap();
    assert!(out(&given).contains(&format!("mocktenant restart onebox --state {state}")), "{}", out(&given));
    assert!(out(&given).contains(", as it was"), "{}", out(&given));
}

#[test]
fn a_misspelt_key_is_no_new_one_and_a_removed_one_is_told() {
    let lab = Served::new(&[]);
    let (code, said) = lab.refuses(&["set", "/environments/onebox/web_config/Aad.Relam", "x"]);
    assert_eq!(code, 1);
    assert!(said.contains("did you mean `Aad.Realm`? --new adds one of this name"), "{said}");
    assert!(!lab.says(&["get", "onebox/web_config"]).contains("Aad.Relam"));
    let said = lab.says(&["set", "--new", "onebox/web_config/My.Key", "1"]);
    assert!(said.starts_with("added /environments/onebox/web_config/My.Key\n  1\n"), "{said}");
    let said = lab.says(&["unset", "my.key"]);
    assert!(said.starts_with("removed /environments/onebox/web_config/My.Key\n  was 1\n"), "{said}");
    assert_eq!(lab.refuses(&["unset", "My.Key"]).0, 1);
    // What the declaration knows is no new name, even where nothing is said of it.
    let said = lab.says(&["set", "/environments/onebox/machine/clock", "+20m"]);
    assert!(said.contains("/environments/onebox/machine/clock"), "{said}");
    let (code, said) = lab.refuses(&["set", "/environments/onebox/machine/clok", "+20m"]);
    assert!(code == 1 && said.contains("did you mean `clock`?"), "{said}");
    let (code, said) = lab.refuses(&["set", "/environments/onbox/web_config/X", "1"]);
    assert!(code == 1 && said.contains("there is no setting"), "{said}");
    let said = lab.says(&["set", "onebox/wif_config/audienceUris/-", "spn:abc"]);
    assert!(said.starts_with("added /environments/onebox/wif_config/audienceUris/-"), "{said}");
}

#[test]
fn nothing_of_a_file_and_no_secret_is_shown() {
    let lab = Served::new(&[]);
    let file = lab.state.path().join("web.config");
    let text = "<configuration><appSettings><add key=\"k\" value=\"hunter2-hunter2\"/></appSettings></configuration>";
    std::fs::write(&file, text).unwrap();
    let at_file = format!("@{}", file.display());
    for setting in [
        "onebox/wif_config",
        "/caller",
        "onebox/Aad.Realm/x",
        "onebox/machine",
        "onebox/machine/certificates",
    ] {
        let (_, said) = lab.refuses(&["set", setting, &at_file]);
        assert!(!said.contains("hunter2") && !said.contains("<add"), "{said}");
    }
    let (code, said) = lab.refuses(&["set", "onebox/machine", &at_file]);
    assert!(
        code == 2 && said.contains("only web_config, wif_config, axsf of an environment take a file"),
        "{said}"
    );
    let said = lab.says(&["set", "onebox/web_config", &at_file]);
    assert_eq!(said.lines().next(), Some("changed /environments/onebox/web_config"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    std::fs::write(&file, text.replacen("hunter2\"", "hunter2", 1)).unwrap();
    let (code, said) = lab.refuses(&["set", "onebox/web_config", &at_file]);
    assert!(code == 1 && said.contains("web.config:1:") && !said.contains("hunter2"), "{said}");
    // JSON of the wrong kind is not shown either.
    std::fs::write(
        &file,
        "{\"client_secret\": {\"a\": \"hunter2-hunter2\"}, \"tenant\": \"hunter2-hunter2\"}",
    )
    .unwrap();
    let (_, said) = lab.refuses(&["set", "/caller", &at_file]);
    assert!(!said.contains("hunter2"), "{said}");
    std::fs::write(&file, "\"hunter2-hunter2\"").unwrap();
    let (_, said) = lab.refuses(&["set", "/caller", &at_file]);
    assert!(!said.contains("hunter2"), "{said}");

    let settings: Value = serde_json::from_str(&lab.says(&["settings"])).unwrap();
    let secret = settings["entra"]["client_secret"].as_str().unwrap();
    for what in ["/caller", "/caller/client_secret", "world", "", "/tenants"] {
        assert!(!lab.says(&["get", what]).contains(secret), "{what}");
    }
    assert_eq!(lab.says(&["get", "--show-secrets", "/caller/client_secret"]), secret);
    let said = lab.says(&["set", "/caller/client_secret", "another-secret-of-mine"]);
    assert!(!said.contains(secret) && !said.contains("another-secret-of-mine"), "{said}");
}

#[test]
fn a_config_file_is_taken_as_it_stands_and_what_it_says_as_json() {
    let lab = Served::new(&[]);
    let file = lab.state.path().join("AXSF.Package.1.0.xml");
    let at_file = format!("@{}", file.display());
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../testdata/configs/AXSF.fragment.xml");
    let fragment = std::fs::read_to_string(sample).unwrap();
    let tenant = |tenant: &str| {
        fragment.replace("IDTenantId\" Value=\"adfs\"", &format!("IDTenantId\" Value=\"{tenant}\""))
    };
    let utf16 = |text: &str| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    for (bytes, expected) in [(tenant("one").into_bytes(), "one"), (utf16(&tenant("two")), "two")] {
        std::fs::write(&file, bytes).unwrap();
        let said = lab.says(&["set", "onprem/axsf", &at_file]);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "changed /environments/onprem/axsf", "{said}");
        assert!(lines.len() == 2 && lines[1].ends_with("mocktenant restart onprem"), "{said}");
        assert_eq!(lab.says(&["get", "onprem/axsf/Aad.AADTenantId"]), expected);
        let origin: Value =
            serde_json::from_str(&lab.says(&["get", "--json", "onprem/Aad.AADTenantId"])).unwrap();
        assert_eq!(origin["origin"]["line"], 5, "{origin}");
    }
    std::fs::write(&file, "{ \"Aad.AADTenantId\": \"three\" }\n").unwrap();
    lab.says(&["set", "onprem/axsf", &at_file]);
    assert_eq!(
        lab.says(&["get", "onprem/axsf"]).split_whitespace().collect::<String>(),
        "{\"Aad.AADTenantId\":\"three\"}"
    );
    // One that is not there yet comes into being with the file.
    std::fs::write(&file, tenant("four")).unwrap();
    let axsf = "/environments/onprem/axsf";
    lab.says(&["unset", axsf]);
    let said = lab.says(&["set", axsf, &at_file]);
    assert_eq!(said.lines().next(), Some("added /environments/onprem/axsf"), "{said}");
    assert_eq!(lab.says(&["get", "onprem/axsf/Aad.AADTenantId"]), "four");
}

#[test]
fn a_noun_of_the_control_api_can_be_got() {
    let lab = Served::new(&[]);
    for (noun, pointer) in [
        ("journal", "/records"),
        ("scenarios", "/0/name"),
        ("settings", "/control_url"),
        ("errors", "/entra"),
        ("openapi.json", "/paths/~1v1~1try/post/summary"),
        ("world", "/caller"),
    ] {
        let document: Value = serde_json::from_str(&lab.says(&["get", noun])).unwrap();
        assert!(document.pointer(pointer).is_some(), "{noun}: {document}");
    }
}

#[test]
fn a_verb_that_is_told_which_lab_talks_to_no_other() {
    let (first, second) = (Served::new(&[]), Served::new(&[]));
    first.says(&["set", "/caller/tenant", "contoso.onmicrosoft.com"]);
    assert_eq!(first.says(&["get", "/caller/tenant"]), "contoso.onmicrosoft.com");
    assert_ne!(second.says(&["get", "/caller/tenant"]), "contoso.onmicrosoft.com");
    // Where no lab was started there is none, whatever answers on the usual port.
    let nowhere = tempfile::tempdir().unwrap();
    for verb in
        [&["explain"][..], &["get", "/caller"], &["try"], &["scenarios", "--reset"], &["ready"], &["journal"]]
    {
        let output = run(nowhere.path(), verb);
        assert_eq!(output.status.code(), Some(3), "{verb:?}: {}", out(&output));
        let said = err(&output);
        assert!(said.contains("no lab was started in") && said.contains("--port 0"), "{said}");
        assert!(!said.contains("7440"), "{said}");
    }
    let waited = run(nowhere.path(), &["ready", "--wait=1"]);
    assert_eq!(waited.status.code(), Some(3), "{}", out(&waited));
    // A second lab of the same directory is refused with a hint that works.
    let again = first.run(&["serve"]);
    assert!(err(&again).contains("--port 0 --state DIR starts another"), "{}", err(&again));
}

#[test]
fn variables_that_stay_in_the_environment_break_a_lab_at_its_start_and_never_later() {
    let broken = Served::with(&[("MOCKTENANT_SCENARIO", "half-done")], &[]);
    let realm = broken.says(&["get", "onebox/Aad.Realm"]);
    assert_eq!(realm, "spn:00000015-0000-0000-c000-000000000000");
    broken.says(&["scenarios", "--reset"]);
    assert_ne!(broken.says(&["get", "onebox/Aad.Realm"]), realm, "a reset leads to the healthy world");
    let state = broken.state.path();
    let listing = |verb: &[&str]| {
        let mut command = command();
        command.env("MOCKTENANT_STATE", state).env("MOCKTENANT_SCENARIO", "half-done");
        command
            .env("MOCKTENANT_RESET", "1")
            .env("MOCKTENANT_SCOPE", "environment/onebox")
            .args(verb)
            .output()
            .unwrap()
    };
    for verb in [&["scenarios"][..], &["scenarios", "--json"], &["get", "/caller"], &["journal"]] {
        assert_eq!(listing(verb).status.code(), Some(0));
    }
    assert_ne!(broken.says(&["get", "onebox/Aad.Realm"]), realm, "a listing changes nothing");

    let unknown =
        run(tempfile::tempdir().unwrap().path(), &["serve", "--port", "0", "--scenario", "half-don"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", err(&unknown));
    assert!(err(&unknown).contains("half-done"), "{}", err(&unknown));
}

/// A key that came with what nobody sees is named as it is shown.
#[test]
fn a_name_that_holds_what_nobody_sees_can_be_pasted() {
    let lab = Served::new(&[]);
    lab.says(&["set", "--new", "/environments/onebox/web_config/Hidden\u{200e}Key", "x"]);
    let shown = r"/environments/onebox/web_config/Hidden\u{200e}Key";
    assert_eq!(lab.says(&["get", shown]), "x");
    let said = lab.says(&["unset", shown]);
    assert!(said.contains(r"Hidden\u{200e}Key"), "{said}");
    assert_eq!(lab.refuses(&["get", shown]).0, 1);
}

#[test]
fn a_demo_can_be_repeated_and_is_told_in_three_lines() {
    let lab = Served::new(&[]);
    for _ in 0..3 {
        let said = lab.says(&["try"]);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 4, "{said}");
        for (line, product) in lines.iter().zip(["entra", "aos", "dataverse"]) {
            assert!(line.contains(product), "{line}");
        }
        assert!(lines[3].starts_with("done: x-"), "{said}");
    }
    lab.says(&["scenarios", "--use", "half-done"]);
    let refused = lab.run(&["try"]);
    assert_eq!(refused.status.code(), Some(1), "{}", out(&refused));
    let said = out(&refused);
    let why = said.lines().last().unwrap().split_once("the whole chain: mocktenant ").unwrap().1;
    let explained = lab.says(&why.split(' ').collect::<Vec<_>>());
    assert!(explained.contains("Aad.Realm"), "{explained}");
}
