//! Redirect URIs of an application, as far as nobody could ever be sent to them.
//!
//! Decides that such a text is a mistake in a declaration, by what every provider refuses: a fragment, what a browser runs or
//! reads instead of going there, user information before the host, a backslash, blanks, no scheme. Schemes of a platform's own
//! and `urn:ietf:wg:oauth:2.0:oob` are addresses of native applications. Never compares addresses.

use mocktenant_patch::Problem;
use mocktenant_patch::nearest::clip;
use mocktenant_verdict::Setting;

use super::Problems;

/// Schemes that a browser runs or reads by itself.
const SCRIPTS: [&str; 8] =
    ["about", "blob", "data", "file", "filesystem", "javascript", "vbscript", "view-source"];

/// Lists each redirect URI that can be none.
pub(super) fn check(texts: &[String], at: &Setting, problems: &mut Problems) {
    for text in texts {
        if let Some((why, hint)) = fault(text) {
            let message = format!("`{}` can be no redirect URI: {why}", clip(text));
            problems.push(Problem::new(at.clone(), message).hint(hint.to_owned()));
        }
    }
}

/// Lists an address that a browser loads by itself, if it cannot.
pub(super) fn check_web(text: Option<&str>, at: &Setting, problems: &mut Problems) {
    let Some(text) = text else { return };
    let web = ["https://", "http://"]
        .iter()
        .any(|web| text.get(..web.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(web)));
    let not_web = ("it is not of the web", "`https://app.contoso.com/signout`");
    if let Some((why, hint)) = fault(text).or((!web).then_some(not_web)) {
        let message = format!("`{}` can be no logout URI: {why}", clip(text));
        problems.push(Problem::new(at.clone(), message).hint(hint.to_owned()));
    }
}

/// What is wrong with it, and what would be right.
fn fault(text: &str) -> Option<(&'static str, &'static str)> {
    const ABSOLUTE: &str =
        "an absolute address: `https://app.contoso.com/signin`, or a scheme of the application's own";
    let is_scheme = |scheme: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(plain)
    };
    if text.contains(|letter: char| letter.is_control() || letter.is_whitespace()) {
        return Some(("it has blanks or control characters", "blanks are written `%20`"));
    }
    if text.contains('\\') {
        return Some(("it has a backslash", "browsers take it for `/`: write that"));
    }
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return Some(("it has no scheme", ABSOLUTE));
    };
    if SCRIPTS.iter().any(|script| script.eq_ignore_ascii_case(scheme)) {
        return Some(("a browser would run or read it instead of going there", ABSOLUTE));
    }
    if text.contains('#') {
        return Some((
            "it has a fragment",
            "the answer may stand in the fragment: leave `#` and what follows out",
        ));
    }
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    let is_web = ["http", "https"].iter().any(|web| web.eq_ignore_ascii_case(scheme));
    match authority {
        Some(authority) if authority.contains('@') => {
            Some(("it has user information before its host", "leave what stands before `@` out"))
        }
        None | Some("") if is_web => Some(("it names no host", ABSOLUTE)),
        _ => None,
    }
}
