//! Where in a lab something happens: the identity host, one AOS environment, one Dataverse organisation.
//!
//! A site is a machine (it has a clock), an entrance (it has a port) and the key of what a surface keeps.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// One place of a lab. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Site {
    /// The identity port: Entra and, later, AD FS.
    Identity,
    /// An AOS environment by its name in the declaration.
    Environment(Arc<str>),
    /// A Dataverse organisation by its name in the declaration.
    Organization(Arc<str>),
}

impl Site {
    /// The environment called `name`.
    pub fn environment(name: &str) -> Self {
        Self::Environment(name.into())
    }

    /// The organisation called `name`.
    pub fn organization(name: &str) -> Self {
        Self::Organization(name.into())
    }

    /// The name in the declaration; empty for the identity port.
    pub fn name(&self) -> &str {
        match self {
            Self::Identity => "",
            Self::Environment(name) | Self::Organization(name) => name,
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => formatter.write_str("identity"),
            Self::Environment(name) => write!(formatter, "environment/{name}"),
            Self::Organization(name) => write!(formatter, "organization/{name}"),
        }
    }
}

impl Serialize for Site {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
