//! Conditions and values over the columns of a row and of rows it leads to.
//!
//! Decides nothing about types: whoever binds a text to a schema has checked them.

use mocktenant_schema::Cell;

use crate::pattern::Pattern;

/// A step from a row to others: a relationship, by its position in the schema, and the direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// The relationship.
    pub relationship: u16,
    /// Whether it is gone against its columns, to many rows.
    pub back: bool,
}

/// A column of a row, or of one it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// Steps, each to one row.
    pub hops: Vec<Hop>,
    /// The column there.
    pub column: u16,
}

impl Path {
    /// A column of the row itself.
    pub fn own(column: u16) -> Self {
        Self { hops: Vec::new(), column }
    }
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// `add`
    Add,
    /// `sub`
    Subtract,
    /// `mul`
    Multiply,
    /// `div`
    Divide,
    /// `mod`
    Remainder,
}

/// One text in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextFunction {
    /// `contains`
    Contains,
    /// `startswith`
    StartsWith,
    /// `endswith`
    EndsWith,
}

/// A value made of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// `tolower`
    Lower,
    /// `toupper`
    Upper,
    /// `trim`
    Trim,
    /// `length`, in UTF-16 units
    Length,
    /// `concat`
    Concat,
    /// `indexof`
    IndexOf,
    /// `substring`, from a position, and so many
    Substring,
    /// `year`
    Year,
    /// `month`
    Month,
    /// `day`
    Day,
    /// `hour`
    Hour,
    /// `minute`
    Minute,
    /// `second`
    Second,
    /// `date`
    Date,
    /// `round`
    Round,
    /// `floor`
    Floor,
    /// `ceiling`
    Ceiling,
}

/// A condition or a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A fixed value.
    Constant(Cell),
    /// A column.
    Column(Path),
    /// `not`
    Not(Box<Self>),
    /// All of these.
    And(Vec<Self>),
    /// One of these.
    Or(Vec<Self>),
    /// A comparison.
    Compare {
        /// How.
        op: Comparison,
        /// The left side.
        left: Box<Self>,
        /// The right side.
        right: Box<Self>,
    },
    /// A number from two.
    Arithmetic {
        /// How.
        op: Arithmetic,
        /// The left side.
        left: Box<Self>,
        /// The right side.
        right: Box<Self>,
    },
    /// One text in another.
    Text {
        /// Where.
        function: TextFunction,
        /// What is looked in.
        whole: Box<Self>,
        /// What is looked for.
        part: Box<Self>,
    },
    /// A text of a pattern.
    Like {
        /// The text.
        text: Box<Self>,
        /// The pattern.
        pattern: Pattern,
    },
    /// A value among fixed ones.
    OneOf {
        /// The value.
        value: Box<Self>,
        /// Those it may be.
        of: Vec<Cell>,
    },
    /// Whether one of many rows, or every one, satisfies a condition.
    Exists {
        /// Steps, the last of which leads to many rows.
        hops: Vec<Hop>,
        /// Whether every one has to; else one suffices.
        every: bool,
        /// The condition, of the rows there; absent: that there is one.
        condition: Option<Box<Self>>,
    },
    /// How many rows a step leads to.
    Count(Vec<Hop>),
    /// A value made of others.
    Call {
        /// How.
        function: Function,
        /// Of what.
        arguments: Vec<Self>,
    },
}

impl Expression {
    /// A comparison of a column with a fixed value.
    pub fn column_is(column: u16, op: Comparison, value: Cell) -> Self {
        Self::Compare {
            op,
            left: Box::new(Self::Column(Path::own(column))),
            right: Box::new(Self::Constant(value)),
        }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut all) => {
                all.push(other);
                Self::And(all)
            }
            one => Self::And(vec![one, other]),
        }
    }

    /// How many comparisons and other terms it has: each may be asked of every row.
    pub fn terms(&self) -> usize {
        match self {
            Self::Constant(_) | Self::Column(_) => 0,
            // a column that stands alone is asked too
            Self::Not(one) => one.terms().max(1),
            Self::And(all) | Self::Or(all) => all.iter().map(|one| one.terms().max(1)).sum(),
            Self::Compare { left, right, .. } | Self::Arithmetic { left, right, .. } => {
                1 + left.terms() + right.terms()
            }
            Self::Text { whole, part, .. } => 1 + whole.terms() + part.terms(),
            Self::Like { text, .. } => 1 + text.terms(),
            Self::OneOf { value, .. } => 1 + value.terms(),
            Self::Exists { condition, .. } => 1 + condition.as_ref().map_or(0, |one| one.terms()),
            Self::Count(_) => 1,
            Self::Call { arguments, .. } => 1 + arguments.iter().map(Self::terms).sum::<usize>(),
        }
    }

    /// If the row's own column must equal a fixed value for any row to pass, that value.
    pub fn required(&self, column: u16) -> Option<&Cell> {
        match self {
            Self::Compare { op: Comparison::Equal, left, right } => match (&**left, &**right) {
                (Self::Column(path), Self::Constant(cell)) | (Self::Constant(cell), Self::Column(path)) => {
                    (path.hops.is_empty() && path.column == column).then_some(cell)
                }
                _ => None,
            },
            Self::And(all) => all.iter().find_map(|one| one.required(column)),
            _ => None,
        }
    }

    /// If the row's own column must be among fixed values, those.
    pub fn required_among(&self, column: u16) -> Option<&[Cell]> {
        match self {
            Self::OneOf { value, of } => match &**value {
                Self::Column(path) if path.hops.is_empty() && path.column == column => Some(of),
                _ => None,
            },
            Self::And(all) => all.iter().find_map(|one| one.required_among(column)),
            _ => None,
        }
    }
}
