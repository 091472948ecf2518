//! Machines that start while the lab already answers: who asks one of them waits, nobody else does.
//!
//! Decides who waits for which machine when a lab opens. A call made because of something else is not held up, for it may be
//! a start that waits for it: a machine whose file names the machine itself would wait for ever. Never decides how a start
//! ends: one that failed is over as well. Mirrors a load balancer's patience with a service that comes up.
//!
//! Paid for by every request that names a machine: one look at a flag.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::Machine;

/// The machines of one lab that are still to start.
#[derive(Debug, Default)]
pub(crate) struct Starting {
    any: AtomicBool,
    machines: watch::Sender<Vec<Machine>>,
}

/// Starts that were announced. Whoever waits is let go when this is dropped, whatever has started by then.
#[derive(Debug)]
pub(crate) struct Announced<'s>(&'s Starting);

impl Starting {
    /// From here on these are waited for.
    pub(crate) fn announce(&self, machines: &[Machine]) -> Announced<'_> {
        self.machines.send_replace(machines.to_vec());
        self.any.store(!machines.is_empty(), Ordering::Release);
        Announced(self)
    }

    /// Waits until a machine has started, if it is still to.
    pub(crate) async fn wait_for(&self, machine: &Machine) {
        if self.any.load(Ordering::Acquire) {
            // The sender is as old as the lab.
            let _ = self.machines.subscribe().wait_for(|left| !left.contains(machine)).await;
        }
    }
}

impl Announced<'_> {
    /// This one has started, or failed to.
    pub(crate) fn over(&self, machine: &Machine) {
        self.0.machines.send_modify(|left| left.retain(|other| other != machine));
    }
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        self.0.any.store(false, Ordering::Release);
        self.0.machines.send_replace(Vec::new());
    }
}
