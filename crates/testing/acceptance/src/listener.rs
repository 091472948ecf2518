//! A server of this machine that is nobody's product: what browsers arrive at.
//!
//! Decides how a request is read and an answer written, in plain HTTP, a connection each. Never decides what is answered.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// A body is read so far.
const MOST: usize = 1 << 20;

/// What a browser sent.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Method.
    pub method: String,
    /// Target, as it stands in the first line.
    pub target: String,
    /// `Host`, or nothing.
    pub host: String,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// Reads a request; nothing if it is none.
pub fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length.min(MOST)];
    reader.read_exact(&mut body).ok()?;
    let host = header("host").unwrap_or_default();
    Some(Asked { method, target, host, headers, body })
}

/// Answers with a body of that kind.
pub fn answer(stream: &TcpStream, status: u16, kind: &str, body: &str) {
    write(stream, status, &format!("content-type: {kind}\r\n"), body);
}

/// Sends the browser elsewhere.
pub fn send_on(stream: &TcpStream, to: &str) {
    write(stream, 303, &format!("location: {to}\r\n"), "");
}

fn write(mut stream: &TcpStream, status: u16, fields: &str, body: &str) {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\n{fields}content-length: {length}\r\nconnection: close\r\n\r\n");
    // A browser that went away wants no answer.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}
