//! `$metadata`: the types, links and sets of an organisation, as the Web API writes them (CSDL 4.0 XML).
//!
//! Decides the layout alone: what there is stands in the schema. Mirrors the elements that Microsoft's documentation quotes from
//! the real document: types below `crmbaseentity`, users and teams below `principal`, texts without Unicode, decimals of variable
//! scale, links to one row that are never null (though their properties may be), and annotations only for whoever asks. All in one
//! line, as clients describe it. Names no host, so it is written once for a schema.

use std::sync::Arc;

use bytes::Bytes;
use mocktenant_odata::QueryFunction;
use mocktenant_schema::{Column, Navigation, OfSchema, Relationship, Schema, Table};

use crate::tables::{self, DIALECT};

/// The namespaces of the document's own words.
const EDMX: &str = "http://docs.oasis-open.org/odata/ns/edmx";
const EDM: &str = "http://docs.oasis-open.org/odata/ns/edm";

/// What stands for the namespace of the types within the document.
const ALIAS: &str = "mscrm";

/// Those who own rows. A row's `ownerid` leads to one of them, so they have a type above them, whose key it is.
const OWNERS: [&str; 2] = ["systemuser", "team"];
const PRINCIPAL: &str = "principal";
const OWNER: &str = "ownerid";

/// Namespaces of annotations.
const CORE: &str = "Org.OData.Core.V1";
const KEYS: &str = "OData.Community.Keys.V1";

/// An annotation that the document has where it has any.
pub(crate) const AN_ANNOTATION: &str = "Org.OData.Core.V1.Computed";

/// Functions of the service root, with what they answer.
const FUNCTIONS: [(&str, &[(&str, &str)]); 2] = [
    ("WhoAmI", &[("BusinessUnitId", "Edm.Guid"), ("UserId", "Edm.Guid"), ("OrganizationId", "Edm.Guid")]),
    ("RetrieveVersion", &[("Version", "Edm.String")]),
];

/// The document.
pub(crate) fn document(schema: &Arc<Schema>, annotated: bool) -> Bytes {
    static PLAIN: OfSchema<Bytes> = OfSchema::new();
    static ANNOTATED: OfSchema<Bytes> = OfSchema::new();
    let written = if annotated { &ANNOTATED } else { &PLAIN };
    written.get(schema, |schema| write(schema, annotated).into())
}

/// Elements that are being written.
struct Writer {
    text: String,
    annotated: bool,
}

impl Writer {
    fn begin(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.text.extend(["<", name]);
        for (attribute, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            self.text.extend([" ", attribute, "=\""]);
            self.escaped(value);
            self.text.push('"');
        }
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.begin(name, attributes);
        self.text.push_str(" />");
    }

    /// An element with others in it, or an empty one.
    fn with(&mut self, name: &str, attributes: &[(&str, &str)], inner: impl FnOnce(&mut Self)) {
        self.begin(name, attributes);
        let end = self.text.len();
        self.text.push('>');
        let begun = self.text.len();
        inner(self);
        if self.text.len() == begun {
            self.text.truncate(end);
            return self.text.push_str(" />");
        }
        self.text.extend(["</", name, ">"]);
    }

    fn escaped(&mut self, value: &str) {
        for letter in value.chars() {
            match letter {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                letter => self.text.push(letter),
            }
        }
    }
}

/// A type by its short name.
fn of_type(name: &str) -> String {
    format!("{ALIAS}.{name}")
}

/// A type or function by its whole name.
fn whole(name: &str) -> String {
    format!("{}.{name}", DIALECT.namespace)
}

fn write(schema: &Schema, annotated: bool) -> String {
    let mut to = Writer { text: String::with_capacity(1 << 18), annotated };
    to.text.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    to.with("edmx:Edmx", &[("Version", "4.0"), ("xmlns:edmx", EDMX)], |to| {
        to.with("edmx:DataServices", &[], |to| {
            let own = [("Namespace", DIALECT.namespace), ("Alias", ALIAS), ("xmlns", EDM)];
            to.with("Schema", &own, |to| types_and_sets(to, schema));
        });
    });
    to.text.shrink_to_fit();
    to.text
}

