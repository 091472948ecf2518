//! What a node reads when it starts, and each reason for which it does not.

use http::Method;
use mocktenant_lab::Command;
use mocktenant_lab::outbound::Outbound;
use mocktenant_verdict::Outcome;
use mocktenant_verdict::Switches;
use mocktenant_world::EditedBy;
use serde_json::json;

use crate::site::*;

const FRAGMENT: &str = include_str!("../../../../../testdata/configs/AXSF.fragment.xml");

#[tokio::test]
async fn a_start_reads_the_file_and_fetches_metadata_discovery_and_keys_in_this_order() {
    let site = Site::new().await;
    let start = site.start();
    assert!(failed(&start).is_empty());
    let asked: Vec<&str> = start.checks.iter().map(|check| &*check.name).collect();
    assert_eq!(
        asked,
        [
            "configuration-readable",
            "tls-root-trusted",
            "tls-time-valid",
            "metadata-reachable",
            "metadata-signed",
            "metadata-readable",
            "openid-configuration-reachable",
            "openid-configuration-readable",
            "openid-keys-reachable",
            "openid-keys-readable",
        ]
    );
    assert_eq!(check(&start, "metadata-signed").outcome, Outcome::NotApplicable);
    let tree = site.lab.journal().tree();
    let calls: Vec<&str> = tree.children(&start.id).map(|child| &*child.endpoint).collect();
    assert_eq!(calls, ["federation-metadata", "openid-configuration", "keys"]);
    for (fact, key) in [
        ("valid-audience", "Aad.AADValidAudience"),
        ("issuer", "Aad.AADIssuerNameFormat"),
        ("tenant-guid", "Aad.TenantDomainGUID"),
        ("metadata-url", "Aad.AADMetadataLocationFormat"),
        ("tenant-id", "Aad.AADTenantId"),
        ("openid-metadata-url", "OpenIDConnect.Metadata"),
        ("client-id", "OpenIDConnect.ClientID"),
        ("trusted-service-app-ids", "Aad.TrustedServiceAppIds"),
        ("admin-identity-provider", "Provisioning.AdminIdentityProvider"),
    ] {
        let fact = start.fact(fact).unwrap_or_else(|| panic!("no fact {fact}"));
        assert_eq!(fact.setting.as_ref().unwrap().as_str(), format!("{AXSF}/{key}"));
        assert_eq!(fact.read_at_start.as_ref(), site.lab.world().get(fact.setting.as_ref().unwrap()));
    }
}

/// Each reason of its own: the edit, the question, what stands in its answer, the setting that mends it.
#[tokio::test]
async fn each_reason_for_which_a_node_does_not_start_is_told_apart_and_mended_by_what_is_said() {
    let metadata = format!("{AXSF}/Aad.AADMetadataLocationFormat");
    let openid = format!("{AXSF}/OpenIDConnect.Metadata");
    let root = "/environments/onprem/machine/certificates/LocalMachine/Root/lab-ca".to_owned();
    let clock = "/environments/onprem/machine/clock".to_owned();
    let client = format!("{AXSF}/OpenIDConnect.ClientID");
    for (edit, question, actual, mends) in [
        (
            set(&metadata, "https://adfs.contoso.example/x"),
            "metadata-reachable",
            "no host of this world",
            &metadata,
        ),
        (
            set(&metadata, format!("{ADFS}/FederationMetadata/x.xml")),
            "metadata-reachable",
            "404 from",
            &metadata,
        ),
        (
            set(&metadata, format!("{AOS}/FederationMetadata.xml")),
            "metadata-reachable",
            "404 from",
            &metadata,
        ),
        (set(&metadata, format!("{APPLICATION}/")), "metadata-reachable", "500 from", &metadata),
        (
            set(&metadata, "no address"),
            "metadata-reachable",
            "is not an absolute http or https URL",
            &metadata,
        ),
        (
            set(&metadata, format!("{ADFS}/adfs/discovery/keys")),
            "metadata-readable",
            "not well-formed",
            &metadata,
        ),
        (gone(&metadata), "configuration-readable", "AADMetadataLocationFormat", &metadata),
        (
            set(&openid, format!("{ADFS}/FederationMetadata/nothing")),
            "openid-configuration-reachable",
            "404",
            &openid,
        ),
        (
            set(&openid, format!("{ADFS}/adfs/discovery/keys")),
            "openid-configuration-readable",
            "issuer",
            &openid,
        ),
        (set(&openid, ""), "configuration-readable", "OpenIDConnect.Metadata", &openid),
        (set(&client, ""), "configuration-readable", "OpenIDConnect.ClientID", &client),
        (gone(&root), "tls-root-trusted", "not there", &root),
        (set(&clock, "+400d"), "tls-time-valid", "+400d", &clock),
        (set(&clock, "-3h"), "tls-time-valid", "-3h", &clock),
    ] {
        let site = Site::of(&[edit]).await;
        let start = site.start();
        assert_eq!(failed(&start)[0], question, "{actual}");
        let check = check(&start, question);
        assert!(check.actual.contains(actual), "{question}: {}", check.actual);
        for url in [format!("{AOS}/"), format!("{APPLICATION}/"), format!("{APPLICATION}/data/Currencies")] {
            assert_eq!(site.get(&url).await.status, 500, "{url}");
        }
        let page = text(&site.get(&format!("{APPLICATION}/")).await);
        assert!(page.contains("Sorry, the server has encountered an error.") && page.contains("Error 500."));
        let explanation = mocktenant_diagnosis::explain(&site.lab, "last").await.unwrap();
        let cause = explanation.cause.unwrap();
        assert_eq!(cause.setting.as_str(), *mends, "{question}: {cause:?}");
        site.lab.apply(Command::Edit { edits: cause.change.clone(), by: EditedBy::Control }).await.unwrap();
        site.restart().await;
        assert!(site.opens().await.signed_in.unwrap().came_in, "{question}: {cause:?}");
    }
}

