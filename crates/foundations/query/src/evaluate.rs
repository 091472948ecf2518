//! Whether a row satisfies a condition.
//!
//! Decides by the null semantics of OData 4.0 (URL conventions 5.1.1.1), which both products share: a comparison is never null;
//! `and`, `or` and `not` are three-valued; a row passes only if the whole is true. Texts compare without regard to case, as under
//! the SQL collations of both products.

use std::borrow::Cow;
use std::cmp::Ordering;

use mocktenant_schema::moment::{civil, split};
use mocktenant_schema::{Cell, CellRef, Decimal};

use crate::collation::{compare_text, fold_case};
use crate::expression::{Arithmetic, Comparison, Expression, Function, Hop, Path, TextFunction};

/// Rows, and where they lead.
pub trait Rows {
    /// A row with its table; cheap to copy.
    type Row: Copy;

    /// The value of a column of a row.
    fn cell(&self, row: Self::Row, column: u16) -> CellRef<'_>;

    /// The row that a step to one leads to.
    fn follow(&self, row: Self::Row, hop: Hop) -> Option<Self::Row>;

    /// The rows a step to many leads to, until `each` says false. Says whether all were seen.
    fn many(&self, row: Self::Row, hop: Hop, each: &mut dyn FnMut(Self::Row) -> bool) -> bool;

    /// The value at a path; null where a step leads nowhere.
    fn value(&self, row: Self::Row, path: &Path) -> CellRef<'_> {
        let mut row = row;
        for hop in &path.hops {
            match self.follow(row, *hop) {
                Some(next) => row = next,
                None => return CellRef::Null,
            }
        }
        self.cell(row, path.column)
    }
}

/// True, false, or `None` for null.
pub type Verdict = Option<bool>;

/// A value that may have been made.
enum Made<'r> {
    Seen(CellRef<'r>),
    Own(Cell),
}

impl Made<'_> {
    fn seen(&self) -> CellRef<'_> {
        match self {
            Self::Seen(cell) => *cell,
            Self::Own(cell) => cell.as_ref(),
        }
    }
}

impl Expression {
    /// Whether a row satisfies it.
    pub fn holds<R: Rows>(&self, rows: &R, row: R::Row) -> bool {
        self.verdict(rows, row) == Some(true)
    }

    /// True, false, or null.
    pub fn verdict<R: Rows>(&self, rows: &R, row: R::Row) -> Verdict {
        match self {
            Self::Not(one) => one.verdict(rows, row).map(|holds| !holds),
            Self::And(all) => all_of(all, |one| one.verdict(rows, row)),
            // De Morgan's law holds in three values too
            Self::Or(all) => {
                all_of(all, |one| one.verdict(rows, row).map(|holds| !holds)).map(|holds| !holds)
            }
            Self::Compare { op, left, right } => {
                let (left, right) = (left.value(rows, row), right.value(rows, row));
                Some(compare(*op, left.seen(), right.seen()))
            }
            Self::Text { function, whole, part } => {
                let (whole, part) = (whole.value(rows, row), part.value(rows, row));
                match (whole.seen(), part.seen()) {
                    (CellRef::Text(whole), CellRef::Text(part)) => Some(text(*function, whole, part)),
                    (CellRef::Null, _) | (_, CellRef::Null) => None,
                    _ => Some(false),
                }
            }
            Self::Like { text, pattern } => match text.value(rows, row).seen() {
                CellRef::Text(text) => Some(pattern.matches(text)),
                CellRef::Null => None,
                _ => Some(false),
            },
            Self::OneOf { value, of } => {
                let value = value.value(rows, row);
                Some(of.iter().any(|one| compare(Comparison::Equal, value.seen(), one.as_ref())))
            }
            Self::Exists { hops, every, condition } => {
                Some(exists(rows, row, hops, *every, condition.as_deref()))
            }
            Self::Constant(_)
            | Self::Column(_)
            | Self::Arithmetic { .. }
            | Self::Count(_)
            | Self::Call { .. } => match self.value(rows, row).seen() {
                CellRef::Flag(flag) => Some(flag),
                CellRef::Null => None,
                _ => Some(false),
            },
        }
    }

