//! Identity in XML: XML-DSig, federation metadata.
//!
//! [`Signer`] puts an enveloped signature into a tree of the XML room; [`EntraMetadata`] and
//! [`AdfsMetadata`] write FederationMetadata.xml as Entra and AD FS serve it, and [`read_metadata`] reads any such file the way a
//! WIF-based consumer does. [`verify`] alone makes an element [`Verified`].
//! Nothing here knows the time, holds state or fetches anything, and how XML is read and written is the XML room's affair.

mod adfs_metadata;
mod metadata;
mod names;
mod parts;
mod reader;
mod signature;
mod verification;

pub use adfs_metadata::{AdfsMetadata, ClaimType};
pub use metadata::{EntraMetadata, MetadataError};
pub use reader::{
    FederationMetadata, MAX_METADATA_BYTES, ReadError, ReadErrorKind, read_metadata, read_verified,
};
pub use signature::{SignError, SignatureForm, Signer};
pub use verification::{MAX_SIGNED_BYTES, Refused, Verified, signed_text, signed_tree, verify};
