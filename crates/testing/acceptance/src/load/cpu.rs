//! CPU time of a process that runs.
//!
//! Decides how it is counted: to the nanosecond, thread by thread, as the scheduler keeps it (`/proc/PID/task/*/schedstat`); how it
//! divides into user's and kernel's is known in ticks of ten milliseconds alone (`/proc/PID/stat`). Of a thread that ended between two
//! looks, what it did since the first is lost. Where there is no scheduler's count the ticks are all there is.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use crate::Failure;

/// What a process had spent at one moment.
pub(crate) struct Cpu {
    user: Duration,
    system: Duration,
    /// Nanoseconds of each thread.
    threads: HashMap<String, u64>,
}

/// What it spent between two.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// By ticks.
    user: Duration,
    /// By ticks: in the kernel, on its account.
    system: Duration,
    pub(crate) all: Duration,
}

impl Cpu {
    /// What the process of this id has spent by now, with so many ticks in a second.
    pub(crate) fn of(process: u32, ticks: u64) -> Result<Self, Failure> {
        let path = format!("/proc/{process}/stat");
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("{path}: {error}; this tool measures on Linux"))?;
        // The second field is the name in parentheses and may hold anything; the fields counted here follow it.
        let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
        let field =
            |at: usize| fields.split_ascii_whitespace().nth(at).and_then(|field| field.parse::<u64>().ok());
        let (Some(user), Some(system)) = (field(11), field(12)) else {
            return Err(format!("{path} is not what it should be").into());
        };
        let time = |count: u64| Duration::from_millis(count * 1000 / ticks);
        let mut threads = HashMap::new();
        for thread in fs::read_dir(format!("/proc/{process}/task"))?.flatten() {
            // one that has ended by now has nothing to tell
            let spent = fs::read_to_string(thread.path().join("schedstat")).ok();
            let spent = spent.and_then(|text| text.split_ascii_whitespace().next()?.parse().ok());
            threads.extend(spent.map(|spent| (thread.file_name().to_string_lossy().into_owned(), spent)));
        }
        Ok(Self { user: time(user), system: time(system), threads })
    }

    /// What was spent since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Spent {
        let (user, system) =
            (self.user.saturating_sub(earlier.user), self.system.saturating_sub(earlier.system));
        let one = |(thread, now): (&String, &u64)| {
            now.saturating_sub(earlier.threads.get(thread).copied().unwrap_or_default())
        };
        let all = match self.threads.len() {
            0 => user + system,
            _ => Duration::from_nanos(self.threads.iter().map(one).sum()),
        };
        Spent { user, system, all }
    }
}

impl Spent {
    /// With what was spent besides.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { user: self.user + other.user, system: self.system + other.system, all: self.all + other.all }
    }

    /// How much of it the kernel took.
    pub(crate) fn kernel(self) -> Duration {
        let ticks = self.user + self.system;
        if ticks.is_zero() { ticks } else { self.all.mul_f64(self.system.div_duration_f64(ticks)) }
    }

    /// How much of it was the process's own.
    pub(crate) fn user(self) -> Duration {
        self.all.saturating_sub(self.kernel())
    }
}
