//! Somebody signs in so that a device may go on: code, client, sign-in, end.

use mocktenant_testkit::serde_json::Value;

use crate::Case;
use crate::sign_in::fills_in;
use crate::stage::{PASSWORD, Scene, Stage, USER, Way};
use crate::window::{Like, Window};

pub(crate) const CASES: &[Case] = &[
    ("a_device_is_signed_in_by_localhost_with_its_code_typed", |stage| typed(stage, Way::Localhost, false)),
    ("a_device_is_signed_in_by_name_without_scripts", |stage| typed(stage, Way::Name, true)),
    ("a_code_of_no_device_stays_on_the_page_and_who_cancels_signs_nothing_in", cancelled),
];

/// The client's name, as the page says it.
const CLIENT: &str = "mocktenant sample native client";

fn begun(scene: &Scene<'_>) -> Value {
    let adfs = scene.adfs();
    let answer =
        scene.posted("devicecode", &[("client_id", &adfs.native_client_id), ("resource", &adfs.resource)]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn polled(scene: &Scene<'_>, begun: &Value) -> Value {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", &*scene.adfs().native_client_id),
        ("device_code", begun["device_code"].as_str().unwrap()),
    ];
    scene.posted("token", &fields).json()
}

/// The page that asks whether this client was meant.
fn asks(window: &Window<'_>) {
    window.waits_for("#clientName");
    assert!(window.text("#clientName").contains(CLIENT), "{}", window.text("#clientName"));
}

fn typed(stage: &Stage, way: Way, no_scripts: bool) {
    let scene = stage.scene("2019");
    let window = scene.window(way, Like { no_scripts, ..Like::default() });
    let begun = begun(&scene);
    window.go(&format!("{}/oauth2/deviceauth", scene.base(way)));
    window.waits_for("#userCodeInput");
    window.pictured(&format!("device_code_{way:?}"));
    window.fills("#userCodeInput", begun["user_code"].as_str().unwrap());
    window.press("#nextButton");
    asks(&window);
    window.pictured(&format!("device_client_{way:?}"));
    window.press("#confirmButton");
    window.waits_for("#userNameInput");
    fills_in(&window, "2019", USER, PASSWORD);
    window.waits_for("#deviceMessage");
    assert!(window.text("#deviceMessage").starts_with("You have signed in"));
    window.pictured(&format!("device_done_{way:?}"));
    assert_eq!(window.complaints(), [""; 0]);
    let tokens = polled(&scene, &begun);
    assert!(tokens["access_token"].is_string(), "{tokens}");
    scene.all_came(way);
}

fn cancelled(stage: &Stage) {
    let scene = stage.scene("2022");
    let window = scene.window(Way::Localhost, Like { dark: true, ..Like::default() });
    let begun = begun(&scene);
    let page = format!("{}/oauth2/deviceauth", scene.base(Way::Localhost));
    window.go(&page);
    window.fills("#userCodeInput", "BBBBBBBBB");
    window.press("#nextButton");
    window.waits_for("#errorText");
    window.pictured("device_wrong_code");
    window.go(&format!("{page}?user_code={}", begun["user_code"].as_str().unwrap()));
    asks(&window);
    window.press("#cancelButton");
    window.waits_for("#deviceMessage");
    assert!(window.text("#deviceMessage").starts_with("The device was not signed in"));
    window.pictured("device_cancelled");
    assert_eq!(window.complaints(), [""; 0]);
    let refused = polled(&scene, &begun);
    assert!(refused["access_token"].is_null() && refused["error"].is_string(), "{refused}");
}
