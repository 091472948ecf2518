//! People sign out: the page, the way back to the application, and applications that are told in a frame.

use mocktenant_testkit::serde_json::{Value, json};

use crate::Case;
use crate::sign_in::{at_home, fills_in};
use crate::stage::{PASSWORD, Scene, Stage, USER, Way};
use crate::window::{Like, Window};

pub(crate) const CASES: &[Case] = &[
    ("who_signs_out_by_localhost_is_asked_again", |stage| stays(stage, Way::Localhost, Like::default())),
    ("who_signs_out_by_name_without_scripts_is_asked_again", |stage| {
        stays(stage, Way::Name, Like { no_scripts: true, dark: true, ..Like::default() });
    }),
    ("who_signs_out_with_a_hint_comes_back_to_the_application", comes_back),
    ("an_application_is_told_in_a_frame_by_name", |stage| told(stage, Way::Name)),
    ("an_application_is_told_in_a_frame_before_the_browser_goes_on", |stage| told(stage, Way::Localhost)),
];

/// Signs in; the tokens that come of it.
fn signed_in(scene: &Scene<'_>, window: &Window<'_>, way: Way) -> Value {
    window.go(&scene.request(way, &[]));
    fills_in(window, "2019", USER, PASSWORD);
    at_home(window);
    scene.redeemed(&scene.application.came())
}

fn logout(scene: &Scene<'_>, way: Way, fields: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("{}/oauth2/logout?{query}", scene.base(way))
}

/// Nobody is signed in any more.
fn asks_again(scene: &Scene<'_>, window: &Window<'_>, way: Way) {
    assert_eq!(window.cookies(), [Value::Null; 0]);
    window.go(&scene.request(way, &[]));
    window.waits_for("#userNameInput");
    assert_eq!(window.complaints(), [""; 0]);
}

fn stays(stage: &Stage, way: Way, like: Like<'_>) {
    let scene = stage.scene("2019");
    let window = scene.window(way, like);
    signed_in(&scene, &window, way);
    window.go(&logout(&scene, way, &[]));
    window.waits_for("#signOutArea");
    assert_eq!(window.text("#signoutMessage"), "You have successfully signed out.");
    window.pictured(&format!("signed_out_{way:?}"));
    asks_again(&scene, &window, way);
    scene.all_came(way);
}

fn comes_back(stage: &Stage) {
    let scene = stage.scene("2019");
    let window = scene.window(Way::Localhost, Like::default());
    let tokens = signed_in(&scene, &window, Way::Localhost);
    let back = scene.application.back();
    let hint = tokens["id_token"].as_str().unwrap();
    let fields = [("id_token_hint", hint), ("post_logout_redirect_uri", &back), ("state", "s 1")];
    window.go(&logout(&scene, Way::Localhost, &fields));
    at_home(&window);
    let came = scene.application.came();
    assert_eq!((came.posted, came.names(), came.field("state")), (false, vec!["state"], "s 1"));
    asks_again(&scene, &window, Way::Localhost);
}

fn told(stage: &Stage, way: Way) {
    let scene = stage.scene("2019");
    scene.edited([(scene.native().logout_uri(), json!(scene.application.told()))]);
    let window = scene.window(way, Like::default());
    let tokens = signed_in(&scene, &window, way);
    let back = scene.application.back();
    // Tokens are from localhost here, and a hint that is good has the issuer that the browser asks.
    let goes_on = way == Way::Localhost;
    let hint = tokens["id_token"].as_str().unwrap();
    let fields = [("id_token_hint", hint), ("post_logout_redirect_uri", &back)];
    window.go(&logout(&scene, way, if goes_on { &fields } else { &[] }));
    window.waits_for("#signOutArea");
    let told = scene.application.came_to("/told");
    assert_eq!((told.names(), told.header("sec-fetch-dest")), (vec!["iss", "sid"], "iframe"));
    assert!(told.field("sid").starts_with("S-1-5-21-"), "{:?}", told.fields);
    if goes_on {
        // A second later.
        at_home(&window);
        scene.application.came();
    }
    asks_again(&scene, &window, way);
}
