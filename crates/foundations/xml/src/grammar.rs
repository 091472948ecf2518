//! The small productions of XML 1.0: characters, names, references, and how a value is escaped.

/// Whether XML 1.0 allows this character at all (section 2.2, production 2).
pub fn is_xml_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// A value spelt so that it can stand between these quotes and reads back unchanged (section 3.3.3).
pub fn escaped(value: &str, quote: char) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if quote == '"' => out.push_str("&quot;"),
            '\'' if quote == '\'' => out.push_str("&apos;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    out
}

/// Appends an attribute's value as the canonical form has it between its quotes (Canonical XML 1.0 section 2.3).
pub(crate) fn push_canonical_value(value: &str, out: &mut String) {
    push_replaced(value, out, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    });
}

/// Appends text as the canonical form has it (the same section).
pub(crate) fn push_canonical_text(text: &str, out: &mut String) {
    push_replaced(text, out, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    });
}

/// Only characters of one byte are ever replaced, so every cut is between characters.
fn push_replaced(text: &str, out: &mut String, replacement: impl Fn(u8) -> Option<&'static str>) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(instead) = replacement(byte) {
            out.extend([&text[plain..at], instead]);
            plain = at + 1;
        }
    }
    out.push_str(&text[plain..]);
}

/// Why a reference was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrongReference {
    /// An ampersand that begins no reference.
    Bare,
    /// A name that is not predefined.
    Undefined,
    /// A code point outside XML's characters.
    Character,
}

/// The character that `&name;` stands for.
pub(crate) fn resolve(name: &str) -> Result<char, WrongReference> {
    let code = match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => name.strip_prefix('#'),
    };
    let Some(code) = code else {
        return Err(if is_name(name) { WrongReference::Undefined } else { WrongReference::Bare });
    };
    let (digits, radix) = code.strip_prefix('x').map_or((code, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(WrongReference::Undefined);
    }
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
        .filter(|c| is_xml_character(*c))
        .ok_or(WrongReference::Character)
}

/// White space of XML (production 3), which is less than Unicode's.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// What stands where a name should, up to a character that ends a name in any case.
pub(crate) fn name_at(source: &str) -> &str {
    let end = source.find(|c| is_space(c) || matches!(c, '=' | '/' | '>' | '<' | '"' | '\'' | '?' | '&'));
    &source[..end.unwrap_or(source.len())]
}

/// Production 5 of XML 1.0 (fifth edition).
pub(crate) fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_character)
}

/// Whether a text is a name without a colon (Namespaces in XML 1.0, `NCName`).
pub fn is_ncname(name: &str) -> bool {
    is_name(name) && !name.contains(':')
}

fn is_name_start(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
        | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn is_name_character(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}
