//! AD FS through its front door: requests to a lab of the default world, with a frozen clock and without sockets.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing where it does")]

mod alternate_login_id;
mod authorize;
mod bad_input;
mod browser;
mod caller;
mod device;
mod documents;
mod events;
mod forge;
mod front_door;
mod lockout;
mod logout;
mod loops;
mod masking;
mod not_built;
mod on_behalf_of;
mod pages;
mod refresh;
mod refusals;
mod scopes;
mod sign_in;
mod tokens;
mod userinfo;
