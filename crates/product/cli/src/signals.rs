//! Signals: the first asks for a graceful stop, the second for one at once.

use std::io;

/// Listens for SIGTERM and SIGINT (Ctrl-C elsewhere).
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Begins to listen; from now on no signal ends the process by itself.
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Begins to listen.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the same signature on every platform")]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// The next signal, whichever it is.
    pub(crate) async fn next(&mut self) {
        self.which().await;
    }

    /// The next signal.
    #[cfg(unix)]
    pub(crate) async fn which(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.interrupt.recv() => Signal::Interrupt,
        }
    }

    /// The next signal.
    #[cfg(not(unix))]
    pub(crate) async fn which(&mut self) -> Signal {
        // An error means that there is no console to press Ctrl-C on: then nothing ever comes.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}

/// A wish to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal"))]
    Terminate,
    /// SIGINT, Ctrl-C.
    Interrupt,
}

impl Signal {
    /// As a shell gives it for a command that it ended: 128 and its number.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Terminate => 143,
            Self::Interrupt => 130,
        }
    }

    /// Hands it on to a child, which a terminal's Ctrl-C has reached already: the same group gets it.
    #[cfg(unix)]
    pub(crate) fn pass_on(self, child: Option<u32>) {
        use std::io::IsTerminal as _;

        use rustix::process::{Pid, Signal as System, kill_process};
        let system = match self {
            Self::Interrupt if std::io::stdin().is_terminal() => return,
            Self::Interrupt => System::INT,
            Self::Terminate => System::TERM,
        };
        // A child that has ended meanwhile has no need of it.
        if let Some(child) = child.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            let _ = kill_process(child, system);
        }
    }

    /// The console gives Ctrl-C to the child as well.
    #[cfg(not(unix))]
    pub(crate) fn pass_on(self, _child: Option<u32>) {}
}
