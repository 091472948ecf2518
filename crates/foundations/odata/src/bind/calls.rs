//! Calls in an expression: the library's functions and a service's own query functions.
//!
//! Decides which there are, how they can be called, and what values they take; a function that the library has and the service does
//! not serve is said by its name.

use mocktenant_query::{Comparison, Expression, Function, TextFunction};
use mocktenant_schema::moment::DAY;
use mocktenant_schema::{Cell, Column, Kind};
use serde_json::Value;

use super::{Binder, Bound, Clock, Scope, condition};
use crate::dialect::{QueryFunction, Type};
use crate::fault::Fault;
use crate::literal::Literal;
use crate::syntax::{Syntax, parse};

impl Binder<'_> {
    pub(super) fn call(
        &self,
        scope: Scope<'_>,
        name: &str,
        arguments: &[(Option<String>, Syntax)],
    ) -> Result<Bound, Fault> {
        if let Some(short) = name.strip_prefix(self.dialect.namespace).and_then(|rest| rest.strip_prefix('.'))
        {
            let known = self.dialect.query_functions.iter().find(|(one, _)| *one == short);
            return match known {
                Some((_, function)) => self.query_function(scope, *function, name, arguments),
                None => Err(Fault::UnknownFunction(name.to_owned())),
            };
        }
        if let Some(function) = text_function(name) {
            return self.text_function(scope, function, name, arguments);
        }
        let Some((function, signature)) = signature(name) else {
            return Err(Fault::UnknownFunction(name.to_owned()));
        };
        let mut bound = Vec::new();
        for (_, argument) in arguments {
            bound.push(self.bind(scope, argument)?);
        }
        if !signature.iter().any(|one| one.parameters.len() == bound.len()) {
            return Err(Fault::NoOverload { name: name.to_owned(), arguments: bound.len() });
        }
        let fits = |one: &&Signature| {
            one.parameters.len() == bound.len()
                && one.parameters.iter().zip(&bound).all(|(wanted, given)| {
                    given.kind == Type::Null
                        || given.kind == Type::Primitive(wanted)
                        || given.kind.width() <= Type::Primitive(wanted).width()
                            && given.kind.width().is_some()
                })
        };
        let Some(found) = signature.iter().find(fits) else {
            let signatures: Vec<String> = signature.iter().map(|one| one.text(name)).collect();
            return Err(Fault::NoApplicableFunction {
                name: name.to_owned(),
                signatures: signatures.join("; "),
            });
        };
        if !self.dialect.functions.contains(&function) {
            return Err(Fault::Unsupported(format!("the function {name}")));
        }
        let arguments = bound.into_iter().map(|one| one.expression).collect();
        let kind = Type::Primitive(found.result);
        Ok(Bound { expression: Expression::Call { function, arguments }, kind, column: None })
    }

    fn text_function(
        &self,
        scope: Scope<'_>,
        function: TextFunction,
        name: &str,
        arguments: &[(Option<String>, Syntax)],
    ) -> Result<Bound, Fault> {
        let [(_, whole), (_, part)] = arguments else {
            return Err(Fault::NoOverload { name: name.to_owned(), arguments: arguments.len() });
        };
        let (whole, part) = (self.bind(scope, whole)?, self.bind(scope, part)?);
        let text = |bound: &Bound| matches!(bound.kind, Type::Null | Type::Primitive("Edm.String"));
        if !text(&whole) || !text(&part) {
            let signatures = format!("{name}(Edm.String Nullable=true, Edm.String Nullable=true)");
            return Err(Fault::NoApplicableFunction { name: name.to_owned(), signatures });
        }
        if !self.dialect.text_functions.contains(&function) {
            return Err(Fault::Unsupported(format!("the function {name}")));
        }
        let (whole, part) = (Box::new(whole.expression), Box::new(part.expression));
        Ok(condition(Expression::Text { function, whole, part }))
    }

    /// A condition of the service's own, on a property by its name.
    fn query_function(
        &self,
        scope: Scope<'_>,
        function: QueryFunction,
        name: &str,
        arguments: &[(Option<String>, Syntax)],
    ) -> Result<Bound, Fault> {
        let undeclared = || Fault::UnknownFunction(name.to_owned());
        let argument = |wanted: &str| {
            arguments.iter().find(|(name, _)| name.as_deref() == Some(wanted)).map(|(_, syntax)| syntax)
        };
        let property =
            self.text_of(argument("PropertyName").ok_or_else(undeclared)?).ok_or_else(undeclared)?;
        let names: Vec<String> = property.split('/').map(str::to_owned).collect();
        let bound = self.walk(scope, &names)?;
        let Some((table, ordinal)) = bound.column else {
            return Err(self.undeclared(scope.table, &property));
        };
        let column = self.schema.at(table).and_then(|table| table.at(ordinal)).ok_or_else(undeclared)?;
        let value = Box::new(bound.expression);
        let Clock { now, day, date } = self.clock;
        let (now, day) = if column.kind() == Kind::Day { (date, date) } else { (now, day) };
        let several = || -> Result<Vec<Cell>, Fault> {
            let syntax = argument("PropertyValues").ok_or_else(undeclared)?;
            let text = match syntax {
                Syntax::Bracketed(text) => text.clone(),
                Syntax::Alias(alias) => (self.aliases)(alias).ok_or_else(undeclared)?,
                _ => return Err(undeclared()),
            };
            let values = list_of(&text).ok_or(Fault::UnbalancedBracket)?;
            let cells = values.iter().map(|value| self.json_cell(column, value));
            cells.collect::<Option<Vec<_>>>().ok_or_else(|| self.mistyped(column, name))
        };
        let count = || -> Result<i64, Fault> {
            let syntax = argument("PropertyValue").ok_or_else(undeclared)?;
            let text = match self.literal_of(syntax).ok_or_else(undeclared)? {
                Literal::Integer(whole) => return Ok(whole),
                Literal::String(text) => text,
                _ => return Err(undeclared()),
            };
            text.trim().parse().map_err(|_| undeclared())
        };
        let between = |from: Cell, to: Cell| {
            let bound = |op, cell| Expression::Compare {
                op,
                left: value.clone(),
                right: Box::new(Expression::Constant(cell)),
            };
            Expression::And(vec![bound(Comparison::GreaterOrEqual, from), bound(Comparison::LessOrEqual, to)])
        };
        Ok(condition(match function {
            QueryFunction::In => Expression::OneOf { value, of: several()? },
            QueryFunction::NotIn => Expression::Not(Box::new(Expression::OneOf { value, of: several()? })),
            QueryFunction::Between | QueryFunction::NotBetween => {
                let mut values = several()?.into_iter();
                let (Some(from), Some(to), None) = (values.next(), values.next(), values.next()) else {
                    return Err(undeclared());
                };
                let within = between(from, to);
                if function == QueryFunction::Between { within } else { Expression::Not(Box::new(within)) }
            }
            QueryFunction::LastXHours => {
                let from = self.clock.now.saturating_sub(count()?.saturating_mul(3_600));
                between(Cell::Moment(from), Cell::Moment(self.clock.now))
            }
            QueryFunction::LastXDays => {
                let from = day.saturating_sub(count()?.saturating_mul(DAY));
                between(Cell::Moment(from), Cell::Moment(now))
            }
            QueryFunction::Today => between(Cell::Moment(day), Cell::Moment(day.saturating_add(DAY - 1))),
        }))
    }

    fn mistyped(&self, column: Column<'_>, name: &str) -> Fault {
        Fault::Unsupported(format!(
            "a value of another type than {} in {name}",
            self.dialect.type_of(column).name()
        ))
    }

    /// A fixed text, also behind an alias.
    fn text_of(&self, syntax: &Syntax) -> Option<String> {
        match self.literal_of(syntax)? {
            Literal::String(text) => Some(text),
            _ => None,
        }
    }

    fn literal_of(&self, syntax: &Syntax) -> Option<Literal> {
        match syntax {
            Syntax::Literal(literal) => Some(literal.clone()),
            Syntax::Alias(name) => match parse(&(self.aliases)(name)?).ok()? {
                Syntax::Literal(literal) => Some(literal),
                _ => None,
            },
            _ => None,
        }
    }

    /// A fixed value as a column keeps it.
    fn cell(&self, column: Column<'_>, literal: &Literal) -> Option<Cell> {
        let kind = self.dialect.type_of(column);
        let given = self.literal(literal).ok()?;
        let own = Bound { expression: Expression::Constant(Cell::Null), kind, column: None };
        match self.fitted(&own, &given)? {
            (_, Expression::Constant(cell)) => Some(cell),
            _ => None,
        }
    }

    fn json_cell(&self, column: Column<'_>, value: &Value) -> Option<Cell> {
        if let Ok(cell) = mocktenant_schema::value::read(column, value) {
            return Some(cell);
        }
        // lists are of texts, whatever the column is
        let text = value.as_str()?;
        match parse(text).ok()? {
            Syntax::Literal(literal) => self.cell(column, &literal),
            _ => None,
        }
    }
}