#[tokio::test]
async fn where_ad_fs_is_stopped_a_start_says_so_and_starting_it_heals() {
    let site = Site::of(&[set(&format!("{SERVICE}/stopped"), true)]).await;
    assert_eq!(failed(&site.start()), ["metadata-reachable", "openid-configuration-reachable"]);
    assert_eq!(site.get(&format!("{APPLICATION}/")).await.status, 500);
    let cause = mocktenant_diagnosis::explain(&site.lab, "last").await.unwrap().cause.unwrap();
    assert_eq!(cause.setting.as_str(), format!("{SERVICE}/stopped"));
    site.apply(&cause.change).await;
    site.restart().await;
    assert!(failed(&site.start()).is_empty());
}

#[tokio::test]
async fn the_articles_own_fragment_unedited_starts_a_node_and_signs_a_user_in() {
    let site = Site::of(&[set(AXSF, FRAGMENT)]).await;
    let world = site.lab.world();
    let file = world.artefact(&mocktenant_verdict::Setting::from_pointer(AXSF.to_owned())).unwrap();
    assert_eq!(file.bytes(), FRAGMENT.as_bytes());
    assert!(FRAGMENT.contains("Microsoft Entra IDMetadataLocationFormat"));
    assert!(site.opens().await.signed_in.unwrap().came_in);
    let token = site.token_for("https://ax.contoso.com/").await;
    let reply = site.call(Method::GET, "/namespaces/AXSF/data/Currencies", &token, "").await;
    assert_eq!(reply.status, 200, "{}", text(&reply));
}

#[tokio::test]
async fn an_edit_counts_after_a_restart_and_not_before() {
    let site = Site::new().await;
    let audience = format!("{AXSF}/Aad.AADValidAudience");
    site.apply(&[set(&audience, "https://elsewhere.example/")]).await;
    let token = site.token_for("https://ax.contoso.com/").await;
    let path = "/namespaces/AXSF/data/Currencies";
    assert_eq!(site.call(Method::GET, path, &token, "").await.status, 200);
    site.restart().await;
    assert_eq!(site.call(Method::GET, path, &token, "").await.status, 401);
    site.apply(&[set(&audience, "https://ax.contoso.com/")]).await;
    assert_eq!(site.call(Method::GET, path, &token, "").await.status, 401);
    let cause = mocktenant_diagnosis::explain(&site.lab, "last").await.unwrap().cause.unwrap();
    assert_eq!((cause.kind, cause.setting.as_str()), (mocktenant_diagnosis::Kind::Restart, &*audience));
}

#[tokio::test]
async fn a_node_reads_its_own_file_and_store_over_the_environments() {
    let node = "/environments/onprem/nodes/AOS_1";
    for (edit, question) in [
        (
            set(&format!("{node}/axsf/Aad.AADMetadataLocationFormat"), "https://adfs.contoso.example/x"),
            "metadata-reachable",
        ),
        (
            set(&format!("{node}/machine"), json!({"certificates": {"LocalMachine": {"Root": {}}}})),
            "tls-root-trusted",
        ),
        (set(&format!("{node}/clock"), "-2h"), "tls-time-valid"),
    ] {
        let site = Site::of(std::slice::from_ref(&edit)).await;
        let start = site.start();
        assert_eq!(failed(&start)[0], question);
        let settings = &check(&start, question).settings;
        assert!(settings.iter().any(|setting| setting.as_str().starts_with(node)), "{settings:?}");
        site.get(&format!("{APPLICATION}/")).await;
        let cause = mocktenant_diagnosis::explain(&site.lab, "last").await.unwrap().cause.unwrap();
        assert!(cause.setting.as_str().starts_with(node), "{cause:?}");
        site.apply(&cause.change).await;
        site.restart().await;
        assert!(failed(&site.start()).is_empty(), "{cause:?}");
    }
}

