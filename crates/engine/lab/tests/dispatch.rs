//! The dispatch point through `Lab::answer`, with a surface of three routes: what the engine promises to every product.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod toy;

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use mocktenant_lab::journal::Kind;
use mocktenant_lab::outbound::{Call, CallError, Outbound, Reply};
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{BoxFuture, ClockChange, Command, EXCHANGE_HEADER, Entrance, Lab, Request};
use mocktenant_world::{Edit, EditedBy, Setting, World};
use time::OffsetDateTime;

use crate::toy::{Echo, ask, lab};

/// Delivers a call to the lab, or does not, and loses the answer on its way back.
struct Loses {
    lab: Lab,
    delivers: bool,
}

impl Outbound for Loses {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            if self.delivers {
                let target = call.url.strip_prefix("https://login.example.com").unwrap();
                let mut request = Request::new(call.method, "login.example.com", target, Entrance::Identity);
                request.headers = call.headers;
                self.lab.answer(request).await;
            }
            Err(CallError::Timeout { host: "login.example.com".into(), seconds: 30 })
        })
    }
}

#[tokio::test]
async fn values_come_from_the_raw_path_and_matching_from_the_folded_one() {
    let lab = lab();
    let cases = [
        ("/Contoso/ECHO/Ada", r#"["Contoso","Ada"]"#),
        ("/Contoso/%65cho/%41da%2520/", r#"["Contoso","Ada%20"]"#),
        ("/C%C3%84/echo/%C3%A4", r#"["C%C3%84","ä"]"#),
    ];
    for (target, expected) in cases {
        assert_eq!(ask(&lab, Method::GET, "localhost", target).await, (200, expected.to_owned()), "{target}");
    }
    assert_eq!(ask(&lab, Method::GET, "localhost", "/a%2fecho/echo").await.0, 404);
    assert_eq!(ask(&lab, Method::GET, "localhost", "/a/echo/%2e%2e").await.1, r#"["a","%2e%2e"]"#);
}

#[tokio::test]
async fn a_catch_all_gives_the_whole_rest_of_the_path() {
    let lab = lab();
    for (target, raw, decoded) in [
        ("/a/files/One", "One", "One"),
        ("/a/FILES/One/Two/three?x=/y", "One/Two/three", "One/Two/three"),
        ("/a/files/%4Fne%20/T%C3%A4/", "%4Fne%20/T%C3%A4/", "One /T\u{e4}/"),
        ("/a/files/x%2Fy/..%2f/%2541/z", "x%2Fy/..%2f/%2541/z", "x%2Fy/..%2f/%41/z"),
        ("/a/files/x//y", "x//y", "x//y"),
    ] {
        let expected = format!("[\"a\",\"{raw}\",\"{decoded}\"]");
        assert_eq!(ask(&lab, Method::GET, "localhost", target).await, (200, expected), "{target}");
    }
    assert_eq!(ask(&lab, Method::GET, "localhost", "/a/files/").await.0, 404, "a rest is not empty");
}

#[tokio::test]
async fn a_name_of_the_world_decides_whatever_the_port_and_a_foreign_name_is_misdirected() {
    let lab = lab();
    let mut request =
        Request::new(Method::GET, "LOGIN.example.com.:443", "/a/echo/b", Entrance::organization("contoso"));
    assert_eq!(lab.answer(request).await.status, 200);
    request = Request::new(Method::GET, "localhost:7446", "/a/echo/b", Entrance::organization("contoso"));
    assert_eq!(lab.answer(request).await.status, 421, "no surface answers that port");
    assert_eq!(ask(&lab, Method::GET, "evil.example", "/a/echo/b").await, (421, String::new()));
    assert_eq!(ask(&lab, Method::GET, "", "/a/echo/b").await.0, 421);
    assert_eq!(ask(&lab, Method::GET, "host.docker.internal:7443", "/a/echo/b").await.0, 200);
}

#[tokio::test]
async fn a_name_of_a_family_without_end_is_played_and_local_names_are_nobodys_family() {
    let lab = lab();
    assert_eq!(ask(&lab, Method::GET, "any.family.example", "/a/echo/b").await.0, 200);
    assert_eq!(ask(&lab, Method::GET, "family.example", "/a/echo/b").await.0, 421);
    // This one is local, so the place decides: nobody plays that path there.
    assert_eq!(ask(&lab, Method::GET, "any.family.test", "/later").await.0, 421);
}

/// The name it was sent to through the proxy decides; it may name no other, whoever that is.
#[tokio::test]
async fn a_request_through_the_proxy_names_the_host_it_was_sent_to_and_no_other() {
    let lab = lab();
    for (host, expected) in [
        ("login.example.com", 200),
        ("LOGIN.example.com.:443", 200),
        ("localhost", 421),
        ("any.family.example", 421),
        ("evil.example", 421),
        ("", 421),
    ] {
        let mut request = Request::new(Method::GET, host, "/a/echo/b", Entrance::Identity);
        request.arrival.proxied = Some("login.example.com".into());
        assert_eq!(lab.answer(request).await.status, expected, "{host}");
        let record = lab.journal().records().pop().unwrap();
        assert_eq!(record.fact("via").unwrap().value, "proxy");
    }
}

#[tokio::test]
async fn the_names_of_the_labs_own_public_addresses_are_local() {
    let lab = lab();
    assert_eq!(ask(&lab, Method::GET, "login.docker.example:7443", "/a/echo/b").await.0, 421);
    let addresses = [(Entrance::Identity, "https://Login.docker.example:7443".to_owned())];
    lab.set_addresses(addresses.into_iter().collect());
    assert_eq!(ask(&lab, Method::GET, "login.docker.example:7443", "/a/echo/b").await.0, 200);
}

#[tokio::test]
async fn what_no_handler_answers_is_refused_by_the_surface_itself() {
    let lab = lab();
    assert_eq!(ask(&lab, Method::GET, "localhost", "/nowhere").await.0, 404);
    let (status, body) = ask(&lab, Method::PUT, "localhost", "/a/echo/b").await;
    assert_eq!((status, body.contains("GET")), (405, true));
    let head = lab.answer(Request::new(Method::HEAD, "localhost", "/a/echo/b", Entrance::Identity)).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.headers["content-length"], "9", "the length of what GET sends");
    let (status, body) = ask(&lab, Method::POST, "localhost", "/panic").await;
    assert_eq!((status, body.contains("Panic")), (500, true));
    let mut request = Request::new(Method::GET, "localhost", "/a/echo/b", Entrance::Identity);
    request.body = Err(BodyError::TooLarge { limit: 1 });
    assert_eq!(lab.answer(request).await.status, 413);
}

#[tokio::test]
async fn an_icon_that_a_browser_asks_for_by_itself_is_not_what_was_refused_last() {
    let lab = lab();
    assert_eq!(ask(&lab, Method::GET, "localhost", "/nowhere").await.0, 404);
    assert_eq!(ask(&lab, Method::GET, "localhost", "/favicon.ico").await.0, 404);
    let [page, icon] = &lab.journal().records()[..] else { panic!("both are on record") };
    assert!(icon.refused() && !icon.is_refusal());
    for last in
        [lab.journal().last_refusal().unwrap(), Arc::clone(lab.journal().tree().last_refusal().unwrap())]
    {
        assert_eq!(last.id, page.id);
    }
}

#[tokio::test]
async fn every_answer_names_its_exchange_and_the_record_is_there_before_it() {
    let lab = lab();
    let response = lab.answer(Request::new(Method::GET, "localhost", "/a/echo/b", Entrance::Identity)).await;
    let id = response.headers[EXCHANGE_HEADER].to_str().unwrap().to_owned();
    let record = lab.journal().find(&id).unwrap();
    assert_eq!((&*record.endpoint, record.status, &*record.surface), ("echo", 200, "echo"));
    assert_eq!(record.fact("name").unwrap().value, "b");
    assert!(!record.response_headers.contains("mocktenant"), "the journal shows the product's own headers");
}

#[tokio::test]
async fn the_journal_is_bounded_in_bytes_and_counts_what_it_dropped() {
    let world = Arc::new(World::contoso().unwrap());
    let lab = Lab::builder(world).surface(Echo).journal_budget(50_000).build();
    for _ in 0..50 {
        let mut request = Request::new(Method::GET, "localhost", "/a/echo/b", Entrance::Identity);
        request.body = Ok(Bytes::from(vec![b'x'; 100_000]));
        assert_eq!(lab.answer(request).await.status, 200);
    }
    assert_eq!(lab.journal().records().len(), 1, "the newest is kept even when it alone exceeds the budget");
    assert_eq!(lab.journal().records()[0].request_body.len(), 64 * 1024);
    assert_eq!(lab.journal().dropped(), 49);
}

#[tokio::test]
async fn commands_swap_the_world_whole_and_two_labs_never_see_each_other() {
    let (one, other) = (lab(), lab());
    let name = Setting::fixed("/tenants/c0117050-0000-4000-8000-000000000001/name");
    let edits = vec![Edit::replace(name.clone(), "Fabrikam")];
    one.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap();
    assert_eq!(one.world().get(&name).unwrap(), "Fabrikam");
    assert_eq!(other.world().get(&name).unwrap(), "Contoso");
    one.answer(Request::new(Method::GET, "localhost", "/a/echo/b", Entrance::Identity)).await;
    assert_eq!(other.journal().records().len(), 0);

    one.apply(Command::Restart { environment: "onebox".into(), node: None }).await.unwrap();
    assert!(one.journal().records().iter().any(|record| record.fact("started").is_some()));
    assert!(one.apply(Command::Restart { environment: "twobox".into(), node: None }).await.is_err());
    assert!(one.apply(Command::Scenario { name: "no-such".into() }).await.is_err());
    one.apply(Command::Reset { scope: None }).await.unwrap();
    assert_eq!(one.world().get(&name).unwrap(), "Contoso");
}

#[tokio::test]
async fn a_reset_takes_the_clocks_offsets_away_and_leaves_it_frozen() {
    let lab = lab();
    let (instant, hour) = (OffsetDateTime::UNIX_EPOCH, time::Duration::HOUR);
    let changes = [ClockChange::Freeze(instant), ClockChange::Offset(hour)];
    for change in changes {
        lab.apply(Command::Clock(change)).await.unwrap();
    }
    let name = String::from("half-done");
    for (command, expected) in
        [(Command::Scenario { name }, instant + hour), (Command::Reset { scope: None }, instant)]
    {
        lab.apply(command).await.unwrap();
        assert_eq!(lab.clock().now(), expected);
    }
    lab.apply(Command::Clock(ClockChange::Run)).await.unwrap();
    assert!(lab.clock().now() > instant + hour);
}

#[tokio::test]
async fn a_call_is_journaled_once_whether_or_not_it_arrived_and_its_answer_came_back() {
    for delivers in [true, false] {
        let lab = lab();
        lab.set_outbound(Loses { lab: lab.clone(), delivers });
        assert_eq!(ask(&lab, Method::GET, "localhost", "/relay").await.0, 502);
        let tree = lab.journal().tree();
        assert_eq!(tree.records().len(), 2, "{tree:?}");
        let root = tree.records().iter().find(|record| record.parent.is_none()).unwrap();
        let children: Vec<_> = tree.children(&root.id).collect();
        let expected = if delivers { Kind::Request } else { Kind::Call };
        assert_eq!(children.iter().map(|child| child.kind).collect::<Vec<_>>(), [expected]);
        assert_eq!(children[0].fact("call-error").is_none(), delivers);
        assert_eq!(
            children[0].surface,
            if delivers { "echo" } else { "" },
            "who called is not who was called"
        );
    }
}

#[tokio::test]
async fn a_request_whose_caller_goes_away_is_journaled_all_the_same() {
    let lab = lab();
    let request = Request::new(Method::GET, "localhost", "/never", Entrance::Identity);
    let answering = lab.answer(request);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(20), answering).await.is_err());
    let record = lab.journal().records().pop().unwrap();
    assert_eq!((&*record.endpoint, record.status, record.error.as_deref()), ("never", 0, Some("no-caller")));
    assert_eq!(record.fact("began").unwrap().value, "yes", "what it did until then is there");
}

#[tokio::test]
async fn a_stranger_cannot_pose_as_an_outgoing_call() {
    let lab = lab();
    let mut request = Request::new(Method::GET, "localhost", "/a/echo/b", Entrance::Identity);
    request.headers.insert("x-mocktenant-call", "x-FORGED.1".parse().unwrap());
    let response = lab.answer(request).await;
    let id = response.headers[EXCHANGE_HEADER].to_str().unwrap();
    assert_ne!(id, "x-FORGED.1");
    assert!(lab.journal().find(id).unwrap().parent.is_none());
}

/// Watches the calls that leave, and answers none of them.
#[derive(Clone, Default)]
struct Keeps(Arc<std::sync::Mutex<Vec<String>>>);

impl Outbound for Keeps {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
        let link = call.headers["x-mocktenant-call"].to_str().unwrap().to_owned();
        self.0.lock().unwrap().push(link);
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_stranger_who_guesses_the_id_of_a_call_on_its_way_is_not_taken_for_it() {
    let lab = Lab::builder(Arc::new(World::contoso().unwrap())).surface(Echo).build();
    let kept = Keeps::default();
    lab.set_outbound(kept.clone());
    let relayed = lab.answer(Request::new(Method::GET, "localhost", "/relay", Entrance::Identity));
    let mut relayed = std::pin::pin!(relayed);
    assert!(futures_now(relayed.as_mut()).await, "the call is on its way");
    let link = kept.0.lock().unwrap()[0].clone();
    // Ids are handed out to every caller, and one follows the other: the child's is known to whoever asked last.
    let id = link.split([' ', ';']).next().unwrap().to_owned();
    let mut guesses: Vec<String> = (0..64).map(|n| format!("x-{n:06}.1")).collect();
    guesses.extend([
        id.clone(),
        format!("{id} "),
        format!("{id} {}", "0".repeat(32)),
        link[..link.len() - 1].to_owned(),
    ]);
    guesses.push(format!("{link}0"));
    for guess in guesses {
        let mut request = Request::new(Method::GET, "localhost", "/a/echo/b", Entrance::Identity);
        let Ok(value) = guess.trim().parse() else { continue };
        request.headers.insert("x-mocktenant-call", value);
        let response = lab.answer(request).await;
        let answered = response.headers[EXCHANGE_HEADER].to_str().unwrap();
        let record = lab.journal().find(answered).unwrap();
        assert!(record.parent.is_none(), "{guess} was adopted as {answered}");
        assert!(!record.request_headers.contains("x-mocktenant-call"), "{}", record.request_headers);
    }
    // The call itself still is.
    let mut request = Request::new(Method::GET, "localhost", "/a/echo/b", Entrance::Identity);
    request.headers.insert("x-mocktenant-call", link.parse().unwrap());
    lab.answer(request).await;
    assert!(lab.journal().records().pop().unwrap().parent.is_some());
}

#[tokio::test]
async fn what_links_a_call_is_drawn_anew_each_time_also_in_a_seeded_lab() {
    let mut links = std::collections::HashSet::new();
    for _ in 0..2 {
        let builder = Lab::builder(Arc::new(World::contoso().unwrap())).surface(Echo);
        let lab = builder.random(mocktenant_lab::Random::seeded(7)).build();
        let kept = Keeps::default();
        lab.set_outbound(kept.clone());
        for _ in 0..3 {
            let relayed = lab.answer(Request::new(Method::GET, "localhost", "/relay", Entrance::Identity));
            let mut relayed = std::pin::pin!(relayed);
            assert!(futures_now(relayed.as_mut()).await);
        }
        links.extend(kept.0.lock().unwrap().drain(..));
    }
    assert_eq!(links.len(), 6, "{links:?}");
}

/// Polls a future once; true while it waits.
async fn futures_now(mut future: std::pin::Pin<&mut impl Future>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn a_place_of_this_machine_that_no_product_plays_is_nobodys() {
    let lab = lab();
    assert_eq!(ask(&lab, Method::GET, "localhost:7443", "/Later/").await, (421, String::new()));
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.error.as_deref(), Some("421"));
    assert!(record.fact("not-built").is_none());
    // An entrance without any product, and a stranger's name at the same path.
    let elsewhere = Request::new(Method::GET, "localhost", "/", Entrance::environment("onebox"));
    assert_eq!(lab.answer(elsewhere).await.status, 421);
    assert_eq!(ask(&lab, Method::GET, "elsewhere.example", "/later").await.0, 421);
}

#[tokio::test]
async fn a_host_that_is_none_is_nobody_however_much_it_looks_like_one() {
    let lab = lab();
    for host in ["localhost:7443", "LOCALHOST", "[::1]:7443", "127.0.0.1", "login.example.com.:443", "aos:"] {
        assert_eq!(ask(&lab, Method::GET, host, "/a/echo/b").await.0, 200, "{host}");
    }
    for host in
        ["localhost:7443:7443", "login.example.com:443:443", "localhost:+443", "[::1]x", "::1", "[localhost]"]
    {
        assert_eq!(ask(&lab, Method::GET, host, "/a/echo/b").await.0, 421, "{host}");
    }
}

#[tokio::test]
async fn a_host_of_any_length_costs_the_journal_no_more_than_a_name() {
    let lab = lab();
    ask(&lab, Method::GET, &"x.".repeat(31 * 1024), "/").await;
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.error.as_deref(), Some("421"));
    let shown = serde_json::to_string(&record.document()).unwrap();
    assert!(shown.len() < 2_000, "{} bytes", shown.len());
}

#[tokio::test]
async fn a_host_that_is_nobodys_is_named_by_the_journal_without_what_deceives_the_eye() {
    let lab = lab();
    let named =
        |lab: &Lab| lab.journal().records().pop().unwrap().fact("unknown-host").unwrap().value.to_string();
    ask(&lab, Method::GET, "evil.example", "/").await;
    assert_eq!(named(&lab), "evil.example");
    ask(&lab, Method::GET, "evil\u{202e}.example", "/").await;
    assert_eq!(named(&lab), "evil\\u{202e}.example");
    ask(&lab, Method::GET, &"x.".repeat(200), "/").await;
    assert!(named(&lab).starts_with("x.x.") && named(&lab).chars().count() == 123, "{}", named(&lab));
}
