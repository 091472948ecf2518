//! AD FS's sign-in page, as a person fills it in.
//!
//! Decides by the Windows Server whether that is one page or two. Judges nothing else of what is seen.

use crate::chromium::window::Window;

/// Fills in what the page of that Windows Server asks.
pub fn fills_in(window: &Window<'_>, profile: &str, user: &str, password: &str) {
    window.fills("#userNameInput", user);
    if profile != "2016" {
        assert!(!window.sees("#passwordInput"), "one thing at a time");
        window.press("#nextButton");
        window.waits_for("#passwordInput");
        assert!(!window.sees("#userNameInput"), "the second page has the password alone");
    }
    window.fills("#passwordInput", password);
    window.press("#submitButton");
}
