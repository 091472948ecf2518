//! A whole config file in the place of what it says, and what one node of an environment has otherwise.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_world::{Artefacts, Declaration, EditedBy, Origin, Origins, Setting, World};
use serde_json::{Value, json};

const WEB: &str = "/environments/onebox/web_config";
const WIF: &str = "/environments/onebox/wif_config";
const AXSF: &str = "/environments/onprem/axsf";
const NODE: &str = "/environments/onprem/nodes/AOS_1";

fn contoso() -> World {
    World::contoso().unwrap_or_else(|error| panic!("{error}"))
}

fn patched(world: &World, edits: Value) -> Result<World, String> {
    let edits: Vec<_> = serde_json::from_value(edits).expect("a patch");
    world.edited(&edits, EditedBy::Control).map_err(|error| error.to_string())
}

fn edited(world: &World, edits: Value) -> World {
    patched(world, edits).unwrap_or_else(|error| panic!("{error}"))
}

/// A whole file in the place of what is there.
fn given(world: &World, path: &str, file: &str) -> Result<World, String> {
    patched(world, json!([{ "op": "replace", "path": path, "value": file }]))
}

fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../testdata/configs").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(name: &str) -> String {
    String::from_utf8(sample(name)).expect("UTF-8")
}

fn bytes<'w>(world: &'w World, path: &'static str) -> &'w [u8] {
    world.artefact(&Setting::fixed(path)).expect("a file").bytes()
}

fn value<'w>(world: &'w World, path: &str, key: &str) -> Option<&'w str> {
    world.get(&Setting::from_pointer(path).join(key))?.as_str()
}

