//! Several of everything: a gateway and three nodes, each with a file, a clock and a start of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::header::{COOKIE, HOST, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method};
use mocktenant_diagnosis::{Kind, explain};
use mocktenant_lab::outbound::Reply;
use mocktenant_lab::{Command, Machine, NodeState, NodeView};
use mocktenant_verdict::Setting;
use mocktenant_world::EditedBy;
use serde_json::{Value, json};

use crate::site::*;

const AFFINITY: &str = "ms-dyn-affinity";
const NODE: &str = "/environments/onprem/nodes/AOS_2";

/// Which node a reply binds a browser to.
fn bound(reply: &Reply) -> Option<String> {
    let cookies = header(reply, SET_COOKIE);
    let value = cookies.iter().find_map(|cookie| cookie.strip_prefix(&format!("{AFFINITY}=")))?;
    Some(value.split(';').next().unwrap().to_owned())
}

async fn knocks(site: &Site) -> (u16, Option<String>) {
    let reply = site.get(&format!("{APPLICATION}/")).await;
    (reply.status.as_u16(), bound(&reply))
}

async fn node_of(browser: &mut Browser, site: &Site) -> String {
    let page = text(&browser.get(site, &format!("{APPLICATION}/")).await);
    let (_, node) = page.split_once("Node: ").unwrap_or_else(|| panic!("{page}"));
    node.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
}

async fn apply(site: &Site, command: Command) {
    site.lab.apply(command).await.unwrap();
}

async fn stops(site: &Site, of: &str) {
    apply(site, Command::Stop { of: of.to_owned(), by: EditedBy::Control }).await;
}

async fn starts(site: &Site, of: &str) {
    apply(site, Command::Start { of: of.to_owned(), by: EditedBy::Control }).await;
}

async fn restarts(site: &Site, node: &str) {
    apply(site, Command::Restart { environment: "onprem".into(), node: Some(node.into()) }).await;
}

fn nodes(site: &Site) -> [NodeView; 3] {
    site.lab.nodes("onprem").unwrap().try_into().unwrap()
}

#[tokio::test]
async fn browsers_take_turns_from_the_first_node_and_each_stays_with_its_own() {
    let site = Site::new().await;
    let mut browsers = Vec::new();
    for _ in 0..4 {
        browsers.push(Browser::signed_in(&site).await);
    }
    for _ in 0..2 {
        for (browser, node) in browsers.iter_mut().zip(["AOS_1", "AOS_2", "AOS_3", "AOS_1"]) {
            assert_eq!(node_of(browser, &site).await, node);
        }
    }
    let reply = site.get(&format!("{APPLICATION}/")).await;
    let cookie = header(&reply, SET_COOKIE).into_iter().find(|cookie| cookie.starts_with(AFFINITY)).unwrap();
    assert_eq!(cookie, "ms-dyn-affinity=AOS_2; path=/; HttpOnly; Secure; SameSite=None");
    // A token has no browser behind it.
    let token = site.token_for("https://ax.contoso.com/").await;
    let mut served = Vec::new();
    for _ in 0..3 {
        let reply = site.call(Method::GET, "/namespaces/AXSF/data/CustomerGroups", &token, "").await;
        assert_eq!((reply.status.as_u16(), bound(&reply)), (200, None));
        served.push(site.last().machine.as_ref().unwrap().to_string());
    }
    assert_eq!(served, ["onprem/AOS_3", "onprem/AOS_1", "onprem/AOS_2"]);
    apply(&site, Command::Reset { scope: None }).await;
    assert_eq!(knocks(&site).await, (302, Some("AOS_1".to_owned())), "a reset begins with the first");
}

