//! Encodings, lines and splices.

use super::*;

const LIMIT: usize = 1 << 22;

fn decoded(bytes: &[u8]) -> Text {
    Text::decode(bytes.to_vec(), LIMIT).unwrap()
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

#[test]
fn the_byte_order_mark_decides_the_encoding_and_is_not_part_of_the_text() {
    let with_mark = decoded(b"\xEF\xBB\xBF<a/>");
    assert_eq!((with_mark.encoding(), with_mark.as_str()), (Encoding::Utf8 { bom: true }, "<a/>"));
    let little = decoded(&[b"\xFF\xFE".as_slice(), &utf16("<a/>", u16::to_le_bytes)].concat());
    assert_eq!((little.encoding(), little.as_str()), (Encoding::Utf16Le { bom: true }, "<a/>"));
    let big = decoded(&[b"\xFE\xFF".as_slice(), &utf16("<a/>", u16::to_be_bytes)].concat());
    assert_eq!((big.encoding(), big.as_str()), (Encoding::Utf16Be { bom: true }, "<a/>"));
}

#[test]
fn utf_16_without_a_mark_is_known_by_its_first_angle_bracket() {
    assert_eq!(decoded(&utf16("<a/>", u16::to_le_bytes)).encoding(), Encoding::Utf16Le { bom: false });
    assert_eq!(decoded(&utf16("<a/>", u16::to_be_bytes)).encoding(), Encoding::Utf16Be { bom: false });
}

#[test]
fn a_declared_code_page_is_used_when_there_is_no_mark() {
    let page = decoded(b"<?xml version=\"1.0\" encoding=\"windows-1252\"?><a b=\"\x80\"/>");
    assert!(page.as_str().contains('\u{20AC}'));
    assert_eq!(page.encoding().to_string(), "windows-1252");
    let at = page.as_str().find('\u{20AC}').unwrap();
    assert_eq!(page.file_span(&(at..at + 3)), at..at + 1);
}

#[test]
fn lines_end_with_lf_cr_lf_or_a_lone_cr_and_columns_count_characters() {
    let text = decoded("a\r\nb\n\u{e9}\u{1F600}x\ry".as_bytes());
    let at = |c: char| text.position(text.as_str().find(c).unwrap());
    assert_eq!(at('b'), Position { line: 2, column: 1 });
    assert_eq!(at('x'), Position { line: 3, column: 3 });
    assert_eq!(at('y'), Position { line: 4, column: 1 });
}

fn refused(bytes: &[u8]) -> (Wrong, Position) {
    let fault = Text::decode(bytes.to_vec(), LIMIT).unwrap_err();
    (fault.wrong, fault.at)
}

#[test]
fn an_invalid_sequence_is_refused_with_its_line() {
    let undecodable = |encoding| Wrong::Undecodable { encoding };
    let place = |line, column| Position { line, column };
    assert_eq!(refused(b"<a>\n  \xFF</a>"), (undecodable("UTF-8"), place(2, 3)));
    assert_eq!(refused(b"\xEF\xBB\xBF<a>\n  \xFF</a>"), (undecodable("UTF-8"), place(2, 3)));
    let mut odd = utf16("<a>\n</a>", u16::to_le_bytes);
    odd.push(b'x');
    assert_eq!(refused(&odd), (undecodable("UTF-16"), place(2, 5)));
    let mut lone = utf16("<a>\n", u16::to_le_bytes);
    lone.extend([0x00, 0xD8, b'x', 0]);
    assert_eq!(refused(&lone), (undecodable("UTF-16"), place(2, 1)));
}

#[test]
fn encodings_that_are_not_read_are_named() {
    let label = |label: &str| label.to_owned();
    let declaring =
        |name: &str| refused(format!("<?xml version=\"1.0\" encoding=\"{name}\"?><a/>").as_bytes()).0;
    assert_eq!(declaring("utf-16"), Wrong::NotUtf16 { label: label("utf-16") });
    assert_eq!(declaring("big5"), Wrong::UnknownEncoding { label: label("big5") });
    assert_eq!(refused(b"\xFF\xFE\0\0<\0\0\0").0, Wrong::Utf32);
}

#[test]
fn utf_8_can_be_demanded_whatever_the_declaration_says() {
    let source = b"\xEF\xBB\xBF<?xml version='1.0' encoding='utf-16'?><a/>";
    let text = Text::utf8(source.to_vec(), LIMIT).unwrap();
    assert_eq!((text.encoding(), text.bytes()), (Encoding::Utf8 { bom: true }, source.as_slice()));
    assert!(text.as_str().starts_with("<?xml"));
    let fault = Text::utf8(b"\xFF\xFE<\0".to_vec(), LIMIT).unwrap_err();
    assert_eq!(fault.wrong, Wrong::Undecodable { encoding: "UTF-8" });
}

#[test]
fn a_splice_changes_its_place_and_gives_the_bytes_back_when_undone() {
    let source = "<?xml version=\"1.0\" encoding=\"windows-1252\"?>\r\n<a b='\u{e9}1'>\u{20AC}</a>";
    let mark = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
    for (bytes, is) in [
        (source.replace("windows-1252", "utf-8").into_bytes(), Encoding::Utf8 { bom: false }),
        (mark(b"\xEF\xBB\xBF", source.as_bytes().to_vec()), Encoding::Utf8 { bom: true }),
        (mark(b"\xFF\xFE", utf16(source, u16::to_le_bytes)), Encoding::Utf16Le { bom: true }),
        (mark(b"\xFE\xFF", utf16(source, u16::to_be_bytes)), Encoding::Utf16Be { bom: true }),
        (utf16(source, u16::to_le_bytes), Encoding::Utf16Le { bom: false }),
        (utf16(source, u16::to_be_bytes), Encoding::Utf16Be { bom: false }),
        (
            encoding_rs::WINDOWS_1252.encode(source).0.into_owned(),
            Encoding::SingleByte(CodePage::for_label("windows-1252").unwrap()),
        ),
    ] {
        let text = decoded(&bytes);
        assert_eq!((text.encoding(), text.bytes()), (is, bytes.as_slice()));
        let find = |what: &str| {
            let start = text.as_str().find(what).unwrap();
            start..start + what.len()
        };
        let edits = [
            Edit { range: find("\u{e9}1"), with: "\u{1F600}\u{e9}".to_owned() },
            Edit { range: find("</a>").start..find("</a>").start, with: "<!--\u{e9}-->".to_owned() },
        ];
        let (edited, splices) = text.spliced(&edits);
        let mut by_hand = bytes.clone();
        for splice in splices.iter().rev() {
            by_hand.splice(splice.at.clone(), splice.with.iter().copied());
        }
        assert_eq!(edited, by_hand);
        let again = decoded(&edited);
        assert!(again.as_str().ends_with("\u{20AC}<!--\u{e9}--></a>"), "{}", again.as_str());
        let undo = |what: &str, with: &str| {
            let start = again.as_str().find(what).unwrap();
            Edit { range: start..start + what.len(), with: with.to_owned() }
        };
        let smile = if again.as_str().contains('\u{1F600}') { "\u{1F600}\u{e9}" } else { "&#128512;\u{e9}" };
        let (back, _) = again.spliced(&[undo(smile, "\u{e9}1"), undo("<!--\u{e9}-->", "")]);
        assert_eq!(back, bytes);
        assert_eq!(text.spliced(&[]), (bytes, Vec::new()));
    }
}

#[test]
fn positions_and_spans_agree_with_a_walk_from_the_start() {
    let source = "ab\u{e9}\r\n\u{1F600}".repeat(400);
    let bytes = [b"\xFF\xFE".as_slice(), &utf16(&source, u16::to_le_bytes)].concat();
    let text = decoded(&bytes);
    let first = text.marks[0];
    for (offset, _) in source.char_indices() {
        let slow = walk(first, &source, text.encoding(), offset);
        assert_eq!((text.position(offset), text.locate(offset).byte), (slow.position, slow.byte));
    }
}

/// Every label and byte as the crate has them whose East Asian tables we do not want in the binary.
#[test]
fn code_pages_are_those_of_the_encoding_standard() {
    let mut labels = 0;
    for page in &code_pages::PAGES {
        let standard = encoding_rs::Encoding::for_label(page.name().as_bytes()).unwrap();
        assert!(standard.is_single_byte() && standard.name() == page.name(), "{}", page.name());
        for byte in 0..=u8::MAX {
            let bytes = [byte];
            let (text, is_bad) = standard.decode_without_bom_handling(&bytes);
            let c = page.decode(byte);
            assert_eq!(c, (!is_bad).then(|| text.chars().next().unwrap()), "{} {byte:x}", page.name());
            assert!(c.is_none_or(|c| page.encode(c) == Some(byte)), "{} {byte:x}", page.name());
        }
        let strange =
            (0..=0x1FFFFu32).filter_map(char::from_u32).filter(|c| page.encode(*c).is_some()).count();
        assert_eq!(strange, (0..=u8::MAX).filter(|byte| page.decode(*byte).is_some()).count());
        for label in page.labels() {
            let found = CodePage::for_label(&format!(" {} ", label.to_ascii_uppercase())).unwrap();
            assert_eq!(found, page);
            assert_eq!(encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().name(), page.name());
            labels += 1;
        }
    }
    // All there are, and no name that means more than one byte a character.
    assert_eq!((code_pages::PAGES.len(), labels), (29, 169));
    for label in code_pages::UTF_8 {
        assert_eq!(encoding_rs::Encoding::for_label(label.as_bytes()).unwrap(), encoding_rs::UTF_8);
    }
    for label in code_pages::UTF_16 {
        assert!(encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().name().starts_with("UTF-16"));
    }
    assert_eq!(CodePage::for_label("shift_jis"), None);
}
