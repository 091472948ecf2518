//! Config files and certificate stores as found, and lossless edits to them.
//!
//! An *artefact* is a file as someone has it: its original bytes in their original encoding, and on top of them the
//! settings it holds, each with line, column and byte span. An edit is a splice: it changes the span of one value (or
//! adds or removes one line) and leaves every other byte where it was: byte order mark, line ends, comments, unknown
//! keys, quoting, white space. Text, tree and splice come from the XML room; what a setting is, what is encrypted and what the
//! owner of a broken file should do is known here.
//!
//! This crate decides what a file *says*, never whether that is right: judging settings belongs to the surfaces and to
//! the diagnosis. It never writes to disk, and opens files only to read a certificate store.
//!
//! The behaviour mirrored here is ASP.NET's reading of `appSettings`, WIF's reading of `audienceUris`, Service Fabric's
//! sections of parameters and the Windows certificate stores `LocalMachine` and `CurrentUser`, as far as an AOS depends on
//! them.

mod artefact;
mod axsf_package;
mod certificate_store;
mod collection;
mod encrypted;
mod error;
mod pair;
mod web_config;
mod wif_config;
mod wif_services_config;
mod wording;

pub use artefact::{Artefact, Entry, Kind, Located, MAX_BYTES, Value};
pub use axsf_package::AxsfPackage;
pub use certificate_store::{CertificateStores, StoreError, StoreName, StoredCertificate};
pub use error::{EditError, ParseError, Problem};
pub use mocktenant_xml::{Encoding, Position, Splice};
pub use web_config::WebConfig;
pub use wif_config::{AUDIENCE_URIS, Authority, WifConfig};
pub use wif_services_config::WifServicesConfig;
