//! Memory that a start or a burst of requests needed goes back to the system once they are over.
//!
//! Decides when: nothing has been answered for a second. The allocator looks for what was freed a second ago when something happens, and
//! a thread that was there meanwhile and ends is enough (one that is made for it is not). A lab that nobody asks would keep two to four
//! megabytes otherwise. Never asks the allocator for anything, and nobody waits for it.

use std::thread::Builder;
use std::time::{Duration, Instant};

use mocktenant_lab::journal::{Batch, Reader};

/// How long memory is free before the allocator gives it back, and a little.
const FREED_FOR: Duration = Duration::from_millis(1100);

/// How often it is looked whether something came.
const LOOK: Duration = Duration::from_millis(200);

/// Gives it back after each burst, until the lab is gone; the start is the first.
pub(crate) fn when_quiet(mut exchanges: Reader) {
    let named = |name: &str| Builder::new().name(String::from(name));
    // where no thread can be made the memory stays
    drop(named("give-back").spawn(move || {
        loop {
            let Ok(burst) = named("burst").spawn(move || until_quiet(exchanges)) else { return };
            let Ok(quiet) = burst.join() else { return };
            exchanges = quiet;
            if until_more(&mut exchanges) {
                return;
            }
        }
    }));
}

/// Waits until nothing has come for so long.
fn until_quiet(mut exchanges: Reader) -> Reader {
    let mut last = Instant::now();
    while last.elapsed() < FREED_FOR {
        std::thread::sleep(LOOK);
        if exchanges.read(0).missed > 0 {
            last = Instant::now();
        }
    }
    exchanges
}

/// Waits until something comes; whether nothing will.
fn until_more(exchanges: &mut Reader) -> bool {
    loop {
        std::thread::sleep(LOOK);
        let Batch { missed, ended, .. } = exchanges.read(0);
        if missed > 0 || ended {
            return ended;
        }
    }
}
