//! The pages on which people sign in, confirm a device and are told that they are signed out.
//!
//! Decides which parts each of them has and their order. Never decides which page a request gets, nor a word, an id, a name or
//! a target: a surface hands in its product's.

use super::form::{Button, Control, Field, Form, Hidden, Link, Method};
use super::{Page, Part, Text, frame};

/// What every page says of itself.
#[derive(Clone, Copy, Debug)]
pub struct About<'p> {
    /// Language of its texts, as in `lang`.
    pub lang: &'p str,
    /// What a browser calls it.
    pub title: &'p str,
    /// Who shows it.
    pub provider: &'p str,
    /// Id of what everything is in.
    pub area: &'p str,
    /// The heading.
    pub heading: Text<'p>,
}

/// The form of a page: its id, where it is posted to, and what goes with it unseen.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'p> {
    /// Its id.
    pub id: &'p str,
    /// Path and query.
    pub action: &'p str,
    /// What goes with it.
    pub hidden: &'p [Hidden<'p>],
    /// What is wrong with what was posted before.
    pub message: Text<'p>,
}

/// User name and password on one page.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'p> {
    /// The form.
    pub form: Posted<'p>,
    /// Who.
    pub user: Field<'p>,
    /// The password.
    pub password: Field<'p>,
    /// Whether to stay signed in, where that is offered.
    pub keep: Option<Field<'p>>,
    /// What signs in.
    pub submit: Button<'p>,
    /// What leads elsewhere.
    pub links: &'p [Link<'p>],
}

/// User name, then password: two forms in one document, of which one is shown.
#[derive(Clone, Copy, Debug)]
pub struct SignInByTwo<'p> {
    /// The form that asks who it is.
    pub first: Posted<'p>,
    /// Who.
    pub user: Field<'p>,
    /// Whether to stay signed in, where that is offered.
    pub keep: Option<Field<'p>>,
    /// What leads to the password.
    pub next: Button<'p>,
    /// The form that asks for the password.
    pub second: Posted<'p>,
    /// Who was said to sign in.
    pub who: Text<'p>,
    /// The password.
    pub password: Field<'p>,
    /// What signs in.
    pub submit: Button<'p>,
    /// What leads back to the first.
    pub back: Option<Button<'p>>,
    /// Whether the second is shown.
    pub at_password: bool,
    /// What leads elsewhere.
    pub links: &'p [Link<'p>],
}

/// Where the code is typed that a device shows.
#[derive(Clone, Copy, Debug)]
pub struct DeviceCode<'p> {
    /// The form.
    pub form: Posted<'p>,
    /// What to do.
    pub says: Text<'p>,
    /// The code.
    pub code: Field<'p>,
    /// What goes on.
    pub submit: Button<'p>,
}

/// Where somebody says that it is their device and the client they meant.
#[derive(Clone, Copy, Debug)]
pub struct DeviceConfirmation<'p> {
    /// The form.
    pub form: Posted<'p>,
    /// Which client it is, and what it will be able to do.
    pub says: &'p [Text<'p>],
    /// Yes.
    pub confirm: Button<'p>,
    /// No.
    pub cancel: Option<Button<'p>>,
}

/// The end of a session.
#[derive(Clone, Copy, Debug)]
pub struct SignedOut<'p> {
    /// What there is to say.
    pub says: &'p [Text<'p>],
    /// What leads elsewhere.
    pub links: &'p [Link<'p>],
}

impl<'p> About<'p> {
    fn page(&self, parts: impl IntoIterator<Item = Part<'p>>) -> String {
        let mut all = vec![Part::Heading(self.heading)];
        all.extend(parts);
        let Self { lang, title, provider, area, .. } = *self;
        frame(&Page { lang, title, provider, area, parts: &all })
    }
}

impl<'p> Posted<'p> {
    /// Its controls: the message, what is asked, what goes with it.
    fn controls(&self, asked: impl IntoIterator<Item = Control<'p>>) -> Vec<Control<'p>> {
        let message =
            [self.message].into_iter().filter(|message| !message.id.is_empty() || !message.text.is_empty());
        let hidden = self.hidden.iter().map(|hidden| Control::Hidden(*hidden));
        message.map(Control::Message).chain(hidden).chain(asked).collect()
    }

    fn form<'c>(&self, controls: &'c [Control<'c>], shown: bool) -> Part<'c>
    where
        'p: 'c,
    {
        Part::Form(Form { id: self.id, method: Method::Post, action: self.action, shown, controls })
    }
}

fn links<'p>(links: &'p [Link<'p>]) -> impl Iterator<Item = Part<'p>> {
    links.iter().map(|link| Part::Link(*link))
}

impl SignIn<'_> {
    /// The page.
    pub fn page(&self, about: &About<'_>) -> String {
        let fields =
            [Some(self.user), Some(self.password), self.keep].into_iter().flatten().map(Control::Field);
        let controls = self.form.controls(fields.chain([Control::Button(self.submit)]));
        about.page([self.form.form(&controls, true)].into_iter().chain(links(self.links)))
    }
}

impl SignInByTwo<'_> {
    /// The page.
    pub fn page(&self, about: &About<'_>) -> String {
        let fields = [Some(self.user), self.keep].into_iter().flatten().map(Control::Field);
        let first = self.first.controls(fields.chain([Control::Button(self.next)]));
        let asked =
            [Control::Paragraph(self.who), Control::Field(self.password), Control::Button(self.submit)];
        let second = self.second.controls(asked.into_iter().chain(self.back.map(Control::Button)));
        let forms = [self.first.form(&first, !self.at_password), self.second.form(&second, self.at_password)];
        about.page(forms.into_iter().chain(links(self.links)))
    }
}

impl DeviceCode<'_> {
    /// The page.
    pub fn page(&self, about: &About<'_>) -> String {
        let controls = self.form.controls([
            Control::Paragraph(self.says),
            Control::Field(self.code),
            Control::Button(self.submit),
        ]);
        about.page([self.form.form(&controls, true)])
    }
}

impl DeviceConfirmation<'_> {
    /// The page.
    pub fn page(&self, about: &About<'_>) -> String {
        let says = self.says.iter().map(|text| Control::Paragraph(*text));
        let buttons = [Some(self.confirm), self.cancel].into_iter().flatten().map(Control::Button);
        let controls = self.form.controls(says.chain(buttons));
        about.page([self.form.form(&controls, true)])
    }
}

impl SignedOut<'_> {
    /// The page. It has no form, and [`super::POLICY`] is enough for it.
    pub fn page(&self, about: &About<'_>) -> String {
        about.page(self.says.iter().map(|text| Part::Paragraph(*text)).chain(links(self.links)))
    }
}
