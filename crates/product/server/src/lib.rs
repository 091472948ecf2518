//! Sockets, TLS, limits, outbound: puts one lab together.
//!
//! Decides where a lab listens, whom it trusts, how long a caller may take and what is written to the state directory.
//! Never decides what a product answers. Nothing here is global: two labs in one process never see each other.

mod authority;
pub mod client;
mod connection;
mod error;
mod files;
mod limits;
mod listen;
mod mount;
mod names;
mod outbound;
mod proxy;
mod public_roots;
mod running;
mod settings;
mod share;
mod state;
mod stream;
mod tls;
mod traffic;
mod translate;
mod trust;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use mocktenant_lab::{Entrance, Random};
use mocktenant_verdict::Switches;
use mocktenant_world::World;

pub use error::StartError;
pub use files::read_state_file;
pub use listen::{DEFAULT_BASE, Ports, RealNames};
pub use mocktenant_control::endpoints::nouns as control_nouns;
pub use mocktenant_control::settings::{
    Adfs, Aos, CustomApi, Dataverse, Entra, ManagedIdentity, Settings, User,
};
pub use running::{Running, Urls, control_token, settings_without_lab, start};
pub use state::default_state_dir;

/// What to start.
pub struct Options {
    /// The world the lab begins with and returns to at a reset.
    pub world: Arc<World>,
    /// The state directory; it is created where it does not exist.
    pub state: PathBuf,
    /// Where to listen.
    pub ports: Ports,
    /// Whether to listen on 443 and 80 too, where the name asked for says which product is meant.
    pub real_names: RealNames,
    /// The addresses to listen on; empty means 127.0.0.1, and `::1` where the machine has it.
    pub bind: Vec<IpAddr>,
    /// URLs under which entrances are reached from elsewhere (mapped ports): scheme, host and port.
    pub public_urls: HashMap<Entrance, String>,
    /// A folder besides, in which everybody may read the roots and nothing else is: for a volume that others mount.
    pub ca_directory: Option<PathBuf>,
    /// Checks turned off, for tests only.
    pub switches: Switches,
    /// Randomness; seeded in tests only.
    pub random: Random,
    /// The broken world it begins in; a reset still leads to `world`.
    pub scenario: Option<String>,
    /// Bearer token of the control API.
    pub control_token: Option<String>,
    /// Without a token: whether callers from beyond this machine may use the control API.
    pub control_open: bool,
    /// True for `serve`: holds the state directory and writes `settings.json` there. Otherwise the lab shares only the CA
    /// and writes below `run/`, which goes when it stops.
    pub publish_settings: bool,
}

impl Options {
    /// A lab of `world` on the default ports of the loopback addresses that does not publish itself.
    pub fn new(world: Arc<World>, state: impl Into<PathBuf>) -> Self {
        Self {
            world,
            state: state.into(),
            ports: Ports::default(),
            real_names: RealNames::default(),
            bind: Vec::new(),
            public_urls: HashMap::new(),
            ca_directory: None,
            switches: Switches::default(),
            random: Random::System,
            scenario: None,
            control_token: None,
            control_open: false,
            publish_settings: false,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("state", &self.state)
            .field("ports", &self.ports)
            .field("real_names", &self.real_names)
            .field("bind", &self.bind)
            .field("public_urls", &self.public_urls)
            .field("publish_settings", &self.publish_settings)
            .finish_non_exhaustive()
    }
}
