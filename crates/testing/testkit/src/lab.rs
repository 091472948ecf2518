//! One lab of a test: how it is put together, changed and ended.
//!
//! Decides that a lab lives on a thread of its own with its own runtime, and that a failing test prints the explanation of
//! everything its lab refused. Checks of a served lab can be turned off here and nowhere else: a test that switches one
//! off and stays green shows that nothing tests it. Panics instead of returning errors, as tests want;
//! [`Builder::try_start`] and [`Lab::try_apply`] return them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use mocktenant_diagnosis::Explanation;
use mocktenant_lab::forge::{ForgeError, Forged, Order};
use mocktenant_lab::{Applied, Attempt, ClockChange, Command, CommandError, Random, SignedIn, caller};
use mocktenant_server::{Options, Ports, Settings, StartError, client};
use mocktenant_verdict::Switches;
use mocktenant_world::{Edit, EditedBy, Errand, World};
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::client::{Client, Reply};
use crate::journal::Journal;

/// How many refusals a failing test prints at most.
const PRINTED_REFUSALS: usize = 5;

/// How long a lab may take to finish what it is answering when a test stops it.
const GRACE: Duration = Duration::from_secs(5);

/// Puts a [`Lab`] together.
#[derive(Default)]
#[must_use = "a builder does nothing until `start`"]
pub struct Builder {
    world: Option<Arc<World>>,
    scenario: Option<String>,
    switched_off: Vec<String>,
    frozen: Option<OffsetDateTime>,
    seed: Option<u64>,
    state: Option<PathBuf>,
}

/// A running lab. Stops when dropped; if the test is failing then, it first prints why each refused exchange was refused.
pub struct Lab {
    engine: mocktenant_lab::Lab,
    settings: Settings,
    client: client::Client,
    handle: Handle,
    directory: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Removed with the lab.
    _state: Option<tempfile::TempDir>,
}

/// What the lab's thread hands back once it serves.
struct Started {
    engine: mocktenant_lab::Lab,
    settings: Settings,
    client: client::Client,
    handle: Handle,
    directory: PathBuf,
}

impl Builder {
    /// Breaks the world as a scenario says, for instance `tenant-cert-absent`.
    pub fn scenario(mut self, name: impl Into<String>) -> Self {
        self.scenario = Some(name.into());
        self
    }

    /// Another world than the default one.
    pub fn world(mut self, world: World) -> Self {
        self.world = Some(Arc::new(world));
        self
    }

    /// Turns checks off by their names. Only tests of the lab itself want this: a test of your own code that needs a check
    /// off tests something else than the products do. No flag, file or control call reaches these switches.
    pub fn switch_off<S: Into<String>>(mut self, checks: impl IntoIterator<Item = S>) -> Self {
        self.switched_off.extend(checks.into_iter().map(Into::into));
        self
    }

    /// Stops the lab's clock at this instant. Tokens, assertions and `Date` follow it; TLS and timeouts do not.
    pub fn frozen_at(mut self, instant: OffsetDateTime) -> Self {
        self.frozen = Some(instant);
        self
    }

