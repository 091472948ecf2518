//! People sign in: on one page and on two, with scripts and without, with mice and with keyboards, and with wrong passwords.

pub(crate) use mocktenant_acceptance::chromium::sign_in_page::fills_in;
use mocktenant_testkit::serde_json::json;

use crate::Case;
use crate::stage::{PASSWORD, Scene, Stage, USER, Way, service};
use crate::window::{Key, Like, Window};

const WRONG: &str = "Incorrect user ID or password. Type the correct user ID and password, and try again.";

const SCRIPTS: Like<'_> = Like { proxy: None, no_scripts: false, dark: false, narrow: false };
const NO_SCRIPTS: Like<'_> = Like { no_scripts: true, ..SCRIPTS };

pub(crate) const CASES: &[Case] = &[
    ("a_person_signs_in_on_one_page_by_localhost", |stage| signs_in(stage, "2016", Way::Localhost, SCRIPTS)),
    ("a_person_signs_in_on_one_page_by_name", |stage| signs_in(stage, "2016", Way::Name, SCRIPTS)),
    ("a_person_signs_in_on_one_page_without_scripts", |stage| {
        signs_in(stage, "2016", Way::Localhost, NO_SCRIPTS);
    }),
    ("a_person_signs_in_on_two_pages_by_localhost", |stage| {
        signs_in(stage, "2019", Way::Localhost, SCRIPTS);
    }),
    ("a_person_signs_in_on_two_pages_by_name", |stage| signs_in(stage, "2019", Way::Name, SCRIPTS)),
    ("a_person_signs_in_on_two_pages_by_name_without_scripts", |stage| {
        signs_in(stage, "2019", Way::Name, NO_SCRIPTS);
    }),
    ("a_person_signs_in_with_the_keyboard_alone", with_the_keyboard),
    ("an_answer_that_posts_itself_arrives_by_localhost", |stage| posts_itself(stage, Way::Localhost)),
    ("an_answer_that_posts_itself_arrives_by_name", |stage| posts_itself(stage, Way::Name)),
    ("an_answer_that_cannot_post_itself_has_a_button", has_a_button),
    ("an_id_token_comes_in_the_fragment_where_no_server_sees_it", in_the_fragment),
    ("a_wrong_password_stays_on_the_one_page_with_its_text", |stage| wrong(stage, "2016", Way::Localhost)),
    ("a_wrong_password_stays_on_the_second_page_with_its_text", |stage| wrong(stage, "2019", Way::Name)),
    ("a_password_that_has_expired_is_told_and_lets_nobody_in", expired),
];

/// The page is the one of that Windows Server.
fn asks(window: &Window<'_>, profile: &str) {
    window.waits_for("#userNameInput");
    assert_eq!(window.text("title"), "Sign In");
    assert_eq!(window.sees("#nextButton"), profile != "2016");
    assert_eq!(window.sees("#submitButton"), profile == "2016");
    assert!(!window.sees("#errorText") && !window.sees("#errorTextPassword"), "nothing is wrong yet");
}

/// The browser is at the application's own page, with nothing to complain of.
pub(crate) fn at_home(window: &Window<'_>) {
    window.waits_for("#home");
    assert_eq!(window.complaints(), [""; 0]);
}

fn signs_in(stage: &Stage, profile: &str, way: Way, like: Like<'_>) {
    let scene = stage.scene(profile);
    let window = scene.window(way, like);
    window.go(&scene.request(way, &[]));
    asks(&window, profile);
    window.pictured(&format!("sign_in_{profile}_{way:?}_{}", like.no_scripts));
    fills_in(&window, profile, USER, PASSWORD);
    at_home(&window);
    let came = scene.application.came();
    assert!(!came.posted);
    assert_eq!(came.names(), ["code", "state", "client-request-id"]);
    let tokens = scene.redeemed(&came);
    assert!(tokens["access_token"].is_string() && tokens["id_token"].is_string(), "{tokens}");
    scene.all_came(way);
    // The session answers from now on: nobody is asked again.
    window.go(&scene.request(way, &[]));
    at_home(&window);
    let again = scene.application.came();
    assert_ne!(again.field("code"), came.field("code"));
    scene.redeemed(&again);
}

fn with_the_keyboard(stage: &Stage) {
    let scene = stage.scene("2019");
    let window = scene.window(Way::Localhost, NO_SCRIPTS);
    window.go(&scene.request(Way::Localhost, &[]));
    window.waits_for("#userNameInput");
    // Typing begins where it has to.
    window.until("the cursor in the name", |window| window.has_focus("#userNameInput"));
    window.types(USER);
    window.strikes(Key::Tab);
    assert!(window.has_focus("#kmsiInput"), "next is what is asked next");
    window.strikes(Key::Space);
    window.strikes(Key::Tab);
    assert!(window.has_focus("#loginFormPaginated button"), "then the button");
    window.pictured("keyboard_focus");
    window.strikes(Key::Enter);
    window.until("the cursor in the password", |window| window.has_focus("#passwordInput"));
    window.types(PASSWORD);
    window.strikes(Key::Enter);
    at_home(&window);
    scene.redeemed(&scene.application.came());
    let kept = window.cookies();
    let kept = kept.iter().find(|cookie| cookie["name"].as_str().unwrap().starts_with("MSISAuth-")).unwrap();
    assert_eq!(kept["session"], false, "whoever wants to stay signed in keeps the cookie: {kept}");
}

