//! What is secret is hidden to the byte: nothing of it stays, and what stands around it does.

use proptest::prelude::*;

use super::declared::hiding;
use super::*;

fn each(shown: impl Fn(&str) -> String, cases: &[(&str, &str)]) {
    for (sent, expected) in cases {
        assert_eq!(shown(sent), *expected, "{sent}");
    }
}

#[test]
fn an_element_is_hidden_from_its_tag_to_its_end_tag_without_the_blanks_around() {
    each(
        form,
        &[
            ("<a><Password>S</Password><b>x</b></a>", "<a><Password>***</Password><b>x</b></a>"),
            ("<o:Password T='t' > S S </o:Password >y", "<o:Password T='t' > *** </o:Password >y"),
            ("<o:Password>S</x:Password>y", "<o:Password>***</x:Password>y"),
            ("<_o:Password>S</_o:Password>y", "<_o:Password>***</_o:Password>y"),
            ("<\u{e9}:Password>S</\u{e9}:Password>y", "<\u{e9}:Password>***</\u{e9}:Password>y"),
            ("<1:Password>x</1:Password>y", "<1:Password>x</1:Password>y"),
            ("<PASSWORD>S</password>x", "<PASSWORD>***</password>x"),
            ("<Password>x<Password>y</Password>S</Password>z", "<Password>***</Password>z"),
            ("<Password>x<Password/>S</Password>z", "<Password>***</Password>z"),
            ("<Password>x<Passwords>S</Password>z", "<Password>***</Password>z"),
            ("<Password>S<b></b></Password>z", "<Password>***</Password>z"),
            ("<Password>S", "<Password>***"),
            ("<Password>S</Password", "<Password>***</Password"),
            ("<Password>x<Password/", "<Password>***"),
            ("<Password/>y", "<Password/>y"),
            ("<Password />y", "<Password />y"),
            ("<Password></Password>y", "<Password></Password>y"),
            ("<Password>  </Password>y", "<Password>  </Password>y"),
            ("<Pass>x</Pass>", "<Pass>x</Pass>"),
            ("a < b <Password>S</Password>", "a < b <Password>***</Password>"),
            ("<!-- <Password>S</Password> -->y", "<!-- <Password>***</Password> -->y"),
            ("<?xml v='1'?><Password>S</Password>", "<?xml v='1'?><Password>***</Password>"),
            ("<id_token>eyJ.eyK.sig</id_token>", "<id_token>eyJ.eyK.***</id_token>"),
            ("<id_token>opaque</id_token>y", "<id_token>***</id_token>y"),
            (
                "<a>1</a><Password>S</Password><Password>T</Password>",
                "<a>1</a><Password>***</Password><Password>***</Password>",
            ),
        ],
    );
}

#[test]
fn an_attribute_is_hidden_between_its_quotes_or_to_the_next_blank() {
    each(
        form,
        &[
            ("<a pwd=\"S S\" b='1'>x</a>", "<a pwd=\"***\" b='1'>x</a>"),
            ("<a pwd='S\"S' b='1'>x</a>", "<a pwd='***' b='1'>x</a>"),
            ("<a x:pwd='S' b='1'>x</a>", "<a x:pwd='***' b='1'>x</a>"),
            ("<a = pwd='S'>x</a>", "<a = pwd='***'>x</a>"),
            ("<a =pwd=S ='x' pwd=S>x</a>", "<a =pwd=*** ='x' pwd=***>x</a>"),
            ("<a pwd=S b=1>x</a>", "<a pwd=*** b=1>x</a>"),
            ("<a pwd=S>x</a>", "<a pwd=***>x</a>"),
            ("<a pwd = 'S'>x</a>", "<a pwd = '***'>x</a>"),
            ("<a pwd='S", "<a pwd='***"),
            ("<a pwd=''>x</a>", "<a pwd=''>x</a>"),
            ("<a pwd>x</a>", "<a pwd>x</a>"),
            ("<a b='>' pwd='S'>x</a>", "<a b='>' pwd='***'>x</a>"),
            ("<a / pwd='S'>x</a>", "<a / pwd='***'>x</a>"),
            ("<a =\"b\" pwd='S'>x</a>", "<a =\"b\" pwd='***'>x</a>"),
        ],
    );
}

