//! Real, unmodified clients of AD FS, a test per flow: what they see, and what the lab's journal says they did.
//!
//! A program of `clients/adfs` is told a flow and where the settings are, and prints one JSON object with what the client
//! saw; a judge in Rust reads that and the journal, and says in a few words what came of it. After the run the last part of
//! `docs/clients.md` has to be those words. Each flow has a lab of its own, by its address on localhost or, inside `mocktenant
//! exec`, by the federation service's own name. A file per language has its clients.
//!
//! What is not on this machine is one row each that says so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod alike;
mod dotnet;
mod go;
mod java;
mod metadata;
mod node;
mod page;
mod python;
mod run;
mod seen;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Trial};
use mocktenant_acceptance::clients_page::{self, Outcome};
use mocktenant_acceptance::pins::Pin;
use mocktenant_acceptance::programs::{Language, Program};
use mocktenant_acceptance::{tools, trials};

use crate::run::Way;
use crate::seen::Seen;

/// A client.
pub(crate) struct Client {
    /// As the page has it.
    pub(crate) name: &'static str,
    pub(crate) pin: Pin,
    pub(crate) language: Language,
    /// Below `clients/adfs`.
    pub(crate) file: &'static str,
    pub(crate) flows: &'static [Flow],
}

/// What a client does, and what has to come of it.
pub(crate) struct Flow {
    /// What the program is told, with lines between the words; as the page and the test's name have it.
    pub(crate) name: &'static str,
    pub(crate) way: Way,
    /// Judges it; what the page says.
    pub(crate) judge: fn(&Seen) -> String,
}

/// A flow on localhost.
pub(crate) const fn flow(name: &'static str, judge: fn(&Seen) -> String) -> Flow {
    Flow { name, way: Way::Localhost, judge }
}

/// A flow by the name of the world.
pub(crate) const fn by_name(name: &'static str, judge: fn(&Seen) -> String) -> Flow {
    Flow { name, way: Way::Name, judge }
}

/// The clients of every language.
const LANGUAGES: &[&[Client]] =
    &[python::CLIENTS, node::CLIENTS, go::CLIENTS, java::CLIENTS, dotnet::CLIENTS];

/// A client and what came of its flows.
struct Row {
    client: &'static Client,
    program: OnceLock<Program>,
    page: clients_page::Row,
}

impl Row {
    fn new(client: &'static Client) -> Self {
        let Client { name, pin, language, file, flows } = client;
        let version = pin.version(&tools::clients().join("adfs").join(file));
        let flows = flows.iter().map(|flow| flow.name).collect();
        let page = clients_page::Row::new(name, version, *language, &format!("adfs/{file}"), flows);
        Self { client, program: OnceLock::new(), page }
    }

    fn judge(&self, number: usize) {
        let Client { language, file, flows, .. } = self.client;
        let source = tools::clients().join("adfs").join(file);
        let program = self.program.get_or_init(|| language.program(&source));
        let flow = &flows[number];
        let said = (flow.judge)(&run::seen(program, flow));
        self.page.note(number, Outcome::Ran(said));
    }
}

fn trials(row: &Arc<Row>) -> Vec<Trial> {
    let here = row.client.language.is_here();
    let flows = row.client.flows.iter().enumerate();
    flows
        .map(|(number, flow)| {
            let name = format!("{}::{}", trials::plain(row.client.name), trials::plain(flow.name));
            if let Err(missing) = &here {
                row.page.note(number, Outcome::Missing(missing.why.clone()));
                return trials::skipped(&name, missing);
            }
            let row = Arc::clone(row);
            Trial::test(name, move || {
                row.judge(number);
                Ok(())
            })
        })
        .collect()
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let clients = LANGUAGES.iter().copied().flatten();
    let rows: Vec<Arc<Row>> = clients.map(|client| Arc::new(Row::new(client))).collect();
    let all = rows.iter().flat_map(trials).chain(metadata::trials()).collect();
    trials::run(&arguments, all, "the_page_about_clients_says_what_came_of_adfs", move || {
        // Whatever was run is looked up there, also one flow alone.
        rows.iter().any(|row| row.page.has_run()).then(|| page::is_written(&rows))
    })
}
