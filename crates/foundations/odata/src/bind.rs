//! An expression as it is written, bound to a schema: names become columns and steps, and types are checked.
//!
//! Decides what Microsoft's OData library decides when it binds: that properties and functions are there, that operands fit, that a
//! filter is a condition; and refuses in its sentences. What the library takes and the service does not serve is said by name in the
//! service's own way ([`Fault::Unsupported`]), by whoever asks.

mod calls;

use mocktenant_query::{Arithmetic, Comparison, Expression, Hop, Order, Path, Pattern};
use mocktenant_schema::moment::{parse_day, parse_moment};
use mocktenant_schema::{Cell, Decimal, Guid, Navigation, Schema, Table};

use crate::dialect::{Dialect, Type};
use crate::fault::Fault;
use crate::literal::Literal;
use crate::syntax::{Binary, Syntax, Unary, parse};
use crate::{MAX_DEPTH, MAX_TERMS};

/// Values behind names: `@p1`.
pub type Aliases<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What an expression is bound to.
pub struct Binder<'b> {
    /// The tables.
    pub schema: &'b Schema,
    /// How the service speaks.
    pub dialect: &'b Dialect,
    /// Values behind names.
    pub aliases: Aliases<'b>,
    /// The moment of the question.
    pub clock: Clock,
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
    depth: usize,
}

impl Binder<'_> {
    /// A condition over rows of a table.
    pub fn filter(&self, table: Table<'_>, syntax: &Syntax) -> Result<Expression, Fault> {
        let bound = self.bind(Scope { table, variable: None, depth: 0 }, syntax)?;
        if !is_condition(&bound.kind) {
            return Err(Fault::FilterNotSingle);
        }
        if bound.expression.terms() > MAX_TERMS {
            return Err(Fault::TooManyTerms);
        }
        Ok(bound.expression)
    }

    /// An order of rows of a table.
    pub fn order(&self, table: Table<'_>, items: &[(Syntax, bool)]) -> Result<Vec<Order>, Fault> {
        let scope = Scope { table, variable: None, depth: 0 };
        let mut order = Vec::with_capacity(items.len());
        for (syntax, descending) in items {
            match self.bind(scope, syntax)?.expression {
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
        let bound = self.walk(Scope { table, variable: None, depth: 0 }, names)?;
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
            Syntax::Bracketed(_) | Syntax::List(_) => {
                Ok(Bound { expression: Expression::Constant(Cell::Null), kind: Type::Rows, column: None })
            }
            Syntax::Alias(name) => match (self.aliases)(name) {
                None => Ok(constant(Cell::Null, Type::Null)),
                Some(text) => self.bind(scope, &parse(&text)?),
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
        let Some(choices) = choices else { return Err(Fault::Unsupported(format!("the type {type_name}"))) };
        let value = choices.named(member).map(mocktenant_schema::Choice::value);
        let value = value.or_else(|| member.parse().ok().filter(|value| choices.of(*value).is_some()));
        match value {
            Some(value) => Ok(constant(Cell::Whole(value), Type::Enumeration(type_name.to_owned()))),
            None => Err(Fault::Unsupported(format!("the member {member} of {type_name}"))),
        }
    }

    fn undeclared(&self, table: Table<'_>, property: &str) -> Fault {
        Fault::PropertyNotDeclared { kind: self.dialect.type_name(table), property: property.to_owned() }
    }

    /// Names with slashes: a variable, steps, a column.
    fn walk(&self, scope: Scope<'_>, names: &[String]) -> Result<Bound, Fault> {
        let mut names = names;
        match (scope.variable, names.split_first()) {
            (Some(variable), Some((first, rest))) if first == variable => {
                names = rest;
            }
            (None, Some((first, rest))) if first == "$it" => names = rest,
            _ => {}
        }
        let mut table = scope.table;
        let mut hops: Vec<Hop> = Vec::new();
        let mut many = false;
        for (at, name) in names.iter().enumerate() {
            let last = at + 1 == names.len();
            if name == "$count" && last && many {
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
                if !last {
                    return Err(self.undeclared(table, names.get(at + 1).map_or("", String::as_str)));
                }
                let path = Path { hops, column: column.ordinal() };
                return Ok(Bound {
                    expression: Expression::Column(path),
                    kind: self.dialect.type_of(column),
                    column: Some((table.position(), column.ordinal())),
                });
            }
            let Some(step) = table.navigation(name) else { return Err(self.undeclared(table, name)) };
            hops.push(hop(step));
            many = step.is_many();
            table = step.target();
        }
        Ok(Bound { expression: Expression::Constant(Cell::Null), kind: Type::Rows, column: None })
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
            return Err(Fault::Unsupported(format!("the operator {name}")));
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
        let Syntax::List(items) = right else { return Err(Fault::InOperand { left: false }) };
        let mut of = Vec::new();
        for item in items {
            let item = self.bind(scope, item)?;
            let fitted = self.fitted(&value, &item);
            let Some((_, Expression::Constant(cell))) = fitted else {
                return Err(Fault::InOperand { left: false });
            };
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
        let mut names = path;
        if let (Some(variable), Some((first, rest))) = (scope.variable, path.split_first())
            && first == variable
        {
            names = rest;
        }
        let mut table = scope.table;
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
            hops.push(hop(step));
            many = step.is_many();
            table = step.target();
        }
        if !many {
            return Err(Fault::LambdaParent);
        }
        if !self.dialect.lambdas {
            return Err(Fault::Unsupported(if every { "all" } else { "any" }.to_owned()));
        }
        let condition_of = |body: &(String, Box<Syntax>)| {
            let scope = Scope { table, variable: Some(body.0.as_str()), depth: scope.depth };
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
