//! The last segment of a resource path: `accounts`, `accounts(guid)`, `CustomersV3(dataAreaId='DAT',..)`, `WhoAmI()`.
//!
//! Decides what the raw segment spells (URL conventions 4.3 and 4.5, parameter aliases 5.3); whether the name is an
//! entity set or a function is the surface's to know. Percent-encoding is undone here, once, after the path was split:
//! `%2F` inside a quoted key value is a slash of the value. `+` is a plus sign in a path.

use std::fmt;

use crate::cursor::Cursor;
use crate::error::{SyntaxError, SyntaxErrorKind, excerpt};
use crate::literal::Literal;
use crate::percent;

/// A value in a segment: spelled out, or the name of a parameter alias in the query string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// The value itself.
    Literal(Literal),
    /// `@p1`, here with its `@`: the value is the query option of that name.
    Alias(String),
}

impl Argument {
    /// The value, an alias looked up by `alias` (see [`crate::QueryOptions::alias`]). An alias that is nowhere given is
    /// null (protocol 11.2.3.1); one that is no literal is an error whose offset counts from the alias's own value.
    pub fn resolve<'q>(&self, alias: impl Fn(&str) -> Option<&'q str>) -> Result<Literal, SyntaxError> {
        match self {
            Self::Literal(literal) => Ok(literal.clone()),
            Self::Alias(name) => alias(name).map_or(Ok(Literal::Null), Literal::parse),
        }
    }
}

/// What stands in the parentheses of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// No parentheses: `accounts`, `WhoAmI`.
    None,
    /// One value without a name: `accounts(guid)`.
    Key(Argument),
    /// Values by name, in the order written, no name twice; empty for `WhoAmI()`.
    Named(Vec<(String, Argument)>),
}

/// One segment of a resource path. [`fmt::Display`] prints it decoded, [`ResourceSegment::to_path`] encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceSegment {
    /// The entity set or function, with its namespace if one was given: `Microsoft.Dynamics.CRM.WhoAmI`.
    pub name: String,
    /// What stands in the parentheses.
    pub arguments: Arguments,
}

impl ResourceSegment {
    /// Reads a raw (still percent-encoded) segment without slashes. Offsets of errors count in the raw segment.
    pub fn parse(raw: &str) -> Result<Self, SyntaxError> {
        let decoded = percent::decode(raw)?;
        segment(&decoded)
            .map_err(|error| SyntaxError::new(percent::raw_offset(raw, error.offset), error.kind))
    }

    /// Every named value, or the one without a name under `single`, with aliases resolved as [`Argument::resolve`] does.
    pub fn named_literals<'q>(
        &self,
        single: &str,
        alias: impl Fn(&str) -> Option<&'q str>,
    ) -> Result<Vec<(String, Literal)>, SyntaxError> {
        match &self.arguments {
            Arguments::None => Ok(Vec::new()),
            Arguments::Key(argument) => Ok(vec![(single.to_owned(), argument.resolve(&alias)?)]),
            Arguments::Named(arguments) => arguments
                .iter()
                .map(|(name, argument)| Ok((name.clone(), argument.resolve(&alias)?)))
                .collect(),
        }
    }

    /// The segment percent-encoded for a path, quotes, parentheses, commas and equals signs left readable.
    pub fn to_path(&self) -> String {
        percent::encode(&self.to_string(), "'(),=@:$!*;")
    }
}

fn segment(text: &str) -> Result<ResourceSegment, SyntaxError> {
    let mut cursor = Cursor::new(text)?;
    let name = cursor.qualified_name().ok_or_else(|| cursor.unexpected("a name"))?.to_owned();
    let arguments = if cursor.accept('(') {
        let arguments = arguments(&mut cursor)?;
        if !cursor.accept(')') {
            return Err(cursor.unexpected("',' or ')'"));
        }
        arguments
    } else {
        Arguments::None
    };
    if cursor.at_end() {
        Ok(ResourceSegment { name, arguments })
    } else {
        Err(cursor.unexpected("the end of the segment"))
    }
}

fn arguments(cursor: &mut Cursor<'_>) -> Result<Arguments, SyntaxError> {
    cursor.skip_space();
    if cursor.peek() == Some(')') {
        return Ok(Arguments::Named(Vec::new()));
    }
    let Some(first) = argument_name(cursor) else {
        let value = argument(cursor)?;
        cursor.skip_space();
        return Ok(Arguments::Key(value));
    };
    let mut named: Vec<(String, Argument)> = Vec::new();
    let mut name = first;
    loop {
        if named.iter().any(|(known, _)| *known == name) {
            return Err(cursor.error(SyntaxErrorKind::RepeatedName { name: excerpt(&name) }));
        }
        named.push((name, argument(cursor)?));
        if named.len() > MAX_ARGUMENTS {
            return Err(cursor.error(SyntaxErrorKind::TooLong { limit: MAX_ARGUMENTS }));
        }
        cursor.skip_space();
        if !cursor.accept(',') {
            return Ok(Arguments::Named(named));
        }
        cursor.skip_space();
        name = argument_name(cursor).ok_or_else(|| cursor.unexpected("a name and '='"))?;
    }
}

/// More names than any key or function has; keeps the search for repeated ones cheap.
const MAX_ARGUMENTS: usize = 64;

/// Moves past `name=`, or gives `None` without moving.
fn argument_name(cursor: &mut Cursor<'_>) -> Option<String> {
    let start = cursor.position();
    let name = cursor.identifier().map(str::to_owned);
    if let Some(name) = name {
        cursor.skip_space();
        if cursor.accept('=') {
            cursor.skip_space();
            return Some(name);
        }
    }
    cursor.rewind(start);
    None
}

fn argument(cursor: &mut Cursor<'_>) -> Result<Argument, SyntaxError> {
    if cursor.accept('@') {
        let name = cursor.identifier().ok_or_else(|| cursor.unexpected("the name of an alias"))?;
        return Ok(Argument::Alias(format!("@{name}")));
    }
    Literal::read(cursor)?.map(Argument::Literal).ok_or_else(|| cursor.unexpected("a literal or alias"))
}

impl fmt::Display for Argument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => literal.fmt(formatter),
            Self::Alias(name) => formatter.write_str(name),
        }
    }
}

impl fmt::Display for ResourceSegment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        match &self.arguments {
            Arguments::None => Ok(()),
            Arguments::Key(argument) => write!(formatter, "({argument})"),
            Arguments::Named(arguments) => {
                formatter.write_str("(")?;
                for (index, (name, argument)) in arguments.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(formatter, "{comma}{name}={argument}")?;
                }
                formatter.write_str(")")
            }
        }
    }
}
