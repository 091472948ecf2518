//! The pages on which people sign in at AD FS.
//!
//! Decides their words, ids and field names, which are AD FS's (one form with Windows Server 2016, two in one document from 2019
//! on: [`mocktenant_world::FederationService::asks_on_two_pages`]), so that suites that drive a browser sign in unchanged.
//! Never decides how a page looks, nor whether somebody signs in. Ids and names are observed, and so is what is said of a wrong
//! password; labels, the heading and what follows the first sentence about an expired password are inferred.

use std::fmt::Write as _;

use http::StatusCode;
use mocktenant_idp::page::form::{Button, Field, Hidden, Kind, Span};
use mocktenant_idp::page::people::{About, Posted, SignIn, SignInByTwo};
use mocktenant_idp::page::{FORM_POLICY, Text};
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_verdict::Check;

use super::Typed;
use crate::grants::password;
use crate::prepared::PreparedService;
use crate::{envelope, path};

/// What is said of a wrong password, an unknown user, and a user who may not sign in.
pub(super) const WRONG: &str =
    "Incorrect user ID or password. Type the correct user ID and password, and try again.";
/// What is said of a right password that has run out.
const EXPIRED: &str = "Your password has expired.";

/// What a page shows.
pub(super) struct Shown<'s> {
    /// The authorization request, form-encoded.
    pub(super) request: &'s str,
    /// Who is expected, or typed a name before.
    pub(super) user: &'s str,
    /// Whether the user wants to stay signed in.
    pub(super) keep: bool,
    /// Of two pages, whether the password is asked for.
    pub(super) at_password: bool,
    /// What is wrong with what was typed; empty for nothing.
    pub(super) wrong: &'static str,
    /// Where the answer will go.
    pub(super) back_to: &'s str,
}

/// What a user is told about the first check that failed.
pub(super) fn said(checks: &[Check]) -> &'static str {
    match checks.iter().find(|check| check.failed()) {
        Some(failed) if failed.name == password::IN_DATE => EXPIRED,
        _ => WRONG,
    }
}

/// What a user is told who left something out; nothing of the first of two pages.
pub(super) fn missing(prepared: &PreparedService, typed: &Typed<'_>) -> &'static str {
    match (typed.user, typed.password) {
        _ if typed.back => "",
        (None, _) => "Enter your user ID in the format \"domain\\user\" or \"user@domain\".",
        (_, None) if typed.password_asked || !prepared.service.asks_on_two_pages() => "Enter your password.",
        _ => "",
    }
}

/// Path and query of the request, with the Activity ID that it goes on under.
pub(super) fn action(exchange: &mut Exchange, request: &[u8]) -> String {
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
    format!("{}?{request}{own}", path::AUTHORIZE)
}

/// The page.
pub(super) fn page(exchange: &mut Exchange, prepared: &PreparedService, shown: &Shown<'_>) -> Answer {
    let action = action(exchange, shown.request.as_bytes());
    let about = About {
        lang: "en",
        title: "Sign In",
        provider: &prepared.service.display_name,
        area: "authArea",
        heading: Text::called("loginMessage", "Sign in"),
    };
    let html = if prepared.service.asks_on_two_pages() {
        by_two(&about, &action, shown)
    } else {
        by_one(&about, &action, shown)
    };
    // A browser holds the redirects behind the redirect URI to this list too, and where a client sends its users on is its own
    // affair: AD FS forbids none.
    let actions = vec![shown.back_to.to_owned(), "https:".to_owned(), "http:".to_owned()];
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
        focus: true,
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

fn by_one(about: &About<'_>, action: &str, shown: &Shown<'_>) -> String {
    let message = Text::called("errorText", shown.wrong);
    SignIn {
        form: Posted { id: "loginForm", action, hidden: &[METHOD], message },
        user: user(shown),
        password: password(),
        keep: Some(keep(shown)),
        submit: button("submitButton", "Sign in"),
        links: &[],
    }
    .page(about)
}

fn by_two(about: &About<'_>, action: &str, shown: &Shown<'_>) -> String {
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