    /// Makes ids and nonces a sequence that depends on the seed alone, so that whole answers can be compared.
    pub fn seeded(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Keeps the state in this directory instead of a temporary one: labs that share it share a certificate authority.
    pub fn state(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state = Some(directory.into());
        self
    }

    /// Starts the lab; it answers on all its ports when this returns.
    ///
    /// # Panics
    /// If it cannot start; [`Self::try_start`] returns the error.
    pub async fn start(self) -> Lab {
        match self.try_start().await {
            Ok(lab) => lab,
            Err(error) => panic!("the lab cannot start: {error}"),
        }
    }

    /// Starts the lab, or says why it cannot.
    ///
    /// # Panics
    /// If the scenario is unknown or its edits do not fit the world.
    pub async fn try_start(self) -> Result<Lab, StartError> {
        let Self { world, scenario, switched_off, frozen, seed, state } = self;
        let world = world.unwrap_or_else(|| match World::contoso() {
            Ok(world) => Arc::new(world),
            Err(error) => panic!("the default world does not compile: {error}"),
        });
        let temporary = match &state {
            Some(_) => None,
            None => match tempfile::Builder::new().prefix("mocktenant-").tempdir() {
                Ok(directory) => Some(directory),
                Err(error) => panic!("no temporary directory for the lab: {error}"),
            },
        };
        let path = state.or_else(|| temporary.as_ref().map(|directory| directory.path().to_owned()));
        let mut options = Options::new(world, path.unwrap_or_default());
        options.ports = Ports::Free;
        options.switches = Switches::off(switched_off);
        options.random = seed.map_or(Random::System, Random::seeded);
        let (started, thread, stop) = launch(options).await?;
        let lab = Lab {
            engine: started.engine,
            settings: started.settings,
            client: started.client,
            handle: started.handle,
            directory: started.directory,
            stop: Some(stop),
            thread: Some(thread),
            _state: temporary,
        };
        if let Some(instant) = frozen {
            lab.command(Command::Clock(ClockChange::Freeze(instant))).await;
        }
        match scenario {
            Some(name) => lab.command(Command::Scenario { name }).await,
            // Again from the beginning, so that nothing of the journal is older than the frozen instant.
            None if frozen.is_some() => lab.command(Command::Reset { scope: None }).await,
            None => {}
        }
        Ok(lab)
    }
}

/// Starts the server on a thread of its own.
async fn launch(options: Options) -> Result<(Started, JoinHandle<()>, oneshot::Sender<()>), StartError> {
    let (stop, stopped) = oneshot::channel();
    let (tell, told) = oneshot::channel();
    let body = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("no runtime for the lab: {error}"),
        };
        runtime.block_on(async move {
            match mocktenant_server::start(options).await {
                Ok(running) => {
                    let started = Started {
                        engine: running.lab().clone(),
                        settings: Settings::clone(&running.settings()),
                        client: running.outbound_client(),
                        handle: Handle::current(),
                        directory: running.directory().to_owned(),
                    };
                    // If the test stopped waiting, the other end of `stopped` is gone too, and the lab ends at once.
                    let _ = tell.send(Ok(started));
                    match stopped.await {
                        Ok(()) => running.stop(GRACE).await,
                        Err(_) => running.stop_now(),
                    }
                }
                Err(error) => {
                    // Nobody waits any more: then nobody misses the error.
                    let _ = tell.send(Err(error));
                }
            }
        });
    };
    let thread = match std::thread::Builder::new().name("mocktenant-lab".into()).spawn(body) {
        Ok(thread) => thread,
        Err(error) => panic!("no thread for the lab: {error}"),
    };
    match told.await {
        Ok(Ok(started)) => Ok((started, thread, stop)),
        Ok(Err(error)) => {
            let _ = thread.join();
            Err(error)
        }
        Err(_) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("the lab's thread ends without an answer only by a panic"),
        },
    }
}

impl Lab {
    /// Starts a lab of the default world: Contoso, healthy, with published ids and keys.
    ///
    /// # Panics
    /// If it cannot start.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Begins a lab of the default world.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Begins a lab whose world is broken as a scenario says.
    pub fn scenario(name: impl Into<String>) -> Builder {
        Self::builder().scenario(name)
    }

    /// URLs, ids, credentials and files for clients.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the lab saw until now.
    pub fn journal(&self) -> Journal {
        Journal::of(&self.engine)
    }

    /// A small HTTP client that trusts this lab.
    pub fn client(&self) -> Client {
        Client::of(self.client.clone(), self.engine.downgrade(), self.handle.clone())
    }

    /// Lets the world's caller do what the world says it does (`caller.does`: it creates its customer unless told
    /// otherwise), over HTTPS as any client would. The answer that ended it, whatever it is.
    ///
    /// # Panics
    /// If no answer comes, or no product of the world is asked for such a thing.
    pub async fn drive(&self) -> Reply {
        self.drive_as(self.world().caller().does).await
    }

