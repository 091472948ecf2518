//! What a page asks with: forms, their fields and buttons.
//!
//! Decides how they are written so that they work without scripts, with a keyboard and with a screen reader: every field has
//! its label, what is wrong with it is linked to it, the first button is what Enter presses, a form that is not shown cannot
//! be reached. Never writes a password back. Never decides a name, an id or a word: all are handed in and escaped.
//!
//! A form is sent to the page's own origin (its `action` is a path): addresses in it are not translated.

use mocktenant_lab::escaped;

use super::{Text, element};

/// A form.
#[derive(Clone, Copy, Debug)]
pub struct Form<'p> {
    /// Its id.
    pub id: &'p str,
    /// How it is sent.
    pub method: Method,
    /// Where to: path and query.
    pub action: &'p str,
    /// Whether it is shown. Of several in a page one is, and the others wait in the document.
    pub shown: bool,
    /// What is in it, from top to bottom.
    pub controls: &'p [Control<'p>],
}

/// How a form is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// In the query.
    Get,
    /// In the body.
    Post,
}

/// One thing in a form.
#[derive(Clone, Copy, Debug)]
pub enum Control<'p> {
    /// What is wrong with what was sent; it stands there without a word too, so that it is found by its id.
    Message(Text<'p>),
    /// A paragraph.
    Paragraph(Text<'p>),
    /// What nobody sees.
    Hidden(Hidden<'p>),
    /// What is filled in.
    Field(Field<'p>),
    /// What sends the form.
    Button(Button<'p>),
    /// What leads elsewhere instead.
    Link(Link<'p>),
}

/// A field that nobody sees.
#[derive(Clone, Copy, Debug)]
pub struct Hidden<'p> {
    /// The id; empty for none.
    pub id: &'p str,
    /// The name.
    pub name: &'p str,
    /// The value.
    pub value: &'p str,
}

/// A field.
#[derive(Clone, Copy, Debug)]
pub struct Field<'p> {
    /// What is filled in.
    pub kind: Kind,
    /// The id; what links a label to it, so never empty.
    pub id: &'p str,
    /// The name.
    pub name: &'p str,
    /// What it is called.
    pub label: &'p str,
    /// What it holds already; not written for a password.
    pub value: &'p str,
    /// What a browser may fill it with; empty leaves that to the browser.
    pub autocomplete: &'p str,
    /// What is wrong with it, with its id. Without words it stands there all the same if it has an id.
    pub error: Text<'p>,
    /// Whether typing begins here.
    pub focus: bool,
    /// Whether a browser insists on it. A product that says so itself, in its own words, leaves that out.
    pub required: bool,
}

/// What is filled into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// An address of mail, or what is typed in its place.
    Email,
    /// A password.
    Password,
    /// Yes or no.
    Checkbox {
        /// Whether it is yes already.
        checked: bool,
    },
}

/// A button that sends its form.
#[derive(Clone, Copy, Debug)]
pub struct Button<'p> {
    /// What is written on it.
    pub text: &'p str,
    /// What it is sent as; empty for nothing.
    pub name: &'p str,
    /// What is sent.
    pub value: &'p str,
    /// What stands within it where a product's page has only that: whoever clicks it presses the button.
    pub span: Option<Span<'p>>,
    /// Whether it is what most people want.
    pub main: bool,
}

/// An element within a button.
#[derive(Clone, Copy, Debug)]
pub struct Span<'p> {
    /// Its id.
    pub id: &'p str,
    /// Its class.
    pub class: &'p str,
}

/// A link.
#[derive(Clone, Copy, Debug)]
pub struct Link<'p> {
    /// The id; empty for none.
    pub id: &'p str,
    /// Where to.
    pub to: &'p str,
    /// What is written on it.
    pub text: &'p str,
}

impl<'p> Field<'p> {
    /// An empty field with nothing wrong.
    pub const fn new(kind: Kind, id: &'p str, name: &'p str, label: &'p str) -> Self {
        let error = Text::plain("");
        Self { kind, id, name, label, value: "", autocomplete: "", error, focus: false, required: false }
    }
}

impl<'p> Button<'p> {
    /// What most people want, with an element in it that others look for.
    pub const fn main(text: &'p str, span: Option<Span<'p>>) -> Self {
        Self { text, name: "", value: "", span, main: true }
    }
}

/// Appends an attribute, unless it is empty.
fn attribute(out: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        out.extend([" ", name, "=\"", &*escaped(value), "\""]);
    }
}

/// Appends an attribute that has no value.
fn flag(out: &mut String, name: &str, set: bool) {
    if set {
        out.extend([" ", name]);
    }
}

