//! Sign-in sessions: who signed in, when and how, in the browser's own keeping.
//!
//! Decides what a session is made of, and that each sign-in makes a new one with an identifier of its own: a session is begun
//! from a user and never from what a browser brought, so nobody can be given one beforehand and find it signed in later.
//! The only thing that a sign-in takes over from the session before is where the same user has been, so that signing out
//! reaches those clients too. Never decides how long a session lasts, whether it may be kept beyond the browser's own
//! session, or what is asked of whom: those are a provider's policy. What a cookie is called is a provider's too
//! ([`crate::cookie`]).
//!
//! A session is a sealed value, so nothing is stored for it. That somebody signed out is remembered where a provider wants
//! that a copy of the cookie is good no longer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use mocktenant_lab::Random;
use mocktenant_lab::store::{Full, Key};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::{Kind, Ledger, Refused, SealError, Sealer};

/// The store's word for sessions that were signed out of.
const SIGNED_OUT: &str = "signed-out";

/// Octets of an identifier.
const ID: usize = 16;

/// That somebody signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The user, as the provider finds it again.
    pub user: String,
    /// When.
    pub at: OffsetDateTime,
    /// How, in the provider's word.
    pub how: String,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its identifier: drawn at the sign-in, the same after a renewal. What belongs to this session and to no other (a form of
    /// its pages) is bound to it.
    pub id: String,
    /// Who signed in, when and how.
    pub sign_in: SignIn,
    /// Whether it is to outlast the browser's own session.
    pub kept: bool,
    /// When it ends; that moment is no longer inside.
    pub ends: OffsetDateTime,
    /// The clients that were signed in to with it, in the order of their last visit.
    pub clients: Vec<String>,
}

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// So long from the sign-in, whatever is done with it.
    FromSignIn(Duration),
    /// So long from its last renewal, and never longer than that from the sign-in.
    FromUse {
        /// From the last renewal.
        idle: Duration,
        /// From the sign-in; [`Duration::MAX`] is without an end.
        at_most: Duration,
    },
}

impl Lasts {
    fn end(self, signed_in: OffsetDateTime, now: OffsetDateTime) -> OffsetDateTime {
        match self {
            Self::FromSignIn(lasts) => signed_in.saturating_add(lasts),
            Self::FromUse { idle, at_most } => {
                now.saturating_add(idle).min(signed_in.saturating_add(at_most))
            }
        }
    }
}

/// A provider's policy.
#[derive(Debug)]
pub struct Sessions {
    /// What its sessions are sealed as.
    pub kind: Kind<Session>,
    /// How long one lasts.
    pub lasts: Lasts,
    /// How long one lasts that the user wants to be kept; `None` where that is not on offer, and nobody's wish is heard.
    pub kept: Option<Lasts>,
    /// How many clients are remembered: of more, those that were not visited for longest are forgotten. A cookie has room for
    /// 4 KiB.
    pub clients: usize,
}

/// Why there is no session. Nobody is told more than that he has to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    /// What was presented is no session of this owner's, or has ended.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Somebody signed out of it.
    #[error("somebody signed out of it")]
    SignedOut,
}

impl Sessions {
    /// Somebody signs in: a new session, whatever the browser brought. `before` is the session it had, opened; where that was
    /// the same user's, its clients are remembered on.
    pub fn begin(&self, random: &Random, sign_in: SignIn, keep: bool, before: Option<&Session>) -> Session {
        let mut id = [0; ID];
        random.fill(&mut id);
        let same = before.filter(|before| before.sign_in.user == sign_in.user);
        let clients = same.map(|before| before.clients.clone()).unwrap_or_default();
        let (kept, at) = (keep && self.kept.is_some(), sign_in.at);
        let ends = self.lasts_of(kept).end(at, at);
        Session { id: URL_SAFE_NO_PAD.encode(id), sign_in, kept, ends, clients }
    }

    /// The session as a text for a cookie: another one each time.
    pub fn seal(&self, sealer: &Sealer<'_>, session: &Session) -> Result<String, SealError> {
        sealer.seal(&self.kind, session, session.ends)
    }

    /// The session that a browser brought.
    pub fn open(&self, sealer: &Sealer<'_>, ledger: &Ledger<'_>, text: &str) -> Result<Session, NoSession> {
        let session = sealer.open(&self.kind, text, ledger.now)?.payload;
        if ledger.signed_out(&session) { Err(NoSession::SignedOut) } else { Ok(session) }
    }

    /// The session was used: it may last longer now. Time that runs backwards, as that of a lab can, makes none shorter.
    pub fn renew(&self, session: &mut Session, now: OffsetDateTime) {
        session.ends = session.ends.max(self.lasts_of(session.kept).end(session.sign_in.at, now));
    }

    /// A client was signed in to.
    pub fn visited(&self, session: &mut Session, client: &str) {
        session.clients.retain(|known| known != client);
        session.clients.push(client.to_owned());
        let forgotten = session.clients.len().saturating_sub(self.clients);
        session.clients.drain(..forgotten);
    }

    fn lasts_of(&self, kept: bool) -> Lasts {
        self.kept.filter(|_| kept).unwrap_or(self.lasts)
    }
}

impl Session {
    /// How long ago the user signed in; nothing where time ran backwards since.
    pub fn age(&self, now: OffsetDateTime) -> Duration {
        (now - self.sign_in.at).max(Duration::ZERO)
    }

    /// What is left of it.
    pub fn left(&self, now: OffsetDateTime) -> Duration {
        (self.ends - now).max(Duration::ZERO)
    }
}

