//! The ladder of questions about a bearer token, as any resource asks them: is there one, can it be read, by whom, for
//! whom, when.
//!
//! Decides what each question reads, and what waits for what. The resource's [`Policy`] names the questions, says in which
//! order they are asked, whom and what it trusts, and puts a refusal in its own words with its own remedy. Trust never
//! comes from the token. That every question which can be asked is asked, whatever failed before, is inferred.

use mocktenant_keys::Algorithm;
use mocktenant_verdict::{Checklist, Finding, Question, Setting, Text};
use time::OffsetDateTime;

use crate::bearer::{
    Authorization, KeyFinding, SignatureFinding, TimeWindow, TrustedKey, select_key, verify_bytes,
    verify_signature,
};
use crate::{Claims, Compact};

/// One question about a token that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Whether its algorithm is taken.
    Algorithm,
    /// Whether a trusted key signed it.
    Signature,
    /// Whether it was issued by the one who is trusted.
    Issuer,
    /// Whether it is for this resource.
    Audience,
    /// Whether it is shown in time.
    Time,
    /// Whether it is of the tenant that is trusted.
    Tenant,
}

/// The questions of a resource, in its order, and the words of those that depend on nothing declared.
#[derive(Debug)]
pub struct Questions {
    /// Whether there is a bearer token.
    pub present: &'static Question,
    /// What would be there.
    pub present_expected: &'static str,
    /// Whether it can be read.
    pub well_formed: &'static Question,
    /// What could be read.
    pub well_formed_expected: &'static str,
    /// What a readable token is called.
    pub well_formed_held: &'static str,
    /// The rest, in the order asked. A resource that does not ask one leaves it out.
    pub steps: &'static [(Step, &'static Question)],
    /// Which algorithms are taken.
    pub algorithm_expected: &'static str,
    /// What a header without algorithm is called.
    pub algorithm_missing: &'static str,
    /// Whether the algorithm's question judges the header as a whole: then an unknown `crit` is refused there, and no key
    /// is looked for without an algorithm. Else `crit` is refused where the signature is.
    pub whole_header: bool,
}

impl Questions {
    /// All of them, in the order asked; `N` is two more than there are steps, or it does not compile.
    pub const fn all<const N: usize>(&self) -> [&'static Question; N] {
        assert!(N == self.steps.len() + 2, "two questions before the steps");
        let mut all = [self.present; N];
        all[1] = self.well_formed;
        let mut step = 0;
        while step < self.steps.len() {
            all[step + 2] = self.steps[step].1;
            step += 1;
        }
        all
    }

    fn of(&self, wanted: Step) -> &'static Question {
        // Every step is asked once; a policy that leaves one out has no question to wait for but the token's.
        self.steps.iter().find(|(step, _)| *step == wanted).map_or(self.well_formed, |(_, question)| question)
    }
}

/// What is wrong with a bearer token.
#[derive(Clone, Copy, Debug)]
pub enum Failure<'f> {
    /// There is none.
    Missing,
    /// It cannot be read.
    Malformed,
    /// No RSA signature algorithm, or an unknown `crit` where the header is judged as a whole.
    AlgorithmRefused,
    /// No trusted key signed it.
    SignatureInvalid,
    /// Issued by somebody else.
    IssuerUnknown {
        /// `iss`, if it is a text.
        sent: Option<&'f str>,
    },
    /// Issued for somebody else.
    AudienceWrong {
        /// `aud`.
        sent: &'f [&'f str],
    },
    /// Outside `nbf` and `exp`.
    OutOfTime,
    /// Of another tenant.
    TenantWrong {
        /// `tid`, if it is a text.
        sent: Option<&'f str>,
    },
}

/// What a resource has to say about bearer tokens.
pub trait Policy {
    /// Its own error.
    type Error;

    /// How far `nbf` and `exp` may be off.
    const WINDOW: TimeWindow;

    /// Whether its log names the key beside what became of the signature.
    const BESIDE_ITS_KEY: bool = false;

    /// Its questions.
    fn questions(&self) -> &'static Questions;

    /// The keys it trusts.
    fn keys(&self) -> &[TrustedKey];

    /// Whose tokens it takes.
    fn issuer(&self) -> Text;

    /// Whether this is the one.
    fn accepts_issuer(&self, sent: &str) -> bool;

    /// Whether a token for this one is for it.
    fn accepts_audience(&self, sent: &str) -> bool;

    /// The audiences it takes, shown beside one that was taken or `refused`.
    fn audiences(&self, refused: bool) -> Text;