pub(super) fn form(out: &mut String, form: &Form<'_>) {
    out.push_str("<form");
    attribute(out, "id", form.id);
    let method = match form.method {
        Method::Get => "get",
        Method::Post => "post",
    };
    // An empty one would be the page's own address, whatever that is.
    out.extend([" method=\"", method, "\" action=\"", &*escaped(form.action), "\""]);
    let insists = |control: &Control<'_>| matches!(control, Control::Field(field) if field.required);
    // What is typed where mail is expected may be anything, and the product says so.
    flag(out, "novalidate", !form.controls.iter().any(insists));
    flag(out, "hidden", !form.shown);
    out.push_str(">\n");
    for control in form.controls {
        match control {
            Control::Message(text) => message(out, *text),
            Control::Paragraph(text) => element(out, "p", *text),
            Control::Hidden(hidden) => {
                out.push_str("<input type=\"hidden\"");
                attribute(out, "id", hidden.id);
                out.extend([
                    " name=\"",
                    &*escaped(hidden.name),
                    "\" value=\"",
                    &*escaped(hidden.value),
                    "\">\n",
                ]);
            }
            Control::Field(one) => field(out, one, form.shown),
            Control::Button(one) => button(out, one),
            Control::Link(one) => link(out, one),
        }
    }
    out.push_str("</form>\n");
}

/// What is wrong, said at once to who cannot see it. Nothing stands in it where nothing is wrong, not even a line's end: the
/// style sheet hides what is empty.
pub(super) fn message(out: &mut String, text: Text<'_>) {
    out.push_str("<p class=\"message\" role=\"alert\"");
    attribute(out, "id", text.id);
    out.extend([">", &*escaped(text.text), "</p>\n"]);
}

pub(super) fn link(out: &mut String, link: &Link<'_>) {
    out.push_str("<p><a");
    attribute(out, "id", link.id);
    out.extend([" href=\"", &*escaped(link.to), "\">", &*escaped(link.text), "</a></p>\n"]);
}

fn field(out: &mut String, field: &Field<'_>, shown: bool) {
    let (kind, checkbox) = match field.kind {
        Kind::Text => ("text", None),
        Kind::Email => ("email", None),
        Kind::Password => ("password", None),
        Kind::Checkbox { checked } => ("checkbox", Some(checked)),
    };
    let id = escaped(field.id);
    let label = |out: &mut String| {
        out.extend(["<label for=\"", &*id, "\">", &*escaped(field.label), "</label>\n"]);
    };
    out.push_str(if checkbox.is_some() { "<div class=\"check\">\n" } else { "<div class=\"field\">\n" });
    if checkbox.is_none() {
        label(out);
    }
    out.extend(["<input type=\"", kind, "\" id=\"", &*id, "\" name=\"", &*escaped(field.name), "\""]);
    if field.kind != Kind::Password {
        attribute(out, "value", field.value);
    }
    attribute(out, "autocomplete", field.autocomplete);
    if matches!(field.kind, Kind::Text | Kind::Email) {
        out.push_str(" autocapitalize=\"none\" spellcheck=\"false\"");
    }
    let wrong = !field.error.text.is_empty();
    let error = match field.error.id {
        "" if wrong => format!("{}-error", field.id),
        id => id.to_owned(),
    };
    attribute(out, "aria-describedby", &error);
    attribute(out, "aria-invalid", if wrong { "true" } else { "" });
    flag(out, "checked", checkbox == Some(true));
    flag(out, "required", field.required);
    flag(out, "autofocus", field.focus && shown);
    out.push_str(">\n");
    if checkbox.is_some() {
        label(out);
    }
    if !error.is_empty() {
        out.extend([
            "<p class=\"wrong\" id=\"",
            &*escaped(&error),
            "\">",
            &*escaped(field.error.text),
            "</p>\n",
        ]);
    }
    out.push_str("</div>\n");
}

fn button(out: &mut String, button: &Button<'_>) {
    out.push_str("<button type=\"submit\"");
    attribute(out, "class", if button.main { "main" } else { "" });
    if !button.name.is_empty() {
        out.extend([" name=\"", &*escaped(button.name), "\" value=\"", &*escaped(button.value), "\""]);
    }
    out.push('>');
    match button.span {
        Some(Span { id, class }) => {
            out.push_str("<span");
            attribute(out, "id", id);
            attribute(out, "class", class);
            out.extend([">", &*escaped(button.text), "</span>"]);
        }
        None => out.push_str(&escaped(button.text)),
    }
    out.push_str("</button>\n");
}
