//! Identity in XML: canonical writer, XML-DSig, federation metadata.
//!
//! [`canonical`] is a small element tree with two serialisers, the document and its exclusive canonical form; [`Signer`] puts
//! an enveloped signature into such a tree; [`EntraMetadata`] writes FederationMetadata.xml as Entra serves it, and
//! [`read_metadata`] reads any such file the way a WIF-based consumer does. Nothing here knows the time, holds state or
//! fetches anything.

pub mod canonical;
mod metadata;
mod names;
mod reader;
mod signature;

pub use metadata::{EntraMetadata, MetadataError};
pub use reader::{FederationMetadata, MAX_METADATA_BYTES, ReadError, ReadErrorKind, read_metadata};
pub use signature::{SignError, SignatureForm, Signer};
