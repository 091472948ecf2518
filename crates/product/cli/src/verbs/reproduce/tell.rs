//! The story as text, in four parts: what the user saw, what happened, the cause, the fix step by step.
//!
//! Decides layout and the few words that hold the values together; every value comes from the story.

use std::fmt::Write as _;

use mocktenant_verdict::foreign::excerpt;
use mocktenant_world::Errand;

use super::chain::{Failed, Link};
use super::story::{People, Step, Story, Then};
use crate::console::harmless;
use crate::screen::{Paint, Screen};
use crate::verbs::serve::abridged;

/// Longest value shown, in characters.
const VALUE_WIDTH: usize = 400;

/// The whole story.
pub(super) fn text(story: &Story, screen: Screen) -> String {
    let mut text = String::with_capacity(4096);
    // Writing to a String cannot fail, here and below.
    let name = screen.paint(Paint::Strong, &harmless(&story.scenario)).into_owned();
    let title = format!("{name}   {}   (own lab, nothing leaves this machine)", harmless(&story.title));
    let _ = writeln!(text, "{}\n", screen.wrapped("", "  ", &title));
    saw(&mut text, story, screen);
    heading(&mut text, screen, "2. What happened");
    for gone in &story.serviced_away {
        let value = gone.value.as_str().map_or_else(|| gone.value.to_string(), str::to_owned);
        let line = format!("serviced: gone is {}, which was {}", harmless(&gone.setting), shown(&value));
        below(&mut text, screen, 5, &line);
    }
    for link in &story.happened {
        happened(&mut text, link, screen);
    }
    match story.explanation.as_ref().and_then(|explanation| explanation.cause.as_ref()) {
        Some(cause) => {
            heading(&mut text, screen, "3. Cause");
            below(&mut text, screen, 5, &shown(&cause.to_line()));
            let _ = writeln!(text, "     {}", screen.paint(Paint::Faint, &harmless(cause.setting.as_str())));
            if let Some(or) = &cause.or {
                below(&mut text, screen, 5, &format!("or {}", shown(&or.to_line())));
                let setting = harmless(or.setting.as_str());
                let _ = writeln!(text, "     {}", screen.paint(Paint::Faint, &setting));
            }
        }
        None => heading(&mut text, screen, "3. Cause: none, nothing was refused"),
    }
    heading(&mut text, screen, "4. The fix, step by step");
    for step in &story.steps {
        fixed(&mut text, step, screen);
    }
    ending(&mut text, story, screen);
    text
}

fn heading(text: &mut String, screen: Screen, heading: &str) {
    let _ = writeln!(text, "{}", screen.wrapped("", "   ", &screen.paint(Paint::Strong, heading)));
}

fn saw(text: &mut String, story: &Story, screen: Screen) {
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
        Errand::SignIn => format!("signing in as {}", harmless(story.saw.user())),
        Errand::EverybodySignsIn => {
            let people = story.saw.people().map(counted).unwrap_or_default();
            format!("signing in as {} at one node after the other{people}", harmless(story.saw.user()))
        }
        Errand::Load => "saving one customer after another in Finance & Operations".to_owned(),
    };
    let line = format!("1. What the user saw, {what}{record}");
    heading(text, screen, &line);
    for line in story.saw.lines() {
        below(text, screen, 5, &screen.paint(Paint::Bad, &harmless(line)));
    }
}

fn happened(text: &mut String, link: &Link, screen: Screen) {
    let way = format!("{} -> {}", harmless(&link.from), harmless(&link.to));
    let Some(exchange) = link.exchange.as_deref().map(harmless) else {
        let _ = writeln!(text, "     {:<14}  {way:<20}  never called", "-");
        return;
    };
    let status = link.status.map_or_else(|| String::from("-"), |status| status.to_string());
    let checks =
        if link.asked > 0 { format!("{}/{} checks", link.passed, link.asked) } else { String::new() };
    let refused = match &link.error {
        Some(error) => screen.paint(Paint::Bad, &format!("REFUSED {}", harmless(error))).into_owned(),
        None => String::new(),
    };
    let (first, request) = (format!("     {exchange:<14}  {way:<20}  "), harmless(&link.request));
    let beside = screen.fits(first.len() + 84);
    let line = if beside {
        format!("{first}{request:<42}  {status:>3}  {checks:<12}  {refused}")
    } else {
        format!("{first}{status:>3}  {checks}")
    };
    let _ = writeln!(text, "{}", line.trim_end());
    if !beside {
        below(text, screen, 21, &format!("{request}  {refused}"));
    }
    if let Some(failed) = &link.failed {
        below(text, screen, 21, &check(failed));
    }
}