    /// Of which tenant a token has to be; of any, where [`Step::Tenant`] is left out.
    fn tenant(&self) -> Text {
        "any".into()
    }

    /// Whether this is the one.
    fn accepts_tenant(&self, _sent: &str) -> bool {
        true
    }

    /// What is looked for where no token says which key it means: `a key of the federation metadata`.
    fn any_key(&self) -> &'static str;

    /// What a good signature would be: the key looked for, if the token could be read, and what became of it with the key
    /// that was found.
    fn signature(&self, key: Option<&KeyFinding<'_>>, verified: Option<&SignatureFinding>) -> Text {
        if Self::BESIDE_ITS_KEY {
            return match key.filter(|_| !verified.is_some_and(SignatureFinding::holds)) {
                Some(key) => format!("a signature by {}", key.expected()).into(),
                None => self.any_key().into(),
            };
        }
        match (key, verified) {
            (None, _) => self.any_key().into(),
            (
                Some(key),
                None | Some(SignatureFinding::AlgorithmMissing | SignatureFinding::AlgorithmRefused { .. }),
            ) => key.expected(),
            (Some(_), Some(_)) => SignatureFinding::EXPECTED.into(),
        }
    }

    /// What was there instead.
    fn no_signature(&self, key: &KeyFinding<'_>, verified: Option<&SignatureFinding>) -> Text {
        match verified {
            Some(verified) if Self::BESIDE_ITS_KEY => format!("{verified}, {key}").into(),
            Some(verified) => verified.to_string().into(),
            None => key.to_string().into(),
        }
    }

    /// What the answer to a step depends on.
    fn settings(&self, step: Step) -> Vec<Setting>;

    /// As much of a foreign text as a check of this resource shows.
    fn shown(&self, text: &str) -> String;

    /// A refusal: the resource's error, and what would mend it.
    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<Self::Error>;
}

/// Asks every question about the token of a request, at `now`; gives the token, believed or not, if it can be read.
pub fn ask<'t, P: Policy>(
    list: &mut Checklist<'_, P::Error>,
    policy: &P,
    authorization: &Authorization<'t>,
    now: OffsetDateTime,
) -> Option<Compact<'t>> {
    let questions = policy.questions();
    let present = !matches!(authorization, Authorization::Missing | Authorization::OtherScheme(_));
    let shown = || Text::from(authorization.to_string());
    list.ask(questions.present, questions.present_expected, Vec::new(), || {
        if present { Finding::pass("a bearer token") } else { policy.refuse(shown(), Failure::Missing) }
    });
    let parsed = match authorization {
        Authorization::Bearer(token) => Some(Compact::parse(token)),
        _ => None,
    };
    list.ask(questions.well_formed, questions.well_formed_expected, Vec::new(), || match &parsed {
        Some(Ok(_)) => Finding::pass(questions.well_formed_held),
        Some(Err(malformed)) => policy.refuse(malformed.to_string().into(), Failure::Malformed),
        None if present => policy.refuse(shown(), Failure::Malformed),
        None => Finding::skip(questions.present.name),
    });
    let token = parsed.and_then(Result::ok);
    let rungs = Rungs { policy, token: token.as_ref(), claims: token.as_ref().map(Compact::claims), now };
    for (step, question) in questions.steps {
        match step {
            Step::Algorithm => rungs.algorithm(list, question),
            Step::Signature => rungs.signature(list, question),
            Step::Issuer => rungs.issuer(list, question),
            Step::Audience => rungs.audience(list, question),
            Step::Time => rungs.time(list, question),
            Step::Tenant => rungs.tenant(list, question),
        }
    }
    token
}

/// One token on the way up.
struct Rungs<'a, 't, P> {
    policy: &'a P,
    token: Option<&'a Compact<'t>>,
    claims: Option<Claims<'a>>,
    now: OffsetDateTime,
}

impl<P: Policy> Rungs<'_, '_, P> {
    /// The answer that can be given with a value; without it the question waits for the token.
    fn given<T>(&self, value: Option<T>, answer: impl FnOnce(T) -> Finding<P::Error>) -> Finding<P::Error> {
        value.map_or_else(|| Finding::skip(self.policy.questions().well_formed.name), answer)
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.claims.and_then(|claims| claims.text(claim))
    }

    fn settings(&self, step: Step) -> impl Fn() -> Vec<Setting> {
        move || self.policy.settings(step)
    }

