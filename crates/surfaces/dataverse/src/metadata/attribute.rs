//! The definition of a column: what all columns have, what those of a type have beside it, and the options of a choice.

use serde_json::{Value, json};

use super::{Definition, label, managed, members, no_label};
use crate::schema::{Column, Kind, Table};
use crate::store::own_id;

/// Texts of so many characters and more are memos, as descriptions are.
const MEMO: u32 = 2_000;

/// Logical name: that of a lookup is without `_` and `_value`.
pub(crate) fn logical(column: &Column) -> &'static str {
    let name = column.name;
    let bare = name.strip_prefix('_').and_then(|name| name.strip_suffix("_value"));
    bare.unwrap_or(name)
}

/// `MetadataId` of a column.
pub(crate) fn id(table: &Table, column: &Column) -> String {
    own_id(&["AttributeMetadata", table.logical, column.name])
}

/// The names of a column's type: `AttributeTypeCode`, `AttributeTypeDisplayName`, and the type a path is cast to.
fn types(column: &Column) -> (&'static str, &'static str, &'static str) {
    match column.kind {
        Kind::Text(limit) if limit >= MEMO => ("Memo", "MemoType", "MemoAttributeMetadata"),
        Kind::Text(_) => ("String", "StringType", "StringAttributeMetadata"),
        Kind::Whole { .. } => ("Integer", "IntegerType", "IntegerAttributeMetadata"),
        Kind::Decimal => ("Decimal", "DecimalType", "DecimalAttributeMetadata"),
        Kind::Money => ("Money", "MoneyType", "MoneyAttributeMetadata"),
        Kind::Flag => ("Boolean", "BooleanType", "BooleanAttributeMetadata"),
        Kind::Choice(_) => ("Picklist", "PicklistType", "PicklistAttributeMetadata"),
        Kind::State => ("State", "StateType", "StateAttributeMetadata"),
        Kind::Status => ("Status", "StatusType", "StatusAttributeMetadata"),
        Kind::Identifier => ("Uniqueidentifier", "UniqueidentifierType", "UniqueIdentifierAttributeMetadata"),
        Kind::Moment | Kind::Day => ("DateTime", "DateTimeType", "DateTimeAttributeMetadata"),
        Kind::Version => ("BigInt", "BigIntType", "BigIntAttributeMetadata"),
        Kind::Lookup { .. } if column.name == "_ownerid_value" => {
            ("Owner", "OwnerType", "LookupAttributeMetadata")
        }
        Kind::Lookup { .. } if column.name == "_parentcustomerid_value" => {
            ("Customer", "CustomerType", "LookupAttributeMetadata")
        }
        Kind::Lookup { .. } => ("Lookup", "LookupType", "LookupAttributeMetadata"),
    }
}

/// The type a column's path can be cast to, without its namespace.
pub(crate) fn cast(column: &Column) -> &'static str {
    types(column).2
}

/// Whether columns of some table are of this type.
pub(crate) fn casts(name: &str) -> bool {
    crate::schema::TABLES.iter().flat_map(|table| table.all_columns()).any(|column| cast(column) == name)
}

/// Its definition, with the members of its type.
pub(crate) fn attribute(table: &Table, column: &Column) -> Definition {
    let logical = logical(column);
    let (code, display, cast) = types(column);
    let primary = column.name == table.id;
    let required = if primary { "SystemRequired" } else { "None" };
    let mut all = members(json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{cast}"),
        "AttributeOf": null,
        "AttributeType": code,
        "AttributeTypeName": { "Value": display },
        "CanBeSecuredForCreate": !primary,
        "CanBeSecuredForRead": !primary,
        "CanBeSecuredForUpdate": !primary,
        "Description": no_label(),
        "DisplayName": no_label(),
        "EntityLogicalName": table.logical,
        "ExternalName": null,
        "HasChanged": null,
        "IsCustomAttribute": logical.contains('_') && !logical.starts_with("address"),
        "IsCustomizable": managed(true, "iscustomizable"),
        "IsFilterable": true,
        "IsLogical": false,
        "IsManaged": true,
        "IsPrimaryId": primary,
        "IsPrimaryName": column.name == table.name,
        "IsRenameable": managed(true, "isrenameable"),
        "IsRequiredForForm": false,
        "IsRetrievable": true,
        "IsSearchable": false,
        "IsSecured": false,
        "IsValidForAdvancedFind": managed(true, "canmodifysearchsettings"),
        "IsValidForCreate": column.writable,
        "IsValidForGrid": true,
        "IsValidForRead": true,
        "IsValidForUpdate": column.writable && !primary,
        "IsValidODataAttribute": true,
        "LinkedAttributeId": null,
        "LogicalName": logical,
        "MetadataId": id(table, column),
        "RequiredLevel": managed(required, "canmodifyrequirementlevelsettings"),
        "SchemaName": logical,
        "SourceType": 0,
    }));
    all.extend(of_type(column));
    all
}

