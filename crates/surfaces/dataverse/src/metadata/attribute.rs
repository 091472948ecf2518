//! The definition of a column: what all columns have, what those of a type have beside it, and the options of a choice.

use serde_json::{Value, json};

use super::{Definition, label, managed, members, no_label};
use mocktenant_schema::{Column, Kind, Requirement, Table};

use crate::store::own_id;

/// `MetadataId` of a column.
pub(crate) fn id(column: Column<'_>) -> String {
    own_id(&["AttributeMetadata", column.table().name(), column.name()])
}

/// The names of a column's type: `AttributeTypeCode`, `AttributeTypeDisplayName`, and the type a path is cast to.
fn types(column: Column<'_>) -> (&'static str, &'static str, &'static str) {
    match column.kind() {
        Kind::Memo => ("Memo", "MemoType", "MemoAttributeMetadata"),
        Kind::Text | Kind::Binary => ("String", "StringType", "StringAttributeMetadata"),
        Kind::Whole => ("Integer", "IntegerType", "IntegerAttributeMetadata"),
        Kind::Decimal => ("Decimal", "DecimalType", "DecimalAttributeMetadata"),
        Kind::Double => ("Double", "DoubleType", "DoubleAttributeMetadata"),
        Kind::Money => ("Money", "MoneyType", "MoneyAttributeMetadata"),
        Kind::Flag => ("Boolean", "BooleanType", "BooleanAttributeMetadata"),
        Kind::Choice => ("Picklist", "PicklistType", "PicklistAttributeMetadata"),
        Kind::State => ("State", "StateType", "StateAttributeMetadata"),
        Kind::Status => ("Status", "StatusType", "StatusAttributeMetadata"),
        Kind::Id => ("Uniqueidentifier", "UniqueidentifierType", "UniqueIdentifierAttributeMetadata"),
        Kind::Moment | Kind::Day => ("DateTime", "DateTimeType", "DateTimeAttributeMetadata"),
        Kind::Version | Kind::Big => ("BigInt", "BigIntType", "BigIntAttributeMetadata"),
        Kind::Lookup if column.name() == "ownerid" => ("Owner", "OwnerType", "LookupAttributeMetadata"),
        Kind::Lookup if column.name() == "parentcustomerid" => {
            ("Customer", "CustomerType", "LookupAttributeMetadata")
        }
        Kind::Lookup => ("Lookup", "LookupType", "LookupAttributeMetadata"),
        Kind::Virtual => match column.note("kind") {
            Some("image") => ("Virtual", "ImageType", "ImageAttributeMetadata"),
            Some("entity_name") => ("EntityName", "EntityNameType", "EntityNameAttributeMetadata"),
            _ => ("Virtual", "VirtualType", "AttributeMetadata"),
        },
    }
}

/// The type a column's path can be cast to, without its namespace.
pub(crate) fn cast(column: Column<'_>) -> &'static str {
    types(column).2
}

/// The columns of a table that have a definition.
pub(crate) fn defined(table: Table<'_>) -> impl Iterator<Item = Column<'_>> + Clone {
    table.columns()
}

/// Whether columns of some table are of this type.
pub(crate) fn casts(schema: &mocktenant_schema::Schema, name: &str) -> bool {
    schema.tables().flat_map(defined).any(|column| cast(column) == name)
}

/// Its definition, with the members of its type.
pub(crate) fn attribute(column: Column<'_>) -> Definition {
    let (table, logical) = (column.table(), column.name());
    let (code, display, cast) = types(column);
    let primary = table.id() == Some(column);
    let required = match column.requirement() {
        _ if primary => "SystemRequired",
        Requirement::None => "None",
        Requirement::Recommended => "Recommended",
        Requirement::Application | Requirement::Mandatory => "ApplicationRequired",
        Requirement::System => "SystemRequired",
    };
    let custom = column.is_declared() || (logical.contains('_') && !logical.starts_with("address"));
    let mut all = members(json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{cast}"),
        "AttributeOf": null,
        "AttributeType": code,
        "AttributeTypeName": { "Value": display },
        "CanBeSecuredForCreate": !primary,
        "CanBeSecuredForRead": !primary,
        "CanBeSecuredForUpdate": !primary,
        "Description": no_label(),
        "DisplayName": label(column.label(), &["DisplayName", table.name(), logical]),
        "EntityLogicalName": table.name(),
        "ExternalName": null,
        "HasChanged": null,
        "IsCustomAttribute": custom,
        "IsCustomizable": managed(true, "iscustomizable"),
        "IsFilterable": true,
        "IsLogical": false,
        "IsManaged": true,
        "IsPrimaryId": primary,
        "IsPrimaryName": table.name_column() == Some(column),
        "IsRenameable": managed(true, "isrenameable"),
        "IsRequiredForForm": false,
        "IsRetrievable": true,
        "IsSearchable": false,
        "IsSecured": false,
        "IsValidForAdvancedFind": managed(true, "canmodifysearchsettings"),
        "IsValidForCreate": column.is_for_create(),
        "IsValidForGrid": true,
        "IsValidForRead": column.is_for_read(),
        "IsValidForUpdate": column.is_for_update() && !primary,
        "IsValidODataAttribute": column.is_for_read(),
        "LinkedAttributeId": null,
        "LogicalName": logical,
        "MetadataId": id(column),
        "RequiredLevel": managed(required, "canmodifyrequirementlevelsettings"),
        "SchemaName": logical,
        "SourceType": 0,
    }));
    all.extend(of_type(column));
    all
}

