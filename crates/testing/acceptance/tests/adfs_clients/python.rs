//! Clients of Python: MSAL.

use mocktenant_acceptance::pins::Pin;
use mocktenant_acceptance::programs::Language;

use crate::{Client, flow};

pub(crate) const CLIENTS: &[Client] = &[Client {
    name: "MSAL for Python",
    pin: Pin::Requirement("msal"),
    language: Language::Python,
    file: "msal_python.py",
    flows: &[flow("secret", |seen| {
        seen.app_only("secret");
        String::from("works")
    })],
}];
