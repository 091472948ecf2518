//! A toy provider in a lab, and what a reset, a new start and a copy of the lab mean to what it handed out and counted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration as RealTime;

use http::{Method, StatusCode};
use mocktenant_idp::{Kind, Ledger, Lockout, Sealer, Window};
use mocktenant_lab::{
    Addresses, Answer, CatalogueRow, Command, Context, Entrance, Exchange, Lab, Machine, Random, Refusal,
    Request, Route, Scope, Surface, Trail, Way,
};
use mocktenant_world::World;
use time::Duration;
use tokio::sync::Semaphore;

const TICKET: Kind<String> = Kind::new("ticket");

const LOCKOUT: Lockout = Lockout {
    kind: "guess",
    attempts: NonZeroU32::MIN,
    window: Window::FromFirst(Duration::HOUR),
    lasts: Duration::HOUR,
};

/// What `/late` waits for.
struct Toy(Arc<Semaphore>);

static ROUTES: &[Route<Toy>] = &[
    Route {
        methods: &[Method::GET],
        pattern: "/issue",
        endpoint: "issue",
        handler: |_, exchange| Box::pin(std::future::ready(issue(&exchange.context))),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/late",
        endpoint: "late",
        handler: |toy, exchange| Box::pin(late(toy, &exchange.context)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/redeem/{ticket}",
        endpoint: "redeem",
        handler: |_, exchange| {
            let ticket = exchange.parameter("ticket");
            Box::pin(std::future::ready(redeem(&exchange.context, &ticket)))
        },
    },
    Route {
        methods: &[Method::GET],
        pattern: "/guess",
        endpoint: "guess",
        handler: |_, exchange| Box::pin(std::future::ready(guess(&exchange.context))),
    },
];

fn said(status: StatusCode, what: &str) -> Answer {
    Answer::json(status, what.to_owned())
}

fn issue(context: &Context) -> Answer {
    let owner = context.scope().unwrap();
    let expires = context.now() + Duration::HOUR;
    said(StatusCode::OK, &Sealer::of(context, &owner).seal(&TICKET, &String::from("row 7"), expires).unwrap())
}

/// Locks somebody out once it may go on, and issues a ticket.
async fn late(toy: &Toy, context: &Context) -> Answer {
    toy.0.acquire().await.unwrap().forget();
    let owner = context.scope().unwrap();
    let counted = context
        .remember(|store| Ledger::new(store, &owner, context.now()).attempt(Some(&LOCKOUT), "ada").is_ok());
    assert!(counted.is_err(), "a reset came meanwhile");
    issue(context)
}

fn redeem(context: &Context, ticket: &str) -> Answer {
    let owner = context.scope().unwrap();
    let opened = match Sealer::of(context, &owner).open(&TICKET, ticket, context.now()) {
        Ok(opened) => opened,
        Err(refused) => return said(StatusCode::BAD_REQUEST, &format!("{refused:?}")),
    };
    let spent = context.remember(|store| {
        Ledger::new(store, &owner, context.now()).spend(&opened.mark, "somebody", opened.expires)
    });
    match spent.unwrap() {
        Ok(()) => said(StatusCode::OK, &opened.payload),
        Err(refused) => said(StatusCode::BAD_REQUEST, &refused.to_string()),
    }
}

/// Always wrong.
fn guess(context: &Context) -> Answer {
    let owner = context.scope().unwrap();
    let tried = context
        .remember(|store| Ledger::new(store, &owner, context.now()).attempt(Some(&LOCKOUT), "ada").is_ok());
    said(StatusCode::OK, if tried.unwrap() { "wrong" } else { "locked" })
}

impl Surface for Toy {
    const NAME: &'static str = "toy";
    type Prepared = ();

    fn routes() -> &'static [Route<Self>] {
        ROUTES
    }
    fn fork(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
    fn hosts(&self, _world: &World) -> Vec<(String, Entrance)> {
        Vec::new()
    }
    fn at(&self, _entrance: &Entrance, _folded_path: &str) -> bool {
        true
    }
    fn machine(&self, _world: &World, way: &Way<'_>) -> Option<Machine> {
        match way.entrance {
            Entrance::Organization(name) => Some(Machine::organization(name)),
            _ => Some(Machine::node("onebox", "aos1")),
        }
    }
    fn prepare(&self, _world: &World, _addresses: &Addresses) {}
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Vec::new()
    }
    fn refuse(&self, _exchange: &mut Exchange, _why: Refusal) -> Answer {
        Answer::empty(StatusCode::NOT_FOUND)
    }
    fn judge(&self, _context: &Context, _token: &str, _trail: &mut Trail) {}
}

fn toy() -> Toy {
    Toy(Arc::new(Semaphore::new(0)))
}

fn lab() -> Lab {
    Lab::builder(Arc::new(World::contoso().unwrap())).surface(toy()).build()
}

fn here() -> Entrance {
    Entrance::organization("contoso")
}

