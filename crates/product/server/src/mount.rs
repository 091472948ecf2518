//! Which products a lab plays.
//!
//! Decides the surfaces and their order: for local names the first that wants a path at an entrance gets it.

use std::sync::Arc;

use mocktenant_adfs::Adfs;
use mocktenant_aos::Aos;
use mocktenant_dataverse::Dataverse;
use mocktenant_entra::{Entra, ManagedIdentity};
use mocktenant_lab::{Lab, Random};
use mocktenant_verdict::Switches;
use mocktenant_world::World;

/// A lab of this world with every product, not yet started.
pub(crate) fn lab(world: Arc<World>, random: Random, switches: Switches) -> Lab {
    Lab::builder(world)
        .surface(Entra::new())
        .surface(ManagedIdentity)
        .surface(Adfs)
        .surface(Aos::new())
        .surface(Dataverse::new())
        .random(random)
        .switches(switches)
        .build()
}