#[test]
fn what_an_element_says_it_holds_is_hidden_where_it_holds_it() {
    each(
        form,
        &[
            (
                "<add key=\"Sql.Password\" value=\"S\" b='x'/>y",
                "<add key=\"Sql.Password\" value=\"***\" b='x'/>y",
            ),
            ("<add value='S' key='pwd'>y</add>", "<add value='***' key='pwd'>y</add>"),
            ("<add key='code' value='7'/>", "<add key='code' value='7'/>"),
            ("<add key='pwd' value=''/>y", "<add key='pwd' value=''/>y"),
            ("<add key='name' value='x'/>y", "<add key='name' value='x'/>y"),
            ("<input name=code value=7><b>y</b>", "<input name=code value=***><b>y</b>"),
            ("<INPUT NAME='pwd' VALUE='S' type=text>y", "<INPUT NAME='pwd' VALUE='***' type=text>y"),
            ("<meta name='pwd' content='S'>y", "<meta name='pwd' content='***'>y"),
            ("<setting name='pwd'><value>S</value></setting>z", "<setting name='pwd'>***</setting>z"),
            (
                "<setting name='x'><value>S</value></setting>z",
                "<setting name='x'><value>S</value></setting>z",
            ),
        ],
    );
}

#[test]
fn of_a_secret_that_looks_like_a_token_nothing_is_seen() {
    let token = "eyJ.eyK.sig";
    let forms = ["client_secret=T&a=1", "<Password>T</Password>", "<a pwd='T'/>", "x {\"pwd\":\"T\"}"];
    for sent in forms {
        assert_eq!(form(&sent.replace('T', token)), sent.replace('T', MASK));
    }
    let shown = body("", format!("{{\"pwd\":\"{token}\"}}").as_bytes());
    assert_eq!(shown, serde_json::json!({"pwd": MASK}));
    assert_eq!(header_lines(&format!("x-api-key: {token}\n"))["x-api-key"], MASK);
}

#[test]
fn a_pair_is_hidden_up_to_the_next_one_of_a_form() {
    each(
        form,
        &[
            ("a=1&pwd=S&b=2", "a=1&pwd=***&b=2"),
            ("pwd=S#S&b=2", "pwd=***&b=2"),
            ("x;pwd=S;y=2&z=1", "x;pwd=***&z=1"),
            ("\"pwd\"=S&b=2", "\"pwd\"=***&b=2"),
            ("'pwd' =S&b=2", "'pwd' =***&b=2"),
            ("a pwd=S", "a pwd=***"),
            ("pwd=", "pwd="),
            ("pwd=&b=2", "pwd=&b=2"),
            ("pwd==&b=2", "pwd=***&b=2"),
            ("pwds=1&wd=2", "pwds=1&wd=2"),
            (
                "<a>x=1&amp;pwd=S</a>pwd=T<b c='pwd=U'>z</b>",
                "<a>x=1&amp;pwd=***</a>pwd=***<b c='pwd=***'>z</b>",
            ),
            ("<a/>pwd=S<b/>z", "<a/>pwd=***<b/>z"),
        ],
    );
    let address = |text: &str| mask().target(text);
    each(address, &[("/a?pwd=S#b=1", "/a?pwd=***#b=1"), ("/a?b=1#pwd=S#c", "/a?b=1#pwd=***#c")]);
}

