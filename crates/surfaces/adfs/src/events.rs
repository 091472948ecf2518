//! The event logs of AD FS: what its administrator reads there about an exchange.
//!
//! Decides which events an answer leaves and what stands in them. Where OAuth refuses (client, credential, resource, scope) that
//! is 1021; where the security token service refuses the user, 111, 1000 and 364 in a row, and the audits 1203 and 411; a page
//! has its 364, and 554 where a browser stays after signing out; a token its audit 1200, and before it 1202 where somebody has just signed in; a token that was not issued to a
//! client that proved who it is, 1201. One Activity ID ties them to each other and to the answer. The texts are in
//! `errors/event_text.rs` and `errors/log.rs`. Everything follows from the record and the world; nothing is written when a
//! request is answered.
//!
//! Ids, levels, layout and order of values are as captured. Inferred are: the account that writes, the addresses, which values
//! the audits have where OAuth asked (captures are of WS-Federation), and that Windows' own correlation id is the Activity ID.

mod audit;

use mocktenant_lab::journal::{Kind, Record};
use mocktenant_lab::{EventLog, EventRow, Machine, Severity};
use mocktenant_verdict::Check;
use mocktenant_verdict::foreign::harmless;
use mocktenant_world::{FederationService, World};
use serde::Deserialize;

use crate::errors::event_text::EventText;
use crate::errors::log::{LogText, LogonFailure, REQUEST_FAILED, TOKEN_REFUSED, Thrown, WINDOWS};
use crate::errors::{AdfsError, Told};
use crate::scope;

use self::audit::Audit;

/// What went wrong, and warnings.
static ADMIN: EventLog = EventLog {
    name: "admin",
    channel: "AD FS/Admin",
    provider: "AD FS",
    guid: Some("{2FFB687A-1571-4ACE-8550-47AB5CCAE2BC}"),
    task: (0, "None"),
    user_data: Some("http://schemas.microsoft.com/ActiveDirectoryFederationServices/2.0/Events"),
};

/// Audits.
static SECURITY: EventLog = EventLog {
    name: "security",
    channel: "Security",
    provider: "AD FS Auditing",
    guid: None,
    task: (3, "(3)"),
    user_data: None,
};

/// The logs there are.
pub(crate) const LOGS: &[&EventLog] = &[&ADMIN, &SECURITY];

const ADMIN_KEYWORDS: (u64, &str) = (0x8000_0000_0000_0001, "AD FS");
const AUDIT_SUCCESS: (u64, &str) = (0x80a0_0000_0000_0000, "Classic,Audit Success");
const AUDIT_FAILURE: (u64, &str) = (0x8090_0000_0000_0000, "Classic,Audit Failure");

/// An account that every Windows has: a world declares none for the service.
const SERVICE_ACCOUNT: (&str, &str) = ("NETWORK SERVICE", "S-1-5-20");
/// Where every caller of a lab is.
const CALLER: &str = "127.0.0.1";

/// `Protocol Name` of event 364.
const OAUTH: &str = "OAuthAuthorizationProtocol";
/// `Request type` of event 111.
const ISSUE: &str = "http://schemas.microsoft.com/idfx/requesttype/issue";
/// `Token Type` of event 411.
const USERNAME_TOKEN: &str = "http://schemas.microsoft.com/ws/2006/05/identitymodel/tokens/UserName";

/// The events of a record, in the order written.
pub(crate) fn of(world: &World, record: &Record) -> Vec<EventRow> {
    if record.kind != Kind::Request {
        return Vec::new();
    }
    let Some(service) = service_of(world, record) else { return Vec::new() };
    let told = Told::by(record);
    let about = About { service, record };
    match record.error.as_deref() {
        None if record.endpoint == "token" && record.status == 200 => about.issued(),
        None if about.fact("signed-in").is_some() => {
            vec![about.audit(&EventText::CredentialValid, &Audit::CREDENTIAL)]
        }
        // Whoever waits, mistyped or may not be asked did nothing wrong.
        Some("authorization_pending" | "slow_down" | "user_code" | "interaction_required") => Vec::new(),
        Some("554") => vec![about.admin(&EventText::LogoutStays, Vec::new())],
        Some(_) if matches!(told, Some(Told::Page)) => vec![about.page()],
        Some("MSIS9659") => about.user_refused(),
        Some(id)
            if matches!(&*record.endpoint, "token" | "devicecode")
                && matches!(told, Some(Told::OAuth(_))) =>
        {
            about.refused(id)
        }
        Some(id) if record.endpoint == "authorize" => vec![about.sent_back(id)],
        _ => Vec::new(),
    }
}

