//! Nothing that is secret in a world is ever shown: random worlds, random wrappings, every place of a request.
//!
//! Decides by what leaves memory (the records as JSON, what a record says of itself, the explanation) against the secret
//! and against the way it was written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![expect(clippy::format_collect, reason = "a few short texts")]

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::Method;
use mocktenant_acceptance::random_world::Dice;
use mocktenant_aos::Aos;
use mocktenant_dataverse::Dataverse;
use mocktenant_diagnosis::explain;
use mocktenant_entra::Entra;
use mocktenant_lab::request::Request;
use mocktenant_lab::{Command, Entrance, InProcess, Lab};
use mocktenant_world::{Edit, EditedBy, World};
use serde_json::{Value, json};

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const SAMPLE: &str = "c0117050-0000-4000-8000-00000000a001";

fn lab(world: World) -> Lab {
    let lab = Lab::builder(Arc::new(world))
        .surface(Entra::default())
        .surface(Aos::new())
        .surface(Dataverse::new())
        .build();
    lab.set_outbound(InProcess::by_world_names(&lab));
    lab
}

/// A text as people make passwords: letters, and all that has to be escaped somewhere.
fn secret(dice: &mut Dice) -> String {
    const LETTERS: &[char] = &[
        'a',
        'B',
        'z',
        '7',
        '0',
        ' ',
        '%',
        '+',
        '&',
        '=',
        '<',
        '>',
        '"',
        '\'',
        '\\',
        '/',
        '?',
        '#',
        ';',
        ':',
        '~',
        '{',
        '$',
        '.',
        '-',
        '_',
        '\u{e4}',
        '\u{20ac}',
        '\u{1f511}',
    ];
    let length = 8 + dice.below(24);
    let mut secret: String = (0..length).map(|_| LETTERS[usize::try_from(dice.below(29)).unwrap()]).collect();
    // Enough to be looked for anywhere, and no blanks at its ends.
    let _ = write!(secret, "Q{:06x}", dice.below(1 << 24));
    format!("X{secret}")
}

fn percent(text: &str, mut some: Option<&mut Dice>) -> String {
    let mut percent = String::new();
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() && some.as_mut().is_some_and(|dice| dice.below(3) > 0);
        if plain {
            percent.push(char::from(byte));
        } else {
            let _ = write!(percent, "%{byte:02X}");
        }
    }
    percent
}

/// One way to write a text.
fn wrapped(text: &str, dice: &mut Dice) -> String {
    match dice.below(9) {
        0 => text.to_owned(),
        1 => percent(text, None),
        2 => percent(text, Some(dice)),
        3 => form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        4 => serde_json::to_string(text).unwrap().trim_matches('"').to_owned(),
        5 => text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect(),
        6 => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
        7 => STANDARD.encode(format!("{}:{text}", "user".repeat(usize::try_from(dice.below(3)).unwrap()))),
        _ => URL_SAFE_NO_PAD.encode(text),
    }
}

/// A request with this text somewhere in it.
fn request(text: &str, dice: &mut Dice) -> Request {
    let (host, path, entrance) = match dice.below(4) {
        0 => ("login.microsoftonline.com", "/organizations/oauth2/v2.0/token", Entrance::Identity),
        1 => (
            "usnconeboxax1aos.cloud.onebox.dynamics.com",
            "/data/CustomersV3",
            Entrance::environment("onebox"),
        ),
        2 => ("contoso.crm4.dynamics.com", "/api/data/v9.2/accounts", Entrance::organization("contoso")),
        _ => ("nobody.example", "/", Entrance::Identity),
    };
    let in_path = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>' | b'\\'));
    let mut target = path.to_owned();
    let mut kind = "application/x-www-form-urlencoded";
    let form = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut headers = Vec::new();
    let body = match dice.below(12) {
        0 if in_path => {
            target = format!("{path}?q={text}");
            String::new()
        }
        1 if in_path => {
            target = format!("/x/{text}/y");
            String::new()
        }
        2 if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) => {
            headers.push(("x-note", format!("a {text} b")));
            String::new()
        }
        3 => format!("grant_type=client_credentials&client_id=a&scope={}&x=1", form(text)),
        4 => format!("client_id={}&grant_type=password", form(text)),
        5 => {
            kind = "application/json";
            json!({ "a": [{ "b": format!("x{text}y") }] }).to_string()
        }
        6 => {
            kind = "application/json";
            json!({ text: 1 }).to_string()
        }
        7 => {
            kind = "text/xml";
            format!("<a b='{}'>c</a>", text.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&#39;"))
        }
        8 => {
            kind = "text/plain";
            format!("before {text} after")
        }
        9 => {
            kind = "application/json";
            // Cut short.
            format!("{{\"a\":{}", serde_json::to_string(text).unwrap())
        }
        10 => {
            kind = "application/json";
            json!({ "a": json!({ "b": text }).to_string() }).to_string()
        }
        _ => {
            kind = "application/json; odata.metadata=minimal";
            json!({ "name": text, "CustomerAccount": text, "dataAreaId": "USMF" }).to_string()
        }
    };
    let mut request =
        Request::new(if body.is_empty() { Method::GET } else { Method::POST }, host, &target, entrance);
    request.headers.insert("content-type", kind.parse().unwrap());
    for (name, value) in headers {
        request.headers.insert(name, value.parse().unwrap());
    }
    request.body = Ok(Bytes::from(body));
    request
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(elements) => elements.iter().for_each(|element| texts(element, found)),
        Value::Object(members) => {
            for (name, member) in members {
                found.push(name.clone());
                texts(member, found);
            }
        }
        other => found.push(other.to_string()),
    }
}

