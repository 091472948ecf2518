//! Calls in an expression: the library's functions and a service's own query functions.
//!
//! Decides which there are, how they can be called, and what values they take; a function that the library has and the service does
//! not serve is said by its name.

use mocktenant_query::{Comparison, Expression, Function, TextFunction};
use mocktenant_schema::moment::DAY;
use mocktenant_schema::{Cell, Column, Kind};
use serde_json::Value;

use super::{Binder, Bound, Clock, Scope, condition};
use crate::Fault;
use crate::dialect::{QueryFunction, Type};
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
        if matches!(name, "cast" | "isof") {
            return self.cast(scope, name, arguments);
        }
        if let Some(function) = text_function(name) {
            return self.text_function(scope, function, name, arguments);
        }
        let mut bound = Vec::new();
        for (_, argument) in arguments {
            bound.push(self.bind(scope, argument)?);
        }
        if let Some((_, name)) = name.rsplit_once('/') {
            return Err(Fault::FunctionWithParent(name.to_owned()));
        }
        let Some((function, signatures)) = signatures(name) else {
            return Err(Fault::UnknownFunction(name.to_owned()));
        };
        let Some(found) = matching(name, signatures, &bound)? else {
            return Err(inapplicable(name, signatures));
        };
        let served = function.filter(|function| self.dialect.functions.contains(function));
        let kind = Type::Primitive(found.result);
        let Some(function) = served else {
            self.unserved.note(format!("the function {name}"));
            return Ok(Bound { expression: Expression::Constant(Cell::Null), kind, column: None });
        };
        let arguments = bound.into_iter().map(|one| one.expression).collect();
        Ok(Bound { expression: Expression::Call { function, arguments }, kind, column: None })
    }

    /// `cast` and `isof`, which no service here serves.
    fn cast(
        &self,
        scope: Scope<'_>,
        name: &str,
        arguments: &[(Option<String>, Syntax)],
    ) -> Result<Bound, Fault> {
        let mut kind = None;
        for (_, argument) in arguments {
            match argument {
                Syntax::Path(path) if path.iter().any(|step| step.contains('.')) => kind = path.last(),
                argument => drop(self.bind(scope, argument)?),
            }
        }
        let Some(kind) = kind else {
            return Err(match arguments.len() {
                1 | 2 => Fault::CastWithoutType,
                found => Fault::CastOperands(found),
            });
        };
        let primitive = kind.strip_prefix("Edm.").is_some_and(|short| PRIMITIVE.contains(&short));
        if !primitive && self.named(kind).is_none() {
            return Err(Fault::CastNotEntity(kind.clone()));
        }
        Err(Fault::Unsupported(format!("the function {name}")))
    }

    fn text_function(
        &self,
        scope: Scope<'_>,
        function: TextFunction,
        name: &str,
        arguments: &[(Option<String>, Syntax)],
    ) -> Result<Bound, Fault> {
        let mut bound = Vec::new();
        for (_, argument) in arguments {
            bound.push(self.bind(scope, argument)?);
        }
        matching(name, TWO_TEXTS, &bound)?.ok_or_else(|| inapplicable(name, TWO_TEXTS))?;
        if !self.dialect.text_functions.contains(&function) {
            self.unserved.note(format!("the function {name}"));
        }
        let (Some(part), Some(whole)) = (bound.pop(), bound.pop()) else {
            return Err(inapplicable(name, TWO_TEXTS));
        };
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
        let moment = (self.clock)();
        let Clock { now, day, date } = moment;
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
                let Clock { now, .. } = moment;
                let from = now.saturating_sub(count()?.saturating_mul(3_600));
                between(Cell::Moment(from), Cell::Moment(now))
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
        match parser.lexer.token.kind {
            crate::lexer::Kind::End => return Some(values),
            crate::lexer::Kind::Comma => parser.lexer.next().ok()?,
            _ => return None,
        }
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

/// How a function can be called: the types of its arguments, with `?` where one may be null.
struct Signature {
    parameters: &'static [&'static str],
    result: &'static str,
}

impl Signature {
    fn text(&self, name: &str) -> String {
        let shown = self.parameters.iter().map(|one| match one.strip_suffix('?') {
            Some(kind) => format!("{kind} Nullable=true"),
            None => (*one).to_owned(),
        });
        format!("{name}({})", shown.collect::<Vec<_>>().join(", "))
    }

    fn takes(&self, given: &[Bound]) -> bool {
        let fits = |(wanted, given): (&&'static str, &Bound)| {
            let wanted = Type::Primitive(wanted.trim_end_matches('?'));
            let promoted = given.kind.width().is_some() && given.kind.width() <= wanted.width();
            given.kind == Type::Null || given.kind == wanted || promoted
        };
        self.parameters.len() == given.len() && self.parameters.iter().zip(given).all(fits)
    }
}

