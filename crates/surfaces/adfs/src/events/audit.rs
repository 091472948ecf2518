//! What an audit of AD FS holds: `AuditBase`, the XML in its last value.
//!
//! Decides members, their order and layout, as captured; what stands in them where OAuth asked is inferred.

use std::fmt::Write as _;

use super::{About, CALLER, clean};
use crate::path;

const ABSENT: &str = "N/A";

/// What an audit is of, and how it came out.
#[derive(Clone, Copy)]
pub(super) struct Audit {
    class: &'static str,
    kind: &'static str,
    /// `FailureType`; none of a success.
    failure: Option<&'static str>,
}

impl Audit {
    /// A token for an application.
    pub(super) const TOKEN: Self = Self { class: "AppTokenAudit", kind: "AppToken", failure: None };
    /// A credential somebody has just presented.
    pub(super) const CREDENTIAL: Self =
        Self { class: "FreshCredentialAudit", kind: "FreshCredentials", failure: None };

    /// The same, gone wrong for this reason.
    pub(super) fn failed(self, reason: &'static str) -> Self {
        Self { failure: Some(reason), ..self }
    }

    pub(super) fn is_success(&self) -> bool {
        self.failure.is_none()
    }
}

impl About<'_> {
    /// `DOMAIN\name` of the user, or the name that was sent: of whom was refused no more is known.
    fn account(&self, audit: &Audit) -> Option<String> {
        let sent = self.record.fact("user").map(|fact| fact.value.as_str())?;
        let user = self.service.signs_in(sent).filter(|_| audit.is_success());
        Some(user.map_or_else(|| clean(sent), |(user, _)| clean(&user.declared.account)))
    }

    /// `AuditBase`, laid out as AD FS does.
    pub(super) fn xml(&self, audit: &Audit) -> String {
        let account = self.account(audit);
        let provider = if account.is_some() && audit.is_success() { "AD AUTHORITY" } else { ABSENT };
        let fresh = audit.kind == Audit::CREDENTIAL.kind;
        let primary = match (fresh, &account) {
            (false, Some(_)) => "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            _ => ABSENT,
        };
        let agent = self.record.request_headers.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("user-agent").then(|| clean(value))
        });
        let absent = || ABSENT.to_owned();
        let endpoint = match &*self.record.endpoint {
            "authorize" => path::AUTHORIZE,
            "deviceauth" => path::DEVICE_AUTH,
            "devicecode" => path::DEVICE_CODE,
            _ => path::TOKEN,
        };
        let component = |kind: &str, members: &[(&str, String)]| {
            let mut out = format!("    <Component xsi:type=\"{kind}\">\n");
            for (name, value) in members {
                // Writing to a String cannot fail.
                let _ = match value.as_str() {
                    "" => writeln!(out, "      <{name} />"),
                    value => writeln!(out, "      <{name}>{}</{name}>", escaped(value)),
                };
            }
            out + "    </Component>\n"
        };
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"utf-16\"?>\n<AuditBase xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{}\">\n  <AuditType>{}</AuditType>\n  \
             <AuditResult>{}</AuditResult>\n  <FailureType>{}</FailureType>\n  <ErrorCode>N/A</ErrorCode>\n  \
             <ContextComponents>\n",
            audit.class,
            audit.kind,
            if audit.failure.is_some() { "Failure" } else { "Success" },
            audit.failure.unwrap_or("None"),
        );
        out += &component(
            "ResourceAuditComponent",
            &[
                ("RelyingParty", self.relying_party()),
                ("ClaimsProvider", provider.to_owned()),
                ("UserId", account.unwrap_or_else(absent)),
            ],
        );
        out += &component(
            "AuthNAuditComponent",
            &[
                ("PrimaryAuth", primary.to_owned()),
                ("DeviceAuth", "false".to_owned()),
                ("DeviceId", absent()),
                ("MfaPerformed", "false".to_owned()),
                ("MfaMethod", absent()),
                ("TokenBindingProvidedId", "false".to_owned()),
                ("TokenBindingReferredId", "false".to_owned()),
                ("SsoBindingValidationLevel", if fresh { "NotSet" } else { "TokenUnbound" }.to_owned()),
            ],
        );
        out += &component(
            "ProtocolAuditComponent",
            &[
                ("OAuthClientId", self.fact("client-id").unwrap_or_else(absent)),
                ("OAuthGrant", self.fact("grant-type").unwrap_or_else(absent)),
            ],
        );
        out += &component(
            "RequestAuditComponent",
            &[
                ("Server", self.service.identifier()),
                ("AuthProtocol", "OAuth".to_owned()),
                ("NetworkLocation", "Intranet".to_owned()),
                ("IpAddress", CALLER.to_owned()),
                ("ForwardedIpAddress", String::new()),
                ("ProxyIpAddress", absent()),
                ("NetworkIpAddress", absent()),
                ("ProxyServer", absent()),
                ("UserAgentString", agent.unwrap_or_else(absent)),
                ("Endpoint", endpoint.to_owned()),
            ],
        );
        out + "  </ContextComponents>\n</AuditBase>"
    }
}

/// Text as .NET's XML writer escapes it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
