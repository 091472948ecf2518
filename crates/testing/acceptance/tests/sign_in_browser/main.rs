//! People sign in at AD FS, and to an AOS behind it, with a real browser: Chromium, which judges certificates, cookies, content policies and where forms may
//! lead as it does for everybody.
//!
//! Decides by what is seen in the window and by what reaches the application, by localhost without a hosts file and by the name of
//! the world over the lab's proxy, with scripts and without. The browser trusts the lab's roots because they are imported, as an
//! administrator does it. `SCREENSHOTS=folder` keeps a picture of every page.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod aos;
mod arrivals;
mod cookies;
mod device;
mod pages;
mod sign_in;
mod sign_out;
mod stage;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Trial};
use mocktenant_acceptance::chromium::window;
use mocktenant_acceptance::programs::Missing;
use mocktenant_acceptance::trials;

use crate::stage::{Stage, Tools};

/// What a window shows, and its name as a sentence.
pub(crate) type Case = (&'static str, fn(&Stage));

const CASES: &[&[Case]] =
    &[sign_in::CASES, pages::CASES, cookies::CASES, device::CASES, sign_out::CASES, aos::CASES];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases = CASES.iter().copied().flatten();
    let all = match Tools::find() {
        Err(why) => {
            let missing = Missing { why, is_required: true };
            vec![trials::skipped("a_browser_signs_in", &missing)]
        }
        Ok(tools) => {
            let stage = Arc::new((tools, OnceLock::new()));
            let case = |(name, case): &Case| {
                let (stage, case) = (Arc::clone(&stage), *case);
                Trial::test(*name, move || {
                    case(stage.1.get_or_init(|| Stage::set(&stage.0)));
                    Ok(())
                })
            };
            cases.map(case).collect()
        }
    };
    // The browser ends with the last case.
    libtest_mimic::run(&arguments, all).exit_code()
}
