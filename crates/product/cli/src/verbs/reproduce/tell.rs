//! The story as text, in four parts: what the user saw, what happened, the cause, the fix step by step.
//!
//! Decides layout and the few words that hold the values together; every value comes from the story.

use std::fmt::Write as _;

use mocktenant_verdict::foreign::excerpt;
use mocktenant_world::Errand;

use super::chain::{Failed, Link};
use super::story::{Step, Story, Then};
use crate::console::{Paint, Palette, harmless};
use crate::verbs::serve::abridged;

/// Longest value shown, in characters.
const VALUE_WIDTH: usize = 400;
/// Where a line of words goes on below, in characters.
const LINE_WIDTH: usize = 118;

/// The whole story.
pub(super) fn text(story: &Story, palette: Palette) -> String {
    let mut text = String::with_capacity(4096);
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        text,
        "{}   {}   (own lab, nothing leaves this machine)\n",
        palette.paint(Paint::Strong, &harmless(&story.scenario)),
        harmless(&story.title)
    );
    saw(&mut text, story, palette);
    heading(&mut text, palette, "2. What happened");
    for link in &story.happened {
        happened(&mut text, link, palette);
    }
    match story.explanation.as_ref().and_then(|explanation| explanation.cause.as_ref()) {
        Some(cause) => {
            heading(&mut text, palette, "3. Cause");
            wrapped(&mut text, "     ", &shown(&cause.to_line()));
            let _ = writeln!(text, "     {}", palette.paint(Paint::Faint, &harmless(cause.setting.as_str())));
        }
        None => heading(&mut text, palette, "3. Cause: none, nothing was refused"),
    }
    heading(&mut text, palette, "4. The fix, step by step");
    for step in &story.steps {
        fixed(&mut text, step, palette);
    }
    ending(&mut text, story, palette);
    text
}

fn heading(text: &mut String, palette: Palette, heading: &str) {
    let _ = writeln!(text, "{}", palette.paint(Paint::Strong, heading));
}

fn saw(text: &mut String, story: &Story, palette: Palette) {
    let record = match story.saw.rolled_back() {
        Some(true) => " (the record was rolled back)",
        Some(false) => " (the record is there all the same)",
        None => "",
    };
    let customer = harmless(story.saw.customer());
    let what = match story.saw.does() {
        Errand::CreateCustomer => format!("saving customer {customer} in Finance & Operations"),
        Errand::ReadCustomers => format!("reading customer {customer} in Finance & Operations"),
        Errand::DataverseRequest => format!("reading account {customer} in Dataverse"),
        Errand::Load => "saving one customer after another in Finance & Operations".to_owned(),
    };
    let line = format!("1. What the user saw, {what}{record}");
    heading(text, palette, &line);
    for line in story.saw.lines() {
        let _ = writeln!(text, "     {}", palette.paint(Paint::Bad, &harmless(line)));
    }
}

fn happened(text: &mut String, link: &Link, palette: Palette) {
    let way = format!("{} -> {}", harmless(&link.from), harmless(&link.to));
    let Some(exchange) = link.exchange.as_deref().map(harmless) else {
        let _ = writeln!(text, "     {:<14}  {way:<20}  never called", "-");
        return;
    };
    let status = link.status.map_or_else(|| String::from("-"), |status| status.to_string());
    let checks =
        if link.asked > 0 { format!("{}/{} checks", link.passed, link.asked) } else { String::new() };
    let refused = match &link.error {
        Some(error) => palette.paint(Paint::Bad, &format!("REFUSED {}", harmless(error))).into_owned(),
        None => String::new(),
    };
    let line = format!(
        "     {exchange:<14}  {way:<20}  {:<42}  {status:>3}  {checks:<12}  {}",
        harmless(&link.request),
        refused
    );
    let _ = writeln!(text, "{}", line.trim_end());
    if let Some(failed) = &link.failed {
        wrapped(text, &" ".repeat(21), &check(failed));
    }
}

fn check(failed: &Failed) -> String {
    format!(
        "{}: expected {}, got {}",
        harmless(&failed.check),
        shown(&failed.expected),
        shown(&failed.actual)
    )
}

