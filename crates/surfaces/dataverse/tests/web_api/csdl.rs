//! `$metadata`: that it is a document, that its names lead somewhere, and that rows hold nothing it does not tell of.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use mocktenant_world::Edit;
use mocktenant_xml::{Budget, Node, Prefixes, Text, Tree};
use serde_json::json;

use super::support::{Bench, CLIENT, HOST, organization};

const DOCUMENT: &str = "/api/data/v9.2/$metadata";
const NAMESPACE: &str = "Microsoft.Dynamics.CRM";
const BUDGET: Budget = Budget { bytes: 1 << 24, depth: 16, elements: 1 << 16, attributes: 16 };

fn read(bytes: &[u8]) -> Text {
    Text::utf8(bytes.to_vec(), BUDGET.bytes).unwrap()
}

fn tree(text: &Text) -> Tree<'_> {
    Tree::scan(text, &BUDGET, Prefixes::Declared).unwrap()
}

/// A type: its base, its key, its properties with their types, and its links with what they are.
#[derive(Default)]
struct Type<'d> {
    base: Option<&'d str>,
    key: Vec<&'d str>,
    properties: BTreeMap<&'d str, &'d str>,
    links: BTreeMap<&'d str, Node<'d>>,
}

/// The types of a document by name.
struct Model<'d>(BTreeMap<&'d str, Type<'d>>);

fn short(name: &str) -> &str {
    let name = name.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(name);
    let alias = name.strip_prefix("mscrm.").or_else(|| name.strip_prefix("Microsoft.Dynamics.CRM."));
    alias.unwrap_or_else(|| panic!("{name} is of no namespace"))
}

impl<'d> Model<'d> {
    fn of(schema: Node<'d>) -> Self {
        let mut types = BTreeMap::new();
        for node in schema.children().filter(|node| node.name() == "EntityType") {
            let mut found = Type { base: node.value("BaseType").map(short), ..Type::default() };
            for child in node.children() {
                let name = child.value("Name").unwrap_or_default();
                let again = match child.name() {
                    "Key" => {
                        found.key = child.children().map(|part| part.value("Name").unwrap()).collect();
                        false
                    }
                    "Property" => found.properties.insert(name, child.value("Type").unwrap()).is_some(),
                    "NavigationProperty" => found.links.insert(name, child).is_some(),
                    "Annotation" => false,
                    other => panic!("{other}"),
                };
                assert!(!again, "{name} stands twice");
            }
            assert!(types.insert(node.value("Name").unwrap(), found).is_none(), "a type stands twice");
        }
        Self(types)
    }

    /// A type and those it is derived from.
    fn line(&self, name: &str) -> Vec<&Type<'d>> {
        let first = self.0.get(name).unwrap_or_else(|| panic!("there is no type {name}"));
        std::iter::successors(Some(first), |one| one.base.map(|base| &self.0[base])).collect()
    }

    fn property(&self, name: &str, property: &str) -> Option<&'d str> {
        self.line(name).iter().find_map(|one| one.properties.get(property).copied())
    }

    fn link(&self, name: &str, link: &str) -> Option<Node<'d>> {
        self.line(name).iter().find_map(|one| one.links.get(link).copied())
    }
}

fn schema<'t>(tree: &'t Tree<'_>) -> Node<'t> {
    let found = tree.root().descend(&["DataServices", "Schema"]);
    let [schema] = found.as_slice() else { panic!("{} schemas", found.len()) };
    *schema
}

