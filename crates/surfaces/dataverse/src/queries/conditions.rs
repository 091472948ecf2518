//! The operators of a condition, bound to the column they are asked of.
//!
//! Decides what each operator means for a column of each type, and which operators there are; days, months and years begin
//! where they do for whoever asks, and a moment without a zone is UTC (inferred). Mirrors the operators of the FetchXML reference. A negative one holds for rows without a value too, as the product's
//! views show them (inferred: the reference says nothing of it). A text asked of a lookup is asked of the name of its row.

use mocktenant_query::{Comparison, Expression, Hop, Path, Pattern, TextFunction};
use mocktenant_schema::moment::{DAY, civil, parse_day, parse_moment, split};
use mocktenant_schema::{Cell, Column, Decimal, Guid, Kind, Table};
use mocktenant_world::Zone;

use super::Unanswerable;
use super::fetch::Condition;
use crate::errors::{FetchDefect, cut};

/// Who asks, and when.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// In seconds since 1970.
    pub(crate) now: i64,
    /// In which days begin.
    pub(crate) zone: Zone,
    /// `systemuserid`.
    pub(crate) user: Cell,
    pub(crate) business_unit: Cell,
}

/// Beside the operators that are built, those of the reference: a name that is none of both is nobody's.
const UNBUILT: &[&str] = &[
    "above",
    "under",
    "not-under",
    "eq-or-above",
    "eq-or-under",
    "eq-userteams",
    "eq-useroruserteams",
    "eq-useroruserhierarchy",
    "eq-useroruserhierarchyandteams",
    "eq-userlanguage",
    "contain-values",
    "not-contain-values",
    "this-week",
    "last-week",
    "next-week",
    "last-x-weeks",
    "next-x-weeks",
    "last-x-months",
    "next-x-months",
    "last-x-years",
    "next-x-years",
];

/// A condition on a column of a table.
pub(crate) fn bound(
    asker: &Asker,
    table: Table<'_>,
    column: Column<'_>,
    condition: &Condition,
) -> Result<Expression, Unanswerable> {
    let asked = Asked { asker, table, column, condition };
    if let Some(other) = &condition.value_of {
        return asked.with_column(other);
    }
    asked.expression()
}

/// The column of this logical name.
pub(crate) fn column<'s>(table: Table<'s>, name: &str) -> Result<Column<'s>, Unanswerable> {
    let unknown = || crate::errors::DataverseError::FetchUnknownAttribute {
        entity: table.schema_name().into(),
        attribute: cut(name),
    };
    let column = table.column(name).ok_or_else(unknown)?;
    if column.kind() == Kind::Virtual || !column.is_for_read() {
        return Err(Unanswerable::not_built(format!(
            "the column {} of {} in FetchXML",
            column.name(),
            table.name()
        )));
    }
    Ok(column)
}

/// The name of the row that a lookup leads to; `None` where it leads to rows of several tables.
pub(crate) fn name_of(column: Column<'_>) -> Option<Path> {
    let mut lookups = column.lookups();
    let relationship = lookups.next().filter(|_| lookups.next().is_none())?;
    let name = relationship.to().name_column()?;
    let hop = Hop { relationship: u16::try_from(relationship.position()).ok()?, back: false };
    Some(Path { hops: vec![hop], column: name.ordinal() })
}

struct Asked<'a> {
    asker: &'a Asker,
    table: Table<'a>,
    column: Column<'a>,
    condition: &'a Condition,
}