impl Ledger<'_> {
    /// Remembers that somebody signed out of a session, until it would have ended anyhow.
    pub fn sign_out(&self, session: &Session) -> Result<(), Full> {
        let key = Key::new(SIGNED_OUT, &session.id);
        // Who signs out twice has signed out.
        self.store.put_new(self.owner, key, Bytes::new(), session.ends, self.now).map(drop)
    }

    /// Whether somebody signed out of it.
    pub fn signed_out(&self, session: &Session) -> bool {
        self.store.get(self.owner, &Key::new(SIGNED_OUT, &session.id), self.now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use mocktenant_keys::SealingKey;
    use mocktenant_lab::{Scope, Store};

    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
    const POLICY: Sessions = Sessions {
        kind: Kind::new("toy-session"),
        lasts: Lasts::FromSignIn(Duration::hours(8)),
        kept: Some(Lasts::FromSignIn(Duration::hours(24))),
        clients: 3,
    };
    const ROLLING: Sessions = Sessions {
        lasts: Lasts::FromUse { idle: Duration::hours(1), at_most: Duration::hours(3) },
        kept: None,
        ..POLICY
    };

    fn at(minutes: i64) -> OffsetDateTime {
        NOW + Duration::minutes(minutes)
    }

    fn sign_in(user: &str) -> SignIn {
        SignIn { user: user.to_owned(), at: NOW, how: "password".to_owned() }
    }

    fn begun(policy: &Sessions, keep: bool) -> Session {
        policy.begin(&Random::seeded(1), sign_in("ada"), keep, None)
    }

    #[test]
    fn a_session_comes_back_from_its_cookie_until_it_ends_or_somebody_signs_out() {
        let (key, random, owner) =
            (SealingKey::from_secret(&[1; 32]), Random::seeded(1), Scope::organization("a"));
        let (sealer, store) = (Sealer::new(&key, &random, &owner, 0), Store::default());
        let open = |text: &str, minute| POLICY.open(&sealer, &Ledger::new(&store, &owner, at(minute)), text);
        let session = POLICY.begin(&random, sign_in("ada"), false, None);
        let text = POLICY.seal(&sealer, &session).unwrap();
        assert_ne!(POLICY.seal(&sealer, &session).unwrap(), text, "another text each time");
        assert_eq!(open(&text, 479), Ok(session.clone()));
        assert_eq!(open(&text, 480), Err(NoSession::Refused(Refused::Expired { at: at(480) })));
        assert_eq!(open(&text[1..], 0), Err(NoSession::Refused(Refused::Foreign)));
        for _ in 0..2 {
            Ledger::new(&store, &owner, at(1)).sign_out(&session).unwrap();
        }
        assert_eq!(open(&text, 2), Err(NoSession::SignedOut), "a copy of the cookie is good no longer");
        let again = POLICY.begin(&random, sign_in("ada"), false, Some(&session));
        let text = POLICY.seal(&sealer, &again).unwrap();
        assert_eq!(open(&text, 2), Ok(again), "who signs in again is signed in");
    }

    #[test]
    fn every_sign_in_makes_a_session_of_its_own_that_takes_over_only_where_the_same_user_has_been() {
        let random = Random::seeded(1);
        let mut before = POLICY.begin(&random, sign_in("eve"), true, None);
        POLICY.visited(&mut before, "client");
        let after = POLICY.begin(&random, sign_in("ada"), false, Some(&before));
        assert_ne!(after.id, before.id);
        assert_eq!((after.kept, &*after.sign_in.user, after.clients.len()), (false, "ada", 0));
        let again = POLICY.begin(&random, sign_in("eve"), false, Some(&before));
        assert_ne!(again.id, before.id);
        assert_eq!((again.kept, again.clients), (false, vec![String::from("client")]));
    }

    #[test]
    fn keeping_somebody_signed_in_is_the_users_wish_and_the_providers_offer() {
        assert_eq!((begun(&POLICY, false).kept, begun(&POLICY, false).ends), (false, at(480)));
        assert_eq!((begun(&POLICY, true).kept, begun(&POLICY, true).ends), (true, at(1_440)));
        assert_eq!((begun(&ROLLING, true).kept, begun(&ROLLING, true).ends), (false, at(60)));
    }

    #[test]
    fn a_session_that_is_used_lasts_longer_where_the_policy_says_so_and_never_longer_than_it_may() {
        let ends = |policy: &Sessions, minutes: &[i64]| {
            let mut session = begun(policy, false);
            for minute in minutes {
                policy.renew(&mut session, at(*minute));
            }
            assert_eq!(session.id, begun(policy, false).id, "it is the same one");
            session.ends
        };
        assert_eq!(ends(&POLICY, &[100, 200]), at(480));
        assert_eq!(ends(&ROLLING, &[30]), at(90));
        assert_eq!(ends(&ROLLING, &[30, 80, 130, 179]), at(180));
        assert_eq!(ends(&ROLLING, &[30, -600]), at(90), "the clock was put back");
        let endless = Lasts::FromUse { idle: Duration::hours(1), at_most: Duration::MAX };
        assert_eq!(ends(&Sessions { lasts: endless, ..POLICY }, &[10_000]), at(10_060));
    }

    #[test]
    fn it_is_known_how_old_a_session_is_and_what_is_left_of_it() {
        let session = begun(&POLICY, false);
        assert_eq!((session.age(at(7)), session.left(at(7))), (Duration::minutes(7), Duration::minutes(473)));
        assert_eq!(session.age(at(-7)), Duration::ZERO);
        assert_eq!(session.left(at(500)), Duration::ZERO);
    }

    #[test]
    fn the_clients_of_a_session_are_few_and_the_last_ones() {
        let mut session = begun(&POLICY, false);
        for client in ["z", "a", "b", "c", "b"] {
            POLICY.visited(&mut session, client);
        }
        assert_eq!(session.clients, ["a", "c", "b"]);
    }
}
