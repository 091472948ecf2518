//! Sections that a configuration tool encrypted.
//!
//! Decides that such an element is refused, with the name of the tool that can undo it. It never decrypts. Mirrors the two
//! shapes of System.Configuration: a section with `configProtectionProvider`, and an `EncryptedData` element.

use mocktenant_xml::{Node, clip};

use crate::error::{Fault, Problem};

/// Refuses an element that a configuration tool encrypted, in whole or in part.
pub(crate) fn refuse<'d>(elements: impl IntoIterator<Item = Node<'d>>) -> Result<(), Fault> {
    for element in elements {
        if element.name() == "EncryptedData" || element.attribute("configProtectionProvider").is_some() {
            return Err(Fault::new(
                element.position(),
                Problem::Encrypted,
                format!("<{}> is encrypted", clip(element.name())),
                "decrypt a copy of the file first: Microsoft.Dynamics.AX.Framework.ConfigEncryptor.exe -decrypt \
                 (in WebRoot\\bin) for what the AOS tool encrypted, aspnet_regiis -pdf for a protected section",
            ));
        }
    }
    Ok(())
}