/// How many people were refused.
fn counted(People { refused, of }: People) -> String {
    format!(": {refused} of {of} people refused")
}

fn check(failed: &Failed) -> String {
    format!(
        "{}: expected {}, got {}",
        harmless(&failed.check),
        shown(&failed.expected),
        shown(&failed.actual)
    )
}

fn fixed(text: &mut String, step: &Step, screen: Screen) {
    below(text, screen, 5, &harmless(&step.title));
    by_hand(text, step, screen);
    match &step.then {
        Then::Refused { by, error, failed, cause, .. } => {
            let error = error.as_deref().map(|error| format!(", {}", harmless(error))).unwrap_or_default();
            let people = step.people.map(counted).unwrap_or_default();
            let refusal = format!("{} refuses{error}{people}", harmless(by));
            let _ = writeln!(text, "          now: {}", screen.paint(Paint::Bad, &refusal));
            if let Some(failed) = failed {
                below(text, screen, 15, &check(failed));
            }
            if let Some(cause) = cause {
                below(text, screen, 15, &format!("change: {}", shown(cause)));
            }
        }
        Then::Arrived { chain, account } => {
            let number = account["accountnumber"].as_str().unwrap_or_default();
            let arrived = format!("account {} is there", harmless(number));
            let _ = writeln!(text, "          now: {}", screen.paint(Paint::Good, &arrived));
            below(text, screen, 15, &answered(chain));
        }
        Then::Answered { chain } => {
            let _ = writeln!(text, "          now: {}", screen.paint(Paint::Good, "it works"));
            below(text, screen, 15, &answered(chain));
        }
        Then::Lost { chain } => {
            let _ = writeln!(text, "          now: the customer was taken, but no account appeared");
            below(text, screen, 15, &answered(chain));
        }
        Then::Unneeded => {
            let _ = writeln!(text, "          not needed any more: it works already");
        }
    }
}

/// How a person does a step on the real product, and the vendor's page last. What has several lines is pasted as it stands.
fn by_hand(text: &mut String, step: &Step, screen: Screen) {
    for how in &step.how {
        if how.contains('\n') {
            how.lines().for_each(|line| {
                let _ = writeln!(text, "          {}", harmless(line));
            });
        } else {
            below(text, screen, 10, &harmless(how));
        }
    }
    if let Some(page) = &step.see {
        let _ = writeln!(text, "          see {}", harmless(page));
    }
}

/// Words below one another, so far from the left; what does not fit on the first line goes on a little further in.
fn below(text: &mut String, screen: Screen, indent: usize, words: &str) {
    let first = " ".repeat(indent);
    let _ = writeln!(text, "{}", screen.wrapped(&first, &format!("{first}  "), words));
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

fn ending(text: &mut String, story: &Story, screen: Screen) {
    let verdict = match (story.broke, story.healed) {
        (true, true) => "broke as told, healed as told",
        (true, false) => "broke as told, but the steps did not heal it",
        (false, _) => "nothing broke",
    };
    let paint = if story.as_told() { Paint::Good } else { Paint::Bad };
    let _ = writeln!(
        text,
        "\n{}: {} exchanges, {:.0} ms",
        screen.paint(paint, verdict),
        story.exchanges,
        story.milliseconds
    );
    let sure: Vec<String> =
        story.fidelity.iter().map(|sure| format!("{} {}", sure.id, sure.fidelity)).collect();
    if !sure.is_empty() {
        let sure = harmless(&sure.join(", ")).into_owned();
        let _ = writeln!(text, "{}", screen.wrapped("texts: ", "       ", &sure));
    }
    text.push_str("others: mocktenant scenarios   as data: --json   leave the lab running: --keep");
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
    fn thumbprints_in_a_value_are_abridged_and_nothing_else_is() {
        let value = "certificate 9F86D081884C7D659A2FEAA0C55AD015B0F00A08, or spn:c0117050-0000-4000-8000-00000000a002";
        assert_eq!(shown(value), "certificate 9F86...0A08, or spn:c0117050-0000-4000-8000-00000000a002");
        assert_eq!(shown("a\u{1b}b"), "a\\u{1b}b");
        assert_eq!(shown("a\nb\u{202e}c"), "a\\nb\\u{202e}c", "a value stays within its line");
        assert_eq!(shown(&"x".repeat(500)).len(), VALUE_WIDTH);
    }
}