#[tokio::test]
async fn the_document_is_xml_and_says_who_asks_what_he_gets() {
    let bench = Bench::new().await;
    let seen = bench.get(DOCUMENT).await;
    assert_eq!(seen.status().as_u16(), 200);
    assert_eq!(seen.header("content-type"), Some("application/xml"));
    assert_eq!(seen.header("odata-version"), Some("4.0"));
    let text = read(&seen.response.body);
    let tree = tree(&text);
    assert_eq!(tree.root().qualified_name(), "edmx:Edmx");
    assert_eq!(tree.root().value("Version"), Some("4.0"));
    assert_eq!(schema(&tree).value("Namespace"), Some(NAMESPACE));
    assert_eq!(schema(&tree).value("Alias"), Some("mscrm"));
    assert!(!text.as_str().contains(HOST) && !text.as_str().contains("<Annotation"));
    for version in ["v9.0", "v9.1", "V9.2"] {
        let same = bench.get(&format!("/api/data/{version}/$metadata")).await;
        assert_eq!(same.response.body, seen.response.body, "{version}");
    }
    for accept in ["application/xml", "*/*", "application/json", "application/json;odata.metadata=full"] {
        let same = bench.call_with(Method::GET, DOCUMENT, None, &[("accept", accept)]).await;
        assert_eq!(same.header("content-type"), Some("application/xml"), "{accept}");
        assert_eq!(same.response.body, seen.response.body, "{accept}");
    }
    for path in ["$metadata?$format=xml", "$metadata?$format=application/xml", "%24metadata", "$metadata/"] {
        let same = bench.get(&format!("/api/data/v9.2/{path}")).await;
        assert_eq!(same.response.body, seen.response.body, "{path}");
    }
}

#[tokio::test]
async fn the_elements_are_those_of_the_documentation() {
    let bench = Bench::new().await;
    let seen = bench.get(DOCUMENT).await;
    let text = read(&seen.response.body);
    for element in [
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><edmx:Edmx Version=\"4.0\" \
            xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">",
        "<edmx:DataServices><Schema Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\" \
            xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">",
        "<EntityType Name=\"crmbaseentity\" Abstract=\"true\" />",
        "<EntityType Name=\"expando\" BaseType=\"mscrm.crmbaseentity\" OpenType=\"true\" />",
        "<EntityType Name=\"account\" BaseType=\"mscrm.crmbaseentity\"><Key><PropertyRef Name=\"accountid\" /></Key>",
        "<EntityType Name=\"systemuser\" BaseType=\"mscrm.principal\"><Property Name=\"systemuserid\" Type=\"Edm.Guid\" />",
        "<Property Name=\"name\" Type=\"Edm.String\" Unicode=\"false\" />",
        "<Property Name=\"creditlimit\" Type=\"Edm.Decimal\" Scale=\"Variable\" />",
        "<Property Name=\"createdon\" Type=\"Edm.DateTimeOffset\" />",
        "<Property Name=\"_createdby_value\" Type=\"Edm.Guid\" />",
        "<NavigationProperty Name=\"createdby\" Type=\"mscrm.systemuser\" Nullable=\"false\" \
            Partner=\"lk_accountbase_createdby\"><ReferentialConstraint Property=\"_createdby_value\" \
            ReferencedProperty=\"systemuserid\" /></NavigationProperty>",
        "<NavigationProperty Name=\"Account_Tasks\" Type=\"Collection(mscrm.task)\" \
            Partner=\"regardingobjectid_account_task\" />",
        "<NavigationProperty Name=\"lk_accountbase_createdby\" Type=\"Collection(mscrm.account)\" Partner=\"createdby\" />",
        "<NavigationProperty Name=\"ownerid\" Type=\"mscrm.principal\" Nullable=\"false\" Partner=\"owner_accounts\">\
            <ReferentialConstraint Property=\"_ownerid_value\" ReferencedProperty=\"ownerid\" /></NavigationProperty>",
        "<NavigationProperty Name=\"systemuserroles_association\" Type=\"Collection(mscrm.role)\" \
            Partner=\"systemuserroles_association\" />",
        "<ComplexType Name=\"WhoAmIResponse\"><Property Name=\"BusinessUnitId\" Type=\"Edm.Guid\" Nullable=\"false\" />\
            <Property Name=\"UserId\" Type=\"Edm.Guid\" Nullable=\"false\" /><Property Name=\"OrganizationId\" \
            Type=\"Edm.Guid\" Nullable=\"false\" /></ComplexType>",
        "<Function Name=\"WhoAmI\"><ReturnType Type=\"mscrm.WhoAmIResponse\" Nullable=\"false\" /></Function>",
        "<Function Name=\"LastXHours\"><Parameter Name=\"PropertyName\" Type=\"Edm.String\" Nullable=\"false\" \
            Unicode=\"false\" /><Parameter Name=\"PropertyValue\" Type=\"Edm.Int64\" Nullable=\"false\" /><ReturnType \
            Type=\"Edm.Boolean\" Nullable=\"false\" /></Function>",
        "<EntityContainer Name=\"System\">",
        "<EntitySet Name=\"accounts\" EntityType=\"Microsoft.Dynamics.CRM.account\">",
        "<NavigationPropertyBinding Path=\"primarycontactid\" Target=\"contacts\" />",
        "<FunctionImport Name=\"RetrieveVersion\" Function=\"Microsoft.Dynamics.CRM.RetrieveVersion\" />",
    ] {
        assert!(text.as_str().contains(element), "{element}");
    }
}

