//! The definition of a table.

use mocktenant_schema::Table;
use serde_json::json;

use super::{Definition, label, managed, members, no_label};
use crate::store::own_id;
use crate::tables::is_stored;

/// `MetadataId` of a table. That of accounts is printed in the product's documentation.
pub(crate) fn id(table: Table<'_>) -> String {
    match table.name() {
        "account" => "70816501-edb9-4740-a16c-6a5efbc05d84".to_owned(),
        logical => own_id(&["EntityMetadata", logical]),
    }
}

/// Its definition.
pub(crate) fn entity(table: Table<'_>) -> Definition {
    let logical = table.name();
    let schema_name = table.schema_name();
    let custom = table.is_declared() || logical.contains('_');
    let writes = is_stored(table);
    let ownership = match writes {
        true if table.is_owned() => "UserOwned",
        true => "OrganizationOwned",
        false => "BusinessOwned",
    };
    let name_of =
        |column: Option<mocktenant_schema::Column<'_>>| column.map(|column| column.name().to_owned());
    let mut all = members(json!({
        "CollectionSchemaName": plural(schema_name),
        "DataProviderId": null,
        "DataSourceId": null,
        "Description": no_label(),
        "DisplayCollectionName": label(table.plural(), &["DisplayCollectionName", logical]),
        "DisplayName": label(table.label(), &["DisplayName", logical]),
        "EntitySetName": table.set(),
        "ExternalCollectionName": null,
        "ExternalName": null,
        "LogicalCollectionName": table.set(),
        "LogicalName": logical,
        "MetadataId": id(table),
        "ObjectTypeCode": table.code(),
        "OwnershipType": ownership,
        "PrimaryIdAttribute": name_of(table.id()),
        "PrimaryImageAttribute": null,
        "PrimaryNameAttribute": name_of(table.name_column()),
        "RecurrenceBaseEntityLogicalName": null,
        "SchemaName": schema_name,
        "TableType": "Standard",
    }));
    all.extend(members(json!({
        "ActivityTypeMask": 0,
        "AutoCreateAccessTeams": false,
        "AutoRouteToOwnerQueue": false,
        "CanBeInManyToMany": managed(true, "canbeinmanytomany"),
        "CanBePrimaryEntityInRelationship": managed(true, "canbeprimaryentityinrelationship"),
        "CanBeRelatedEntityInRelationship": managed(true, "canberelatedentityinrelationship"),
        "CanCreateAttributes": managed(true, "cancreateattributes"),
        "CanTriggerWorkflow": true,
        "ChangeTrackingEnabled": writes,
        "HasChanged": null,
        "IsActivity": table.note("activity").is_some(),
        "IsActivityParty": false,
        "IsAvailableOffline": true,
        "IsBPFEntity": false,
        "IsChildEntity": false,
        "IsCustomEntity": custom,
        "IsCustomizable": managed(true, "iscustomizable"),
        "IsEnabledForCharts": true,
        "IsImportable": true,
        "IsIntersect": false,
        "IsLogicalEntity": false,
        "IsManaged": true,
        "IsOptimisticConcurrencyEnabled": true,
        "IsPrivate": false,
        "IsRenameable": managed(true, "isrenameable"),
        "IsStateModelAware": table.states().len() > 0,
        "IsValidForAdvancedFind": true,
    })));
    all
}

/// The name of many, as the entity set has it.
fn plural(name: &str) -> String {
    match name.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{name}s"),
    }
}
