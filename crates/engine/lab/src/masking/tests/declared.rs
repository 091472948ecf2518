//! What a world declares as secret is hidden by its value.

#![expect(clippy::format_collect, reason = "a few short texts")]

use mocktenant_world::{EditedBy, World};
use serde_json::json;

use super::*;

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";

pub(super) fn hiding(secrets: &[&str]) -> Mask {
    let masking = Masking::default();
    lock(&masking.declared).replace(secrets.iter().map(|secret| Arc::from(*secret)).collect(), 0);
    masking.mask()
}

fn edited(world: &World, edits: Value) -> World {
    let edits: Vec<mocktenant_world::Edit> = serde_json::from_value(edits).unwrap();
    world.edited(&edits, EditedBy::Control).unwrap()
}

#[test]
fn a_value_is_hidden_wherever_it_stands_and_however_it_is_written() {
    let secret = "p\u{e4}ss \"w&rd\\/%41+<1>???~~~>>>???~~~>>>";
    let mask = hiding(&[secret]);
    let percent = |text: &[u8]| text.iter().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let form: String = form_urlencoded(secret);
    let json = serde_json::to_string(secret).unwrap();
    let units: String = secret.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
    let entities: String = secret.chars().map(|letter| format!("&#x{:x};", u32::from(letter))).collect();
    let decimal: String = secret.chars().map(|letter| format!("&#{};", u32::from(letter))).collect();
    let xml = secret.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let latin1: Vec<u8> = secret.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let base64 = |text: &str| base64_of(text.as_bytes());
    for wrapped in [
        secret.to_owned(),
        percent(secret.as_bytes()),
        percent(percent(secret.as_bytes()).as_bytes()),
        percent(&latin1),
        form,
        json.trim_matches('"').to_owned(),
        units.clone(),
        percent(units.as_bytes()),
        entities.clone(),
        decimal,
        xml,
        base64(&format!("user:{secret}")),
        base64(&format!("us:{secret}")),
        base64(&format!("u:{secret}")),
        base64(&entities),
        base64(&base64(secret)),
        base64(secret).replace('+', "-").replace('/', "_").replace('=', ""),
        percent(base64(secret).as_bytes()),
        format!("{}\r\n{}", &base64(secret)[..30], &base64(secret)[30..]),
        format!("{}\n{}", &base64(secret)[..31], &base64(secret)[31..]),
    ] {
        for text in [
            wrapped.clone(),
            format!("before {wrapped} after"),
            format!("{wrapped}{wrapped}"),
            format!("a{wrapped}"),
            format!("ab{wrapped}"),
            format!("abc{wrapped}"),
        ] {
            let shown = mask.text(&text);
            assert!(shown.contains(MASK) && !shown.contains(&*wrapped), "{text}\n{shown}");
            assert_eq!(mask.text(&shown), shown, "{text}");
        }
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn form_urlencoded(text: &str) -> String {
    let plain = percent_encoding::NON_ALPHANUMERIC;
    percent_encoding::utf8_percent_encode(text, plain).to_string().replace("%20", "+")
}

#[test]
fn a_short_value_is_a_word_and_a_very_short_one_nothing() {
    let mask = hiding(&["secret", "abc", "longenough"]);
    assert_eq!(mask.text("the secret is out"), "the *** is out");
    assert_eq!(mask.text("client_secret and secrets"), "client_secret and secrets");
    assert_eq!(mask.text("abc"), "abc");
    assert_eq!(mask.text("isnotlongenoughforit"), "isnot***forit");
}

#[test]
fn a_number_and_a_name_of_json_can_be_a_value() {
    let mask = hiding(&["12345678", "member-x-value"]);
    let shown = mask.body("content-type: application/json\n", br#"{"member-x-value":[12345678,1234]}"#);
    assert_eq!(shown, json!({ "***": ["***", 1234] }));
    assert_eq!(Value::Object(mask.header_lines("member-x-value: 1\n")), json!({ "***": "1" }));
}

#[test]
fn every_line_of_a_declared_key_is_hidden() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC1\n-----END PRIVATE KEY-----\n";
    let mask = hiding(&[key]);
    for line in ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "BKcwggSjAgEAAoIBAQC1"] {
        assert_eq!(mask.text(&format!("a {line} b")), "a *** b");
    }
    assert_eq!(mask.text(key), "***PRIVATE KEY-----\n");
}

#[test]
fn a_body_cut_within_a_value_shows_no_half_of_it() {
    let secret = "Zq8-Zq8-Zq8-Zq8-Zq8-Zq8-Zq8-Zq8";
    let mask = hiding(&[secret]);
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let units: String = secret.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let twice: String = units.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for wrapped in [secret.to_owned(), percent.clone(), units, base64_of(secret.as_bytes()), twice] {
        for kept in (1..wrapped.len()).step_by(1 + wrapped.len() / 64) {
            let mut body = "x ".repeat(BODY_BUDGET / 2)[..BODY_BUDGET - kept].to_owned();
            body.push_str(&wrapped[..kept]);
            assert_eq!(body.len(), BODY_BUDGET);
            let shown = mask.body("content-type: text/plain\n", body.as_bytes());
            let shown = shown.as_str().unwrap();
            assert!(shown.trim_end().ends_with('x'), "{kept} of {wrapped}: {}", &shown[shown.len() - 40..]);
            assert!(shown.len() > BODY_BUDGET - 4_096, "and no more than need be is left out");
        }
    }
    for end in ["", "x"] {
        let accents = "\u{e4}".repeat(BODY_BUDGET / 2) + end;
        let shown = mask.body("content-type: text/plain\n", accents.as_bytes());
        assert!(!shown.as_str().unwrap().contains('\u{fffd}'), "no half of a character");
    }
}

#[test]
fn a_world_says_what_is_secret_in_it_and_what_was_a_moment_ago() {
    let base = World::contoso().unwrap();
    let masking = Masking::new(Names::default(), &base);
    let hides = |text: &str| masking.mask().text(text).contains(MASK);
    assert!(hides("contoso-app-secret-not-secret") && hides("ada-password-not-secret"));
    assert!(!hides("shipped:onebox"), "the name of a published key is no secret");
    let user =
        json!({ "name": "U", "object_id": TENANT.replace("0001", "ffff"), "password": "u-password-1234" });
    let path = format!("/tenants/{TENANT}/users/u@contoso.com");
    let with_user = edited(&base, json!([{ "op": "add", "path": path, "value": user }]));
    let key = json!([{ "op": "add", "path": "/environments/onebox/web_config/DataAccess.SqlPwd", "value": "sql-1234" }]);
    let with_key = edited(&with_user, key);
    assert!(!hides("u-password-1234"));
    assert_eq!(masking.declare(&with_key, 7), None);
    assert!(hides("u-password-1234") && hides("sql-1234"));
    assert_eq!(masking.declare(&base, 9), None);
    assert!(hides("u-password-1234") && hides("sql-1234"), "records of that time hold it");
}

#[test]
fn there_is_a_bound_to_what_is_remembered_and_what_goes_says_so() {
    let mut declared = Declared::default();
    let mut forgotten = None;
    for number in 0..40_u64 {
        let secret = format!("{number:02}{}", "s".repeat(50_000));
        let gone = declared.replace(vec![secret.into()], number);
        assert!(gone >= forgotten || gone.is_none());
        forgotten = gone.or(forgotten);
    }
    // Twenty of those that went still have room.
    assert_eq!(forgotten, Some(19));
    let mask = Mask { names: Names::default(), values: Some(declared.matcher()) };
    assert_eq!(mask.text(&format!("39{}", "s".repeat(50_000))), MASK);
    assert_eq!(mask.text(&format!("25{}", "s".repeat(50_000))), MASK);
}

#[test]
fn what_goes_at_once_is_remembered_up_to_a_mebibyte_and_the_oldest_of_it_forgotten() {
    let values = |count: usize, length: usize| -> Vec<Arc<str>> {
        (0..count).map(|number| format!("{number:02}{}", "s".repeat(length - 2)).into()).collect()
    };
    let (exact, more) = (values(16, 65_536), values(20, 65_536));
    let mut declared = Declared::default();
    declared.replace(exact, 1);
    assert_eq!(declared.replace(Vec::new(), 2), None, "a mebibyte has room");
    let mut declared = Declared::default();
    declared.replace(more.clone(), 1);
    assert_eq!(declared.replace(Vec::new(), 2), Some(2));
    let mask = Mask { names: Names::default(), values: Some(declared.matcher()) };
    let hidden = more.iter().map(|value| mask.text(value) == MASK).collect::<Vec<_>>();
    assert_eq!(hidden, [vec![false; 4], vec![true; 16]].concat());
}

/// Something that is shown as JSON.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, Serialize)]
struct Said {
    name: String,
    outcome: String,
    role: String,
    kind: String,
    op: String,
    list: Vec<String>,
    below: std::collections::BTreeMap<String, String>,
    word: Option<Word>,
    number: u64,
}

#[derive(Clone, Debug, PartialEq, serde::Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    LongEnough,
    Other,
}

