//! People sign in to an AOS on-premises through AD FS, meet its 500 and AD FS's page about its client, and sign out.
//!
//! Decides by what is seen in the window, by localhost and by the names of the world. Two hosts and four cookies take part, so
//! this is where a browser's own rules count most: what it sends along with a form of another site, and where a page's policy
//! lets its form lead.

use mocktenant_testkit::mocktenant_world::Errand;
use mocktenant_testkit::mocktenant_world::pointers::{self, File};
use mocktenant_testkit::serde_json::json;

use crate::Case;
use crate::sign_in::fills_in;
use crate::stage::{PASSWORD, Scene, Stage, USER, Way};
use crate::window::{Like, Window};

const SCRIPTS: Like<'_> = Like { proxy: None, no_scripts: false, dark: false, narrow: false };
const NO_SCRIPTS: Like<'_> = Like { no_scripts: true, ..SCRIPTS };
const FRAGMENT: &str = include_str!("../../../../../testdata/configs/AXSF.fragment.xml");
const OWN: &str = "DynamicsOwinAuth";

pub(crate) const CASES: &[Case] = &[
    ("a_person_signs_in_to_the_aos_by_localhost", |stage| signs_in(stage, "2019", Way::Localhost, SCRIPTS)),
    ("a_person_signs_in_to_the_aos_by_name", |stage| signs_in(stage, "2019", Way::Name, SCRIPTS)),
    ("a_person_signs_in_to_the_aos_on_one_page", |stage| signs_in(stage, "2016", Way::Name, SCRIPTS)),
    ("a_person_signs_in_to_the_aos_without_scripts", |stage| {
        signs_in(stage, "2019", Way::Localhost, NO_SCRIPTS);
    }),
    ("a_person_makes_a_customer_and_signs_out_by_localhost", |stage| works(stage, Way::Localhost)),
    ("a_person_makes_a_customer_and_signs_out_by_name", |stage| works(stage, Way::Name)),
    ("the_articles_own_fragment_lets_a_person_in_by_localhost", |stage| fragment(stage, Way::Localhost)),
    ("the_articles_own_fragment_lets_a_person_in_by_name", |stage| fragment(stage, Way::Name)),
    ("a_client_id_that_ad_fs_does_not_know_ends_on_its_page", |stage| mismatch(stage, Way::Name)),
    ("an_aos_that_found_no_ad_fs_shows_its_500", |stage| five_hundred(stage, Way::Localhost)),
    ("who_is_no_user_is_told_so_by_the_aos", nobody),
];

fn application(scene: &Scene<'_>, way: Way) -> String {
    match way {
        Way::Localhost => format!("{}/namespaces/AXSF/", scene.lab.settings().aos["onprem"].url),
        Way::Name => String::from("https://ax.contoso.com/namespaces/AXSF/"),
    }
}

fn environment() -> pointers::Environment {
    pointers::environment("onprem")
}

/// From the address to the application's own page.
fn comes_in(scene: &Scene<'_>, window: &Window<'_>, profile: &str, way: Way, like: Like<'_>) {
    // The host alone leads there too.
    let host = application(scene, way).replace("/namespaces/AXSF/", "/");
    window.go(&host);
    window.waits_for("#userNameInput");
    fills_in(window, profile, USER, PASSWORD);
    if like.no_scripts {
        window.waits_for("input[type=submit]");
        window.press("input[type=submit]");
    }
    window.waits_for("#userId");
    assert_eq!(window.complaints(), [""; 0]);
}

fn signs_in(stage: &Stage, profile: &str, way: Way, like: Like<'_>) {
    let scene = stage.scene(profile);
    let window = scene.window(way, like);
    comes_in(&scene, &window, profile, way, like);
    assert_eq!(window.address(), application(&scene, way));
    assert_eq!(window.text("#userId"), "User: ada");
    assert_eq!(window.text("#company"), "Company: USMF");
    assert_eq!(window.text("#node"), "Node: AOS_1");
    window.pictured(&format!("aos_{profile}_{way:?}_{}", like.no_scripts));
    let cookies = window.cookies();
    let own: Vec<_> =
        cookies.iter().filter(|cookie| cookie["name"].as_str().unwrap().starts_with(OWN)).collect();
    assert!(!own.is_empty(), "{cookies:?}");
    for cookie in &own {
        let name = cookie["name"].as_str().unwrap();
        // Ports of localhost share a jar.
        assert_eq!(name.contains('-'), way == Way::Localhost, "{cookie}");
        assert_eq!(
            (&cookie["secure"], &cookie["httpOnly"], &cookie["sameSite"]),
            (&json!(true), &json!(true), &json!("None"))
        );
    }
    assert!(!cookies.iter().any(|cookie| cookie["name"].as_str().unwrap().contains("nonce")), "{cookies:?}");
    // A second time nobody asks.
    window.go(&application(&scene, way));
    window.waits_for("#userId");
    scene.all_came(way);
}