#[tokio::test]
async fn a_stopped_node_is_passed_over_and_whoever_was_bound_to_it_goes_on_at_another() {
    let site = Site::new().await;
    let mut browser = Browser::signed_in(&site).await;
    assert_eq!(node_of(&mut browser, &site).await, "AOS_1");
    stops(&site, "onprem/AOS_1").await;
    let moved = node_of(&mut browser, &site).await;
    assert_ne!(moved, "AOS_1", "and it is still signed in");
    for _ in 0..3 {
        assert_eq!(node_of(&mut browser, &site).await, moved, "it is bound to that one now");
    }
    for _ in 0..4 {
        let (status, node) = knocks(&site).await;
        assert!(status == 302 && node.as_deref() != Some("AOS_1"), "{node:?}");
    }
    assert_eq!(
        nodes(&site).map(|node| node.state),
        [NodeState::Stopped, NodeState::Running, NodeState::Running]
    );
    stops(&site, "onprem").await;
    let reply = browser.get(&site, &format!("{APPLICATION}/")).await;
    assert!(reply.status == 503 && text(&reply).contains("Service Unavailable"));
    let cause = explain(&site.lab, "last").await.unwrap().cause.unwrap();
    assert_eq!(cause.setting.as_str(), "/environments/onprem/stopped");
    starts(&site, "onprem/AOS_3").await;
    assert_eq!(node_of(&mut browser, &site).await, "AOS_3", "it alone runs");
    starts(&site, "onprem").await;
    assert!(nodes(&site).iter().all(|node| node.state == NodeState::Running));
    for node in ["AOS_1", "AOS_2", "AOS_3"] {
        stops(&site, &format!("onprem/{node}")).await;
    }
    assert_eq!(knocks(&site).await.0, 503, "one after the other is as good as together");
    let cause = explain(&site.lab, "last").await.unwrap().cause.unwrap();
    site.apply(&cause.change).await;
    assert_eq!(knocks(&site).await.0, 302, "{cause:?}");
}

#[tokio::test]
async fn a_node_that_did_not_start_has_its_turn_with_the_500_page_and_is_named() {
    let wrong = set(&format!("{NODE}/axsf/Aad.AADMetadataLocationFormat"), "https://adfs.contoso.example/x");
    let site = Site::of(&[wrong]).await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(knocks(&site).await.0);
    }
    assert_eq!(seen, [302, 500, 302, 302, 500, 302]);
    let explanation = explain(&site.lab, "last").await.unwrap();
    let cause = explanation.cause.clone().unwrap();
    assert_eq!(cause.setting.as_str(), format!("{NODE}/axsf/Aad.AADMetadataLocationFormat"));
    assert!(
        cause.serviced_away && cause.commands().iter().any(|line| line == "mocktenant restart onprem/AOS_2")
    );
    let told = explanation.to_text(false);
    assert!(told.contains("the next servicing takes this away again"), "{told}");
    let rungs = &explanation.ladder;
    assert_eq!((rungs[1].by.as_deref(), rungs[1].refused), (Some("AOS_2"), true), "{told}");
    assert!(rungs[1].note.as_deref().unwrap().starts_with("it did not start: x-"), "{told}");
    assert_eq!(rungs[2].note.as_deref(), Some("not reached"));
    // The log of that node says more than a browser is told.
    let start = site.lab.journal().records().into_iter().find(|record| {
        record.machine == Some(Machine::node("onprem", "AOS_2")) && record.endpoint == "start"
    });
    let events = site.lab.events(&start.unwrap());
    let [event] = &events[..] else { panic!("{events:?}") };
    let event = event.document();
    assert_eq!((&*event.log, &*event.computer), ("aos", "AOS_2.contoso.com"));
    assert!(
        event
            .text
            .contains("IDX20803: Unable to obtain configuration from: 'https://adfs.contoso.example/x'.")
    );
    apply(&site, Command::Servicing { environment: "onprem".into(), by: EditedBy::Control }).await;
    for _ in 0..3 {
        assert_eq!(knocks(&site).await.0, 302, "the edit is gone, and with it what was wrong");
    }
    assert_eq!(site.lab.world().get(&Setting::from_pointer(format!("{NODE}/axsf"))), Some(&json!({})));
}

#[tokio::test]
async fn servicing_takes_every_nodes_own_files_and_stores_and_nothing_else() {
    let own = [
        set("/environments/onprem/nodes/AOS_1/axsf/Aad.AADTenantId", "other"),
        set(&format!("{NODE}/machine"), json!({"certificates": {"LocalMachine": {"Root": {}}}})),
        set(&format!("{NODE}/clock"), "+1m"),
        set("/environments/onprem/nodes/AOS_3/stopped", true),
        set("/environments/onprem/nodes/AOS_3/host", "aos3.contoso.com"),
        set(&format!("{AXSF}/Common.Own"), "kept"),
    ];
    let site = Site::of(&own).await;
    let before = site.lab.world();
    apply(&site, Command::Servicing { environment: "onprem".into(), by: EditedBy::Control }).await;
    let after = site.lab.world();
    let gone: Vec<String> =
        mocktenant_world::servicing::taken_away(&before, &after).iter().map(ToString::to_string).collect();
    assert_eq!(
        gone,
        [
            "/environments/onprem/nodes/AOS_1/axsf/Aad.AADTenantId",
            "/environments/onprem/nodes/AOS_2/machine/certificates/LocalMachine/Root",
        ]
    );
    for edit in &own[2..] {
        assert_eq!(after.get(&edit.path), edit.value.as_ref(), "{}", edit.path);
    }
    let nowhere = Command::Servicing { environment: "nowhere".into(), by: EditedBy::Control };
    assert!(site.lab.apply(nowhere).await.is_err());
}

