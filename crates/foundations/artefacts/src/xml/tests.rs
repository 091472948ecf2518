//! What the strict scanner takes and refuses.

use super::*;

fn scanned(source: &str) -> Result<(Text, Document), Fault> {
    let text = Text::decode(source.as_bytes().to_vec())?;
    let document = scan(&text)?;
    Ok((text, document))
}

fn refused(source: &str) -> Fault {
    scanned(source).expect_err(source)
}

/// The problem, line and column of a refusal.
fn place(source: &str) -> (Problem, u32, u32) {
    let fault = refused(source);
    assert!(!fault.message.is_empty() && !fault.hint.is_empty());
    (fault.problem, fault.at.line, fault.at.column)
}

#[test]
fn elements_and_attributes_come_with_their_spans() {
    let (text, document) = scanned("<a>\n  <p:b c='1' d = \"&amp;2\"/>\n</a >").unwrap();
    assert_eq!(document.elements.len(), 2);
    assert_eq!(document.name(&text, 1), "b");
    assert_eq!(document.value(&text, 1, "c"), Some("1"));
    assert_eq!(document.value(&text, 1, "d"), Some("&2"));
    let raw = document.attribute(&text, 1, "d").unwrap().raw.clone();
    assert_eq!(&text.as_str()[raw], "&amp;2");
    assert_eq!(document.elements[0].span(), 0..text.as_str().len());
    assert_eq!(document.children(0).collect::<Vec<_>>(), [1]);
    assert_eq!(document.subtree(0), 0..2);
}

#[test]
fn attribute_values_are_normalised_as_xml_says() {
    let (text, document) = scanned("<a b='x\r\ny\tz&#10;&#x41;&lt;&gt;&quot;&apos;'/>").unwrap();
    assert_eq!(document.value(&text, 0, "b"), Some("x y z\nA<>\"'"));
}

#[test]
fn escaping_is_undone_by_reading() {
    let value = "a&<>\"'\t\r\n\u{200E}\u{1F600}]]>";
    for quote in ['"', '\''] {
        let (text, document) = scanned(&format!("<a b={quote}{}{quote}/>", escaped(value, quote))).unwrap();
        assert_eq!(document.value(&text, 0, "b"), Some(value));
    }
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
fn an_element_with_very_many_attributes_is_read_in_linear_time() {
    use std::fmt::Write as _;
    let mut source = "<a".to_owned();
    for number in 0..200_000 {
        write!(source, " a{number}='1'").unwrap();
    }
    assert!(scanned(&(source + "/>")).is_ok());
}