/// What the columns of a type have beside the others.
fn of_type(column: &Column) -> Definition {
    let format = |name: &str, length: u32| {
        json!({
            "FormatName": { "Value": name }, "Format": name, "MaxLength": length, "DatabaseLength": length * 2,
            "ImeMode": "Auto", "IsLocalizable": false,
        })
    };
    members(match column.kind {
        Kind::Text(limit) if limit >= MEMO => format("TextArea", limit),
        Kind::Text(limit) => format("Text", limit),
        Kind::Whole { least, most } => json!({ "Format": "None", "MinValue": least, "MaxValue": most }),
        Kind::Decimal => {
            json!({ "Precision": 10, "MinValue": 0.000_000_000_1, "MaxValue": 100_000_000_000.0 })
        }
        Kind::Money => json!({
            "Precision": 2, "PrecisionSource": 2, "IsBaseCurrency": column.name.ends_with("_base"),
            "MinValue": -922_337_203_685_477.0, "MaxValue": 922_337_203_685_477.0,
        }),
        Kind::Flag => json!({ "DefaultValue": false }),
        Kind::Choice(_) | Kind::State | Kind::Status => json!({ "DefaultFormValue": -1 }),
        Kind::Moment => json!({
            "Format": "DateAndTime", "DateTimeBehavior": { "Value": "UserLocal" },
        }),
        Kind::Day => json!({ "Format": "DateOnly", "DateTimeBehavior": { "Value": "DateOnly" } }),
        Kind::Version => json!({ "MinValue": i64::MIN, "MaxValue": i64::MAX }),
        Kind::Lookup { target, or, .. } => {
            let targets: Vec<&str> = [target].into_iter().chain(or.map(|(_, target)| target)).collect();
            json!({ "Targets": targets, "Format": "None" })
        }
        Kind::Identifier => json!({}),
    })
}

/// The options of a choice: the columns here have sets of their own, none of them global.
pub(crate) fn option_set(table: &Table, column: &Column) -> Option<Definition> {
    let (logical, name) = (table.logical, logical(column));
    let option = |value: i64, text: &str, more: Value| {
        let mut option = members(json!({
            "Value": value,
            "Color": null,
            "IsManaged": true,
            "ExternalValue": null,
            "ParentValues": [],
            "Tag": null,
            "IsHidden": false,
            "MetadataId": null,
            "HasChanged": null,
            "Label": label(text, &["Option", logical, name, &value.to_string()]),
            "Description": no_label(),
        }));
        option.extend(members(more));
        Value::Object(option)
    };
    let (kind, options) = match column.kind {
        Kind::Choice(choices) => {
            let options = choices.iter().map(|(value, text)| option(*value, text, Value::Null)).collect();
            ("Picklist", json!({ "Options": Value::Array(options) }))
        }
        Kind::State => {
            let states = table.states.iter().map(|state| {
                let default = state.statuses.first().map(|(status, _)| *status);
                let more = json!({ "DefaultStatus": default, "InvariantName": state.label });
                option(state.code, state.label, more)
            });
            ("State", json!({ "Options": states.collect::<Vec<Value>>() }))
        }
        Kind::Status => {
            let statuses = table.states.iter().flat_map(|state| {
                let more = json!({ "State": state.code, "TransitionData": null });
                state.statuses.iter().map(move |(value, text)| (*value, *text, more.clone()))
            });
            let options: Vec<Value> = statuses.map(|(value, text, more)| option(value, text, more)).collect();
            ("Status", json!({ "Options": options }))
        }
        Kind::Flag => {
            let (yes, no) = (option(1, "Yes", Value::Null), option(0, "No", Value::Null));
            ("Boolean", json!({ "TrueOption": yes, "FalseOption": no }))
        }
        _ => return None,
    };
    let mut set = members(options);
    set.extend(members(json!({
        "Description": no_label(),
        "DisplayName": no_label(),
        "IsCustomOptionSet": false,
        "IsGlobal": false,
        "IsManaged": true,
        "IsCustomizable": managed(true, "iscustomizable"),
        "Name": format!("{logical}_{name}"),
        "ExternalTypeName": null,
        "OptionSetType": kind,
        "IntroducedVersion": null,
        "MetadataId": own_id(&["OptionSet", logical, name]),
        "HasChanged": null,
    })));
    Some(set)
}
