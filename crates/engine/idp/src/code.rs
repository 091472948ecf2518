//! Authorization codes: what a browser carries from a provider to a client, good once (RFC 6749 section 4.1.2).
//!
//! Decides what a code is bound to (client, redirect URI as it was sent or left out, challenge), the order in which a
//! redemption is judged ([`Step`]), and that of many who redeem one code at once exactly one gets what it stands for. Never
//! decides how long a code lasts, which challenges there are, or whether a wrong verifier burns it: a provider hands in its
//! policy. Nor does it decide whether two redirect URIs count as the same: they do if they are the same text, and a
//! provider that knows better writes into the code what it compares with.
//!
//! A code holds everything itself, sealed; the store is asked only for what was spent.

use mocktenant_lab::store::Full;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::pkce::{BadVerifier, Challenge, Pkce};
use crate::{Kind, Ledger, NotSpent, Opened, Refused, SealError, Sealer};

/// What a code says: what it is bound to, and what the provider wants to know again when it is redeemed. A provider's kind of
/// codes is a `const CODE: Kind<Code<Granted>> = Kind::new("..");`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code<T> {
    /// The client it was issued to, as the provider compares it.
    pub client: String,
    /// The redirect URI as the authorization request had it; none where it had none.
    pub redirect_uri: Option<String>,
    /// The challenge, if there was one.
    pub challenge: Option<Challenge>,
    /// What was granted.
    pub granted: T,
}

/// A provider's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// How long a code is good.
    pub lifetime: Duration,
    /// Challenges.
    pub pkce: Pkce,
    /// Whether a wrong or missing verifier uses a code up: whoever sends the right one afterwards comes too late.
    pub burnt_by_wrong_verifier: bool,
}

/// What a token request presents.
#[derive(Clone, Copy, Debug)]
pub struct Redeeming<'r> {
    /// Who asks, as the provider compares clients.
    pub client: &'r str,
    /// The redirect URI, if one was sent.
    pub redirect_uri: Option<&'r str>,
    /// The verifier, if one was sent.
    pub verifier: Option<&'r str>,
    /// What is remembered as the one who used the code, for instance an exchange id.
    pub by: &'r str,
}

/// What a redemption is judged by, in this order: the first that fails is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The lab sealed it, as a code of this owner, since its last reset.
    Genuine,
    /// It has not ended.
    Lasts,
    /// It was issued to who asks.
    Client,
    /// It was sent to the redirect URI that is named.
    RedirectUri,
    /// Nobody used it before.
    Unused,
    /// The verifier is that of its challenge.
    Verifier,
}

impl Step {
    /// All of them in their order.
    pub const ALL: [Self; 6] =
        [Self::Genuine, Self::Lasts, Self::Client, Self::RedirectUri, Self::Unused, Self::Verifier];
}

/// It was issued to another client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was issued to {issued_to}")]
pub struct OtherClient {
    /// The client it was issued to.
    pub issued_to: String,
}

/// The redirect URI is not the one that the code was sent to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtherRedirectUri {
    /// It was asked for with one, and none is named now.
    #[error("it was asked for with {asked_with}, and none is named now")]
    Missing {
        /// The one it was asked for with.
        asked_with: String,
    },
    /// It was asked for with another one.
    #[error("it was asked for with {asked_with}")]
    Another {
        /// The one it was asked for with.
        asked_with: String,
    },
    /// It was asked for without one, and one is named now.
    #[error("it was asked for without one")]
    Unasked,
}

