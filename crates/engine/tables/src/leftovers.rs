//! What is left of rows that nobody reads any more.
//!
//! Decides how they are freed: in slices, so that a reset of a million rows stops nobody.

use std::sync::Arc;

use crate::database::{Posting, Root};
use crate::key::Key;
use crate::record::Row;
use crate::tree::Wreck;

/// Nodes of each kind that are freed at once.
const SLICE: usize = 32;

/// What a database held before a reset, to be freed little by little. Dropping it frees it at once.
#[derive(Default)]
pub struct Leftovers {
    rows: Wreck<i64, Row>,
    unique: Wreck<Key, Row>,
    plain: Wreck<Key, Posting>,
    /// Numbers of rows that shared a value.
    shared: Wreck<i64, ()>,
}

impl Leftovers {
    pub(crate) fn of(root: Arc<Root>) -> Self {
        let mut left = Self::default();
        // what a snapshot still reads is freed with the snapshot
        let tables = Arc::into_inner(root).map(|root| root.tables).unwrap_or_default();
        for table in tables.into_iter().filter_map(Arc::into_inner) {
            left.rows.add(table.rows);
            table.unique.into_iter().for_each(|index| left.unique.add(index));
            table.plain.into_iter().for_each(|index| left.plain.add(index));
        }
        left
    }

    /// Frees some hundred rows and a thousand entries or so; whether there are more.
    pub fn free_some(&mut self) -> bool {
        let shared = &mut self.shared;
        let keep = |posting| {
            // what others hold is theirs to free
            if let Posting::Many(rows) = posting
                && let Some(rows) = Arc::into_inner(rows)
            {
                shared.add(rows);
            }
        };
        // all at once, newest first: what lies side by side in memory comes free side by side
        let more = [
            self.plain.clear(SLICE, keep),
            self.shared.clear(SLICE, drop),
            self.unique.clear(SLICE, drop),
            self.rows.clear(SLICE, drop),
        ];
        more.contains(&true)
    }
}