#[tokio::test]
async fn every_name_in_the_document_leads_somewhere() {
    let bench = Bench::new().await;
    for form in [DOCUMENT.to_owned(), format!("{DOCUMENT}?annotations=true")] {
        let seen = bench.get(&form).await;
        let text = read(&seen.response.body);
        let tree = tree(&text);
        let model = Model::of(schema(&tree));
        types_hold_together(&model);
        sets_hold_together(&model, schema(&tree));
        let container = schema(&tree).descend(&["EntityContainer"]);
        let mut sets: Vec<&str> =
            container[0].descend(&["EntitySet"]).iter().map(|set| set.value("Name").unwrap()).collect();
        sets.sort_unstable();
        let service = bench.get("/api/data/v9.2/").await.json();
        let listed: Vec<&str> =
            service["value"].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
        assert_eq!(sets, listed);
    }
}

/// Keys are properties, each of them once in a line of types; links lead to types, and from there back.
fn types_hold_together(model: &Model<'_>) {
    for (name, own) in &model.0 {
        let line = model.line(name);
        let keys: Vec<&str> = line.iter().flat_map(|one| one.key.iter().copied()).collect();
        assert_eq!(
            keys.len(),
            usize::from(!matches!(*name, "crmbaseentity" | "expando")),
            "{name}: {keys:?}"
        );
        for key in keys {
            assert_eq!(model.property(name, key), Some("Edm.Guid"), "{name}.{key}");
        }
        let mut members = BTreeSet::new();
        for one in &line {
            for member in one.properties.keys().chain(one.links.keys()) {
                assert!(members.insert(*member), "{name}.{member} stands twice");
            }
        }
        for (link, node) in &own.links {
            link_leads_there_and_back(model, name, link, *node);
        }
    }
}

fn link_leads_there_and_back(model: &Model<'_>, name: &str, link: &str, node: Node<'_>) {
    let kind = node.value("Type").unwrap();
    let (target, many) = (short(kind), kind.starts_with("Collection("));
    model.line(target);
    assert_eq!(node.value("Nullable"), (!many).then_some("false"), "{name}.{link}");
    if let Some(partner) = node.value("Partner") {
        let back =
            model.link(target, partner).unwrap_or_else(|| panic!("{name}.{link}: no {target}.{partner}"));
        assert_eq!(short(back.value("Type").unwrap()), name, "{target}.{partner} leads elsewhere");
        assert_eq!(back.value("Partner"), Some(link), "{target}.{partner} leads back elsewhere");
    }
    let pairs: Vec<Node<'_>> = node.children().collect();
    assert_eq!(pairs.len(), usize::from(!many), "{name}.{link}");
    for pair in pairs {
        let own = model.property(name, pair.value("Property").unwrap());
        let other = model.property(target, pair.value("ReferencedProperty").unwrap());
        assert!(own.is_some() && own == other, "{name}.{link}: {own:?} is {other:?}");
    }
}

