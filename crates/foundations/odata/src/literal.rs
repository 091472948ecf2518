//! Literals: the values a URL can spell (ABNF `primitiveLiteral`), read, printed and turned into JSON.
//!
//! Decides the type from the spelling alone, as OData 4.0 does; a column's own type is the caller's affair. `INF`,
//! `NaN`, `duration'..'`, `binary'..'`, times of day and geography are not read.

use std::fmt;

use serde_json::{Number, Value};

use crate::cursor::Cursor;
use crate::error::{SyntaxError, SyntaxErrorKind, excerpt};
use mocktenant_schema::Guid;
use mocktenant_schema::moment::{parse_day, parse_moment};

/// A value as a URL spells it. [`fmt::Display`] prints it so that [`Literal::parse`] gives it back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number that fits in 64 bits.
    Integer(i64),
    /// Any other number, as it was written: `1.50`, `1e10`, `9223372036854775808`.
    Decimal(String),
    /// `'text'`, here without its quotes and with doubled quotes undone.
    String(String),
    /// A GUID without quotes.
    Guid(Guid),
    /// `Edm.Date` or `Edm.DateTimeOffset`, as it was written.
    DateTime(String),
    /// `Microsoft.Dynamics.DataEntities.NoYes'Yes'`; the type name always has a namespace.
    Enum {
        /// The qualified type name.
        type_name: String,
        /// The member between the quotes, or several joined by commas.
        member: String,
    },
}

impl Literal {
    /// Reads one literal that is the whole of `text` (already percent-decoded).
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::new(text)?;
        let literal = Self::read(&mut cursor)?.ok_or_else(|| cursor.unexpected("a literal"))?;
        if cursor.at_end() { Ok(literal) } else { Err(cursor.unexpected("the end")) }
    }

    /// Reads a literal if one begins here; a name that is no literal is left where it is and gives `None`.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Option<Self>, SyntaxError> {
        let Some(first) = cursor.peek() else { return Ok(None) };
        if first == '\'' {
            return quoted(cursor).map(|text| Some(Self::String(text)));
        }
        if first.is_ascii_hexdigit() {
            let candidate = cursor.rest().get(..Guid::LENGTH);
            if let Some((text, guid)) = candidate.and_then(|text| Some((text, Guid::parse(text)?))) {
                let next = cursor.rest().get(Guid::LENGTH..).and_then(|rest| rest.chars().next());
                if !next.is_some_and(|next| next.is_alphanumeric() || next == '-') {
                    cursor.advance(text);
                    return Ok(Some(Self::Guid(guid)));
                }
            }
        }
        if first.is_ascii_digit() || matches!(first, '+' | '-') {
            return number_or_date(cursor).map(Some);
        }
        let start = cursor.position();
        let Some(name) = cursor.qualified_name() else { return Ok(None) };
        if cursor.peek() == Some('\'') {
            if !name.contains('.') {
                let text = excerpt(name);
                return Err(SyntaxError::new(start, SyntaxErrorKind::UnsupportedName { text }));
            }
            let member = quoted(cursor)?;
            return Ok(Some(Self::Enum { type_name: name.to_owned(), member }));
        }
        let literal = match name {
            "null" => Some(Self::Null),
            "true" => Some(Self::Bool(true)),
            "false" => Some(Self::Bool(false)),
            _ => None,
        };
        if literal.is_none() {
            cursor.rewind(start);
        }
        Ok(literal)
    }

    /// The value as JSON rows hold it: GUIDs in lower case, enums as the member's name, dates as written, a decimal as
    /// the nearest double.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Integer(value) => Value::from(*value),
            Self::Decimal(text) => match text.parse().ok().and_then(Number::from_f64) {
                Some(number) => Value::Number(number),
                None => Value::String(text.clone()),
            },
            Self::String(text) | Self::DateTime(text) => Value::String(text.clone()),
            Self::Guid(guid) => Value::String(guid.to_string()),
            Self::Enum { member, .. } => Value::String(member.clone()),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Integer(value) => write!(formatter, "{value}"),
            Self::Decimal(text) | Self::DateTime(text) => formatter.write_str(text),
            Self::String(text) => write!(formatter, "'{}'", text.replace('\'', "''")),
            Self::Guid(guid) => write!(formatter, "{guid}"),
            Self::Enum { type_name, member } => {
                write!(formatter, "{type_name}'{}'", member.replace('\'', "''"))
            }
        }
    }
}

