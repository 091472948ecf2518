//! How a moment is written.
//!
//! Decides nothing but that there is one writer for all formats: each room has its formats, and a writer in each of them is
//! the whole of `time`'s once more. Never decides in which offset from UTC a moment is written: the one it has.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;

/// The moment in this format. Years 1 to 9999 can be written in every one of them; what cannot reads as empty.
#[inline(never)]
pub fn written(moment: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    moment.format(format).unwrap_or_default()
}