/// `['a','b']` and `["a","b"]` as JSON values.
fn list_of(text: &str) -> Option<Vec<Value>> {
    if let Ok(Value::Array(values)) = serde_json::from_str(text) {
        return Some(values);
    }
    let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    let mut values = Vec::new();
    let mut parser = crate::syntax::Parser::new(inner).ok()?;
    loop {
        match parser.expression().ok()? {
            Syntax::Literal(literal) => values.push(literal.to_json()),
            _ => return None,
        }
        if parser.end().is_ok() {
            return Some(values);
        }
        if parser.lexer.token.kind != crate::lexer::Kind::Comma {
            return None;
        }
        parser.lexer.next().ok()?;
    }
}

fn text_function(name: &str) -> Option<TextFunction> {
    Some(match name {
        "contains" => TextFunction::Contains,
        "startswith" => TextFunction::StartsWith,
        "endswith" => TextFunction::EndsWith,
        _ => return None,
    })
}

/// How a function can be called.
struct Signature {
    parameters: &'static [&'static str],
    result: &'static str,
}

impl Signature {
    fn text(&self, name: &str) -> String {
        let nullable = |kind: &&str| match *kind {
            "Edm.String" => format!("{kind} Nullable=true"),
            _ => format!("{kind} Nullable=false"),
        };
        format!("{name}({})", self.parameters.iter().map(nullable).collect::<Vec<_>>().join(", "))
    }
}