    fn algorithm(&self, list: &mut Checklist<'_, P::Error>, question: &'static Question) {
        let (policy, questions) = (self.policy, self.policy.questions());
        list.ask(question, questions.algorithm_expected, self.settings(Step::Algorithm), || {
            self.given(self.token, |token| {
                let critical = if questions.whole_header { token.unknown_crit() } else { Vec::new() };
                let name = token.header().alg();
                match name.and_then(Algorithm::from_name).filter(|_| critical.is_empty()) {
                    Some(algorithm) => Finding::pass(algorithm.name()),
                    None => {
                        let actual = match name {
                            None => questions.algorithm_missing.into(),
                            Some(name) if critical.is_empty() => policy.shown(name).into(),
                            Some(name) => {
                                let critical = policy.shown(&critical.join(", "));
                                format!("{}, crit {critical}", policy.shown(name)).into()
                            }
                        };
                        policy.refuse(actual, Failure::AlgorithmRefused)
                    }
                }
            })
        });
    }

    fn signature(&self, list: &mut Checklist<'_, P::Error>, question: &'static Question) {
        let (policy, questions) = (self.policy, self.policy.questions());
        let selected = self.token.map(|token| select_key(token.header(), policy.keys()));
        let verified = self.token.zip(selected.as_ref().and_then(KeyFinding::key)).map(|(token, key)| {
            if questions.whole_header { verify_bytes(token, key) } else { verify_signature(token, key) }
        });
        let algorithm = self.token.and_then(|token| token.header().alg()).and_then(Algorithm::from_name);
        let finding = self.given(selected.as_ref(), |selected| match &verified {
            _ if questions.whole_header && algorithm.is_none() => {
                Finding::skip(questions.of(Step::Algorithm).name)
            }
            Some(found) if found.holds() => Finding::pass("a valid signature"),
            // What no RSA key verifies is the question of the algorithm.
            Some(SignatureFinding::AlgorithmMissing | SignatureFinding::AlgorithmRefused { .. }) => {
                Finding::skip(questions.of(Step::Algorithm).name)
            }
            found => {
                let actual = policy.no_signature(selected, found.as_ref());
                policy.refuse(actual, Failure::SignatureInvalid)
            }
        });
        let expected = policy.signature(selected.as_ref(), verified.as_ref());
        list.ask(question, expected, self.settings(Step::Signature), finding);
    }

    fn issuer(&self, list: &mut Checklist<'_, P::Error>, question: &'static Question) {
        let policy = self.policy;
        list.ask(question, policy.issuer(), self.settings(Step::Issuer), || {
            self.given(self.claims, |_| match self.text("iss") {
                Some(sent) if policy.accepts_issuer(sent) => Finding::pass(policy.issuer()),
                sent => policy.refuse(self.named(sent, "no iss"), Failure::IssuerUnknown { sent }),
            })
        });
    }

    fn audience(&self, list: &mut Checklist<'_, P::Error>, question: &'static Question) {
        let policy = self.policy;
        let audience = self.claims.map(Claims::audience);
        let sent = audience.as_ref().map_or(&[][..], |audience| audience.all());
        let holds = sent.iter().any(|one| policy.accepts_audience(one));
        list.ask(question, policy.audiences(!holds), self.settings(Step::Audience), || {
            self.given(self.claims, |_| match sent {
                _ if holds => Finding::pass("one of them"),
                [] => policy.refuse("no aud".into(), Failure::AudienceWrong { sent }),
                sent => {
                    let actual = policy.shown(&sent.join(", "));
                    policy.refuse(actual.into(), Failure::AudienceWrong { sent })
                }
            })
        });
    }

    fn time(&self, list: &mut Checklist<'_, P::Error>, question: &'static Question) {
        list.ask(question, P::WINDOW.expected(), self.settings(Step::Time), || {
            self.given(self.claims, |claims| match P::WINDOW.judge(claims, self.now) {
                found if found.holds() => Finding::pass("within"),
                found => self.policy.refuse(found.to_string().into(), Failure::OutOfTime),
            })
        });
    }

    fn tenant(&self, list: &mut Checklist<'_, P::Error>, question: &'static Question) {
        let policy = self.policy;
        list.ask(question, policy.tenant(), self.settings(Step::Tenant), || {
            self.given(self.claims, |_| match self.text("tid") {
                Some(sent) if policy.accepts_tenant(sent) => Finding::pass(policy.tenant()),
                sent => policy.refuse(self.named(sent, "no tid"), Failure::TenantWrong { sent }),
            })
        });
    }

    fn named(&self, sent: Option<&str>, absent: &'static str) -> Text {
        sent.map_or_else(|| absent.into(), |sent| self.policy.shown(sent).into())
    }
}
