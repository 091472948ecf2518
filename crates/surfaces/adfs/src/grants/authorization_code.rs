//! The code grant: tokens for whoever signed in at the authorization endpoint (RFC 6749 section 4.1.3, RFC 7636).
//!
//! Decides which codes are good: one that this service sealed since its last reset, that is not ten minutes old, for this
//! client, sent to this redirect URI, not used before, and whose verifier follows from its challenge. A code is used up by
//! being asked about once client and redirect URI are its own: a wrong verifier burns it, and a refusal that comes later does
//! too. Windows Server 2016 knows no challenges: it hands out codes without one. That a code whose user was removed or
//! disabled since is invalid is inferred.

use mocktenant_idp::code::Code;
use mocktenant_idp::{Ledger, NotSpent, Opened, Sealer};
use mocktenant_lab::Scope;
use mocktenant_verdict::{Finding, Question, Role};
use mocktenant_world::declaration::Profile;

use crate::asking::{Asking, Checks, excerpt};
use crate::client_auth::REGISTERED;
use crate::code::{CODE, CODES, SignedIn};
use crate::errors::AdfsError;
use crate::grants::{Grant, Since, Subject, Ticket, password};
use crate::scope::{self, Before};

static SENT: Question = Question::new("code-sent", Role::Request);
static OPENS: Question = Question::new("authorization-code", Role::Token).needs(&[&SENT]);
static OWN: Question = Question::new("code-client", Role::Client).needs(&[&OPENS]);
static REDIRECT_URI: Question = Question::new("code-redirect-uri", Role::Request).needs(&[&OPENS]);
static UNUSED: Question = Question::new("code-unused", Role::Token).needs(&[&OPENS]);
static VERIFIER: Question = Question::new("code-verifier", Role::Request).needs(&[&OPENS]);

/// The grant.
pub(super) static GRANT: Grant = Grant {
    name: "authorization_code",
    since: Profile::Server2016,
    public_clients: true,
    questions: || {
        [&SENT, &OPENS, &OWN, &REDIRECT_URI, &UNUSED, &VERIFIER]
            .into_iter()
            .chain(password::account_questions())
            .chain(scope::QUESTIONS)
            .collect()
    },
    ask,
};

fn ask<'p>(asking: &Asking<'_, 'p>, list: &mut Checks<'_>) -> Option<Ticket<'p>> {
    let service = &asking.prepared.service;
    let sent = asking.sent.parameter("code");
    list.ask(&SENT, "a code", Vec::new(), || match sent {
        Some(_) => Finding::pass("one"),
        None => Finding::fail("none", AdfsError::ParameterMissing { name: "code".to_owned() }),
    });
    let owner = Scope::federation_service(&service.id);
    let opened = sent.map(|sent| Sealer::of(asking.context, &owner).open(&CODE, sent, asking.now));
    list.ask(&OPENS, "one that this federation service issued within ten minutes", Vec::new(), || {
        match &opened {
            None => Finding::skip(SENT.name),
            Some(Ok(_)) => Finding::pass("issued here"),
            Some(Err(why)) => Finding::fail(why.to_string(), AdfsError::CodeInvalid),
        }
    });
    let opened = opened.and_then(Result::ok);
    let code = opened.as_ref().map(|opened| &opened.payload);
    list.ask(&OWN, "issued to this client", Vec::new(), || match (code, asking.client) {
        (None, _) => Finding::skip(OPENS.name),
        (Some(_), None) => Finding::skip(REGISTERED.name),
        (Some(code), Some(client)) => match code.of_client(&client.client_id.to_ascii_lowercase()) {
            Ok(()) => Finding::pass("its own"),
            Err(other) => Finding::fail(other.to_string(), AdfsError::CodeInvalid),
        },
    });
    let redirect_uri = asking.sent.parameter("redirect_uri");
    list.ask(&REDIRECT_URI, "the one that the code was sent to", Vec::new(), || {
        match code.map(|code| code.sent_to(redirect_uri)) {
            None => Finding::skip(OPENS.name),
            Some(Ok(())) => Finding::pass("the same"),
            Some(Err(other)) => Finding::fail(excerpt(&other.to_string()), AdfsError::RedirectUriDiffers),
        }
    });
    let verifier = asking.sent.parameter("code_verifier");
    let verified = code.map(|code| CODES.pkce.verify(code.challenge.as_ref(), verifier));
    // Whoever is not its client uses nobody's code up.
    let at_stake = list.refusal().is_none();
    list.ask(&UNUSED, "one that nobody used before", Vec::new(), || match &opened {
        None => Finding::skip(OPENS.name),
        Some(opened) => used_up(asking, &owner, opened, at_stake, matches!(verified, Some(Ok(())))),
    });
    list.ask(&VERIFIER, "the verifier that its challenge follows from", Vec::new(), || match &verified {
        None => Finding::skip(OPENS.name),
        Some(Ok(())) => Finding::pass("its own, or none was asked for"),
        Some(Err(why)) => Finding::fail(why.to_string(), AdfsError::VerifierWrong),
    });
    let granted = code.map(|code| &code.granted);
    let user = granted.and_then(|granted| service.user(&granted.user));
    let invalid = AdfsError::CodeInvalid;
    password::ask_still_known(list, granted.map(|granted| granted.user.as_str()), user, &OPENS, &invalid);
    password::ask_account(list, user, asking.now, &invalid);
    let before = granted.map(|granted| Before { resource: &granted.resource, scopes: &granted.scopes });
    let now = scope::ask(asking, list, before.as_ref())?;
    let granted = granted?;
    let since = Since { at: granted.at, ends: granted.ends, nonce: granted.nonce.clone() };
    Some(Ticket { granted: now, subject: Subject::User { user: user?, since }, refreshable: true })
}

/// Uses a code up, if it is at stake; of many who ask at once one finds it unused.
fn used_up(
    asking: &Asking<'_, '_>,
    owner: &Scope,
    opened: &Opened<Code<SignedIn>>,
    at_stake: bool,
    verified: bool,
) -> Finding<AdfsError> {
    let spent = asking.context.remember(|store| {
        let ledger = Ledger::new(store, owner, asking.now);
        match ledger.spent_by(&opened.mark) {
            Some(by) => Err(NotSpent::Before { by }),
            None if at_stake => CODES.spend(&ledger, opened, verified, asking.context.id()),
            None => Ok(()),
        }
    });
    match spent {
        Ok(Ok(())) => Finding::pass("unused"),
        Ok(Err(why)) => Finding::fail(why.to_string(), AdfsError::CodeInvalid),
        Err(_) => Finding::fail("a reset came over it", AdfsError::CodeInvalid),
    }
}