    fn value<'r, R: Rows>(&'r self, rows: &'r R, row: R::Row) -> Made<'r> {
        match self {
            Self::Constant(cell) => Made::Seen(cell.as_ref()),
            Self::Column(path) => Made::Seen(rows.value(row, path)),
            Self::Arithmetic { op, left, right } => {
                let (left, right) = (left.value(rows, row), right.value(rows, row));
                Made::Own(arithmetic(*op, left.seen(), right.seen()))
            }
            Self::Count(hops) => {
                let mut count = 0;
                let (last, before) = match hops.split_last() {
                    Some((last, before)) => (*last, before),
                    None => return Made::Own(Cell::Null),
                };
                if let Some(row) = walk(rows, row, before) {
                    rows.many(row, last, &mut |_| {
                        count += 1;
                        true
                    });
                }
                Made::Own(Cell::Whole(count))
            }
            Self::Call { function, arguments } => {
                let values: Vec<Made<'_>> = arguments.iter().map(|one| one.value(rows, row)).collect();
                let seen: Vec<CellRef<'_>> = values.iter().map(Made::seen).collect();
                Made::Own(call(*function, &seen))
            }
            _ => Made::Own(self.verdict(rows, row).map_or(Cell::Null, Cell::Flag)),
        }
    }
}

