//! What Microsoft's own OData library makes of `$metadata` of Dataverse and of Finance & Operations, and of rows read by it.
//!
//! Decides that it reads both, that rows hold what the documents tell of, in the types they tell, and that its validator objects
//! to nothing but what it would object to in the real documents too: in Dataverse's (as Microsoft's documentation quotes it) keys
//! that may be null, links that may not although their properties may, an enumeration by its former name; in that of Finance &
//! Operations links back to one from where many come, as clients that were generated from the real one have `Currencies.ExchangeRate`.

use crate::{exec, program};

/// Of each document, what the validator objects to.
const DOCUMENTS: [&str; 3] = [
    "Dataverse: InvalidKey InvalidMultiplicityOfPrincipalEnd",
    "Dataverse, annotated: BadUnresolvedEnumMember InvalidKey InvalidMultiplicityOfPrincipalEnd",
    "Finance & Operations: InvalidMultiplicityOfDependentEnd",
];

/// Sets that have rows here: of an empty one nothing is known.
const FILLED: [&str; 11] = [
    "Dataverse accounts",
    "Dataverse contacts",
    "Dataverse organizations",
    "Dataverse systemusers",
    "Dataverse tasks",
    "Dataverse transactioncurrencies",
    "Finance & Operations CustomerGroups",
    "Finance & Operations CustomersV3",
    "Finance & Operations DualWriteProjectConfigurations",
    "Finance & Operations LegalEntities",
    "Finance & Operations SystemUsers",
];

#[test]
fn the_odata_library_of_dotnet_reads_both_documents_and_rows_by_them() {
    let Some(documents) = program("documents.cs") else { return };
    let said = exec("secret", "\"$@\"", &documents);
    let lines: Vec<&str> = said.lines().collect();
    for document in DOCUMENTS {
        assert!(lines.contains(&document), "{document}: {said}");
    }
    for set in FILLED {
        assert!(lines.contains(&&*format!("{set}: whole rows")), "{set}: {said}");
    }
    let rest = lines.iter().filter(|line| !DOCUMENTS.contains(line));
    let odd: Vec<_> =
        rest.filter(|line| !line.ends_with(": whole rows") && !line.ends_with(": no row")).collect();
    assert!(odd.is_empty(), "{odd:?}");
}
