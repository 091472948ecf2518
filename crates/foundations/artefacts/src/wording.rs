//! What the owner of a config file is told when it is not XML.
//!
//! Decides for each fault of the XML room its kind, its sentence and the advice beside it. The sentence is the room's own
//! where it fits; a few speak of the file, and one names the setting, because that is what people look for. It never
//! repeats a value.

use mocktenant_xml::{Fault as XmlFault, Prefixes, Text, Tree, Wrong, clip};

use crate::artefact::BUDGET;
use crate::error::{Fault, Problem};

/// A fault in these words. The text is missing when the bytes spell none.
pub(crate) fn of(fault: &XmlFault, text: Option<&Text>) -> Fault {
    let (problem, hint) = advice(&fault.wrong);
    Fault::new(fault.at, problem, message(fault, text), hint)
}

fn message(fault: &XmlFault, text: Option<&Text>) -> String {
    match (&fault.wrong, text) {
        (Wrong::TooLarge { bytes, limit }, _) => {
            format!("the file has {bytes} bytes, more than the {limit} that are read")
        }
        (Wrong::Utf32, _) => "the file is UTF-32, which is not read".to_owned(),
        (Wrong::NotUtf16 { label }, _) => {
            format!("the XML declaration says {label}, but the file is not UTF-16")
        }
        (Wrong::LeftOpen { open, line, .. }, _) => {
            format!("the file ends, but <{open}>, opened on line {line}, is not closed")
        }
        (Wrong::NoElement, _) => "the file holds no element".to_owned(),
        (Wrong::AngleBracket { attribute, .. }, Some(text)) => {
            match setting(text, fault.markup.start, *attribute) {
                Some(setting) => format!("the value of {setting} contains `<`"),
                None => fault.wrong.to_string(),
            }
        }
        (wrong, _) => wrong.to_string(),
    }
}

/// The setting an attribute belongs to: the key or name that was read before it in the same tag.
fn setting(text: &Text, tag: usize, attribute: usize) -> Option<String> {
    // Up to that attribute the tag has no fault, so it can be closed there and read.
    let readable = format!("{}/>", text.as_str().get(tag..attribute)?);
    let text = Text::utf8(readable.into_bytes(), BUDGET.bytes).ok()?;
    let tree = Tree::scan(&text, &BUDGET, Prefixes::AsWritten).ok()?;
    let mut attributes = tree.root().attributes();
    let key = attributes.find(|attribute| matches!(attribute.qualified_name(), "key" | "name" | "Name"))?;
    Some(clip(key.value()))
}

fn advice(wrong: &Wrong) -> (Problem, String) {
    let (problem, hint) = match wrong {
        Wrong::TooLarge { .. } => {
            (Problem::TooLarge, "check that this is the config file and not a log or a dump")
        }
        Wrong::Utf32 | Wrong::UnknownEncoding { .. } => (Problem::Encoding, "save the file as UTF-8"),
        Wrong::NotUtf16 { .. } => (Problem::Encoding, "write encoding=\"utf-8\" in the XML declaration"),
        Wrong::Undecodable { .. } => {
            (Problem::Encoding, "save the file as UTF-8, or name its real encoding in the XML declaration")
        }
        Wrong::Character(_) => (Problem::Character, "delete it"),
        Wrong::SecondMark => (Problem::Malformed, "keep only one"),
        Wrong::TooDeep { .. } => (Problem::TooDeep, WRONG_FILE),
        Wrong::TooManyElements { .. } => (Problem::TooManyElements, WRONG_FILE),
        Wrong::Doctype => {
            (Problem::Doctype, "delete it, with the entities it declares; config files need none")
        }
        Wrong::BrokenDoctype => (Problem::Doctype, "delete it"),
        Wrong::DeclarationPlace => (Problem::Malformed, "delete what stands before it, blank lines too"),
        Wrong::DeclarationVersion => (Problem::Malformed, "write <?xml version=\"1.0\" encoding=\"utf-8\"?>"),
        Wrong::Instruction => (Problem::Malformed, "delete it"),
        Wrong::SecondRoot => (Problem::Malformed, "a file has one; check the closing tags before this place"),
        Wrong::TextBefore => {
            (Problem::Malformed, "the file should begin with `<`; delete what stands before it")
        }
        Wrong::TextAfter | Wrong::TextOutside => {
            (Problem::Malformed, "delete it, or check the closing tags before this place")
        }
        Wrong::NoElement => (Problem::Malformed, "check that this is the right file and that it was saved"),
        Wrong::ElementName => (Problem::Malformed, "write &lt; for the character itself, or delete it"),
        Wrong::NotOpen { .. } => (Problem::Mismatched, "delete it, or add the opening tag"),
        Wrong::ClosingTag { .. } => (Problem::Malformed, "a closing tag is just </name>"),
        Wrong::ClosedOutside { open, .. } => {
            return (Problem::Unclosed, format!("add </{open}> before this place"));
        }
        Wrong::Mismatched { open, .. } => {
            let hint = format!("write </{open}> here, spelt as it was opened, capitals included");
            return (Problem::Mismatched, hint);
        }
        Wrong::LeftOpen { missing, .. } => {
            return (Problem::Unclosed, format!("add {missing} at the end, or restore what was cut off"));
        }
        Wrong::AttributeUnquoted { name } => {
            return (Problem::Malformed, format!("write {name}=\"...\""));
        }
        wrong => small(wrong),
    };
    (problem, hint.to_owned())
}

const WRONG_FILE: &str = "no config file needs that; check that this is the right file";

/// The faults inside one tag or text.
fn small(wrong: &Wrong) -> (Problem, &'static str) {
    match wrong {
        Wrong::AttributeName => (
            Problem::Malformed,
            "inside a tag stand only name=\"value\" pairs; check the quotes before this place",
        ),
        Wrong::AttributeSpace { .. } => {
            (Problem::Malformed, "put a space between attributes; check the quotes before this place")
        }
        Wrong::UnclosedValue | Wrong::UnclosedQuote => {
            (Problem::Unclosed, "add the missing quotation mark at the end of the value")
        }
        Wrong::DuplicateAttribute { .. } => (Problem::DuplicateAttribute, "delete one of them"),
        Wrong::AngleBracket { pair: true, .. } => {
            (Problem::AngleBracket, "take the angle brackets out and write only what belongs between them")
        }
        Wrong::AngleBracket { pair: false, .. } => {
            (Problem::AngleBracket, "write &lt; for the character itself")
        }
        Wrong::BareAmpersand => (Problem::Entity, "write &amp; for the character itself"),
        Wrong::Entity { .. } => (
            Problem::Entity,
            "only &amp; &lt; &gt; &quot; &apos; and character references are read; write &amp; for `&` itself",
        ),
        Wrong::CharacterReference { .. } => (Problem::Entity, "delete it"),
        Wrong::SectionEnd => (Problem::Malformed, "write ]]&gt;"),
        Wrong::UnclosedTag => (Problem::Unclosed, "add >"),
        Wrong::UnclosedComment => (Problem::Unclosed, "add -->"),
        Wrong::UnclosedSection => (Problem::Unclosed, "add ]]>"),
        Wrong::UnclosedInstruction => (Problem::Unclosed, "add ?>"),
        Wrong::DoubleHyphen => (Problem::Malformed, "XML allows it only at the comment's end; delete it"),
        _ => (Problem::Malformed, "check the tags and quotes before this place"),
    }
}

#[cfg(test)]
mod tests;
