//! What OData texts have to keep: no panic, offsets inside the text, and a segment that is written reads back the same. What reads
//! as a query is bound to tables in both dialects as well.

use mocktenant_odata::{Binder, Clock, Dialect, Expand, QueryOptions, ResourceSegment};
use mocktenant_query::{Function, TextFunction};
use mocktenant_schema::{ChoiceDefinitions, Schema, TableDefinitions, Unset, Whose, compile};
use std::sync::LazyLock;

/// Two tables that lead to each other, with a column of nearly each type.
static TABLES: LazyLock<Schema> = LazyLock::new(|| {
    let tables = serde_json::json!({
        "account": {
            "set": "accounts", "key": ["accountid"],
            "columns": {
                "accountid": "id", "name": "text", "accountnumber": "text", "createdon": "moment", "born": "day", "revenue": "money",
                "numberofemployees": "whole", "big": "big", "share": "double", "donotphone": "flag",
                "statecode": {"type": "choice", "options": {"0": "Active", "1": "Inactive"}},
                "a": "text", "b": "text", "n": "text", "x": "text", "y": "text", "z": "text",
                "primarycontactid": {"type": "lookup", "to": {"contact": {"navigation": "primarycontactid", "many": "accounts"}}}
            }
        },
        "contact": {
            "set": "contacts", "key": ["contactid"],
            "columns": {
                "contactid": "id", "fullname": "text",
                "parentcustomerid": {"type": "lookup", "to": {"account": {"navigation": "parentcustomerid_account", "many": "c"}}}
            }
        }
    });
    let tables: TableDefinitions =
        serde_json::from_value(tables).expect("the definitions are of the right shape");
    let whose = (Whose::Product, Unset::Null);
    compile(&Schema::default(), &tables, &ChoiceDefinitions::new(), whose)
        .expect("the definitions hold together")
});

/// All that is served anywhere, and as little as can be.
static DIALECTS: [Dialect; 2] = [
    Dialect {
        namespace: "Microsoft.Dynamics.CRM",
        lookups_are_values: true,
        choices_are_members: false,
        days_are_moments: false,
        wildcards: false,
        quoted_ids: true,
        arithmetic: true,
        text_functions: &[TextFunction::Contains, TextFunction::StartsWith, TextFunction::EndsWith],
        functions: &[Function::Length, Function::Year],
        query_functions: &[
            ("In", mocktenant_odata::QueryFunction::In),
            ("LastXDays", mocktenant_odata::QueryFunction::LastXDays),
        ],
        lambdas: true,
    },
    Dialect {
        namespace: "Microsoft.Dynamics.DataEntities",
        lookups_are_values: false,
        choices_are_members: true,
        days_are_moments: true,
        wildcards: true,
        quoted_ids: false,
        arithmetic: false,
        text_functions: &[],
        functions: &[],
        query_functions: &[],
        lambdas: false,
    },
];

/// Reads the bytes as a query string, as a list of related rows and as a resource segment.
pub(crate) fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for options in [QueryOptions::parse(text), QueryOptions::nested(text)] {
        match options {
            Ok(options) => bind(&options),
            Err(error) => assert!(!error.to_string().is_empty(), "it is said what is wrong"),
        }
    }
    match ResourceSegment::parse(text) {
        Ok(segment) => {
            let written = segment.to_path();
            // Encoding may make a text too long to be read again.
            if written.len() <= mocktenant_odata::MAX_TEXT {
                assert_eq!(ResourceSegment::parse(&written), Ok(segment), "{written}");
            }
        }
        Err(error) => assert!(error.offset <= text.len(), "{error} stands in the text"),
    }
}

/// Binds all that can be bound.
fn bind(options: &QueryOptions) {
    let table = TABLES.table("account").expect("there is one");
    let aliases = |name: &str| options.alias(name).map(str::to_owned);
    for dialect in &DIALECTS {
        let clock = || Clock::utc(0);
        let binder = Binder::new(&TABLES, dialect, &aliases, &clock);
        let _ = options.filter.as_ref().map(|filter| binder.filter(table, filter));
        let _ = binder.order(table, &options.orderby);
        let _ = binder.selection(table, options);
        let _ = options.apply.as_deref().map(|text| binder.apply(table, text));
    }
    for Expand { navigation, .. } in &options.expand {
        assert!(!navigation.is_empty(), "a name is no empty text");
    }
}
