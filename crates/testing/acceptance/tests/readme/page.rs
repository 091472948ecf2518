//! README.md as its tests read it.

use mocktenant_acceptance::pages::{self, Block};

pub(crate) use mocktenant_acceptance::pages::root;

pub(crate) fn text() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// Every fenced block, in the order of the page.
pub(crate) fn blocks() -> Vec<Block> {
    pages::blocks(&text())
}

/// The one block of that language.
pub(crate) fn only(language: &str) -> String {
    let mut found = blocks().into_iter().filter(|block| block.language == language);
    let block = found.next().unwrap_or_else(|| panic!("README.md has no {language}"));
    assert!(found.next().is_none(), "README.md has more than one block of {language}");
    block.text
}
