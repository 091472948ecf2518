//! Huge pages: none for this process, and for the commands it starts what they would have without it.
//!
//! Decides that a lab takes memory by pages of the usual size. Where a system gives huge ones to everybody, each stretch that the
//! allocator touches is two megabytes, and an idle lab more than twice as large. What is asked of the system for a process holds for
//! those that it starts as well: so it is taken back before one is. Does nothing where there are no such pages.

#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(target_os = "linux")]
use rustix::thread::{disable_transparent_huge_pages, transparent_huge_pages_are_disabled};

/// Whether it was us who asked for none.
#[cfg(target_os = "linux")]
static ASKED: AtomicBool = AtomicBool::new(false);

/// None from here on.
pub(crate) fn without() {
    #[cfg(target_os = "linux")]
    if matches!(transparent_huge_pages_are_disabled(), Ok(false)) {
        ASKED.store(disable_transparent_huge_pages(true).is_ok(), Ordering::Relaxed);
    }
}

/// As they were when this process began.
pub(crate) fn as_before() {
    #[cfg(target_os = "linux")]
    if ASKED.swap(false, Ordering::Relaxed) {
        // what could be asked for can be taken back
        let _ = disable_transparent_huge_pages(false);
    }
}
