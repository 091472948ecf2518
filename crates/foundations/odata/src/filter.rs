//! `$filter`: the expression, and whether a row satisfies it.
//!
//! Decides by the null semantics of OData 4.0 (URL conventions 5.1.1.1): a comparison is never null; `and`, `or` and
//! `not` are three-valued; a row passes only if the whole is true. A column the row lacks counts as null: whether the
//! column exists at all is the surface's question, for which [`Filter::properties`] lists what is named.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Value};

use mocktenant_query::{Pattern, fold_case};
use crate::compare::{Comparable, Evaluation, order};
use crate::error::SyntaxError;
use crate::filter_parser;
use crate::literal::Literal;

/// A path of property names, `businessunitid/_parentbusinessunitid_value`. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PropertyPath(Vec<String>);

impl PropertyPath {
    /// A path of one name or more; `None` for no names.
    pub fn new(segments: Vec<String>) -> Option<Self> {
        if segments.is_empty() { None } else { Some(Self(segments)) }
    }

    /// The names, outermost first.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// The outermost name: the row's own column.
    pub fn column(&self) -> &str {
        // never empty by construction
        self.0.first().map_or("", String::as_str)
    }

    /// The value at the path; `None` if a name is missing or leads through something that is no object.
    pub fn value_in<'r>(&self, row: &'r Map<String, Value>) -> Option<&'r Value> {
        let (first, others) = self.0.split_first()?;
        others.iter().try_fold(row.get(first)?, |value, segment| value.as_object()?.get(segment))
    }

    /// The same, for a row that leaves out columns or has null in them: what they hold is in `defaults`.
    pub fn value_or<'r>(
        &self,
        row: &'r Map<String, Value>,
        defaults: Option<&'r Map<String, Value>>,
    ) -> Option<&'r Value> {
        match defaults {
            None => self.value_in(row),
            Some(defaults) => {
                self.value_in(row).filter(|value| !value.is_null()).or_else(|| self.value_in(defaults))
            }
        }
    }
}

impl fmt::Display for PropertyPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("/")?;
            }
            formatter.write_str(segment)?;
        }
        Ok(())
    }
}

/// A row, and what a column it lacks holds.
type Cells<'r> = (&'r Map<String, Value>, Option<&'r Map<String, Value>>);

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operand {
    /// A column, or a property of what a column refers to.
    Property(PropertyPath),
    /// A fixed value.
    Literal(Literal),
}

/// The comparison operators of URL conventions 5.1.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

impl Comparison {
    /// The operator as the URL spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }

    /// The operator of that spelling; lower case only, as in OData 4.0.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }

    /// The answer for two values, null included.
    fn holds(self, left: Comparable<'_>, right: Comparable<'_>, how: Evaluation) -> bool {
        let ordering = match (left, right) {
            // null equals itself, so `eq`, `ge` and `le` hold
            (Comparable::Null, Comparable::Null) => Some(Ordering::Equal),
            (Comparable::Null, _) | (_, Comparable::Null) => None,
            _ => order(left, right, how),
        };
        match self {
            Self::Equal => ordering == Some(Ordering::Equal),
            Self::NotEqual => ordering != Some(Ordering::Equal),
            Self::Greater => ordering == Some(Ordering::Greater),
            Self::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
            Self::Less => ordering == Some(Ordering::Less),
            Self::LessOrEqual => ordering.is_some_and(Ordering::is_le),
        }
    }
}

/// The functions of one text in another (URL conventions 5.1.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextFunction {
    /// `contains`
    Contains,
    /// `startswith`
    StartsWith,
    /// `endswith`
    EndsWith,
}

impl TextFunction {
    /// The function as the URL spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
        }
    }

    /// The function of that name; lower case only.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Contains, Self::StartsWith, Self::EndsWith].into_iter().find(|one| one.as_str() == name)
    }

    /// The answer for two values: null if either is, false if either is no text.
    fn holds(self, whole: Comparable<'_>, part: Comparable<'_>, how: Evaluation) -> Option<bool> {
        let (whole, part) = match (whole, part) {
            (Comparable::Null, _) | (_, Comparable::Null) => return None,
            (Comparable::Text(whole), Comparable::Text(part)) => (whole, part),
            _ => return Some(false),
        };
        let holds = |whole: &str, part: &str| match self {
            Self::Contains => whole.contains(part),
            Self::StartsWith => whole.starts_with(part),
            Self::EndsWith => whole.ends_with(part),
        };
        Some(if how.ignore_case { holds(&fold_case(whole), &fold_case(part)) } else { holds(whole, part) })
    }
}

