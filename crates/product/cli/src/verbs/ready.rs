//! `ready`: whether a lab answers; with `--wait`, waits for one.

use std::time::{Duration, Instant};

use crate::args::{Common, Ready};
use crate::console;
use crate::failure::{Exit, Outcome};
use crate::find_lab::Candidate;

const PAUSE: Duration = Duration::from_millis(50);

/// Looks again each time: a lab that starts renames its settings file into place.
pub(crate) async fn run(common: &Common, ready: Ready) -> Outcome {
    let deadline = ready.wait.map(|seconds| Instant::now() + Duration::from_secs(seconds.min(86_400)));
    loop {
        let answering = match Candidate::find(common) {
            Ok(candidate) => candidate.reach().await,
            Err(failure) => Err(failure),
        };
        let failure = match answering {
            Ok(lab) => {
                console::line(&format!("ready at {}", lab.url()))?;
                return Ok(0);
            }
            // Waiting mends no command line; a settings file that cannot be read may yet be replaced.
            Err(failure) if failure.exit_code() == Exit::Usage as u8 => return Err(failure),
            Err(failure) => failure,
        };
        if deadline.is_none_or(|deadline| Instant::now() + PAUSE > deadline) {
            return Err(failure);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
