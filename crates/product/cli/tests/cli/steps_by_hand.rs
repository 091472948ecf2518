//! `reproduce` tells for each step what a person does on the real product, in text and as data.

use serde_json::Value;

use crate::served::command_in;

const APP: &str = "c0117050-0000-4000-8000-00000000a002";

fn reproduced(arguments: &[&str]) -> String {
    let state = tempfile::tempdir().unwrap();
    let output = command_in(state.path()).arg("reproduce").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn below_the_title_of_a_step_stand_the_lines_to_do_by_hand_and_the_vendors_page_last() {
    let story = reproduced(&["half-done"]);
    let value = format!("value=\"spn:{APP}\" />");
    let page = "see https://learn.microsoft.com/en-us/dynamics365/fin-ops-core/dev-itpro/dev-tools/secure-developer-vm";
    let mut lines = story.lines().skip_while(|line| !line.contains(", restart")).map(str::trim);
    assert_eq!(lines.next(), Some(format!("Aad.Realm = spn:{APP}, restart").as_str()), "{story}");
    assert_eq!(lines.next(), Some(r"K:\AosService\WebRoot\web.config:"), "{story}");
    assert_eq!(lines.next(), Some("<add key=\"Aad.Realm\""), "{story}");
    assert_eq!(lines.next(), Some(value.as_str()), "{story}");
    assert_eq!(lines.next(), Some("IISRESET"), "{story}");
    assert_eq!(lines.next(), Some(page), "{story}");
    assert_eq!(lines.next(), Some("now: account DE-010 is there"), "{story}");
}

#[test]
fn every_step_has_how_and_see_as_data() {
    let story: Value = serde_json::from_str(&reproduced(&["tenant-cert-absent", "--json"])).unwrap();
    let steps = story["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 5);
    for step in steps {
        assert!(step["how"].as_array().is_some_and(|how| how.iter().all(Value::is_string)), "{step:#}");
        assert!(step["see"].as_str().is_some_and(|page| page.starts_with("https://")), "{step:#}");
        assert!(!step["how"].to_string().contains("{app}"), "{step:#}");
    }
}
