//! Pages with the ids and names of AD FS, as its surface would hand them in.
//!
//! Decides nothing: every word goes through a function, so that it can be made hostile.

use mocktenant_idp::page::form::{Button, Field, Hidden, Kind, Link, Span};
use mocktenant_idp::page::people::{
    About, DeviceCode, DeviceConfirmation, Posted, SignIn, SignInByTwo, SignedOut,
};
use mocktenant_idp::page::{Page, Part, Text, frame};

/// What is made of a word before it is handed in.
pub(crate) type Word = fn(&'static str) -> &'static str;

const ACTION: &str = "/adfs/oauth2/authorize?client_id=a&response_type=code&client-request-id=b";
const WRONG: &str = "Incorrect user ID or password. Type the correct user ID and password, and try again.";

fn about(word: Word, title: &'static str) -> About<'static> {
    About {
        lang: word("en"),
        title: word(title),
        provider: word("Contoso"),
        area: word("authArea"),
        heading: Text::called(word("loginMessage"), word(title)),
    }
}

fn text(word: Word, id: &'static str, text: &'static str) -> Text<'static> {
    Text::called(word(id), word(text))
}

/// All of them, by name. `wrong` is what is said of what was sent before; empty for the first time.
pub(crate) fn pages(word: Word, wrong: &'static str) -> Vec<(&'static str, String)> {
    let hidden = [
        Hidden { id: word("optionForms"), name: word("AuthMethod"), value: word("FormsAuthentication") },
        Hidden { id: "", name: word("Context"), value: word("c") },
    ];
    let field = |kind, id, name, label| Field::new(kind, word(id), word(name), word(label));
    let user = Field {
        value: word("ada@contoso.com"),
        autocomplete: word("username"),
        focus: true,
        ..field(Kind::Email, "userNameInput", "UserName", "User account")
    };
    let password = Field {
        value: word("never written"),
        autocomplete: word("current-password"),
        ..field(Kind::Password, "passwordInput", "Password", "Password")
    };
    let keep = Field {
        value: word("true"),
        ..field(Kind::Checkbox { checked: true }, "kmsiInput", "Kmsi", "Keep me signed in")
    };
    let button = |id, words| Button::main(word(words), Some(Span { id: word(id), class: word("submit") }));
    let links = [Link { id: word("help"), to: word("/adfs/help?a=b&c=d"), text: word("Help") }];
    let form = |id, hidden, message| Posted { id: word(id), action: word(ACTION), hidden, message };
    let error = |id| Text::called(word(id), if wrong.is_empty() { "" } else { word(wrong) });
    let one = SignIn {
        form: form("loginForm", &hidden, error("errorText")),
        user,
        password,
        keep: Some(keep),
        submit: button("submitButton", "Sign in"),
        links: &links,
    };
    let holder =
        [Hidden { id: word("userNameInputHolder"), name: word("UserName"), value: word("ada@contoso.com") }];
    let first = SignInByTwo {
        first: form("loginFormPaginated", &hidden[1..], error("errorText")),
        user,
        keep: Some(keep),
        next: button("nextButton", "Next"),
        second: form("loginForm", &holder, Text::plain("")),
        who: text(word, "who", "ada@contoso.com"),
        password: Field { error: error("errorTextPassword"), focus: true, ..password },
        submit: button("submitButton", "Sign in"),
        back: Some(Button {
            main: false,
            name: word("Back"),
            value: word("1"),
            ..button("backButton", "Back")
        }),
        at_password: false,
        links: &links,
    };
    let code = DeviceCode {
        form: form("deviceAuthForm", &[], error("errorText")),
        says: text(word, "says", "Type the code that your device shows."),
        code: Field {
            autocomplete: word("one-time-code"),
            error: Text::plain(if wrong.is_empty() { "" } else { word(wrong) }),
            required: true,
            ..field(Kind::Text, "deviceAuthInput", "user_code", "Code")
        },
        submit: button("continueButton", "Continue"),
    };
    let says = [
        text(word, "says", "Contoso Warehouse wants to sign in on another device."),
        Text::plain(word("If that is not you, stop.")),
    ];
    let confirmation = DeviceConfirmation {
        form: form("confirmForm", &hidden[1..], Text::plain("")),
        says: &says,
        confirm: button("confirmButton", "Continue"),
        cancel: Some(Button {
            text: word("Cancel"),
            name: word("cancel"),
            value: word("1"),
            span: None,
            main: false,
        }),
    };
    let out = SignedOut { says: &says[1..], links: &links };
    let lines = [text(word, "activityId", "Activity ID: 1"), Text::plain(word("Error time: now"))];
    let says = frame(&Page {
        lang: word("en"),
        title: word("Error"),
        provider: word("Contoso"),
        area: word("errorArea"),
        parts: &[
            Part::Heading(text(word, "openingMessage", "An error occurred")),
            Part::Details { summary: text(word, "more", "Details"), list: word("list"), lines: &lines },
        ],
    });
    vec![
        ("sign-in", one.page(&about(word, "Sign in"))),
        ("user-name", first.page(&about(word, "Sign in"))),
        ("password", SignInByTwo { at_password: true, ..first }.page(&about(word, "Sign in"))),
        ("device-code", code.page(&about(word, "Sign in on a device"))),
        ("device-confirmation", confirmation.page(&about(word, "Is it you?"))),
        ("signed-out", out.page(&about(word, "Signed out"))),
        ("error", says),
    ]
}

/// The texts as they are.
pub(crate) fn plain(word: &'static str) -> &'static str {
    word
}

/// What AD FS says of a wrong password.
pub(crate) const fn wrong() -> &'static str {
    WRONG
}