/// Reads `'...'` with doubled quotes; the cursor stands on the first quote.
fn quoted(cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
    let start = cursor.position();
    cursor.accept('\'');
    let mut text = String::new();
    loop {
        text.push_str(cursor.take_while(|character| character != '\''));
        if !cursor.accept('\'') {
            return Err(SyntaxError::new(start, SyntaxErrorKind::UnterminatedString));
        }
        if !cursor.accept('\'') {
            return Ok(text);
        }
        text.push('\'');
    }
}

fn number_or_date(cursor: &mut Cursor<'_>) -> Result<Literal, SyntaxError> {
    let start = cursor.position();
    let word = cursor.take_while(|character| {
        character.is_alphanumeric() || matches!(character, '.' | ':' | '+' | '-' | '_')
    });
    if let Ok(value) = word.parse::<i64>() {
        return Ok(Literal::Integer(value));
    }
    if is_decimal(word) {
        return match word.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Literal::Decimal(word.to_owned())),
            _ => Err(SyntaxError::new(start, SyntaxErrorKind::NumberOutOfRange)),
        };
    }
    if parse_day(word).is_some() || parse_moment(word).is_some() {
        return Ok(Literal::DateTime(word.to_owned()));
    }
    Err(SyntaxError::new(start, SyntaxErrorKind::InvalidLiteral { text: excerpt(word) }))
}

/// ABNF `doubleValue` without `INF` and `NaN`: sign, digits, fraction, exponent.
fn is_decimal(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let mantissa = match mantissa.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(mantissa),
    };
    mantissa && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Literal {
        Literal::parse(text).unwrap()
    }

    #[test]
    fn every_kind_of_literal_is_told_by_its_spelling() {
        assert_eq!(parsed("null"), Literal::Null);
        assert_eq!(parsed("true"), Literal::Bool(true));
        assert_eq!(parsed("-42"), Literal::Integer(-42));
        assert_eq!(parsed("1.50"), Literal::Decimal("1.50".into()));
        assert_eq!(parsed("9223372036854775808"), Literal::Decimal("9223372036854775808".into()));
        assert_eq!(parsed("'O''Neil & Söhne'"), Literal::String("O'Neil & Söhne".into()));
        assert_eq!(parsed("''"), Literal::String(String::new()));
        assert_eq!(
            parsed("A0000015-0000-0000-C000-000000000000").to_json(),
            "a0000015-0000-0000-c000-000000000000"
        );
        assert_eq!(parsed("2026-11-22"), Literal::DateTime("2026-11-22".into()));
        assert_eq!(parsed("2026-11-22T08:50:00Z"), Literal::DateTime("2026-11-22T08:50:00Z".into()));
        assert_eq!(
            parsed("Microsoft.Dynamics.DataEntities.NoYes'Yes'"),
            Literal::Enum { type_name: "Microsoft.Dynamics.DataEntities.NoYes".into(), member: "Yes".into() }
        );
    }

    #[test]
    fn what_is_no_literal_is_refused_with_its_place() {
        let error = |text: &str| Literal::parse(text).unwrap_err();
        assert_eq!(error("'open").kind, SyntaxErrorKind::UnterminatedString);
        assert_eq!(error("'a' b").offset, 3);
        assert_eq!(error("12abc").kind, SyntaxErrorKind::InvalidLiteral { text: "12abc".into() });
        assert_eq!(error("1e999").kind, SyntaxErrorKind::NumberOutOfRange);
        assert_eq!(error("").kind, SyntaxErrorKind::UnexpectedEnd { expected: "a literal" });
        assert_eq!(
            error("guid'00000015-0000-0000-c000-000000000000'").kind,
            SyntaxErrorKind::UnsupportedName { text: "guid".into() },
            "the spelling of OData 3"
        );
        assert_eq!(error(&"1".repeat(70_000)).kind, SyntaxErrorKind::TooLong { limit: crate::MAX_TEXT });
    }

    #[test]
    fn json_holds_what_a_row_would() {
        assert_eq!(parsed("1.50").to_json(), serde_json::json!(1.5));
        assert_eq!(parsed("7").to_json(), serde_json::json!(7));
        assert_eq!(parsed("A.B'No'").to_json(), serde_json::json!("No"));
    }
}
