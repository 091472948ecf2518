//! Log lines on stderr, as text or JSON.
//!
//! Decides where they go and how they look. The subscriber is set for the threads of one runtime, never for the process:
//! a process may hold two labs.

use std::cell::RefCell;
use std::io::IsTerminal as _;

use tokio::runtime::{Builder, Runtime};
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;

use crate::args::{Common, LogFormat, LogLevel};
use crate::console;

thread_local! {
    /// Keeps the subscriber of a runtime's thread as long as the thread lives.
    static SUBSCRIBER: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

fn dispatch(common: &Common) -> Dispatch {
    let level = match common.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(level);
    match common.log_format {
        LogFormat::Json => Dispatch::new(subscriber.json().finish()),
        LogFormat::Text => {
            let colour = std::io::stderr().is_terminal() && !console::colour_forbidden();
            Dispatch::new(subscriber.with_ansi(colour).with_target(false).finish())
        }
    }
}

fn install(dispatch: &Dispatch) {
    // Called once per thread, as it starts; the guard goes with the thread.
    SUBSCRIBER.with(|kept| *kept.borrow_mut() = Some(tracing::dispatcher::set_default(dispatch)));
}

/// A runtime whose threads log: many threads for a verb that serves, the own thread for one that only asks.
pub(crate) fn runtime(common: &Common, serves: bool) -> std::io::Result<Runtime> {
    let dispatch = dispatch(common);
    install(&dispatch);
    let mut builder = if serves { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().on_thread_start(move || install(&dispatch)).build()
}