/// Why a code was not redeemed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRedeemed {
    /// It is no code of this owner's, or has ended.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is another client's.
    #[error(transparent)]
    Client(#[from] OtherClient),
    /// It was sent elsewhere.
    #[error(transparent)]
    RedirectUri(#[from] OtherRedirectUri),
    /// It was used before.
    #[error("it was used before, by {by}")]
    Used {
        /// Who used it, as that one said of itself.
        by: String,
    },
    /// It cannot be remembered that it was used, so it was not.
    #[error(transparent)]
    Full(#[from] Full),
    /// The verifier is wrong.
    #[error(transparent)]
    Verifier(#[from] BadVerifier),
}

impl From<NotSpent> for NotRedeemed {
    fn from(why: NotSpent) -> Self {
        match why {
            NotSpent::Before { by } => Self::Used { by },
            NotSpent::Full(full) => Self::Full(full),
        }
    }
}

impl NotRedeemed {
    /// What it failed at: every earlier step passed, and no later one was looked at.
    pub fn step(&self) -> Step {
        match self {
            Self::Refused(Refused::Expired { .. }) => Step::Lasts,
            Self::Refused(_) => Step::Genuine,
            Self::Client(_) => Step::Client,
            Self::RedirectUri(_) => Step::RedirectUri,
            Self::Used { .. } | Self::Full(_) => Step::Unused,
            Self::Verifier(_) => Step::Verifier,
        }
    }
}

impl<T> Code<T> {
    /// Whether it was issued to this client.
    pub fn of_client(&self, client: &str) -> Result<(), OtherClient> {
        if self.client == client { Ok(()) } else { Err(OtherClient { issued_to: self.client.clone() }) }
    }

    /// Whether it was sent to this redirect URI: the one of the authorization request, or none where that had none (RFC 6749
    /// section 4.1.3).
    pub fn sent_to(&self, redirect_uri: Option<&str>) -> Result<(), OtherRedirectUri> {
        match (&self.redirect_uri, redirect_uri) {
            (None, None) => Ok(()),
            (Some(asked_with), Some(named)) if asked_with == named => Ok(()),
            (Some(asked_with), Some(_)) => Err(OtherRedirectUri::Another { asked_with: asked_with.clone() }),
            (Some(asked_with), None) => Err(OtherRedirectUri::Missing { asked_with: asked_with.clone() }),
            (None, Some(_)) => Err(OtherRedirectUri::Unasked),
        }
    }
}

impl Codes {
    /// Issues a code.
    pub fn issue<T: Serialize>(
        &self,
        sealer: &Sealer<'_>,
        kind: &Kind<Code<T>>,
        code: &Code<T>,
        now: OffsetDateTime,
    ) -> Result<String, SealError> {
        sealer.seal(kind, code, now.saturating_add(self.lifetime))
    }

    /// Redeems a code: opens it, judges it step by step, and spends it.
    ///
    /// A provider whose questions can be asked apart opens the code by itself and calls [`Code::of_client`],
    /// [`Code::sent_to`], [`Pkce::verify`] and, once all of them are asked, [`Codes::spend`].
    pub fn redeem<T: DeserializeOwned>(
        &self,
        (sealer, ledger): (&Sealer<'_>, &Ledger<'_>),
        kind: &Kind<Code<T>>,
        text: &str,
        redeeming: &Redeeming<'_>,
    ) -> Result<T, NotRedeemed> {
        let opened = sealer.open(kind, text, ledger.now)?;
        let code = &opened.payload;
        code.of_client(redeeming.client)?;
        code.sent_to(redeeming.redirect_uri)?;
        let verified = self.pkce.verify(code.challenge.as_ref(), redeeming.verifier);
        self.spend(ledger, &opened, verified.is_ok(), redeeming.by)?;
        verified?;
        Ok(opened.payload.granted)
    }

    /// Uses up a code that belongs to who presents it: where its verifier was right, and where a wrong one burns it.
    /// Otherwise it is only asked whether somebody used it before.
    pub fn spend<T>(
        &self,
        ledger: &Ledger<'_>,
        opened: &Opened<Code<T>>,
        verified: bool,
        by: &str,
    ) -> Result<(), NotSpent> {
        if verified || self.burnt_by_wrong_verifier {
            return ledger.spend(&opened.mark, by, opened.expires);
        }
        match ledger.spent_by(&opened.mark) {
            Some(by) => Err(NotSpent::Before { by }),
            None => Ok(()),
        }
    }
}
