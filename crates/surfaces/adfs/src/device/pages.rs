//! The pages that people meet who sign in for a device: the code, the client, the end.
//!
//! Decides their words, ids and field names. Never decides which page a request gets, nor how one looks. No capture shows these
//! pages of AD FS: every word, id and name here is inferred, and only their order (code, client, sign-in) is believed.

use http::StatusCode;
use mocktenant_idp::page::form::{Button, Field, Hidden, Kind, Span};
use mocktenant_idp::page::people::{About, DeviceCode, DeviceConfirmation, Posted};
use mocktenant_idp::page::{FORM_POLICY, POLICY, Page, Part, Text, frame};
use mocktenant_lab::{Answer, Content, Exchange};

use crate::envelope;
use crate::prepared::PreparedService;

/// What is typed.
pub(super) const USER_CODE: &str = "user_code";
/// What ties a confirmation to the page it was made on.
pub(super) const CONFIRMATION: &str = "confirmation";
/// The buttons.
pub(super) const CONFIRM: &str = "Confirm";
pub(super) const CANCEL: &str = "Cancel";

/// A title and a paragraph.
pub(super) struct End {
    title: &'static str,
    says: &'static str,
}

/// Somebody signed in.
pub(super) const DONE: End =
    End { title: "Signed In", says: "You have signed in on your device. You may now close this window." };
/// Somebody said no.
pub(super) const DENIED: End =
    End { title: "Canceled", says: "The device was not signed in. You may now close this window." };

fn about<'p>(prepared: &'p PreparedService, title: &'p str) -> About<'p> {
    About {
        lang: "en",
        title,
        provider: &prepared.service.display_name,
        area: "authArea",
        heading: Text::called("loginMessage", title),
    }
}

fn form(exchange: &mut Exchange, html: String) -> Answer {
    let content = Content::Form { html: html.into(), policy: FORM_POLICY, actions: Vec::new() };
    let answer = Answer::typed(StatusCode::OK, content).with("cache-control", "no-store");
    envelope::dressed(exchange, answer)
}

fn button<'p>(id: &'p str, name: &'p str, text: &'p str, main: bool) -> Button<'p> {
    Button { main, name, value: "true", ..Button::main(text, Some(Span { id, class: "submit" })) }
}

/// Asks for the code; `wrong` is said of what was typed before, and empty for nothing.
pub(super) fn code(exchange: &mut Exchange, prepared: &PreparedService, action: &str, wrong: &str) -> Answer {
    let page = DeviceCode {
        form: Posted { id: "deviceAuthForm", action, hidden: &[], message: Text::called("errorText", wrong) },
        says: Text::plain("Enter the code that your device shows."),
        code: Field {
            autocomplete: "off",
            focus: true,
            ..Field::new(Kind::Text, "userCodeInput", USER_CODE, "Code")
        },
        submit: Button::main("Next", Some(Span { id: "nextButton", class: "submit" })),
    };
    form(exchange, page.page(&about(prepared, "Device Login")))
}

/// Asks whether this client was meant.
pub(super) fn client(
    exchange: &mut Exchange,
    prepared: &PreparedService,
    action: &str,
    (client, token): (&str, &str),
) -> Answer {
    let says = format!("You are about to sign in to {client} on another device.");
    let page = DeviceConfirmation {
        form: Posted {
            id: "deviceAuthForm",
            action,
            hidden: &[Hidden { id: "", name: CONFIRMATION, value: token }],
            message: Text::plain(""),
        },
        says: &[
            Text::called("clientName", &says),
            Text::plain("If you did not begin this on a device of your own, cancel."),
        ],
        confirm: button("confirmButton", CONFIRM, "Continue", true),
        cancel: Some(button("cancelButton", CANCEL, "Cancel", false)),
    };
    form(exchange, page.page(&about(prepared, "Device Login")))
}

/// The end.
pub(super) fn end(exchange: &mut Exchange, prepared: &PreparedService, end: &End) -> Answer {
    let html = frame(&Page {
        lang: "en",
        title: end.title,
        provider: &prepared.service.display_name,
        area: "authArea",
        parts: &[
            Part::Heading(Text::called("loginMessage", end.title)),
            Part::Paragraph(Text::called("deviceMessage", end.says)),
        ],
    });
    let answer = Answer::typed(StatusCode::OK, Content::Page(html.into()))
        .with("cache-control", "no-store")
        .with("content-security-policy", POLICY);
    envelope::dressed(exchange, answer)
}
