//! The definition of a table.

use serde_json::json;

use super::{Definition, label, managed, members, no_label};
use crate::schema::{Rows, Table};
use crate::store::own_id;

/// `MetadataId` of a table. That of accounts is printed in the product's documentation.
pub(crate) fn id(table: &Table) -> String {
    match table.logical {
        "account" => "70816501-edb9-4740-a16c-6a5efbc05d84".to_owned(),
        logical => own_id(&["EntityMetadata", logical]),
    }
}

/// Its definition.
pub(crate) fn entity(table: &Table) -> Definition {
    let logical = table.logical;
    let schema_name = table.schema_name();
    let custom = logical.contains('_');
    let ownership = match table.rows {
        Rows::Stored if table.owned => "UserOwned",
        Rows::Stored => "OrganizationOwned",
        Rows::ApplicationUsers | Rows::BusinessUnits => "BusinessOwned",
    };
    let writes = table.rows == Rows::Stored;
    let mut all = members(json!({
        "CollectionSchemaName": plural(schema_name),
        "DataProviderId": null,
        "DataSourceId": null,
        "Description": no_label(),
        "DisplayCollectionName": no_label(),
        "DisplayName": label(table.label, &["DisplayName", logical]),
        "EntitySetName": table.set,
        "ExternalCollectionName": null,
        "ExternalName": null,
        "LogicalCollectionName": table.set,
        "LogicalName": logical,
        "MetadataId": id(table),
        "ObjectTypeCode": table.type_code,
        "OwnershipType": ownership,
        "PrimaryIdAttribute": table.id,
        "PrimaryImageAttribute": null,
        "PrimaryNameAttribute": table.name,
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
        "IsActivity": logical == "task",
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
        "IsStateModelAware": !table.states.is_empty(),
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