#[tokio::test]
async fn no_secret_of_any_world_is_shown_however_it_was_sent() {
    for seed in 1..=24 {
        let mut dice = Dice::new(seed);
        let secrets: Vec<String> = (0..4).map(|_| secret(&mut dice)).collect();
        let user = json!({ "name": "U", "object_id": dice.guid(), "password": secrets[1] });
        let edits: Vec<Edit> = serde_json::from_value(json!([
            { "op": "replace", "path": "/caller/client_secret", "value": secrets[0] },
            { "op": "add", "path": format!("/tenants/{TENANT}/users/u@contoso.com"), "value": user },
            { "op": "add", "path": format!("/tenants/{TENANT}/applications/{SAMPLE}/secrets/x"), "value": { "value": secrets[2] } },
            { "op": "add", "path": "/environments/onebox/web_config/DataAccess.SqlPwd", "value": secrets[3] },
        ]))
        .unwrap();
        // Half of the worlds begin so, the other half became so while the lab ran.
        let base = World::contoso().unwrap();
        let lab = if seed % 2 == 0 {
            lab(base.edited(&edits, EditedBy::Control).unwrap())
        } else {
            let lab = lab(base);
            lab.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap();
            lab
        };
        let mut written: Vec<(String, String)> = Vec::new();
        for number in 0..24 {
            let secret = &secrets[number % secrets.len()];
            let mut text = secret.clone();
            for _ in 0..dice.below(3) {
                text = wrapped(&text, &mut dice);
            }
            lab.answer(request(&text, &mut dice)).await;
            written.push((secret.clone(), text));
        }
        if seed % 3 == 0 {
            // What is no longer declared was secret when it was sent.
            lab.apply(Command::Reset { scope: Some(format!("tenant/{TENANT}").parse().unwrap()) })
                .await
                .unwrap();
        }
        let mut shown = Vec::new();
        for record in lab.journal().records() {
            texts(&serde_json::to_value(record.document()).unwrap(), &mut shown);
            shown.push(format!("{record:?}"));
            shown.push(record.shown_target());
            if let Some(explanation) = explain(&lab, &record.id).await {
                shown.push(explanation.to_text(true));
                texts(&serde_json::to_value(&explanation).unwrap(), &mut shown);
            }
        }
        assert!(shown.len() > 500);
        for (secret, text) in &written {
            for shown in &shown {
                assert!(!shown.contains(secret), "seed {seed}: {secret}\n{shown}");
                assert!(!shown.contains(text), "seed {seed}: {secret} as {text}\n{shown}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_product_calls_a_secret_is_hidden_at_every_entrance() {
    let lab = lab(World::contoso().unwrap());
    for (host, entrance) in [
        ("login.microsoftonline.com", Entrance::Identity),
        ("usnconeboxax1aos.cloud.onebox.dynamics.com", Entrance::environment("onebox")),
        ("contoso.crm4.dynamics.com", Entrance::organization("contoso")),
        ("nobody.example", Entrance::Identity),
    ] {
        let target =
            "/x?sig=SUPERSECRET&SAMLResponse=SUPERSECRET&u=https%3A%2F%2Fblob%2F%3Fsig%3DSUPERSECRET";
        let mut request = Request::new(Method::POST, host, target, entrance);
        for name in [
            "x-ms-authorization-auxiliary",
            "x-ms-refreshtokencredential",
            "x-functions-key",
            "x-zumo-auth",
            "ocp-apim-subscription-key",
            "client-secret",
            "x-auth-token",
            "dpop",
            "cookie",
            "proxy-authorization",
        ] {
            request.headers.insert(name, "SUPERSECRET".parse().unwrap());
        }
        request.headers.insert("content-type", "application/soap+xml".parse().unwrap());
        request.body = Ok("<s:Envelope><o:UsernameToken><o:Username>ada</o:Username><o:Password Type=\"#PasswordText\">SUPERSECRET</o:Password></o:UsernameToken></s:Envelope>".into());
        lab.answer(request).await;
        let record = lab.journal().records().last().cloned().unwrap();
        let shown = serde_json::to_string(&record.document()).unwrap();
        assert!(!shown.contains("SUPERSECRET") && shown.contains(">ada<"), "{host}: {shown}");
    }
}
