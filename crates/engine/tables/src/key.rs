//! Keys: values of columns as bytes that compare as the values do.
//!
//! Decides what makes two rows the same row: texts compare without regard to case, as under the SQL collations of both products,
//! values of two types never equal. A key of a GUID or of a name lies within its entry, a longer one beside it: what is sought
//! among a million is compared with some twenty, and each that lies elsewhere is waited for.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use mocktenant_query::fold_case;
use mocktenant_schema::CellRef;

/// Values of a key's columns, in the order the key lists them. Cheap to clone.
#[derive(Clone)]
pub struct Key(Bytes);

/// Bytes that lie here as long as they are few; then those behind them are nought.
#[derive(Clone)]
enum Bytes {
    Few(u8, [u8; FEW]),
    Many(Arc<[u8]>),
}

/// As many as make a key five words long: most names are shorter.
const FEW: usize = 38;

impl Key {
    /// A key of these values.
    pub fn of<'c>(cells: impl IntoIterator<Item = CellRef<'c>>) -> Self {
        let mut bytes = Writer { here: 0, few: [0; FEW], many: Vec::new() };
        for cell in cells {
            push(&mut bytes, cell);
        }
        Self(bytes.finished())
    }

    /// Whether its first columns are those of another key.
    pub(crate) fn begins_with(&self, other: &Self) -> bool {
        // no value's bytes are the beginning of another's
        self.bytes().starts_with(other.bytes())
    }

    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Few(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Bytes::Many(bytes) => bytes,
        }
    }
}

/// The bytes of a key in the making.
struct Writer {
    here: u8,
    few: [u8; FEW],
    /// All of them, once they are not few any more.
    many: Vec<u8>,
}

impl Writer {
    fn extend(&mut self, bytes: &[u8]) {
        let here = usize::from(self.here);
        if self.many.is_empty()
            && let Some(there) = self.few.get_mut(here..here + bytes.len())
        {
            there.copy_from_slice(bytes);
            // fewer than 38
            self.here = u8::try_from(here + bytes.len()).unwrap_or_default();
            return;
        }
        if self.many.is_empty() {
            self.many.extend_from_slice(self.few.get(..here).unwrap_or_default());
        }
        self.many.extend_from_slice(bytes);
    }

    fn finished(self) -> Bytes {
        if self.many.is_empty() { Bytes::Few(self.here, self.few) } else { Bytes::Many(self.many.into()) }
    }
}

/// Appends a value so that the bytes of two values compare as they do: its type, then what it is.
fn push(bytes: &mut Writer, cell: CellRef<'_>) {
    /// A number with its sign turned, so that negative ones come first.
    const fn turned(number: i64) -> [u8; 8] {
        (number ^ i64::MIN).to_be_bytes()
    }
    match cell {
        CellRef::Null => bytes.extend(&[0]),
        CellRef::Flag(flag) => bytes.extend(&[1, u8::from(flag)]),
        CellRef::Whole(whole) => {
            bytes.extend(&[2]);
            bytes.extend(&turned(whole));
        }
        CellRef::Decimal(decimal) => {
            bytes.extend(&[3]);
            bytes.extend(&(decimal.units() ^ i128::MIN).to_be_bytes());
        }
        CellRef::Double(double) => {
            bytes.extend(&[4]);
            let bits = double.to_bits();
            let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
            bytes.extend(&ordered.to_be_bytes());
        }
        CellRef::Text(text) => {
            bytes.extend(&[5]);
            push_folded(bytes, text);
            // shorter comes first, whatever follows in the key
            bytes.extend(&[0, 0]);
        }
        CellRef::Id(id) => {
            bytes.extend(&[6]);
            bytes.extend(id.as_bytes());
        }
        CellRef::Moment(seconds) => {
            bytes.extend(&[7]);
            bytes.extend(&turned(seconds));
        }
        CellRef::Day(day) => {
            bytes.extend(&[8]);
            bytes.extend(&turned(i64::from(day)));
        }
    }
}