/// Sets are of types, what they bind are links, and lead to sets of the links' types; functions are there.
fn sets_hold_together(model: &Model<'_>, schema: Node<'_>) {
    let sets: BTreeMap<&str, &str> = schema
        .descend(&["EntityContainer", "EntitySet"])
        .into_iter()
        .map(|set| (set.value("Name").unwrap(), short(set.value("EntityType").unwrap())))
        .collect();
    for set in schema.descend(&["EntityContainer", "EntitySet"]) {
        let kind = short(set.value("EntityType").unwrap());
        let mut bound: BTreeSet<&str> = BTreeSet::new();
        for binding in set.children() {
            let path = binding.value("Path").unwrap();
            assert!(bound.insert(path), "{kind}.{path} is bound twice");
            let link = model.link(kind, path).unwrap_or_else(|| panic!("{kind} has no {path}"));
            assert_eq!(
                sets[binding.value("Target").unwrap()],
                short(link.value("Type").unwrap()),
                "{kind}.{path}"
            );
        }
        let unbound: Vec<&str> = model
            .line(kind)
            .iter()
            .flat_map(|one| one.links.keys().copied())
            .filter(|link| !bound.contains(link))
            .collect();
        assert!(
            unbound.iter().all(|link| matches!(*link, "ownerid" | "ownerid_task")),
            "{kind}: {unbound:?}"
        );
    }
    let named = |name| {
        schema.descend(&[name]).into_iter().map(|one| one.value("Name").unwrap()).collect::<BTreeSet<_>>()
    };
    let (functions, answers) = (named("Function"), named("ComplexType"));
    for import in schema.descend(&["EntityContainer", "FunctionImport"]) {
        assert!(functions.contains(short(import.value("Function").unwrap())));
    }
    for answer in schema.descend(&["Function", "ReturnType"]) {
        let kind = answer.value("Type").unwrap();
        assert!(kind == "Edm.Boolean" || answers.contains(short(kind)), "{kind}");
    }
}

#[tokio::test]
async fn a_row_has_no_member_that_the_document_does_not_tell_of_and_the_other_way_about() {
    let bench = Bench::new().await;
    for (set, body) in [
        ("accounts", json!({ "name": "Forest", "creditlimit": 5 })),
        ("contacts", json!({ "lastname": "Forest" })),
        ("tasks", json!({ "subject": "Forest" })),
    ] {
        let made = bench.call(Method::POST, &format!("/api/data/v9.2/{set}"), Some(&body.to_string())).await;
        assert_eq!(made.status().as_u16(), 204, "{set}");
    }
    let seen = bench.get(DOCUMENT).await;
    let text = read(&seen.response.body);
    let tree = tree(&text);
    let model = Model::of(schema(&tree));
    for set in schema(&tree).descend(&["EntityContainer", "EntitySet"]) {
        let (name, kind) = (set.value("Name").unwrap(), short(set.value("EntityType").unwrap()));
        let rows = bench.get(&format!("/api/data/v9.2/{name}?$top=1")).await.json();
        let Some(row) = rows["value"].as_array().and_then(|rows| rows.first()) else {
            assert!(
                !matches!(name, "accounts" | "contacts" | "tasks" | "transactioncurrencies"),
                "{name}: {rows}"
            );
            continue;
        };
        let members: BTreeSet<&str> =
            row.as_object().unwrap().keys().map(String::as_str).filter(|name| !name.contains('@')).collect();
        let told: BTreeSet<&str> =
            model.line(kind).iter().flat_map(|one| one.properties.keys().copied()).collect();
        assert_eq!(members, told, "{name}");
    }
}