#[tokio::test]
async fn what_waits_for_a_restart_is_known_node_by_node_and_current_is_what_a_node_was_started_with() {
    let site = Site::new().await;
    assert!(nodes(&site).iter().all(|node| node.pending.is_empty() && node.failure.is_none()));
    let current =
        |node: &str| site.lab.started_with(&Machine::node("onprem", node)).unwrap().bytes().to_vec();
    let begun = current("AOS_1");
    assert_eq!(begun, site.lab.world().environment("onprem").unwrap().axsf.as_ref().unwrap().bytes());
    // What no AOS of the lab reads is in the file all the same.
    site.apply(&[set(&format!("{AXSF}/OfficeApps.AppInsightsKey"), "k")]).await;
    let [one, two, three] = nodes(&site);
    for node in [&one, &two, &three] {
        assert_eq!(
            node.pending.iter().map(Setting::as_str).collect::<Vec<_>>(),
            [format!("{AXSF}/OfficeApps.AppInsightsKey")]
        );
    }
    restarts(&site, "AOS_2").await;
    assert_eq!(nodes(&site).map(|node| node.pending.len()), [1, 0, 1]);
    assert!(current("AOS_2") != begun && current("AOS_1") == begun);
    site.apply(&[set(&format!("{NODE}/axsf/Aad.AADTenantId"), "other")]).await;
    assert_eq!(
        nodes(&site)[1].pending.iter().map(Setting::as_str).collect::<Vec<_>>(),
        [format!("{NODE}/axsf/Aad.AADTenantId")],
        "its own file says it"
    );
    assert_eq!(site.lab.nodes("nowhere").map(|nodes| nodes.len()), None);
    let [one_box] = &site.lab.nodes("onebox").unwrap()[..] else { panic!() };
    assert_eq!(one_box.node.to_string(), "onebox/aos1");
    assert!(site.lab.started_with(&one_box.node).is_none(), "a one-box has no such file");
    site.apply(&[set("/environments/onebox/web_config/Aad.TenantDomainGUID", "x")]).await;
    assert_eq!(site.lab.nodes("onebox").unwrap()[0].pending.len(), 1);
}

