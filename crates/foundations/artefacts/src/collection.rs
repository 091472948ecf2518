//! The `<add/>`, `<remove/>`, `<clear/>` collections of .NET configuration.
//!
//! Decides which `<add/>` elements of a collection count in the end: a `<clear/>` drops all before it, a `<remove/>`
//! those with its key. It never decides what a key means or which of two equal keys wins; that is the kind's own rule.
//! Mirrors `AddRemoveClearMap` collections of System.Configuration.

use std::collections::HashMap;

use mocktenant_xml::Node;

/// The `<add/>` elements directly in these containers that count, in document order. `key` names the attribute that
/// identifies one; elements without it do not count. Keys compare without regard to ASCII letter case.
pub(crate) fn additions<'d>(containers: &[Node<'d>], key: &str) -> Vec<Node<'d>> {
    let mut live: Vec<Option<Node<'d>>> = Vec::new();
    let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
    for child in containers.iter().flat_map(|container| container.children()) {
        let folded = child.value(key).map(str::to_ascii_lowercase);
        match (child.name(), folded) {
            ("add", Some(folded)) => {
                by_key.entry(folded).or_default().push(live.len());
                live.push(Some(child));
            }
            ("remove", Some(folded)) => {
                for place in by_key.remove(&folded).unwrap_or_default() {
                    live[place] = None;
                }
            }
            ("clear", _) => {
                live.clear();
                by_key.clear();
            }
            _ => {}
        }
    }
    live.into_iter().flatten().collect()
}
