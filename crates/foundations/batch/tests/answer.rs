//! Answers to `$batch`: their layout, byte by byte, and that what is written can be read.

use http::{HeaderMap, HeaderValue, StatusCode};
use mocktenant_batch::{Fields, Multipart, PartAnswer};

const FIELDS: Fields = &[("location", "Location"), ("odata-entityid", "OData-EntityId")];

fn part<'a>(headers: &'a HeaderMap, first: &'a [(&'a str, &'a str)], body: &'a [u8]) -> PartAnswer<'a> {
    PartAnswer { status: StatusCode::OK, content_id: None, first, headers, body }
}

#[test]
fn parts_and_change_sets_are_laid_out_byte_by_byte() {
    let none = HeaderMap::new();
    let mut made = HeaderMap::new();
    // looked up in the order of the product, whatever theirs is
    made.insert("odata-entityid", HeaderValue::from_static("http://h/a(1)"));
    made.insert("location", HeaderValue::from_static("http://h/a(1)"));
    made.insert("x-other", HeaderValue::from_static("stays out"));
    let mut answers = Multipart::new("batchresponse_1".to_owned(), FIELDS);
    assert!(answers.is_empty());
    answers.push(part(&none, &[("Content-Type", "application/json")], b"{}"));
    answers.begin_set("changesetresponse_2".to_owned());
    let created = PartAnswer { status: StatusCode::CREATED, content_id: Some("7"), ..part(&made, &[], b"") };
    answers.push(created);
    answers.end_set();
    assert!(answers.len() > 100);
    assert_eq!(answers.content_type(), "multipart/mixed; boundary=batchresponse_1");
    let text = String::from_utf8(answers.finish()).unwrap();
    let lines = [
        "--batchresponse_1",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        "HTTP/1.1 200 OK",
        "Content-Type: application/json",
        "OData-Version: 4.0",
        "",
        "{}",
        "--batchresponse_1",
        "Content-Type: multipart/mixed; boundary=changesetresponse_2",
        "",
        "--changesetresponse_2",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "Content-ID: 7",
        "",
        "HTTP/1.1 201 Created",
        "OData-Version: 4.0",
        "Location: http://h/a(1)",
        "OData-EntityId: http://h/a(1)",
        "",
        "",
        "--changesetresponse_2--",
        "--batchresponse_1--",
        "",
    ];
    assert_eq!(text, lines.join("\r\n"));
}
