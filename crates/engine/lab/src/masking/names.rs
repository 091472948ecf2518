//! Which fields and headers are secret by their names.
//!
//! Decides it by what open standards call a secret (RFC 6749, 7521, 7617, 7636, 8628, 8693, 9449, OpenID Connect, SAML,
//! WS-Security, XML Signature) and by the words everybody uses; what only one product calls so is said by its surface
//! ([`SecretNames`]). Case and punctuation do not count: `client_secret`, `clientSecret` and `Client-Secret` are one name.

use std::sync::Arc;

use percent_encoding::percent_decode;

/// What a product calls its secrets, beyond what open standards do. Case and punctuation do not count.
#[derive(Clone, Copy, Debug, Default)]
pub struct SecretNames {
    /// Fields of forms, queries, JSON and XML of which nothing may be seen.
    pub fields: &'static [&'static str],
    /// Fields that hold a token: of a JWT header and claims may be seen, of anything else nothing.
    pub tokens: &'static [&'static str],
    /// Header fields that hold nothing but credentials. Of every cookie nothing is seen, whoever set it.
    pub headers: &'static [&'static str],
}

const SECRETS: &[&str] = &[
    "accesskey",
    "apikey",
    "binarysecret",
    "codeverifier",
    "devicecode",
    "privatekey",
    "refreshtoken",
    "secret",
    "secretkey",
    "secrettext",
    "secretvalue",
    "sharedaccesskey",
    "signaturevalue",
    "subscriptionkey",
];
/// A name that ends so is one of a secret.
const SECRET_ENDINGS: &[&str] =
    &["accountkey", "apikey", "passphrase", "passwd", "password", "privatekey", "pwd", "secret"];
const TOKENS: &[&str] = &[
    "accesstoken",
    "actortoken",
    "assertion",
    "authorization",
    "authtoken",
    "bearertoken",
    "binarysecuritytoken",
    "ciphervalue",
    "clientassertion",
    "encryptedassertion",
    "idtoken",
    "idtokenhint",
    "proxyauthorization",
    "samlresponse",
    "securitytoken",
    "sessiontoken",
    "subjecttoken",
    "token",
];
/// Header fields that hold nothing but a credential.
const SECRET_HEADERS: &[&str] = &["apikey", "cookie", "proxyauthorization", "setcookie", "xapikey"];
/// A header field whose name ends so holds one too.
const HEADER_ENDINGS: &[&str] = &[
    "accesskey",
    "apikey",
    "auth",
    "cookie",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "subscriptionkey",
    "token",
];

/// How secret a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sensitivity {
    /// Nothing of it may be seen.
    Secret,
    /// If it is a JWT, its header and claims may be seen.
    Token,
}

/// What a header field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// Schemes with credentials.
    Authorization,
    /// A secret or a token.
    Sensitive(Sensitivity),
    /// Anything else.
    Open,
}

/// All names a lab knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Arc<Folded>);

/// What the products call their secrets, folded.
#[derive(Debug, Default)]
struct Folded {
    fields: Vec<String>,
    tokens: Vec<String>,
    headers: Vec<String>,
}

impl FromIterator<SecretNames> for Names {
    fn from_iter<I: IntoIterator<Item = SecretNames>>(names: I) -> Self {
        let mut all = Folded::default();
        for SecretNames { fields, tokens, headers } in names {
            all.fields.extend(fields.iter().map(|name| folded(name)));
            all.tokens.extend(tokens.iter().map(|name| folded(name)));
            all.headers.extend(headers.iter().map(|name| folded(name)));
        }
        Self(Arc::new(all))
    }
}

/// Lower case, letters and digits alone.
fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

impl Names {
    /// How secret a field of this (decoded) name is.
    pub(super) fn field(&self, name: &str) -> Option<Sensitivity> {
        // `password[]` and `password[0]` are elements of a field.
        let name = name
            .trim_end()
            .strip_suffix(']')
            .and_then(|name| name.rsplit_once('['))
            .map_or(name, |(of, _)| of);
        let name = folded(name);
        if name.is_empty() {
            return None;
        }
        let secret = SECRETS.contains(&name.as_str())
            || name.contains("clientsecret")
            || SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending))
            || self.0.fields.contains(&name);
        if secret {
            Some(Sensitivity::Secret)
        } else if TOKENS.contains(&name.as_str()) || self.0.tokens.contains(&name) {
            Some(Sensitivity::Token)
        } else {
            None
        }
    }

    /// The same of a field of a form. An authorization code is a secret there; in JSON `code` is an error's number.
    pub(super) fn form_field(&self, name: &str) -> Option<Sensitivity> {
        if name.trim().eq_ignore_ascii_case("code") { Some(Sensitivity::Secret) } else { self.field(name) }
    }

    /// The same of a name as it stands in a form or an address, however often it was encoded, with whatever stands before
    /// it there (`a;client_secret`).
    pub(super) fn written_field(&self, written: &[u8]) -> Option<Sensitivity> {
        let mut name = written.to_vec();
        for _ in 0..4 {
            let text = String::from_utf8_lossy(&name);
            let text = text.trim_matches([' ', '\t', '"', '\'']);
            let last = text.rsplit(DELIMITERS).next().unwrap_or_default();
            if let Some(sensitivity) = self.form_field(last) {
                return Some(sensitivity);
            }
            // As a lenient reader of forms sees it: what is no escape stands for itself.
            let decoded: Vec<u8> = percent_decode(&name).collect();
            if decoded == name {
                return None;
            }
            name = decoded;
        }
        None
    }

    pub(super) fn header(&self, name: &str) -> Header {
        let name = folded(name);
        if self.0.headers.contains(&name) && !name.contains("authorization")
            || SECRET_HEADERS.contains(&name.as_str())
        {
            Header::Sensitive(Sensitivity::Secret)
        } else if name.contains("authorization") {
            Header::Authorization
        } else if name == "dpop" {
            Header::Sensitive(Sensitivity::Token)
        } else if let Some(sensitivity) = self.field(&name) {
            Header::Sensitive(sensitivity)
        } else if HEADER_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            Header::Sensitive(Sensitivity::Token)
        } else {
            Header::Open
        }
    }
}

/// What parts a name from what stands before it, in forms, addresses and connection strings.
pub(super) const DELIMITERS: &[char] =
    &['&', ';', ',', '?', '#', '/', ' ', '\t', '\r', '\n', '(', '{', '<', '>', '|', '=', '\'', '"'];
