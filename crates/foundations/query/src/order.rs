//! In which order rows come.

use std::cmp::Ordering;

use crate::collation::compare_text;
use crate::evaluate::Rows;
use crate::expression::Path;

/// One item of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What is compared.
    pub by: Path,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// Which of two rows comes first; null before all, as SQL Server sorts.
pub fn compare_rows<R: Rows>(rows: &R, order: &[Order], left: R::Row, right: R::Row) -> Ordering {
    for item in order {
        let (one, other) = (rows.value(left, &item.by), rows.value(right, &item.by));
        let ordering =
            one.compare(other, |left, right| compare_text(left, right, true)).unwrap_or(Ordering::Equal);
        let ordering = if item.descending { ordering.reverse() } else { ordering };
        if ordering.is_ne() {
            return ordering;
        }
    }
    Ordering::Equal
}
