//! What OData texts have to keep: no panic, offsets inside the text, and a segment that is written reads back the same.

use mocktenant_odata::{Batch, BatchItem, Evaluation, Expand, QueryOptions, ResourceSegment};

/// Reads the bytes as a batch, as a query string, as a list of related rows and as a resource segment.
pub(crate) fn odata(data: &[u8]) {
    if let Ok(batch) = Batch::parse("multipart/mixed;boundary=b", data, 100) {
        let count = |item: &BatchItem<'_>| match item {
            BatchItem::Operation(_) => 1,
            BatchItem::ChangeSet(set) => set.len(),
        };
        assert!(batch.items.iter().map(count).sum::<usize>() <= 100, "no more than it may have");
    }
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
    let _ = Expand::parse(text);
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