/// True if all are, false if one is, else null.
fn all_of<T>(all: &[T], verdict: impl Fn(&T) -> Verdict) -> Verdict {
    let mut known = true;
    for one in all {
        match verdict(one) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

fn walk<R: Rows>(rows: &R, row: R::Row, hops: &[Hop]) -> Option<R::Row> {
    hops.iter().try_fold(row, |row, hop| rows.follow(row, *hop))
}

fn exists<R: Rows>(rows: &R, row: R::Row, hops: &[Hop], every: bool, condition: Option<&Expression>) -> bool {
    let Some((last, before)) = hops.split_last() else { return false };
    let Some(row) = walk(rows, row, before) else { return every };
    let holds = |row| condition.is_none_or(|condition| condition.holds(rows, row));
    let all_seen = rows.many(row, *last, &mut |row| holds(row) == every);
    // a row was found that decides, or none
    all_seen == every
}

/// The answer for two values, null included: it equals itself, so `eq`, `ge` and `le` hold.
fn compare(op: Comparison, left: CellRef<'_>, right: CellRef<'_>) -> bool {
    let ordering = match (left, right) {
        (CellRef::Null, CellRef::Null) => Some(Ordering::Equal),
        (CellRef::Null, _) | (_, CellRef::Null) => None,
        _ => left.compare(right, |left, right| compare_text(left, right, true)),
    };
    match op {
        Comparison::Equal => ordering == Some(Ordering::Equal),
        Comparison::NotEqual => ordering != Some(Ordering::Equal),
        Comparison::Greater => ordering == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
        Comparison::Less => ordering == Some(Ordering::Less),
        Comparison::LessOrEqual => ordering.is_some_and(Ordering::is_le),
    }
}

fn text(function: TextFunction, whole: &str, part: &str) -> bool {
    let (whole, part) = (folded(whole), folded(part));
    match function {
        TextFunction::Contains => whole.contains(&*part),
        TextFunction::StartsWith => whole.starts_with(&*part),
        TextFunction::EndsWith => whole.ends_with(&*part),
    }
}

/// A text in lower case, which most that is looked for is already.
fn folded(text: &str) -> Cow<'_, str> {
    let plain = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if plain { Cow::Borrowed(text) } else { Cow::Owned(fold_case(text)) }
}

fn arithmetic(op: Arithmetic, left: CellRef<'_>, right: CellRef<'_>) -> Cell {
    if let (CellRef::Whole(left), CellRef::Whole(right)) = (left, right) {
        let whole = match op {
            Arithmetic::Add => left.checked_add(right),
            Arithmetic::Subtract => left.checked_sub(right),
            Arithmetic::Multiply => left.checked_mul(right),
            Arithmetic::Divide => left.checked_div(right),
            Arithmetic::Remainder => left.checked_rem(right),
        };
        return whole.map_or(Cell::Null, Cell::Whole);
    }
    if let (CellRef::Decimal(left), CellRef::Decimal(right)) = (as_decimal(left), as_decimal(right)) {
        match op {
            Arithmetic::Add => return Cell::Decimal(left.plus(right)),
            Arithmetic::Subtract => return Cell::Decimal(left.plus(Decimal::from_units(-right.units()))),
            Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Remainder => {}
        }
    }
    let (Some(left), Some(right)) = (left.as_double(), right.as_double()) else { return Cell::Null };
    let double = match op {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
    };
    if double.is_finite() {
        Decimal::from_double(double).map_or(Cell::Double(double), Cell::Decimal)
    } else {
        Cell::Null
    }
}

fn as_decimal(cell: CellRef<'_>) -> CellRef<'_> {
    match cell {
        CellRef::Whole(whole) => CellRef::Decimal(Decimal::from_whole(whole)),
        other => other,
    }
}

/// A value made of others; null of what it is not for.
fn call(function: Function, arguments: &[CellRef<'_>]) -> Cell {
    let first = arguments.first().copied().unwrap_or_default();
    let second = arguments.get(1).copied().unwrap_or_default();
    let whole = |count: usize| Cell::Whole(i64::try_from(count).unwrap_or(i64::MAX));
    let moment = |part: fn((i64, u8, u8), u32) -> i64| match first {
        CellRef::Moment(moment) => {
            let (day, second) = split(moment);
            Cell::Whole(part(civil(day), second))
        }
        CellRef::Day(day) => Cell::Whole(part(civil(day), 0)),
        _ => Cell::Null,
    };
    match (function, first) {
        (Function::Lower, CellRef::Text(text)) => Cell::text(text.to_lowercase()),
        (Function::Upper, CellRef::Text(text)) => Cell::text(text.to_uppercase()),
        (Function::Trim, CellRef::Text(text)) => Cell::text(text.trim()),
        (Function::Length, CellRef::Text(text)) => whole(text.encode_utf16().count()),
        (Function::Concat, CellRef::Text(text)) => {
            second.as_text().map_or(Cell::Null, |end| Cell::text(format!("{text}{end}")))
        }
        (Function::IndexOf, CellRef::Text(text)) => second.as_text().map_or(Cell::Null, |part| {
            let (text, part) = (folded(text), folded(part));
            let before = text.find(&*part).and_then(|at| text.get(..at));
            before.map_or(Cell::Whole(-1), |before| whole(before.encode_utf16().count()))
        }),
        (Function::Substring, CellRef::Text(text)) => {
            let position = |cell: CellRef<'_>| cell.as_whole().and_then(|one| usize::try_from(one).ok());
            let Some(from) = position(second) else { return Cell::Null };
            let most = arguments.get(2).copied().map_or(Some(usize::MAX), position);
            let letters = text.chars().skip(from).take(most.unwrap_or_default());
            Cell::text(letters.collect::<String>())
        }
        (Function::Year, _) => moment(|(year, ..), _| year),
        (Function::Month, _) => moment(|(_, month, _), _| i64::from(month)),
        (Function::Day, _) => moment(|(.., day), _| i64::from(day)),
        (Function::Hour, _) => moment(|_, second| i64::from(second / 3_600)),
        (Function::Minute, _) => moment(|_, second| i64::from(second / 60 % 60)),
        (Function::Second, _) => moment(|_, second| i64::from(second % 60)),
        (Function::Date, CellRef::Moment(moment)) => Cell::Day(split(moment).0),
        (Function::Round, CellRef::Decimal(number)) => Cell::Decimal(number.rounded(0)),
        (Function::Floor, CellRef::Decimal(number)) => {
            Decimal::from_double(number.to_double().floor()).map_or(Cell::Null, Cell::Decimal)
        }
        (Function::Ceiling, CellRef::Decimal(number)) => {
            Decimal::from_double(number.to_double().ceil()).map_or(Cell::Null, Cell::Decimal)
        }
        (Function::Round | Function::Floor | Function::Ceiling, CellRef::Whole(number)) => {
            Cell::Whole(number)
        }
        _ => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row of three columns: a text, a number, nothing. A step leads from it to itself, back to it three times.
    struct Alone(Cell, Cell);

    impl Rows for Alone {
        type Row = ();

        fn cell(&self, (): (), column: u16) -> CellRef<'_> {
            match column {
                0 => self.0.as_ref(),
                1 => self.1.as_ref(),
                _ => CellRef::Null,
            }
        }

        fn follow(&self, (): (), hop: Hop) -> Option<()> {
            (hop.relationship == 0).then_some(())
        }

        fn many(&self, (): (), hop: Hop, each: &mut dyn FnMut(()) -> bool) -> bool {
            let count = if hop.relationship == 0 { 3 } else { 0 };
            (0..count).all(|_| each(()))
        }
    }

    const NULL: u16 = 9;

    fn holds(expression: &Expression) -> Verdict {
        expression.verdict(&Alone(Cell::text("Hello"), Cell::Whole(7)), ())
    }

    fn is(column: u16, op: Comparison, value: Cell) -> Expression {
        Expression::column_is(column, op, value)
    }

    #[test]
    fn a_comparison_is_never_null_and_case_does_not_count() {
        assert_eq!(holds(&is(0, Comparison::Equal, Cell::text("hELLO"))), Some(true));
        assert_eq!(holds(&is(NULL, Comparison::Equal, Cell::Null)), Some(true));
        assert_eq!(holds(&is(NULL, Comparison::Less, Cell::Whole(1))), Some(false));
        assert_eq!(holds(&is(NULL, Comparison::NotEqual, Cell::Whole(1))), Some(true));
    }

    #[test]
    fn logic_has_three_values() {
        let null = || Expression::Text {
            function: TextFunction::Contains,
            whole: Box::new(Expression::Column(Path::own(NULL))),
            part: Box::new(Expression::Constant(Cell::text("x"))),
        };
        let yes = || Expression::Constant(Cell::Flag(true));
        let no = || Expression::Constant(Cell::Flag(false));
        assert_eq!(holds(&null()), None);
        assert_eq!(holds(&Expression::Not(Box::new(null()))), None);
        assert_eq!(holds(&Expression::And(vec![yes(), null()])), None);
        assert_eq!(holds(&Expression::And(vec![null(), no()])), Some(false));
        assert_eq!(holds(&Expression::Or(vec![null(), yes()])), Some(true));
        assert_eq!(holds(&Expression::Or(vec![null(), no()])), None);
    }

    #[test]
    fn any_of_none_is_false_and_all_of_none_is_true() {
        let hop = |relationship| vec![Hop { relationship, back: true }];
        let exists = |relationship, every, condition: Option<Expression>| Expression::Exists {
            hops: hop(relationship),
            every,
            condition: condition.map(Box::new),
        };
        let seven = || Some(is(1, Comparison::Equal, Cell::Whole(7)));
        let eight = || Some(is(1, Comparison::Equal, Cell::Whole(8)));
        for (expression, expected) in [
            (exists(0, false, seven()), true),
            (exists(0, false, eight()), false),
            (exists(0, true, seven()), true),
            (exists(0, true, eight()), false),
            (exists(1, false, None), false),
            (exists(1, true, eight()), true),
            (exists(0, false, None), true),
        ] {
            assert_eq!(holds(&expression), Some(expected), "{expression:?}");
        }
        let count = Expression::Compare {
            op: Comparison::Equal,
            left: Box::new(Expression::Count(hop(0))),
            right: Box::new(Expression::Constant(Cell::Whole(3))),
        };
        assert_eq!(holds(&count), Some(true));
    }

    #[test]
    fn numbers_are_worked_out_exactly_and_nothing_overflows() {
        let decimal = |text| CellRef::Decimal(Decimal::parse(text).unwrap());
        assert_eq!(arithmetic(Arithmetic::Add, decimal("0.1"), decimal("0.2")), decimal("0.3").to_cell());
        assert_eq!(
            arithmetic(Arithmetic::Multiply, decimal("1.5"), CellRef::Whole(2)),
            decimal("3").to_cell()
        );
        assert_eq!(arithmetic(Arithmetic::Divide, CellRef::Whole(7), CellRef::Whole(2)), Cell::Whole(3));
        assert_eq!(arithmetic(Arithmetic::Divide, CellRef::Whole(1), CellRef::Whole(0)), Cell::Null);
        assert_eq!(
            arithmetic(Arithmetic::Remainder, CellRef::Whole(i64::MIN), CellRef::Whole(-1)),
            Cell::Null
        );
        assert_eq!(arithmetic(Arithmetic::Add, CellRef::Whole(i64::MAX), CellRef::Whole(1)), Cell::Null);
        assert_eq!(arithmetic(Arithmetic::Add, CellRef::Text("a"), CellRef::Whole(1)), Cell::Null);
    }

    #[test]
    fn functions_make_values_of_texts_and_moments() {
        let moment =
            CellRef::Moment(mocktenant_schema::moment::parse_moment("2023-04-18T20:05:09Z").unwrap());
        for (function, arguments, made) in [
            (Function::Lower, vec![CellRef::Text("Ä")], Cell::text("ä")),
            (Function::Length, vec![CellRef::Text("a😀")], Cell::Whole(3)),
            (Function::IndexOf, vec![CellRef::Text("ab"), CellRef::Text("B")], Cell::Whole(1)),
            (Function::IndexOf, vec![CellRef::Text("ab"), CellRef::Text("c")], Cell::Whole(-1)),
            (
                Function::Substring,
                vec![CellRef::Text("abc"), CellRef::Whole(1), CellRef::Whole(1)],
                Cell::text("b"),
            ),
            (Function::Year, vec![moment], Cell::Whole(2023)),
            (Function::Hour, vec![moment], Cell::Whole(20)),
            (Function::Second, vec![moment], Cell::Whole(9)),
            (Function::Upper, vec![CellRef::Null], Cell::Null),
        ] {
            assert_eq!(call(function, &arguments), made, "{function:?}");
        }
    }
}
