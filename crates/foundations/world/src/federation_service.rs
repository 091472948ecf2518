//! A federation service, compiled: what the surface of AD FS reads.
//!
//! Decides what is looked up by what: users by user principal name and by `DOMAIN\name`, clients by client id, Web APIs by
//! any of their identifiers. Client ids and names of people have no letter case; an identifier of a Web API is a text and
//! has. Nothing here changes, and nothing here decides whether somebody is let in.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use mocktenant_keys::{Certificate, Identity};
use mocktenant_verdict::Setting;
use time::{Duration, OffsetDateTime};

use crate::SecretText;
use crate::compiled::by_folded;
use crate::declaration;
use crate::pointers;

/// One federation service.
#[derive(Debug)]
pub struct FederationService {
    /// Its short name: the key it is declared under.
    pub id: Arc<str>,
    /// What a person wrote.
    pub declared: Arc<declaration::FederationService>,
    /// Its host name in lower case.
    pub host: String,
    /// Token-signing identities, the primary one first. At least one.
    pub signing: Vec<Identity>,
    /// The token-decrypting identity.
    pub decrypting: Option<Identity>,
    /// Users by lower-case user principal name.
    pub users: HashMap<Arc<str>, Arc<FederationUser>>,
    /// The same by lower-case `domain\name`.
    pub(crate) accounts: HashMap<String, Arc<FederationUser>>,
    /// Clients of its application groups by lower-case client id.
    pub clients: HashMap<String, Arc<Client>>,
    /// Web APIs of its application groups, in the order declared.
    pub web_apis: Vec<Arc<WebApi>>,
    /// The same by each identifier.
    pub(crate) by_identifier: HashMap<String, usize>,
    /// How far its clock is from the lab's time.
    pub clock: Duration,
    /// `/federation_services/<id>`.
    pub pointer: pointers::FederationService,
}

impl Deref for FederationService {
    type Target = declaration::FederationService;

    fn deref(&self) -> &declaration::FederationService {
        &self.declared
    }
}

impl FederationService {
    /// The federation service identifier, the host as its administrator spelled it: `access_token_issuer`, and `entityID` of the
    /// metadata.
    pub fn identifier(&self) -> String {
        if self.m365_compatibility {
            format!("http://{}/adfs/services/trust", self.host_name)
        } else {
            format!("https://{}/adfs", self.host_name)
        }
    }

    /// The user who signs in under this name: a user principal name or `DOMAIN\name`, in any letter case.
    pub fn user(&self, name: &str) -> Option<&Arc<FederationUser>> {
        by_folded(name, |name| self.users.get(name).or_else(|| self.accounts.get(name)))
    }

    /// The client of this client id, in any letter case.
    pub fn client(&self, client_id: &str) -> Option<&Arc<Client>> {
        by_folded(client_id, |id| self.clients.get(id))
    }

    /// The Web API that has exactly this identifier.
    pub fn web_api(&self, identifier: &str) -> Option<&Arc<WebApi>> {
        self.by_identifier.get(identifier).map(|index| &self.web_apis[*index])
    }
}

/// One user.
#[derive(Debug)]
pub struct FederationUser {
    /// User principal name, lower-case.
    pub name: Arc<str>,
    /// What a person wrote.
    pub declared: Arc<declaration::FederationUser>,
    /// When the password expires, if ever.
    pub password_expires: Option<OffsetDateTime>,
    /// `/federation_services/<id>/users/<name>`.
    pub pointer: pointers::FederationUser,
}

impl Deref for FederationUser {
    type Target = declaration::FederationUser;

    fn deref(&self) -> &declaration::FederationUser {
        &self.declared
    }
}

/// One client: a native or a server application.
#[derive(Debug)]
pub struct Client {
    /// Client id as declared.
    pub client_id: String,
    /// Display name.
    pub name: String,
    /// The application group it is in.
    pub group: Arc<str>,
    /// Redirect URIs, as registered.
    pub redirect_uris: Vec<String>,
    /// Where it is told that its user signed out.
    pub logout_uri: Option<String>,
    /// What it can prove itself with; a native application has nothing.
    pub credentials: Option<Credentials>,
    /// Where it is declared.
    pub pointer: Setting,
    /// Where its redirect URIs are.
    pub redirect_uris_at: Setting,
}

/// What a server application proves itself with.
#[derive(Debug)]
pub struct Credentials {
    /// Shared secrets by their short names.
    pub secrets: Vec<(String, SecretText)>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// The application these are of.
    pub pointer: pointers::ServerApplication,
}

/// One Web API.
#[derive(Debug)]
pub struct WebApi {
    /// The identifier it is declared under.
    pub identifier: Arc<str>,
    /// What a person wrote.
    pub declared: declaration::WebApi,
    /// The application group it is in.
    pub group: Arc<str>,
    /// Where it is declared.
    pub pointer: pointers::WebApi,
}

impl Deref for WebApi {
    type Target = declaration::WebApi;

    fn deref(&self) -> &declaration::WebApi {
        &self.declared
    }
}

impl WebApi {
    /// Every identifier it has, with where each is declared.
    pub fn all_identifiers(&self) -> impl Iterator<Item = (&str, Setting)> {
        let first = std::iter::once((&*self.identifier, self.pointer.setting()));
        let others = self.declared.identifiers.iter();
        first.chain(others.map(|identifier| (identifier.as_str(), self.pointer.identifier(identifier))))
    }

    /// The scopes a client is permitted here, and the client id as declared; none without a permission.
    pub fn permission(&self, client_id: &str) -> Option<&[String]> {
        let found = self.permissions.iter().find(|(client, _)| client.eq_ignore_ascii_case(client_id));
        found.map(|(_, scopes)| scopes.as_slice())
    }
}
