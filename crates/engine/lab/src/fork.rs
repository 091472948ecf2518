//! A throw-away copy of a running lab: the same world, rows, clock and machines, and no way out but into itself.
//!
//! Decides what a copy shares with the lab it was made from: nothing that either of them could change. Rows, worlds and
//! what a node has read are immutable under their handles, so a copy costs pointers. Its calls are answered in process, by
//! the table the sockets dial. Nothing it does is seen outside, and it goes with its last handle.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::journal::Record;
use crate::{InProcess, Lab};

impl Lab {
    /// A copy of this lab as it is now, whose time stands at this moment. Its journal holds only these records, which its
    /// machines may refer to.
    #[must_use]
    pub fn fork<'r>(&self, at: OffsetDateTime, records: impl IntoIterator<Item = &'r Arc<Record>>) -> Self {
        let fork = self.copied(at);
        for record in records {
            fork.journal().adopt(Arc::clone(record));
        }
        match self.dial() {
            Some(dial) => fork.set_outbound(InProcess::new(&fork, dial)),
            None => fork.set_outbound(InProcess::by_world_names(&fork)),
        }
        fork
    }
}
