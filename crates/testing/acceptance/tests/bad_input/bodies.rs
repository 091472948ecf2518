//! Bodies, queries and keys of the two resources.

use super::*;

#[test]
fn bodies_and_queries_that_are_none_are_refused_by_both_resources() {
    let bench = Bench::new();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let wide = format!("{{{}\"z\":1}}", repeated(20_000, |index| format!("\"m{index}\":1,")));
    let utf16: Vec<u8> = "{\"name\":\"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("garbage", (0..=255).collect()),
        ("not UTF-8", b"{\"name\":\"\xff\"}".to_vec()),
        ("UTF-16", utf16),
        ("truncated", b"{\"name\":\"x\"".to_vec()),
        ("an array", b"[]".to_vec()),
        ("a number", b"7".to_vec()),
        ("null", b"null".to_vec()),
        (
            "a member twice",
            b"{\"name\":\"a\",\"name\":\"b\",\"dataAreaId\":\"a\",\"dataAreaId\":\"b\"}".to_vec(),
        ),
        ("wrong types", b"{\"name\":{\"a\":1},\"CustomerAccount\":[1],\"dataAreaId\":7}".to_vec()),
        ("numbers without end", format!("{{\"name\":{}}}", "9".repeat(100_000)).into_bytes()),
        ("a lone surrogate", b"{\"name\":\"\\ud800\",\"dataAreaId\":\"\\ud800\"}".to_vec()),
        ("unknown columns", b"{\"nothing\":1}".to_vec()),
        ("deep", deep.into_bytes()),
        ("wide", wide.into_bytes()),
        ("2 MiB", vec![b' '; 2 * 1024 * 1024]),
    ];
    let huge = format!("$filter={}", "(".repeat(20_000));
    let queries = [
        "$filter=",
        "$filter=name%20eq",
        "$filter=name eq 'x",
        "$filter=name%20eq%20%ff",
        "$filter=%00",
        "$top=-1",
        "$top=99999999999999999999",
        "$top=x",
        "$top=1&$top=2",
        "$filter=$filter=$filter",
        "$nonsense=1",
        huge.as_str(),
    ];
    for (surface, pointer, target) in [
        (Surface::Aos, "/aos/onebox/resource", "/data/CustomersV3"),
        (Surface::Dataverse, "/dataverse/resource", "/api/data/v9.2/accounts"),
    ] {
        let port = surface.port(&bench.lab);
        let bearer = format!("Bearer {}", bench.token(pointer));
        let authorization = ("Authorization", bearer.as_str());
        for (what, body) in &bodies {
            let answer = bench.post(surface, target, &[authorization, JSON], body);
            surface.assert_refused(answer, what);
        }
        for kind in ["text/plain", "application/xml", "garbage"] {
            let answer =
                bench.post(surface, target, &[authorization, ("Content-Type", kind)], b"{\"name\":\"x\"}");
            surface.assert_refused(answer, kind);
        }
        for query in queries.iter().chain(&["$filter=garbage", "$select=nothing", "$orderby=nothing"]) {
            let request = raw::request(
                "GET",
                "localhost",
                &format!("{target}?{}", query.replace(' ', "%20")),
                &[authorization],
                b"",
            );
            surface.assert_refused(raw::send(port, &request), &format!("{query:.40}"));
        }
        for key in [
            "()",
            "(",
            "(')",
            "(garbage)",
            "(00000000-0000-0000-0000-00000000000g)",
            "(a='b',c=)",
            "(dataAreaId='usmf')",
        ] {
            let request = raw::request("GET", "localhost", &format!("{target}{key}"), &[authorization], b"");
            surface.assert_refused(raw::send(port, &request), key);
        }
        // A body that ends before its length, and one in broken chunks.
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: localhost\r\n{}: {}\r\n{}: {}\r\n",
            JSON.0, JSON.1, authorization.0, authorization.1
        );
        let short = format!("{head}Content-Length: 100\r\n\r\n{{\"name\"");
        surface.assert_refused_or_ended(raw::send_and_end(port, short.as_bytes()), "ended early");
        let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\nbroken");
        surface.assert_refused_or_ended(raw::send_and_end(port, chunked.as_bytes()), "broken chunks");
    }
    bench.assert_unharmed();
}
