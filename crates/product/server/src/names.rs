//! The names a running lab answers to, as TLS and outgoing calls need them.
//!
//! Asks the lab each time, so an edited world counts at once. The lab owns its `Outbound`, which asks here: the way back
//! to the lab is cut when the lab stops, or it would never be freed.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use mocktenant_lab::request::HostName;
use mocktenant_lab::{Entrance, Lab};

/// The names of one lab.
pub(crate) struct Names {
    lab: RwLock<Option<Lab>>,
    /// Hosts of public URLs that are not local names.
    public: Vec<String>,
}

impl Names {
    pub(crate) fn new(lab: Lab, public: Vec<String>) -> Self {
        Self { lab: RwLock::new(Some(lab)), public }
    }

    /// Lets go of the lab.
    pub(crate) fn forget(&self) {
        self.lab.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Whether the lab was let go of: it answers to nothing then, whatever its world says.
    pub(crate) fn is_over(&self) -> bool {
        self.lab.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The entrance a world name leads to.
    pub(crate) fn entrance_of(&self, host: &str) -> Option<Entrance> {
        let lab = self.lab.read().unwrap_or_else(PoisonError::into_inner);
        lab.as_ref().and_then(|lab| lab.entrance_of(host))
    }

    /// What is stopped behind a world name, as people call it: then it refuses connections.
    pub(crate) fn stopped_at(&self, host: &str) -> Option<&'static str> {
        let lab = self.lab.read().unwrap_or_else(PoisonError::into_inner);
        lab.as_ref().and_then(|lab| lab.stopped_at(host))
    }

    /// Whether the lab speaks TLS as `host`: a name of the world, a local one, or a public one.
    pub(crate) fn answers_to(&self, host: &str) -> bool {
        let local = host.parse::<std::net::IpAddr>().is_ok()
            || HostName::parse(host).is_some_and(|host| host.is_local());
        local || self.public.iter().any(|public| public == host) || self.entrance_of(host).is_some()
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Names").field("public", &self.public).finish_non_exhaustive()
    }
}
