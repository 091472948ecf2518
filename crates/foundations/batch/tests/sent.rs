//! What is sent is read by the reader of requests, and what is answered by the reader of answers.

use http::{HeaderMap, StatusCode};
use mocktenant_batch::{Batch, BatchError, BatchItem, ChangeSet, Multipart, PartAnswer, answers};

#[test]
fn a_change_set_that_is_sent_is_one_that_is_read() {
    let mut set = ChangeSet::new("batch_a".to_owned(), "changeset_b".to_owned());
    set.push("POST", "accounts", Some("{\"name\":\"A\"}"));
    set.push("DELETE", "accounts(accountnumber='1')", None);
    let (kind, body) = (set.content_type(), set.finish());
    let read = Batch::parse(&kind, &body, 2).unwrap();
    let [BatchItem::ChangeSet(operations)] = read.items.as_slice() else { panic!("{read:?}") };
    let shown: Vec<_> = operations
        .iter()
        .map(|one| (one.content_id.as_deref().unwrap(), &*one.method, &*one.target, one.body))
        .collect();
    assert_eq!(
        shown,
        [
            ("1", "POST", "accounts", &b"{\"name\":\"A\"}"[..]),
            ("2", "DELETE", "accounts(accountnumber='1')", b""),
        ]
    );
    assert_eq!(
        operations[0].headers,
        [("content-type".to_owned(), "application/json; charset=utf-8".to_owned())]
    );
}

#[test]
fn answers_are_found_in_change_sets_and_beside_them() {
    let mut written = Multipart::new("batchresponse_a".to_owned(), &[]);
    let none = HeaderMap::new();
    let part = |status, content_id, body| PartAnswer { status, content_id, first: &[], headers: &none, body };
    written.push(part(StatusCode::OK, None, b"{}"));
    written.begin_set("changesetresponse_b".to_owned());
    written.push(part(StatusCode::NO_CONTENT, Some("1"), b""));
    written.push(part(StatusCode::PRECONDITION_FAILED, Some("2"), b"{\"error\":{}}"));
    written.end_set();
    let (kind, body) = (written.content_type(), written.finish());
    let read = answers(&kind, &body, 10).unwrap();
    let shown: Vec<_> = read.iter().map(|one| (one.content_id.as_deref(), one.status, one.body)).collect();
    assert_eq!(shown, [(None, 200, &b"{}"[..]), (Some("1"), 204, b""), (Some("2"), 412, b"{\"error\":{}}")]);
    assert_eq!(answers(&kind, &body, 1), Err(BatchError::TooManyParts { limit: 1 }));
    for (kind, body) in [
        ("text/html", &b"<html>"[..]),
        ("multipart/mixed; boundary=a", b"--a\r\n"),
        ("multipart/mixed; boundary=a", b"--a\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 2\r\n--a--"),
        ("multipart/mixed; boundary=a", b"--a\r\n\r\nHTTP/1.1 200 OK\r\n--a--"),
    ] {
        assert!(answers(kind, body, 10).is_err(), "{kind}");
    }
}
