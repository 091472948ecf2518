//! Cookies as a browser keeps and sends them, and forms that are not AD FS's own.

use mocktenant_testkit::serde_json::Value;

use crate::Case;
use crate::sign_in::{at_home, fills_in};
use crate::stage::{PASSWORD, Stage, USER, Way};
use crate::window::Like;

pub(crate) const CASES: &[Case] = &[
    ("a_browser_keeps_the_cookies_of_each_windows_server", kept),
    ("two_labs_on_localhost_share_a_jar_and_no_session", two_labs),
    ("a_form_on_a_strangers_page_signs_nobody_in", a_strangers_form),
];

fn kept(stage: &Stage) {
    for (profile, way, same_site) in [
        ("2016", Way::Name, Value::Null),
        ("2019", Way::Name, "None".into()),
        ("2022", Way::Localhost, "None".into()),
    ] {
        let scene = stage.scene(profile);
        let window = scene.window(way, Like::default());
        window.go(&scene.request(way, &[]));
        fills_in(&window, profile, USER, PASSWORD);
        at_home(&window);
        scene.application.came();
        let cookies = window.cookies();
        let port = scene
            .base(way)
            .rsplit_once(':')
            .map_or("", |(_, port)| port)
            .trim_end_matches("/adfs")
            .to_owned();
        for name in ["MSISAuth", "MSISAuthenticated", "MSISLoopDetectionCookie"] {
            let name = if way == Way::Name { name.to_owned() } else { format!("{name}-{port}") };
            let cookie = cookies.iter().find(|cookie| cookie["name"] == *name);
            let cookie = cookie.unwrap_or_else(|| panic!("no {name}: {cookies:?}"));
            let host = if way == Way::Name { "adfs.contoso.com" } else { "localhost" };
            assert_eq!((&cookie["domain"], &cookie["path"]), (&host.into(), &"/adfs".into()), "{cookie}");
            for is in ["httpOnly", "secure", "session"] {
                assert_eq!(cookie[is], true, "{is}: {cookie}");
            }
            assert_eq!(cookie["sameSite"], same_site, "{cookie}");
        }
        assert_eq!(cookies.len(), 3, "{cookies:?}");
    }
}

fn two_labs(stage: &Stage) {
    let (one, other) = (stage.scene("2016"), stage.scene("2019"));
    let window = one.window(Way::Localhost, Like::default());
    for (scene, profile) in [(&one, "2016"), (&other, "2019")] {
        window.go(&scene.request(Way::Localhost, &[]));
        fills_in(&window, profile, USER, PASSWORD);
        at_home(&window);
        scene.application.came();
    }
    for scene in [&one, &other] {
        window.go(&scene.request(Way::Localhost, &[]));
        at_home(&window);
        scene.redeemed(&scene.application.came());
    }
}

fn a_strangers_form(stage: &Stage) {
    let scene = stage.scene("2016");
    let window = scene.window(Way::Localhost, Like::default());
    let action = scene.request(Way::Localhost, &[]).replace('&', "&amp;");
    let page = format!(
        "<form method=post action=\"{action}\"><input name=UserName value=\"{USER}\">\
         <input name=Password value=\"{PASSWORD}\"><input name=AuthMethod value=FormsAuthentication>\
         <button id=lure>Win</button></form>"
    );
    let page: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
    window.go(&format!("data:text/html,{}", page.replace('+', "%20")));
    window.press("#lure");
    window.until("an answer", |_| !scene.records().is_empty());
    let failed = scene.lab.journal().failed_check().unwrap();
    assert_eq!(&*failed.name, "own-sign-in-form");
    window.until("a page", |window| !window.address().starts_with("data:"));
    assert!(scene.application.is_untouched() && window.cookies().is_empty());
}
