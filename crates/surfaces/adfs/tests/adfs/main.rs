//! AD FS through its front door: requests to a lab of the default world, with a frozen clock and without sockets.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing where it does")]

mod front_door;
mod pages;
mod userinfo;
