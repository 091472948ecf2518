//! The application that a browser comes back to: keeps what came, and sends the browser on to a page of its own.
//!
//! Decides what it answers: its redirect URI leads on to another origin, as many an application's does. Judges nothing.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mocktenant_acceptance::listener::{self, Asked};

/// A listener of this machine. Its thread ends with the process.
pub(crate) struct Application {
    port: u16,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Application {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let told = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let told = Arc::clone(&told);
                // A browser keeps a connection in store that it asks nothing over.
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                    let Some(asked) = listener::read(&stream) else { return };
                    if asked.target.starts_with("/told") {
                        told.lock().unwrap().push(asked);
                        listener::answer(&stream, 200, "text/html", "<p>told");
                    } else if asked.target.starts_with("/back") {
                        told.lock().unwrap().push(asked);
                        listener::send_on(&stream, &format!("http://localhost:{port}/home"));
                    } else {
                        listener::answer(&stream, 200, "text/html", "<title>home</title><p id=home>at home");
                    }
                });
            }
        });
        Self { port, seen }
    }

    /// Its redirect URI.
    pub(crate) fn back(&self) -> String {
        format!("http://127.0.0.1:{}/back", self.port)
    }

    /// Where it is told that somebody signed out.
    pub(crate) fn told(&self) -> String {
        format!("http://127.0.0.1:{}/told", self.port)
    }

    /// What came back, once; in its order.
    pub(crate) fn came(&self) -> Came {
        self.came_to("/back")
    }

    /// What came to that path, once; in its order.
    pub(crate) fn came_to(&self, path: &str) -> Came {
        let began = Instant::now();
        loop {
            let mut seen = self.seen.lock().unwrap();
            let there = |asked: &Asked| asked.target.split('?').next() == Some(path);
            if let Some(at) = seen.iter().position(there) {
                let asked = seen.remove(at);
                assert!(!seen.iter().any(there), "came more than once: {seen:?}");
                let (_, query) = asked.target.split_once('?').unwrap_or_default();
                let posted = asked.method == "POST";
                let fields = if posted { &*asked.body } else { query.as_bytes() };
                let fields = form_urlencoded::parse(fields).into_owned().collect();
                return Came { posted, fields, headers: asked.headers };
            }
            drop(seen);
            assert!(began.elapsed() < Duration::from_secs(20), "nobody came to {path}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether nobody came.
    pub(crate) fn is_untouched(&self) -> bool {
        self.seen.lock().unwrap().is_empty()
    }
}

/// A browser that came back.
pub(crate) struct Came {
    pub(crate) posted: bool,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Came {
    /// Names of what it brought.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// One of it; empty for what it did not bring.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}
