//! `$apply`: rows filtered, grouped and aggregated (OData Extension for Data Aggregation 4.0).
//!
//! Decides which transformations there are (`filter`, `groupby`, `aggregate`, one after another) and binds them to a schema. What
//! else the extension knows is refused as not built, by its name.

use mocktenant_query::{Expression, Path};
use mocktenant_schema::Table;

use crate::Fault;
use crate::bind::Binder;
use crate::dialect::Type;
use crate::lexer::Kind;
use crate::syntax::{Parser, Syntax};

/// What is worked out of the values of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `sum`
    Sum,
    /// `min`
    Min,
    /// `max`
    Max,
    /// `average`
    Average,
    /// `countdistinct`
    CountDistinct,
    /// `$count`
    Count,
}

/// One value of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Of which column; `None` for `$count`.
    pub of: Option<Path>,
    /// How.
    pub method: Method,
    /// What it is called.
    pub alias: String,
}

/// What `$apply` asks for: rows that pass the filter, by groups, with the measures of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Apply {
    /// Which rows.
    pub filter: Option<Expression>,
    /// What groups have in common, by the names it was asked for with.
    pub groups: Vec<(String, Path)>,
    /// What is worked out of each group.
    pub measures: Vec<Measure>,
}

/// A transformation as it is written.
pub(crate) enum Step {
    Filter(Syntax),
    Aggregate(Vec<Written>),
    Group(Vec<Vec<String>>, Vec<Written>),
    Unserved(&'static str),
}

/// A value of a group as it is written.
pub(crate) struct Written {
    expression: Syntax,
    method: Method,
    alias: String,
}

/// Reads `$apply`: transformations with slashes between them.
pub(crate) fn parse_apply(text: &str) -> Result<Vec<Step>, Fault> {
    let mut parser = Parser::new(text)?;
    let mut steps = Vec::new();
    loop {
        if parser.lexer.token.kind != Kind::Identifier {
            return Err(Fault::IdentifierExpected(parser.lexer.here().position));
        }
        let word = parser.lexer.token.text;
        if !matches!(word, "aggregate" | "filter" | "groupby" | "compute" | "expand") {
            let at = parser.lexer.here();
            return Err(Fault::KeywordOrIdentifierExpected { words: TRANSFORMATIONS, at });
        }
        parser.lexer.next()?;
        steps.push(match word {
            "filter" => Step::Filter(parser.enclosed()?),
            "aggregate" => Step::Aggregate(measures(&mut parser)?),
            "groupby" => group(&mut parser)?,
            "compute" => computed(&mut parser)?,
            _ => return Ok(vec![Step::Unserved("expand")]),
        });
        if parser.lexer.token.kind != Kind::Slash {
            break;
        }
        parser.lexer.next()?;
    }
    parser.end()?;
    Ok(steps)
}

const TRANSFORMATIONS: &str = "aggregate|filter|groupby|compute|expand";

/// `((a,b),aggregate(..))`
fn group(parser: &mut Parser<'_>) -> Result<Step, Fault> {
    parser.open()?;
    parser.open()?;
    let mut paths = Vec::new();
    loop {
        let Syntax::Path(path) = parser.primary()? else {
            return Err(Fault::ExpressionExpected(parser.lexer.here()));
        };
        paths.push(path);
        if parser.lexer.token.kind != Kind::Comma {
            break;
        }
        parser.lexer.next()?;
    }
    if parser.lexer.token.kind != Kind::CloseParen {
        return Err(Fault::CloseParenOrOperatorExpected(parser.lexer.here()));
    }
    parser.lexer.next()?;
    let mut inner = Vec::new();
    if parser.lexer.token.kind == Kind::Comma {
        parser.lexer.next()?;
        if !parser.lexer.is("aggregate") {
            let at = parser.lexer.here();
            return Err(Fault::KeywordOrIdentifierExpected { words: "aggregate", at });
        }
        parser.lexer.next()?;
        inner = measures(parser)?;
    }
    parser.close()?;
    Ok(Step::Group(paths, inner))
}

/// `(a add b as c)`
fn computed(parser: &mut Parser<'_>) -> Result<Step, Fault> {
    parser.open()?;
    loop {
        parser.expression()?;
        alias(parser)?;
        if parser.lexer.token.kind != Kind::Comma {
            break;
        }
        parser.lexer.next()?;
    }
    parser.close()?;
    Ok(Step::Unserved("compute"))
}

/// `(revenue with sum as total,$count as n)`
fn measures(parser: &mut Parser<'_>) -> Result<Vec<Written>, Fault> {
    parser.open()?;
    let mut measures = Vec::new();
    loop {
        let expression = parser.expression()?;
        if parser.lexer.token.kind == Kind::OpenParen {
            return Err(Fault::Unsupported("values of related rows in aggregate".to_owned()));
        }
        let counts =
            matches!(&expression, Syntax::Path(path) if path.last().is_some_and(|last| last == "$count"));
        let method = if counts { Method::Count } else { method(parser)? };
        measures.push(Written { expression, method, alias: alias(parser)? });
        if parser.lexer.token.kind != Kind::Comma {
            break;
        }
        parser.lexer.next()?;
    }
    parser.close()?;
    Ok(measures)
}

/// `as total`
fn alias(parser: &mut Parser<'_>) -> Result<String, Fault> {
    if !parser.lexer.is("as") {
        return Err(Fault::AsExpected(parser.lexer.here()));
    }
    parser.lexer.next()?;
    let alias = parser.lexer.token.text.to_owned();
    parser.lexer.next()?;
    Ok(alias)
}

/// `with sum`
fn method(parser: &mut Parser<'_>) -> Result<Method, Fault> {
    if !parser.lexer.is("with") {
        return Err(Fault::WithExpected(parser.lexer.here()));
    }
    parser.lexer.next()?;
    if parser.lexer.token.kind != Kind::Identifier {
        return Err(Fault::Syntax(parser.lexer.behind()));
    }
    let found = match parser.lexer.token.text {
        "sum" => Method::Sum,
        "min" => Method::Min,
        "max" => Method::Max,
        "average" => Method::Average,
        "countdistinct" => Method::CountDistinct,
        other => {
            return Err(Fault::UnrecognizedWith { method: other.to_owned(), at: parser.lexer.here() });
        }
    };
    parser.lexer.next()?;
    Ok(found)
}

impl Binder<'_> {
    /// Reads and binds `$apply`.
    pub fn apply(&self, table: Table<'_>, text: &str) -> Result<Apply, Fault> {
        let mut apply = Apply::default();
        for step in parse_apply(text)? {
            let name = match &step {
                Step::Filter(_) => "filter",
                Step::Aggregate(_) => "aggregate",
                Step::Group(..) => "groupby",
                Step::Unserved(name) => name,
            };
            if !apply.groups.is_empty() || !apply.measures.is_empty() {
                return Err(Fault::Unsupported(format!("{name} behind groupby or aggregate")));
            }
            match step {
                Step::Filter(condition) => {
                    let condition = self.filter(table, &condition)?;
                    apply.filter = Some(match apply.filter.take() {
                        Some(filter) => filter.and(condition),
                        None => condition,
                    });
                }
                Step::Aggregate(written) => apply.measures = self.measures(table, written)?,
                Step::Group(paths, written) => {
                    for path in paths {
                        let (bound, _) = self.path(table, &path)?;
                        if apply.groups.iter().all(|(_, known)| *known != bound) {
                            apply.groups.push((path.join("/"), bound));
                        }
                    }
                    apply.measures = self.measures(table, written)?;
                }
                Step::Unserved(name) => {
                    return Err(Fault::Unsupported(format!("the transformation {name}")));
                }
            }
        }
        Ok(apply)
    }