/// A boolean expression. [`fmt::Display`] prints it so that [`Filter::parse`] gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filter {
    /// `left op right`
    Compare {
        /// The left side, usually a property.
        left: Operand,
        /// The operator.
        op: Comparison,
        /// The right side, usually a literal.
        right: Operand,
    },
    /// A boolean property or literal standing alone: `isdefault`.
    Truth(Operand),
    /// `contains(whole,part)` and its kin.
    Text {
        /// Which.
        function: TextFunction,
        /// What is looked in, usually a property.
        whole: Operand,
        /// What is looked for, usually a literal.
        part: Operand,
    },
    /// Two expressions or more joined by `and`.
    And(Vec<Filter>),
    /// Two expressions or more joined by `or`.
    Or(Vec<Filter>),
    /// `not`
    Not(Box<Filter>),
}

impl Filter {
    /// Reads a percent-decoded expression of at most [`crate::MAX_TEXT`] bytes and [`crate::MAX_DEPTH`] levels.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        filter_parser::parse(text)
    }

    /// How many comparisons and other terms it has.
    pub fn terms(&self) -> usize {
        match self {
            Self::Compare { .. } | Self::Truth(_) | Self::Text { .. } => 1,
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::terms).sum(),
            Self::Not(inner) => inner.terms(),
        }
    }

    /// How many of its terms may read all of a text: comparisons of one property with another, those with a pattern, and
    /// functions.
    pub fn pairs(&self) -> usize {
        match self {
            Self::Compare { left: Operand::Property(_), right: Operand::Property(_), .. } => 1,
            Self::Compare { left, op, right } => usize::from(pattern(left, *op, right).is_some()),
            Self::Truth(_) => 0,
            Self::Text { .. } => 1,
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::pairs).sum(),
            Self::Not(inner) => inner.pairs(),
        }
    }

    /// Whether the row satisfies the expression.
    pub fn matches(&self, row: &Map<String, Value>, how: Evaluation) -> bool {
        self.matches_with(row, None, how)
    }

    /// The same of a row that leaves out columns: what they hold is in `defaults`.
    pub fn matches_with(
        &self,
        row: &Map<String, Value>,
        defaults: Option<&Map<String, Value>>,
        how: Evaluation,
    ) -> bool {
        self.evaluate((row, defaults), how) == Some(true)
    }

    /// True, false, or `None` for OData's null.
    fn evaluate(&self, row: Cells<'_>, how: Evaluation) -> Option<bool> {
        match self {
            Self::Compare { left, op, right } => {
                let pattern = how.wildcards.then(|| pattern(left, *op, right)).flatten();
                Some(match pattern {
                    Some((operand, pattern)) => {
                        let text = match operand.value(row) {
                            Comparable::Text(text) => Some(text),
                            _ => None,
                        };
                        let alike = text.is_some_and(|text| Pattern::of_stars(pattern).matches(text));
                        alike == (*op == Comparison::Equal)
                    }
                    None => op.holds(left.value(row), right.value(row), how),
                })
            }
            Self::Truth(operand) => match operand.value(row) {
                Comparable::Bool(value) => Some(value),
                Comparable::Null => None,
                _ => Some(false),
            },
            Self::Text { function, whole, part } => function.holds(whole.value(row), part.value(row), how),
            Self::And(parts) => all(parts, |part| part.evaluate(row, how)),
            // De Morgan's law holds in three values too
            Self::Or(parts) => {
                all(parts, |part| part.evaluate(row, how).map(|value| !value)).map(|value| !value)
            }
            Self::Not(inner) => inner.evaluate(row, how).map(|value| !value),
        }
    }

    /// Every property the expression names, in the order written, repeated ones repeated.
    pub fn properties(&self) -> Vec<&PropertyPath> {
        let mut found = Vec::new();
        self.collect_properties(&mut found);
        found
    }

    fn collect_properties<'f>(&'f self, found: &mut Vec<&'f PropertyPath>) {
        match self {
            Self::Compare { left, right, .. } => {
                found.extend([left, right].into_iter().filter_map(Operand::property));
            }
            Self::Truth(operand) => found.extend(operand.property()),
            Self::Text { whole, part, .. } => {
                found.extend([whole, part].into_iter().filter_map(Operand::property));
            }
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.collect_properties(found);
                }
            }
            Self::Not(inner) => inner.collect_properties(found),
        }
    }

    /// The first function it calls, for a service that has none.
    pub fn function(&self) -> Option<TextFunction> {
        match self {
            Self::Text { function, .. } => Some(*function),
            Self::Compare { .. } | Self::Truth(_) => None,
            Self::And(parts) | Self::Or(parts) => parts.iter().find_map(Self::function),
            Self::Not(inner) => inner.function(),
        }
    }

    /// If `column eq literal` must hold for any row to pass (it stands alone or in a top-level `and`), that literal.
    pub fn required_value(&self, column: &str) -> Option<&Literal> {
        match self {
            Self::Compare { left, op: Comparison::Equal, right } => match (left, right) {
                (Operand::Property(path), Operand::Literal(literal))
                | (Operand::Literal(literal), Operand::Property(path))
                    if path.segments().len() == 1 && path.column() == column =>
                {
                    Some(literal)
                }
                _ => None,
            },
            Self::And(parts) => parts.iter().find_map(|part| part.required_value(column)),
            _ => None,
        }
    }
}

