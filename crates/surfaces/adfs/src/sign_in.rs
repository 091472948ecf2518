//! The pages on which people sign in at AD FS, and what becomes of what they type.
//!
//! Decides their words, ids and field names, which are AD FS's (one form with Windows Server 2016, two in one document from 2019
//! on: [`mocktenant_world::FederationService::asks_on_two_pages`]), so that suites that drive a browser sign in unchanged; and
//! that a form counts only if it comes from a page of this service. Never decides how a page looks, nor what somebody signs
//! in for: the authorization endpoint and the page for devices say that. Ids and names are observed, and so is what is said of
//! a wrong password; labels, the heading and what follows the first sentence about an expired password are inferred.

use std::fmt::Write as _;
use std::sync::Arc;

use http::StatusCode;
use mocktenant_idp::form::Form;
use mocktenant_idp::guard;
use mocktenant_idp::page::form::{Button, Field, Hidden, Kind, Span};
use mocktenant_idp::page::people::{About, Posted, SignIn, SignInByTwo};
use mocktenant_idp::page::{FORM_POLICY, Text};
use mocktenant_idp::session::{self as sessions, Session};
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_verdict::{Check, Finding, Question, Role};
use mocktenant_world::FederationUser;

use crate::asking::{Asking, Checks, excerpt};
use crate::errors::AdfsError;
use crate::grants::password;
use crate::prepared::PreparedService;
use crate::{envelope, session};

/// Whether a filled-in form is this service's own.
pub(crate) static OWN_FORM: Question = Question::new("own-sign-in-form", Role::Request);

/// What is said of a wrong password, an unknown user, and a user who may not sign in.
pub(crate) const WRONG: &str =
    "Incorrect user ID or password. Type the correct user ID and password, and try again.";
/// What is said of a right password that has run out.
const EXPIRED: &str = "Your password has expired.";

/// What was typed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Typed<'r> {
    pub(crate) user: Option<&'r str>,
    pub(crate) password: Option<&'r str>,
    /// Whether there was a field for it.
    password_asked: bool,
    pub(crate) keep: bool,
    /// The password page's way back to the name.
    pub(crate) back: bool,
}

impl<'r> Typed<'r> {
    /// What a body holds, if it is a filled-in form at all.
    pub(crate) fn read(form: &'r Form<'_>) -> Option<Self> {
        let has = |name: &str| form.iter().any(|(known, _)| known == name);
        ["UserName", "Password", "AuthMethod", "Back"].into_iter().any(has).then(|| Self {
            user: form.get("UserName"),
            password: form.get("Password"),
            password_asked: has("Password"),
            keep: form.get("Kmsi").is_some(),
            back: form.get("Back").is_some(),
        })
    }
}

/// What came of it.
pub(crate) enum Tried<'p> {
    /// It is no form of this service's own, or something stands against it that comes before the password.
    Refused(AdfsError),
    /// Something is left open: the first of two pages, or an empty field.
    Unfinished,
    /// A user or a password is wrong, or the user may not sign in.
    Wrong,
    /// Who it is.
    Right(&'p Arc<FederationUser>),
}

/// Asks whether a filled-in form is of a page of this service's own.
pub(crate) fn ask_own(exchange: &Exchange, list: &mut Checks<'_>) {
    list.ask(&OWN_FORM, "a form of this service's own page", Vec::new(), || {
        match guard::from_own_page(exchange) {
            Ok(()) => Finding::pass("its own"),
            Err(why) => Finding::fail(excerpt(&why.to_string()), AdfsError::AuthorizeMalformed),
        }
    });
}

/// Asks who it is that filled in a form; `first` asks what comes before anybody looks at the password.
pub(crate) fn ask<'p>(
    exchange: &Exchange,
    asking: &Asking<'_, 'p>,
    list: &mut Checks<'_>,
    typed: &Typed<'_>,
    first: impl FnOnce(&mut Checks<'_>),
) -> Tried<'p> {
    ask_own(exchange, list);
    if let Some(error) = list.refusal() {
        return Tried::Refused(error.clone());
    }
    let (Some(name), Some(password), false) = (typed.user, typed.password, typed.back) else {
        return Tried::Unfinished;
    };
    first(list);
    if let Some(error) = list.refusal() {
        return Tried::Refused(error.clone());
    }
    let user = password::ask_user(asking, list, Some(name), Some(password));
    match user.filter(|_| list.refusal().is_none()) {
        Some(user) => Tried::Right(user),
        None => Tried::Wrong,
    }
}

/// The session of a user who has just signed in.
pub(crate) fn begin(
    exchange: &mut Exchange,
    prepared: &PreparedService,
    user: &FederationUser,
    keep: bool,
) -> Session {
    let before = session::of(exchange, &prepared.service);
    let sign_in = sessions::SignIn {
        user: user.name.to_string(),
        at: exchange.context.now(),
        how: "password".to_owned(),
    };
    let policy = session::sessions(&prepared.service);
    let session = policy.begin(exchange.context.random(), sign_in, keep, before.as_ref());
    exchange.trail.fact("signed-in", "password");
    session
}

/// What a page shows.
pub(crate) struct Shown<'s> {
    /// Where the form is sent: path and query of the request it belongs to.
    pub(crate) action: &'s str,
    /// Who is expected, or typed a name before.
    pub(crate) user: &'s str,
    /// Whether the user wants to stay signed in.
    pub(crate) keep: bool,
    /// Whether the password is what is asked for next: on two pages the second, on one where the cursor is.
    pub(crate) at_password: bool,
    /// What is wrong with what was typed; empty for nothing.
    pub(crate) wrong: &'static str,
    /// Where the answer will go, if it leaves the service.
    pub(crate) back_to: Option<&'s str>,
}