#[tokio::test]
async fn a_sign_in_is_told_as_nine_steps_with_the_node_of_each() {
    let site = Site::new().await;
    let attempt = site.opens().await;
    assert!(!attempt.refused());
    let ids: Vec<String> = attempt.before.iter().chain([&attempt.exchange]).cloned().collect();
    let records: Vec<_> = ids.iter().map(|id| site.lab.journal().find(id).unwrap()).collect();
    let sign_in = |record: &mocktenant_lab::journal::Record| {
        record.activities.iter().find(|(name, _)| name == "sign-in").map(|(_, id)| id.to_string())
    };
    let id = sign_in(&records[0]).unwrap();
    assert!(records.iter().all(|record| sign_in(record).as_deref() == Some(&*id)), "one id over all of them");
    let explanation = explain(&site.lab, &id).await.unwrap();
    assert!(explanation.cause.is_none());
    let rungs = &explanation.ladder;
    assert_eq!(rungs.iter().map(|rung| rung.step).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let by: Vec<&str> = rungs.iter().map(|rung| rung.by.as_deref().unwrap()).collect();
    assert_eq!(by, ["AOS_1", "AOS_1", "AOS_1", "AOS_1", "AOS_1", "AD FS", "AD FS", "AOS_1", "AOS_1"]);
    assert!(rungs.iter().all(|rung| !rung.refused && rung.note.is_none()), "{rungs:?}");
    let told = explanation.to_text(false);
    assert_eq!(
        told.lines().filter(|line| line.starts_with("  ") && line.as_bytes()[2].is_ascii_digit()).count(),
        9,
        "{told}"
    );
    // Whoever has a session with AD FS is shown no page.
    let mut browser = Browser::signed_in(&site).await;
    browser.cookies.retain(|(host, _), _| host != "ax.contoso.com");
    let reply = browser.get(&site, &format!("{APPLICATION}/")).await;
    browser.get(&site, &location(&reply)).await;
    let newest = site.lab.journal().records().last().unwrap().id.to_string();
    let rungs = explain(&site.lab, &newest).await.unwrap().ladder;
    assert_eq!(rungs[5].note.as_deref(), Some("not asked, or no longer kept"));
    assert_eq!(
        (rungs[6].exchange.as_deref(), rungs[7].note.as_deref()),
        (Some(&*newest), Some("not reached"))
    );
    // An application that is no AOS has no such steps.
    site.token_of("ada@contoso.com").await;
    let newest = site.lab.journal().records().last().unwrap().id.to_string();
    assert!(explain(&site.lab, &newest).await.unwrap().ladder.is_empty());
}

#[tokio::test]
async fn the_stopped_and_the_stale_node_are_seen_in_the_steps() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let (to, fields) = browser.asked(&site).await;
    stops(&site, "onprem/AOS_1").await;
    let reply = browser.comes_back(&site, &to, &fields).await;
    assert_eq!(reply.status, 302, "the other node takes the state, the nonce and the token");
    let rungs = explain(&site.lab, &site.last().id).await.unwrap().ladder;
    assert_eq!(rungs[7].note.as_deref(), Some("stopped: AOS_1; the cookie names AOS_1"));
    assert_eq!((rungs[1].by.as_deref(), rungs[7].by.as_deref()), (Some("AOS_1"), Some("AOS_3")));
    starts(&site, "onprem").await;
    site.apply(&[set(&format!("{AXSF}/OpenIDConnect.ClientID"), NATIVE)]).await;
    restarts(&site, "AOS_1").await;
    restarts(&site, "AOS_3").await;
    let mut notes = Vec::new();
    for _ in 0..3 {
        site.get(&format!("{APPLICATION}/")).await;
        let rungs = explain(&site.lab, &site.last().id).await.unwrap().ladder;
        notes.push((rungs[1].by.clone().unwrap(), rungs[1].note.clone()));
    }
    notes.sort();
    let pending = Some("restart pending".to_owned());
    assert_eq!(notes, [("AOS_1".into(), None), ("AOS_2".into(), pending), ("AOS_3".into(), None)]);
}

#[tokio::test]
async fn only_some_users_fail_and_which_node_it_is_is_said_until_it_heals() {
    for (name, node_alone) in [
        ("one-node-stale", true),
        ("node-clock-skew", true),
        ("node-root-untrusted", true),
        ("servicing-reverts-edits", false),
    ] {
        let site = Site::new().await;
        apply(&site, Command::Scenario { name: name.to_owned() }).await;
        let attempt = site.opens().await;
        assert_eq!(attempt.people, (3, if node_alone { 1 } else { 3 }), "{name}");
        let explanation = explain(&site.lab, &attempt.exchange).await.unwrap();
        let cause = explanation.cause.clone().unwrap();
        let rungs = &explanation.ladder;
        let refused: Vec<&str> =
            rungs.iter().filter(|rung| rung.refused).filter_map(|rung| rung.by.as_deref()).collect();
        if node_alone {
            assert!(rungs.iter().any(|rung| rung.by.as_deref() == Some("AOS_2")), "{name}: {rungs:?}");
        }
        assert_eq!(refused.len(), 1, "{name}: {rungs:?}");
        let steps = mocktenant_scenario::find(name).unwrap().steps;
        for (at, step) in steps.iter().enumerate() {
            apply(&site, Command::Act { act: step.act.clone(), by: EditedBy::Control }).await;
            let (_, refused) = site.opens().await.people;
            assert_eq!(
                refused,
                if at + 1 == steps.len() { 0 } else { 2 },
                "{name}: {} {cause:?}",
                step.title
            );
        }
    }
    // A stale node is restarted alone.
    let site = Site::new().await;
    apply(&site, Command::Scenario { name: "one-node-stale".to_owned() }).await;
    let attempt = site.opens().await;
    let cause = explain(&site.lab, &attempt.exchange).await.unwrap().cause.unwrap();
    assert_eq!((cause.kind, cause.node.as_deref()), (Kind::Restart, Some("onprem/AOS_2")));
    assert_eq!(cause.commands(), ["mocktenant restart onprem/AOS_2"]);
    assert!(cause.to_line().starts_with("restart onprem/AOS_2: "), "{}", cause.to_line());
}