#[test]
fn a_member_is_hidden_between_its_quotes_or_to_whatever_ends_it() {
    let sent = |text: &str| mask().sent(text).into_owned();
    each(
        sent,
        &[
            ("x {\"pwd\" : \"S\", \"a\":1}", "x {\"pwd\" : \"***\", \"a\":1}"),
            (r#"x {"pwd":"a\"b\\","c":"d"}"#, r#"x {"pwd":"***","c":"d"}"#),
            (r#"x {"pwd":"a\\\"b","c":"d"}"#, r#"x {"pwd":"***","c":"d"}"#),
            ("x {\"pwd\":12,\"a\":1}", "x {\"pwd\":***,\"a\":1}"),
            ("x {\"pwd\":12}y", "x {\"pwd\":***}y"),
            ("x [\"pwd\":12]y", "x [\"pwd\":***]y"),
            ("x \"pwd\":12 y", "x \"pwd\":*** y"),
            ("x \"pwd\":12", "x \"pwd\":***"),
            ("x {\"pwd\":\"S", "x {\"pwd\":\"***"),
            ("x {\"pwd\":", "x {\"pwd\":"),
            ("x {\"pwd\":null,\"a\":1}", "x {\"pwd\":null,\"a\":1}"),
            ("x {\"pwd\":\"\",\"a\":1}", "x {\"pwd\":\"\",\"a\":1}"),
            ("x {\"pwd\":[\"S\"],\"a\":1}", "x {\"pwd\":***"),
            ("x {\"pwd\":{\"S\":1},\"a\":1}", "x {\"pwd\":***"),
            ("x {\"id_token\":{\"a\":1},\"pwd\":2}", "x {\"id_token\":{\"a\":1},\"pwd\":***}"),
            ("x {\"id_token\":\"eyJ.eyK.sig\"}", "x {\"id_token\":\"eyJ.eyK.***\"}"),
            ("pwd:\"S\"", "pwd:\"S\""),
            ("\"pwd:1", "\"pwd:1"),
            ("pwd\":1", "pwd\":1"),
            ("\"a\":\"b\",\"pwd\":\"S\",\"c\":\"d\"", "\"a\":\"b\",\"pwd\":\"***\",\"c\":\"d\""),
        ],
    );
}

#[test]
fn of_a_token_what_stands_after_its_claims_is_hidden_and_of_a_key_in_pem_all() {
    let ours = |text: &str| mask().text(text).into_owned();
    each(
        ours,
        &[
            ("x eyJ.eyK.sig.more y", "x eyJ.eyK.*** y"),
            ("eyJ.eyK.sig,eyL.eyM.sig-_", "eyJ.eyK.***,eyL.eyM.***"),
            ("ee eyJ.eyK.s", "ee eyJ.eyK.***"),
            ("xeyJ.eyK.sig", "xeyJ.eyK.sig"),
            ("eyJ.eyK. x", "eyJ.eyK. x"),
            ("eyJ..sig", "eyJ..sig"),
            ("eyJ.eyK", "eyJ.eyK"),
            ("exJ.eyK.sig", "exJ.eyK.sig"),
            ("e", "e"),
            ("a -----BEGIN PRIVATE KEY-----x-----END PRIVATE KEY-----b", "a ***PRIVATE KEY-----b"),
            ("a -----BEGIN ENCRYPTED PRIVATE KEY-----x", "a ***"),
            (
                "-----BEGIN CERTIFICATE-----x-----END CERTIFICATE-----b",
                "-----BEGIN CERTIFICATE-----x-----END CERTIFICATE-----b",
            ),
            (
                "-----BEGIN CERTIFICATE-----x-----END CERTIFICATE----------BEGIN PRIVATE KEY-----y-----END PRIVATE KEY-----b",
                "-----BEGIN CERTIFICATE-----x-----END CERTIFICATE-----***PRIVATE KEY-----b",
            ),
            ("-----BEGIN 01234567890123456789012345678PRIVATE KEY", "***"),
            (
                "-----BEGIN 012345678901234567890123456789PRIVATE KEY",
                "-----BEGIN 012345678901234567890123456789PRIVATE KEY",
            ),
        ],
    );
}

#[test]
fn a_value_is_hidden_with_the_escapes_it_was_written_in_and_no_more() {
    let mask = hiding(&["longenough", "k&<>\"'/\\\r\t\u{8}\u{c}\u{1f511}\u{e4}z"]);
    let shown = |text: &str| mask.text(text).into_owned();
    each(
        shown,
        &[
            ("a%20%6c%6F%6egenough%20b", "a%20***%20b"),
            ("a%6congenoug%68", "a***"),
            ("longenoug%", "longenoug%"),
            ("longenoug%6", "longenoug%6"),
            ("longenoug%6z", "longenoug%6z"),
            ("longenoug%+8", "longenoug%+8"),
            ("a \\u006congenoug\\u0068 b", "a *** b"),
            ("a \\x6congenoug\\x68 b", "a *** b"),
            ("longenoug\\u+068", "longenoug\\u+068"),
            ("longenoug\\q", "longenoug\\q"),
            ("longenoug\\", "longenoug\\"),
            ("a&#108;ongenoug&#x68;b", "a***b"),
            ("a&#X6C;ongenoug&#104;b", "a***b"),
            ("longenoug&#;", "longenoug&#;"),
            ("longenoug&nbsp;", "longenoug&nbsp;"),
            ("a k&amp;&lt;&gt;&quot;&apos;/\\&#13;&#9;&#8;&#12;&#128273;&#228;z b", "a *** b"),
            ("a k&<>\\\"\\'\\/\\\\\\r\\t\\b\\f\\ud83d\\udd11\\u00e4z b", "a *** b"),
            ("a k&<>\\\"\\'\\/\\\\\\r\\t\\b\\f\\uD83D\\uDD11\\xe4z b", "a *** b"),
        ],
    );
}

#[test]
fn a_stretch_of_base64_that_holds_a_value_is_hidden_whole_with_its_padding() {
    let mask = hiding(&["longenough"]);
    let shown = |text: &str| mask.text(text).into_owned();
    // "longenough", "alongenough", "ablongenough"
    each(
        shown,
        &[
            ("x bG9uZ2Vub3VnaA== y", "x *** y"),
            ("x bG9uZ2Vub3VnaA=== y", "x ***= y"),
            ("x YWxvbmdlbm91Z2g= y", "x *** y"),
            ("x YWJsb25nZW5vdWdo y", "x *** y"),
            ("x.YWJsb25nZW5vdWdo.y", "x.***.y"),
            ("x YWJsb25n\nZW5vdWdo y", "x *** y"),
            ("x YWJsb25n\r\nZW5vdWdo y", "x *** y"),
            ("x YWJsb25n\r\n y", "x YWJsb25n\r\n y"),
            ("x bG9uZ2Vub3V y", "x bG9uZ2Vub3V y"),
            ("bG9uZ2Vub3VnaA", "***"),
            // One letter too many stands for nothing, and keeps nothing from being read.
            ("x YWJsb25nZW5vdWdoa y", "x *** y"),
        ],
    );
}

#[test]
fn what_is_hidden_side_by_side_is_hidden_once_and_nothing_is_never_hidden() {
    let mask = hiding(&["longenough"]);
    assert_eq!(mask.text("a longenoughlongenough b"), "a *** b");
    assert_eq!(mask.text("longenough longenough"), "*** ***");
    assert_eq!(mask.text("\u{e4}longenough\u{e4}"), "\u{e4}***\u{e4}");
    assert_eq!(form("x\\ntoken=S"), "x\\ntoken=***", "a line end parts names, however it is written");
    assert_eq!(form("client_assertion=eyJ.eyK.&a=1"), "client_assertion=eyJ.eyK.&a=1");
}

#[test]
fn of_a_body_that_is_no_text_its_size_is_shown_and_only_such_a_line_is_taken_for_one() {
    let shown = |text: &str| body("content-type: application/octet-stream\n", text.as_bytes());
    assert_eq!(shown("\0\u{1}\u{2}"), "3 bytes of application/octet-stream");
    let stays = "12 bytes of application/octet-stream";
    assert_eq!(shown(stays), stays);
    for no_line in [
        "SUPER bytes of application/octet-stream",
        " bytes of application/octet-stream",
        "12 bytes of SUPER",
        "1x bytes of application/octet-stream",
    ] {
        let size = format!("{} bytes of application/octet-stream", no_line.len());
        assert_eq!(shown(no_line), size, "{no_line}");
    }
}

#[test]
fn a_part_of_a_decoded_text_is_what_it_was_made_from_and_nothing_comes_from_nothing() {
    let layer = super::super::layers::decoded(b"%41b%43", super::super::layers::DECODERS[0]).unwrap();
    assert_eq!(layer.text, b"AbC");
    for (part, origin) in [(0..1, 0..3), (0..2, 0..4), (1..3, 3..7), (0..3, 0..7), (0..0, 0..0), (1..1, 0..0)]
    {
        assert_eq!(layer.origin(&part), origin, "{part:?}");
    }
    assert!(super::super::layers::decoded(b"%4z %", super::super::layers::DECODERS[0]).is_none());
}

#[test]
fn base64_is_looked_into_where_it_can_hold_the_shortest_of_what_is_secret() {
    let runs = |text: &str, shortest| {
        let runs = super::super::layers::base64_runs(text.as_bytes(), shortest);
        runs.into_iter().map(|run| (run.start, run.end)).collect::<Vec<_>>()
    };
    assert_eq!(runs("abc abcd== e", 3), [(4, 10)]);
    assert_eq!(runs("abcde abcdef", 4), [(6, 12)], "four bytes take six letters");
    assert_eq!(runs("ab+/-_", 4), [(0, 6)]);
    assert_eq!(runs("\nabcd\nabcd\r\nab\n\nabcd\r", 3), [(1, 14), (16, 20)]);
    assert_eq!(runs(&"a".repeat(100), usize::MAX), []);
    let declared = |secrets: &[&str]| {
        let mut declared = Declared::default();
        declared.replace(secrets.iter().map(|secret| Arc::from(*secret)).collect(), 0);
        declared.matcher()
    };
    let matcher = declared(&["four", "  longer-than-four ", "abc"]);
    assert_eq!((matcher.shortest(), matcher.longest()), (4, 16));
    assert_eq!((declared(&[]).shortest(), declared(&[]).longest()), (usize::MAX, 0));
    let names = Names::default();
    let shortest = |values: Option<&Matcher>| Finder { names: &names, values }.shortest();
    assert_eq!((shortest(None), shortest(Some(&matcher))), (12, 4));
    // `<pwd>x</pwd>`, and the same twice.
    let ours = |text: &str| mask().text(text).into_owned();
    each(
        ours,
        &[
            ("x PHB3ZD54PC9wd2Q+ y", "x *** y"),
            ("x UEhCM1pENTRQQzl3ZDJRKw== y", "x *** y"),
            ("x PGFhYT54PC9hYWE+ y", "x PGFhYT54PC9hYWE+ y"),
            ("x LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t y", "x *** y"),
        ],
    );
}

proptest! {
    /// A look at the end of what may be a run leaps over what cannot be one: byte by byte the same are found.
    #[test]
    fn no_run_of_base64_is_leapt_over(
        text in prop::collection::vec(prop::sample::select(b"aZ0+-_/=\r\n <\xff".to_vec()), 0..60),
        shortest in 1_usize..9,
    ) {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+-_/".contains(&byte);
        let goes_on = |rest: &[u8]| match rest {
            [b'\r', b'\n', next, ..] | [b'\n', next, ..] => letter(*next),
            [byte, ..] => letter(*byte),
            [] => false,
        };
        let (mut runs, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let more = || (at + 1..text.len()).take_while(|next| goes_on(&text[*next..])).count();
            let length = if letter(text[at]) { 1 + more() } else { 0 };
            if length >= (shortest * 4).div_ceil(3) {
                let padding = text[at + length..].iter().take(2).take_while(|byte| **byte == b'=').count();
                runs.push(at..at + length + padding);
            }
            at += length.max(1);
        }
        prop_assert_eq!(super::super::layers::base64_runs(&text, shortest), runs);
    }
}

#[test]
fn a_value_may_be_spelt_with_plus_for_blank_or_in_latin_1_and_stands_in_no_longer_word() {
    let mask = hiding(&["p\u{e4}ss w\u{f6}rd", "short"]);
    let shown = |text: &str| mask.text(text).into_owned();
    each(
        shown,
        &[
            ("a p\u{e4}ss w\u{f6}rd b", "a *** b"),
            ("a p\u{e4}ss+w\u{f6}rd b", "a *** b"),
            ("a p%E4ss w%F6rd b", "a *** b"),
            ("a p%E4ss-w%F6rd b", "a p%E4ss-w%F6rd b"),
            ("short", "***"),
            ("a short.", "a ***."),
            ("shorts", "shorts"),
            ("ashort", "ashort"),
            ("-short", "-short"),
            ("short_", "short_"),
            ("short short", "*** ***"),
        ],
    );
}

#[test]
fn a_value_is_hidden_in_what_is_shown_of_a_token_and_in_what_says_of_which_kind_a_body_is() {
    let mask = hiding(&["value-secret-12"]);
    let lines = mask.header_lines("authorization: Bearer eyJ.value-secret-12.sig\n");
    assert_eq!(lines["authorization"], "Bearer eyJ.***.***");
    let member =
        mask.body("content-type: application/json\n", br#"{"access_token":"eyJ.value-secret-12.sig"}"#);
    assert_eq!(member["access_token"], "eyJ.***.***");
    let kind = mask.body("content-type: application/x-b value-secret-12\n", b"\x01");
    assert_eq!(kind, "1 bytes of application/x-b ***");
}

#[test]
fn an_authorization_is_read_with_the_blanks_it_was_sent_with_and_not_masked_twice() {
    for (sent, shown) in
        [("Bearer   eyJ.eyK.sig ", "Bearer eyJ.eyK.***"), ("Bearer ***, Basic ***", "Bearer ***, Basic ***")]
    {
        assert_eq!(header_lines(&format!("authorization: {sent}\n"))["authorization"], shown, "{sent}");
    }
}

#[test]
fn a_body_is_json_by_its_type_in_any_case_and_text_where_it_has_none_or_is_a_form() {
    assert_eq!(body("content-type: Application/JSON\n", b"12"), serde_json::json!(12));
    assert_eq!(body("", b"plain words"), "plain words");
    let form = body("content-type: application/octet-stream\n", b"a=b&password=s");
    assert_eq!(form, "a=b&password=***");
}

#[test]
fn a_private_key_in_a_list_of_a_setting_is_masked() {
    let read = serde_json::json!(["-----BEGIN PRIVATE KEY-----", "open"]);
    assert_eq!(setting_value(&read), serde_json::json!([MASK, "open"]));
}