/// A property that is compared with a text that has a `*` in it, and the text.
fn pattern<'f>(left: &'f Operand, op: Comparison, right: &'f Operand) -> Option<(&'f Operand, &'f str)> {
    if !matches!(op, Comparison::Equal | Comparison::NotEqual) {
        return None;
    }
    match (left, right) {
        (property @ Operand::Property(_), Operand::Literal(Literal::String(text)))
        | (Operand::Literal(Literal::String(text)), property @ Operand::Property(_)) => {
            text.contains('*').then_some((property, text))
        }
        _ => None,
    }
}

/// Three-valued conjunction: false wins over null, null over true.
fn all<'f>(parts: &'f [Filter], mut value: impl FnMut(&'f Filter) -> Option<bool>) -> Option<bool> {
    let mut answer = Some(true);
    for part in parts {
        match value(part) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => answer = None,
        }
    }
    answer
}

impl Operand {
    fn value<'v>(&'v self, (row, defaults): Cells<'v>) -> Comparable<'v> {
        match self {
            Self::Property(path) => path.value_or(row, defaults).map_or(Comparable::Null, Comparable::from),
            Self::Literal(literal) => Comparable::from(literal),
        }
    }

    fn property(&self) -> Option<&PropertyPath> {
        match self {
            Self::Property(path) => Some(path),
            Self::Literal(_) => None,
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(path) => path.fmt(formatter),
            Self::Literal(literal) => literal.fmt(formatter),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { left, op, right } => write!(formatter, "{left} {} {right}", op.as_str()),
            Self::Truth(operand) => operand.fmt(formatter),
            Self::Text { function, whole, part } => {
                write!(formatter, "{}({whole},{part})", function.as_str())
            }
            Self::And(parts) => join(formatter, parts, " and "),
            Self::Or(parts) => join(formatter, parts, " or "),
            // a second `not` needs no parentheses, so that printing nests no deeper than what was read
            Self::Not(inner) if matches!(**inner, Self::Not(_)) => write!(formatter, "not {inner}"),
            Self::Not(inner) => write!(formatter, "not ({inner})"),
        }
    }
}

