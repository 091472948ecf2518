//! What an authorization request wants: which response, how it travels, and how sure it must be who signed in.
//!
//! Decides the response types (`code`, `id_token`, both; what begins with `token` is not built, and refused to server
//! applications as captured), the response mode (query for a code, otherwise the fragment, and never a token in a query), that
//! an id token needs a nonce, and what `prompt` and `max_age` ask for (only `login` and `none` are AD FS's). Windows Server 2016
//! knows no challenges and passes them over. Mirrors OAuth 2.0 Multiple Response Type Encoding Practices, RFC 7636 section 4.3,
//! OpenID Connect Core 3.1.2.1.

use mocktenant_idp::pkce::Challenge;
use mocktenant_idp::response_mode::ResponseMode;
use mocktenant_idp::session::Session;
use mocktenant_verdict::{Finding, Question, Remedy, Role};
use mocktenant_world::declaration::Profile;
use time::{Duration, OffsetDateTime};

use crate::asking::{Asking, Checks, excerpt};
use crate::code::CODES;
use crate::errors::AdfsError;

static RESPONSE_TYPE: Question = Question::new("response-type", Role::Request);
static RESPONSE_MODE: Question = Question::new("response-mode", Role::Request);
static NONCE: Question = Question::new("nonce-sent", Role::Request);
static CHALLENGE: Question = Question::new("code-challenge", Role::Request);
static MAX_AGE: Question = Question::new("session-age", Role::Request);

/// The questions, in the order asked.
pub(super) static QUESTIONS: [&Question; 5] = [&RESPONSE_TYPE, &RESPONSE_MODE, &NONCE, &CHALLENGE, &MAX_AGE];

/// Whether somebody is asked to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    /// Where there is no session.
    Usual,
    /// Never.
    None,
    /// Whatever session there is.
    Login,
}

/// What a request wants.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) code: bool,
    pub(super) id_token: bool,
    /// An access token from here.
    pub(super) token: bool,
    pub(super) mode: ResponseMode,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) prompt: Prompt,
    /// How old a session may be.
    pub(super) max_age: Option<Duration>,
}

impl Wanted {
    /// Whether a session is good enough for this request.
    pub(super) fn is_good_enough(&self, session: &Session, now: OffsetDateTime) -> bool {
        // No session is younger than nothing, also where a clock stands still.
        self.prompt != Prompt::Login
            && self.max_age.is_none_or(|most| !most.is_zero() && session.age(now) <= most)
    }
}

/// Asks what it wants; what cannot be read is taken for the default.
pub(super) fn ask(asking: &Asking<'_, '_>, list: &mut Checks<'_>) -> Wanted {
    let sent = asking.sent;
    let named = sent.parameter("response_type");
    let types: Vec<&str> = named.unwrap_or_default().split_ascii_whitespace().collect();
    let has = |name: &str| types.contains(&name);
    let (code, id_token, token) = (has("code"), has("id_token"), has("token"));
    let confidential = asking.client.is_some_and(|client| client.credentials.is_some());
    list.ask(&RESPONSE_TYPE, "code, id_token or code id_token", Vec::new(), || match named {
        None => Finding::fail("none", AdfsError::ParameterMissing { name: "response_type".to_owned() }),
        Some(named) if !types.iter().all(|one| matches!(*one, "code" | "id_token" | "token")) => {
            Finding::fail(excerpt(named), AdfsError::ResponseTypeUnsupported)
                .mended_by(|| Remedy::instead(["code".to_owned()]))
        }
        Some(named) if token && confidential => Finding::fail(excerpt(named), AdfsError::TokenOfConfidential)
            .mended_by(|| Remedy::instead(["code".to_owned()])),
        Some(named) => Finding::pass(excerpt(named)),
    });
    let usual = if id_token || token { ResponseMode::Fragment } else { ResponseMode::Query };
    let mode = sent.parameter("response_mode");
    let read = mode.map(ResponseMode::named);
    let unfit = |actual: String| Finding::fail(actual, AdfsError::AuthorizeUnfit);
    list.ask(&RESPONSE_MODE, "query, fragment or form_post; no query for a token", Vec::new(), || {
        match (mode, read) {
            (Some(sent), Some(None)) => unfit(format!("response_mode={}", excerpt(sent))),
            (_, Some(Some(ResponseMode::Query))) if id_token || token => {
                unfit("response_mode=query, where a token would be in everybody's log".to_owned())
            }
            _ => Finding::pass(mode.map_or_else(|| usual.name().to_owned(), excerpt)),
        }
    });
    let fits = |mode: &ResponseMode| *mode != ResponseMode::Query || usual == ResponseMode::Query;
    let mode = read.flatten().filter(fits).unwrap_or(usual);
    let nonce = sent.parameter("nonce");
    list.ask(&NONCE, "a nonce where an id token is asked for", Vec::new(), || match nonce {
        Some(_) => Finding::pass("one"),
        None if id_token => Finding::fail("none", AdfsError::ParameterMissing { name: "nonce".to_owned() }),
        None => Finding::pass("none is needed"),
    });
    let knows = asking.prepared.service.profile >= Profile::Server2019;
    let challenge =
        CODES.pkce.challenge(sent.parameter("code_challenge"), sent.parameter("code_challenge_method"));
    list.ask(&CHALLENGE, "none, or one of S256 or plain", Vec::new(), || match &challenge {
        _ if !knows => Finding::not_applicable("AD FS of Windows Server 2016 knows none"),
        Ok(None) => Finding::pass("none"),
        Ok(Some(challenge)) => Finding::pass(challenge.method.name()),
        Err(why) => unfit(excerpt(&why.to_string())),
    });
    let prompts: Vec<&str> = sent.parameter("prompt").unwrap_or_default().split_ascii_whitespace().collect();
    let age = sent.parameter("max_age");
    let max_age = age.map(str::parse::<u32>);
    let prompt = match () {
        () if prompts.contains(&"none") => Prompt::None,
        () if prompts.contains(&"login") => Prompt::Login,
        () => Prompt::Usual,
    };
    list.ask(&MAX_AGE, "none, or seconds", Vec::new(), || match (age, &max_age) {
        (Some(sent), Some(Err(_))) => unfit(format!("max_age={}", excerpt(sent))),
        (Some(sent), _) => Finding::pass(excerpt(sent)),
        (None, _) => Finding::pass("none"),
    });
    Wanted {
        code: code || !(id_token || token),
        id_token,
        token,
        mode,
        nonce: nonce.map(str::to_owned),
        challenge: challenge.ok().flatten().filter(|_| knows),
        prompt,
        max_age: max_age.and_then(Result::ok).map(|seconds| Duration::seconds(seconds.into())),
    }
}