/// Appends a text in lower case, with a mark behind what ends texts.
fn push_folded(bytes: &mut Writer, text: &str) {
    /// Bytes that are turned at once.
    const PART: usize = 32;
    if !text.is_ascii() || text.as_bytes().contains(&0) {
        for byte in fold_case(text).into_bytes() {
            bytes.extend(if byte == 0 { &[0, u8::MAX] } else { std::slice::from_ref(&byte) });
        }
        return;
    }
    // most texts are plain, and of those no character becomes another number of bytes
    for part in text.as_bytes().chunks(PART) {
        let mut lower = [0; PART];
        for (there, byte) in lower.iter_mut().zip(part) {
            *there = byte.to_ascii_lowercase();
        }
        bytes.extend(lower.get(..part.len()).unwrap_or_default());
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Bytes::Few(length, bytes), Bytes::Few(others_length, others)) => {
                // of two that are the same up to noughts the shorter comes first
                compare_few(bytes, others).then(length.cmp(others_length))
            }
            _ => self.bytes().cmp(other.bytes()),
        }
    }
}

/// Compares eight bytes at once: a look-up in a tree does little else.
fn compare_few(left: &[u8; FEW], right: &[u8; FEW]) -> Ordering {
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks::<8>(), right.as_chunks::<8>());
    for (left, right) in left.iter().zip(right) {
        if left != right {
            return u64::from_be_bytes(*left).cmp(&u64::from_be_bytes(*right));
        }
    }
    left_rest.cmp(right_rest)
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use mocktenant_schema::{Decimal, Guid};

    use super::*;

    fn key(cells: &[CellRef<'_>]) -> Key {
        Key::of(cells.iter().copied())
    }

    #[test]
    fn keys_compare_as_their_values_do() {
        let decimal = |text| CellRef::Decimal(Decimal::parse(text).unwrap());
        let ordered: &[&[CellRef<'_>]] = &[
            &[CellRef::Null],
            &[CellRef::Flag(false)],
            &[CellRef::Flag(true)],
            &[CellRef::Whole(i64::MIN)],
            &[CellRef::Whole(-1)],
            &[CellRef::Whole(0)],
            &[CellRef::Whole(7)],
            &[decimal("-1.5")],
            &[decimal("0")],
            &[decimal("12.25")],
            &[CellRef::Double(f64::NEG_INFINITY)],
            &[CellRef::Double(-1.0)],
            &[CellRef::Double(0.5)],
            &[CellRef::Text("")],
            &[CellRef::Text("a"), CellRef::Text("z")],
            &[CellRef::Text("a\0"), CellRef::Null],
            &[CellRef::Text("ab"), CellRef::Null],
            &[CellRef::Text("b")],
            &[CellRef::Id(Guid::from_bytes([1; 16]))],
            &[CellRef::Id(Guid::from_bytes([2; 16]))],
            &[CellRef::Moment(-1)],
            &[CellRef::Moment(1)],
            &[CellRef::Day(-1)],
            &[CellRef::Day(1)],
        ];
        for pair in ordered.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{:?} {:?}", pair[0], pair[1]);
        }
        assert_eq!(key(&[CellRef::Text("US-001")]), key(&[CellRef::Text("us-001")]));
        assert_ne!(key(&[CellRef::Text("a"), CellRef::Text("b")]), key(&[CellRef::Text("a\0\0\u{5}b")]));
    }

    #[test]
    fn texts_of_any_length_and_script_are_in_lower_case() {
        for length in 0..100 {
            let (upper, lower) = ("AbZ".repeat(length), "aBz".repeat(length));
            assert_eq!(key(&[CellRef::Text(&upper)]), key(&[CellRef::Text(&lower)]), "{length}");
            let longer = format!("{lower}a");
            assert!(
                key(&[CellRef::Text(&upper), CellRef::Day(7)]) < key(&[CellRef::Text(&longer)]),
                "{length}"
            );
            let (upper, lower) = (format!("{upper}Ä\0Ω"), format!("{lower}ä\0ω"));
            assert_eq!(key(&[CellRef::Text(&upper)]), key(&[CellRef::Text(&lower)]), "{length}");
            assert!(key(&[CellRef::Text(&upper)]).begins_with(&key(&[CellRef::Text(&lower)])));
            assert!(!key(&[CellRef::Text(&longer)]).begins_with(&key(&[CellRef::Text(&lower)])));
        }
        assert_eq!(key(&[CellRef::Text("İ")]), key(&[CellRef::Text("i\u{307}")]), "one that becomes two");
    }

    #[test]
    fn a_key_is_five_words_long() {
        assert_eq!(size_of::<Key>(), 40);
    }
}