fn there() -> Entrance {
    Entrance::environment("onebox")
}

async fn asked(lab: &Lab, at: Entrance, target: &str) -> String {
    let response = lab.answer(Request::new(Method::GET, "localhost", target, at)).await;
    String::from_utf8(response.body.to_vec()).unwrap()
}

async fn redeemed(lab: &Lab, at: Entrance, ticket: &str) -> String {
    asked(lab, at, &format!("/redeem/{ticket}")).await
}

async fn reset(lab: &Lab, scope: Option<Scope>) {
    lab.apply(Command::Reset { scope }).await.unwrap();
}

#[tokio::test]
async fn a_ticket_is_good_once_and_only_with_the_owner_it_was_made_for() {
    let lab = lab();
    let ticket = asked(&lab, here(), "/issue").await;
    assert_eq!(redeemed(&lab, there(), &ticket).await, "OtherOwner");
    assert_eq!(redeemed(&lab, here(), &ticket).await, "row 7");
    assert_eq!(redeemed(&lab, here(), &ticket).await, "it was used before, by somebody");
}

#[tokio::test]
async fn a_reset_makes_void_what_its_owner_handed_out_and_leaves_the_others_theirs() {
    let lab = lab();
    let (ours, theirs) = (asked(&lab, here(), "/issue").await, asked(&lab, there(), "/issue").await);
    reset(&lab, Some(Scope::organization("contoso"))).await;
    assert_eq!(redeemed(&lab, here(), &ours).await, "BeforeReset");
    assert_eq!(redeemed(&lab, there(), &theirs).await, "row 7");
    let (ours, theirs) = (asked(&lab, here(), "/issue").await, asked(&lab, there(), "/issue").await);
    reset(&lab, None).await;
    assert_eq!(redeemed(&lab, here(), &ours).await, "BeforeReset");
    assert_eq!(redeemed(&lab, there(), &theirs).await, "BeforeReset");
    let again = asked(&lab, here(), "/issue").await;
    assert_eq!(redeemed(&lab, here(), &again).await, "row 7");
}

#[tokio::test]
async fn a_reset_forgets_who_was_locked_out() {
    let lab = lab();
    for at in [here(), there()] {
        assert_eq!(asked(&lab, at.clone(), "/guess").await, "wrong");
        assert_eq!(asked(&lab, at, "/guess").await, "locked");
    }
    reset(&lab, Some(Scope::organization("contoso"))).await;
    assert_eq!(asked(&lab, here(), "/guess").await, "wrong");
    assert_eq!(asked(&lab, there(), "/guess").await, "locked");
}

#[tokio::test]
async fn who_began_before_a_reset_counts_nothing_after_it_and_hands_out_what_is_void() {
    let toy = toy();
    let goes_on = Arc::clone(&toy.0);
    let world = Arc::new(World::contoso().unwrap());
    let lab = Lab::builder(world).surface(toy).grace(RealTime::from_millis(10)).build();
    let began = tokio::spawn({
        let lab = lab.clone();
        async move { asked(&lab, here(), "/late").await }
    });
    tokio::task::yield_now().await;
    reset(&lab, Some(Scope::organization("contoso"))).await;
    goes_on.add_permits(1);
    let ticket = began.await.unwrap();
    assert_eq!(redeemed(&lab, here(), &ticket).await, "BeforeReset");
    assert_eq!(asked(&lab, here(), "/guess").await, "wrong", "nobody is locked out");
}

#[tokio::test]
async fn a_lab_started_anew_knows_nothing_of_what_the_one_before_handed_out() {
    let ticket = asked(&lab(), here(), "/issue").await;
    assert_eq!(redeemed(&lab(), here(), &ticket).await, "Foreign");
}

#[tokio::test]
async fn a_copy_of_a_lab_goes_on_with_what_was_handed_out_and_the_lab_notices_nothing() {
    let lab = lab();
    reset(&lab, Some(Scope::organization("contoso"))).await;
    let ticket = asked(&lab, here(), "/issue").await;
    let copy = lab.fork(lab.clock().now(), []);
    assert_eq!(redeemed(&copy, here(), &ticket).await, "row 7");
    assert_eq!(redeemed(&copy, here(), &ticket).await, "it was used before, by somebody");
    assert_eq!(redeemed(&lab, here(), &ticket).await, "row 7", "here it was not used");
}

#[tokio::test]
async fn two_labs_of_one_seed_hand_out_the_same() {
    let seeded = || {
        let world = Arc::new(World::contoso().unwrap());
        let lab = Lab::builder(world).surface(toy()).random(Random::seeded(7)).build();
        let at = lab.clock().now();
        (lab, at)
    };
    let ((one, at), (other, _)) = (seeded(), seeded());
    let ticket = asked(&one.fork(at, []), here(), "/issue").await;
    assert_eq!(asked(&other.fork(at, []), here(), "/issue").await, ticket);
    assert_eq!(redeemed(&other, here(), &ticket).await, "row 7");
}