#[test]
fn of_what_is_shown_as_json_every_text_is_looked_at_but_words_out_of_fixed_lists() {
    let mask = hiding(&["longenough"]);
    let text = || String::from("longenough");
    let fixed =
        || Said { name: text(), outcome: text(), role: text(), kind: text(), op: text(), ..Said::default() };
    let before = Said {
        list: vec![String::from("a longenough b"), String::from("c")],
        below: [(String::from("key"), text())].into(),
        word: Some(Word::Other),
        number: 7,
        ..fixed()
    };
    let shown = Said {
        list: vec![String::from("a *** b"), String::from("c")],
        below: [(String::from("key"), String::from(MASK))].into(),
        ..before.clone()
    };
    assert_eq!(mask.all(&before), shown);
    assert_eq!(mask.all(&shown), shown, "there is nothing left to hide");
    let word = Said { word: Some(Word::LongEnough), ..fixed() };
    assert_eq!(mask.all(&word), Said::default(), "no other word could stand there");
}

#[test]
fn a_copy_of_a_lab_hides_what_the_lab_hides_now_and_hid_a_moment_ago() {
    let masking = Masking::default();
    let replace = |secret: &str| lock(&masking.declared).replace(vec![secret.into()], 0);
    replace("value-of-before");
    replace("value-of-today");
    let copy = masking.fork();
    replace("value-of-tomorrow");
    let shown = copy.mask().text("value-of-before value-of-today value-of-tomorrow").into_owned();
    assert_eq!(shown, "*** *** value-of-tomorrow");
}