fn service_of<'w>(world: &'w World, record: &Record) -> Option<&'w FederationService> {
    match &record.machine {
        Some(Machine::FederationService(id)) => world.federation_service(id).map(AsRef::as_ref),
        _ => None,
    }
}

impl Told {
    /// In which shape a record's client was told.
    fn by(record: &Record) -> Option<Self> {
        let id = record.error.as_deref()?;
        AdfsError::ROWS.iter().find(|row| row.id == id).map(|row| row.class)
    }
}

/// One exchange and whose it is.
struct About<'a> {
    service: &'a FederationService,
    record: &'a Record,
}

impl About<'_> {
    fn activity(&self) -> String {
        let ids = &self.record.activities;
        let own = ids.iter().find(|(name, _)| name == "activity-id");
        own.map(|(_, id)| clean(id)).unwrap_or_default()
    }

    /// What the exchange learnt, as it may stand in a text.
    fn fact(&self, name: &str) -> Option<String> {
        self.record.fact(name).map(|fact| clean(&fact.value))
    }

    fn row(&self, log: &'static EventLog, text: &EventText, data: Vec<String>) -> EventRow {
        let text = text.row();
        EventRow {
            log,
            id: text.class,
            severity: Severity::Error,
            keywords: ADMIN_KEYWORDS,
            message: text.template,
            data,
            activity: Some(self.activity()).filter(|id| !id.is_empty()),
            user: SERVICE_ACCOUNT,
            computer: self.service.host_name.clone(),
        }
    }

    fn admin(&self, text: &EventText, data: Vec<String>) -> EventRow {
        self.row(&ADMIN, text, data)
    }

    fn audit(&self, text: &EventText, audit: &Audit) -> EventRow {
        let data = vec![self.activity(), self.xml(audit)];
        let keywords = if audit.is_success() { AUDIT_SUCCESS } else { AUDIT_FAILURE };
        EventRow { severity: Severity::Audit, keywords, ..self.row(&SECURITY, text, data) }
    }

    /// A page: nobody reached a protocol of AD FS.
    fn page(&self) -> EventRow {
        let path = self.record.shown_target();
        let path = clean(path.split('?').next().unwrap_or_default());
        let oauth = || OAUTH.to_owned();
        let told = || self.told();
        let (protocol, text) = match self.record.error.as_deref() {
            Some("MSIS7065") => {
                (String::new(), LogText::NoHandler { told: AdfsError::NoHandler { path }.text() })
            }
            Some("MSIS9223") => (oauth(), LogText::AuthorizeClientRefused { told: told() }),
            Some("MSIS7042") => (oauth(), LogText::LoopDetected { told: told() }),
            Some("MSIS9224" | "MSIS9221" | "MSIS7009") => {
                (oauth(), LogText::AuthorizeRefused { told: told() })
            }
            _ => (String::new(), LogText::RequestFailed { told: AdfsError::NotFulfilled.text() }),
        };
        let relying_party =
            if protocol.is_empty() { String::new() } else { self.fact("resource").unwrap_or_default() };
        self.admin(&EventText::PassiveRequest, vec![protocol, relying_party, text.details()])
    }

    /// A refusal at the authorization endpoint that went back to the client.
    fn sent_back(&self, id: &str) -> EventRow {
        let text = self.logged(id).details_at_authorize();
        self.admin(&EventText::PassiveRequest, vec![OAUTH.to_owned(), self.relying_party(), text])
    }

    /// A token: who it is for has just signed in, or not.
    fn issued(&self) -> Vec<EventRow> {
        let mut rows = Vec::new();
        if self.fact("grant-type").as_deref() == Some("password") {
            rows.push(self.audit(&EventText::CredentialValid, &Audit::CREDENTIAL));
        }
        rows.push(self.audit(&EventText::TokenIssued, &Audit::TOKEN));
        rows
    }

    /// A request that OAuth refuses.
    fn refused(&self, id: &str) -> Vec<EventRow> {
        let text = self.logged(id);
        let mut rows = vec![self.admin(&EventText::TokenRequest, vec![text.details()])];
        // Whoever is not known to be a client was not to be issued anything.
        let asked_for_it = matches!(id, "MSIS9602" | "MSIS9603" | "MSIS9605" | "MSIS9712");
        if asked_for_it || self.record.status >= 500 {
            let audit = Audit::TOKEN.failed("GenericError");
            rows.push(self.audit(&EventText::TokenNotIssued, &audit));
        }
        rows
    }

    /// What is logged where a client is told this.
    fn logged(&self, id: &str) -> LogText {
        let client = || self.fact("client-id").unwrap_or_default();
        let resource = || self.fact("resource").unwrap_or_default();
        let failed = self.record.failed_check();
        let failed_name = failed.map(|check| &*check.name).unwrap_or_default();
        match (id, failed_name) {
            ("MSIS9607", _) => LogText::ClientUnknown { client: client() },
            ("MSIS9622", "certificate-registered" | "assertion-signature" | "assertion-key-id") => {
                LogText::AssertionKeyUnknown { client: client() }
            }
            // AD FS looks for the key of whoever the assertion says it is.
            ("MSIS9622", "assertion-issuer") => {
                let issuer = failed.map(|check: &Check| clean(&check.actual));
                LogText::AssertionKeyUnknown { client: issuer.unwrap_or_default() }
            }
            ("MSIS9622", _) => LogText::CredentialRefused { told: self.told() },
            ("MSIS9612", _) => LogText::CodeRefused,
            ("MSIS9614" | "MSIS9615", _) => LogText::RefreshTokenRefused { told: self.told() },
            ("MSIS9602", _) => LogText::ResourceUnknown { resource: resource() },
            ("MSIS9605", "scope") => LogText::ScopeForbidden {
                client: client(),
                resource: resource(),
                scope: self.fact("scope").unwrap_or_default(),
            },
            ("MSIS9605", _) => LogText::ResourceForbidden { client: client(), resource: resource() },
            _ => LogText::RequestRefused { told: self.told() },
        }
    }

    /// What the client was told, in a body or on its way back through a browser.
    fn told(&self) -> String {
        #[derive(Deserialize)]
        struct Body {
            error_description: String,
        }
        if let Some(told) = self.fact("error-description") {
            return told;
        }
        let body = serde_json::from_slice::<Body>(&self.record.response_body);
        body.map(|body| clean(&body.error_description)).unwrap_or_default()
    }

    /// A user whom the security token service refuses.
    fn user_refused(&self) -> Vec<EventRow> {
        let user = self.fact("user").unwrap_or_default();
        let failed = self.record.failed_check();
        let windows = LogonFailure::of(failed.map(|check| &*check.name).unwrap_or_default()).text();
        let exception = TOKEN_REFUSED.around(&format!("{user} ---> {}", WINDOWS.around(&windows)));
        let target = self.service.identifier();
        let outer = Thrown { class: REQUEST_FAILED, frames: &[] };
        let passive = outer.around(&format!("{} ---> {exception}", AdfsError::NotFulfilled.text()));
        let nobody = String::new;
        let audit = Audit::CREDENTIAL.failed("CredentialValidationError");
        vec![
            self.admin(&EventText::WsTrustRequest, vec![ISSUE.to_owned(), exception.clone()]),
            EventRow {
                severity: Severity::Warning,
                ..self
                    .admin(&EventText::CallerOfRequest, vec![nobody(), nobody(), nobody(), target, nobody()])
            },
            self.admin(&EventText::PassiveRequest, vec![nobody(), self.relying_party(), passive]),
            self.audit(&EventText::CredentialNotValid, &audit),
            EventRow {
                severity: Severity::Audit,
                keywords: AUDIT_FAILURE,
                ..self.row(
                    &SECURITY,
                    &EventText::TokenValidation,
                    vec![
                        self.activity(),
                        USERNAME_TOKEN.to_owned(),
                        CALLER.to_owned(),
                        format!("{user}-{windows}"),
                        exception,
                    ],
                )
            },
        ]
    }

    fn relying_party(&self) -> String {
        self.fact("resource").unwrap_or_else(|| scope::USERINFO.to_owned())
    }
}

/// A text that was sent, so that no line of a log begins in it.
fn clean(text: &str) -> String {
    harmless(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
