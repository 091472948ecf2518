//! The claims of access tokens and id tokens.
//!
//! Decides the set and order of claims. An access token: `aud iss iat [nbf] exp`, what the Web API's rules issue in their
//! order, `apptype appid authmethod auth_time ver [scp] [sub]`, where `sub` stands in a user's token for userinfo alone and
//! `nbf` is missing on Windows Server 2016. An id token: `aud iss iat [nbf] exp auth_time sub upn unique_name [pwd_url
//! pwd_exp] sid`, and behind them what was merged under `allatclaims`. `auth_time` is a text with milliseconds in the one
//! and a number in the other. Never decides who gets which.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mocktenant_idp::json::{push_integer, push_list, push_member, push_name, push_string};
use mocktenant_keys::sha256;
use mocktenant_token::Claims;
use mocktenant_world::declaration::{IssuedClaim, Profile};
use mocktenant_world::{Client, FederationUser, WebApi, is_guid};
use time::OffsetDateTime;

use crate::prepared::PreparedService;
use crate::scope::{Granted, USERINFO};

/// How a user who sent a password was authenticated.
const PASSWORD_PROTECTED: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

/// The name of a claim type in a JWT, where it has a short one: the map of Microsoft's token library for .NET, as far as AD
/// FS offers the types. Another keeps its URI.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "upn"),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "unique_name"),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "email"),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "given_name"),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", "family_name"),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier", "nameid"),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/privatepersonalidentifier", "ppid"),
    ("http://schemas.microsoft.com/ws/2008/06/identity/claims/windowsaccountname", "winaccountname"),
    ("http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "role"),
    ("http://schemas.microsoft.com/ws/2008/06/identity/claims/groupsid", "groupsid"),
    ("http://schemas.microsoft.com/ws/2008/06/identity/claims/primarysid", "primarysid"),
    ("http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid", "primarygroupsid"),
    ("http://schemas.xmlsoap.org/claims/Group", "group"),
    ("http://schemas.xmlsoap.org/claims/CommonName", "commonname"),
    ("http://schemas.xmlsoap.org/claims/UPN", "adfs1upn"),
    ("http://schemas.xmlsoap.org/claims/EmailAddress", "adfs1email"),
    ("http://schemas.microsoft.com/ws/2012/01/insidecorporatenetwork", "insidecorporatenetwork"),
    ("http://schemas.microsoft.com/ws/2012/01/passwordexpirationtime", "pwdexptime"),
    ("http://schemas.microsoft.com/ws/2012/01/passwordchangeurl", "pwdchgurl"),
];

/// The ValueType of a value that is JSON.
const JSON_VALUE: &str = "http://www.w3.org/2001/XMLSchema#json";

/// The times of a token, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// `iat` and `nbf`.
    pub(crate) issued: i64,
    /// `exp`.
    pub(crate) expires: i64,
}

impl Times {
    /// Of a token issued now that lasts so many minutes.
    pub(crate) fn at(now: OffsetDateTime, minutes: u32) -> Self {
        let issued = now.unix_timestamp();
        Self { issued, expires: issued + i64::from(minutes) * 60 }
    }

    /// `expires_in`.
    pub(crate) fn lasts(self) -> i64 {
        self.expires - self.issued
    }
}

/// What stands beside an id token.
#[derive(Clone, Copy)]
pub(crate) struct Beside<'b> {
    /// Its issuer.
    pub(crate) issuer: &'b str,
    /// `https://` base of the service, as it was called.
    pub(crate) base: &'b str,
    /// What the client wants to find in it again.
    pub(crate) nonce: Option<&'b str>,
    /// The code that comes with it: `c_hash`.
    pub(crate) code: Option<&'b str>,
}

/// The left half of a SHA-256, as `c_hash` has it (OpenID Connect Core 3.3.2.11).
fn half_hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&sha256(text)[..16])
}

/// What a token says.
pub(crate) struct Statement<'a> {
    pub(crate) prepared: &'a PreparedService,
    pub(crate) client: &'a Client,
    /// `appid`; a forged token may name another client.
    pub(crate) client_id: &'a str,
    pub(crate) granted: &'a Granted,
    /// The user it is about; none is the client itself.
    pub(crate) user: Option<&'a FederationUser>,
    /// When the user signed in, in milliseconds since 1970.
    pub(crate) signed_in: i64,
    /// `authmethod` of a client that asks for itself.
    pub(crate) auth_method: &'a str,
    pub(crate) times: Times,
}

