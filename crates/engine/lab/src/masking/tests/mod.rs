//! Secrets in every dress they were seen in.

use super::*;

mod declared;
mod exact;

fn mask() -> Mask {
    let names =
        SecretNames { fields: &["sig"], tokens: &["wresult"], headers: &["x-functions-key", "x-door"] };
    Mask { names: std::iter::once(names).collect(), values: None }
}

fn form(text: &str) -> String {
    mask().hidden(text, Shape::Sent).into_owned()
}

fn header_lines(lines: &str) -> Map<String, Value> {
    mask().header_lines(lines)
}

fn body(headers: &str, sent: &[u8]) -> Value {
    mask().body(headers, sent)
}

#[test]
fn secrets_never_leave_and_claims_do() {
    let masked = form("client_id=a&client_secret=s%20x&client_assertion=eyJ.eyK.sig&Client_Secret=s");
    assert_eq!(masked, "client_id=a&client_secret=***&client_assertion=eyJ.eyK.***&Client_Secret=***");
    let headers =
        header_lines("authorization: Bearer eyJ.eyK.sig\nauthorization: Basic dXNlcjpwYXNz\ncookie: a=b\n");
    assert_eq!(headers["authorization"], "Bearer eyJ.eyK.***, Basic ***");
    assert_eq!(headers["cookie"], MASK);
    let shown =
        body("content-type: application/json\n", br#"{"token_type":"Bearer","access_token":"eyJ.eyK.sig"}"#);
    assert_eq!(shown["access_token"], "eyJ.eyK.***");
    let shown = body("", b"grant_type=password&password=secret");
    assert_eq!(shown, "grant_type=password&password=***");
}

#[test]
fn a_private_key_read_from_a_setting_is_masked() {
    let read =
        serde_json::json!({"private_key": {"key": "-----BEGIN PRIVATE KEY-----", "readable_by": ["SYSTEM"]}});
    let shown = setting_value(&read);
    assert_eq!(shown, serde_json::json!({"private_key": {"key": MASK, "readable_by": ["SYSTEM"]}}));
}

#[test]
fn an_error_code_stays_readable() {
    let shown = body("content-type: application/json\n", br#"{"error":{"code":"0x80072560","message":"m"}}"#);
    assert_eq!(shown["error"]["code"], "0x80072560");
}

#[test]
fn a_form_field_is_masked_however_its_name_is_written() {
    let masked = form("client%5Fsecret=s&CLIENT%5fSECRET=s&clientSecret=s&api%2Dkey=s&%63ode=s&a%=1&%zz=2");
    assert_eq!(
        masked,
        "client%5Fsecret=***&CLIENT%5fSECRET=***&clientSecret=***&api%2Dkey=***&%63ode=***&a%=1&%zz=2"
    );
    let masked = form("subject_token=eyJ.eyK.sig&actor_token=opaque");
    assert_eq!(masked, "subject_token=eyJ.eyK.***&actor_token=***");
}

#[test]
fn a_form_is_also_parted_by_line_ends() {
    assert_eq!(form("a=1\r\nclient_secret=s"), "a=1\r\nclient_secret=***");
    assert_eq!(form("client_secret=s\nrest=of&b=2"), "client_secret=***&b=2");
}

#[test]
fn header_fields_that_hold_credentials_are_masked() {
    let shown = header_lines(
        "x-api-key: s\nx-zumo-auth: s\nproxy-authorization: Basic s\nset-cookie: s\ncookie: s\naccept: a\n",
    );
    for name in ["x-api-key", "x-zumo-auth", "proxy-authorization", "set-cookie", "cookie"] {
        assert_eq!(shown[name], MASK, "{name}");
    }
    assert_eq!(shown["accept"], "a");
    for (sent, expected) in [
        ("SUPERSECRET", MASK),
        ("SUPERSECRET more", MASK),
        ("Bearer", "Bearer"),
        ("bearer eyJ.eyK.sig", "bearer eyJ.eyK.***"),
        ("Bearer eyJ.eyK.sig.", "Bearer eyJ.eyK.***"),
        ("Bearer eyJ.eyK.sig, Bearer eyJ.eyK.sig.", "Bearer eyJ.eyK.***"),
    ] {
        let shown = header_lines(&format!("authorization: {sent}\n"));
        assert_eq!(shown["authorization"], expected, "{sent}");
    }
    let shown = header_lines("location: https://app/cb?code=s&state=1#id_token=eyJ.eyK.sig\n");
    assert_eq!(shown["location"], "https://app/cb?code=***&state=1#id_token=eyJ.eyK.***");
}

#[test]
fn json_members_are_masked_whatever_their_case_and_shape() {
    let sent = br#"{"Client_Secret":"s","clientSecret":["s"],"API_KEY":7,"Password":{"a":"s"},"ACCESS_TOKEN":"s","refresh_token":null,"token_type":"Bearer"}"#;
    let expected = serde_json::json!({"Client_Secret": MASK, "clientSecret": [MASK], "API_KEY": MASK,
        "Password": MASK, "ACCESS_TOKEN": MASK, "refresh_token": null, "token_type": "Bearer"});
    assert_eq!(body("content-type: application/json\n", sent), expected);
    assert_eq!(body("", sent), expected);
}

#[test]
fn a_body_whose_members_cannot_be_told_apart_shows_no_secret() {
    for (headers, sent) in [
        ("content-type: application/json\n", r#"{"client_secret":"SUPER"#),
        ("", r#"{"client\u005fsecret":"SUPER"#),
        ("content-type: multipart/form-data; boundary=b\n", "--b\r\nname=\"client_secret\"\r\n\r\nSUPER"),
    ] {
        assert!(!body(headers, sent.as_bytes()).to_string().contains("SUPER"), "{sent}");
    }
    assert_eq!(body("content-type: application/json\n", br#"{"a":1"#), r#"{"a":1"#);
    // A name that is secret, or one that is escaped and so may be.
    for (sent, bytes) in [(r#"{"pwd":"s"#, 9), (r#"{"\u0061":1"#, 11)] {
        let shown = body("", sent.as_bytes());
        assert_eq!(shown, format!("{bytes} bytes of JSON that cannot be read to its end"), "{sent}");
        assert_eq!(body("", shown.as_str().unwrap().as_bytes()), shown, "what stands for it stays");
    }
}

#[test]
fn json_in_a_text_of_json_is_written_anew_only_where_something_in_it_is_hidden() {
    let shown = body("", br#"{"a":"[ 1, {\"b\": 2} ]","c":"{ \"pwd\" : \"SUPER\" }"}"#);
    assert_eq!(shown, serde_json::json!({"a": "[ 1, {\"b\": 2} ]", "c": "{\"pwd\":\"***\"}"}));
}

/// Every dress in which something secret by its name was seen unmasked; `SUPER` is what may not be seen.
#[test]
fn a_secret_by_its_name_is_hidden_in_whatever_it_comes() {
    let bodies: &[(&str, &str)] = &[
        ("text/xml", "<s:Body><o:Password Type=\"#PasswordText\">SUPER</o:Password></s:Body>"),
        ("application/soap+xml", "<Password>SUPER"),
        ("application/soap+xml", "<Password>\n <![CDATA[SUPER]]>\n</Password>"),
        ("application/soap+xml", "<a><Password>x<Password>y</Password>SUPER</Password></a>"),
        ("text/xml", "<ds:SignatureValue>SUPER</ds:SignatureValue>"),
        ("text/xml", "<e:CipherData><e:CipherValue>SUPER</e:CipherValue></e:CipherData>"),
        ("text/xml", "<t:RequestedProofToken><t:BinarySecret>SUPER</t:BinarySecret></t:RequestedProofToken>"),
        ("text/xml", "<saml:Assertion ID=\"a\"><saml:Subject>SUPER</saml:Subject></saml:Assertion>"),
        ("text/xml", "<add key=\"Sql.Password\" value=\"SUPER\" />"),
        ("text/xml", "<setting name='ClientSecret'><value>SUPER</value></setting>"),
        ("text/xml", "<client clientSecret='SUPER' id='1'/>"),
        ("text/xml", "<a href=\"https://x/?client_secret=SUPER&amp;b=1\">b</a>"),
        ("text/xml", "<a>Server=x;Pwd=SUPER</a>"),
        ("text/xml", "<a>x</a>client_secret=SUPER<b>y</b>"),
        ("text/xml", "<a/>client_secret=SUPER"),
        ("text/xml", "<?xml version='1.0'?><!-- pwd=SUPER --><a b='pwd=SUPER'>y</a>pwd=SUPER</b>"),
        ("text/xml", "<a>{\"client_secret\":\"SUPER\"}</a>"),
        ("text/html", "<input value=\"SUPER\" type=hidden name='wresult'>"),
        ("text/html", "<INPUT NAME=password VALUE=SUPER>"),
        ("application/x-www-form-urlencoded", "wa=wsignin1.0&wresult=%3Ct%3ASUPER%3E"),
        ("application/x-www-form-urlencoded", "SAMLResponse=SUPER&RelayState=x"),
        ("application/x-www-form-urlencoded", "pwd=SUPER&passwd=SUPER&passphrase=SUPER&private_key=SUPER"),
        ("application/x-www-form-urlencoded", "a;client_secret=SUPER"),
        ("application/x-www-form-urlencoded", "a=1;client_secret=SUPER;b=2"),
        ("application/x-www-form-urlencoded", "a%3Bclient_secret=SUPER"),
        ("application/x-www-form-urlencoded", "a=1%26client_secret=SUPER"),
        ("application/x-www-form-urlencoded", "client%255Fsecret=SUPER"),
        ("application/x-www-form-urlencoded", "%2570wd=a%26SUPER"),
        ("application/x-www-form-urlencoded", "x_client_secret_1=SUPER"),
        ("application/x-www-form-urlencoded", "client_secret=a#SUPER"),
        ("application/x-www-form-urlencoded", "client_secret[]=SUPER&password[0]=SUPER"),
        (
            "application/x-www-form-urlencoded",
            "redirect_uri=https%3A%2F%2Fx%2F%3Fclient_secret%3DSUPER%26a%3D1",
        ),
        ("application/x-www-form-urlencoded", "payload=%7B%22client_secret%22%3A%22SUPER%22%7D"),
        ("application/x-www-form-urlencoded", "payload=%7B%22client_secret%22%3A%22a%5C%22SUPER%22%7D"),
        ("application/x-www-form-urlencoded", "xml=%3CPassword%3ESUPER%3C%2FPassword%3E"),
        ("application/x-www-form-urlencoded", "url=https%3A%2F%2Fblob%2Fc%3Fsv%3D1%26sig%3DSUPER"),
        ("text/plain", "password = \"SUPER\""),
        ("text/plain", "AccountName=x;AccountKey=SUPER;EndpointSuffix=y"),
        ("text/plain", "log: {\"client_secret\" : \"SUPER\", \"a\": 1}"),
        ("text/plain", "log: {\\\"client_secret\\\":\\\"SUPER\\\"}"),
        ("text/plain", "log: {\"password\":[\"SUPER\"]}"),
        ("application/json", r#"{"a":"client_secret=SUPER"}"#),
        ("application/json", r#"{"a":"{\"client_secret\":\"SUPER\"}"}"#),
        ("application/json", r#"{"a":"{\"b\":\"{\\\"client_secret\\\":\\\"x\\\\\\\"SUPER\\\"}\"}"}"#),
        ("application/json", r#"{"a":"<Password>SUPER</Password>"}"#),
        ("application/json", r#"{"a":"text {\"password\":\"SUPER\"}"}"#),
        (
            "application/json",
            r#"{"url":"https://blob/c?sv=1&sig=SUPER","pwd":"SUPER","headers":{"Authorization":"Basic SUPER"}}"#,
        ),
        ("application/json", r#"["https://x/cb?code=SUPER"]"#),
        ("application/octet-stream", "client_secret=SUPER"),
        ("", "-----BEGIN RSA PRIVATE KEY-----\nSUPER\n-----END RSA PRIVATE KEY-----"),
        ("text/plain", "key -----BEGIN PRIVATE KEY-----\nSUPER"),
        ("text/plain; client_secret=SUPER", "a"),
        ("application/x; client_secret=SUPER", "\u{0}"),
    ];
    for (kind, sent) in bodies {
        let shown = body(&format!("content-type: {kind}\n"), sent.as_bytes()).to_string();
        assert!(!shown.contains("SUPER"), "{kind} {sent}\n{shown}");
        let unlabelled = body("", sent.as_bytes()).to_string();
        assert!(!unlabelled.contains("SUPER"), "{sent}\n{unlabelled}");
    }
    let headers = [
        "x-ms-authorization-auxiliary: Bearer SUPER, Bearer SUPER",
        "x-ms-authorization-auxiliary: SUPER",
        "client-secret: SUPER",
        "x-auth-token: SUPER",
        "dpop: SUPER",
        "x-door: SUPER",
        "x-csrf-token: SUPER",
        "authentication-secret: SUPER",
        "x-original-url: /a?client_secret=SUPER",
        "link: <https://x/?sig=SUPER>; rel=next",
        "x-forwarded-body: {\"password\":\"SUPER\"}",
        "operation-location: https://x/cb#access_token=SUPER",
        "x-form: client_secret=a#SUPER",
    ];
    for line in headers {
        let shown = Value::Object(header_lines(&format!("{line}\n"))).to_string();
        assert!(!shown.contains("SUPER"), "{line}\n{shown}");
        assert!(shown.contains(MASK), "{line}\n{shown}");
    }
    for target in [
        "/a?client_secret=SUPER",
        "/a?x=1;pwd=SUPER",
        "/a#sig=SUPER",
        "/a?u=https%3A%2F%2Fb%3Fsig%3DSUPER",
        "/data/Users(Password='SUPER')",
        "/a/client_secret=SUPER/b",
    ] {
        assert!(!mask().target(target).contains("SUPER"), "{target}: {}", mask().target(target));
    }
}

#[test]
fn what_is_no_secret_stays_readable() {
    for (kind, sent) in [
        ("text/xml", "<a><UserName>ada</UserName><PasswordPolicy>x</PasswordPolicy></a>"),
        ("text/html", "<a href=\"/x?error_code=5&id=7\">a=b</a>"),
        (
            "application/x-www-form-urlencoded",
            "grant_type=client_credentials&client_id=a&scope=https%3A%2F%2Fx%2F.default",
        ),
        ("text/plain", "a: b\nc = d"),
    ] {
        assert_eq!(body(&format!("content-type: {kind}\n"), sent.as_bytes()), sent);
    }
    let sent = serde_json::json!({
        "error_uri": "https://login.windows.net/error?code=7000215", "error_codes": [7_000_215], "token_type": "Bearer",
        "@odata.nextLink": "https://x/data?$skiptoken=abc", "trace_id": "8b1f8f60-4d1c-4a3b-9e1a-4d54c3a9b600",
    });
    assert_eq!(body("content-type: application/json\n", sent.to_string().as_bytes()), sent);
    // `id_token` is also the name of an object that asks for claims.
    let sent = serde_json::json!({"claims": {"id_token": {"acr": {"essential": true}}}});
    assert_eq!(body("content-type: application/json\n", sent.to_string().as_bytes()), sent);
    let headers =
        "www-authenticate: Bearer authorization_uri=\"https://x/\", error=\"e\"\nx-ms-client-request-id: a\n";
    let shown = header_lines(headers);
    assert_eq!(shown["www-authenticate"], "Bearer authorization_uri=\"https://x/\", error=\"e\"");
    let claims = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJhIiwicHdkX3VybCI6ImIifQ";
    assert_eq!(form(&format!("client_assertion={claims}.c2ln")), format!("client_assertion={claims}.***"));
    assert_eq!(form(&format!("said {claims}.c2ln today")), format!("said {claims}.*** today"));
}

#[test]
fn in_what_was_sent_names_tell_secrets_and_in_words_of_ours_they_do_not() {
    assert_eq!(mask().sent("a=1&client_secret=SUPER&b=2"), "a=1&client_secret=***&b=2");
    assert_eq!(mask().text("a=1&client_secret=SUPER&b=2"), "a=1&client_secret=SUPER&b=2");
    // A short number is that of an error, and no authorization code.
    assert_eq!(mask().sent("code=12345678"), "code=12345678");
    for code in ["code=123456789", "code=1234567x", "code=0.AAAA"] {
        assert!(mask().sent(code).contains(MASK), "{code}");
    }
    assert_eq!(form("code=1234"), "code=***", "in a form it is one whatever it is");
    assert_eq!(mask().sent("pwd=1234"), "pwd=***");
}

#[test]
fn a_fragment_of_an_address_is_no_part_of_the_parameter_before_it() {
    assert_eq!(mask().target("/cb?code=s#kept=1"), "/cb?code=***#kept=1");
    assert_eq!(header_lines("location: /cb?code=s#kept=1\n")["location"], "/cb?code=***#kept=1");
}

#[test]
fn hiding_what_is_hidden_changes_nothing() {
    for text in [
        "a=1;client_secret=SUPER&b=<Password>x</Password>&token=eyJ.eyK.sig&c={\"pwd\":\"x\"}",
        "<a key='pwd' value='x'><Password> y </Password></a>",
        "https://x/?a=%26client_secret%3Dx#sig=1",
    ] {
        let once = form(text);
        assert_eq!(form(&once), once, "{text}");
    }
}

#[test]
fn a_hostile_text_costs_no_more_than_its_length() {
    let length = 64 * 1024;
    for part in [
        "<Password>",
        "<a ",
        "<a b='",
        "=",
        "&amp;",
        "%25",
        "\\\\",
        "\":",
        "ey.",
        "-----BEGIN PRIVATE KEY",
        "a=b;",
        "</a",
        "\\u005c",
        "\"a\":{",
    ] {
        let text = part.repeat(length / part.len());
        let began = std::time::Instant::now();
        let shown = form(&text);
        assert!(shown.len() <= text.len() * 4);
        assert!(began.elapsed() < std::time::Duration::from_secs(2), "{part}: {:?}", began.elapsed());
    }
}
