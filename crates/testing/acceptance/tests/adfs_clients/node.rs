//! Clients of Node.js.

use crate::Client;

pub(crate) const CLIENTS: &[Client] = &[];
