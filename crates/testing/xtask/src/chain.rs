//! A lab without sockets whose calls reach itself: enough to run one Dual Write from end to end.
//!
//! Decides only the wiring. Time stands still and randomness is seeded, so what is written down about a run is the same
//! every time. Never used by the product, whose calls travel over real sockets.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, header};
use mocktenant_aos::Aos;
use mocktenant_dataverse::Dataverse;
use mocktenant_entra::Entra;
use mocktenant_lab::{ClockChange, Command, Entrance, InProcess, Lab, Random, Request, Response};
use mocktenant_verdict::Switches;
use mocktenant_world::World;
use time::macros::datetime;

/// A lab of the three products, not yet started, without calls.
pub fn lab(world: &Arc<World>) -> Lab {
    Lab::builder(Arc::clone(world))
        .switches(Switches::every_setting())
        .surface(Entra)
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

/// Answers a request with a body, as if it had come to `host` by the port of its entrance.
pub async fn send(lab: &Lab, method: Method, url: &str, headers: HeaderMap, body: Vec<u8>) -> Response {
    let (host, target) = split(url).unwrap_or((url, "/"));
    let entrance = entrance(lab, host).unwrap_or(Entrance::Identity);
    let mut request = Request::new(method, host, target, entrance);
    request.headers = headers;
    request.body = Ok(body.into());
    lab.answer(request).await
}

/// Headers of a form post.
pub fn form() -> HeaderMap {
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    HeaderMap::from_iter([(header::CONTENT_TYPE, kind)])
}

fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://")?;
    Some(rest.find('/').map_or((rest, "/"), |at| rest.split_at(at)))
}

fn entrance(lab: &Lab, host: &str) -> Option<Entrance> {
    let name = host.split(':').next()?;
    lab.entrance_of(&name.to_ascii_lowercase())
}