impl Statement<'_> {
    fn has_not_before(&self) -> bool {
        self.prepared.service.profile >= Profile::Server2019
    }

    fn app_type(&self) -> &'static str {
        if self.client.credentials.is_some() { "Confidential" } else { "Public" }
    }

    /// What [`is_of_user`] looks for.
    fn auth_method(&self) -> &str {
        if self.user.is_some() { PASSWORD_PROTECTED } else { self.auth_method }
    }

    /// The claims of an access token.
    pub(crate) fn access_token(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        out.push(b'{');
        push_member(&mut out, "aud", &audience(&self.granted.resource));
        self.push_times(&mut out, &self.prepared.identifier);
        if let Some(web_api) = &self.granted.web_api {
            push_issued(&mut out, web_api, self.user, None);
        }
        push_member(&mut out, "apptype", self.app_type());
        push_member(&mut out, "appid", self.client_id);
        push_member(&mut out, "authmethod", self.auth_method());
        push_member(&mut out, "auth_time", &with_milliseconds(self.signed_in));
        push_member(&mut out, "ver", "1.0");
        self.push_scopes(&mut out);
        if let Some(user) = self.user.filter(|_| self.granted.resource == USERINFO) {
            push_member(&mut out, "sub", &self.subject(user));
        }
        out.push(b'}');
        out
    }

    /// The claims of an id token about this user.
    pub(crate) fn id_token(&self, user: &FederationUser, beside: &Beside<'_>) -> Vec<u8> {
        let Beside { issuer, base, nonce, code } = *beside;
        let mut out = Vec::with_capacity(1024);
        out.push(b'{');
        push_member(&mut out, "aud", &self.client.client_id);
        self.push_times(&mut out, issuer);
        push_name(&mut out, "auth_time");
        push_integer(&mut out, self.signed_in.div_euclid(1000));
        if let Some(nonce) = nonce {
            push_member(&mut out, "nonce", nonce);
        }
        if let Some(code) = code {
            push_member(&mut out, "c_hash", &half_hash(code));
        }
        push_member(&mut out, "sub", &self.subject(user));
        let merged = self.merged();
        let of_rules =
            |name: &str| merged.map(|web_api| issued(web_api, Some(user), name)).unwrap_or_default();
        push_values(&mut out, "upn", &or_own(of_rules("upn"), &user.name));
        let mut names = of_rules("unique_name");
        if !names.contains(&user.account) {
            names.insert(0, user.account.clone());
        }
        push_values(&mut out, "unique_name", &names);
        if let Some(expires) = user.password_expires {
            push_member(&mut out, "pwd_url", &format!("{base}/adfs/portal/updatepassword/"));
            let left = (expires.unix_timestamp() - self.times.issued).max(0);
            push_member(&mut out, "pwd_exp", &left.to_string());
        }
        push_member(&mut out, "sid", &user.sid);
        if let Some(web_api) = merged {
            push_issued(&mut out, web_api, Some(user), Some(&["upn", "unique_name"]));
            push_member(&mut out, "apptype", self.app_type());
            push_member(&mut out, "appid", &self.client.client_id);
            push_member(&mut out, "authmethod", self.auth_method());
            push_member(&mut out, "ver", "1.0");
            self.push_scopes(&mut out);
        }
        out.push(b'}');
        out
    }

    /// The Web API whose rules reach the id token: one with `allatclaims`, or one whose identifier is a native client's id.
    fn merged(&self) -> Option<&WebApi> {
        let web_api = self.granted.web_api.as_deref()?;
        let own = self.client.credentials.is_none() && self.granted.resource == self.client.client_id;
        (self.granted.has("allatclaims") || own).then_some(web_api)
    }

    fn push_times(&self, out: &mut Vec<u8>, issuer: &str) {
        push_member(out, "iss", issuer);
        push_name(out, "iat");
        push_integer(out, self.times.issued);
        if self.has_not_before() {
            push_name(out, "nbf");
            push_integer(out, self.times.issued);
        }
        push_name(out, "exp");
        push_integer(out, self.times.expires);
    }

    fn push_scopes(&self, out: &mut Vec<u8>) {
        if !self.granted.scopes.is_empty() {
            push_member(out, "scp", &self.granted.scopes.join(" "));
        }
    }

    /// The same user has another `sub` at another client: base64 of 32 octets.
    fn subject(&self, user: &FederationUser) -> String {
        let text = format!(
            "{}\n{}\n{}",
            self.prepared.identifier,
            self.client.client_id.to_ascii_lowercase(),
            user.sid
        );
        STANDARD.encode(sha256(&text))
    }
}

/// Whether these are an access token's rather than an id token's, whatever was merged into that: the time of the sign-in is a
/// text in the one and a number in the other. A rule that issued it once more would make a token that nobody can read.
pub(crate) fn is_of_access_token(claims: Claims<'_>) -> bool {
    claims.text("auth_time").is_some()
}

/// Whether a user was authenticated for these, and not a client for itself.
pub(crate) fn is_of_user(claims: Claims<'_>) -> bool {
    claims.text("authmethod") == Some(PASSWORD_PROTECTED)
}

