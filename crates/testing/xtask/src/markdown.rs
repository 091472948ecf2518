//! The little Markdown the documents need.
//!
//! Decides how foreign text is kept from being read as markup: in a table cell, in a code span, in a fenced block.

use std::fmt::Write as _;

/// A code span for a table cell or a line of prose; empty text gives nothing.
pub(crate) fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text = text.replace('|', "\\|").replace(['\n', '\r'], " ");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// Prose for a table cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// A fenced block whose fence is longer than any in the text.
pub(crate) fn block(page: &mut String, language: &str, text: &str) {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let _ = writeln!(page, "{fence}{language}\n{}\n{fence}", text.trim_end());
}

/// A table row.
pub(crate) fn row(page: &mut String, cells: &[String]) {
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

/// A table's head with its rule.
pub(crate) fn head(page: &mut String, cells: &[&str]) {
    let _ = writeln!(page, "| {} |", cells.join(" | "));
    let _ = writeln!(page, "|{}", " --- |".repeat(cells.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_never_becomes_markup() {
        assert_eq!(code("a|b\nc"), "`a\\|b c`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(cell("a|b\\"), "a\\|b\\\\");
        let mut page = String::new();
        block(&mut page, "text", "x ``` y");
        assert_eq!(page, "````text\nx ``` y\n````\n");
    }
}
