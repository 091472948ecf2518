//! Microsoft's samples of the Web API, request by request: what a client of theirs sends, and how it takes an answer apart.
//!
//! The rows are our own; status codes, headers, formatted values and what is computed are those of the samples' captured runs.

mod basic_operations;
mod conditional_operations;
mod query_data;

use crate::support::{Bench, HOST, Seen};
use http::Method;
use serde_json::{Map, Value};

const ROOT: &str = "/api/data/v9.2/";
const ANNOTATIONS: (&str, &str) = ("Prefer", "odata.include-annotations=\"*\"");
const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";
const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

/// A client as the samples' library is one: what it sends with every request.
struct Client {
    bench: Bench,
}

impl Client {
    async fn new() -> Self {
        Self { bench: Bench::new().await }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Seen {
        let sets = |name: &str| headers.iter().any(|(one, _)| one.eq_ignore_ascii_case(name));
        let mut all = vec![
            ("OData-MaxVersion", "4.0"),
            ("OData-Version", "4.0"),
            ("Accept", "application/json"),
            ("User-Agent", "WebAPIService/1.0"),
        ];
        if !sets("If-None-Match") {
            all.push(("If-None-Match", "null"));
        }
        if body.is_some() && !sets("content-type") {
            all.push(("content-type", "application/json; charset=utf-8"));
        }
        all.extend_from_slice(headers);
        let body = body.map(Value::to_string);
        self.bench.call_with(method, &target(path), body.as_deref(), &all).await
    }

    async fn get(&self, path: &str) -> Seen {
        self.read(path, &[]).await
    }

    /// The same with all annotations.
    async fn annotated(&self, path: &str) -> Value {
        let seen = self.read(path, &[ANNOTATIONS]).await;
        assert_eq!(seen.header("preference-applied"), Some("odata.include-annotations=\"*\""), "{path}");
        seen.json()
    }

    async fn read(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        let seen = self.send(Method::GET, path, None, headers).await;
        assert!(seen.status().as_u16() < 400, "GET {path}: {:?} {}", seen.refusal(), seen.message());
        seen
    }

    /// A new row: its address below the service root, `accounts(<id>)`.
    async fn create(&self, set: &str, body: Value) -> String {
        let seen = self.send(Method::POST, set, Some(&body), &[]).await;
        assert_eq!(seen.status().as_u16(), 204, "POST {set}: {:?}", seen.refusal());
        assert!(seen.response.body.is_empty());
        let address = seen.header("OData-EntityId").unwrap();
        let row = address.strip_prefix(&format!("https://{HOST}{ROOT}")).unwrap().to_owned();
        // the library takes the id from the end
        assert_eq!(row.len(), set.len() + "(00000000-0000-0000-0000-000000000000)".len(), "{row}");
        assert!(row.starts_with(&format!("{set}(")) && row.ends_with(')'), "{row}");
        row
    }

    /// A change of a row that has to be there.
    async fn update(&self, row: &str, body: Value) {
        let seen = self.send(Method::PATCH, row, Some(&body), &[("If-Match", "*")]).await;
        assert_eq!(seen.status().as_u16(), 204, "PATCH {row}: {:?}", seen.refusal());
        assert_eq!(seen.header("OData-EntityId"), Some(format!("https://{HOST}{ROOT}{row}").as_str()));
    }

    async fn delete(&self, row: &str) {
        self.done(Method::DELETE, row, None, &[("If-Match", "*")]).await;
    }

    async fn done(&self, method: Method, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) {
        let seen = self.send(method.clone(), path, body, headers).await;
        assert_eq!(seen.status().as_u16(), 204, "{method} {path}: {:?}", seen.refusal());
        assert!(seen.response.body.is_empty());
    }

    /// Whether there is nothing at an address.
    async fn is_gone(&self, row: &str) -> bool {
        self.send(Method::GET, row, None, &[]).await.refusal() == (404, "0x80040217".to_owned())
    }

    /// The bodies of a batch's parts, which are all answered with this status.
    async fn batch(&self, requests: &[String], status: u16) -> Vec<Value> {
        let part = |request: &String| {
            format!(
                "--batch_7\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{request} HTTP/1.1\r\n\
                 OData-MaxVersion: 4.0\r\nOData-Version: 4.0\r\nIf-None-Match: null\r\nAccept: application/json\r\n\
                 Prefer: odata.include-annotations=\"*\"\r\n\r\n\r\n"
            )
        };
        let text = requests.iter().map(part).collect::<String>() + "--batch_7--\r\n";
        let headers = [
            ("content-type", "multipart/mixed; boundary=\"batch_7\""),
            ("OData-MaxVersion", "4.0"),
            ("OData-Version", "4.0"),
            ("If-None-Match", "null"),
            ("Accept", "application/json"),
        ];
        let seen = self.bench.call_with(Method::POST, &format!("{ROOT}$batch"), Some(&text), &headers).await;
        let body = String::from_utf8_lossy(&seen.response.body).into_owned();
        assert_eq!(seen.status().as_u16(), 200, "{body}");
        let wanted = format!("HTTP/1.1 {status} ");
        assert_eq!(body.matches(&wanted).count(), requests.len(), "{body}");
        body.split("\r\n")
            .filter(|line| line.starts_with('{'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// A path as a client encodes it; an address of the service itself is followed as it is.
fn target(path: &str) -> String {
    match path.strip_prefix(&format!("https://{HOST}")) {
        Some(own) => own.to_owned(),
        None if path.starts_with("/api/") => path.replace(' ', "%20"),
        None => format!("{ROOT}{}", path.replace(' ', "%20")),
    }
}

fn context(of: &str) -> String {
    format!("https://{HOST}{ROOT}$metadata#{of}")
}

/// The id in `accounts(<id>)`.
fn id(row: &str) -> &str {
    row.split_once('(').unwrap().1.trim_end_matches(')')
}

fn rows(answer: &Value) -> &Vec<Value> {
    answer["value"].as_array().unwrap_or_else(|| panic!("{answer}"))
}

/// What every row has in a column, in order.
fn texts<'a>(rows: &'a [Value], name: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[name].as_str().unwrap_or_default()).collect()
}

fn members(row: &Value) -> &Map<String, Value> {
    row.as_object().unwrap_or_else(|| panic!("{row}"))
}

/// The columns of a row, without its annotations, in order.
fn columns(row: &Value) -> Vec<&str> {
    members(row).keys().map(String::as_str).filter(|name| !name.contains('@')).collect()
}
