//! People sign in to an AOS on-premises through AD FS, meet its 500 and AD FS's page about its client, and sign out.
//!
//! Decides by what is seen in the window, by localhost and by the names of the world. Two hosts and four cookies take part, so
//! this is where a browser's own rules count most: what it sends along with a form of another site, and where a page's policy
//! lets its form lead.

use mocktenant_testkit::mocktenant_world::Errand;
use mocktenant_testkit::mocktenant_world::pointers::{self, File};
use mocktenant_testkit::serde_json::{Value, json};

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
    ("a_person_signs_in_to_the_aos_with_an_e_mail_address", by_mail),
    ("a_person_makes_a_customer_and_signs_out_by_localhost", |stage| works(stage, Way::Localhost)),
    ("a_person_makes_a_customer_and_signs_out_by_name", |stage| works(stage, Way::Name)),
    ("the_articles_own_fragment_lets_a_person_in_by_localhost", |stage| fragment(stage, Way::Localhost)),
    ("the_articles_own_fragment_lets_a_person_in_by_name", |stage| fragment(stage, Way::Name)),
    ("a_client_id_that_ad_fs_does_not_know_ends_on_its_page", |stage| mismatch(stage, Way::Name)),
    ("an_aos_that_found_no_ad_fs_shows_its_500", |stage| five_hundred(stage, Way::Localhost)),
    ("who_is_no_user_is_told_so_by_the_aos", nobody),
    ("the_nine_steps_go_on_at_another_node_by_localhost", |stage| nine_steps(stage, Way::Localhost)),
    ("the_nine_steps_go_on_at_another_node_by_name", |stage| nine_steps(stage, Way::Name)),
    ("only_who_meets_the_stale_node_fails_by_localhost", |stage| stale_node(stage, Way::Localhost)),
    ("only_who_meets_the_stale_node_fails_by_name", |stage| stale_node(stage, Way::Name)),
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
    // The host alone was nobody's turn.
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

/// What is typed is an e-mail address, and who comes in is the user that it is of; a server that takes none says what it says of
/// everybody nobody knows.
fn by_mail(stage: &Stage) {
    const MAIL: &str = "grace.hopper@contoso.com";
    const HERS: &str = "grace-password-not-secret";
    let scene = stage.scene("2019");
    let setting = pointers::federation_service("contoso").alternate_login_id();
    scene.edited([(setting.clone(), json!("employeeID"))]);
    let window = scene.window(Way::Name, SCRIPTS);
    window.go(&application(&scene, Way::Name));
    window.waits_for("#userNameInput");
    fills_in(&window, "2019", MAIL, HERS);
    window.waits_for("#errorTextPassword");
    assert!(window.text("#errorTextPassword").starts_with("Incorrect user ID or password."));
    let cause = scene.lab.explain_last().unwrap().cause.unwrap();
    assert_eq!(cause.setting, setting, "{}", cause.to_line());
    scene.edited([(setting, json!("mail"))]);
    // The name is still there: the password is all that is typed again.
    window.fills("#passwordInput", HERS);
    window.press("#submitButton");
    window.waits_for("#userId");
    assert_eq!(window.text("#userId"), "User: grace");
    assert!(window.text("main").contains("Signed in as: grace@contoso.com"), "{}", window.text("main"));
    window.pictured("aos_by_mail");
    assert_eq!(window.complaints(), [""; 0]);
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

/// Which node a window is bound to.
fn affinity(window: &Window<'_>, way: Way) -> String {
    let cookies = window.cookies();
    let named = |cookie: &&Value| cookie["name"].as_str().unwrap().starts_with("ms-dyn-affinity");
    let cookie = cookies.iter().find(named).unwrap();
    assert_eq!(cookie["name"].as_str().unwrap() == "ms-dyn-affinity", way == Way::Name, "{cookie}");
    cookie["value"].as_str().unwrap().to_owned()
}

/// The node that began to sign a person in is stopped before she has typed her password; the one she goes on at is stopped when
/// she is in.
fn nine_steps(stage: &Stage, way: Way) {
    let scene = stage.scene("2019");
    let stopped = |node: &str, stopped: bool| {
        scene.edited([(environment().node(node).stopped(), json!(stopped))]);
    };
    let window = scene.window(way, SCRIPTS);
    window.go(&application(&scene, way));
    window.waits_for("#userNameInput");
    assert_eq!(affinity(&window, way), "AOS_1");
    stopped("AOS_1", true);
    fills_in(&window, "2019", USER, PASSWORD);
    window.waits_for("#userId");
    let records = scene.records();
    let last = records.iter().rev().find(|record| record.fact("steps").is_some()).unwrap();
    let explanation = scene.lab.explain(&last.id).unwrap();
    let ladder: Vec<_> = explanation.ladder.iter().map(|rung| (rung.step, rung.by.as_deref())).collect();
    let first = (1..=5).map(|step| (step, Some("AOS_1")));
    let adfs = (6..=7).map(|step| (step, Some("AD FS")));
    assert_eq!(ladder[..7], first.chain(adfs).collect::<Vec<_>>());
    let served = ladder[7].1.unwrap();
    assert!(ladder[8].1 == Some(served) && served != "AOS_1", "{ladder:?}");
    let note = explanation.ladder[7].note.as_deref().unwrap();
    assert_eq!(note, "stopped: AOS_1; the cookie names AOS_1");
    window.go(&application(&scene, way));
    window.waits_for("#userId");
    let bound = affinity(&window, way);
    assert_eq!(window.text("#node"), format!("Node: {bound}"), "and she stays there");
    stopped(&bound, true);
    window.go(&application(&scene, way));
    window.waits_for("#userId");
    let last = window.text("#node");
    assert!(last != "Node: AOS_1" && last != format!("Node: {bound}"), "{last}");
    window.pictured(&format!("aos_other_node_{way:?}"));
    for node in ["AOS_1", "AOS_2", "AOS_3"] {
        stopped(node, true);
    }
    window.go(&application(&scene, way));
    window.until("nobody", |window| window.text("body").contains("Service Unavailable"));
    window.pictured("aos_503");
}

/// One of three nodes goes on with another client id, and heals by a restart of its own.
fn stale_node(stage: &Stage, way: Way) {
    let scene = stage.scene("2019");
    let client = || environment().axsf("OpenIDConnect.ClientID");
    let good = scene.lab.world().get(&client()).unwrap().clone();
    scene.edited([(client(), json!("d8230a86-015d-4c14-bcd6-c7fb65176b61"))]);
    scene.restarted("onprem/AOS_2");
    scene.edited([(client(), good)]);
    let windows: Vec<_> = (0..3).map(|_| scene.window(way, SCRIPTS)).collect();
    for (window, node) in windows.iter().zip(["AOS_1", "AOS_2", "AOS_3"]) {
        window.go(&application(&scene, way));
        window.waits_for(if node == "AOS_2" { "#errorMessage" } else { "#userNameInput" });
        assert_eq!(affinity(window, way), node);
    }
    windows[1].pictured(&format!("aos_stale_node_{way:?}"));
    let cause = scene.lab.explain_last().unwrap().cause.unwrap();
    assert_eq!(cause.node.as_deref(), Some("onprem/AOS_2"), "{}", cause.to_line());
    scene.restarted("onprem/AOS_2");
    for (window, node) in windows.iter().zip(["AOS_1", "AOS_2", "AOS_3"]) {
        window.go(&application(&scene, way));
        window.waits_for("#userNameInput");
        fills_in(window, "2019", USER, PASSWORD);
        window.waits_for("#userId");
        assert_eq!(window.text("#node"), format!("Node: {node}"));
    }
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
