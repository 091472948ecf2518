//! The types of columns.

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Text of one line.
    Text,
    /// Text of several lines.
    Memo,
    /// A whole number of 32 bits.
    Whole,
    /// A whole number of 64 bits.
    Big,
    /// A decimal number.
    Decimal,
    /// A double.
    Double,
    /// An amount in the currency of its row.
    Money,
    /// Yes or no.
    Flag,
    /// One of several choices.
    Choice,
    /// The state of a row.
    State,
    /// The reason for its state.
    Status,
    /// A GUID.
    Id,
    /// A GUID that is the key of another row.
    Lookup,
    /// A moment.
    Moment,
    /// A day.
    Day,
    /// The number of the row's version.
    Version,
    /// Bytes.
    Binary,
    /// Nothing that a row holds.
    Virtual,
}

/// All types, by their number.
pub(crate) const KINDS: [Kind; 18] = [
    Kind::Text,
    Kind::Memo,
    Kind::Whole,
    Kind::Big,
    Kind::Decimal,
    Kind::Double,
    Kind::Money,
    Kind::Flag,
    Kind::Choice,
    Kind::State,
    Kind::Status,
    Kind::Id,
    Kind::Lookup,
    Kind::Moment,
    Kind::Day,
    Kind::Version,
    Kind::Binary,
    Kind::Virtual,
];

impl Kind {
    /// The type of this name; `None` for any other word.
    pub fn of_name(name: &str) -> Option<Self> {
        let at = crate::definition::TYPES.iter().position(|one| *one == name)?;
        KINDS.get(at).copied()
    }

    /// The type's name.
    pub fn name(self) -> &'static str {
        crate::definition::TYPES.get(self as usize).copied().unwrap_or_default()
    }

    /// Whether it holds a text.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Memo)
    }
}
