//! Queries that are XML: FetchXML, and the views whose rows hold it.
//!
//! Decides what such a query means: it is read ([`fetch`]), bound to the tables ([`lower`]), its conditions by their operators
//! ([`conditions`]), its joins gone through row by row ([`join`]), its aggregates worked out ([`aggregate`]) and its rows written
//! ([`write`]). Never decides who may read what, nor asks the database anything itself: that is `operations`. What a query of the
//! product may have and this one may not is refused by its name.

pub(crate) mod aggregate;
pub(crate) mod conditions;
pub(crate) mod fetch;
pub(crate) mod join;
pub(crate) mod lower;
pub(crate) mod views;
pub(crate) mod write;

use crate::errors::{DataverseError, FetchDefect};

/// Why a query is not answered.
#[derive(Debug, PartialEq)]
pub(crate) enum Unanswerable {
    /// The product would not either.
    Refused(Box<DataverseError>),
    /// This lab has not what it asks for.
    NotBuilt(String),
}

impl Unanswerable {
    fn not_built(what: impl Into<String>) -> Self {
        Self::NotBuilt(what.into())
    }
}

impl From<DataverseError> for Unanswerable {
    fn from(error: DataverseError) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl From<FetchDefect> for Unanswerable {
    fn from(inner: FetchDefect) -> Self {
        DataverseError::FetchArgument { inner }.into()
    }
}