#[tokio::test]
async fn annotations_come_to_those_who_ask() {
    let bench = Bench::new().await;
    let plain = bench.get(DOCUMENT).await.response.body;
    let annotated = bench.get(&format!("{DOCUMENT}?annotations=true")).await.response.body;
    let text = read(&annotated);
    for element in [
        "<Property Name=\"name\" Type=\"Edm.String\" Unicode=\"false\" />",
        "<Property Name=\"createdon\" Type=\"Edm.DateTimeOffset\"><Annotation Term=\"Org.OData.Core.V1.Computed\" \
            Bool=\"true\" /><Annotation Term=\"Org.OData.Core.V1.Permissions\">\
            <EnumMember>Org.OData.Core.V1.PermissionType/Read</EnumMember></Annotation></Property>",
        "<Annotation Term=\"OData.Community.Keys.V1.AlternateKeys\"><Collection><Record \
            Type=\"OData.Community.Keys.V1.AlternateKey\"><PropertyValue Property=\"Key\"><Collection><Record \
            Type=\"OData.Community.Keys.V1.PropertyRef\"><PropertyValue Property=\"Alias\" String=\"accountnumber\" />\
            <PropertyValue Property=\"Name\" PropertyPath=\"accountnumber\" /></Record></Collection></PropertyValue>\
            </Record></Collection></Annotation>",
    ] {
        assert!(text.as_str().contains(element), "{element}");
    }
    for (preference, wanted) in [
        ("odata.include-annotations=\"*\"", &annotated),
        ("odata.include-annotations=\"Org.OData.Core.V1.*\"", &annotated),
        ("odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\"", &plain),
    ] {
        let seen = bench.call_with(Method::GET, DOCUMENT, None, &[("prefer", preference)]).await;
        assert_eq!(&seen.response.body, wanted, "{preference}");
        assert_eq!(seen.header("preference-applied"), Some(preference));
    }
    assert_eq!(bench.get(&format!("{DOCUMENT}?annotations=false&x=1")).await.response.body, plain);
}

#[tokio::test]
async fn what_the_document_does_not_take_is_refused_and_said() {
    let bench = Bench::new().await;
    for (query, what) in [
        ("$format=json", "$format=json on $metadata"),
        ("annotations=1", "annotations=1 on $metadata"),
        ("$select=name", "a query option of rows on $metadata"),
        ("fetchXml=x", "the query option fetchXml on $metadata"),
    ] {
        let seen = bench.get(&format!("{DOCUMENT}?{query}")).await;
        assert_eq!(seen.refusal(), (400, "0x80040203".to_owned()), "{query}");
        let record = bench.lab.journal().last_refusal().unwrap();
        assert_eq!(&*record.fact("not-built").unwrap().value, what, "{query}");
    }
    for method in [Method::POST, Method::DELETE, Method::PATCH] {
        let seen = bench.call(method.clone(), DOCUMENT, Some("{}")).await;
        assert_eq!(seen.status().as_u16(), 405, "{method}");
        assert_eq!(seen.header("allow"), Some("GET"), "{method}");
    }
    let stranger = bench.send(Method::GET, DOCUMENT, None, &[]).await;
    assert_eq!(stranger.status().as_u16(), 401);
    assert!(stranger.header("www-authenticate").unwrap().contains("authorization_uri="));
    assert_eq!(bench.get(&format!("{DOCUMENT}/accounts")).await.status().as_u16(), 404);
    assert_eq!(bench.get("/api/data/v9.2/$Metadata").await.status().as_u16(), 404);
}

#[tokio::test]
async fn whoever_is_let_in_reads_it_without_a_role_too_and_in_a_batch() {
    let roles = organization(&["application_users", CLIENT, "roles"]);
    let bench = Bench::edited(&[Edit::replace(roles, json!([]))]).await;
    let alone = bench.get(DOCUMENT).await;
    assert_eq!(alone.status().as_u16(), 200);
    let part =
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET $metadata HTTP/1.1";
    let body = format!("--b\r\n{part}\r\n\r\n\r\n--b--\r\n");
    let headers = [("content-type", "multipart/mixed; boundary=b")];
    let seen = bench.call_with(Method::POST, "/api/data/v9.2/$batch", Some(&body), &headers).await;
    let text = String::from_utf8_lossy(&seen.response.body);
    assert_eq!(seen.status().as_u16(), 200, "{text}");
    assert!(text.contains("\r\nContent-Type: application/xml\r\n"), "{text:.400}");
    assert!(text.contains(&*String::from_utf8_lossy(&alone.response.body)));
}
