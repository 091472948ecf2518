//! The clients that are run with nothing changed, one row each: where the version is pinned, the program, its flows.
//!
//! Decides what each of them can do: who has no certificates here cannot take any, or not in that form.

use mocktenant_acceptance::pins::Pin;
use mocktenant_acceptance::programs::Language;

use crate::flows::{
    By, CERTIFICATE, CHAIN, ENVIRONMENT, EXPIRED, FOREIGN, FOREIGN_PFX, Failing, Flow, MANAGED_IDENTITY,
    NOBODY, PFX, PFX_CHAIN, SECRET, UNKNOWN_RESOURCE, UNKNOWN_TENANT, USER_ASSIGNED, WRONG_SECRET,
};

/// What a program does, and so what it prints at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// Creates a customer in Finance & Operations, finds the account that Dual Write made of it in Dataverse, reads it.
    Customer,
    /// Creates an account in Dataverse, reads it, finds it, renames it, reads it, deletes it, and looks whether it is gone.
    Account,
    /// Asks for a token twice: the second one was kept.
    Token,
    /// The same, and before it fifty at once, each of whom may have asked.
    Tokens,
}

/// A row.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) pin: Pin,
    pub(crate) language: Language,
    /// Below `clients/default_options`.
    pub(crate) file: &'static str,
    pub(crate) does: Does,
    pub(crate) flows: &'static [Flow],
}

const fn by(way: &'static By) -> Flow {
    Flow::By(way)
}

const CUSTOMER_FAILS: &[&Failing] =
    &[&WRONG_SECRET, &EXPIRED, &NOBODY, &UNKNOWN_TENANT, &UNKNOWN_RESOURCE, &FOREIGN];
/// Those that ask for nothing but a token for Dataverse are told no other resource.
const TOKEN_FAILS: &[&Failing] = &[&WRONG_SECRET, &EXPIRED, &NOBODY, &UNKNOWN_TENANT, &FOREIGN];

const AZURE_IDENTITY: &[Flow] = &[
    by(&SECRET),
    by(&ENVIRONMENT),
    by(&CERTIFICATE),
    by(&CHAIN),
    by(&MANAGED_IDENTITY),
    by(&USER_ASSIGNED),
    Flow::MissingUser,
    Flow::Errors(CUSTOMER_FAILS),
];

const AZURE_IDENTITY_WITH_PFX: &[Flow] = &[
    by(&SECRET),
    by(&ENVIRONMENT),
    by(&CERTIFICATE),
    by(&CHAIN),
    by(&PFX),
    by(&MANAGED_IDENTITY),
    by(&USER_ASSIGNED),
    Flow::MissingUser,
    Flow::Errors(CUSTOMER_FAILS),
];

const DATAVERSE: &[Flow] =
    &[by(&SECRET), by(&CERTIFICATE), by(&MANAGED_IDENTITY), Flow::MissingUser, Flow::Errors(TOKEN_FAILS)];

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "azure-identity for Python",
        pin: Pin::Requirement("azure-identity"),
        language: Language::Python,
        file: "customer.py",
        does: Does::Customer,
        flows: AZURE_IDENTITY_WITH_PFX,
    },
    Client {
        name: "@azure/identity for Node.js",
        pin: Pin::NodePackage("@azure/identity"),
        language: Language::Node,
        file: "customer.mjs",
        does: Does::Customer,
        flows: AZURE_IDENTITY,
    },
    Client {
        name: "azidentity for Go",
        pin: Pin::GoModule("github.com/Azure/azure-sdk-for-go/sdk/azidentity"),
        language: Language::Go,
        file: "go",
        does: Does::Customer,
        flows: AZURE_IDENTITY_WITH_PFX,
    },
    Client {
        name: "azure-identity for Java",
        pin: Pin::Artifact("azure-identity"),
        language: Language::Java,
        file: "Customer.java",
        does: Does::Customer,
        flows: AZURE_IDENTITY_WITH_PFX,
    },
    Client {
        name: "Azure.Identity for .NET",
        pin: Pin::Package("Azure.Identity"),
        language: Language::Dotnet,
        file: "customer.cs",
        does: Does::Customer,
        flows: AZURE_IDENTITY_WITH_PFX,
    },
    Client {
        name: "azure_identity for Rust",
        pin: Pin::Crate("azure_identity"),
        language: Language::Rust,
        file: "rust",
        does: Does::Customer,
        flows: &[
            by(&SECRET),
            by(&PFX),
            by(&PFX_CHAIN),
            by(&MANAGED_IDENTITY),
            Flow::MissingUser,
            Flow::Errors(&[
                &WRONG_SECRET,
                &EXPIRED,
                &NOBODY,
                &UNKNOWN_TENANT,
                &UNKNOWN_RESOURCE,
                &FOREIGN_PFX,
            ]),
        ],
    },
    Client {
        name: "PowerShell",
        pin: Pin::Machine,
        language: Language::PowerShell,
        file: "customer.ps1",
        does: Does::Customer,
        // Its own requests know no certificates.
        flows: &[
            by(&SECRET),
            Flow::MissingUser,
            Flow::Errors(&[&WRONG_SECRET, &EXPIRED, &NOBODY, &UNKNOWN_TENANT, &UNKNOWN_RESOURCE]),
        ],
    },
    Client {
        name: "Dataverse SDK for Python",
        pin: Pin::Requirement("PowerPlatform-Dataverse-Client"),
        language: Language::Python,
        file: "dataverse_sdk.py",
        does: Does::Account,
        flows: DATAVERSE,
    },
    Client {
        name: "dynamics-web-api for Node.js",
        pin: Pin::NodePackage("dynamics-web-api"),
        language: Language::Node,
        file: "dynamics_web_api.mjs",
        does: Does::Account,
        flows: DATAVERSE,
    },
    Client {
        name: "MSAL for Python",
        pin: Pin::Requirement("msal"),
        language: Language::Python,
        file: "msal_python.py",
        does: Does::Token,
        flows: &[
            by(&SECRET),
            by(&CERTIFICATE),
            by(&PFX),
            by(&PFX_CHAIN),
            by(&MANAGED_IDENTITY),
            Flow::Errors(TOKEN_FAILS),
        ],
    },
    Client {
        name: "MSAL for Node.js (24)",
        pin: Pin::NodePackage("@azure/msal-node"),
        language: Language::Node24,
        file: "msal_node.mjs",
        does: Does::Token,
        flows: MSAL,
    },
    Client {
        name: "MSAL for Go",
        pin: Pin::GoModule("github.com/AzureAD/microsoft-authentication-library-for-go"),
        language: Language::Go,
        file: "msal_go",
        does: Does::Token,
        flows: MSAL,
    },
    Client {
        name: "MSAL4J for Java",
        pin: Pin::Artifact("msal4j"),
        language: Language::Java,
        file: "Msal.java",
        does: Does::Token,
        flows: MSAL_WITH_PFX,
    },
    Client {
        name: "MSAL.NET",
        pin: Pin::Package("Microsoft.Identity.Client"),
        language: Language::Dotnet,
        file: "msal_dotnet.cs",
        does: Does::Tokens,
        flows: MSAL_WITH_PFX,
    },
];

const MSAL: &[Flow] =
    &[by(&SECRET), by(&CERTIFICATE), by(&CHAIN), by(&MANAGED_IDENTITY), Flow::Errors(TOKEN_FAILS)];

const MSAL_WITH_PFX: &[Flow] =
    &[by(&SECRET), by(&CERTIFICATE), by(&CHAIN), by(&PFX), by(&MANAGED_IDENTITY), Flow::Errors(TOKEN_FAILS)];
