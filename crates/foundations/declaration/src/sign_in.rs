//! How the caller of a world signs a user in: as a browser and a client in one.
//!
//! Decides the shape of the declaration and nothing else. Whatever is sent stands here, so that a client id that no
//! application group has and a redirect URI that nobody registered are wrong settings like any other. Never decides how a
//! provider is asked, nor what its pages ask for.

use serde::{Deserialize, Serialize};

use crate::SecretText;

/// How the caller signs a user in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The federation service it sends its users to, by short name or host; or the name of an environment on-premises: then its
    /// browser opens the application there, which is a client of its own.
    pub provider: String,
    /// The client id it sends.
    pub client_id: String,
    /// The secret it redeems a code with; absent means none, as a native application has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretText>,
    /// The redirect URI it sends. Nobody has to listen there: the browser ends there.
    pub redirect_uri: String,
    /// What it asks for: `code` unless told otherwise, or `id_token`.
    #[serde(default)]
    pub flow: Flow,
    /// The resource it asks for; absent means that it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The scopes it asks for, `openid` unless told otherwise.
    #[serde(default = "openid")]
    pub scope: String,
    /// Cookies that its browser loses, by the beginnings of their names.
    #[serde(default)]
    pub loses: Vec<String>,
    /// Who signs in, as typed.
    pub user: String,
    /// The password that is typed; absent means the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretText>,
}

/// What a client asks for when it signs a user in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// A code with PKCE in the query, which it redeems for tokens.
    #[default]
    Code,
    /// An id token that the browser posts to it.
    IdToken,
}

fn openid() -> String {
    "openid".to_owned()
}
