//! What the product has and this lab has not: entity sets, links, places and query options, by their names.
//!
//! Decides what is told of a request for one of them, never the answer: that is the product's own for what it cannot do. The
//! names are a part of the product's (its whole `$metadata` lists thousands); what is in no table here is taken for a
//! mistake of whoever asks.

use mocktenant_schema::Schema;

use super::{Entity, NAMESPACE, Notes};

/// What stands below `/data` here instead.
const SETS_HERE: &str = "the sixteen entity sets that /data lists";
/// What is said of every place beside `/data`.
const DATA_HERE: &str = "OData below /data";

/// Places outside `/data` by how they begin, in lower case.
const PLACES: &[(&str, &str)] = &[
    ("/api/services", "custom services (/api/services)"),
    ("/api/connector", "recurring integrations (/api/connector)"),
    ("/soap/services", "custom services over SOAP (/soap/services)"),
    ("/metadata", "the metadata service (/metadata)"),
];

/// Query options that OData has, with what stands for them here.
const OPTIONS: &[(&str, &str)] = &[
    ("$apply", "$filter, $count"),
    ("$compute", "$filter, $select"),
    ("$deltatoken", "@odata.nextLink with $skip"),
    ("$format", "$format=json, and Accept"),
    ("$index", "$orderby, $skip"),
    ("$levels", "$expand, written out level by level"),
    ("$schemaversion", "one version of $metadata"),
    ("$search", "$filter, with * in a text of eq"),
    ("$skiptoken", "@odata.nextLink with $skip"),
];

/// Entity sets that are not served, one a line, in order.
const SETS: &str = include_str!("sets.txt");

/// What was asked for and is not built, and what is.
pub(crate) type NotBuilt = (String, &'static str);

/// What a path leads to in the product and not here.
pub(crate) fn place(schema: &Schema, path: &str) -> Option<NotBuilt> {
    let folded = path.to_ascii_lowercase();
    if let Some((_, what)) = PLACES.iter().find(|(begin, _)| folded.starts_with(begin)) {
        return Some(((*what).to_owned(), DATA_HERE));
    }
    if folded == "/" {
        return Some(("the client and its sign-in".to_owned(), DATA_HERE));
    }
    let mut segments = path.trim_start_matches('/').split('/');
    if !segments.next()?.eq_ignore_ascii_case("data") {
        return None;
    }
    let first = segments.next().unwrap_or_default();
    let (name, second) = (first.split(['(', '%']).next().unwrap_or_default(), segments.next());
    let operation =
        second.and_then(|name| name.strip_prefix(NAMESPACE)).is_some_and(|name| name.starts_with('.'));
    let entity = schema.by_set(name);
    if entity.is_none() && !SETS.lines().any(|set| set == name) {
        return None;
    }
    match (second, entity) {
        (Some(_), _) if operation => Some((format!("actions of {name}"), SETS_HERE)),
        (None, None) => Some((format!("the entity set {name}"), SETS_HERE)),
        (Some(_), None) => Some((format!("what is below the entity set {name}"), SETS_HERE)),
        (Some(part), Some(entity)) => {
            let behind = segments.fold(part.to_owned(), |path, segment| path + "/" + segment);
            let built = "records and sets of them, /$count, a record's columns, and its links to sets that are served";
            is_known(entity, &behind).then(|| (format!("{name}/{behind}"), built))
        }
        (None, Some(_)) => None,
    }
}

/// Whether a path behind a record or a set is one that the product has: over links that are served to one that is not, or the bare
/// value of a column.
fn is_known(entity: Entity<'_>, path: &str) -> bool {
    let mut here = entity;
    for segment in path.split('/') {
        let name = segment.split(['(', '%']).next().unwrap_or_default();
        if segment == "$value" || here.links().any(|link| link == name) {
            return true;
        }
        match here.navigation(name) {
            Some(link) => here = link.target(),
            None if here.column(name).is_some() => {}
            None => return false,
        }
    }
    false
}

/// What stands for a query option that OData has and this lab has not.
pub(crate) fn option(name: &str) -> Option<&'static str> {
    OPTIONS.iter().find(|(known, _)| *known == name).map(|(_, built)| *built)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SCHEMA;

    #[test]
    fn the_names_of_the_sets_are_in_order_and_none_of_them_is_built() {
        assert!(SETS.lines().is_sorted());
        assert!(SETS.lines().all(|set| SCHEMA.by_set(set).is_none()));
    }

    #[test]
    fn what_the_product_has_is_told_from_what_nobody_has() {
        let what = |path| place(&SCHEMA, path).map(|(what, _)| what);
        for (path, said) in [
            ("/data/VendorsV3", "the entity set VendorsV3"),
            ("/data/VendorsV3(dataAreaId='usmf',VendorAccountNumber='1')", "the entity set VendorsV3"),
            (
                "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetAzureWriteUrl",
                "actions of DataManagementDefinitionGroups",
            ),
            (
                "/data/Currencies('USD')/VendInvoiceJournalLineCurrency",
                "Currencies/VendInvoiceJournalLineCurrency",
            ),
            ("/data/Currencies('USD')/Name/$value", "Currencies/Name/$value"),
            ("/api/services/UserSessionService", "custom services (/api/services)"),
            ("/SOAP/services/x", "custom services over SOAP (/soap/services)"),
            ("/metadata/PublicEntities", "the metadata service (/metadata)"),
            ("/", "the client and its sign-in"),
        ] {
            assert_eq!(what(path).as_deref(), Some(said), "{path}");
        }
        for nobody in
            ["/data/Vendorsv3", "/data/customersv3", "/data/CustomersV3/Nope", "/data/CustomersV3", "/x"]
        {
            assert_eq!(what(nobody), None, "{nobody}");
        }
    }
}
