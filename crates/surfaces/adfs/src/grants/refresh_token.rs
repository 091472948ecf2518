//! The refresh grant: a new access token for who signed in before (RFC 6749 section 6).
//!
//! Decides which refresh tokens are good: one that this service sealed since its last reset, for this client, of a session
//! that is not over, and whose user may still sign in. It stays good when it was used, and no new one is given; for another
//! resource that the client is permitted it gives a token for that one. Scopes and resource are those it was first issued
//! for where the request names none. That a user who was removed or disabled since makes it invalid is inferred.

use mocktenant_idp::{Kind, Refused, Sealer};
use mocktenant_lab::Scope;
use mocktenant_verdict::{Finding, Question, Role};
use mocktenant_world::declaration::Profile;
use serde::{Deserialize, Serialize};

use crate::asking::{Asking, Checks};
use crate::errors::AdfsError;
use crate::grants::{Grant, Since, Subject, Ticket, password};
use crate::scope::{self, Before};

/// What a refresh token holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refresh {
    /// The client id it was issued to, in lower case.
    pub(crate) client: String,
    /// The user's principal name.
    pub(crate) user: String,
    /// The resource as it was asked for.
    pub(crate) resource: String,
    /// The scopes that were granted.
    pub(crate) scopes: Vec<String>,
    /// When the user signed in, in milliseconds since 1970.
    pub(crate) signed_in: i64,
}

/// Refresh tokens of AD FS.
pub(crate) const REFRESH_TOKEN: Kind<Refresh> = Kind::new("adfs-refresh-token");

static SENT: Question = Question::new("refresh-token-sent", Role::Request);
/// Whether it is one of this service's, and good.
pub(super) static OPENS: Question = Question::new("refresh-token", Role::Token).needs(&[&SENT]);
static OWN: Question = Question::new("refresh-token-client", Role::Client).needs(&[&OPENS]);

/// The grant.
pub(super) static GRANT: Grant = Grant {
    name: "refresh_token",
    since: Profile::Server2016,
    public_clients: true,
    questions: || {
        [&SENT, &OPENS, &OWN]
            .into_iter()
            .chain(password::account_questions())
            .chain(scope::QUESTIONS)
            .collect()
    },
    ask,
};

fn ask<'p>(asking: &Asking<'_, 'p>, list: &mut Checks<'_>) -> Option<Ticket<'p>> {
    let service = &asking.prepared.service;
    let sent = asking.sent.parameter("refresh_token");
    list.ask(&SENT, "a refresh_token", Vec::new(), || match sent {
        Some(_) => Finding::pass("one"),
        None => Finding::fail("none", AdfsError::ParameterMissing { name: "refresh_token".to_owned() }),
    });
    let owner = Scope::federation_service(&service.id);
    let sealer = Sealer::of(asking.context, &owner);
    let opened = sent.map(|sent| sealer.open(&REFRESH_TOKEN, sent, asking.now));
    list.ask(
        &OPENS,
        "one that this federation service issued and that lasts",
        Vec::new(),
        || match &opened {
            None => Finding::skip(SENT.name),
            Some(Ok(_)) => Finding::pass("issued here"),
            Some(Err(why @ Refused::Expired { .. })) => {
                Finding::fail(why.to_string(), AdfsError::RefreshTokenExpired)
            }
            Some(Err(why)) => Finding::fail(why.to_string(), AdfsError::RefreshTokenInvalid),
        },
    );
    let opened = opened.and_then(Result::ok);
    let (expires, refresh) = opened.map(|opened| (opened.expires, opened.payload)).unzip();
    list.ask(&OWN, "issued to this client", Vec::new(), || match (&refresh, asking.client) {
        (None, _) => Finding::skip(OPENS.name),
        (Some(_), None) => Finding::skip(crate::client_auth::REGISTERED.name),
        (Some(refresh), Some(client)) if client.client_id.eq_ignore_ascii_case(&refresh.client) => {
            Finding::pass("its own")
        }
        (Some(refresh), Some(_)) => {
            Finding::fail(format!("issued to {}", refresh.client), AdfsError::RefreshTokenInvalid)
        }
    });
    let user = refresh.as_ref().and_then(|refresh| service.user(&refresh.user));
    let invalid = AdfsError::RefreshTokenInvalid;
    password::ask_still_known(
        list,
        refresh.as_ref().map(|known| known.user.as_str()),
        user,
        &OPENS,
        &invalid,
    );
    password::ask_account(list, user, asking.now, &invalid);
    let before =
        refresh.as_ref().map(|refresh| Before { resource: &refresh.resource, scopes: &refresh.scopes });
    let granted = scope::ask(asking, list, before.as_ref())?;
    let since = Since { at: refresh.as_ref()?.signed_in, ends: expires?, nonce: None };
    Some(Ticket { granted, subject: Subject::User { user: user?, since }, refreshable: false })
}