/// Prints nested `and` and `or` in parentheses, so that the nesting survives being read again.
fn join(formatter: &mut fmt::Formatter<'_>, parts: &[Filter], operator: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            formatter.write_str(operator)?;
        }
        if matches!(part, Filter::And(_) | Filter::Or(_)) {
            write!(formatter, "({part})")?;
        } else {
            write!(formatter, "{part}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row() -> Map<String, Value> {
        let row = json!({
            "name": "Contoso", "creditlimit": 5000, "rate": 1.5, "isdefault": true, "fax": null, "onhold": "No",
            "accountid": "A0000000-0000-0000-0000-00000000000b", "createdon": "2026-11-22T08:50:00Z",
            "_msdyn_company_value": "c0000000-0000-0000-0000-000000000001",
            "businessunitid": {"_parentbusinessunitid_value": null, "name": "Root"},
        });
        row.as_object().cloned().unwrap()
    }

    fn holds(filter: &str) -> bool {
        Filter::parse(filter).unwrap().matches(&row(), Evaluation::CASE_INSENSITIVE)
    }

    #[test]
    fn the_filter_of_the_default_team_query_is_understood() {
        assert!(holds("isdefault eq true and businessunitid/_parentbusinessunitid_value eq null"));
        assert!(!holds("isdefault eq true and businessunitid/_parentbusinessunitid_value ne null"));
    }

    #[test]
    fn texts_compare_without_case_only_when_told() {
        assert!(holds("name eq 'CONTOSO'"));
        let filter = Filter::parse("name eq 'CONTOSO'").unwrap();
        assert!(!filter.matches(&row(), Evaluation::default()));
    }

    #[test]
    fn guids_compare_without_case_quoted_or_not() {
        assert!(holds("accountid eq a0000000-0000-0000-0000-00000000000B"));
        assert!(holds("_msdyn_company_value eq 'C0000000-0000-0000-0000-000000000001'"));
        let filter = Filter::parse("accountid eq 'a0000000-0000-0000-0000-00000000000B'").unwrap();
        assert!(filter.matches(&row(), Evaluation::default()));
    }

    #[test]
    fn numbers_dates_and_enum_members_compare_by_value() {
        assert!(holds("creditlimit eq 5000.0 and creditlimit gt 4999.5 and rate lt 2"));
        assert!(holds("createdon eq 2026-11-22T09:50:00+01:00 and createdon gt 2026-11-22"));
        assert!(holds("onhold eq Microsoft.Dynamics.DataEntities.NoYes'No'"));
        assert!(holds("onhold ne Microsoft.Dynamics.DataEntities.NoYes'Yes'"));
        assert!(!holds("onhold gt Microsoft.Dynamics.DataEntities.NoYes'Aaa'"));
    }

    #[test]
    fn null_is_equal_to_itself_and_in_no_order_with_anything_else() {
        assert!(holds("fax eq null and missing eq null and null eq null"));
        assert!(holds("fax ne 'x' and name ne null"));
        assert!(!holds("fax gt 'a'"));
        assert!(!holds("fax lt 'a'"));
        assert!(holds("fax ge null and fax le null"));
        assert!(!holds("name ge null"));
    }

    #[test]
    fn a_null_boolean_neither_passes_nor_passes_when_negated() {
        assert!(!holds("missing"));
        assert!(!holds("not missing"));
        assert!(holds("missing or isdefault"));
        assert!(!holds("missing and isdefault"));
        assert!(holds("not (missing and false)"));
    }

    #[test]
    fn types_that_do_not_compare_are_different_and_unordered() {
        assert!(!holds("name eq 5"));
        assert!(holds("name ne 5"));
        assert!(!holds("name gt 5"));
        assert!(!holds("businessunitid eq 'Root'"));
    }

    #[test]
    fn a_required_value_is_seen_only_where_it_binds() {
        let required = |text: &str| Filter::parse(text).unwrap().required_value("dataAreaId").cloned();
        assert_eq!(required("dataAreaId eq 'usmf' and a eq 1"), Some(Literal::String("usmf".into())));
        assert_eq!(required("dataAreaId eq 'usmf' or a eq 1"), None);
        assert_eq!(required("not (dataAreaId eq 'usmf')"), None);
    }

    #[test]
    fn a_column_the_row_leaves_out_holds_its_default() {
        let defaults = json!({ "taxgroup": "", "name": "nobody", "fax": "" });
        let holds = |filter: &str, defaults: Option<&Map<String, Value>>| {
            Filter::parse(filter).unwrap().matches_with(&row(), defaults, Evaluation::CASE_INSENSITIVE)
        };
        assert!(holds("taxgroup eq '' and name eq 'Contoso' and fax eq ''", defaults.as_object()));
        assert!(!holds("taxgroup eq ''", None));
    }

    #[test]
    fn a_star_is_a_wildcard_only_where_a_service_says_so_and_in_eq_and_ne_alone() {
        let how = Evaluation { wildcards: true, ..Evaluation::CASE_INSENSITIVE };
        let matches = |text: &str, how| Filter::parse(text).unwrap().matches(&row(), how);
        assert!(matches("name eq 'con*' and '*OSO' eq name and name ne 'x*'", how));
        assert!(!matches("name ne 'con*'", how));
        assert!(!matches("creditlimit eq '5*'", how));
        assert!(matches("name gt 'a*'", how));
        assert!(!matches("name eq 'con*'", Evaluation::CASE_INSENSITIVE));
        assert_eq!(Filter::parse("name eq 'con*' or name eq 'x'").unwrap().pairs(), 1);
    }

    #[test]
    fn a_text_is_looked_for_in_another_and_null_holds_neither_way() {
        assert!(holds("contains(name,'TOS') and startswith(name,'con') and endswith(name,'so')"));
        assert!(!holds("contains(name,'x') or startswith(name,'so') or endswith(name,'con')"));
        assert!(holds("not contains(name,'x') and contains('xContosox',name)"));
        assert!(!holds("contains(fax,'x')") && !holds("not contains(fax,'x')"));
        assert!(!holds("contains(creditlimit,'5')"), "a number is no text");
        let how = Evaluation::default();
        assert!(!Filter::parse("contains(name,'TOS')").unwrap().matches(&row(), how));
        assert_eq!(Filter::parse("a eq 1 or contains(b,'x')").unwrap().pairs(), 1);
    }

    #[test]
    fn properties_are_listed_as_written() {
        let filter = Filter::parse("a eq 1 and not (b/c eq d)").unwrap();
        let names: Vec<_> = filter.properties().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a", "b/c", "d"]);
    }
}
