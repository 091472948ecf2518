//! Log lines on stderr, as text or JSON.
//!
//! Decides where they go, how they look, and that nobody waits for whoever reads them: lines are handed to a thread of
//! their own through a queue with an end, a line is bounded, and what finds no room is counted and said. The subscriber is
//! set for the threads of one runtime, never for the process: a process may hold two labs.

use std::cell::RefCell;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::args::{Common, LogFormat, LogLevel};
use crate::screen;

/// Longest line, in bytes. Texts of strangers are bounded where they are logged; this is for what nobody thought of.
const LINE_BUDGET: usize = 1_800;
/// Lines in the queue.
const QUEUE: usize = 1_024;
/// How long the last lines may take to be written.
const LAST_LINES: Duration = Duration::from_millis(300);

thread_local! {
    /// Keeps the subscriber of a runtime's thread as long as the thread lives.
    static SUBSCRIBER: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

/// The log of one process: lines on their way to stderr.
#[derive(Clone)]
pub(crate) struct Log {
    queue: SyncSender<Vec<u8>>,
    format: LogFormat,
    /// Lines that found no room and were not mentioned yet.
    dropped: Arc<AtomicU64>,
    /// Lines that were not written yet.
    pending: Arc<AtomicUsize>,
}

impl Log {
    fn begin(format: LogFormat) -> io::Result<Self> {
        let (queue, lines) = sync_channel(QUEUE);
        let log = Self { queue, format, dropped: Arc::default(), pending: Arc::default() };
        let (dropped, pending) = (Arc::clone(&log.dropped), Arc::clone(&log.pending));
        std::thread::Builder::new()
            .name(String::from("log"))
            .spawn(move || write(&lines, format, &dropped, &pending))?;
        Ok(log)
    }

    /// Waits for what is on its way, for a while.
    pub(crate) fn end(&self) {
        let deadline = Instant::now() + LAST_LINES;
        while self.pending.load(Ordering::Acquire) > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Writes lines until the log is gone. Only this thread ever waits for stderr.
fn write(lines: &Receiver<Vec<u8>>, format: LogFormat, dropped: &AtomicU64, pending: &AtomicUsize) {
    while let Ok(mut line) = lines.recv() {
        let missing = dropped.swap(0, Ordering::Relaxed);
        if missing > 0 {
            line.extend_from_slice(
                remark(format, &format!("{missing} log lines were dropped here")).as_bytes(),
            );
        }
        // Without a stderr there is nobody to tell.
        let _ = io::stderr().lock().write_all(&line);
        pending.fetch_sub(1, Ordering::Release);
    }
}

/// A line of the log's own.
fn remark(format: LogFormat, text: &str) -> String {
    match format {
        LogFormat::Json => {
            format!("{}\n", serde_json::json!({ "level": "WARN", "fields": { "message": text } }))
        }
        LogFormat::Text => format!("... {text}\n"),
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = &'w Self;

    fn make_writer(&'w self) -> &'w Self {
        self
    }
}

impl io::Write for &Log {
    /// Called with whole lines.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let kept = if line.len() <= LINE_BUDGET {
            line.to_vec()
        } else if let LogFormat::Json = self.format {
            remark(self.format, &format!("a log line of {} bytes was left out", line.len())).into_bytes()
        } else {
            let cut = String::from_utf8_lossy(&line[..LINE_BUDGET]);
            format!("{}...\n", cut.trim_end_matches('\u{fffd}')).into_bytes()
        };
        self.pending.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(kept).is_err() {
            self.pending.fetch_sub(1, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn dispatch(common: &Common, log: &Log) -> Dispatch {
    let level = match common.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_max_level(level);
    match common.log_format {
        LogFormat::Json => Dispatch::new(subscriber.json().finish()),
        LogFormat::Text => {
            let colour = io::stderr().is_terminal() && !screen::colour_forbidden();
            Dispatch::new(subscriber.with_ansi(colour).with_target(false).finish())
        }
    }
}

fn install(dispatch: &Dispatch) {
    // Called once per thread, as it starts; the guard goes with the thread.
    SUBSCRIBER.with(|kept| *kept.borrow_mut() = Some(tracing::dispatcher::set_default(dispatch)));
}

/// A runtime whose threads log: many threads for a verb that serves, the own thread for one that only asks.
pub(crate) fn runtime(common: &Common, serves: bool) -> io::Result<(Runtime, Log)> {
    let log = Log::begin(common.log_format)?;
    let dispatch = dispatch(common, &log);
    install(&dispatch);
    let mut builder = if serves { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let runtime = builder.enable_all().on_thread_start(move || install(&dispatch)).build()?;
    Ok((runtime, log))
}
