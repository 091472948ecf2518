//! A proxy that lets nobody through and writes down where they wanted to go.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// The wall; gone when dropped.
pub(crate) struct Wall {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Wall {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, ends) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let thread = std::thread::spawn({
            let (asked, ends) = (Arc::clone(&asked), Arc::clone(&ends));
            move || {
                for stream in listener.incoming().flatten() {
                    if ends.load(Ordering::SeqCst) {
                        break;
                    }
                    if let Some(line) = refuse(&stream) {
                        asked.lock().unwrap().push(line);
                    }
                }
            }
        });
        Self { port, asked, ends, thread: Some(thread) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The request line of each who came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Reads a head, answers 502, and says what the head began with.
fn refuse(mut stream: &TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    while lines.next()?.ok()?.as_str() != "" {}
    let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    Some(first)
}

impl Drop for Wall {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Whatever comes ends the wait for the next who comes.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
