//! What is secret in a request or an answer of AD FS is shown nowhere.

use crate::front_door::*;

/// The last exchange as it may be shown.
fn shown(lab: &mocktenant_lab::Lab) -> String {
    serde_json::to_string(&lab.journal().records().pop().unwrap().document()).unwrap()
}

#[tokio::test]
async fn passwords_secrets_and_tokens_are_hidden_in_every_exchange() {
    let lab = lab().await;
    let reply = ask(&lab, &by_password(&[("client_id", SERVER), ("client_secret", SECRET)])).await;
    let text = shown(&lab);
    let refresh_token = reply.of("refresh_token");
    for secret in [PASSWORD, SECRET, &refresh_token] {
        assert!(!text.contains(secret), "{secret:.20}");
    }
    for token in ["access_token", "id_token"] {
        let token = reply.of(token);
        let signature = token.rsplit('.').next().unwrap();
        assert!(!text.contains(signature), "of a token only what anybody could read is shown");
    }
    let fields =
        [("grant_type", "refresh_token"), ("client_id", NATIVE), ("refresh_token", refresh_token.as_str())];
    ask(&lab, &fields).await;
    assert!(!shown(&lab).contains(&refresh_token));
    let assertion = Draft::healthy().signed();
    ask(&lab, &by_assertion(&assertion)).await;
    assert!(!shown(&lab).contains(assertion.rsplit('.').next().unwrap()));
}

#[tokio::test]
async fn what_a_sign_in_or_a_device_will_send_is_hidden_already() {
    let lab = lab().await;
    for (field, secret) in [
        ("Password", "hunter2-in-a-form"),
        ("id_token_hint", "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJl"),
        ("device_code", "device-code-of-somebody"),
        ("user_code", "USERCODEX"),
    ] {
        send(&lab, form_request(HOST, "/adfs/oauth2/deviceauth", &[(field, secret)], &[])).await;
        let secret = secret.rsplit('.').next().unwrap();
        assert!(!shown(&lab).contains(secret), "{field}");
    }
    let mut request = getting(HOST, "/adfs/ls");
    request.headers.insert("cookie", "MSISAuth=c2VhbGVk; MSISLoopDetectionCookie=bG9vcA".parse().unwrap());
    send(&lab, request).await;
    let text = shown(&lab);
    assert!(!text.contains("c2VhbGVk") && !text.contains("bG9vcA"), "{text}");
}

#[tokio::test]
async fn what_a_sign_in_sent_is_hidden() {
    let lab = lab().await;
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", NATIVE),
            ("redirect_uri", "http://localhost"),
            ("response_type", "code id_token"),
            ("scope", "openid"),
            ("nonce", "n"),
            ("prompt", "login"),
        ])
        .finish();
    let target = format!("/adfs/oauth2/authorize?{query}");
    let typed = [("UserName", USER), ("Password", PASSWORD)];
    let reply = send(&lab, form_request(HOST, &target, &typed, &[])).await;
    let (_, answer) = reply.header("location").split_once('#').unwrap();
    let text = shown(&lab);
    assert!(!text.contains(PASSWORD));
    for (name, value) in form_urlencoded::parse(answer.as_bytes()) {
        let secret = value.rsplit('.').next().unwrap().to_owned();
        let is_secret = matches!(&*name, "code" | "id_token");
        assert!(!is_secret || !text.contains(&secret), "{name}: {text}");
    }
    let cookie = reply.header("set-cookie").split(';').next().unwrap().split_once('=').unwrap().1;
    assert!(!cookie.is_empty() && !text.contains(cookie), "{text}");
}