fn works(stage: &Stage, way: Way) {
    let scene = stage.scene("2019");
    let window = scene.window(way, SCRIPTS);
    comes_in(&scene, &window, "2019", way, SCRIPTS);
    window.press("#customersLink");
    window.waits_for("#none");
    window.press("#newCustomerLink");
    for (field, value) in [
        ("#CustomerAccount", "OP-9"),
        ("#OrganizationName", "Forest & Sons"),
        ("#CustomerGroupId", "30"),
        ("#SalesCurrencyCode", "XXX"),
    ] {
        window.waits_for(field);
        window.fills(field, value);
    }
    window.pictured(&format!("aos_new_customer_{way:?}"));
    window.press("#newCustomerForm button");
    // What the product refuses is told above the form.
    window.waits_for("#errorText");
    assert!(window.text("#errorText").contains("Currency"), "{}", window.text("#errorText"));
    window.fills("#SalesCurrencyCode", "USD");
    window.press("#newCustomerForm button");
    window.until("the new customer", |window| window.text("main").contains("OP-9 Forest & Sons (30)"));
    window.pictured(&format!("aos_customers_{way:?}"));
    window.press("#homeLink");
    window.waits_for("#signOutForm");
    window.press("#signOutForm button");
    // AD FS signs out and sends back to the application, which asks anew.
    window.waits_for("#userNameInput");
    assert_eq!(window.complaints(), [""; 0]);
    let left = window.cookies();
    assert!(!left.iter().any(|cookie| cookie["name"].as_str().unwrap().starts_with(OWN)), "{left:?}");
}

/// The startup file as the article prints it, in the place of the environment's own: for a person, and for a program with a
/// bearer token.
fn fragment(stage: &Stage, way: Way) {
    let scene = stage.scene("2019");
    scene.edited([
        (environment().file(File::Axsf), json!(FRAGMENT)),
        (pointers::caller().environment(), json!("onprem")),
        (pointers::caller().does(), json!(Errand::ReadCustomers)),
    ]);
    scene.restarted("onprem");
    let window = scene.window(way, SCRIPTS);
    comes_in(&scene, &window, "2019", way, SCRIPTS);
    assert_eq!(scene.drive().status, 200);
}

fn mismatch(stage: &Stage, way: Way) {
    let scene = stage.scene("2019");
    let client = environment().axsf("OpenIDConnect.ClientID");
    scene.edited([(client, json!("d8230a86-015d-4c14-bcd6-c7fb65176b61"))]);
    scene.restarted("onprem");
    let window = scene.window(way, SCRIPTS);
    window.go(&application(&scene, way));
    window.waits_for("#errorMessage");
    window.pictured("aos_client_mismatch");
    let explanation = scene.lab.explain_last().unwrap();
    let line = explanation.cause.unwrap().to_line();
    assert!(line.starts_with("AXSF.Package.1.0.xml:29  OpenIDConnect.ClientID"), "{line}");
}

fn five_hundred(stage: &Stage, way: Way) {
    let scene = stage.scene("2019");
    let metadata = environment().axsf("Aad.AADMetadataLocationFormat");
    scene.edited([(metadata, json!("https://adfs.contoso.example/x"))]);
    scene.restarted("onprem");
    let window = scene.window(way, SCRIPTS);
    window.go(&application(&scene, way));
    window.until("the page", |window| window.text("title") == "There is a problem with the server");
    assert!(window.text("body").contains("Error 500."));
    window.pictured("aos_500");
}

fn nobody(stage: &Stage) {
    let scene = stage.scene("2019");
    scene.edited([(environment().user_info("ada").enable(), json!(0))]);
    let window = scene.window(Way::Localhost, SCRIPTS);
    window.go(&application(&scene, Way::Localhost));
    window.waits_for("#userNameInput");
    fills_in(&window, "2019", USER, PASSWORD);
    window.until("the sentence", |window| {
        window.text("body").contains("You are not authorized to login with your current credentials.")
    });
    window.pictured("aos_not_authorized");
}