/// Where a value stands: file and line, or who wrote it.
fn line(world: &World, path: &str, key: &str) -> String {
    match world.origin(&Setting::from_pointer(path).join(key)) {
        Origin::File { file, line, .. } => format!("{file}:{line}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_text_in_the_place_of_what_a_file_says_is_that_file_to_the_last_byte() {
    let fragment = text("AXSF.fragment.xml");
    let world = given(&contoso(), AXSF, &fragment).unwrap();
    assert_eq!(bytes(&world, AXSF), fragment.as_bytes());
    assert_eq!(value(&world, AXSF, "Aad.AADTenantId"), Some("adfs"), "by the name the AOS asks for");
    assert_eq!(line(&world, AXSF, "Aad.AADTenantId"), "AXSF.Package.1.0.xml:5");
    assert_eq!(line(&world, AXSF, "Provisioning.AdminPrincipalName"), "AXSF.Package.1.0.xml:26");
    let view = world.view()["environments"]["onprem"]["axsf"].clone();
    assert_eq!(view.as_object().map(serde_json::Map::len), Some(19), "the view has what it says");
    let keys = &world.declaration().environments["onprem"].axsf;
    assert_eq!(json!(keys), view);

    let lf = text("wif.lf.config");
    let world = given(&world, WIF, &lf).unwrap();
    assert_eq!((bytes(&world, WIF), bytes(&world, AXSF)), (lf.as_bytes(), fragment.as_bytes()));

    // Later edits are splices in the file that was given.
    let world = edited(
        &world,
        json!([{ "op": "replace", "path": format!("{AXSF}/Aad.AADTenantId"), "value": "other" }]),
    );
    let changed = String::from_utf8(bytes(&world, AXSF).to_vec()).unwrap();
    let other = "<Parameter Name=\"Microsoft Entra IDTenantId\" Value=\"other\" />";
    assert_eq!(
        changed,
        fragment.replace("<Parameter Name=\"Microsoft Entra IDTenantId\" Value=\"adfs\" />", other)
    );
}

#[test]
fn a_file_in_another_encoding_comes_as_base64_and_keeps_it() {
    for name in ["web.utf16le.config", "web.utf16be-no-bom.config", "web.windows-1252.config"] {
        let file = sample(name);
        for end in ["", "\n"] {
            let encoded = format!("base64:{}{end}", STANDARD.encode(&file));
            let world = given(&contoso(), WEB, &encoded).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(bytes(&world, WEB), file, "{name}");
            let keys = world.view()["environments"]["onebox"]["web_config"].clone();
            let (key, _) = keys.as_object().unwrap().iter().next().unwrap_or_else(|| panic!("{name}"));
            assert!(line(&world, WEB, key).starts_with("web.config:"), "{name}");
        }
    }
    let utf16: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(text("AXSF.fragment.xml").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let world = given(&contoso(), AXSF, &format!("base64:{}", STANDARD.encode(&utf16))).unwrap();
    assert_eq!((bytes(&world, AXSF), value(&world, AXSF, "Aad.AADTenantId")), (&*utf16, Some("adfs")));
    assert_eq!(line(&world, AXSF, "Aad.AADTenantId"), "AXSF.Package.1.0.xml:5");
}

#[test]
fn a_broken_file_is_refused_with_line_and_column_and_what_was_there_stays() {
    let world = contoso();
    let fragment = text("AXSF.fragment.xml");
    let unclosed = fragment.replacen("<Parameter Name=\"ADFSEndpoint\"", "<Parameter Name=\"ADFSEndpoint", 1);
    let found = |path: &str, file: &str| given(&world, path, file).expect_err(path);
    for (path, file, begins) in [
        (WIF, text("wif.unclosed.config"), "/environments/onebox/wif_config: wif.config:"),
        (WEB, text("web.missing-quote.config"), "/environments/onebox/web_config: web.config:"),
        (AXSF, unclosed, "/environments/onprem/axsf: AXSF.Package.1.0.xml:9:42: no space"),
        (AXSF, String::from("<configuration/>"), "/environments/onprem/axsf: AXSF.Package.1.0.xml:1:1: "),
        (AXSF, String::new(), "/environments/onprem/axsf: AXSF.Package.1.0.xml:1:1: "),
        (AXSF, String::from("base64:<>"), "/environments/onprem/axsf: what follows `base64:` is no base64: "),
    ] {
        let error = found(path, &file);
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.starts_with(begins), "{error}");
        let (_, place) = error.split_once(begins).unwrap();
        assert!(
            !begins.ends_with("config:")
                || place.split(':').take(2).all(|number| number.parse::<u32>().is_ok()),
            "{error}"
        );
    }
    assert_eq!(world.generation(), 0);
    let both = json!([
        { "op": "replace", "path": AXSF, "value": "<" },
        { "op": "replace", "path": WEB, "value": "<" },
    ]);
    assert_eq!(patched(&world, both).unwrap_err().lines().count(), 2, "each is told");
}

#[test]
fn another_file_that_says_the_same_takes_the_place_of_the_one_before() {
    let world = contoso();
    let before = String::from_utf8(bytes(&world, AXSF).to_vec()).unwrap();
    let commented = before.replace("</ServicePackage>", "<!-- mine -->\n</ServicePackage>");
    assert_ne!(before, commented);
    let after = given(&world, AXSF, &commented).unwrap();
    assert_eq!(bytes(&after, AXSF), commented.as_bytes());
    assert_eq!(after.view(), world.view(), "it says what the other said");
    assert_eq!(bytes(&world, AXSF), before.as_bytes(), "the snapshot before is as it was");
    let node = after.environment("onprem").unwrap().nodes[0].axsf.as_ref().unwrap();
    assert_eq!(node.bytes(), commented.as_bytes(), "a node has it too");
    assert!(Arc::ptr_eq(world.environment("onebox").unwrap(), after.environment("onebox").unwrap()));
    // What it says, said again, changes nothing.
    let said = world.view()["environments"]["onprem"]["axsf"].clone();
    let same = edited(&after, json!([{ "op": "replace", "path": AXSF, "value": said }]));
    assert_eq!(bytes(&same, AXSF), commented.as_bytes());
}

#[test]
fn a_file_comes_with_its_environment_and_makes_one_on_premises() {
    let world = contoso();
    let mut second = world.view()["environments"]["onprem"].clone();
    let fragment = text("AXSF.fragment.xml");
    second["host"] = json!("second.contoso.com");
    second["axsf"] = json!(fragment);
    let world = edited(&world, json!([{ "op": "add", "path": "/environments/second", "value": second }]));
    assert_eq!(bytes(&world, "/environments/second/axsf"), fragment.as_bytes());
    assert!(world.environment("second").unwrap().is_on_premises());
    let gone = edited(&world, json!([{ "op": "remove", "path": "/environments/second/axsf" }]));
    let second = gone.environment("second").unwrap();
    assert!(!second.is_on_premises() && second.refreshes_keys && second.nodes[0].axsf.is_none());
    let empty = edited(&gone, json!([{ "op": "add", "path": "/environments/second/axsf", "value": {} }]));
    let empty = edited(
        &empty,
        json!([{ "op": "add", "path": "/environments/second/axsf/Aad.AADTenantId", "value": "adfs" }]),
    );
    let written = String::from_utf8(bytes(&empty, "/environments/second/axsf").to_vec()).unwrap();
    assert!(written.contains("<Parameter Name=\"AADTenantId\" Value=\"adfs\" />"), "{written}");
}

#[test]
fn what_a_node_has_otherwise_is_in_the_file_of_that_node_alone() {
    let world = edited(
        &contoso(),
        json!([
            { "op": "add", "path": "/environments/onprem/nodes/AOS_2", "value": {} },
            { "op": "add", "path": format!("{NODE}/axsf/Aad.AADTenantId"), "value": "wrong" },
        ]),
    );
    let tenant = |world: &World, node: &str| {
        let file = world.environment("onprem").unwrap().node(node).unwrap().axsf.clone().unwrap();
        let line = file.entries().into_iter().find(|entry| entry.key == "Aad.AADTenantId").unwrap();
        (line.value, line.line)
    };
    assert_eq!(tenant(&world, "AOS_1"), ("wrong".to_owned(), 13));
    assert_eq!(tenant(&world, "AOS_2"), ("adfs".to_owned(), 13));
    assert_eq!(value(&world, AXSF, "Aad.AADTenantId"), Some("adfs"), "the environment's is as it was");
    assert_eq!(bytes(&world, AXSF), bytes(&contoso(), AXSF));
    let file = |node: &str| world.environment("onprem").unwrap().node(node).unwrap().axsf.clone().unwrap();
    let shared = world.environment("onprem").unwrap().axsf.clone().unwrap();
    assert!(Arc::ptr_eq(&shared, &file("AOS_2")) && !Arc::ptr_eq(&shared, &file("AOS_1")));
    assert_eq!(line(&world, &format!("{NODE}/axsf"), "Aad.AADTenantId"), "Control");

    let given = given(&world, AXSF, &text("AXSF.fragment.xml")).unwrap();
    assert_eq!(tenant(&given, "AOS_1"), ("wrong".to_owned(), 5), "over another file too");
    let back = edited(&given, json!([{ "op": "remove", "path": format!("{NODE}/axsf/Aad.AADTenantId") }]));
    assert_eq!(tenant(&back, "AOS_1"), ("adfs".to_owned(), 5));

    let bad = json!([{ "op": "add", "path": format!("{NODE}/axsf/Aad.AADTenantId"), "value": "a\u{0}b" }]);
    let error = patched(&contoso(), bad).unwrap_err();
    assert!(error.starts_with(&format!("{NODE}/axsf/Aad.AADTenantId: ")), "{error}");
}

#[test]
fn a_store_that_a_node_declares_is_its_own_and_whole_and_the_others_are_the_environments() {
    let own = format!("{NODE}/machine/certificates/LocalMachine");
    let certificate = "61142666E97BF830049B4B6CB322DBA8DFFB0C4D";
    let shared = "/environments/onprem/machine/certificates/LocalMachine/My";
    let world = edited(
        &contoso(),
        json!([
            { "op": "add", "path": "/environments/onprem/nodes/AOS_2", "value": {} },
            { "op": "add", "path": format!("{shared}/{certificate}"), "value": { "certificate": "shipped:onebox-s2s" } },
            { "op": "add", "path": own, "value": { "Root": {} } },
        ]),
    );
    let onprem = world.environment("onprem").unwrap();
    let stores = |node: &str| &onprem.node(node).unwrap().stores;
    let trusts = |node: &str| stores(node).holds_lab_ca("LocalMachine", "Root");
    assert_eq!((trusts("AOS_1"), trusts("AOS_2")), (false, true));
    assert!(onprem.stores.holds_lab_ca("LocalMachine", "Root"), "of the environment nothing changed");
    let has = |node: &str| stores(node).iter().map(|stored| stored.store.clone()).collect::<Vec<_>>();
    assert_eq!((has("AOS_1"), has("AOS_2")), (vec!["My".to_owned()], vec!["My".to_owned()]));

    let root = json!({ certificate: { "certificate": "shipped:onebox-s2s" } });
    let world = edited(&world, json!([{ "op": "add", "path": format!("{own}/Root"), "value": root }]));
    let node = world.environment("onprem").unwrap().node("AOS_1").unwrap();
    let thumbprint = mocktenant_keys::Thumbprint::from_hex(certificate).unwrap();
    let stored = node.stores.find("LocalMachine", "Root", &thumbprint).unwrap();
    assert_eq!(stored.pointer.to_string(), format!("{own}/Root/{certificate}"));
    assert!(world.environment("onprem").unwrap().stores.find("LocalMachine", "Root", &thumbprint).is_none());

    let mistyped = json!([{ "op": "add", "path": format!("{own}/Rot"), "value": {} }]);
    let error = patched(&world, mistyped).unwrap_err();
    assert!(
        error.starts_with(&format!("{own}/Rot: `Rot` is not a value here (did you mean `Root`?)")),
        "{error}"
    );
}

#[test]
fn an_environment_is_deployed_with_a_tenant_or_a_federation_service_that_is_there() {
    let identity = "/environments/onprem/identity";
    let refused = |name: &str| {
        patched(&contoso(), json!([{ "op": "replace", "path": identity, "value": name }])).expect_err(name)
    };
    assert_eq!(
        refused("contosoo"),
        format!("{identity}: there is no identity provider `contosoo` (did you mean `contoso`?)")
    );
    assert_eq!(
        refused("c0117050-0000-4000-8000-000000000002"),
        format!(
            "{identity}: there is no identity provider `c0117050-0000-4000-8000-000000000002` (did you mean \
             `c0117050-0000-4000-8000-000000000001`?)"
        )
    );
    let provider = |world: &World, id: &str| world.environment(id).unwrap().identity.clone();
    let world = contoso();
    assert_eq!(provider(&world, "onprem").federation_service(), Some("contoso"));
    assert_eq!(provider(&world, "onebox").tenant(), Some("c0117050-0000-4000-8000-000000000001"));
}

#[test]
fn dual_write_is_no_feature_on_premises() {
    let link = world_link();
    let path = "/environments/onprem/database/DualWriteProjectConfiguration";
    let error = patched(&contoso(), json!([{ "op": "add", "path": path, "value": link }])).unwrap_err();
    assert_eq!(
        error,
        format!("{path}: Dual Write is no feature of Finance & Operations on-premises (leave it out)")
    );
    // A one-box may be linked or not.
    let onebox = "/environments/onebox/database/DualWriteProjectConfiguration";
    let unlinked = edited(&contoso(), json!([{ "op": "remove", "path": onebox }]));
    let environment = unlinked.environment("onebox").unwrap();
    assert!(environment.database.dual_write.is_none());
    assert!(unlinked.linked_organization(environment).is_none());
}

fn world_link() -> Value {
    contoso().view()["environments"]["onebox"]["database"]["DualWriteProjectConfiguration"].clone()
}

#[test]
fn an_environment_on_premises_can_be_declared_by_its_keys_alone() {
    let mut declaration: Declaration = contoso().declaration();
    let onprem = Arc::make_mut(&mut declaration.environments["onprem"]);
    onprem.metadata_signing_certificate = Some("shipped:adfs-signing".to_owned());
    onprem.refreshes_keys = Some(true);
    let world = World::compile(declaration.clone(), Artefacts::none(), Origins::default()).unwrap();
    let onprem = world.environment("onprem").unwrap();
    assert!(onprem.is_on_premises() && onprem.refreshes_keys);
    let signing = world.federation_service("contoso").unwrap().signing[0].certificate().thumbprint();
    assert_eq!(
        onprem.metadata_signing_certificate.as_ref().map(mocktenant_keys::Certificate::thumbprint),
        Some(signing)
    );
    assert_eq!(value(&world, AXSF, "Aad.AADValidAudience"), Some("https://ax.contoso.com/"));
    let onprem = Arc::make_mut(&mut declaration.environments["onprem"]);
    onprem.metadata_signing_certificate = Some("shipped:adfs-singing".to_owned());
    let error = World::compile(declaration, Artefacts::none(), Origins::default()).unwrap_err().to_string();
    assert!(error.starts_with("/environments/onprem/metadata_signing_certificate: "), "{error}");
}
