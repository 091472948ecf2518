//! `GET /data/$metadata`: types, links and sets, as the product writes them.
//!
//! Decides the layout alone: what there is stands in the schema. Mirrors twelve documents of 2025: a byte order mark, two blanks of
//! indent, an enumeration before the first type that uses it, key columns first, no lengths anywhere, and links to sets that are
//! served. The document is the same for every lab, since it names no host, so it is written once.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use mocktenant_lab::{Answer, Content};
use mocktenant_odata::Type;
use mocktenant_schema::{Choices, Kind, Navigation, OfSchema, Requirement, Schema};

use super::{COMPANY, DIALECT, Entity, Member, NAMESPACE, all};

/// The namespace of annotations.
const CORE: &str = "Microsoft.Dynamics.OData.Core.V1";
/// The namespaces of the document's own words.
const EDMX: &str = "http://docs.oasis-open.org/odata/ns/edmx";
const EDM: &str = "http://docs.oasis-open.org/odata/ns/edm";
/// The product's own types of columns, with their values.
const AX_TYPES: [&str; 12] = [
    "Container",
    "Date",
    "Enum",
    "Guid",
    "Int32",
    "Int64",
    "Real",
    "Record",
    "String",
    "Time",
    "UtcDateTime",
    "Void",
];

/// The document.
pub(crate) fn document(schema: &Arc<Schema>) -> Answer {
    static WRITTEN: OfSchema<Bytes> = OfSchema::new();
    let content = Content::Xml(WRITTEN.get(schema, |schema| write(schema).into()), "application/xml");
    Answer::typed(StatusCode::OK, content).with("odata-version", "4.0")
}

/// Elements that are being written, one on a line.
struct Writer {
    text: String,
    open: Vec<&'static str>,
}

impl Writer {
    fn element(&mut self, name: &'static str, attributes: &[(&str, &str)], end: &str) {
        self.text.push_str("\r\n");
        for _ in &self.open {
            self.text.push_str("  ");
        }
        self.text.push('<');
        self.text.push_str(name);
        for (attribute, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            self.text.extend([" ", attribute, "=\""]);
            self.escaped(value);
            self.text.push('"');
        }
        self.text.push_str(end);
    }

    fn empty(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.element(name, attributes, " />");
    }

    fn begin(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.element(name, attributes, ">");
        self.open.push(name);
    }

    fn end(&mut self) {
        let Some(name) = self.open.pop() else { return };
        self.text.push_str("\r\n");
        for _ in &self.open {
            self.text.push_str("  ");
        }
        self.text.extend(["</", name, ">"]);
    }

