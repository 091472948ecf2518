//! HTTP/1.1 byte by byte over plain TCP, to send what no proper client would.
//!
//! Decides nothing: what is given is sent, what comes is returned. Every read is bounded in time and size.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::binary::must;

/// No answer of a lab is larger.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// One answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Header fields in the order sent, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A whole request: `Host`, `Content-Length` and `Connection: close` are added to the headers given.
pub fn request(method: &str, host: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// A connection to a port of this machine.
///
/// # Panics
/// If there is none.
pub fn connect(port: u16) -> TcpStream {
    must(try_connect(port), "a connection to the lab")
}

/// The same where there may be nobody.
pub fn try_connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    Ok(stream)
}

/// Sends bytes and returns the answer; `None` if the connection ended without one.
///
/// # Panics
/// If neither comes within 25 s: a caller must never be left waiting.
pub fn send(port: u16, bytes: &[u8]) -> Option<Answer> {
    let mut stream = connect(port);
    // The lab may answer and close before it has read everything; its answer counts, not our write.
    let _ = stream.write_all(bytes);
    read(&mut stream)
}

/// Sends bytes and returns the answer; `None` if nobody listens or the connection ended without one.
///
/// # Panics
/// If neither comes within 25 s.
pub fn try_send(port: u16, bytes: &[u8]) -> Option<Answer> {
    let mut stream = try_connect(port).ok()?;
    let _ = stream.write_all(bytes);
    read(&mut stream)
}

/// Sends bytes, ends the sending side, and returns the answer; `None` if the connection ended without one.
///
/// # Panics
/// If neither comes within 25 s.
pub fn send_and_end(port: u16, bytes: &[u8]) -> Option<Answer> {
    let mut stream = connect(port);
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    read(&mut stream)
}

fn read(stream: &mut TcpStream) -> Option<Answer> {
    let began = Instant::now();
    let mut received = Vec::new();
    let mut buffer = [0_u8; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return parse(&received, true),
            Ok(count) => {
                received.extend_from_slice(&buffer[..count]);
                assert!(received.len() <= LARGEST_ANSWER, "an answer without end");
                if let Some(answer) = parse(&received, false) {
                    return Some(answer);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            // A reset after the answer came is how a server says that it reads no further.
            Err(_) => return parse(&received, true),
        }
        assert!(began.elapsed() < Duration::from_secs(25), "neither an answer nor an end of the connection");
    }
}

/// The answer in these bytes once it is whole, or whatever there is at the end of the connection.
fn parse(bytes: &[u8], ended: bool) -> Option<Answer> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&bytes[..head]);
    let mut lines = text.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = &bytes[head + 4..];
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    (ended || body.len() >= length).then(|| Answer { status, headers, body: body.to_vec() })
}
