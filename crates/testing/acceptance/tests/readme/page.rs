//! README.md as its tests read it.

use std::path::{Path, PathBuf};

/// The root of the work tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

pub(crate) fn text() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// A fenced block.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
}

/// Every fenced block, in the order of the page.
pub(crate) fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text().lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => {
                open = Some(Block { language: language.to_owned(), text: String::new() });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of README.md has no end");
    blocks
}

/// The one block of that language.
pub(crate) fn only(language: &str) -> String {
    let mut found = blocks().into_iter().filter(|block| block.language == language);
    let block = found.next().unwrap_or_else(|| panic!("README.md has no {language}"));
    assert!(found.next().is_none(), "README.md has more than one block of {language}");
    block.text
}