/// What a user is told about the first check that failed.
pub(crate) fn said(checks: &[Check]) -> &'static str {
    match checks.iter().find(|check| check.failed()) {
        Some(failed) if failed.name == password::IN_DATE => EXPIRED,
        _ => WRONG,
    }
}

/// What a user is told who left something out; nothing of the first of two pages.
pub(crate) fn missing(prepared: &PreparedService, typed: &Typed<'_>) -> &'static str {
    match (typed.user, typed.password) {
        _ if typed.back => "",
        (None, _) => "Enter your user ID in the format \"domain\\user\" or \"user@domain\".",
        (_, None) if typed.password_asked || !prepared.service.asks_on_two_pages() => "Enter your password.",
        _ => "",
    }
}

/// Path and query of a request, with the Activity ID that it goes on under.
pub(crate) fn action(exchange: &mut Exchange, path: &str, request: &[u8]) -> String {
    // What no header field can carry is escaped: this is where a browser is sent, too.
    let request: String = request.iter().fold(String::new(), |mut out, octet| {
        match char::from(*octet) {
            graphic if graphic.is_ascii_graphic() => out.push(graphic),
            // Writing to a String cannot fail.
            _ => drop(write!(out, "%{octet:02X}")),
        }
        out
    });
    let activity = envelope::activity(exchange);
    let named = request.split('&').any(|pair| pair.starts_with("client-request-id="));
    let own = if named { String::new() } else { format!("&client-request-id={activity}") };
    format!("{path}?{request}{own}")
}

/// The page.
pub(crate) fn page(exchange: &mut Exchange, prepared: &PreparedService, shown: &Shown<'_>) -> Answer {
    let about = About {
        lang: "en",
        title: "Sign In",
        provider: &prepared.service.display_name,
        area: "authArea",
        heading: Text::called("loginMessage", "Sign in"),
    };
    let html =
        if prepared.service.asks_on_two_pages() { by_two(&about, shown) } else { by_one(&about, shown) };
    // A browser holds the redirects behind the redirect URI to this list too, and where a client sends its users on is its own
    // affair: AD FS forbids none.
    let beyond = |to: &str| vec![to.to_owned(), "https:".to_owned(), "http:".to_owned()];
    let actions = shown.back_to.map(beyond).unwrap_or_default();
    let content = Content::Form { html: html.into(), policy: FORM_POLICY, actions };
    let answer = Answer::typed(StatusCode::OK, content).with("cache-control", "no-store");
    envelope::dressed(exchange, answer)
}

/// Names the way a password goes: nothing but the form is on offer.
const METHOD: Hidden<'static> =
    Hidden { id: "optionForms", name: "AuthMethod", value: "FormsAuthentication" };

fn user<'s>(shown: &Shown<'s>) -> Field<'s> {
    Field {
        value: shown.user,
        autocomplete: "username",
        focus: !shown.at_password,
        ..Field::new(Kind::Email, "userNameInput", "UserName", "User account")
    }
}

fn password<'s>() -> Field<'s> {
    Field {
        autocomplete: "current-password",
        ..Field::new(Kind::Password, "passwordInput", "Password", "Password")
    }
}

fn keep<'s>(shown: &Shown<'s>) -> Field<'s> {
    let kind = Kind::Checkbox { checked: shown.keep };
    Field { value: "true", ..Field::new(kind, "kmsiInput", "Kmsi", "Keep me signed in") }
}

fn button<'s>(id: &'s str, text: &'s str) -> Button<'s> {
    Button::main(text, Some(Span { id, class: "submit" }))
}

fn by_one(about: &About<'_>, shown: &Shown<'_>) -> String {
    let action = shown.action;
    let message = Text::called("errorText", shown.wrong);
    SignIn {
        form: Posted { id: "loginForm", action, hidden: &[METHOD], message },
        user: user(shown),
        password: Field { focus: shown.at_password, ..password() },
        keep: Some(keep(shown)),
        submit: button("submitButton", "Sign in"),
        links: &[],
    }
    .page(about)
}

fn by_two(about: &About<'_>, shown: &Shown<'_>) -> String {
    let action = shown.action;
    let at_password = shown.at_password;
    let holder = Hidden { id: "userNameInputHolder", name: "UserName", value: shown.user };
    let kept = Hidden { id: "", name: "Kmsi", value: "true" };
    let all = [METHOD, holder, kept];
    let second: &[Hidden<'_>] = if shown.keep { &all } else { &all[..2] };
    let wrong = shown.wrong;
    SignInByTwo {
        first: Posted {
            id: "loginFormPaginated",
            action,
            hidden: &[],
            message: Text::called("errorText", if at_password { "" } else { wrong }),
        },
        user: user(shown),
        keep: Some(keep(shown)),
        next: button("nextButton", "Next"),
        second: Posted { id: "loginForm", action, hidden: second, message: Text::plain("") },
        who: Text::plain(shown.user),
        password: Field { error: Text::called("errorTextPassword", wrong), focus: true, ..password() },
        submit: button("submitButton", "Sign in"),
        back: Some(Button { main: false, name: "Back", value: "true", ..button("backButton", "Back") }),
        at_password,
        links: &[],
    }
    .page(about)
}
