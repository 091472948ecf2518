//! An expression as it is written, bound to a schema: names become columns and steps, and types are checked.
//!
//! Decides what Microsoft's OData library decides when it binds: that properties and functions are there, that operands fit, that a
//! filter is a condition; and refuses in its sentences. What the library takes and the service does not serve is said by name in the
//! service's own way ([`Fault::Unsupported`]), by whoever asks.

mod calls;

use std::cell::{Cell as Changing, RefCell};

use mocktenant_query::{Arithmetic, Comparison, Expression, Hop, Order, Path, Pattern};
use mocktenant_schema::moment::{parse_day, parse_moment};
use mocktenant_schema::{Cell, Decimal, Guid, Navigation, Schema, Table};

use crate::Fault;
use crate::dialect::{Dialect, Type};
use crate::literal::Literal;
use crate::syntax::{Binary, Syntax, Unary, parse};
use crate::{MAX_DEPTH, MAX_EXPAND, MAX_QUERY, MAX_TERMS};

/// Values behind names: `@p1`.
pub type Aliases<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The moment of a question, asked for where it matters: where days begin takes time to find out.
pub type When<'a> = &'a dyn Fn() -> Clock;

/// What an expression is bound to.
pub struct Binder<'b> {
    /// The tables.
    pub schema: &'b Schema,
    /// How the service speaks.
    pub dialect: &'b Dialect,
    /// Values behind names.
    pub aliases: Aliases<'b>,
    /// The moment of the question.
    pub clock: When<'b>,
    unserved: Unserved,
    /// Bytes that aliases may still stand for: one may name others, each more than once.
    aliased: Changing<usize>,
}

/// What the library takes and the service does not serve: the first of it, said when nothing else was wrong.
#[derive(Debug, Default)]
struct Unserved(RefCell<Option<String>>);

impl Unserved {
    fn note(&self, what: String) {
        self.0.borrow_mut().get_or_insert(what);
    }

    fn said(&self) -> Result<(), Fault> {
        self.0.borrow_mut().take().map_or(Ok(()), |what| Err(Fault::Unsupported(what)))
    }
}

/// The moment of a question, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Now.
    pub now: i64,
    /// When the day began that this is, for whoever asks.
    pub day: i64,
    /// That day itself, as columns have it that hold days.
    pub date: i64,
}

impl Clock {
    /// Of somebody whose days are those of UTC.
    pub fn utc(now: i64) -> Self {
        let day = now - now.rem_euclid(mocktenant_schema::moment::DAY);
        Self { now, day, date: day }
    }
}

/// Types of numbers by how wide they are.
const WIDTHS: [&str; 5] = ["Edm.Int32", "Edm.Int64", "Edm.Single", "Edm.Double", "Edm.Decimal"];

/// An expression and its type.
struct Bound {
    expression: Expression,
    kind: Type,
    /// The column it is, for what depends on one.
    column: Option<(usize, u16)>,
}

/// Where names are looked for.
#[derive(Clone, Copy)]
struct Scope<'s> {
    table: Table<'s>,
    variable: Option<&'s str>,
    /// Around `any` and `all`.
    outer: Option<&'s Scope<'s>>,
    depth: usize,
}

impl<'s> Scope<'s> {
    fn of(table: Table<'s>) -> Self {
        Self { table, variable: None, outer: None, depth: 0 }
    }
}

impl<'b> Binder<'b> {
    /// Of a question that is asked now.
    pub fn new(schema: &'b Schema, dialect: &'b Dialect, aliases: Aliases<'b>, clock: When<'b>) -> Self {
        let (unserved, aliased) = (Unserved::default(), Changing::new(MAX_QUERY));
        Self { schema, dialect, aliases, clock, unserved, aliased }
    }
}

