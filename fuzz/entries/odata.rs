//! What OData texts have to keep: no panic, offsets inside the text, and a segment that is written reads back the same.

use mocktenant_odata::{Evaluation, QueryOptions, ResourceSegment};

/// Reads the bytes as a query string and as a resource segment.
pub(crate) fn odata(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match QueryOptions::parse(text) {
        Ok(options) => {
            let row = serde_json::Map::new();
            let how = Evaluation::default();
            let _ = options.filter.as_ref().map(|filter| filter.matches(&row, how));
            let _ = options.compare(&row, &row, how);
        }
        Err(error) => assert!(error.offset <= text.len(), "{error} stands in the text"),
    }
    match ResourceSegment::parse(text) {
        Ok(segment) => {
            let written = segment.to_path();
            // Encoding may make a text too long to be read again.
            if written.len() <= mocktenant_odata::MAX_TEXT {
                assert_eq!(ResourceSegment::parse(&written), Ok(segment), "{written}");
            }
        }
        Err(error) => assert!(error.offset <= text.len(), "{error} stands in the text"),
    }
}