    /// An element with others in it, or an empty one.
    fn with(&mut self, name: &'static str, attributes: &[(&str, &str)], inner: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        self.begin(name, attributes);
        let begun = self.text.len();
        inner(self);
        if self.text.len() > begun {
            return self.end();
        }
        self.open.pop();
        self.text.truncate(before);
        self.empty(name, attributes);
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

    fn annotation(&mut self, term: &str, form: &str, value: &str) {
        self.empty("Annotation", &[("Term", &format!("{CORE}.{term}")), (form, value)]);
    }

    fn label(&mut self, label: Option<&str>) {
        if let Some(label) = label {
            self.annotation("LabelId", "String", label);
        }
    }
}

fn write(schema: &Schema) -> String {
    let mut to = Writer { text: String::with_capacity(1 << 20), open: Vec::new() };
    to.text.push_str("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    to.begin("edmx:Edmx", &[("Version", "4.0"), ("xmlns:edmx", EDMX)]);
    to.begin("edmx:DataServices", &[]);
    to.begin("Schema", &[("Namespace", NAMESPACE), ("xmlns", EDM)]);
    let mut known = HashSet::new();
    for entity in all(schema) {
        for column in properties(entity) {
            if let Some(choices) = column.choices().filter(|choices| known.insert(choices.name())) {
                enumeration(&mut to, choices);
            }
        }
        entity_type(&mut to, entity);
    }
    to.begin("EntityContainer", &[("Name", "Resources")]);
    for entity in all(schema) {
        let kind = DIALECT.type_name(entity);
        to.with("EntitySet", &[("Name", entity.set()), ("EntityType", &kind)], |to| {
            for link in entity.navigations() {
                let binding = [("Path", link.name()), ("Target", link.target().set())];
                to.empty("NavigationPropertyBinding", &binding);
            }
        });
    }
    to.end();
    to.end();
    to.begin("Schema", &[("Namespace", CORE), ("xmlns", EDM)]);
    to.begin("EnumType", &[("Name", "AXType")]);
    for (value, name) in AX_TYPES.iter().enumerate() {
        to.empty("Member", &[("Name", name), ("Value", &value.to_string())]);
    }
    while !to.open.is_empty() {
        to.end();
    }
    to.text
}

/// Columns as a type lists them: those of the key first.
fn properties(entity: Entity<'_>) -> impl Iterator<Item = Member<'_>> {
    let others = entity.columns().filter(move |column| !entity.key().any(|part| part == *column));
    entity.key().chain(others).filter(|column| column.is_for_read())
}

fn enumeration(to: &mut Writer, choices: Choices<'_>) {
    to.with("EnumType", &[("Name", choices.name())], |to| {
        for member in choices.all() {
            let own = [("Name", member.text()), ("Value", &member.value().to_string())];
            to.with("Member", &own, |to| to.label(choices.note(&format!("{}/LabelId", member.text()))));
        }
        to.label(choices.note("LabelId"));
    });
}

fn entity_type(to: &mut Writer, entity: Entity<'_>) {
    to.begin("EntityType", &[("Name", entity.schema_name())]);
    to.begin("Key", &[]);
    for column in entity.key() {
        to.empty("PropertyRef", &[("Name", column.name())]);
    }
    to.end();
    for column in properties(entity) {
        property(to, column, entity.key().any(|part| part == column));
    }
    for link in entity.navigations() {
        navigation(to, link);
    }
    to.label(entity.note("LabelId"));
    if let Some(enabled) = entity.note("ConfigurationKeyEnabled") {
        to.annotation("ConfigurationKeyEnabled", "Bool", enabled);
    }
    to.end();
}

fn property(to: &mut Writer, column: Member<'_>, is_key: bool) {
    let kind = DIALECT.type_of(column);
    let may_be_null = matches!(kind, Type::Enumeration(_) | Type::Primitive("Edm.String" | "Edm.Binary"));
    let nullable = if may_be_null && !is_key { "" } else { "false" };
    let name = kind.name();
    to.begin("Property", &[("Name", column.name()), ("Type", &name), ("Nullable", nullable)]);
    for (term, form) in [
        ("LabelId", "String"),
        ("HelpTextId", "String"),
        ("CountryRegionCodes", "String"),
        ("ConfigurationKeyEnabled", "Bool"),
    ] {
        if let Some(value) = column.note(term) {
            to.annotation(term, form, value);
        }
    }
    if !column.is_for_update() {
        to.annotation("AllowEdit", "Bool", "false");
    }
    if !column.is_for_create() {
        to.annotation("AllowEditOnCreate", "Bool", "false");
    }
    if column.requirement() == Requirement::Mandatory {
        to.annotation("IsRequired", "Bool", "true");
    }
    for (term, form) in [("IsDimension", "Bool"), ("DimensionRelation", "String")] {
        if let Some(value) = column.note(term) {
            to.annotation(term, form, value);
        }
    }
    to.begin("Annotation", &[("Term", &format!("{CORE}.AXType"))]);
    to.element("EnumMember", &[], ">");
    to.text.extend([CORE, ".AXType/", ax_type(column), "</EnumMember>"]);
    to.end();
    to.end();
}

/// The product's own type of a column.
fn ax_type(column: Member<'_>) -> &'static str {
    match column.kind() {
        // a few flags of the kernel are Edm.Boolean
        Kind::Choice | Kind::Flag | Kind::State | Kind::Status => "Enum",
        Kind::Whole => "Int32",
        Kind::Big | Kind::Version => "Int64",
        Kind::Decimal | Kind::Money | Kind::Double => "Real",
        Kind::Day => "Date",
        Kind::Moment => "UtcDateTime",
        Kind::Id | Kind::Lookup => "Guid",
        Kind::Binary => "Container",
        Kind::Text | Kind::Memo | Kind::Virtual => "String",
    }
}

fn navigation(to: &mut Writer, link: Navigation<'_>) {
    let kind = DIALECT.type_name(link.target());
    if link.is_many() {
        let kind = format!("Collection({kind})");
        let own = [("Name", link.name()), ("Type", &kind), ("Partner", link.partner())];
        return to.empty("NavigationProperty", &own);
    }
    let own = [("Name", link.name()), ("Type", &kind), ("Nullable", "false"), ("Partner", link.partner())];
    // On the way back no column is bound by another. [inferred: no capture has one]
    if link.is_back() {
        return to.empty("NavigationProperty", &own);
    }
    to.with("NavigationProperty", &own, |to| {
        let relationship = link.relationship();
        let (from, target) = (relationship.from(), relationship.to());
        let mut pairs: Vec<(&str, &str)> = relationship
            .pairs()
            .filter_map(|(own, other)| Some((from.at(own)?.name(), target.at(other)?.name())))
            .collect();
        // the relation's own columns first
        pairs.sort_by_key(|(own, _)| *own == COMPANY);
        for (own, other) in pairs {
            to.empty("ReferentialConstraint", &[("Property", own), ("ReferencedProperty", other)]);
        }
    });
}
