//! A federation service, compiled: what the surface of AD FS reads.
//!
//! Decides what is looked up by what: users by user principal name and by `DOMAIN\name`, and where they sign in by their
//! alternate login ID before either; clients by client id, Web APIs by any of their identifiers. Client ids and names of people
//! have no letter case; an identifier of a Web API is a text and has. Nothing here changes, and nothing here decides whether
//! somebody is let in.

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

/// The attribute that people know as their e-mail address.
pub const MAIL: &str = "mail";

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
    /// The same by the lower-case value of the attribute that `alternate_login_id` names; nobody without one.
    pub(crate) alternates: HashMap<String, Arc<FederationUser>>,
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

    /// The user of this user principal name or `DOMAIN\name`, in any letter case.
    pub fn user(&self, name: &str) -> Option<&Arc<FederationUser>> {
        by_folded(name, |name| self.users.get(name).or_else(|| self.accounts.get(name)))
    }

    /// The user who signs in under what was typed, and what that is: an alternate login ID where one is set up, and only if it is
    /// nobody's a user principal name or `DOMAIN\name`. So a user whose principal name is another's alternate login ID does not
    /// sign in under it: documented of AD FS.
    pub fn signs_in(&self, typed: &str) -> Option<(&Arc<FederationUser>, SignInName)> {
        if let Some(user) = by_folded(typed, |name| self.alternates.get(name)) {
            return Some((user, SignInName::Alternate));
        }
        let kind = if typed.contains('\\') { SignInName::Account } else { SignInName::Principal };
        Some((self.user(typed)?, kind))
    }

    /// The one user whose e-mail address this is, whatever people sign in with; of an address that two have nobody can tell.
    pub fn of_mail(&self, address: &str) -> Option<&Arc<FederationUser>> {
        let is_it = |user: &&Arc<FederationUser>| {
            user.attribute(MAIL).is_some_and(|(_, mail)| mail.eq_ignore_ascii_case(address))
        };
        let mut having = self.users.values().filter(is_it);
        having.next().filter(|_| having.next().is_none())
    }

    /// The person who types this, who knows an e-mail address and a password whether or not people sign in with the one.
    pub fn person(&self, typed: &str) -> Option<&Arc<FederationUser>> {
        self.signs_in(typed).map(|(user, _)| user).or_else(|| self.of_mail(typed))
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

/// What somebody typed who signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInName {
    /// The attribute that `alternate_login_id` names.
    Alternate,
    /// The user principal name.
    Principal,
    /// `DOMAIN\name`.
    Account,
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

impl FederationUser {
    /// An attribute that is declared, by its LDAP name in any letter case: the name as declared, and the value.
    pub fn attribute(&self, name: &str) -> Option<(&str, &str)> {
        let found = self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(name, value)| (name.as_str(), value.as_str()))
    }
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
