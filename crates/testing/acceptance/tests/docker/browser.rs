//! The browser of who reads a page: Chromium of the machine, in the engine's network, where it reaches what is published.
//!
//! Decides what a page's words for it mean: `open URL`, that `in a private window`, `sign in as USER with PASSWORD` at AD FS;
//! behind each of them ` and read NAME, NAME` where not everything is to be read aloud. It trusts what a line of the page has
//! imported into the reader's home; certificates are judged as ever. Never decides what should be seen.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::PathBuf;

use mocktenant_acceptance::chromium::devtools::Chromium;
use mocktenant_acceptance::chromium::sign_in_page::fills_in;
use mocktenant_acceptance::chromium::window::{Like, Window};
use mocktenant_acceptance::tools;

use crate::engine::Engine;

/// The Windows Server whose sign-in page the default world's AD FS has.
const PROFILE: &str = "2019";

/// Its program, or what of it is not on this machine.
pub(crate) fn program() -> Result<PathBuf, String> {
    tools::find("certutil").map_err(|why| format!("{why} (libnss3-tools)"))?;
    tools::find("chromium")
}

/// Starts it, for who types.
pub(crate) fn start(engine: &Engine) -> Chromium {
    let program = program().unwrap();
    let network = engine.network_words();
    let words: Vec<&OsStr> = network.iter().map(AsRef::as_ref).chain([program.as_os_str()]).collect();
    Chromium::open(&words, &engine.home())
}

/// What is open in it.
pub(crate) struct Browser<'c> {
    chromium: &'c Chromium,
    usual: Window<'c>,
    /// Lies over the usual one, until that is used again.
    private: RefCell<Option<Window<'c>>>,
}

impl<'c> Browser<'c> {
    pub(crate) fn of(chromium: &'c Chromium) -> Self {
        Self { chromium, usual: Window::open(chromium, Like::default()), private: RefCell::default() }
    }

    /// Does what a line says.
    pub(crate) fn does(&self, line: &str) {
        let (line, _) = parts(line);
        if let Some(url) = line.strip_prefix("open ") {
            let (url, is_private) =
                url.strip_suffix(" in a private window").map_or((url, false), |url| (url, true));
            let private = is_private.then(|| Window::open(self.chromium, Like::default()));
            self.private.replace(private);
            self.seen(|window| window.go(url));
        } else if let Some((user, password)) =
            line.strip_prefix("sign in as ").and_then(|who| who.split_once(" with "))
        {
            self.seen(|window| {
                window.waits_for("#userNameInput");
                fills_in(window, PROFILE, user, password);
            });
        } else {
            panic!("nobody does this in a browser: {line}");
        }
    }

    /// What it shows, as far as the line says to read it.
    pub(crate) fn reads(&self, line: &str) -> String {
        let (_, names) = parts(line);
        let mut lines = self.seen(Window::reads);
        if !names.is_empty() {
            lines.retain(|line| line.split_once(": ").is_some_and(|(name, _)| names.contains(&name)));
        }
        lines.join("\n")
    }

    fn seen<T>(&self, look: impl FnOnce(&Window<'c>) -> T) -> T {
        look(self.private.borrow().as_ref().unwrap_or(&self.usual))
    }
}

/// What to do, and the names of what is read of the page; none where all of it is.
fn parts(line: &str) -> (&str, Vec<&str>) {
    let (what, names) = line.split_once(" and read ").unwrap_or((line, ""));
    (what, names.split(", ").filter(|name| !name.is_empty()).collect())
}
