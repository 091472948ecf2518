//! What bodies of `$batch` have to keep: no panic, no more requests than there may be, ids once in each change set, and each body is a
//! part of what was sent.

use std::collections::HashSet;

use mocktenant_batch::{Batch, BatchItem, Operation};

/// Requests that a batch may have.
const MOST: usize = 100;

/// Reads the bytes as a batch, whichever boundary it has.
pub(crate) fn batch(data: &[u8]) {
    for boundary in ["b", "batch_1", "--", "\"a b\""] {
        let content_type = format!("multipart/mixed;boundary={boundary}");
        match Batch::parse(&content_type, data, MOST) {
            Ok(batch) => whole(&batch, data),
            Err(error) => assert!(!error.to_string().is_empty(), "it is said what is wrong"),
        }
    }
    // the first line is the content type
    if let Some(end) = data.iter().position(|byte| *byte == b'\n')
        && let Ok(content_type) = std::str::from_utf8(&data[..end])
        && let Ok(batch) = Batch::parse(content_type.trim(), &data[end + 1..], MOST)
    {
        whole(&batch, data);
    }
}

fn whole(batch: &Batch<'_>, data: &[u8]) {
    let mut count = 0;
    let mut one = |operation: &Operation<'_>| {
        count += 1;
        assert!(!operation.method.is_empty() && !operation.target.is_empty(), "a request has both");
        assert!(operation.body.len() <= data.len(), "nothing is added");
    };
    for item in &batch.items {
        match item {
            BatchItem::Operation(operation) => one(operation),
            BatchItem::ChangeSet(set) => {
                set.iter().for_each(&mut one);
                let ids: Vec<&str> = set.iter().filter_map(|one| one.content_id.as_deref()).collect();
                assert_eq!(
                    ids.iter().collect::<HashSet<_>>().len(),
                    ids.len(),
                    "an id stands for one request"
                );
            }
        }
    }
    assert!(count <= MOST, "no more than it may have");
}