impl Binder<'_> {
    /// A condition over rows of a table.
    pub fn filter(&self, table: Table<'_>, syntax: &Syntax) -> Result<Expression, Fault> {
        let bound = self.bind(Scope::of(table), syntax)?;
        if !is_condition(&bound.kind) {
            return Err(Fault::FilterNotSingle);
        }
        self.unserved.said()?;
        if bound.expression.terms() > MAX_TERMS {
            return Err(Fault::TooManyTerms);
        }
        Ok(bound.expression)
    }

    /// An order of rows of a table.
    pub fn order(&self, table: Table<'_>, items: &[(Syntax, bool)]) -> Result<Vec<Order>, Fault> {
        let scope = Scope::of(table);
        let mut order = Vec::with_capacity(items.len());
        for (syntax, descending) in items {
            let bound = self.bind(scope, syntax)?;
            if matches!(bound.kind, Type::Row(_) | Type::Rows) {
                return Err(Fault::OrderNotSingle);
            }
            self.unserved.said()?;
            match bound.expression {
                Expression::Column(by) => order.push(Order { by, descending: *descending }),
                // a fixed value orders nothing
                Expression::Constant(_) => {}
                _ => return Err(Fault::Unsupported("an expression in $orderby".to_owned())),
            }
        }
        Ok(order)
    }

    /// A column of a table, or of what it leads to.
    pub fn path(&self, table: Table<'_>, names: &[String]) -> Result<(Path, Type), Fault> {
        let bound = self.walk(Scope::of(table), names)?;
        match bound.expression {
            Expression::Column(path) => Ok((path, bound.kind)),
            _ => Err(Fault::GroupBy(names.join("/"))),
        }
    }

    fn bind(&self, scope: Scope<'_>, syntax: &Syntax) -> Result<Bound, Fault> {
        if scope.depth > MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        let scope = Scope { depth: scope.depth + 1, ..scope };
        match syntax {
            Syntax::Literal(literal) => self.literal(literal),
            // in braces everything is a text until it is known for what
            Syntax::Bracketed(_) => {
                self.unserved.note("a value in brackets".to_owned());
                Ok(constant(Cell::Null, Type::Primitive("Edm.String")))
            }
            Syntax::List(_) => {
                Ok(Bound { expression: Expression::Constant(Cell::Null), kind: Type::Rows, column: None })
            }
            Syntax::Alias(name) => match (self.aliases)(name) {
                None => Ok(constant(Cell::Null, Type::Null)),
                Some(text) => {
                    let left = self.aliased.get().checked_sub(text.len().max(64)).ok_or(Fault::TooDeep)?;
                    self.aliased.set(left);
                    self.bind(scope, &parse(&text)?)
                }
            },
            Syntax::Path(names) => self.walk(scope, names),
            Syntax::Unary(Unary::Not, operand) => {
                let operand = self.bind(scope, operand)?;
                match operand.kind {
                    Type::Rows => Err(Fault::OperandNotSingle { operator: "Not", binary: false }),
                    ref kind if is_condition(kind) => {
                        Ok(condition(Expression::Not(Box::new(operand.expression))))
                    }
                    kind => Err(Fault::IncompatibleOperand { kind: kind.name(), operator: "Not" }),
                }
            }
            Syntax::Unary(Unary::Negate, operand) => {
                let operand = self.bind(scope, operand)?;
                if operand.kind.width().is_none() {
                    return Err(Fault::IncompatibleOperand { kind: operand.kind.name(), operator: "Negate" });
                }
                let zero = Expression::Constant(Cell::Whole(0));
                let expression = Expression::Arithmetic {
                    op: Arithmetic::Subtract,
                    left: Box::new(zero),
                    right: Box::new(operand.expression),
                };
                Ok(Bound { expression, kind: operand.kind, column: None })
            }
            Syntax::Binary(operator, left, right) => self.binary(scope, *operator, left, right),
            Syntax::Call { name, arguments } => self.call(scope, name, arguments),
            Syntax::Lambda { path, every, body } => self.lambda(scope, path, *every, body.as_ref()),
        }
    }

    fn literal(&self, literal: &Literal) -> Result<Bound, Fault> {
        Ok(match literal {
            Literal::Null => constant(Cell::Null, Type::Null),
            Literal::Bool(flag) => constant(Cell::Flag(*flag), Type::Primitive("Edm.Boolean")),
            Literal::Integer(whole) => {
                let kind = if i32::try_from(*whole).is_ok() { "Edm.Int32" } else { "Edm.Int64" };
                constant(Cell::Whole(*whole), Type::Primitive(kind))
            }
            Literal::Decimal(text) => {
                let digits = text.bytes().filter(u8::is_ascii_digit).count();
                let kind = match digits {
                    0..=7 => "Edm.Single",
                    8..=15 => "Edm.Double",
                    _ => "Edm.Decimal",
                };
                let cell = Decimal::parse(text)
                    .map_or(Cell::Double(text.parse().unwrap_or(f64::NAN)), Cell::Decimal);
                constant(cell, Type::Primitive(kind))
            }
            Literal::String(text) => constant(Cell::text(text.as_str()), Type::Primitive("Edm.String")),
            Literal::Guid(id) => constant(Cell::Id(*id), Type::Primitive("Edm.Guid")),
            Literal::DateTime(text) => match parse_day(text) {
                Some(day) => constant(Cell::Day(day), Type::Primitive("Edm.Date")),
                None => constant(
                    parse_moment(text).map_or(Cell::Null, Cell::Moment),
                    Type::Primitive("Edm.DateTimeOffset"),
                ),
            },
            Literal::Enum { type_name, member } => return self.member(type_name, member),
        })
    }

    /// `Microsoft.Dynamics.DataEntities.NoYes'Yes'`.
    fn member(&self, type_name: &str, member: &str) -> Result<Bound, Fault> {
        let short = type_name.strip_prefix(self.dialect.namespace).and_then(|rest| rest.strip_prefix('.'));
        let choices = short.and_then(|name| self.schema.choices().find(|choices| choices.name() == name));
        let choices = choices.filter(|_| self.dialect.choices_are_members);
        let wrong = || Fault::EnumerationConstant(format!("{type_name}'{member}'"));
        let choices = choices.ok_or_else(wrong)?;
        let value = choices.named(member).map(mocktenant_schema::Choice::value);
        let value = value.or_else(|| member.parse().ok().filter(|value| choices.of(*value).is_some()));
        Ok(constant(Cell::Whole(value.ok_or_else(wrong)?), Type::Enumeration(type_name.to_owned())))
    }

    fn undeclared(&self, table: Table<'_>, property: &str) -> Fault {
        Fault::PropertyNotDeclared { kind: self.dialect.type_name(table), property: property.to_owned() }
    }

    /// Names with slashes: a variable, steps, a column.
    fn walk(&self, scope: Scope<'_>, names: &[String]) -> Result<Bound, Fault> {
        let (scope, names) = self.rooted(scope, names);
        let mut table = scope.table;
        let mut hops: Vec<Hop> = Vec::new();
        let mut many = false;
        for (at, name) in names.iter().enumerate() {
            let last = at + 1 == names.len();
            if name == "$count" && last && at > 0 {
                if !many {
                    return Err(Fault::CountOfNone);
                }
                return Ok(Bound {
                    expression: Expression::Count(hops),
                    kind: Type::Primitive("Edm.Int64"),
                    column: None,
                });
            }
            if many {
                return Err(Fault::PropertyAccessNotSingle(name.clone()));
            }
            if let Some(column) = self.dialect.column(table, name) {
                let kind = self.dialect.type_of(column).name();
                match names.get(at + 1).map(String::as_str) {
                    None => {}
                    Some("$count") => return Err(Fault::CountOfNone),
                    Some(next) => {
                        return Err(Fault::PropertyNotDeclared { kind, property: next.to_owned() });
                    }
                }
                let path = Path { hops, column: column.ordinal() };
                return Ok(Bound {
                    expression: Expression::Column(path),
                    kind: self.dialect.type_of(column),
                    column: Some((table.position(), column.ordinal())),
                });
            }
            let Some(step) = table.navigation(name) else { return Err(self.undeclared(table, name)) };
            if hops.len() >= MAX_EXPAND {
                return Err(Fault::TooDeep);
            }
            hops.push(hop(step));
            many = step.is_many();
            table = step.target();
        }
        let kind = if many { Type::Rows } else { Type::Row(self.dialect.type_name(table)) };
        Ok(Bound { expression: Expression::Constant(Cell::Null), kind, column: None })
    }

    /// Where a path begins, and what is left of it there. What is no variable is a property of the row that is asked for, however
    /// deep in `any` it stands; such a row is not served there.
    fn rooted<'s, 'n>(&self, scope: Scope<'s>, names: &'n [String]) -> (Scope<'s>, &'n [String]) {
        let Some((first, rest)) = names.split_first() else { return (scope, names) };
        let mut here = &scope;
        while here.variable != Some(first.as_str())
            && let Some(outer) = here.outer
        {
            here = outer;
        }
        let found = *here;
        if found.variable != scope.variable {
            self.unserved.note("a column of another row in any and all".to_owned());
        }
        let begins = found.variable.is_some() || first == "$it";
        (found, if begins { rest } else { names })
    }

    fn binary(
        &self,
        scope: Scope<'_>,
        operator: Binary,
        left: &Syntax,
        right: &Syntax,
    ) -> Result<Bound, Fault> {
        let name = operator.name();
        if operator == Binary::In {
            return self.among(scope, left, right);
        }
        if matches!(operator, Binary::And | Binary::Or) {
            return self.chain(scope, operator, left, right);
        }
        let (left, right) = (self.bind(scope, left)?, self.bind(scope, right)?);
        let kinds = (left.kind.clone(), right.kind.clone());
        if left.kind == Type::Rows || right.kind == Type::Rows {
            return Err(Fault::OperandNotSingle { operator: name, binary: true });
        }
        let incompatible = || Fault::IncompatibleOperands {
            left: left.kind.name(),
            right: right.kind.name(),
            operator: name,
        };
        let comparison = match operator {
            Binary::Equal => Comparison::Equal,
            Binary::NotEqual => Comparison::NotEqual,
            Binary::GreaterThan => Comparison::Greater,
            Binary::GreaterThanOrEqual => Comparison::GreaterOrEqual,
            Binary::LessThan => Comparison::Less,
            Binary::LessThanOrEqual => Comparison::LessOrEqual,
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Modulo => {
                return self.arithmetic(operator, left, right);
            }
            Binary::And | Binary::Or | Binary::Has | Binary::In => {
                return Err(Fault::Unsupported(format!("the operator {name}")));
            }
        };
        let Some((left, right)) = self.fitted(&left, &right) else { return Err(incompatible()) };
        let rows = |kind: &Type| matches!(kind, Type::Row(_));
        if rows(&kinds.0) || rows(&kinds.1) {
            self.unserved.note("a comparison of rows".to_owned());
        }
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if self.dialect.wildcards
            && equality
            && let (text, Expression::Constant(Cell::Text(pattern)))
            | (Expression::Constant(Cell::Text(pattern)), text) = (&left, &right)
            && pattern.contains('*')
        {
            let like = Expression::Like { text: Box::new(text.clone()), pattern: Pattern::of_stars(pattern) };
            let unlike = comparison == Comparison::NotEqual;
            return Ok(condition(if unlike { Expression::Not(Box::new(like)) } else { like }));
        }
        Ok(condition(Expression::Compare { op: comparison, left: Box::new(left), right: Box::new(right) }))
    }

    /// Conditions with `and` or `or` between them, however many: they nest to the left when they are read, and a long row of
    /// them is not deep.
    fn chain(
        &self,
        scope: Scope<'_>,
        operator: Binary,
        left: &Syntax,
        right: &Syntax,
    ) -> Result<Bound, Fault> {
        let (mut first, mut others) = (left, vec![right]);
        while let Syntax::Binary(same, left, right) = first
            && *same == operator
        {
            others.push(right);
            first = left;
        }
        let mut all = self.bind(scope, first)?;
        for other in others.into_iter().rev() {
            let other = self.bind(scope, other)?;
            let name = operator.name();
            if all.kind == Type::Rows || other.kind == Type::Rows {
                return Err(Fault::OperandNotSingle { operator: name, binary: true });
            }
            if !is_condition(&all.kind) || !is_condition(&other.kind) {
                let (left, right) = (all.kind.name(), other.kind.name());
                return Err(Fault::IncompatibleOperands { left, right, operator: name });
            }
            all = condition(joined(operator, all.expression, other.expression));
        }
        Ok(all)
    }

    /// Two values that compare, in the form they compare in; `None` if they do not.
    fn fitted(&self, left: &Bound, right: &Bound) -> Option<(Expression, Expression)> {
        let same = || Some((left.expression.clone(), right.expression.clone()));
        if left.kind == Type::Null || right.kind == Type::Null || left.kind == right.kind {
            return same();
        }
        if left.kind.width().is_some() && right.kind.width().is_some() {
            return same();
        }
        let primitive = |bound: &Bound, name| bound.kind == Type::Primitive(name);
        let dated = |bound: &Bound| primitive(bound, "Edm.Date") || primitive(bound, "Edm.DateTimeOffset");
        if dated(left) && dated(right) {
            return same();
        }
        if self.dialect.quoted_ids {
            let id = |bound: &Bound| match &bound.expression {
                Expression::Constant(Cell::Text(text)) => {
                    Guid::parse(text).map(|id| Expression::Constant(Cell::Id(id)))
                }
                _ => None,
            };
            if primitive(left, "Edm.Guid") && primitive(right, "Edm.String") {
                return Some((left.expression.clone(), id(right)?));
            }
            if primitive(right, "Edm.Guid") && primitive(left, "Edm.String") {
                return Some((id(left)?, right.expression.clone()));
            }
        }
        None
    }

    fn arithmetic(&self, operator: Binary, left: Bound, right: Bound) -> Result<Bound, Fault> {
        let name = operator.name();
        let incompatible = |left: &Bound, right: &Bound| Fault::IncompatibleOperands {
            left: left.kind.name(),
            right: right.kind.name(),
            operator: name,
        };
        let width = match (left.kind.width(), right.kind.width()) {
            (Some(one), Some(other)) => one.max(other),
            (Some(one), None) if right.kind == Type::Null => one,
            (None, Some(other)) if left.kind == Type::Null => other,
            _ => return Err(incompatible(&left, &right)),
        };
        if !self.dialect.arithmetic {
            self.unserved.note(format!("the operator {name}"));
        }
        let op = match operator {
            Binary::Add => Arithmetic::Add,
            Binary::Subtract => Arithmetic::Subtract,
            Binary::Multiply => Arithmetic::Multiply,
            Binary::Divide => Arithmetic::Divide,
            _ => Arithmetic::Remainder,
        };
        let kind = WIDTHS.get(usize::from(width) - 1).copied().unwrap_or("Edm.Decimal");
        let expression =
            Expression::Arithmetic { op, left: Box::new(left.expression), right: Box::new(right.expression) };
        Ok(Bound { expression, kind: Type::Primitive(kind), column: None })
    }

    /// `x in ('a','b')`: the library knows it since version 7.
    fn among(&self, scope: Scope<'_>, left: &Syntax, right: &Syntax) -> Result<Bound, Fault> {
        let value = self.bind(scope, left)?;
        if value.kind == Type::Rows {
            return Err(Fault::InOperand { left: true });
        }
        let Syntax::List(items) = right else {
            return Err(match right {
                Syntax::Literal(_) => Fault::JsonValue,
                _ => Fault::InOperand { left: false },
            });
        };
        let mut of = Vec::new();
        let texts = value.kind == Type::Primitive("Edm.String");
        for item in items {
            let (shown, is_text) = match item {
                Syntax::Literal(Literal::String(text)) => (text.clone(), true),
                Syntax::Literal(literal) => (literal.to_string(), matches!(literal, Literal::Null)),
                Syntax::Path(names) => (names.join("/"), false),
                _ => (String::new(), true),
            };
            if texts && !is_text {
                return Err(Fault::UnquotedItem(shown));
            }
            let unfit = || Fault::ItemNotConverted { literal: shown.clone(), kind: value.kind.name() };
            let fitted = self.fitted(&value, &self.bind(scope, item)?);
            let Some((_, Expression::Constant(cell))) = fitted else { return Err(unfit()) };
            of.push(cell);
        }
        Ok(condition(Expression::OneOf { value: Box::new(value.expression), of }))
    }

    fn lambda(
        &self,
        scope: Scope<'_>,
        path: &[String],
        every: bool,
        body: Option<&(String, Box<Syntax>)>,
    ) -> Result<Bound, Fault> {
        let (root, names) = self.rooted(scope, path);
        let mut table = root.table;
        let mut hops = Vec::new();
        let mut many = false;
        for name in names {
            if many {
                return Err(Fault::PropertyAccessNotSingle(name.clone()));
            }
            let Some(step) = table.navigation(name) else {
                let there = self.dialect.column(table, name).is_some();
                return Err(if there { Fault::LambdaParent } else { self.undeclared(table, name) });
            };
            if hops.len() >= MAX_EXPAND {
                return Err(Fault::TooDeep);
            }
            hops.push(hop(step));
            many = step.is_many();
            table = step.target();
        }
        if !many {
            return Err(Fault::LambdaParent);
        }
        if !self.dialect.lambdas {
            self.unserved.note(if every { "all" } else { "any" }.to_owned());
        }
        let condition_of = |body: &(String, Box<Syntax>)| {
            let scope =
                Scope { table, variable: Some(body.0.as_str()), outer: Some(&scope), depth: scope.depth };
            let bound = self.bind(scope, &body.1)?;
            if is_condition(&bound.kind) {
                Ok(Box::new(bound.expression))
            } else {
                Err(Fault::AnyAllNotSingle)
            }
        };
        let inner = body.map(condition_of).transpose()?;
        Ok(condition(Expression::Exists { hops, every, condition: inner }))
    }
}

/// A step along a navigation property.
pub fn hop(step: Navigation<'_>) -> Hop {
    Hop {
        relationship: u16::try_from(step.relationship().position()).unwrap_or(u16::MAX),
        back: step.is_back(),
    }
}

fn constant(cell: Cell, kind: Type) -> Bound {
    Bound { expression: Expression::Constant(cell), kind, column: None }
}

fn condition(expression: Expression) -> Bound {
    Bound { expression, kind: Type::Primitive("Edm.Boolean"), column: None }
}

fn is_condition(kind: &Type) -> bool {
    matches!(kind, Type::Null | Type::Primitive("Edm.Boolean"))
}

/// Both with `and` or `or`, of more than two in one.
fn joined(operator: Binary, left: Expression, right: Expression) -> Expression {
    match (operator, left) {
        (Binary::And, Expression::And(mut all)) => {
            all.push(right);
            Expression::And(all)
        }
        (Binary::Or, Expression::Or(mut all)) => {
            all.push(right);
            Expression::Or(all)
        }
        (Binary::And, left) => Expression::And(vec![left, right]),
        (_, left) => Expression::Or(vec![left, right]),
    }
}
