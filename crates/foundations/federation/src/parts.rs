//! What the metadata of Entra and of AD FS have in common.
//!
//! Decides how a role, a key, an endpoint, a claim type and a SAML service are written. Which of them a document has, in which
//! order and with what in them, is for its module to say.

use mocktenant_keys::Certificate;
use mocktenant_xml::{Element, Namespace};

use crate::names::{AUTH, FED, METADATA, XSI};
use crate::signature::key_info;

/// The root without anything in it.
pub(crate) fn entity(id: &str, entity_id: &str) -> Element {
    Element::new(METADATA, "EntityDescriptor").attribute("ID", id).attribute("entityID", entity_id)
}

/// The prefix `fed` in the value of `xsi:type` is spelled out: some consumers compare that text, and it has to be declared
/// here although no name on this element uses it.
pub(crate) fn role(xsi_type: &'static str, protocols: &'static str) -> Element {
    Element::new(METADATA, "RoleDescriptor")
        .attribute_in(XSI, "type", xsi_type)
        .attribute("protocolSupportEnumeration", protocols)
        .declare(XSI)
        .declare(FED)
}

/// A key descriptor for each certificate.
pub(crate) fn key_descriptors(
    purpose: &'static str,
    certificates: &[Certificate],
) -> impl Iterator<Item = Element> {
    certificates.iter().map(move |certificate| {
        Element::new(METADATA, "KeyDescriptor").attribute("use", purpose).child(key_info(certificate))
    })
}

/// An endpoint of a role: one reference to one address.
pub(crate) fn endpoint(local: &'static str, addressing: &Namespace, address: &str) -> Element {
    Element::new(FED, local).child(reference(addressing, address))
}

/// WS-Addressing is prefixed in one product's documents and the default namespace in the other's.
pub(crate) fn reference(addressing: &Namespace, address: &str) -> Element {
    Element::new(addressing, "EndpointReference").child(Element::new(addressing, "Address").text(address))
}

/// A claim type with what is shown of it.
pub(crate) fn claim_type(uri: &str, name: &str, description: &str) -> Element {
    Element::new(AUTH, "ClaimType")
        .attribute("Uri", uri)
        .child(Element::new(AUTH, "DisplayName").text(name))
        .child(Element::new(AUTH, "Description").text(description))
}

/// A SAML service at one place by one binding.
pub(crate) fn service(local: &'static str, binding: &'static str, location: &str) -> Element {
    Element::new(METADATA, local).attribute("Binding", binding).attribute("Location", location)
}
