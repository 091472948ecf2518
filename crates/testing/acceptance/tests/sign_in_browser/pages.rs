//! The error page, and every page in the dark and on a narrow screen.

use crate::Case;
use crate::sign_in::fills_in;
use crate::stage::{Stage, USER, Way};
use crate::window::{Key, Like};

pub(crate) const CASES: &[Case] = &[
    ("an_unknown_redirect_uri_gets_the_error_page_by_localhost", |stage| {
        unknown(stage, Way::Localhost, false);
    }),
    ("an_unknown_redirect_uri_gets_the_error_page_by_name_without_scripts", |stage| {
        unknown(stage, Way::Name, true);
    }),
    ("pages_are_read_in_the_dark_and_on_a_narrow_screen", in_the_dark),
    ("a_browser_that_was_told_of_no_root_shows_nothing", untrusted),
];

fn unknown(stage: &Stage, way: Way, no_scripts: bool) {
    let scene = stage.scene("2019");
    let window = scene.window(way, Like { no_scripts, ..Like::default() });
    window.go(&scene.request(way, &[("redirect_uri", "https://elsewhere.example/")]));
    window.waits_for("#errorArea");
    assert_eq!(window.text("#openingMessage"), "An error occurred");
    assert!(window.text("#errorMessage").contains("Contact your administrator"));
    let details = ["#activityId", "#contextId", "#timestamp"];
    assert!(window.sees("#errorDetailsLink"));
    window.pictured(&format!("error_{way:?}"));
    window.press("#errorDetailsLink");
    for id in details {
        window.waits_for(id);
    }
    window.pictured(&format!("error_{way:?}_open"));
    let said = window.text("#errorDescription");
    assert!(said.contains("MSIS9224") && said.contains("Microsoft Dynamics 365 for Operations"), "{said}");
    assert!(scene.application.is_untouched() && window.cookies().is_empty());
    assert_eq!(window.complaints(), [""; 0]);
    // The Activity ID on the page leads to what it was.
    let id = window.text("#activityId");
    let (_, id) = id.rsplit_once(' ').unwrap();
    let explained = scene.lab.explain(id).unwrap_or_else(|| panic!("{id} is nothing"));
    let failed = explained.checks.iter().find(|check| check.check.failed()).unwrap();
    assert_eq!(&*failed.check.name, "redirect-uri");
}

fn in_the_dark(stage: &Stage) {
    let scene = stage.scene("2019");
    let way = Way::Localhost;
    for (name, dark, narrow) in [("dark", true, false), ("narrow", false, true), ("dark_narrow", true, true)]
    {
        let window = scene.window(way, Like { dark, narrow, ..Like::default() });
        window.go(&scene.request(way, &[]));
        window.waits_for("#userNameInput");
        window.pictured(&format!("{name}_name"));
        fills_in(&window, "2019", USER, "wrong");
        window.waits_for("#errorTextPassword");
        window.strikes(Key::Tab);
        window.pictured(&format!("{name}_password"));
        window.go(&scene.request(way, &[("redirect_uri", "https://elsewhere.example/")]));
        window.press("#errorDetailsLink");
        window.waits_for("#activityId");
        window.pictured(&format!("{name}_error"));
        assert_eq!(window.complaints(), [""; 0]);
    }
}

/// What is trusted is trusted because it was imported, and goes no further.
fn untrusted(stage: &Stage) {
    let scene = stage.scene("2019");
    let window = scene.window(Way::Localhost, Like::default());
    let elsewhere = mocktenant_testkit::Lab::builder();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let elsewhere = runtime.block_on(elsewhere.start());
    let url = format!("{}/oauth2/authorize", elsewhere.settings().adfs.as_ref().unwrap().base_url);
    assert_eq!(window.fails_to_go(&url), "net::ERR_CERT_AUTHORITY_INVALID");
}
