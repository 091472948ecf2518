//! An explanation as text for a person: the cause first, with its place and the commands to paste, then what would be
//! refused next, then the checks that failed.
//!
//! Decides the order and the words, and how a value is written so that it survives a shell whole: what is to be pasted is
//! never cut and never escaped into something else. Never decides what the cause is.

use std::fmt::Write as _;

use mocktenant_verdict::foreign::harmless;
use mocktenant_verdict::{Operation, Outcome, Role};
use mocktenant_world::Edit;
use mocktenant_world::pointers::reader_at_start;
use serde_json::Value;
use time::OffsetDateTime;

use crate::explanation::{Cause, ExplainedCheck, Explanation, Kind};

/// What stands behind a refusal that was only met because something was made up.
const ASSUMED: &str = " (tried with a stand-in for what is missing above)";
/// What a person has to know of an explanation that had no world.
const WITHOUT_WORLD: &str = "note    told from the records alone: without a world there is no file and line, no edit to send, and nothing was tried out";
/// Characters nobody sees that come with a copied value, by their Unicode names.
const UNSEEN: [(char, &str); 12] = [
    ('\u{a0}', "NO-BREAK SPACE"),
    ('\u{ad}', "SOFT HYPHEN"),
    ('\u{200b}', "ZERO WIDTH SPACE"),
    ('\u{200c}', "ZERO WIDTH NON-JOINER"),
    ('\u{200d}', "ZERO WIDTH JOINER"),
    ('\u{200e}', "LEFT-TO-RIGHT MARK"),
    ('\u{200f}', "RIGHT-TO-LEFT MARK"),
    ('\u{202a}', "LEFT-TO-RIGHT EMBEDDING"),
    ('\u{202c}', "POP DIRECTIONAL FORMATTING"),
    ('\u{202d}', "LEFT-TO-RIGHT OVERRIDE"),
    ('\u{202e}', "RIGHT-TO-LEFT OVERRIDE"),
    ('\u{feff}', "ZERO WIDTH NO-BREAK SPACE"),
];
/// Seconds since 1970 that are told as a time: 2001 to 2100.
const TOLD_AS_TIME: std::ops::Range<i64> = 1_000_000_000..4_102_444_800;

/// A value as a person can see it; an invisible character is named, with where it stands.
pub(crate) fn visible(text: &str) -> String {
    let shown = harmless(text).into_owned();
    let unseen = text.chars().zip(1..).find_map(|(character, column)| {
        let (_, name) = UNSEEN.iter().find(|(known, _)| *known == character)?;
        Some(format!("{name} (U+{:04X}) at column {column}", u32::from(character)))
    });
    match unseen {
        Some(unseen) => format!("{shown} [{unseen}]"),
        None => shown,
    }
}