#[test]
fn whatever_stands_around_it_a_value_is_hidden_and_nothing_breaks() {
    const PARTS: &[&str] = &[
        "Zq8Zq8Zq8Zq8",
        "<",
        ">",
        "</",
        "/>",
        "<Password>",
        "</Password>",
        "<a b='",
        "'",
        "\"",
        "=",
        "&",
        "client_secret=",
        ";",
        "\"pwd\":",
        "{",
        "}",
        "[",
        ":",
        "\\",
        "\\u00",
        "%",
        "%4",
        "%41",
        "&#",
        "&#x41;",
        "&amp;",
        "eyJ.eyK.",
        "ey.",
        "\r\n",
        " ",
        "\u{20ac}",
        "-----BEGIN PRIVATE KEY-----",
        "-----END",
        "QUJDREVGR0g",
        "/",
        "?",
        "#",
        "Basic ",
        "<add key=\"pwd\" value=",
    ];
    let mask = hiding(&["Zq8Zq8Zq8Zq8"]);
    let mut number = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..500 {
        let mut text = String::new();
        for _ in 0..12 {
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            text.push_str(PARTS[usize::try_from(number % PARTS.len() as u64).unwrap()]);
        }
        for shown in [
            mask.text(&text).into_owned(),
            mask.sent(&text).into_owned(),
            mask.target(&text),
            mask.body("content-type: application/json\n", text.as_bytes()).to_string(),
            mask.body("content-type: text/xml\n", text.as_bytes()).to_string(),
            Value::Object(
                mask.header_lines(&format!("x-a: {text}\nauthorization: {text}\ncookie: {text}\n")),
            )
            .to_string(),
        ] {
            assert!(!shown.contains("Zq8Zq8Zq8Zq8"), "{text}\n{shown}");
        }
    }
}