/// A server application's request, as OpenID Connect middleware makes it.
fn posted(scene: &Scene<'_>, way: Way) -> String {
    let client = &scene.adfs().client_id;
    let changes = [
        ("client_id", &**client),
        ("response_type", "code id_token"),
        ("response_mode", "form_post"),
        ("nonce", "n-0S6_WzA2Mj"),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ];
    scene.request(way, &changes)
}

fn arrived(scene: &Scene<'_>) {
    let came = scene.application.came();
    assert!(came.posted, "in a form: {:?}", came.fields);
    assert_eq!(came.names(), ["code", "id_token", "state", "client-request-id"]);
    assert_eq!(came.field("state"), "1 2&3");
    // Where https leads to http a browser does not say from where.
    assert_eq!((came.header("origin"), came.header("sec-fetch-site")), ("null", "cross-site"));
}

fn posts_itself(stage: &Stage, way: Way) {
    let scene = stage.scene("2016");
    let window = scene.window(way, SCRIPTS);
    window.go(&posted(&scene, way));
    fills_in(&window, "2016", USER, PASSWORD);
    at_home(&window);
    arrived(&scene);
}

fn has_a_button(stage: &Stage) {
    let scene = stage.scene("2019");
    let window = scene.window(Way::Name, NO_SCRIPTS);
    window.go(&posted(&scene, Way::Name));
    fills_in(&window, "2019", USER, PASSWORD);
    window.waits_for("input[type=submit]");
    assert_eq!(window.text("title"), "Working...");
    assert_eq!(window.text("noscript p"), "Script is disabled. Click Submit to continue.");
    assert!(scene.application.is_untouched());
    window.pictured("auto_post");
    window.press("input[type=submit]");
    at_home(&window);
    arrived(&scene);
    // What a page makes a browser fetch besides would be what was refused last.
    assert!(scene.lab.explain_last().is_none(), "{}", scene.lab.failure_report());
}

fn in_the_fragment(stage: &Stage) {
    let scene = stage.scene("2022");
    let window = scene.window(Way::Localhost, SCRIPTS);
    window.go(&scene.request(Way::Localhost, &[("response_type", "id_token"), ("nonce", "1")]));
    fills_in(&window, "2022", USER, PASSWORD);
    at_home(&window);
    let came = scene.application.came();
    assert!(!came.posted && came.fields.is_empty(), "{:?}", came.fields);
    // The application led on, and a browser takes the fragment along.
    let address = window.address();
    let (page, fragment) = address.split_once('#').unwrap_or_else(|| panic!("{address}"));
    assert!(page.ends_with("/home"), "{address}");
    let names = form_urlencoded::parse(fragment.as_bytes()).map(|(name, _)| name.into_owned());
    assert_eq!(names.collect::<Vec<_>>(), ["id_token", "state", "client-request-id"]);
}

/// Where a page says what is wrong.
fn message(profile: &str) -> &'static str {
    if profile == "2016" { "#errorText" } else { "#errorTextPassword" }
}

fn wrong(stage: &Stage, profile: &str, way: Way) {
    let scene = stage.scene(profile);
    let window = scene.window(way, if way == Way::Name { SCRIPTS } else { NO_SCRIPTS });
    window.go(&scene.request(way, &[]));
    fills_in(&window, profile, USER, "wrong");
    window.waits_for(message(profile));
    assert_eq!(window.text(message(profile)), WRONG);
    window.pictured(&format!("wrong_password_{profile}"));
    assert!(window.cookies().is_empty() && scene.application.is_untouched());
    // The name stays where it was typed, and the password is gone.
    let name = if profile == "2016" { "#userNameInput" } else { "#userNameInputHolder" };
    assert_eq!(window.attribute(name, "value").as_deref(), Some(USER));
    assert_eq!(window.attribute("#passwordInput", "value"), None);
    assert!(window.has_focus("#passwordInput"), "the cursor is where something is to be typed");
    window.types(PASSWORD);
    window.press("#submitButton");
    at_home(&window);
    scene.redeemed(&scene.application.came());
}

fn expired(stage: &Stage) {
    for (profile, way) in [("2016", Way::Name), ("2022", Way::Localhost)] {
        let scene = stage.scene(profile);
        scene.edited([(service().user(USER).password_expires(), json!("2020-01-01T00:00:00Z"))]);
        let window = scene.window(way, SCRIPTS);
        window.go(&scene.request(way, &[]));
        fills_in(&window, profile, USER, PASSWORD);
        window.waits_for(message(profile));
        let said = window.text(message(profile));
        assert!(said.starts_with("Your password has expired."), "{said}");
        window.pictured(&format!("expired_password_{profile}"));
        assert!(window.cookies().is_empty() && scene.application.is_untouched());
        let refused = scene.lab.journal().failed_check().unwrap();
        assert_eq!(&*refused.name, "password-in-date");
    }
}