impl Asked<'_> {
    fn shown(&self) -> String {
        format!("{}.{}", self.table.name(), self.column.name())
    }

    fn own(&self) -> Expression {
        Expression::Column(Path::own(self.column.ordinal()))
    }

    fn is(&self, op: Comparison, value: Cell) -> Expression {
        Expression::column_is(self.column.ordinal(), op, value)
    }

    /// This, or no value at all.
    fn or_none(&self, expression: Expression) -> Expression {
        Expression::Or(vec![self.is(Comparison::Equal, Cell::Null), expression])
    }

    fn not(&self, expression: Expression) -> Expression {
        self.or_none(Expression::Not(Box::new(expression)))
    }

    fn expression(&self) -> Result<Expression, Unanswerable> {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let day = self.today();
        let now = self.now();
        let within = |from: i64, before: i64| self.moments(from, before);
        let days = |from: i64, before: i64| self.moments(self.at(from), self.at(before));
        Ok(match self.condition.operator.as_str() {
            "eq" => self.is(Equal, self.value()?),
            "ne" | "neq" => self.is(NotEqual, self.value()?),
            "gt" => self.is(Greater, self.value()?),
            "ge" => self.is(GreaterOrEqual, self.value()?),
            "lt" => self.is(Less, self.value()?),
            "le" => self.is(LessOrEqual, self.value()?),
            "like" => self.like()?,
            "not-like" => self.not(self.like()?),
            "begins-with" => self.part(TextFunction::StartsWith)?,
            "not-begin-with" | "not-begins-with" => self.not(self.part(TextFunction::StartsWith)?),
            "ends-with" => self.part(TextFunction::EndsWith)?,
            "not-end-with" | "not-ends-with" => self.not(self.part(TextFunction::EndsWith)?),
            "in" => self.among()?,
            "not-in" => self.not(self.among()?),
            "between" => self.between()?,
            "not-between" => self.not(self.between()?),
            "null" => {
                self.takes(0)?;
                self.is(Equal, Cell::Null)
            }
            "not-null" => {
                self.takes(0)?;
                self.is(NotEqual, Cell::Null)
            }
            "eq-userid" => self.is(Equal, self.id(&self.asker.user)?),
            "ne-userid" => self.is(NotEqual, self.id(&self.asker.user)?),
            "eq-businessid" => self.is(Equal, self.id(&self.asker.business_unit)?),
            "ne-businessid" => self.is(NotEqual, self.id(&self.asker.business_unit)?),
            "today" => days(day, day + DAY)?,
            "yesterday" => days(day - DAY, day)?,
            "tomorrow" => days(day + DAY, day + 2 * DAY)?,
            "last-seven-days" => within(self.at(day - 7 * DAY), now + 1)?,
            "next-seven-days" => within(now, self.at(day + 8 * DAY))?,
            "this-month" => days(self.month(0), self.month(1))?,
            "last-month" => days(self.month(-1), self.month(0))?,
            "next-month" => days(self.month(1), self.month(2))?,
            "this-year" => days(self.year(0), self.year(1))?,
            "last-year" => days(self.year(-1), self.year(0))?,
            "next-year" => days(self.year(1), self.year(2))?,
            "last-x-hours" => within(now.saturating_sub(self.span(3_600)?), now + 1)?,
            "next-x-hours" => within(now, now.saturating_add(self.span(3_600)?).saturating_add(1))?,
            "last-x-days" => within(self.at(day.saturating_sub(self.span(DAY)?)), now + 1)?,
            "next-x-days" => within(now, self.at(day.saturating_add(self.span(DAY)?).saturating_add(DAY)))?,
            "on" => {
                let day = self.day()?;
                days(day, day + DAY)?
            }
            "not-on" => {
                let day = self.day()?;
                self.not(days(day, day + DAY)?)
            }
            "on-or-after" => self.moment_is(GreaterOrEqual, self.at(self.day()?))?,
            "on-or-before" => self.moment_is(Less, self.at(self.day()? + DAY))?,
            other => return Err(Self::unknown(other)),
        })
    }

    fn unknown(operator: &str) -> Unanswerable {
        let known = UNBUILT.contains(&operator)
            || operator.contains("fiscal")
            || operator.starts_with("olderthan-x-");
        if known {
            return Unanswerable::not_built(format!("the operator {operator} of FetchXML"));
        }
        FetchDefect::Operator { operator: cut(operator) }.into()
    }

    /// That there are so many values.
    fn takes(&self, needed: usize) -> Result<(), Unanswerable> {
        let given = self.condition.values.len();
        if given == needed {
            return Ok(());
        }
        if needed == 1 && given == 0 {
            return Err(FetchDefect::NoValue { attribute: self.shown() }.into());
        }
        let operator = cut(&self.condition.operator);
        Err(FetchDefect::ValueCount { operator, needed, given, attribute: self.column.name().to_owned() }
            .into())
    }

    fn text(&self) -> Result<&str, Unanswerable> {
        self.takes(1)?;
        Ok(self.condition.values.first().map(String::as_str).unwrap_or_default())
    }

    fn value(&self) -> Result<Cell, Unanswerable> {
        self.cell(self.text()?)
    }

    /// A value as the column keeps it.
    fn cell(&self, text: &str) -> Result<Cell, Unanswerable> {
        let trimmed = text.trim();
        let read = match self.column.kind() {
            Kind::Text | Kind::Memo | Kind::Binary => Some(Cell::text(text)),
            Kind::Whole | Kind::Big | Kind::Version | Kind::Choice | Kind::State | Kind::Status => {
                trimmed.parse().ok().map(Cell::Whole)
            }
            Kind::Decimal | Kind::Money | Kind::Double => Decimal::parse(trimmed).map(Cell::Decimal),
            Kind::Flag => match trimmed {
                "1" | "true" | "True" => Some(Cell::Flag(true)),
                "0" | "false" | "False" => Some(Cell::Flag(false)),
                _ => None,
            },
            Kind::Id | Kind::Lookup => {
                let bare =
                    trimmed.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(trimmed);
                Guid::parse(bare).map(Cell::Id)
            }
            Kind::Moment | Kind::Day => Some(Cell::Moment(self.moment(trimmed)?)),
            Kind::Virtual => None,
        };
        read.ok_or_else(|| FetchDefect::ValueType { attribute: self.shown() }.into())
    }

    /// A moment; one without zone is UTC, and a blank may stand between the day and its time.
    fn moment(&self, text: &str) -> Result<i64, Unanswerable> {
        let text = text.replacen(' ', "T", 1);
        let found = parse_moment(&text).or_else(|| parse_moment(&format!("{text}Z")));
        found.ok_or_else(|| FetchDefect::Moment { attribute: self.shown() }.into())
    }

    /// What the clock of whoever asks shows; what stands here as `local` is such a time.
    fn local(&self) -> i64 {
        self.asker.zone.local(self.asker.now)
    }

    /// Now, as a column of days has it or one of moments.
    fn now(&self) -> i64 {
        if self.column.kind() == Kind::Day { self.local() } else { self.asker.now }
    }

    /// A local time, as a column of days has it or one of moments.
    fn at(&self, local: i64) -> i64 {
        if self.column.kind() == Kind::Day { local } else { self.asker.zone.moment(local) }
    }

    /// The beginning of the day, local.
    fn today(&self) -> i64 {
        let local = self.local();
        local - local.rem_euclid(DAY)
    }

    /// The beginning of the day of the value, local.
    fn day(&self) -> Result<i64, Unanswerable> {
        let text = self.text()?.trim();
        match parse_day(text) {
            Some(day) => Ok(i64::from(day) * DAY),
            None => self.moment(text).map(|moment| {
                let local = self.asker.zone.local(moment);
                local - local.rem_euclid(DAY)
            }),
        }
    }

    /// So many units, in seconds.
    fn span(&self, unit: i64) -> Result<i64, Unanswerable> {
        let count: i64 = self.text()?.trim().parse().unwrap_or_default();
        if count < 1 {
            return Err(FetchDefect::ValueType { attribute: self.shown() }.into());
        }
        Ok(count.saturating_mul(unit))
    }

    /// From a moment on, and before another.
    fn moments(&self, from: i64, before: i64) -> Result<Expression, Unanswerable> {
        Ok(self.moment_is(Comparison::GreaterOrEqual, from)?.and(self.moment_is(Comparison::Less, before)?))
    }

    fn moment_is(&self, op: Comparison, moment: i64) -> Result<Expression, Unanswerable> {
        if !matches!(self.column.kind(), Kind::Moment | Kind::Day) {
            return Err(FetchDefect::ValueType { attribute: self.shown() }.into());
        }
        Ok(self.is(op, Cell::Moment(moment)))
    }

    /// The beginning of this month, or of one so many later, local.
    fn month(&self, later: i64) -> i64 {
        let (year, month, _) = civil(split(self.local()).0);
        let months = year * 12 + i64::from(month) - 1 + later;
        beginning(months.div_euclid(12), months.rem_euclid(12) + 1)
    }

    fn year(&self, later: i64) -> i64 {
        beginning(civil(split(self.local()).0).0 + later, 1)
    }

    /// The text that is looked in: the column's, or the name of a lookup's row.
    fn looked_in(&self) -> Result<Expression, Unanswerable> {
        match self.column.kind() {
            Kind::Text | Kind::Memo => Ok(self.own()),
            Kind::Lookup => match name_of(self.column) {
                Some(path) => Ok(Expression::Column(path)),
                None => Err(Unanswerable::not_built(format!(
                    "the operator {} of FetchXML on a lookup to several tables",
                    cut(&self.condition.operator)
                ))),
            },
            _ => Err(FetchDefect::ValueType { attribute: self.shown() }.into()),
        }
    }

    fn like(&self) -> Result<Expression, Unanswerable> {
        let pattern = Pattern::of_like(self.text()?);
        Ok(Expression::Like { text: Box::new(self.looked_in()?), pattern })
    }

    fn part(&self, function: TextFunction) -> Result<Expression, Unanswerable> {
        let part = Expression::Constant(Cell::text(self.text()?));
        Ok(Expression::Text { function, whole: Box::new(self.looked_in()?), part: Box::new(part) })
    }

    fn among(&self) -> Result<Expression, Unanswerable> {
        if self.condition.values.is_empty() {
            return Err(FetchDefect::NoValue { attribute: self.shown() }.into());
        }
        let of: Result<Vec<Cell>, Unanswerable> =
            self.condition.values.iter().map(|text| self.cell(text)).collect();
        Ok(Expression::OneOf { value: Box::new(self.own()), of: of? })
    }

    fn between(&self) -> Result<Expression, Unanswerable> {
        self.takes(2)?;
        let mut cells = self.condition.values.iter().map(|text| self.cell(text));
        let mut next = || cells.next().unwrap_or(Ok(Cell::Null));
        let (from, to) = (next()?, next()?);
        Ok(self.is(Comparison::GreaterOrEqual, from).and(self.is(Comparison::LessOrEqual, to)))
    }

    /// An id that is compared with the column, which has to hold ids.
    fn id(&self, id: &Cell) -> Result<Cell, Unanswerable> {
        self.takes(0)?;
        match self.column.kind() {
            Kind::Id | Kind::Lookup => Ok(id.clone()),
            _ => Err(FetchDefect::ValueType { attribute: self.shown() }.into()),
        }
    }

    /// A comparison with another column of the row.
    fn with_column(&self, name: &str) -> Result<Expression, Unanswerable> {
        if name.contains('.') {
            return Err(Unanswerable::not_built("valueof with a column of another table of FetchXML"));
        }
        let other = column(self.table, name)?;
        let op = match self.condition.operator.as_str() {
            "eq" => Comparison::Equal,
            "ne" | "neq" => Comparison::NotEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            other => {
                return Err(Unanswerable::not_built(format!(
                    "valueof with the operator {} of FetchXML",
                    cut(other)
                )));
            }
        };
        let texts = self.column.kind().is_text() && other.kind().is_text();
        if other.kind() != self.column.kind() && !texts {
            return Err(FetchDefect::ValueType { attribute: self.shown() }.into());
        }
        let right = Box::new(Expression::Column(Path::own(other.ordinal())));
        let compared = Expression::Compare { op, left: Box::new(self.own()), right };
        // two columns without values are not equal, as in SQL
        Ok(match op {
            Comparison::NotEqual => compared,
            _ => self.is(Comparison::NotEqual, Cell::Null).and(compared),
        })
    }
}

/// The first moment of a month.
fn beginning(year: i64, month: i64) -> i64 {
    parse_day(&format!("{year:04}-{month:02}-01")).map_or(i64::MAX, |day| i64::from(day) * DAY)
}