    /// The same for something else than the world says: what a test looks for afterwards.
    ///
    /// # Panics
    /// As [`Self::drive`].
    pub async fn drive_as(&self, errand: Errand) -> Reply {
        let Attempt { status, headers, body, .. } = self.attempt(errand).await;
        Reply { status: status.as_u16(), headers, body: body.to_vec() }
    }

    /// Signs the user of `/caller/sign_in` in, whatever the world's caller does otherwise: a browser opens the provider's page, fills it
    /// in, and the client redeems what it is given. Provider, client, redirect URI, flow and user are settings
    /// (`pointers::caller().sign_in()`). Where the world's caller is everybody, everybody has to be signed in.
    ///
    /// # Panics
    /// If it is refused; [`Self::try_sign_in`] returns the answer.
    pub async fn sign_in(&self) -> SignedIn {
        match self.try_sign_in().await {
            Ok(signed_in) => signed_in,
            Err(refusal) => panic!("nobody is signed in: {} {}", refusal.status, refusal.text()),
        }
    }

    /// The same, or the answer that ended it: a page, a redirect with an error, or what the token endpoint says.
    ///
    /// # Panics
    /// If no answer comes, or no provider of the world is the caller's.
    pub async fn try_sign_in(&self) -> Result<SignedIn, Reply> {
        let does = self.engine.world().caller().does;
        let attempt = self.attempt(if does.signs_in() { does } else { Errand::SignIn }).await;
        let refused = attempt.refused();
        match attempt.signed_in {
            Some(signed_in) if !refused => Ok(*signed_in),
            _ => {
                let (status, body) = (attempt.status.as_u16(), attempt.body.to_vec());
                Err(Reply { status, headers: attempt.headers, body })
            }
        }
    }

    async fn attempt(&self, errand: Errand) -> Attempt {
        let (engine, client) = (self.engine.clone(), self.client.clone());
        let driven =
            self.handle.spawn(async move { caller::drive_as(&engine, &client, errand, None).await }).await;
        match driven {
            Ok(Ok(attempt)) => attempt,
            Ok(Err(error)) => panic!("the caller cannot be driven: {error}"),
            Err(error) => panic!("the caller cannot be driven: {error}"),
        }
    }

    /// A token made to order: without an order what Entra would issue to the world's caller, else that with exactly what the
    /// order says changed. Whoever is shown it is told nothing.
    ///
    /// # Panics
    /// If the order names something that is not there; [`Self::try_forge`] returns the error.
    pub fn forge(&self, order: &Order) -> Forged {
        match self.try_forge(order) {
            Ok(forged) => forged,
            Err(error) => panic!("no token: {error}"),
        }
    }

    /// A token made to order, or why there is none.
    pub fn try_forge(&self, order: &Order) -> Result<Forged, ForgeError> {
        self.engine.forge(order)
    }

    /// The tenant's signing keys as it publishes them: what your own code verifies tokens with.
    ///
    /// # Panics
    /// If the world has no tenant for its caller.
    pub async fn jwk_set(&self) -> JwkSet {
        let url = format!("{}/discovery/v2.0/keys", self.settings.entra.authority);
        let reply = self.client().get(&url).await;
        match serde_json::from_slice(&reply.body) {
            Ok(keys) => keys,
            Err(error) => panic!("no keys at {url} ({}): {error}", reply.status),
        }
    }

    /// What the product at that place (`onebox`, `dataverse`, `entra` for a client's assertion) says to a token, without a
    /// call.
    ///
    /// # Panics
    /// If there is no such place.
    pub async fn judge(&self, place: &str, token: &str) -> Explanation {
        match mocktenant_diagnosis::judge(&self.engine, place, token).await {
            Ok(explanation) => explanation,
            Err(unknown) => panic!("{unknown}"),
        }
    }

    /// The current world.
    pub fn world(&self) -> Arc<World> {
        self.engine.world()
    }

    /// The engine underneath, for what this crate has no word for.
    pub fn lab(&self) -> &mocktenant_lab::Lab {
        &self.engine
    }