/// A word for a POSIX shell.
pub fn shell_word(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A value as `set` reads it: a text that would pass for JSON or for a file is written as JSON, and so is one that holds
/// what nobody sees, with the escapes of JSON.
fn operand(value: &Value) -> String {
    let plain = match value {
        Value::String(text) if !text.starts_with('@') && harmless(text) == *text => {
            serde_json::from_slice::<Value>(text.as_bytes()).is_err().then(|| text.clone())
        }
        _ => None,
    };
    let text = plain.unwrap_or_else(|| {
        let mut escaped = String::new();
        for character in value.to_string().chars() {
            // All of these are within the basic plane.
            if harmless(character.encode_utf8(&mut [0; 4])).len() > character.len_utf8() {
                let _ = write!(escaped, "\\u{:04x}", u32::from(character));
            } else {
                escaped.push(character);
            }
        }
        escaped
    });
    shell_word(&text)
}

impl Cause {
    /// The commands that mend it in a running lab, to be pasted as they are; `<...>` is for a person to supply.
    pub fn commands(&self) -> Vec<String> {
        // What is missing is no misspelt name of something else.
        let set =
            if self.absent || self.kind == Kind::Missing { "mocktenant set --new" } else { "mocktenant set" };
        let mut commands: Vec<String> = self.change.iter().map(|edit| command(edit, set)).collect();
        for need in &self.needs {
            let path = shell_word(need.path.as_str());
            commands.push(format!("{set} {path} {}", shell_word(&format!("<{}>", need.what))));
        }
        let edited =
            self.change.iter().map(|edit| &edit.path).chain(self.needs.iter().map(|need| &need.path));
        let restarted = (self.kind == Kind::Restart).then_some(&self.setting);
        let reader = |setting| self.node.clone().or_else(|| reader_at_start(setting));
        for reader in edited.chain(restarted).filter_map(reader) {
            let restart = format!("mocktenant restart {}", shell_word(&reader));
            if !commands.contains(&restart) {
                commands.push(restart);
            }
        }
        commands
    }
}

fn command(edit: &Edit, set: &str) -> String {
    let path = shell_word(edit.path.as_str());
    match (&edit.op, &edit.value) {
        (Operation::Remove, _) => format!("mocktenant unset {path}"),
        (_, Some(value)) => format!("{set} {path} {}", operand(value)),
        // A move or a copy, which no verb has.
        _ => format!(
            "curl -X PATCH \"$MOCKTENANT_URL/v1/world\" -H 'Content-Type: application/json' -d {}",
            shell_word(&serde_json::json!([edit]).to_string())
        ),
    }
}

/// A text with what looks like seconds since 1970 told as a time.
fn with_times(text: &str, at: OffsetDateTime) -> String {
    let mut told = visible(text);
    let numbers = text.split(|character: char| !character.is_ascii_digit());
    let seconds =
        numbers.filter_map(|number| number.parse().ok()).find(|number| TOLD_AS_TIME.contains(number));
    let Some((seconds, time)) =
        seconds.and_then(|seconds| Some((seconds, OffsetDateTime::from_unix_timestamp(seconds).ok()?)))
    else {
        return told;
    };
    let passed = at.unix_timestamp() - seconds;
    let away = if passed >= 0 { format!("{passed} s ago") } else { format!("in {} s", -passed) };
    let _ = write!(
        told,
        " ({} {:02}:{:02}:{:02} UTC, {away})",
        time.date(),
        time.hour(),
        time.minute(),
        time.second()
    );
    told
}

impl Explanation {
    /// The explanation for a terminal: symptom, cause with its commands, what is next, the checks that failed; `all` of
    /// the checks if asked for.
    pub fn to_text(&self, all: bool) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", visible(&self.exchange));
        for line in self.symptom.lines() {
            let _ = writeln!(text, "  | {}", visible(line));
        }
        text.push('\n');
        match &self.cause {
            Some(cause) => self.cause(&mut text, cause),
            None if self.world => text.push_str("nothing was refused, and nothing waits for a restart\n"),
            None => text.push_str("nothing was refused\n"),
        }
        for other in &self.also {
            let _ = writeln!(text, "next    {}{}", other.to_line(), if other.assumed { ASSUMED } else { "" });
        }
        self.ladder(&mut text);
        self.checks(&mut text, all);
        if !self.world {
            let _ = writeln!(text, "{WITHOUT_WORLD}");
        }
        text
    }

    fn cause(&self, text: &mut String, cause: &Cause) {
        if !self.refused {
            text.push_str("nothing was refused; an edit waits for a restart\n");
        }
        let _ = writeln!(text, "cause   {}", cause.to_line());
        self.mends(text, cause);
        if let Some(or) = &cause.or {
            let _ = writeln!(text, "or      {}", or.to_line());
            self.mends(text, or);
        }
    }

    fn mends(&self, text: &mut String, cause: &Cause) {
        let _ = writeln!(text, "        {}", visible(cause.setting.as_str()));
        if let Some(advice) = &cause.advice {
            let _ = writeln!(text, "advice  {}", visible(advice));
        }
        if cause.serviced_away {
            let _ = writeln!(text, "note    the next servicing takes this away again (mocktenant servicing)");
        }
        // Without a world there is no lab to paste them for.
        let commands = if self.world { cause.commands() } else { Vec::new() };
        for (index, command) in commands.iter().enumerate() {
            let _ =
                writeln!(text, "{}{}", if index == 0 { "run     " } else { "        " }, harmless(command));
        }
    }

    /// The steps of a sign-in, one under the other.
    fn ladder(&self, text: &mut String) {
        for (at, rung) in self.ladder.iter().enumerate() {
            if at == 0 {
                text.push('\n');
            }
            let note = rung.note.as_deref().map(visible);
            let Some(exchange) = rung.exchange.as_deref().map(visible) else {
                let _ = writeln!(text, "  {}  {:<42} {}", rung.step, rung.what, note.unwrap_or_default());
                continue;
            };
            let by = rung.by.as_deref().map(visible).unwrap_or_default();
            let refused = match rung.status {
                Some(status) if rung.refused => format!("  REFUSED {status}"),
                _ => String::new(),
            };
            let _ = writeln!(text, "  {}  {:<42} {by:<6} {exchange}{refused}", rung.step, rung.what);
            if let Some(note) = note {
                let _ = writeln!(text, "     ({note})");
            }
        }
    }

    fn checks(&self, text: &mut String, all: bool) {
        let mut exchange = "";
        let mut hidden = 0_usize;
        for explained in &self.checks {
            if !all && !matches!(explained.check.outcome, Outcome::Failed) {
                hidden += 1;
                continue;
            }
            if explained.exchange != exchange {
                exchange = &explained.exchange;
                let _ = writeln!(text, "\n{}  {}", visible(exchange), visible(&explained.surface));
            }
            let (mark, detail) = self.check(explained);
            let _ = writeln!(text, "  {mark}  {:<26} {detail}", visible(&explained.check.name));
        }
        if hidden > 0 {
            let _ = writeln!(text, "\n{hidden} more checks: --all");
        }
    }

    fn check(&self, explained: &ExplainedCheck) -> (&'static str, String) {
        let check = &explained.check;
        let value = |text: &str| match check.role {
            Some(Role::Time) => with_times(text, self.at),
            _ => visible(text),
        };
        match &check.outcome {
            Outcome::Passed => ("passed ", value(&check.actual)),
            Outcome::Failed => {
                let code =
                    check.error.as_deref().map(|code| format!("  {}", visible(code))).unwrap_or_default();
                (
                    "FAILED ",
                    format!("expected {}, got {}{code}", value(&check.expected), value(&check.actual)),
                )
            }
            Outcome::Skipped { needs } => ("skipped", format!("not asked, after {}", visible(needs))),
            Outcome::NotApplicable => ("no need", value(&check.actual)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(shell_word("plain-word_1"), "plain-word_1");
        assert_eq!(shell_word("it's {here}"), "'it'\\''s {here}'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn what_is_pasted_survives_a_shell_and_the_reader_of_set() {
        assert_eq!(operand(&json!("spn:a")), "spn:a");
        assert_eq!(operand(&json!("it's")), "'it'\\''s'");
        assert_eq!(operand(&json!("0")), "'\"0\"'", "a text that would pass for a number stays a text");
        assert_eq!(operand(&json!(0)), "0");
        assert_eq!(operand(&json!("@a")), "'\"@a\"'", "a text that would pass for a file stays a text");
        assert_eq!(operand(&json!("\u{200e}AB")), "'\"\\u200eAB\"'", "what nobody sees is pasted as it is");
        assert_eq!(operand(&json!("x".repeat(900))).len(), 900, "and nothing is cut");
    }

    #[test]
    fn an_invisible_character_is_named_with_its_column() {
        assert_eq!(visible("\u{200e}3C0D"), "\\u{200e}3C0D [LEFT-TO-RIGHT MARK (U+200E) at column 1]");
        assert_eq!(visible("3C0D"), "3C0D");
    }

    #[test]
    fn seconds_are_told_as_a_time_and_how_long_ago() {
        let at = OffsetDateTime::from_unix_timestamp(1_800_003_600).unwrap();
        assert_eq!(with_times("1800000000", at), "1800000000 (2027-01-15 08:00:00 UTC, 3600 s ago)");
        assert_eq!(with_times("exp 1800003660", at), "exp 1800003660 (2027-01-15 09:01:00 UTC, in 60 s)");
        assert_eq!(with_times("300 s", at), "300 s");
    }
}
