//! A lab without sockets whose calls reach itself: enough to run one Dual Write from end to end.
//!
//! Decides only the wiring. Time stands still and randomness is seeded, so what is written down about a run is the same
//! every time. Never used by the product, whose calls travel over real sockets.

use std::sync::Arc;

use mocktenant_adfs::Adfs;
use mocktenant_aos::Aos;
use mocktenant_dataverse::Dataverse;
use mocktenant_entra::{Entra, ManagedIdentity};
use mocktenant_lab::{ClockChange, Command, InProcess, Lab, Random};
use mocktenant_verdict::Switches;
use mocktenant_world::World;
use time::macros::datetime;

/// A lab of all products, not yet started, without calls.
pub fn lab(world: &Arc<World>) -> Lab {
    Lab::builder(Arc::clone(world))
        .switches(Switches::every_setting())
        .surface(Entra::new())
        .surface(ManagedIdentity)
        .surface(Adfs)
        .surface(Aos::new())
        .surface(Dataverse::new())
        .random(Random::seeded(1))
        .build()
}

/// A started lab at 12:00 on 22 November 2026 whose calls reach itself.
pub async fn started(world: &Arc<World>) -> Lab {
    let lab = lab(world);
    // A clock change has no way to fail.
    let _ = lab.apply(Command::Clock(ClockChange::Freeze(datetime!(2026-11-22 12:00 UTC)))).await;
    lab.set_outbound(InProcess::by_world_names(&lab));
    lab.start_all().await;
    lab
}
