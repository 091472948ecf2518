//! What the screen can show: colours, and how many columns.
//!
//! Decides colour (only on a terminal, never with `NO_COLOR`) and width (`COLUMNS`, or the terminal's, or 80; never less)
//! and where a line of words goes on below. Never breaks a word: an address, a path or a key is there to be pasted, and a
//! line that holds nothing else may be wider than the screen.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};

/// As narrow as a screen is taken to be, and as wide where nobody says.
const NARROWEST: usize = 80;
/// Words are hard to read in longer lines.
const WIDEST_OF_WORDS: usize = 118;

/// Whether `NO_COLOR` asks for no colour (no-color.org: present and not empty).
pub(crate) fn colour_forbidden() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Colours used.
#[derive(Clone, Copy)]
pub(crate) enum Paint {
    /// As the terminal writes by itself.
    Plain,
    /// What succeeded.
    Good,
    /// What was refused.
    Bad,
    /// What matters less.
    Faint,
    /// Headings.
    Strong,
}

/// What stdout goes to.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    colours: bool,
    columns: usize,
}

impl Screen {
    /// The screen of stdout.
    pub(crate) fn of_stdout() -> Self {
        let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let columns = told
            .or_else(|| terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0)));
        Self {
            colours: io::stdout().is_terminal() && !colour_forbidden(),
            columns: columns.unwrap_or(NARROWEST).max(NARROWEST),
        }
    }

    /// The screen of stderr.
    pub(crate) fn of_stderr() -> Self {
        Self { colours: io::stderr().is_terminal() && !colour_forbidden(), ..Self::of_stdout() }
    }

    #[cfg(test)]
    pub(crate) fn plain(columns: usize) -> Self {
        Self { colours: false, columns }
    }

    /// Whether a line of so many characters fits.
    pub(crate) fn fits(self, characters: usize) -> bool {
        characters <= self.columns
    }

    /// The text in a colour.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> Cow<'_, str> {
        let code = match paint {
            _ if !self.colours => return Cow::Borrowed(text),
            Paint::Plain => return Cow::Borrowed(text),
            Paint::Good => "32",
            Paint::Bad => "31;1",
            Paint::Faint => "2",
            Paint::Strong => "1",
        };
        Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m"))
    }

    /// Words behind `first`, on as many lines as they need; each further one begins with `below`.
    pub(crate) fn wrapped(self, first: &str, below: &str, words: &str) -> String {
        let options = textwrap::Options::new(self.columns.min(WIDEST_OF_WORDS))
            .initial_indent(first)
            .subsequent_indent(below)
            .break_words(false)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
        textwrap::fill(words, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_below_and_no_word_is_broken_or_lost() {
        let screen = Screen::plain(80);
        let words = format!("one  two {}", "word ".repeat(40));
        let text = screen.wrapped("cause   ", "        ", &words);
        assert!(text.starts_with("cause   one  two word"), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("        word")), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80 && !line.ends_with(' ')), "{text}");
        assert_eq!(text.matches("word").count(), 40);
    }

    #[test]
    fn a_word_wider_than_the_screen_has_a_line_of_its_own() {
        let path = "/environments/".repeat(10);
        let text = Screen::plain(80).wrapped("  ", "  ", &format!("at {path} it is"));
        assert_eq!(text, format!("  at\n  {path}\n  it is"));
        assert_eq!(
            Screen::plain(80).wrapped("  ", "  ", &path),
            format!("  {path}"),
            "no empty line before it"
        );
    }

    #[test]
    fn words_that_fill_the_screen_to_its_last_column_stay_on_their_line() {
        let words = format!("{} {}", "x".repeat(40), "y".repeat(39));
        assert_eq!(Screen::plain(80).wrapped("", "", &words), words);
        assert_eq!(Screen::plain(80).wrapped("", "", &format!("{words}y")).lines().count(), 2);
    }
}
