//! What the reader of YAML has to keep: no panic, a place inside the text where it refuses one, and what it reads is read
//! again from what it writes.

use mocktenant_scenario::{Act, Scenario, parse};
use mocktenant_world::declaration::Declaration;

/// Reads the bytes as a scenario and as a declaration.
pub(crate) fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines =
        u32::try_from(text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count()).unwrap_or(u32::MAX);
    let refusals = [parse("a", text).map(written_again).err(), Declaration::from_yaml("a", text).err()];
    for error in refusals.into_iter().flatten() {
        assert!(error.line <= lines + 1, "{error} stands in the text of {lines} lines");
        assert!(!error.message.is_empty() && !error.message.contains('\n'), "{error:?}");
        assert!(error.to_string().len() < 4 * 1024, "{error}");
    }
}

/// JSON is YAML, so what a scenario is told as reads back as what it does.
fn written_again(scenario: Scenario) {
    for act in scenario.after {
        let text = serde_json::to_string(&act).expect("an act is written");
        assert_eq!(serde_json::from_str::<Act>(&text).expect("and read"), act, "{text}");
    }
}
