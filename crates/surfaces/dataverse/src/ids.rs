//! The ids of new rows.
//!
//! Decides that they ascend, so that rows without an order come as they were made: from a random base for each organisation, one
//! above the other. A client's own id sorts where it falls. Mirrors the sequential GUIDs of a real organisation.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use mocktenant_odata::Guid;

/// The last id of each organisation, by its name.
#[derive(Default)]
pub(crate) struct Ids(Mutex<HashMap<String, u128>>);

impl Clone for Ids {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

impl Ids {
    /// The next one; `base` says where the first is.
    pub(crate) fn next(&self, organization: &str, base: impl FnOnce() -> Guid) -> Guid {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = match last.get(organization) {
            Some(last) => last.wrapping_add(1),
            // with room above it
            None => u128::from_be_bytes(*base().as_bytes()) >> 1,
        };
        last.insert(organization.to_owned(), number);
        Guid::from_bytes(number.to_be_bytes())
    }
}
