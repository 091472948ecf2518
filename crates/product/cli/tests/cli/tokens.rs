//! `token` and `explain --at`: what a shell does with them.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::served::{Served, code, command_in, text};

/// The command, with this on its stdin.
fn piped(served: &Served, input: &str, arguments: &[&str]) -> Output {
    let mut child = command_in(served.state.path()).args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_token_is_all_there_is_on_stdout_and_goes_into_what_judges_it() {
    let served = Served::new(&[]);
    let made = served.run(&["token"]);
    let token = text(&made.stdout);
    assert_eq!((code(&made), token.lines().count(), &*text(&made.stderr)), (0, 1, ""));
    assert!(token.starts_with("eyJ") && token.trim_end().split('.').count() == 3, "{token}");
    let good = piped(&served, &token, &["explain", "--at", "onebox"]);
    assert_eq!(code(&good), 0, "{}", text(&good.stdout));
    assert!(text(&good.stdout).contains("passed   token-signature"), "every check is shown");
    // As it stands in a header, with everything around it.
    let good = piped(&served, &format!("  Bearer {token}\n\n"), &["explain", "--at", "aos", "--json"]);
    assert_eq!(code(&good), 0);
    let document: Value = serde_json::from_slice(&good.stdout).unwrap();
    assert_eq!(document["checks"].as_array().unwrap().len(), 11);

    let made = served.run(&["token", "--resource", "dataverse", "--defect", "wrong-tenant", "--json"]);
    let document: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(document["defect"], "wrong-tenant");
    let file = served.state.path().join("token.txt");
    std::fs::write(&file, document["token"].as_str().unwrap()).unwrap();
    let file = file.to_str().unwrap();
    let refused = served.run(&["explain", "--at", "contoso", "--file", file]);
    assert_eq!(code(&refused), 1);
    let told = text(&refused.stdout);
    assert!(told.contains("cause   the request") && told.contains("FAILED   token-tenant"), "{told}");
    // Nobody was refused: there is nothing to explain but what somebody judges.
    assert_eq!(code(&served.run(&["explain"])), 1);
    let journal = text(&served.run(&["journal"]).stdout);
    assert!(journal.contains("forge") && journal.contains("judge"), "{journal}");
    assert!(!journal.contains("eyJ"), "{journal}");
}

#[test]
fn ad_fs_makes_tokens_too_and_judges_those_that_come_back_to_it() {
    let served = Served::new(&[]);
    let made = served.run(&["token", "--issuer", "adfs", "--claim", "sub=somebody"]);
    assert_eq!((code(&made), &*text(&made.stderr)), (0, ""));
    let good = piped(&served, &text(&made.stdout), &["explain", "--at", "adfs"]);
    assert_eq!(code(&good), 0, "{}", text(&good.stdout));
    assert!(text(&good.stdout).contains("passed   token-subject"), "{}", text(&good.stdout));
    let of = |more: &[&str]| {
        let order = ["token", "--issuer", "adfs", "--resource", "https://ax.contoso.com/"];
        served.run(&[&order[..], more].concat())
    };
    let refused = piped(&served, &text(&of(&[]).stdout), &["explain", "--at", "adfs"]);
    let told = text(&refused.stdout);
    assert!(code(&refused) == 1 && told.contains("FAILED   token-audience"), "{told}");
    // The AOS behind it takes the same token; one of another resource not.
    let good = piped(&served, &text(&of(&[]).stdout), &["explain", "--at", "onprem"]);
    let told = text(&good.stdout);
    assert!(code(&good) == 0 && told.contains("passed   application-mapped"), "{told}");
    let refused = piped(&served, &text(&made.stdout), &["explain", "--at", "onprem"]);
    let told = text(&refused.stdout);
    assert!(code(&refused) == 1 && told.contains("FAILED   token-audience"), "{told}");
    let (made, nobody) = (of(&["--defect", "no-tid"]), served.run(&["token", "--issuer", "aos"]));
    assert!(code(&made) == 1 && text(&made.stderr).contains("tokens do not have"), "{}", text(&made.stderr));
    assert!(code(&nobody) == 1 && text(&nobody.stderr).contains("entra, adfs"), "{}", text(&nobody.stderr));
}

#[test]
fn what_cannot_be_ordered_or_judged_says_what_could() {
    let served = Served::new(&[]);
    let refused = |arguments: &[&str]| {
        let output = served.run(arguments);
        (code(&output), text(&output.stderr))
    };
    let (status, told) = refused(&["token", "--resource", "oneboks"]);
    assert!(status == 1 && told.contains("api://contoso-api"), "{told}");
    let (status, told) = refused(&["token", "--defect", "no-aud"]);
    assert!(status == 2 && told.contains("hs256-with-public-key"), "{told}");
    assert_eq!(refused(&["token", "--claim", "tid"]).0, 2);
    let (status, told) = refused(&["explain", "--at", "onebox"]);
    assert!(status == 2 && told.contains("mocktenant token | "), "{told}");
    let (status, told) = refused(&["explain", "--at", "onebox", "--file", "/nowhere/token"]);
    assert!(status == 2 && told.contains("/nowhere/token cannot be read"), "{told}");
    let nowhere = piped(&served, "eyJ", &["explain", "--at", "nowhere"]);
    assert!(
        code(&nowhere) == 1
            && text(&nowhere.stderr).contains("entra, adfs, aos, dataverse, onebox, onprem, contoso")
    );
    assert_eq!(refused(&["explain", "--file", "token"]).0, 2, "--file is for --at");
}