/// `aud`: an identifier that is a URI as it is, another with AD FS's prefix.
pub(crate) fn audience(resource: &str) -> std::borrow::Cow<'_, str> {
    let is_uri = !is_guid(resource)
        && resource.split_once(':').is_some_and(|(scheme, rest)| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.bytes().all(plain)
                && !rest.is_empty()
        });
    if is_uri { resource.into() } else { format!("microsoft:identityserver:{resource}").into() }
}

/// `2017-02-13T08:27:46.918Z`.
fn with_milliseconds(moment: i64) -> String {
    let seconds =
        OffsetDateTime::from_unix_timestamp(moment.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        seconds.year(),
        u8::from(seconds.month()),
        seconds.day(),
        seconds.hour(),
        seconds.minute(),
        seconds.second(),
        moment.rem_euclid(1000)
    )
}

fn or_own(issued: Vec<String>, own: &str) -> Vec<String> {
    if issued.is_empty() { vec![own.to_owned()] } else { issued }
}

/// The name of a claim type in a token.
fn short(claim_type: &str) -> &str {
    SHORT_NAMES.iter().find(|(uri, _)| *uri == claim_type).map_or(claim_type, |(_, name)| name)
}

/// What a Web API's rules issue under a name.
fn issued(web_api: &WebApi, user: Option<&FederationUser>, name: &str) -> Vec<String> {
    let of_name = web_api.issued_claims.iter().filter(|claim| short(&claim.claim_type) == name);
    of_name.flat_map(|claim| values(claim, user)).collect()
}

/// The values of one rule. Of an attribute nobody has comes nothing, and a client alone has no attributes.
fn values(claim: &IssuedClaim, user: Option<&FederationUser>) -> Vec<String> {
    if let Some(value) = &claim.value {
        return vec![value.clone()];
    }
    let (Some(attribute), Some(user)) = (claim.attribute.as_deref(), user) else { return Vec::new() };
    let account = user.account.split_once('\\').map_or(&*user.account, |(_, name)| name);
    match attribute.to_ascii_lowercase().as_str() {
        "userprincipalname" => vec![user.name.to_string()],
        "msds-principalname" => vec![user.account.clone()],
        "samaccountname" => vec![account.to_owned()],
        "displayname" => vec![user.declared.name.clone()],
        "objectsid" => vec![user.sid.clone()],
        "memberof" => user.groups.clone(),
        other => user.attribute(other).map(|(_, value)| value.to_owned()).into_iter().collect(),
    }
}

/// Appends what the rules issue, each name once, where its first rule stands; `but` are left out.
fn push_issued(out: &mut Vec<u8>, web_api: &WebApi, user: Option<&FederationUser>, but: Option<&[&str]>) {
    let rules = &web_api.issued_claims;
    for (index, claim) in rules.iter().enumerate() {
        let name = short(&claim.claim_type);
        let is_first = !rules[..index].iter().any(|before| short(&before.claim_type) == name);
        if !is_first || but.is_some_and(|but| but.contains(&name)) {
            continue;
        }
        if claim.value_type.as_deref() == Some(JSON_VALUE)
            && let Some(value) = values(claim, user).first()
            && let Ok(value) = serde_json::from_str::<serde_json::Value>(value)
        {
            push_name(out, name);
            out.extend_from_slice(value.to_string().as_bytes());
            continue;
        }
        push_values(out, name, &issued(web_api, user, name));
    }
}

/// One value is a text, several are a list, none is no claim.
fn push_values(out: &mut Vec<u8>, name: &str, values: &[String]) {
    match values {
        [] => {}
        [one] => {
            push_name(out, name);
            push_string(out, one);
        }
        several => {
            push_name(out, name);
            push_list(out, several.iter().map(String::as_str));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_that_is_a_uri_is_the_audience_as_it_is() {
        for (resource, audience_is) in [
            ("https://ax.contoso.com/", "https://ax.contoso.com/"),
            ("urn:microsoft:userinfo", "urn:microsoft:userinfo"),
            (
                "c0117050-0000-4000-8000-00000000a001",
                "microsoft:identityserver:c0117050-0000-4000-8000-00000000a001",
            ),
            ("my api", "microsoft:identityserver:my api"),
            ("x:", "microsoft:identityserver:x:"),
        ] {
            assert_eq!(audience(resource), audience_is);
        }
    }

    #[test]
    fn the_time_of_a_sign_in_is_a_text_with_milliseconds() {
        assert_eq!(with_milliseconds(1_486_974_466_918), "2017-02-13T08:27:46.918Z");
        assert_eq!(with_milliseconds(5), "1970-01-01T00:00:00.005Z");
    }
}
