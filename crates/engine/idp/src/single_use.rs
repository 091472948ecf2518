//! Single use: of all who present the same value, the first gets it (RFC 6749 section 4.1.2, RFC 8628 section 3.5).
//!
//! Decides that a mark, once made, stands until the value would have ended anyhow, and that whoever comes later is told who
//! came first. Never decides which values are good once, nor what becomes of what the first use gave.

use bytes::Bytes;
use mocktenant_lab::store::{Change, Full, Key};
use time::OffsetDateTime;

use crate::{Ledger, Mark};

/// The store's word for marks of use.
const SPENT: &str = "spent";

/// Why a value was not spent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSpent {
    /// It was spent before.
    #[error("it was used before, by {by}")]
    Before {
        /// Who spent it, as that one said of itself.
        by: String,
    },
    /// It cannot be remembered that it was spent, so it was not.
    #[error(transparent)]
    Full(#[from] Full),
}

impl Ledger<'_> {
    /// Spends the value of this mark, which ends at `expires`. `by` is whoever does it, for instance an exchange id: who comes
    /// later reads it. Of many at once exactly one succeeds.
    pub fn spend(&self, mark: &Mark, by: &str, expires: OffsetDateTime) -> Result<(), NotSpent> {
        let spent = self.store.update(self.owner, key(mark), self.now, |before| match before {
            Some(by) => {
                (Change::Keep, Err(NotSpent::Before { by: String::from_utf8_lossy(by).into_owned() }))
            }
            None => {
                let value = Bytes::copy_from_slice(by.as_bytes());
                (Change::Put { value, expires }, Ok(()))
            }
        });
        spent?
    }

    /// Who spent the value of this mark, if anybody did.
    pub fn spent_by(&self, mark: &Mark) -> Option<String> {
        let by = self.store.get(self.owner, &key(mark), self.now)?;
        Some(String::from_utf8_lossy(&by).into_owned())
    }
}

fn key(mark: &Mark) -> Key {
    Key::new(SPENT, &mark.to_string())
}