    /// The directory with the files that [`Self::settings`] names.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Edits the world, all edits or none. What an AOS reads at its start counts after [`Self::restart`].
    ///
    /// # Panics
    /// If the edits do not apply or make no world; [`Self::try_apply`] returns the error.
    pub async fn apply(&self, edits: impl IntoIterator<Item = Edit>) {
        if let Err(error) = self.try_apply(edits).await {
            panic!("the edits do not apply: {error}");
        }
    }

    /// Edits the world, or says why not.
    pub async fn try_apply(&self, edits: impl IntoIterator<Item = Edit>) -> Result<Applied, CommandError> {
        self.try_command(Command::Edit { edits: edits.into_iter().collect(), by: EditedBy::Control }).await
    }

    /// Makes an environment, or one node of it (`onprem/AOS_2`), read its configuration again, as IISRESET would.
    ///
    /// # Panics
    /// If there is no such environment or node.
    pub async fn restart(&self, machine: &str) {
        let (environment, node) = match machine.split_once('/') {
            Some((environment, node)) => (environment, Some(node.to_owned())),
            None => (machine, None),
        };
        self.command(Command::Restart { environment: environment.to_owned(), node }).await;
    }

    /// Any other change of the lab.
    ///
    /// # Panics
    /// If it cannot be made; [`Self::try_command`] returns the error.
    pub async fn command(&self, command: Command) {
        if let Err(error) = self.try_command(command).await {
            panic!("the command does nothing: {error}");
        }
    }

    /// Any other change of the lab, or why it cannot be made.
    pub async fn try_command(&self, command: Command) -> Result<Applied, CommandError> {
        let engine = self.engine.clone();
        // On the lab's own runtime: a start calls out, and its connections live where they were made.
        let applied = self.handle.spawn(async move { engine.apply(command).await }).await;
        match applied {
            Ok(applied) => applied,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => panic!("the lab stopped: {error}"),
            },
        }
    }

    /// What the last refused exchange depends on, and the one thing to change; `None` if nothing was refused.
    pub fn explain_last(&self) -> Option<Explanation> {
        self.explain("last")
    }

    /// The same for one exchange: its id, or any id an answer carried.
    pub fn explain(&self, what: &str) -> Option<Explanation> {
        let explained = || {
            // What is tried out answers itself in memory: no timer, no socket, so a bare runtime does. On a thread of its
            // own, because a test may already be inside a runtime.
            let runtime = match tokio::runtime::Builder::new_current_thread().build() {
                Ok(runtime) => runtime,
                Err(error) => panic!("no runtime for an explanation: {error}"),
            };
            runtime.block_on(mocktenant_diagnosis::explain(&self.engine, what))
        };
        std::thread::scope(|scope| match scope.spawn(explained).join() {
            Ok(explanation) => explanation,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// What a failing test prints: the explanation of each refused exchange, the last ones if there are many. Empty if
    /// nothing was refused.
    pub fn failure_report(&self) -> String {
        let refused = self.journal().refused_roots();
        let skipped = refused.len().saturating_sub(PRINTED_REFUSALS);
        let mut report = String::new();
        if skipped > 0 {
            // Writing to a String cannot fail.
            let _ = writeln!(report, "({skipped} earlier refusals are not shown)");
        }
        for record in &refused[skipped..] {
            match self.explain(&record.id) {
                Some(explanation) => report.push_str(&explanation.to_text(true)),
                None => {
                    let _ = writeln!(report, "{} {} {}", record.id, record.status, record.shown_target());
                }
            }
            report.push('\n');
        }
        report
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let report = self.failure_report();
            if !report.is_empty() {
                #[expect(
                    clippy::print_stderr,
                    reason = "a failing test's output is where the reason belongs"
                )]
                {
                    eprintln!("what this test's lab refused:\n\n{report}");
                }
            }
        }
        if let Some(stop) = self.stop.take() {
            // An error means that the lab's thread has already ended.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // Its panic was printed when it happened; a second one while the test unwinds would abort the process.
            let _ = thread.join();
        }
    }
}
