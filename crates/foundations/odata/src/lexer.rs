//! The words of an expression, as Microsoft's OData library cuts them.
//!
//! Decides what stands where, and which literal a word is; what they mean together is the parser's.

use crate::Guid;
use crate::literal::Literal;
use crate::{At, Fault};
use mocktenant_schema::moment::{parse_day, parse_moment};

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) text: &'t str,
    /// Where it begins, in bytes.
    pub(crate) start: usize,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    End,
    Literal(Literal),
    /// `[..]` or `{..}`, as it stands there.
    Bracketed,
    Identifier,
    Alias,
    OpenParen,
    CloseParen,
    Comma,
    Semicolon,
    Minus,
    Slash,
    Dot,
    Colon,
    Star,
    Equal,
}

/// The reading head.
pub(crate) struct Lexer<'t> {
    text: &'t str,
    /// Behind the word that is read.
    position: usize,
    pub(crate) token: Token<'t>,
}

impl<'t> Lexer<'t> {
    /// On the first word.
    pub(crate) fn new(text: &'t str) -> Result<Self, Fault> {
        let token = Token { kind: Kind::End, text: "", start: 0 };
        let mut lexer = Self { text, position: 0, token };
        lexer.next()?;
        Ok(lexer)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// A place, as .NET counts them.
    pub(crate) fn at(&self, byte: usize) -> At {
        let before = self.text.get(..byte).unwrap_or(self.text);
        At { position: before.encode_utf16().count(), text: self.text.to_owned() }
    }

    /// Where the word begins.
    pub(crate) fn here(&self) -> At {
        self.at(self.token.start)
    }

    /// Behind the word.
    pub(crate) fn behind(&self) -> At {
        self.at(self.position)
    }

    /// Whether the word is this one.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.token.kind == Kind::Identifier && self.token.text == word
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|character| !wanted(character)).unwrap_or(rest.len());
        let run = rest.get(..end).unwrap_or_default();
        self.position += run.len();
        run
    }

    /// The next word without going on to it.
    pub(crate) fn peek_next(&self) -> Result<Token<'t>, Fault> {
        let mut ahead = Lexer { text: self.text, position: self.position, token: self.token.clone() };
        ahead.next()?;
        Ok(ahead.token)
    }

    /// Goes on to the next word.
    pub(crate) fn next(&mut self) -> Result<(), Fault> {
        self.take_while(char::is_whitespace);
        let start = self.position;
        let kind = match self.peek() {
            None => Kind::End,
            Some(first) => match first {
                '(' => self.single(Kind::OpenParen),
                ')' => self.single(Kind::CloseParen),
                ',' => self.single(Kind::Comma),
                ';' => self.single(Kind::Semicolon),
                '/' => self.single(Kind::Slash),
                '.' => self.single(Kind::Dot),
                ':' => self.single(Kind::Colon),
                '*' => self.single(Kind::Star),
                '=' => self.single(Kind::Equal),
                '-' => self.sign(start)?,
                '\'' => Kind::Literal(Literal::String(self.quoted(false)?)),
                '@' => {
                    self.position += 1;
                    match self.peek() {
                        None => return Err(Fault::Syntax(self.behind())),
                        Some(first) if is_letter(first) && !first.is_ascii_digit() => {}
                        Some(other) => return Err(Fault::Character(other, self.behind())),
                    }
                    self.take_while(is_letter);
                    Kind::Alias
                }
                '{' => self.balanced('{', '}')?,
                '[' => self.balanced('[', ']')?,
                digit if digit.is_ascii_digit() => self.number(start)?,
                letter if letter.is_alphabetic() || matches!(letter, '_' | '$') => self.word(start)?,
                other => return Err(Fault::Character(other, self.behind())),
            },
        };
        let text = self.text.get(start..self.position).unwrap_or_default();
        self.token = Token { kind, text, start };
        Ok(())
    }

    fn single(&mut self, kind: Kind) -> Kind {
        self.position += 1;
        kind
    }

    fn sign(&mut self, start: usize) -> Result<Kind, Fault> {
        let behind = self.rest().get(1..).unwrap_or_default();
        if behind.starts_with(|next: char| next.is_ascii_digit()) {
            return self.number(start);
        }
        Ok(self.single(Kind::Minus))
    }

    /// `'..'` with doubled quotes.
    fn quoted(&mut self, literal: bool) -> Result<String, Fault> {
        self.position += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|character| character != '\''));
            if self.peek().is_none() {
                let at = self.behind();
                return Err(if literal {
                    Fault::UnterminatedLiteral(at)
                } else {
                    Fault::UnterminatedString(at)
                });
            }
            self.position += 1;
            if self.peek() != Some('\'') {
                return Ok(text);
            }
            self.position += 1;
            text.push('\'');
        }
    }

    /// A bracket up to its partner, quotes counted.
    fn balanced(&mut self, open: char, close: char) -> Result<Kind, Fault> {
        let mut depth = 0_usize;
        let mut quoted: Option<char> = None;
        for (at, character) in self.rest().char_indices() {
            match quoted {
                Some(quote) if quote == character => quoted = None,
                Some(_) => {}
                None if matches!(character, '\'' | '"') => quoted = Some(character),
                None if character == open => depth += 1,
                None if character == close => {
                    depth -= 1;
                    if depth == 0 {
                        self.position += at + 1;
                        return Ok(Kind::Bracketed);
                    }
                }
                None => {}
            }
        }
        Err(Fault::UnbalancedBracket)
    }

    /// What begins with a digit or a sign: a GUID, a date, a number.
    fn number(&mut self, start: usize) -> Result<Kind, Fault> {
        if let Some(guid) = self.guid() {
            return Ok(guid);
        }
        let hexadecimal = |text: &str| text.starts_with("0x") || text.starts_with("0X");
        if self.rest().get(..2).is_some_and(hexadecimal) {
            self.position += 2;
            self.take_while(|character| character.is_ascii_hexdigit());
            return Err(self.unrecognized("Edm.Binary", start));
        }
        let dated =
            |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | ':' | '.' | '+');
        let rest = self.rest();
        let end = rest.find(|character| !dated(character)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if word.len() >= 10
            && (parse_day(word).is_some() || word.contains('T') && parse_moment(word).is_some())
        {
            self.position += word.len();
            return Ok(Kind::Literal(Literal::DateTime(word.to_owned())));
        }
        if looks_like_a_moment(word) {
            return Err(Fault::MomentFormat(word.to_owned()));
        }
        if self.peek() == Some('-') {
            self.position += 1;
        }
        self.take_while(|character| character.is_ascii_digit());
        if self.peek() == Some('.') {
            self.position += 1;
            if self.take_while(|character| character.is_ascii_digit()).is_empty() {
                return Err(Fault::DigitExpected(self.behind()));
            }
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.position += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.position += 1;
            }
            if self.take_while(|character| character.is_ascii_digit()).is_empty() {
                return Err(Fault::DigitExpected(self.behind()));
            }
        }
        let word = self.text.get(start..self.position).unwrap_or_default();
        // the suffixes of older versions: long, single, double, decimal
        if matches!(self.peek(), Some('L' | 'l' | 'F' | 'f' | 'D' | 'd' | 'M' | 'm')) {
            self.position += 1;
        }
        Ok(Kind::Literal(match word.parse::<i64>() {
            Ok(whole) => Literal::Integer(whole),
            Err(_) => Literal::Decimal(word.to_owned()),
        }))
    }

    /// A literal that is no value of its type, from there to where the head stands.
    fn unrecognized(&self, kind: &'static str, start: usize) -> Fault {
        let literal = self.text.get(start..self.position).unwrap_or_default().to_owned();
        Fault::Unrecognized { kind, literal, at: self.at(start) }
    }

    /// A quoted value behind a prefix: one of a type that is not served, or of none.
    fn prefixed(&self, prefix: &str, value: &str, start: usize) -> Fault {
        let unserved = |kind: &str| Fault::Unsupported(format!("a value of {kind}"));
        let base64 =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '+' | '/' | '=');
        match prefix.to_ascii_lowercase().as_str() {
            "duration" if value.trim_start_matches(['-', '+']).starts_with('P') => unserved("Edm.Duration"),
            "duration" => self.unrecognized("Edm.Duration", start),
            "binary" if value.len().is_multiple_of(4) && value.chars().all(base64) => unserved("Edm.Binary"),
            "binary" => self.unrecognized("Edm.Binary", start),
            "geography" => unserved("Edm.Geography"),
            "geometry" => unserved("Edm.Geometry"),
            "null" => Fault::Syntax(self.at(start + prefix.len())),
            _ => self.unrecognized("Edm.String", start),
        }
    }

    /// A bracket that stands here, up to its partner and behind it, with quotes counted.
    pub(crate) fn enclosed(&mut self) -> Result<&'t str, Fault> {
        self.position = self.token.start;
        self.balanced('(', ')')?;
        Ok(self.text.get(self.token.start..self.position).unwrap_or_default())
    }

    fn guid(&mut self) -> Option<Kind> {
        let text = self.rest().get(..Guid::LENGTH)?;
        let guid = Guid::parse(text)?;
        let next = self.rest().get(Guid::LENGTH..)?.chars().next();
        if next.is_some_and(|next| next.is_alphanumeric() || next == '-') {
            return None;
        }
        self.position += Guid::LENGTH;
        Some(Kind::Literal(Literal::Guid(guid)))
    }

    /// What begins with a letter: a GUID, a word that is a value, a name, or a name before a quoted value.
    fn word(&mut self, start: usize) -> Result<Kind, Fault> {
        if let Some(guid) = self.guid() {
            return Ok(guid);
        }
        if self.peek() == Some('$') {
            self.position += 1;
        }
        let word = self.take_while(is_letter);
        // a quoted value behind a name with its dots
        let mut ahead = self.position;
        while self.text.get(ahead..).is_some_and(|rest| rest.starts_with('.')) {
            let rest = self.text.get(ahead + 1..).unwrap_or_default();
            let more = rest.find(|character| !is_letter(character)).unwrap_or(rest.len());
            if more == 0 {
                break;
            }
            ahead += 1 + more;
        }
        if self.text.get(ahead..).is_some_and(|rest| rest.starts_with('\'')) {
            let type_name = self.text.get(start..ahead).unwrap_or_default().to_owned();
            self.position = ahead;
            let member = self.quoted(true)?;
            if !type_name.contains('.') {
                return Err(self.prefixed(&type_name, &member, start));
            }
            return Ok(Kind::Literal(Literal::Enum { type_name, member }));
        }
        Ok(match word {
            "null" => Kind::Literal(Literal::Null),
            "true" => Kind::Literal(Literal::Bool(true)),
            "false" => Kind::Literal(Literal::Bool(false)),
            _ => Kind::Identifier,
        })
    }
}

/// A date and a time, whether there are such ones or not.
fn looks_like_a_moment(word: &str) -> bool {
    let form = "0000-00-00T00:00";
    let same = |(given, wanted): (char, char)| given == wanted || wanted == '0' && given.is_ascii_digit();
    word.len() >= form.len() && word.chars().zip(form.chars()).all(same)
}

fn is_letter(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
