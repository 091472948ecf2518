//! Device codes of AD FS: somebody signs in here so that a device without a browser may go on (RFC 8628).
//!
//! Decides their policy: good for a quarter of an hour, once; nine letters for people; one poll in five seconds. Where a flow
//! begins is `begin`, what people see of it `confirm`, what the device gets for its code a grant. Windows Server 2016 has none
//! of it. The letters, the places there are, and that whoever asks too early has to wait longer are inferred.

mod begin;
mod confirm;
mod pages;

use mocktenant_idp::Kind;
use mocktenant_idp::Polling;
use mocktenant_idp::device_code::{DeviceCode, Devices};
use mocktenant_lab::{Answer, Exchange};
use mocktenant_world::declaration::Profile;
use serde::{Deserialize, Serialize};
use time::Duration;

pub(crate) use self::begin::questions as begin_questions;
pub(crate) use self::confirm::questions as confirm_questions;
use crate::errors::AdfsError;
use crate::{envelope, service};

/// What is sealed as a device code.
pub(crate) const DEVICE_CODE: Kind<DeviceCode> = Kind::new("adfs-device-code");

/// Seconds between two polls, as devices are told.
const INTERVAL: i64 = 5;

/// Policy.
pub(crate) const DEVICES: Devices = Devices {
    // As `expires_in` was captured.
    lifetime: Duration::seconds(899),
    alphabet: "BCDFGHJKLMNPQRSTVWXZ",
    letters: 9,
    polling: Some(Polling {
        kind: "adfs-device-poll",
        interval: Duration::seconds(INTERVAL),
        slow_down: Duration::seconds(INTERVAL),
    }),
    // There are 5 * 10^11 codes, and nobody is signed in yet whose guesses could be told from another's.
    guesses: None,
    capacity: 256,
    most_octets: 4 * 1024,
};

/// What a device asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// The resource as it was asked for.
    pub(crate) resource: String,
    /// The scopes that were granted.
    pub(crate) scopes: Vec<String>,
}

/// Begins a flow.
pub(crate) fn begin(exchange: &mut Exchange) -> Answer {
    from_2019(exchange, begin::answer)
}

/// Shows its pages.
pub(crate) fn confirm(exchange: &mut Exchange) -> Answer {
    from_2019(exchange, confirm::answer)
}

/// Before Windows Server 2019 nothing answers here.
fn from_2019(exchange: &mut Exchange, answer: fn(&mut Exchange) -> Answer) -> Answer {
    let profile = service::of(exchange).map(|prepared| prepared.service.profile);
    if profile.is_some_and(|profile| profile < Profile::Server2019) {
        let path = exchange.request.path().to_owned();
        return envelope::refusal(exchange, &AdfsError::NoHandler { path });
    }
    answer(exchange)
}
