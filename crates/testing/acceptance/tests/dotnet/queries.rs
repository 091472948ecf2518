//! What both services say of queries that cannot be read, beside Microsoft's own OData library, which reads the same queries by the
//! model of their `$metadata`.
//!
//! Decides that the sentences are equal, and by name and reason which are not. The queries are in `clients/dotnet/queries.txt`.

use serde_json::Value;

use crate::{exec, file, program};

/// Where a service says something else than the library: which, and why.
const OTHERWISE: [(&str, &str); 8] = [
    ("accountid eq '00000015-0000-0000-c000-000000000000'", GUIDS),
    ("$filter=name eq geography'x'", UNBUILT),
    ("$filter=Name eq geography'x'", UNBUILT),
    ("$expand=primarycontactid($compute=x)", UNBUILT),
    ("$search=", UNBUILT),
    ("$search=(", UNBUILT),
    ("$compute=name", UNBUILT),
    ("$index=x", "the products know no $index"),
];

/// An organisation of version 9.1 took both ways of writing (github.com/AlexaCRM/dynamics-webapi-toolkit, pull request 4).
const GUIDS: &str = "Dataverse takes a GUID in quotes";
/// It is refused by its name, whatever is in it.
const UNBUILT: &str = "not built";

/// What stands before the library's sentence in Finance & Operations.
const FRAME: &str = "The query specified in the URI is not valid. ";

fn text<'a>(one: &'a Value, name: &str) -> &'a str {
    one[name].as_str().unwrap()
}

#[test]
fn an_unreadable_query_is_refused_in_the_sentence_of_the_odata_library() {
    let Some(mut queries) = program("queries.cs") else { return };
    queries.push(file("queries.txt").into());
    let said = exec("secret", "\"$@\"", &queries);
    let seen: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (mut kinds, mut odd, mut expected) = (Vec::new(), Vec::new(), 0);
    for one in &seen {
        let (query, library) = (text(one, "query"), text(one, "library"));
        assert!(!library.starts_with('('), "the library takes {query}: {library}");
        kinds.push(text(one, "kind"));
        let answer = text(one, "said");
        let same = one["status"] == 400 && answer.strip_prefix(FRAME).unwrap_or(answer) == library;
        let other = OTHERWISE.iter().find(|(known, _)| query.ends_with(known));
        match (same, other) {
            (true, None) => {}
            (false, Some(_)) => expected += 1,
            _ => odd.push(format!("{query}\n  library: {library}\n  service: {answer}\n  pinned: {other:?}")),
        }
    }
    assert!(odd.is_empty(), "{} of {}:\n{}", odd.len(), seen.len(), odd.join("\n"));
    assert_eq!(expected, OTHERWISE.len());
    kinds.dedup();
    assert!(seen.len() >= 750 && kinds.len() >= 70, "{} queries of {} kinds", seen.len(), kinds.len());
}
