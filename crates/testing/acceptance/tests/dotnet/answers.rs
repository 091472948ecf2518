//! Answers of both services as Microsoft's own OData library reads them by the models of their `$metadata`, and as it writes them
//! anew.
//!
//! Decides that every member comes out as it went in, the order of annotations aside, and by name and reason which answers the
//! library does not read. `clients/dotnet/answers.cs` makes the requests, unreadable ones among them. Where `MOCKTENANT_ODATA_ANSWERS`
//! names a folder, the answers are read that the benches of both products kept there, and what the labs of this suite wrote down.

use serde_json::Value;

use crate::{exec, file, program};

/// Sets that worlds of tests declare; their columns begin with `new_` and `My`.
const DECLARED: [&str; 2] = ["new_widgets", "MyCategories"];

/// Why the library does not take an answer, or writes it otherwise; `None` if there is no reason.
fn reason(one: &Value) -> Option<&'static str> {
    let text = |name: &str| one[name].as_str().unwrap();
    let (url, why, body) = (text("Url"), text("why"), text("Body"));
    let asked = |part: &str| url.contains(part);
    let undeclared = |name: &str| why.contains(&format!("does not exist on type '{name}"));
    let fetched = asked("fetchXml=") || body.contains("1.lastname@OData.Community.Display.V1.AttributeName");
    let worked_out = asked("$apply=") || fetched;
    if worked_out && one["kind"] == "unread" {
        Some("what is worked out or joined is no property of the type, and only open types may have others")
    } else if asked("$apply=") && why.starts_with("/@odata.context: ") {
        Some("the context of what is worked out is the whole set's (captured)")
    } else if asked("/EntityDefinitions") || body.contains("$metadata#EntityDefinitions") {
        Some("the types of definitions are left out of $metadata")
    } else if !body.contains("\"@odata.context\"") {
        Some("without a context nobody can read it: no metadata was asked for")
    } else if undeclared("Microsoft.Dynamics.CRM.principal") {
        Some("an owner is expanded as a user, and $metadata tells of a principal, as the product's does")
    } else if undeclared("Microsoft.Dynamics.DataEntities.") && body.contains("@odata.navigationLink") {
        Some("full metadata names links to sets that are not built, and so not in $metadata")
    } else if DECLARED.iter().any(|name| body.contains(&format!("$metadata#{name}")))
        || why.contains("does not exist on type") && (why.contains("'new_") || why.contains("'My"))
    {
        Some("a world of the test's own declares it, and this one's $metadata is another")
    } else if one["kind"] == "Property" && asked("/data/") && why.starts_with("/@odata.context: ") {
        Some("a record is told by its own address, not by the way that was gone or as it was asked for")
    } else if asked("/data/") && asked("$expand=") && why.starts_with("/@odata.context: ") {
        Some("an expansion is in the context as older versions of the library have it (captured)")
    } else {
        None
    }
}

fn told(folder: &str) -> Vec<Value> {
    let Some(mut answers) = program("answers.cs") else { return Vec::new() };
    answers.extend([folder.into(), file("queries.txt").into()]);
    let said = exec("secret", "\"$@\"", &answers);
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn judge(folder: &str, least: u64) {
    let told = told(folder);
    let Some((last, found)) = told.split_last() else { return };
    let odd: Vec<String> = found.iter().filter(|one| reason(one).is_none()).map(Value::to_string).collect();
    assert!(odd.is_empty(), "{} of {last}:\n{}", odd.len(), odd.join("\n"));
    assert!(last["distinct"].as_u64().unwrap() >= least, "{last}");
    for kind in ["Error", "Property", "Resource", "ResourceSet", "ServiceDocument"] {
        assert!(last["kinds"][kind].as_u64().is_some(), "no {kind}: {last}");
    }
}

#[test]
fn the_odata_library_reads_every_answer_and_writes_it_as_it_was() {
    judge("", 1_500);
}

#[test]
fn the_odata_library_reads_what_benches_and_labs_kept() {
    if let Ok(folder) = std::env::var("MOCKTENANT_ODATA_ANSWERS") {
        judge(&folder, 3_000);
    }
}