    fn measures(&self, table: Table<'_>, written: Vec<Written>) -> Result<Vec<Measure>, Fault> {
        let mut measures = Vec::new();
        for Written { expression, method, alias } in written {
            let of = match &expression {
                Syntax::Path(path) if path.as_slice() == ["$count"] => None,
                Syntax::Path(path) => {
                    let (path, kind) = self.aggregated(table, path)?;
                    let adds = matches!(method, Method::Sum | Method::Average);
                    if adds && kind.width().is_none() {
                        return Err(Fault::AggregateType { kind: kind.name() });
                    }
                    Some(path)
                }
                _ => return Err(Fault::Unsupported("an expression in aggregate".to_owned())),
            };
            let named = |letter: char| letter.is_alphanumeric() || letter == '_';
            if !alias.chars().all(named) || alias.starts_with(|first: char| first.is_ascii_digit()) {
                return Err(Fault::Unsupported(format!("the alias {alias} in aggregate")));
            }
            measures.push(Measure { of, method, alias });
        }
        Ok(measures)
    }

    /// A column that is worked with.
    fn aggregated(&self, table: Table<'_>, path: &[String]) -> Result<(Path, Type), Fault> {
        match self.path(table, path) {
            Err(Fault::GroupBy(_)) => Err(Fault::AggregateCollection),
            other => other,
        }
    }
}