#[tokio::test]
async fn whatever_a_stranger_says_of_nodes_is_nobodys_and_is_never_shown_whole() {
    let site = Site::new().await;
    let long = "A".repeat(5_000);
    for made_up in ["AOS_9", "aos_1", "", "AOS_1,AOS_2", "../AOS_1", "<script>", "\u{e9}", &long] {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_bytes(format!("{AFFINITY}={made_up}").as_bytes()).unwrap());
        let reply = site.send(Method::GET, &format!("{APPLICATION}/"), headers, "").await;
        assert!(reply.status == 302 && bound(&reply).is_some(), "{made_up}: bound to one that there is");
        let record = site.last();
        assert!(record.fact("affinity").is_none_or(|fact| fact.value.len() < 300), "{made_up}");
    }
    for host in ["ax.contoso.com:1", "AX.contoso.COM", "ax.contoso.com."] {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        let reply = site.send(Method::GET, &format!("{APPLICATION}/"), headers, "").await;
        assert!(matches!(reply.status.as_u16(), 302 | 421), "{host}: {}", reply.status);
    }
    // The session of one environment is none at another, whichever node is named.
    let world = site.lab.world();
    let mut other = world.get(&Setting::fixed("/environments/onprem")).unwrap().clone();
    other["host"] = json!("ax2.contoso.com");
    let file = world.artefact(&Setting::from_pointer(AXSF.to_owned())).unwrap();
    other["axsf"] = String::from_utf8(file.bytes().to_vec()).unwrap().into();
    let site = Site::of(&[set("/environments/second", other)]).await;
    let browser = Browser::signed_in(&site).await;
    let mut swapped = browser.clone();
    for ((_, name), value) in &browser.cookies {
        swapped.cookies.insert(("ax2.contoso.com".to_owned(), name.clone()), value.clone());
    }
    let reply = swapped.get(&site, "https://ax2.contoso.com/namespaces/AXSF/").await;
    assert_eq!(reply.status, 302, "{}", text(&reply));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_people_sign_in_while_nodes_restart_stop_and_start_and_none_is_lost_or_another() {
    const USERS: usize = 20;
    const EACH: usize = 50;
    const MOST: usize = 10 * EACH;
    const NODES: usize = 3;
    let mut edits = Vec::new();
    let ada = |pointer: &str| {
        let world = mocktenant_world::World::contoso().unwrap();
        world.get(&Setting::from_pointer(pointer.to_owned())).unwrap().clone()
    };
    for user in 0..USERS {
        let name = format!("user{user}@contoso.com");
        let mut account: Value = ada(&format!("{SERVICE}/users/ada@contoso.com"));
        account["account"] = format!("CONTOSO\\user{user}").into();
        account["attributes"]["mail"] = name.as_str().into();
        account["sid"] = format!("S-1-5-21-1004336348-1177238915-682003330-{}", 2_000 + user).into();
        edits.push(set(&format!("{SERVICE}/users/{name}"), account));
        let mut row: Value = ada(ROW);
        row["NetworkAlias"] = name.into();
        edits.push(set(&format!("/environments/onprem/database/UserInfo/user{user}"), row));
    }
    let site = Arc::new(Site::of(&edits).await);
    let changes = Arc::new(AtomicUsize::new(0));
    let people: Vec<_> = (0..USERS)
        .map(|user| {
            let (site, changes) = (Arc::clone(&site), Arc::clone(&changes));
            tokio::spawn(async move {
                // On a machine that is busy otherwise they go on until each node had its turn.
                for time in 0..MOST {
                    if time >= EACH && changes.load(Ordering::Relaxed) >= NODES {
                        break;
                    }
                    let mut browser = Browser::of(&format!("user{user}@contoso.com"));
                    let (to, fields) = browser.asked(&site).await;
                    assert_eq!(browser.comes_back(&site, &to, &fields).await.status, 302);
                    for _ in 0..2 {
                        let reply = browser.get(&site, &format!("{APPLICATION}/")).await;
                        let page = text(&reply);
                        assert_eq!(reply.status, 200, "{page}");
                        assert!(page.contains(&format!("User: user{user}<")), "{page}");
                    }
                }
            })
        })
        .collect();
    while people.iter().any(|person| !person.is_finished()) {
        let node = ["AOS_1", "AOS_2", "AOS_3"][changes.load(Ordering::Relaxed) % NODES];
        restarts(&site, node).await;
        stops(&site, &format!("onprem/{node}")).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        starts(&site, &format!("onprem/{node}")).await;
        changes.fetch_add(1, Ordering::Relaxed);
    }
    for person in people {
        person.await.unwrap();
    }
    let changes = changes.load(Ordering::Relaxed);
    assert!(changes >= NODES, "{changes}");
}
