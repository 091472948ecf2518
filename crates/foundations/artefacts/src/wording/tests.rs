//! What a config file may be, and what its owner is told when it is something else.

use super::*;
use crate::artefact::{MAX_BYTES, scan};

fn scanned(source: &str) -> Result<(), Fault> {
    let text = Text::decode(source.as_bytes().to_vec(), MAX_BYTES).map_err(|fault| of(&fault, None))?;
    scan(&text).map(|_| ())
}

fn refused(source: &str) -> Fault {
    scanned(source).expect_err(source)
}

/// The refusal of bytes that spell no text.
fn undecoded(bytes: &[u8]) -> Fault {
    of(&Text::decode(bytes.to_vec(), MAX_BYTES).unwrap_err(), None)
}

/// The problem, line and column of a refusal.
fn place(source: &str) -> (Problem, u32, u32) {
    let fault = refused(source);
    assert!(!fault.message.is_empty() && !fault.hint.is_empty());
    (fault.problem, fault.at.line, fault.at.column)
}

#[test]
fn angle_brackets_left_in_a_value_are_named_with_the_key_and_without_the_value() {
    let fault = refused("<a>\n<add key=\"Aad.Realm\" value=\"spn:<5ecre7>\" />\n</a>");
    assert_eq!((fault.problem, fault.at.line, fault.at.column), (Problem::AngleBracket, 2, 33));
    assert_eq!(fault.message, "the value of Aad.Realm contains `<`");
    assert!(fault.hint.starts_with("take the angle brackets out"));
    assert!(!format!("{fault:?}").contains("5ecre7"));
}

#[test]
fn a_missing_closing_quote_is_named_where_the_value_begins() {
    assert_eq!(
        place("<a>\n<add key=\"A\" value=\"x />\n<add key=\"B\" value=\"y\" /></a>"),
        (Problem::Unclosed, 2, 14)
    );
    assert_eq!(place("<a>\n<add key=\"A />\n</a>"), (Problem::Unclosed, 2, 6));
}

#[test]
fn an_element_left_open_is_named_with_its_line() {
    let fault = refused("<a>\n  <b>\n    <c>\n");
    assert_eq!((fault.problem, fault.at.line, fault.at.column), (Problem::Unclosed, 4, 1));
    assert!(fault.message.contains("<c>, opened on line 3"));
    assert!(fault.hint.contains("</c></b></a>"));
    let fault = refused("<a>\n  <b>\n</a>");
    assert!(fault.message.contains("<b>, opened on line 2, is not closed before </a>"));
}

#[test]
fn wrong_closing_tags_are_mismatches() {
    assert_eq!(place("<a>\n</A>"), (Problem::Mismatched, 2, 1));
    assert_eq!(place("<a/></a>"), (Problem::Mismatched, 1, 5));
    assert_eq!(place("<a></a b>"), (Problem::Malformed, 1, 4));
}

#[test]
fn document_types_and_entities_are_refused() {
    let bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY b \"cc\">]>\n<a>&b;</a>";
    assert_eq!(place(bomb), (Problem::Doctype, 2, 1));
    assert_eq!(place("<!DOCTYPE"), (Problem::Doctype, 1, 1));
    assert_eq!(place("<a>&nbsp;</a>"), (Problem::Entity, 1, 4));
    assert_eq!(place("<a b='&nbsp;'/>"), (Problem::Entity, 1, 7));
    assert_eq!(place("<a b='x&y=1'/>"), (Problem::Entity, 1, 8));
    assert_eq!(place("<a>x & y</a>"), (Problem::Entity, 1, 6));
    assert_eq!(place("<a>&#0;</a>"), (Problem::Entity, 1, 4));
    assert_eq!(place("<a b='&#xD800;'/>"), (Problem::Entity, 1, 7));
    assert_eq!(place("<a b='&#99999999999;'/>"), (Problem::Entity, 1, 7));
    assert_eq!(place("<a b='&#+65;'/>"), (Problem::Entity, 1, 7));
}

