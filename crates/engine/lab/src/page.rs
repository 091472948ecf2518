//! A page of a list: as many elements as go into one answer.
//!
//! Decides how large the list of one answer becomes ([`PAGE_BYTES`]) and that at least one element is in it. Never decides
//! what an element says, nor how a caller is told where to go on. Mirrors that a server pages by size as well as by number.

use serde::Serialize;
use serde_json::{Map, Value};

/// Bytes the elements of one answer have together, unless the first alone has more.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A JSON object with one list in it, written element by element.
#[derive(Debug)]
pub struct Listing {
    text: Vec<u8>,
    begin: usize,
    count: u64,
}

impl Listing {
    /// An object that begins with the members of `head`; the list is its member `name`.
    pub fn new(head: &Map<String, Value>, name: &str) -> Self {
        let mut text = vec![b'{'];
        members(&mut text, head);
        if !head.is_empty() {
            text.push(b',');
        }
        // A string always has a JSON form.
        let _ = serde_json::to_writer(&mut text, name);
        text.extend_from_slice(b":[");
        Self { begin: text.len(), text, count: 0 }
    }

    /// Adds an element if it still goes into the answer, and says whether it did.
    pub fn push(&mut self, element: &impl Serialize) -> bool {
        let before = self.text.len();
        if self.count > 0 {
            self.text.push(b',');
        }
        // What products answer with is made of strings, numbers and maps of them: it has a JSON form, and memory takes it.
        let written = serde_json::to_writer(&mut self.text, element).is_ok();
        if !written || (self.count > 0 && self.text.len() - self.begin > PAGE_BYTES) {
            self.text.truncate(before);
            return false;
        }
        self.count += 1;
        true
    }

    /// How many elements there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The object, which ends with the members of `tail`.
    pub fn finish(mut self, tail: &Map<String, Value>) -> Vec<u8> {
        self.text.push(b']');
        if !tail.is_empty() {
            self.text.push(b',');
        }
        members(&mut self.text, tail);
        self.text.push(b'}');
        // What it grew beyond its need would stay as long as a reader is slow.
        self.text.shrink_to_fit();
        self.text
    }
}

/// The members of an object without its braces.
fn members(text: &mut Vec<u8>, of: &Map<String, Value>) {
    let whole = serde_json::to_vec(of).unwrap_or_default();
    text.extend_from_slice(whole.get(1..whole.len().saturating_sub(1)).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_page_reads_as_the_object_it_is_and_keeps_the_order_of_its_members() {
        let (head, tail) = (object(json!({"c": "\"", "n": 2})), object(json!({"next": "x"})));
        let mut listing = Listing::new(&head, "value");
        assert!(listing.push(&object(json!({"a": 1}))) && listing.push(&object(json!({}))));
        let text = String::from_utf8(listing.finish(&tail)).unwrap();
        assert_eq!(text, r#"{"c":"\"","n":2,"value":[{"a":1},{}],"next":"x"}"#);
        let none = Map::new();
        let text = String::from_utf8(Listing::new(&none, "value").finish(&none)).unwrap();
        assert_eq!(text, r#"{"value":[]}"#);
    }

    #[test]
    fn a_page_is_full_before_it_is_too_large_and_has_one_element_whatever_its_size() {
        let row = object(json!({"text": "x".repeat(1024 * 1024)}));
        let mut listing = Listing::new(&Map::new(), "value");
        while listing.push(&row) {}
        assert_eq!(listing.count(), 3);
        let huge = object(json!({"text": "x".repeat(2 * PAGE_BYTES)}));
        let mut listing = Listing::new(&Map::new(), "value");
        assert!(listing.push(&huge) && !listing.push(&object(json!({}))));
        assert_eq!(listing.count(), 1);
    }
}