fn fixed(text: &mut String, step: &Step, palette: Palette) {
    let _ = writeln!(text, "     {}", harmless(&step.title));
    by_hand(text, step);
    match &step.then {
        Then::Refused { by, error, failed, cause, .. } => {
            let error = error.as_deref().map(|error| format!(", {}", harmless(error))).unwrap_or_default();
            let refusal = format!("{} refuses{error}", harmless(by));
            let _ = writeln!(text, "          now: {}", palette.paint(Paint::Bad, &refusal));
            if let Some(failed) = failed {
                wrapped(text, "               ", &check(failed));
            }
            if let Some(cause) = cause {
                wrapped(text, "               ", &format!("change: {}", shown(cause)));
            }
        }
        Then::Arrived { chain, account } => {
            let number = account["accountnumber"].as_str().unwrap_or_default();
            let arrived = format!("account {} is there", harmless(number));
            let _ = writeln!(text, "          now: {}", palette.paint(Paint::Good, &arrived));
            wrapped(text, "               ", &answered(chain));
        }
        Then::Answered { chain } => {
            let _ = writeln!(text, "          now: {}", palette.paint(Paint::Good, "it works"));
            wrapped(text, "               ", &answered(chain));
        }
        Then::Lost { chain } => {
            let _ = writeln!(text, "          now: the customer was taken, but no account appeared");
            wrapped(text, "               ", &answered(chain));
        }
        Then::Unneeded => {
            let _ = writeln!(text, "          not needed any more: it works already");
        }
    }
}

/// How a person does a step on the real product, and the vendor's page last. Each stays on one line: it is for pasting.
fn by_hand(text: &mut String, step: &Step) {
    for line in &step.how {
        let _ = writeln!(text, "          {}", harmless(line));
    }
    if let Some(page) = &step.see {
        let _ = writeln!(text, "          see {}", harmless(page));
    }
}

/// Words below an indent, on as many lines as they need.
fn wrapped(text: &mut String, indent: &str, words: &str) {
    let mut width = 0;
    for word in words.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > LINE_WIDTH {
            text.push('\n');
            width = 0;
        }
        if width == 0 {
            text.push_str(indent);
            width = indent.len();
        } else {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text.push('\n');
}

/// Who answered what, with how many checks: `AOS 201 (13/13 checks), Entra 200 (12/12 checks)`.
fn answered(chain: &[Link]) -> String {
    let made = chain.iter().filter(|link| link.exchange.is_some());
    let answers = made.map(|link| {
        let status = link.status.map_or_else(|| String::from("no answer"), |status| status.to_string());
        let checks =
            if link.asked > 0 { format!(" ({}/{} checks)", link.passed, link.asked) } else { String::new() };
        format!("{} {status}{checks}", harmless(&link.to))
    });
    answers.collect::<Vec<_>>().join(", ")
}

fn ending(text: &mut String, story: &Story, palette: Palette) {
    let verdict = match (story.broke, story.healed) {
        (true, true) => "broke as told, healed as told",
        (true, false) => "broke as told, but the steps did not heal it",
        (false, _) => "nothing broke",
    };
    let paint = if story.as_told() { Paint::Good } else { Paint::Bad };
    let sure: Vec<String> =
        story.fidelity.iter().map(|sure| format!("{} {}", sure.id, sure.fidelity)).collect();
    let sure = if sure.is_empty() { String::new() } else { format!("      texts: {}", sure.join(", ")) };
    let _ = writeln!(
        text,
        "\n{}: {} exchanges, {:.0} ms{}",
        palette.paint(paint, verdict),
        story.exchanges,
        story.milliseconds,
        harmless(&sure)
    );
    text.push_str("others: mocktenant scenarios      as data: --json      leave the lab running: --keep");
}

/// A value for a line: harmless, thumbprints abridged, not too long.
fn shown(value: &str) -> String {
    let value = harmless(value);
    let mut text = String::with_capacity(value.len());
    for word in value.split_inclusive(|character: char| !character.is_ascii_alphanumeric()) {
        let (word, end) = match word.char_indices().next_back() {
            Some((at, last)) if !last.is_ascii_alphanumeric() => word.split_at(at),
            _ => (word, ""),
        };
        if word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            text.push_str(&abridged(word));
        } else {
            text.push_str(word);
        }
        text.push_str(end);
    }
    if text.chars().count() > VALUE_WIDTH {
        text = excerpt(&text, VALUE_WIDTH - 3).into_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_below_their_indent() {
        let mut text = String::new();
        wrapped(&mut text, "  ", &"word ".repeat(40));
        assert!(text.lines().all(|line| line.starts_with("  word") && line.len() <= LINE_WIDTH), "{text}");
        assert_eq!(text.matches("word").count(), 40);
    }

    #[test]
    fn thumbprints_in_a_value_are_abridged_and_nothing_else_is() {
        let value = "certificate 9F86D081884C7D659A2FEAA0C55AD015B0F00A08, or spn:c0117050-0000-4000-8000-00000000a002";
        assert_eq!(shown(value), "certificate 9F86...0A08, or spn:c0117050-0000-4000-8000-00000000a002");
        assert_eq!(shown("a\u{1b}b"), "a\\u{1b}b");
        assert_eq!(shown("a\nb\u{202e}c"), "a\\nb\\u{202e}c", "a value stays within its line");
        assert_eq!(shown(&"x".repeat(500)).len(), VALUE_WIDTH);
    }
}
