//! The device code grant: tokens for who signed in on another device (RFC 8628 section 3.4).
//!
//! Decides that a code is this service's, has not run out and is the asking client's, and that somebody approved it; then it is
//! used up, whatever becomes of the rest. It has two names, and the code may stand in `device_code` or in `code`. What a device
//! is told while it waits is RFC 8628's; that it is slowed down, and what is told of a code that is no good, are inferred.

use mocktenant_idp::device_code::{Approved, NotYet};
use mocktenant_idp::{Ledger, Refused, Sealer};
use mocktenant_lab::Scope;
use mocktenant_verdict::{Finding, Question, Role};
use mocktenant_world::declaration::Profile;
use time::Duration;

use crate::asking::{Asking, Checks};
use crate::client_auth::REGISTERED;
use crate::device::{DEVICE_CODE, DEVICES, Wanted};
use crate::errors::AdfsError;
use crate::grants::{Grant, Since, Subject, Ticket, milliseconds, password};
use crate::scope::{self, Before};

static SENT: Question = Question::new("device-code-sent", Role::Request);
static OPENS: Question = Question::new("device-code", Role::Token).needs(&[&SENT]);
static OWN: Question = Question::new("device-code-client", Role::Client).needs(&[&OPENS]);
/// Whether somebody approved it, and nobody redeemed it before.
static APPROVED: Question = Question::new("device-code-approved", Role::User).needs(&[&OPENS]);

/// The grant by its registered name.
pub(super) static GRANT: Grant = Grant {
    name: "urn:ietf:params:oauth:grant-type:device_code",
    since: Profile::Server2019,
    public_clients: true,
    questions: || {
        [&SENT, &OPENS, &OWN, &APPROVED]
            .into_iter()
            .chain(password::account_questions())
            .chain(scope::QUESTIONS)
            .collect()
    },
    ask,
};

/// The same by the name that older clients have for it.
pub(super) static SHORT: Grant = Grant { name: "device_code", ..GRANT };

fn ask<'p>(asking: &Asking<'_, 'p>, list: &mut Checks<'_>) -> Option<Ticket<'p>> {
    let service = &asking.prepared.service;
    let [long, short] = ["device_code", "code"].map(|name| asking.sent.parameter(name));
    list.ask(&SENT, "one device_code", Vec::new(), || match (long, short) {
        (None, None) => Finding::fail("none", AdfsError::ParameterMissing { name: "device_code".to_owned() }),
        (Some(long), Some(short)) if long != short => {
            Finding::fail("device_code and code that differ", AdfsError::FormMalformed)
        }
        _ => Finding::pass("one"),
    });
    let sent = long.or(short).filter(|_| list.refusal().is_none());
    let owner = Scope::federation_service(&service.id);
    let opened = sent.map(|sent| Sealer::of(asking.context, &owner).open(&DEVICE_CODE, sent, asking.now));
    list.ask(
        &OPENS,
        "one that this federation service issued within a quarter of an hour",
        Vec::new(),
        || match &opened {
            None => Finding::skip(SENT.name),
            Some(Ok(_)) => Finding::pass("issued here"),
            Some(Err(why @ Refused::Expired { .. })) => {
                Finding::fail(why.to_string(), AdfsError::DeviceExpired)
            }
            Some(Err(why)) => Finding::fail(why.to_string(), AdfsError::DeviceCodeInvalid),
        },
    );
    let opened = opened.and_then(Result::ok);
    list.ask(&OWN, "issued to this client", Vec::new(), || match (&opened, asking.client) {
        (None, _) => Finding::skip(OPENS.name),
        (Some(_), None) => Finding::skip(REGISTERED.name),
        (Some(opened), Some(client)) => {
            match opened.payload.of_client(&client.client_id.to_ascii_lowercase()) {
                Ok(()) => Finding::pass("its own"),
                Err(other) => Finding::fail(other.to_string(), AdfsError::DeviceCodeInvalid),
            }
        }
    });
    // Whoever is not its client uses nobody's code up, nor nobody's interval.
    let polled = opened.as_ref().filter(|_| list.refusal().is_none()).map(|opened| {
        let polled = asking.context.remember(|store| {
            DEVICES.poll::<Wanted>(&Ledger::new(store, &owner, asking.now), opened, asking.context.id())
        });
        polled.unwrap_or(Err(NotYet::Forgotten))
    });
    list.ask(&APPROVED, "approved by a user, and not redeemed before", Vec::new(), || match &polled {
        None => Finding::skip(OPENS.name),
        Some(Ok(_)) => Finding::pass("approved"),
        Some(Err(why)) => Finding::fail(why.to_string(), told(why)),
    });
    let approved = polled.and_then(Result::ok);
    let named = approved.as_ref().map(|approved| approved.sign_in.user.as_str());
    let user = named.and_then(|name| service.user(name));
    let invalid = AdfsError::DeviceCodeInvalid;
    password::ask_still_known(list, named, user, &APPROVED, &invalid);
    password::ask_account(list, user, asking.now, &invalid);
    let wanted = approved.as_ref().map(|approved| &approved.asked);
    let before = wanted.map(|wanted| Before { resource: &wanted.resource, scopes: &wanted.scopes });
    let granted = scope::ask(asking, list, before.as_ref())?;
    let Approved { sign_in, .. } = approved?;
    let ends = sign_in.at.saturating_add(Duration::minutes(i64::from(service.sso_lifetime)));
    let since = Since { at: milliseconds(sign_in.at), ends, nonce: None };
    Some(Ticket { granted, subject: Subject::User { user: user?, since }, refreshable: true })
}

/// What a device is told that gets nothing, or nothing yet.
fn told(why: &NotYet) -> AdfsError {
    match why {
        NotYet::Pending => AdfsError::DevicePending,
        NotYet::TooEarly { .. } => AdfsError::DeviceTooEarly,
        NotYet::Denied => AdfsError::DeviceDenied,
        NotYet::Redeemed { .. } | NotYet::Forgotten => AdfsError::DeviceCodeInvalid,
        NotYet::Full(_) => AdfsError::ServerError,
    }
}