/// What the columns of a type have beside the others.
fn of_type(column: Column<'_>) -> Definition {
    let text = |name: &str| {
        let length = column.length();
        json!({
            "FormatName": { "Value": name }, "Format": name, "MaxLength": length, "DatabaseLength": length * 2,
            "ImeMode": "Auto", "IsLocalizable": false,
        })
    };
    let bounds = column.range().map(|(least, most)| (least.to_double(), most.to_double()));
    let (least, most) = bounds.unwrap_or((-100_000_000_000.0, 100_000_000_000.0));
    members(match column.kind() {
        Kind::Memo => text("TextArea"),
        Kind::Text | Kind::Binary => text(match column.format() {
            "email" => "Email",
            "url" => "Url",
            "phone" => "Phone",
            "text_area" => "TextArea",
            _ => "Text",
        }),
        Kind::Whole => {
            let whole = |number: mocktenant_schema::Decimal| number.to_whole().unwrap_or_default();
            let (least, most) = column.range().map_or((0, 0), |(least, most)| (whole(least), whole(most)));
            json!({ "Format": "None", "MinValue": least, "MaxValue": most })
        }
        Kind::Decimal | Kind::Double => {
            json!({ "Precision": column.precision(), "MinValue": least, "MaxValue": most })
        }
        Kind::Money => json!({
            "Precision": column.precision(), "PrecisionSource": 2,
            "IsBaseCurrency": column.computed() == Some("base"), "MinValue": least, "MaxValue": most,
        }),
        Kind::Flag => {
            json!({ "DefaultValue": column.default() == Some(mocktenant_schema::CellRef::Flag(true)) })
        }
        Kind::Choice | Kind::State | Kind::Status => {
            let default = column.default().and_then(mocktenant_schema::CellRef::as_whole);
            json!({ "DefaultFormValue": default.unwrap_or(-1) })
        }
        Kind::Moment => {
            let format = if column.format() == "date_only" { "DateOnly" } else { "DateAndTime" };
            json!({ "Format": format, "DateTimeBehavior": { "Value": "UserLocal" } })
        }
        Kind::Day => json!({ "Format": "DateOnly", "DateTimeBehavior": { "Value": "DateOnly" } }),
        Kind::Version | Kind::Big => json!({ "MinValue": i64::MIN, "MaxValue": i64::MAX }),
        Kind::Lookup => {
            let targets: Vec<&str> = column.lookups().map(|one| one.to().name()).collect();
            json!({ "Targets": targets, "Format": "None" })
        }
        Kind::Id | Kind::Virtual => json!({}),
    })
}

/// The options of a choice: the columns here have sets of their own, none of them global.
pub(crate) fn option_set(column: Column<'_>) -> Option<Definition> {
    let table = column.table();
    let (logical, name) = (table.name(), column.name());
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
    let (kind, options) = match column.kind() {
        Kind::Choice => {
            let choices = column.choices()?.all();
            let options: Vec<Value> =
                choices.map(|one| option(one.value(), one.text(), Value::Null)).collect();
            ("Picklist", json!({ "Options": options }))
        }
        Kind::State => {
            let states = table.states().map(|state| {
                let default = state.statuses().next().map(mocktenant_schema::Choice::value);
                let more = json!({ "DefaultStatus": default, "InvariantName": state.label() });
                option(state.value(), state.label(), more)
            });
            ("State", json!({ "Options": states.collect::<Vec<Value>>() }))
        }
        Kind::Status => {
            let statuses = table.states().flat_map(|state| {
                let more = json!({ "State": state.value(), "TransitionData": null });
                state.statuses().map(move |one| (one.value(), one.text(), more.clone()))
            });
            let options: Vec<Value> = statuses.map(|(value, text, more)| option(value, text, more)).collect();
            ("Status", json!({ "Options": options }))
        }
        Kind::Flag => {
            let own = |value, plain| {
                column.choices().and_then(|all| all.of(value)).map_or(plain, mocktenant_schema::Choice::text)
            };
            let yes = option(1, own(1, "Yes"), Value::Null);
            let no = option(0, own(0, "No"), Value::Null);
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
