//! A question as a constant: its name, what it is about, and the questions it has to wait for.
//!
//! Decides nothing. A product keeps its questions beside the code that asks them; whoever reads an answer (diagnosis, the
//! documents, a test) goes by the role and never by the name, so that a product nobody has heard of explains itself.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a question is about, and what an input is used as. The same word on both sides of a call: what is refused there
/// in a role came from here in the same role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The shape of a request: its form, its method, a parameter.
    Request,
    /// The shape of a token: that there is one, that it can be read, its algorithm.
    Token,
    /// Which application asks.
    Client,
    /// The certificate and key it proves that with.
    Key,
    /// The secret it proves that with.
    Secret,
    /// Who issues: a tenant, its issuer, its signing keys.
    Authority,
    /// For whom: a resource asked for, an audience.
    Resource,
    /// Clocks, validity.
    Time,
    /// Whom the application stands for at a resource.
    User,
    /// What a user proves that with.
    Password,
    /// What that one may do.
    Privilege,
    /// Where something is reached.
    Address,
    /// Where a client wants its answer.
    Redirect,
    /// What a browser keeps from one request to the next.
    Session,
    /// Business data.
    Record,
    /// What a machine has read.
    Configuration,
}

impl Role {
    /// A word for a value of this role, for a person who has to supply one.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Request => "a request of another shape",
            Self::Token => "a token",
            Self::Client => "the client id of an application",
            Self::Key => "a certificate with its private key",
            Self::Secret => "a client secret of the application",
            Self::Authority => "the id or a domain of a tenant",
            Self::Resource => "the URL of the resource",
            Self::Time => "the right time",
            Self::User => "a user",
            Self::Password => "the user's password",
            Self::Privilege => "a privilege",
            Self::Address => "an address where it answers",
            Self::Redirect => "a redirect URI of the application",
            Self::Session => "the cookies that the application set",
            Self::Record => "the row",
            Self::Configuration => "the configuration",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// A named question. Made once, as a constant, beside the code that asks it.
#[derive(Debug)]
pub struct Question {
    /// Stable name, kebab-case, for instance `certificate-registered`.
    pub name: &'static str,
    /// What it is about.
    pub role: Role,
    /// Questions that have to hold before this one can be asked; where one of them does not, this one is skipped by itself.
    pub needs: &'static [&'static Self],
    /// Whether its failure may only repeat what a call was answered: then the call's own refusal is looked at first.
    pub relays: bool,
}

impl Question {
    /// A question that waits for no other.
    pub const fn new(name: &'static str, role: Role) -> Self {
        Self { name, role, needs: &[], relays: false }
    }

    /// The same, asked only where each of these holds.
    #[must_use]
    pub const fn needs(self, needs: &'static [&'static Self]) -> Self {
        Self { needs, ..self }
    }

    /// The same, about the answer to a call.
    #[must_use]
    pub const fn relays(self) -> Self {
        Self { relays: true, ..self }
    }
}