fn types_and_sets(to: &mut Writer, schema: &Schema) {
    let base = of_type("crmbaseentity");
    to.empty("EntityType", &[("Name", "crmbaseentity"), ("Abstract", "true")]);
    to.empty("EntityType", &[("Name", "expando"), ("BaseType", &base), ("OpenType", "true")]);
    principal(to, schema, &base);
    for table in schema.tables() {
        entity_type(to, table, &base);
    }
    for (name, answer) in FUNCTIONS {
        function(to, name, answer);
    }
    for (name, query) in DIALECT.query_functions {
        query_function(to, name, *query);
    }
    to.with("EntityContainer", &[("Name", "System")], |to| {
        for table in schema.tables() {
            let own = [("Name", table.set()), ("EntityType", &whole(table.name()))];
            to.with("EntitySet", &own, |to| bindings(to, table));
        }
        for (name, _) in FUNCTIONS {
            to.empty("FunctionImport", &[("Name", name), ("Function", &whole(name))]);
        }
    });
}

/// Where the links of a set's rows lead; owners are in no set of their own.
fn bindings(to: &mut Writer, table: Table<'_>) {
    for link in table.navigations().filter(|link| link.is_many() || !leads_to_owners(link.relationship())) {
        to.empty("NavigationPropertyBinding", &[("Path", link.name()), ("Target", link.target().set())]);
    }
}

/// Whether a link may lead to users and to teams, under one name.
fn leads_to_owners(relationship: Relationship<'_>) -> bool {
    let same = |other: &Relationship<'_>| {
        other.navigation() == relationship.navigation() && !other.is_many_to_many()
    };
    !relationship.is_many_to_many() && relationship.from().outgoing().filter(same).count() > 1
}

/// What users and teams have in common: their key as owners, and the rows that they own.
fn principal(to: &mut Writer, schema: &Schema, base: &str) {
    let own = [("Name", PRINCIPAL), ("BaseType", base), ("Abstract", "true")];
    to.with("EntityType", &own, |to| {
        key(to, [OWNER]);
        to.empty("Property", &[("Name", OWNER), ("Type", "Edm.Guid")]);
        let Some(first) = schema.table(OWNERS[0]) else { return };
        for link in first.navigations().filter(|link| link.is_back() && leads_to_owners(link.relationship()))
        {
            many(to, link);
        }
    });
}

fn key<'n>(to: &mut Writer, names: impl IntoIterator<Item = &'n str>) {
    to.with("Key", &[], |to| names.into_iter().for_each(|name| to.empty("PropertyRef", &[("Name", name)])));
}

fn entity_type(to: &mut Writer, table: Table<'_>, base: &str) {
    let owner = OWNERS.contains(&table.name());
    let above = if owner { of_type(PRINCIPAL) } else { base.to_owned() };
    to.with("EntityType", &[("Name", table.name()), ("BaseType", &above)], |to| {
        if !owner {
            let names: Vec<String> = table.key().map(tables::property).collect();
            key(to, names.iter().map(String::as_str));
        }
        for column in tables::shown(table).filter(|column| !owner || column.name() != OWNER) {
            property(to, column);
        }
        let mut written = Vec::new();
        for link in table.navigations() {
            let owned = leads_to_owners(link.relationship());
            if link.is_many() {
                // what owners own stands with the type above them
                if !(link.is_back() && owned && owner) {
                    many(to, link);
                }
            } else if !written.contains(&link.name()) {
                written.push(link.name());
                one(to, link, owned);
            }
        }
        if to.annotated {
            alternate_keys(to, table);
        }
    });
}

fn property(to: &mut Writer, column: Column<'_>) {
    let (name, kind) = (tables::property(column), DIALECT.type_of(column).name());
    let lookup = name != column.name();
    let annotated = to.annotated && !lookup && !column.is_for_create() && !column.is_for_update();
    to.with("Property", &[("Name", &name), ("Type", &kind), facet(&kind)], |to| {
        if annotated {
            to.empty("Annotation", &[("Term", AN_ANNOTATION), ("Bool", "true")]);
            to.with("Annotation", &[("Term", &format!("{CORE}.Permissions"))], |to| {
                to.text.extend(["<EnumMember>", CORE, ".PermissionType/Read</EnumMember>"]);
            });
        }
    });
}