#[test]
fn duplicate_attributes_are_refused() {
    assert_eq!(place("<a b='1' c='2' b='3'/>"), (Problem::DuplicateAttribute, 1, 16));
}

#[test]
fn depth_and_number_of_elements_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(scanned(&nested(64)).is_ok());
    assert_eq!(refused(&nested(65)).problem, Problem::TooDeep);
    let wide = |count: usize| format!("<r>{}</r>", "<a/>".repeat(count - 1));
    assert!(scanned(&wide(100_000)).is_ok());
    assert_eq!(refused(&wide(100_001)).problem, Problem::TooManyElements);
}

#[test]
fn the_rest_of_what_is_not_xml_is_refused() {
    for source in [
        "",
        "  \n",
        "text",
        "<a/>text",
        "<a/><b/>",
        "<a>]]></a>",
        "<a><!-- -- --></a>",
        "<a><!-- ",
        "<a><![CDATA[ ",
        "<![CDATA[x]]><a/>",
        "<a b=1/>",
        "<a b/>",
        "<a b='1'c='2'/>",
        "<a 1b='1'/>",
        "<1a/>",
        "< a/>",
        "<a/ >",
        "<>",
        "</>",
        "<a",
        "<!",
        "\u{FEFF}\u{FEFF}<a/>",
        " <?xml version='1.0'?><a/>",
        "<?xml version='1.1'?><a/>",
        "<?xml encoding='utf-8'?><a/>",
        "<?xml?><a/>",
        "<?xml version='1.0'",
        "<??><a/>",
        "<a>\u{1}</a>",
        "<a>\u{FFFF}</a>",
        "&amp;<a/>",
    ] {
        refused(source);
    }
    assert!(
        scanned("<?xml version='1.0'?>\n<!-- c --><?php x?><a>]]&gt;<![CDATA[<&]]></a>\n<!-- d -->\n")
            .is_ok()
    );
}

#[test]
fn names_in_messages_are_cut() {
    assert!(refused(&format!("<{}>", "a".repeat(1_000_000))).message.len() < 300);
}

#[test]
fn a_setting_is_named_by_the_key_before_the_value_and_by_nothing_else() {
    let message = |source: &str| refused(source).message;
    assert_eq!(message("<a b='<'/>"), "the attribute b contains `<`");
    assert_eq!(message("<a value='<' key='k'/>"), "the attribute value contains `<`");
    assert_eq!(message("<a name='n&amp;' key='k' value='<'/>"), "the value of n& contains `<`");
    // a tag that is not even closed
    assert_eq!(message("<a key='k' value='<' b='"), "the value of k contains `<`");
}

#[test]
fn bytes_that_spell_no_text_are_refused_with_what_to_do() {
    let fault = undecoded(b"<a>\n  \xFF</a>");
    assert_eq!((fault.problem, fault.at.line, fault.at.column), (Problem::Encoding, 2, 3));
    assert_eq!(fault.message, "the bytes here are not valid UTF-8");
    let fault = undecoded(b"<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>");
    assert_eq!(fault.problem, Problem::Encoding);
    assert_eq!(fault.message, "the XML declaration says utf-16, but the file is not UTF-16");
    assert!(fault.hint.contains("utf-8"));
    assert_eq!(undecoded(b"\xFF\xFE\0\0").message, "the file is UTF-32, which is not read");
    let fault = undecoded(b"<?xml version=\"1.0\" encoding=\"big5\"?><a/>");
    assert_eq!(fault.message, "the encoding big5 of the XML declaration is not read");
    let fault = undecoded(&vec![b' '; MAX_BYTES + 1]);
    assert_eq!(fault.problem, Problem::TooLarge);
    assert_eq!(fault.message, "the file has 4194305 bytes, more than the 4194304 that are read");
    assert!(Text::decode(vec![b' '; MAX_BYTES], MAX_BYTES).is_ok());
}