#[tokio::test]
async fn only_the_named_certificates_signature_is_taken_where_one_is_named() {
    let at = "/environments/onprem/metadata_signing_certificate";
    for (certificate, fails) in [("shipped:adfs-signing", false), ("shipped:adfs-signing-next", true)] {
        let site = Site::of(&[set(at, certificate)]).await;
        assert_eq!(
            failed(&site.start()),
            if fails { vec!["metadata-signed"] } else { vec![] },
            "{certificate}"
        );
        assert_eq!(site.get(&format!("{APPLICATION}/")).await.status, if fails { 500 } else { 302 });
    }
}

/// Something in the place of the document at an address of AD FS.
struct Instead {
    at: &'static str,
    kind: &'static str,
    via: mocktenant_lab::InProcess,
}

impl Outbound for Instead {
    fn call(
        &self,
        call: mocktenant_lab::outbound::Call,
    ) -> mocktenant_lab::BoxFuture<
        '_,
        Result<mocktenant_lab::outbound::Reply, mocktenant_lab::outbound::CallError>,
    > {
        use mocktenant_lab::outbound::Reply;
        if !call.url.contains(self.at) {
            return self.via.call(call);
        }
        let mut headers = http::HeaderMap::new();
        let (status, body) = match self.kind {
            "nothing" => (404, bytes::Bytes::new()),
            "elsewhere" => {
                headers.insert("location", http::HeaderValue::from_static("https://outside.example/x"));
                (302, bytes::Bytes::new())
            }
            "circle" => {
                let to = "https://ADFS.contoso.com/FederationMetadata/2007-06/FederationMetadata.xml";
                headers.insert("location", http::HeaderValue::from_static(to));
                (301, bytes::Bytes::new())
            }
            "large" => (200, vec![b'<'; 8 * 1024 * 1024].into()),
            other => (200, bytes::Bytes::from_static(other.as_bytes())),
        };
        let reply = Reply { status: http::StatusCode::from_u16(status).unwrap(), headers, body };
        Box::pin(std::future::ready(Ok(reply)))
    }
}

/// The questions that fail where this document is another.
async fn fails(at: &'static str, kind: &'static str, switches: Switches) -> Vec<String> {
    let world = mocktenant_world::World::contoso().unwrap();
    let lab = mocktenant_lab::Lab::builder(std::sync::Arc::new(world))
        .surface(mocktenant_adfs::Adfs)
        .surface(mocktenant_aos::Aos::new())
        .switches(switches)
        .build();
    lab.set_outbound(Instead { at, kind, via: mocktenant_lab::InProcess::by_world_names(&lab) });
    lab.start_all().await;
    let records = lab.journal().records();
    let start = records.iter().rev().find(|record| {
        record.machine.as_ref().is_some_and(|machine| machine.to_string() == "onprem/AOS_1")
            && record.kind == mocktenant_lab::journal::Kind::Start
    });
    failed(start.unwrap()).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn metadata_that_is_hostile_ends_the_start_and_nobody_outside_is_called() {
    for (kind, question) in [
        ("elsewhere", "metadata-reachable"),
        ("circle", "metadata-reachable"),
        ("large", "metadata-readable"),
        ("", "metadata-readable"),
        ("<a><!DOCTYPE a></a>", "metadata-readable"),
        ("{\"a\":1}", "metadata-readable"),
    ] {
        assert_eq!(fails("FederationMetadata", kind, Switches::default()).await[0], question, "{kind}");
    }
}

#[tokio::test]
async fn an_openid_configuration_and_its_keys_that_are_others_end_the_start_unless_nobody_asks() {
    let (configuration, keys) = ("/.well-known/openid-configuration", "/discovery/keys");
    for (at, kind, question) in [
        (configuration, "nothing", "openid-configuration-reachable"),
        (configuration, "elsewhere", "openid-configuration-reachable"),
        (configuration, "large", "openid-configuration-readable"),
        (configuration, "{}", "openid-configuration-readable"),
        (keys, "nothing", "openid-keys-reachable"),
        (keys, "large", "openid-keys-readable"),
        (keys, "<a/>", "openid-keys-readable"),
        (keys, "{\"keys\":[]}", "openid-keys-readable"),
        (
            keys,
            "{\"keys\":[{\"kid\":\"<script>\",\"kty\":\"RSA\",\"x5c\":[\"AA==\"]}]}",
            "openid-keys-readable",
        ),
    ] {
        assert_eq!(fails(at, kind, Switches::default()).await, [question], "{kind}");
        let off = fails(at, kind, Switches::off([question])).await;
        assert!(!off.iter().any(|failed| failed == question), "{question} is asked: {off:?}");
    }
}