/// What is said of every property of a type.
fn facet(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "Edm.String" | "Collection(Edm.String)" => ("Unicode", "false"),
        "Edm.Decimal" => ("Scale", "Variable"),
        _ => ("", ""),
    }
}

/// A link to one row, or to an owner of whatever type.
fn one(to: &mut Writer, link: Navigation<'_>, to_owner: bool) {
    let (relationship, target) = (link.relationship(), link.target());
    let kind = of_type(if to_owner { PRINCIPAL } else { target.name() });
    let own = [("Name", link.name()), ("Type", &kind), ("Nullable", "false"), ("Partner", link.partner())];
    to.with("NavigationProperty", &own, |to| {
        for (from, other) in relationship.pairs() {
            let (Some(from), Some(other)) = (relationship.from().at(from), target.at(other)) else {
                continue;
            };
            let referenced = if to_owner { OWNER.to_owned() } else { tables::property(other) };
            let pair = [("Property", &*tables::property(from)), ("ReferencedProperty", &*referenced)];
            to.empty("ReferentialConstraint", &pair);
        }
    });
}

/// A link to many rows.
fn many(to: &mut Writer, link: Navigation<'_>) {
    let kind = format!("Collection({})", of_type(link.target().name()));
    to.empty("NavigationProperty", &[("Name", link.name()), ("Type", &kind), ("Partner", link.partner())]);
}

fn alternate_keys(to: &mut Writer, table: Table<'_>) {
    if table.keys().len() == 0 {
        return;
    }
    let (term, record) = (format!("{KEYS}.AlternateKeys"), format!("{KEYS}.AlternateKey"));
    let reference = format!("{KEYS}.PropertyRef");
    to.with("Annotation", &[("Term", &term)], |to| {
        to.with("Collection", &[], |to| {
            for alternate in table.keys() {
                to.with("Record", &[("Type", &record)], |to| {
                    to.with("PropertyValue", &[("Property", "Key")], |to| {
                        to.with("Collection", &[], |to| {
                            for column in alternate.columns() {
                                let name = tables::property(column);
                                to.with("Record", &[("Type", &reference)], |to| {
                                    to.empty("PropertyValue", &[("Property", "Alias"), ("String", &name)]);
                                    to.empty(
                                        "PropertyValue",
                                        &[("Property", "Name"), ("PropertyPath", &name)],
                                    );
                                });
                            }
                        });
                    });
                });
            }
        });
    });
}

/// A function of the service root, and the type of its answer.
fn function(to: &mut Writer, name: &str, answer: &[(&str, &str)]) {
    let response = format!("{name}Response");
    to.with("ComplexType", &[("Name", &response)], |to| {
        for (property, kind) in answer {
            let nullable = if *kind == "Edm.Guid" { "false" } else { "" };
            to.empty("Property", &[("Name", property), ("Type", kind), ("Nullable", nullable), facet(kind)]);
        }
    });
    to.with("Function", &[("Name", name)], |to| {
        to.empty("ReturnType", &[("Type", &of_type(&response)), ("Nullable", "false")]);
    });
}

/// A function of `$filter`.
fn query_function(to: &mut Writer, name: &str, query: QueryFunction) {
    let value = match query {
        QueryFunction::In | QueryFunction::NotIn | QueryFunction::Between | QueryFunction::NotBetween => {
            Some(("PropertyValues", "Collection(Edm.String)"))
        }
        QueryFunction::LastXHours | QueryFunction::LastXDays => Some(("PropertyValue", "Edm.Int64")),
        QueryFunction::Today => None,
    };
    to.with("Function", &[("Name", name)], |to| {
        for (parameter, kind) in [("PropertyName", "Edm.String")].into_iter().chain(value) {
            to.empty("Parameter", &[("Name", parameter), ("Type", kind), ("Nullable", "false"), facet(kind)]);
        }
        to.empty("ReturnType", &[("Type", "Edm.Boolean"), ("Nullable", "false")]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_written_once_for_a_schema() {
        let (first, second) = (tables::built_in(), Arc::new(Schema::clone(&tables::built_in())));
        let plain = document(&first, false);
        assert_eq!(plain.as_ptr(), document(&first, false).as_ptr());
        assert_ne!(plain, document(&first, true));
        let other = document(&second, false);
        assert_eq!(plain, other);
        assert_ne!(plain.as_ptr(), other.as_ptr());
    }
}