/// The way of calling a function that fits.
fn matching(
    name: &str,
    signatures: &'static [Signature],
    given: &[Bound],
) -> Result<Option<&'static Signature>, Fault> {
    if given.iter().any(|one| one.kind == Type::Rows) {
        return Err(Fault::ArgumentNotSingle(name.to_owned()));
    }
    let counted = signatures.iter().any(|one| one.parameters.len() == given.len());
    if !counted && !given.is_empty() && given.iter().all(|one| one.kind == Type::Null) {
        return Err(Fault::NoOverload { name: name.to_owned(), arguments: given.len() });
    }
    Ok(signatures.iter().find(|one| one.takes(given)))
}

fn inapplicable(name: &str, signatures: &[Signature]) -> Fault {
    let signatures: Vec<String> = signatures.iter().map(|one| one.text(name)).collect();
    Fault::NoApplicableFunction { name: name.to_owned(), signatures: signatures.join("; ") }
}

const WHOLE: &str = "Edm.Int32";
const TEXT: &str = "Edm.String?";
const TWO_TEXTS: &[Signature] = &[of(&[TEXT, TEXT], "Edm.Boolean")];

/// Primitive types that something may be cast to.
const PRIMITIVE: [&str; 11] = [
    "Boolean",
    "Byte",
    "Date",
    "DateTimeOffset",
    "Decimal",
    "Double",
    "Guid",
    "Int32",
    "Int64",
    "Single",
    "String",
];

const fn of(parameters: &'static [&'static str], result: &'static str) -> Signature {
    Signature { parameters, result }
}

/// The library's functions that make values, in the order in which it considers how to call them.
fn signatures(name: &str) -> Option<(Option<Function>, &'static [Signature])> {
    const OF_TEXT: &[Signature] = &[of(&[TEXT], "Edm.String")];
    const INDEX: &[Signature] = &[of(&[TEXT, TEXT], WHOLE)];
    const PART: &[Signature] = &[
        of(&["Edm.DateTimeOffset"], WHOLE),
        of(&["Edm.DateTimeOffset?"], WHOLE),
        of(&["Edm.Date"], WHOLE),
        of(&["Edm.Date?"], WHOLE),
    ];
    const OF_TIME: &[Signature] = &[
        of(&["Edm.DateTimeOffset"], WHOLE),
        of(&["Edm.DateTimeOffset?"], WHOLE),
        of(&["Edm.Duration"], WHOLE),
        of(&["Edm.Duration?"], WHOLE),
        of(&["Edm.TimeOfDay"], WHOLE),
        of(&["Edm.TimeOfDay?"], WHOLE),
    ];
    const OF_MOMENT: &[Signature] =
        &[of(&["Edm.DateTimeOffset"], "Edm.Date"), of(&["Edm.DateTimeOffset?"], "Edm.Date")];
    const ROUNDED: &[Signature] = &[
        of(&["Edm.Double"], "Edm.Double"),
        of(&["Edm.Decimal"], "Edm.Decimal"),
        of(&["Edm.Double?"], "Edm.Double"),
        of(&["Edm.Decimal?"], "Edm.Decimal"),
    ];
    const SUBSTRING: &[Signature] = &[
        of(&[TEXT, WHOLE], "Edm.String"),
        of(&[TEXT, "Edm.Int32?"], "Edm.String"),
        of(&[TEXT, WHOLE, WHOLE], "Edm.String"),
        of(&[TEXT, "Edm.Int32?", WHOLE], "Edm.String"),
        of(&[TEXT, WHOLE, "Edm.Int32?"], "Edm.String"),
        of(&[TEXT, "Edm.Int32?", "Edm.Int32?"], "Edm.String"),
    ];
    Some(match name {
        "tolower" => (Some(Function::Lower), OF_TEXT),
        "toupper" => (Some(Function::Upper), OF_TEXT),
        "trim" => (Some(Function::Trim), OF_TEXT),
        "length" => (Some(Function::Length), const { &[of(&[TEXT], WHOLE)] }),
        "concat" => (Some(Function::Concat), const { &[of(&[TEXT, TEXT], "Edm.String")] }),
        "indexof" => (Some(Function::IndexOf), INDEX),
        "substring" => (Some(Function::Substring), SUBSTRING),
        "matchesPattern" => (None, TWO_TEXTS),
        "year" => (Some(Function::Year), PART),
        "month" => (Some(Function::Month), PART),
        "day" => (Some(Function::Day), PART),
        "hour" => (Some(Function::Hour), OF_TIME),
        "minute" => (Some(Function::Minute), OF_TIME),
        "second" => (Some(Function::Second), OF_TIME),
        "date" => (Some(Function::Date), OF_MOMENT),
        "now" | "maxdatetime" | "mindatetime" => (None, const { &[of(&[], "Edm.DateTimeOffset")] }),
        "round" => (Some(Function::Round), ROUNDED),
        "floor" => (Some(Function::Floor), ROUNDED),
        "ceiling" => (Some(Function::Ceiling), ROUNDED),
        _ => return None,
    })
}