const TEXT: &str = "Edm.String";
const WHOLE: &str = "Edm.Int32";
const MOMENT: &str = "Edm.DateTimeOffset";

/// The library's functions that make values.
fn signature(name: &str) -> Option<(Function, &'static [Signature])> {
    const OF_TEXT: &[Signature] = &[Signature { parameters: &[TEXT], result: TEXT }];
    const PART: &[Signature] = &[
        Signature { parameters: &[MOMENT], result: WHOLE },
        Signature { parameters: &["Edm.Date"], result: WHOLE },
    ];
    const OF_TIME: &[Signature] = &[Signature { parameters: &[MOMENT], result: WHOLE }];
    const ROUNDED: &[Signature] = &[
        Signature { parameters: &["Edm.Double"], result: "Edm.Double" },
        Signature { parameters: &["Edm.Decimal"], result: "Edm.Decimal" },
    ];
    Some(match name {
        "tolower" => (Function::Lower, OF_TEXT),
        "toupper" => (Function::Upper, OF_TEXT),
        "trim" => (Function::Trim, OF_TEXT),
        "length" => (Function::Length, &[Signature { parameters: &[TEXT], result: WHOLE }]),
        "concat" => (Function::Concat, &[Signature { parameters: &[TEXT, TEXT], result: TEXT }]),
        "indexof" => (Function::IndexOf, &[Signature { parameters: &[TEXT, TEXT], result: WHOLE }]),
        "substring" => (
            Function::Substring,
            &[
                Signature { parameters: &[TEXT, WHOLE], result: TEXT },
                Signature { parameters: &[TEXT, WHOLE, WHOLE], result: TEXT },
            ],
        ),
        "year" => (Function::Year, PART),
        "month" => (Function::Month, PART),
        "day" => (Function::Day, PART),
        "hour" => (Function::Hour, OF_TIME),
        "minute" => (Function::Minute, OF_TIME),
        "second" => (Function::Second, OF_TIME),
        "date" => (Function::Date, &[Signature { parameters: &[MOMENT], result: "Edm.Date" }]),
        "round" => (Function::Round, ROUNDED),
        "floor" => (Function::Floor, ROUNDED),
        "ceiling" => (Function::Ceiling, ROUNDED),
        _ => return None,
    })
}
