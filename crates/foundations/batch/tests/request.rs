//! Bodies of `$batch`: what is read of one, and for what one is refused.

use mocktenant_batch::{Batch, BatchError, BatchItem};

const TYPE: &str = "multipart/mixed;boundary=\"b\"";

fn parsed(body: &str) -> Result<Vec<BatchItem<'_>>, BatchError> {
    Batch::parse(TYPE, body.as_bytes(), 10).map(|batch| batch.items)
}

fn part(request: &str) -> String {
    format!("--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{request}\r\n")
}

#[test]
fn requests_are_read_whichever_way_their_lines_end() {
    let body = format!(
        "preamble\r\n{}{}--b--\r\nepilogue",
        part(
            "POST /api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"name\":\"x\"}"
        ),
        part("GET accounts?$filter=name eq 'x' HTTP/1.1"),
    );
    for body in [body.clone(), body.replace("\r\n", "\n")] {
        let items = parsed(&body).unwrap();
        let [BatchItem::Operation(first), BatchItem::Operation(second)] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!((first.method.as_str(), first.target.as_str()), ("POST", "/api/data/v9.2/accounts"));
        assert_eq!(first.body, b"{\"name\":\"x\"}");
        assert_eq!(first.headers, [("content-type".to_owned(), "application/json".to_owned())]);
        assert_eq!((second.target.as_str(), second.body), ("accounts?$filter=name eq 'x'", &b""[..]));
    }
}

#[test]
fn a_change_set_has_requests_with_ids() {
    let one = |id: &str| {
        format!(
            "--c\nContent-Type: application/http\nContent-Transfer-Encoding:binary\nContent-ID: {id}\n\nPATCH $1 HTTP/1.1\n\n{{}}\n"
        )
    };
    let body =
        format!("--b\nContent-Type: multipart/mixed;boundary=c\n\n{}{}--c--\n--b--", one("1"), one("2"));
    let items = parsed(&body).unwrap();
    let [BatchItem::ChangeSet(set)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(set.iter().map(|one| one.content_id.as_deref().unwrap()).collect::<Vec<_>>(), ["1", "2"]);
    let twice =
        format!("--b\nContent-Type: multipart/mixed;boundary=c\n\n{}{}--c--\n--b--", one("1"), one("1"));
    assert_eq!(parsed(&twice), Err(BatchError::RepeatedContentId { id: "1".to_owned() }));
    let get = body.replace("PATCH", "GET");
    assert_eq!(parsed(&get), Err(BatchError::Method { method: "GET".to_owned() }));
}

#[test]
fn what_is_no_batch_is_refused_for_its_first_fault() {
    let request = "GET accounts HTTP/1.1";
    let broken =
        |from: &str, to: &str| parsed(&format!("{}--b--", part(request).replace(from, to))).unwrap_err();
    assert_eq!(parsed(""), Err(BatchError::UnexpectedEnd));
    assert_eq!(parsed(&part(request)), Err(BatchError::UnexpectedEnd));
    assert_eq!(broken("Content-Type: application/http", "X: y"), BatchError::MissingContentType);
    assert_eq!(
        broken("application/http", "text/plain"),
        BatchError::ContentType { value: "text/plain".into() }
    );
    assert_eq!(broken("binary", "8bit"), BatchError::TransferEncoding);
    assert_eq!(
        broken("Content-Type: ", "Content Type: ").to_string(),
        "'Content Type: application/http' is no header line"
    );
    assert_eq!(
        broken("Content-Transfer-Encoding", "content-type"),
        BatchError::RepeatedHeader { name: "content-type".into() }
    );
    assert_eq!(broken(request, "GET"), BatchError::RequestLine { line: "GET".into() });
    assert_eq!(broken("HTTP/1.1", "HTTP/2"), BatchError::HttpVersion { version: "HTTP/2".into() });
    assert_eq!(broken(request, ""), BatchError::UnexpectedEnd);
    for content_type in
        ["multipart/mixed", "multipart/mixed; boundary=", "multipart/mixed;boundary=a;boundary=b"]
    {
        assert_eq!(Batch::parse(content_type, b"", 1), Err(BatchError::NoBoundary), "{content_type}");
    }
    let long = format!("multipart/mixed;boundary={}", "x".repeat(71));
    assert_eq!(Batch::parse(&long, b"", 1), Err(BatchError::NoBoundary));
}

#[test]
fn parts_and_operations_are_counted_before_they_are_kept() {
    let parts = |count: usize| format!("{}--b--", part("GET a HTTP/1.1").repeat(count));
    assert!(parsed(&parts(10)).is_ok());
    assert_eq!(parsed(&parts(11)), Err(BatchError::TooManyParts { limit: 10 }));
    let set = |count: usize| {
        let one = part("POST a HTTP/1.1").replace("--b", "--c");
        format!("--b\r\nContent-Type: multipart/mixed;boundary=c\r\n\r\n{}--c--\r\n", one.repeat(count))
    };
    assert_eq!(parsed(&format!("{}--b--", set(11))), Err(BatchError::TooManyOperations { limit: 10 }));
    assert_eq!(parsed(&format!("{}{}--b--", set(6), set(5))), Err(BatchError::TooManyParts { limit: 10 }));
    let nested = set(1).replace("application/http", "multipart/mixed;boundary=d");
    assert_eq!(parsed(&format!("{nested}--b--")), Err(BatchError::NestedChangeSet));
}

#[test]
fn an_address_counts_from_a_host_from_its_root_from_the_service_or_from_what_another_part_made() {
    let service = "/api/data/v9.2";
    for (written, path) in [
        ("https://elsewhere.example/api/data/v9.2/accounts?$top=1", "/api/data/v9.2/accounts?$top=1"),
        ("https://elsewhere.example", "/"),
        ("/data/accounts", "/data/accounts"),
        ("accounts(1)", "/api/data/v9.2/accounts(1)"),
        // an address within a query is none of the part's own
        ("accounts?$filter=url eq 'http://a'", "/api/data/v9.2/accounts?$filter=url eq 'http://a'"),
    ] {
        assert_eq!(mocktenant_batch::path_of(written, service), path, "{written}");
    }
    let operation = |target: &str| mocktenant_batch::Operation {
        content_id: None,
        method: "GET".to_owned(),
        target: target.to_owned(),
        headers: vec![("accept".to_owned(), "a".to_owned()), ("no name".to_owned(), "b".to_owned())],
        body: b"",
    };
    assert_eq!(operation("$1/name?$x").reference(), Some(("1", "/name?$x")));
    assert_eq!(operation("$1").reference(), Some(("1", "")));
    assert_eq!(operation("accounts").reference(), None);
    assert_eq!(operation("$1").header_map().len(), 1, "what is no header field is left out");
}
