//! `$apply`: rows filtered, grouped and aggregated (OData Extension for Data Aggregation 4.0).
//!
//! Decides which transformations there are (`filter`, `groupby`, `aggregate`, one after another) and binds them to a schema. What
//! else the extension knows is refused as not built, by its name.

use mocktenant_query::{Expression, Path};
use mocktenant_schema::Table;

use crate::bind::Binder;
use crate::dialect::Type;
use crate::fault::Fault;
use crate::lexer::Kind;
use crate::syntax::{Parser, Syntax, parse};

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

impl Binder<'_> {
    /// Reads and binds `$apply`.
    pub fn apply(&self, table: Table<'_>, text: &str) -> Result<Apply, Fault> {
        let mut apply = Apply::default();
        let parts = crate::query::split(text, '/')?;
        for (at, part) in parts.iter().enumerate() {
            let part = part.trim();
            let (name, inner) = part.split_once('(').ok_or_else(|| keyword(part))?;
            let inner = inner.strip_suffix(')').ok_or(Fault::UnbalancedBracket)?;
            let grouped = !apply.groups.is_empty() || !apply.measures.is_empty();
            match name.trim() {
                _ if grouped => {
                    return Err(Fault::Unsupported(format!("{name} behind groupby or aggregate")));
                }
                "filter" => {
                    let condition = self.filter(table, &parse(inner)?)?;
                    apply.filter = Some(match apply.filter.take() {
                        Some(filter) => filter.and(condition),
                        None => condition,
                    });
                }
                "aggregate" => apply.measures = self.measures(table, inner)?,
                "groupby" => self.groups(table, inner, &mut apply)?,
                other if matches!(other, "compute" | "expand" | "concat" | "identity" | "topcount") => {
                    return Err(Fault::Unsupported(format!("the transformation {other}")));
                }
                _ => return Err(keyword(parts.get(at).copied().unwrap_or_default())),
            }
        }
        Ok(apply)
    }

    /// `(a,b),aggregate(..)`
    fn groups(&self, table: Table<'_>, text: &str, apply: &mut Apply) -> Result<(), Fault> {
        let mut parts = crate::query::split(text, ',')?.into_iter();
        let names = parts.next().unwrap_or_default().trim();
        let names = names.strip_prefix('(').and_then(|names| names.strip_suffix(')'));
        let names = names.ok_or_else(|| Fault::OpenParenExpected(whole(text)))?;
        for name in names.split(',') {
            let Syntax::Path(path) = parse(name.trim())? else { return Err(Fault::GroupBy(name.to_owned())) };
            let (bound, _) = self.path(table, &path)?;
            apply.groups.push((name.trim().to_owned(), bound));
        }
        let rest: Vec<&str> = parts.collect();
        match rest.as_slice() {
            [] => Ok(()),
            [one] => {
                let inner = one.trim().strip_prefix("aggregate(").and_then(|rest| rest.strip_suffix(')'));
                let inner = inner.ok_or_else(|| Fault::Unsupported(format!("{} in groupby", one.trim())))?;
                apply.measures = self.measures(table, inner)?;
                Ok(())
            }
            [_, more, ..] => Err(Fault::Syntax(whole(more))),
        }
    }

    /// `revenue with sum as total,$count as n`
    fn measures(&self, table: Table<'_>, text: &str) -> Result<Vec<Measure>, Fault> {
        let mut parser = Parser::new(text)?;
        let mut measures = Vec::new();
        loop {
            let expression = parser.expression()?;
            let (of, kind) = match &expression {
                Syntax::Path(path) if path.as_slice() == ["$count"] => (None, Type::Primitive("Edm.Int64")),
                Syntax::Path(path) => {
                    let (path, kind) = self.path(table, path)?;
                    (Some(path), kind)
                }
                _ => return Err(Fault::Unsupported("an expression in aggregate".to_owned())),
            };
            let method = match &of {
                None => Method::Count,
                Some(_) => {
                    if !parser.lexer.is("with") {
                        return Err(Fault::WithExpected(parser.lexer.here()));
                    }
                    parser.lexer.next()?;
                    let method = method(&mut parser)?;
                    let numeric = kind.width().is_some();
                    if matches!(method, Method::Sum | Method::Average) && !numeric {
                        let expression = match &expression {
                            Syntax::Path(path) => path.join("/"),
                            _ => String::new(),
                        };
                        return Err(Fault::AggregateType { expression, kind: kind.name() });
                    }
                    method
                }
            };
            if !parser.lexer.is("as") {
                return Err(Fault::AsExpected(parser.lexer.here()));
            }
            parser.lexer.next()?;
            if parser.lexer.token.kind != Kind::Identifier {
                return Err(Fault::Syntax(parser.lexer.behind()));
            }
            measures.push(Measure { of, method, alias: parser.lexer.token.text.to_owned() });
            parser.lexer.next()?;
            if parser.lexer.token.kind != Kind::Comma {
                break;
            }
            parser.lexer.next()?;
        }
        parser.end()?;
        Ok(measures)
    }
}

fn method(parser: &mut Parser<'_>) -> Result<Method, Fault> {
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

fn whole(text: &str) -> crate::fault::At {
    crate::fault::At { position: 0, text: text.to_owned() }
}

/// A word that is no transformation.
fn keyword(text: &str) -> Fault {
    Fault::KeywordOrIdentifierExpected { words: "aggregate|filter|groupby|compute|expand", at: whole(text) }
}
