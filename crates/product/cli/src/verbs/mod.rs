//! One file per verb.

pub(crate) mod events;
mod exec;
pub(crate) mod explain;
mod get;
mod journal;
mod ready;
mod reproduce;
mod restart;
mod rollover;
mod scenarios;
mod serve;
pub(crate) mod servicing;
mod set;
pub(crate) mod settings;
pub(crate) mod stop;
pub(crate) mod token;
pub(crate) mod trust;
mod try_from_here;
pub(crate) mod try_once;
mod unset;

use std::time::Instant;

use crate::args::{Cli, Verb};
use crate::failure::{Exit, Failure, Outcome};
use crate::signals::Signals;
use crate::{descriptors, log};

/// Runs one verb. `began` is when the process did.
pub(crate) fn run(cli: Cli, began: Instant) -> Outcome {
    let Cli { common, verb } = cli;
    let serves = matches!(verb, Verb::Serve(_) | Verb::Reproduce(_) | Verb::Exec(_));
    let listens = serves || matches!(&verb, Verb::Try(attempt) if attempt.every.is_some());
    if serves {
        descriptors::raise();
    }
    let (runtime, log) = log::runtime(&common, serves)
        .map_err(|error| Failure::new(Exit::Unreachable, "cannot start the runtime").because(&error))?;
    let verb = async {
        match verb {
            Verb::Serve(serve) => serve::run(&common, serve, began).await,
            Verb::Reproduce(reproduce) => reproduce::run(&common, reproduce, began).await,
            Verb::Exec(exec) => exec::run(&common, exec).await,
            Verb::Explain(explain) => explain::run(&common, explain).await,
            Verb::Token(token) => token::run(&common, token).await,
            Verb::Journal(journal) => journal::run(&common, journal).await,
            Verb::Events(events) => events::run(&common, events).await,
            Verb::Get(get) => get::run(&common, get).await,
            Verb::Set(set) => set::run(&common, set).await,
            Verb::Try(attempt) => try_once::run(&common, attempt).await,
            Verb::Unset(unset) => unset::run(&common, unset).await,
            Verb::Restart(restart) => restart::run(&common, restart).await,
            Verb::Rollover(rollover) => rollover::run(&common, rollover).await,
            Verb::Stop(stop) => stop::stop(&common, stop).await,
            Verb::Start(start) => stop::start(&common, start).await,
            Verb::Servicing(servicing) => servicing::run(&common, servicing).await,
            Verb::Settings(settings) => settings::run(&common, settings).await,
            Verb::Trust(trust) => trust::run(&common, trust).await,
            Verb::Scenarios(scenarios) => scenarios::run(&common, scenarios).await,
            Verb::Ready(ready) => ready::run(&common, ready).await,
        }
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = verb => outcome,
            ended = first_process_ended(), if !listens => ended,
        }
    });
    // What is still being done in the background belongs to connections nobody waits for any more.
    runtime.shutdown_background();
    log.end();
    outcome
}

/// The first process of a container has no default for a signal: without this, one that does not listen would go on until it
/// is killed. Ends as any other process would have; never resolves where that is the system's to do.
async fn first_process_ended() -> Outcome {
    let signals = (std::process::id() == 1).then(Signals::listen);
    match signals {
        Some(Ok(mut signals)) => Ok(signals.which().await.exit_code()),
        _ => std::future::pending().await,
    }
}
