//! The table of queries in the documents says what is: every row of it is asked of both services.
//!
//! Decides by the answer and by what the exchange says: answered, refused, or refused as not built. Over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;

use mocktenant_testkit::{Client, Lab};

/// What each row of the table is asked as: by the beginning of its construct, of Dataverse and of Finance and Operations. Nothing
/// where the row tells what a query means and not whether it is answered.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("`$select`, a comma", "accounts?$select=name,", "CustomerGroups?$select=Description,"),
    (
        "`eq ne gt",
        "accounts?$filter=not (revenue gt 5 or name eq null) and name ne 'x'",
        "ExchangeRates?$filter=not (Rate gt 5 or FromCurrency eq 'USD') and ToCurrency ne 'x'",
    ),
    ("`x in", "accounts?$filter=name in ('a','b')", "CustomerGroups?$filter=CustomerGroupId in ('10','20')"),
    ("`x has y`", "accounts?$filter=industrycode has 1", "CustomerGroups?$filter=CustomerGroupId has '1'"),
    ("types of operands", "accounts?$filter=name eq 5", "CustomerGroups?$filter=CustomerGroupId eq 5"),
    (
        "`contains`",
        "accounts?$filter=contains(name,'a') or startswith(name,'b') or endswith(name,'c')",
        "CustomerGroups?$filter=contains(Description,'a')",
    ),
    ("`*` in a text", "", ""),
    ("`add sub", "accounts?$filter=revenue add 1 gt 5", "ExchangeRates?$filter=Rate add 1 gt 5"),
    (
        "`tolower`",
        "accounts?$filter=tolower(name) eq 'a'",
        "CustomerGroups?$filter=tolower(Description) eq 'a'",
    ),
    (
        "a path over a lookup",
        "accounts?$filter=primarycontactid/fullname eq 'a'",
        "VendorGroups?$filter=DefaultPaymentTerm/NumberOfDays eq 10",
    ),
    (
        "`any`, `all`",
        "accounts?$filter=Account_Tasks/any(t:t/subject eq 'a')",
        "PaymentTerms?$filter=DefaultAssignedVendorGroups/any(g:g/VendorGroupId eq 'a')",
    ),
    (
        "`In`, `NotIn`",
        "accounts?$filter=Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['a'])",
        "CustomerGroups?$filter=Microsoft.Dynamics.CRM.Today(PropertyName='Description')",
    ),
    (
        "the other functions of `Microsoft",
        "accounts?$filter=Microsoft.Dynamics.CRM.Above(PropertyName='accountid',PropertyValue='x')",
        "CustomerGroups?$filter=Microsoft.Dynamics.CRM.Above(PropertyName='Description',PropertyValue='x')",
    ),
    (
        "parameter aliases",
        "accounts?$filter=name eq @p1&@p1='a'",
        "CustomerGroups?$filter=CustomerGroupId eq @p1&@p1='a'",
    ),
    (
        "a member of an enumeration",
        "accounts?$filter=statecode eq Microsoft.Dynamics.CRM.statecode'Active'",
        "CustomerGroups?$filter=IsSalesTaxIncludedInPrice eq Microsoft.Dynamics.DataEntities.NoYes'Yes'",
    ),
    (
        "`$orderby`",
        "accounts?$orderby=name desc,primarycontactid/fullname",
        "VendorGroups?$orderby=VendorGroupId desc,DefaultPaymentTerm/NumberOfDays",
    ),
    ("`$top`", "accounts?$top=1", "CustomerGroups?$top=1"),
    ("`$skip`", "accounts?$skip=1", "CustomerGroups?$skip=1"),
    ("`$count=true`", "accounts/$count", "CustomerGroups/$count"),
    (
        "`$expand`, with",
        "accounts?$expand=contact_customer_accounts($select=fullname;$filter=fullname eq 'a';$orderby=fullname;$top=1)",
        "PaymentTerms?$expand=DefaultAssignedVendorGroups($select=Description;$filter=VendorGroupId eq 'a';$top=1)",
    ),
    (
        "`$expand=x/$ref`",
        "accounts?$expand=primarycontactid/$ref",
        "VendorGroups?$expand=DefaultPaymentTerm/$ref",
    ),
    (
        "`$apply` with",
        "accounts?$apply=filter(name ne 'a')/groupby((name),aggregate(revenue with sum as total))",
        "CustomerGroups?$apply=groupby((Description))",
    ),
    ("other transformations", "accounts?$search=a", "CustomerGroups?$search=a"),
    ("paging", "accounts", ""),
    ("FetchXML, `savedQuery`", "accounts?fetchXml=<fetch><entity name='account'/></fetch>", ""),
];

/// An address with what has no place in one encoded.
fn encoded(base: &str, target: &str) -> String {
    let escaped: String = target
        .chars()
        .map(|letter| match letter {
            ' ' | '<' | '>' | '"' => format!("%{:02X}", u32::from(letter)),
            letter => letter.to_string(),
        })
        .collect();
    format!("{base}/{escaped}")
}

async fn outcome(lab: &Lab, client: &Client, url: &str) -> &'static str {
    let reply = client.get(url).await;
    if reply.status == 200 {
        return "yes";
    }
    let record = lab.journal().find(reply.exchange().unwrap()).unwrap();
    if record.fact("not-built").is_some() { "not built" } else { "no" }
}

#[tokio::test]
async fn every_row_of_the_table_of_queries_is_what_both_services_do() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/queries.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")).skip(1);
    let rows: Vec<Vec<&str>> =
        rows.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect();
    let lab = Lab::start().await;
    let settings = lab.settings();
    let (aos, dataverse) = (&settings.aos["onebox"], &settings.dataverse);
    let mut differences = BTreeMap::new();
    for row in &rows {
        let [construct, told @ ..] = row.as_slice() else { unreachable!("a row has cells") };
        let example = EXAMPLES.iter().find(|(begin, ..)| construct.starts_with(begin));
        let (_, of_dataverse, of_aos) = example.unwrap_or_else(|| panic!("no example of: {construct}"));
        for (base, resource, target, told) in [
            (format!("{}/api/data/v9.2", dataverse.resource), &dataverse.resource, of_dataverse, told[0]),
            (format!("{}/data", aos.url), &aos.resource, of_aos, told[1]),
        ] {
            if target.is_empty() {
                continue;
            }
            let client = lab.client().bearer(&lab.client().token(resource).await);
            let found = outcome(&lab, &client, &encoded(&base, target)).await;
            let told = ["yes", "not built", "no"].into_iter().find(|word| told.starts_with(word));
            if told.is_some_and(|told| told != found) {
                differences.insert(*target, (told, found));
            }
        }
    }
    assert!(differences.is_empty(), "told and found: {differences:#?}");
    assert_eq!(rows.len(), EXAMPLES.len(), "an example of a row that is not there any more");
}
