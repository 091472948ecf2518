//! Why a lab could not be started, in words that name what to change.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use mocktenant_keys::CaError;
use mocktenant_lab::CommandError;
use mocktenant_world::WorldError;

/// Why a lab could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Something else listens there.
    #[error(
        "port {port} ({entrance}) on {address} is taken; `--port BASE` chooses other ports, `--port 0` takes free ones"
    )]
    Busy {
        /// The port.
        port: u16,
        /// What was to listen there: `tools`, `identity`, `environment/onebox`, ...
        entrance: String,
        /// The address.
        address: IpAddr,
        /// The system's words.
        source: io::Error,
    },
    /// The address cannot be listened on for another reason.
    #[error(
        "cannot listen on {address}, port {port} ({entrance}); `--bind` chooses the address, `--port` the ports"
    )]
    Listen {
        /// The port; 0 is any free one.
        port: u16,
        /// What was to listen there.
        entrance: String,
        /// The address.
        address: IpAddr,
        /// The system's words.
        source: io::Error,
    },
    /// A port that `--real-names` needs cannot be had.
    #[error(
        "`--real-names` needs port {port} on {address}, which {}",
        if source.kind() == io::ErrorKind::AddrInUse { "is taken" } else { "this user may not listen on" }
    )]
    RealNames {
        /// 443 or 80.
        port: u16,
        /// The address.
        address: IpAddr,
        /// The system's words.
        source: io::Error,
    },
    /// The base leaves no room for the offsets above it.
    #[error("`--port {base}` leaves no room: the highest base is {highest}")]
    PortBase {
        /// As given.
        base: u16,
        /// The highest that works.
        highest: u16,
    },
    /// Whoever reaches the address could change the lab.
    #[error(
        "listening on {address} would let other machines reach the control API, which has no token; set MOCKTENANT_CONTROL_TOKEN, or let everybody in with `--control open`"
    )]
    ControlUnguarded {
        /// The address.
        address: IpAddr,
    },
    /// Another lab serves from this state directory.
    #[error(
        "the state directory {} is held by {}; stop that one, or choose another with `--state DIR`",
        state.display(),
        pid.map_or_else(|| String::from("another process"), |pid| format!("process {pid}")),
    )]
    Held {
        /// The holder's process id, where it could be read.
        pid: Option<u32>,
        /// The holder's instance id, where it could be read.
        instance: Option<String>,
        /// The state directory.
        state: PathBuf,
    },
    /// A file or directory of the state could not be used.
    #[error("cannot {doing} {}; `--state DIR` chooses another directory", path.display())]
    State {
        /// `create`, `read`, `write`, `lock`.
        doing: &'static str,
        /// What it was about.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The roots cannot be put where others would read them.
    #[error("cannot write {}; `--ca-directory DIR` chooses another directory", path.display())]
    CaDirectory {
        /// What it was about.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Others would read the state.
    #[error(
        "`--ca-directory {}` is in the state directory, which holds keys; a directory for others is another one",
        path.display()
    )]
    CaDirectoryInState {
        /// As given.
        path: PathBuf,
    },
    /// A file or directory of the state is not what a lab of this user would have made there.
    #[error("{} {why}; {remedy}", path.display())]
    Dishonest {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What its owner can do.
        remedy: String,
    },
    /// The lab's certificate authority could not be made.
    #[error("the lab's certificate authority cannot be made")]
    Ca(#[from] CaError),
    /// TLS could not be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The broken world it was to begin in cannot be had.
    #[error("the lab cannot begin in this scenario")]
    Scenario(#[source] CommandError),
    /// A product does not take what the world declares of its tables and rows.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A public URL is none.
    #[error("the public URL of {entrance}, {url:?}, is no absolute http or https URL without a path")]
    PublicUrl {
        /// Whose.
        entrance: String,
        /// As given.
        url: String,
    },
}

impl StartError {
    /// The exit code of the process contract: 2 for what was asked for, 3 where the machine cannot give it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Scenario(_)
            | Self::World(_)
            | Self::PortBase { .. }
            | Self::PublicUrl { .. }
            | Self::ControlUnguarded { .. }
            | Self::CaDirectoryInState { .. }
            | Self::Ca(_) => 2,
            Self::Busy { .. }
            | Self::Listen { .. }
            | Self::RealNames { .. }
            | Self::Held { .. }
            | Self::State { .. }
            | Self::CaDirectory { .. }
            | Self::Dishonest { .. }
            | Self::Tls(_) => 3,
        }
    }
}
