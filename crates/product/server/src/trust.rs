//! The certificate authority of a running lab: whom its callers and its own calls trust, today and in a year.
//!
//! Decides when the CA is made anew while the lab runs: before three days are left and when the clock of this machine steps
//! out of its validity either way, looked at every second and before every handshake. The new roots are in files and
//! settings before they are served, unless they cannot be written: then the old ones serve as long as they are valid, and
//! after that new ones do all the same, with what is wrong in health and log. Time is the machine's, as TLS sees it.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use mocktenant_control::authority::{Authority, Health, Root};
use mocktenant_control::settings::{Published, Settings};
use mocktenant_keys::{Branch, CaError, LabCa};
use mocktenant_lab::{BoxFuture, real_now};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use serde_json::json;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::authority::Need;
use crate::connection::{Phase, reached};
use crate::error::StartError;
use crate::files::write_private;
use crate::public_roots::PublicRoots;
use crate::settings::certificates;
use crate::state::SETTINGS_FILE;
use crate::tls::{Made, lab_client_config};

/// How often the clock is looked at without anybody asking.
const TICK: Duration = Duration::from_secs(1);

/// How long a renewal that could not be saved is not tried again.
const RETRY: Duration = Duration::from_secs(10);

/// The machine's clock, which tests move.
#[derive(Clone, Debug, Default)]
pub(crate) struct RealClock {
    /// Seconds; 0 outside tests.
    ahead: Arc<AtomicI64>,
}

impl RealClock {
    pub(crate) fn now(&self) -> OffsetDateTime {
        real_now().saturating_add(time::Duration::seconds(self.ahead.load(Ordering::Relaxed)))
    }

    #[cfg(test)]
    pub(crate) fn step_to(&self, days: i64) {
        self.ahead.store(days * 86_400, Ordering::Relaxed);
    }
}

impl TimeProvider for RealClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.now().unix_timestamp()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// One CA and what was made from it.
pub(crate) struct Current {
    pub(crate) ca: LabCa,
    /// Trusts its two roots and nothing else.
    pub(crate) client: Arc<ClientConfig>,
    /// Leaves by title.
    pub(crate) leaves: Mutex<HashMap<String, Made>>,
    /// Seconds since 1970 between which it need not be renewed.
    carefree: (i64, i64),
}

impl Current {
    fn of(ca: LabCa, provider: &Arc<CryptoProvider>, clock: &RealClock) -> Result<Self, rustls::Error> {
        let roots = Branch::ALL.map(|branch| CertificateDer::from(ca.root(branch).der()).into_owned());
        let client = lab_client_config(provider, clock.clone(), roots)?;
        let (from, until) = ca.carefree();
        let carefree = (from.unix_timestamp(), until.unix_timestamp());
        Ok(Self { ca, client, leaves: Mutex::default(), carefree })
    }

    fn does(&self, now: OffsetDateTime) -> bool {
        (self.carefree.0..=self.carefree.1).contains(&now.unix_timestamp())
    }
}

/// Where the CA's files and settings of a lab that can be found are.
struct Publication {
    directory: PathBuf,
    /// Where others find the roots.
    public: Option<PublicRoots>,
    settings: Arc<Published>,
}

/// A renewal that could not be saved.
struct Failed {
    at: Instant,
    clock: OffsetDateTime,
    /// Whether the CA that is served was valid all the same.
    valid: bool,
}

impl Failed {
    /// Whether it is too early to try again: neither has time passed, nor was the clock set, nor has the CA ended since.
    fn still(&self, now: OffsetDateTime, valid: bool) -> bool {
        let set = (now - self.clock).unsigned_abs() > 2 * RETRY;
        let too_early = !RETRY.saturating_sub(self.at.elapsed()).is_zero();
        too_early && !set && valid == self.valid
    }
}

/// The CA a lab serves with. Shared by its listeners, its calls and its control API.
pub(crate) struct Trust {
    need: Need,
    clock: RealClock,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<Current>>,
    /// One renewal at a time; the last one, if it could not be saved.
    renewing: tokio::sync::Mutex<Option<Failed>>,
    /// Why the CA in use is not the one in the files.
    trouble: Mutex<Option<String>>,
    publication: Mutex<Option<Publication>>,
}

impl Trust {
    /// Reads or makes the CA of a start.
    pub(crate) fn load(need: Need, clock: RealClock) -> Result<Self, StartError> {
        let ca = need.load(clock.now(), None)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let current = Current::of(ca, &provider, &clock)?;
        Ok(Self {
            need,
            clock,
            provider,
            current: RwLock::new(Arc::new(current)),
            renewing: tokio::sync::Mutex::default(),
            trouble: Mutex::default(),
            publication: Mutex::default(),
        })
    }

    pub(crate) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    pub(crate) fn clock(&self) -> &RealClock {
        &self.clock
    }

    /// The CA as it is, which may be about to be renewed.
    pub(crate) fn now(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The CA to use, renewed if its time has come: what is asked before every handshake. Costs a look at the clock.
    pub(crate) async fn current(self: &Arc<Self>) -> Arc<Current> {
        let current = self.now();
        if current.does(self.clock.now()) {
            return current;
        }
        self.renew().await
    }

    /// Looks at the clock until the lab has stopped.
    pub(crate) async fn watch(trust: Weak<Self>, mut phase: watch::Receiver<Phase>) {
        loop {
            tokio::select! {
                () = reached(&mut phase, Phase::Stopped) => return,
                () = tokio::time::sleep(TICK) => {}
            }
            let Some(trust) = trust.upgrade() else { return };
            trust.settled().await;
        }
    }

    /// The same, and what could not be saved is tried again.
    async fn settled(self: &Arc<Self>) -> Arc<Current> {
        let troubled = locked(&self.trouble).is_some();
        if troubled { self.renew().await } else { self.current().await }
    }

    async fn renew(self: &Arc<Self>) -> Arc<Current> {
        let mut failed = self.renewing.lock().await;
        let (current, now) = (self.now(), self.clock.now());
        let saved = locked(&self.trouble).is_none();
        let valid = current.ca.is_valid_at(now);
        if current.does(now) && saved || failed.as_ref().is_some_and(|failed| failed.still(now, valid)) {
            return current;
        }
        let renewing = Arc::clone(self);
        // Files are written and waited for: not on a thread that answers.
        let renewed = tokio::task::spawn_blocking(move || renewing.renew_now(now)).await;
        let current = self.now();
        let valid = current.ca.is_valid_at(now);
        *failed = (!renewed.unwrap_or(false)).then(|| Failed { at: Instant::now(), clock: now, valid });
        current
    }

    /// Whether the CA is renewed and saved.
    fn renew_now(&self, now: OffsetDateTime) -> bool {
        let current = self.now();
        let outcome = self.need.load(now, Some(&current.ca)).map_err(|error| chain(&error)).and_then(|ca| {
            let changed = ca.roots_pem() != current.ca.roots_pem();
            let next = Current::of(ca, &self.provider, &self.clock).map_err(|error| error.to_string())?;
            let published = self.publish_again(&next.ca).map_err(|error| chain(&error));
            if changed {
                self.serve(next);
            }
            published
        });
        let Err(why) = outcome else {
            if locked(&self.trouble).take().is_some() {
                tracing::info!("the certificate authority is saved again");
            }
            return true;
        };
        let trouble = if self.now().ca.is_valid_at(now) {
            format!("the renewed certificate authority cannot be saved: {why}")
        } else {
            match self.renew_in_memory(&current.ca, now) {
                Ok(()) => format!(
                    "the certificate authority is renewed in memory only, so clients have to be given /ca.pem of the \
                     tools port: {why}"
                ),
                Err(error) => format!("{}: {error}", invalid(&current.ca, now)),
            }
        };
        let mut told = locked(&self.trouble);
        if told.as_deref() != Some(&trouble) {
            tracing::error!("{trouble}");
        }
        *told = Some(trouble);
        false
    }

    fn renew_in_memory(&self, ca: &LabCa, now: OffsetDateTime) -> Result<(), String> {
        let (renewed, _) = ca.renewed(&self.need.names, now).map_err(|error: CaError| error.to_string())?;
        let next = Current::of(renewed, &self.provider, &self.clock).map_err(|error| error.to_string())?;
        self.serve(next);
        Ok(())
    }

    fn serve(&self, next: Current) {
        for branch in Branch::ALL {
            let (from, until) = next.ca.validity(branch);
            tracing::info!(%branch, from = %from.date(), until = %until.date(), "the certificate authority was renewed");
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    /// Makes the settings known: from here on they follow the CA.
    pub(crate) fn publish(
        &self,
        directory: PathBuf,
        public: Option<PublicRoots>,
        settings: Arc<Published>,
        document: impl FnOnce(&LabCa) -> Result<Settings, StartError>,
    ) -> Result<(), StartError> {
        let mut publication = locked(&self.publication);
        let document = document(&self.now().ca)?;
        if let Some(public) = &public {
            public.take_over(&directory)?;
            public.say_what_is_missing();
        }
        write_settings(&directory, &document)?;
        settings.set(document);
        *publication = Some(Publication { directory, public, settings });
        Ok(())
    }

    fn publish_again(&self, ca: &LabCa) -> Result<(), StartError> {
        let publication = locked(&self.publication);
        let Some(Publication { directory, public, settings }) = &*publication else { return Ok(()) };
        let Some(document) = settings.get() else { return Ok(()) };
        let mut document = Settings::clone(&document);
        certificates(directory, ca, &mut document)?;
        if let Some(public) = public {
            public.take_over(directory)?;
        }
        write_settings(directory, &document)?;
        settings.set(document);
        Ok(())
    }

    /// After this nothing is written to the lab's directory any more.
    pub(crate) fn withdraw(&self) {
        locked(&self.publication).take();
    }

    /// Why the lab's own TLS cannot work at this moment, if it cannot.
    pub(crate) fn invalid(&self) -> Option<String> {
        let (current, now) = (self.now(), self.clock.now());
        if current.ca.is_valid_at(now) {
            return None;
        }
        Some(locked(&self.trouble).clone().unwrap_or_else(|| invalid(&current.ca, now)))
    }
}

fn write_settings(directory: &std::path::Path, document: &Settings) -> Result<(), StartError> {
    write_private(&directory.join(SETTINGS_FILE), format!("{:#}\n", json!(document)).as_bytes())
}

/// Which roots are not valid, and when they are.
fn invalid(ca: &LabCa, now: OffsetDateTime) -> String {
    let spans = Branch::ALL.into_iter().filter_map(|branch| {
        let (from, until) = ca.validity(branch);
        let outside = now < from || now > until;
        outside.then(|| format!("its {branch} root is valid from {} to {}", from.date(), until.date()))
    });
    let spans: Vec<String> = spans.collect();
    format!("the lab's own certificate authority is not valid on {}: {}", now.date(), spans.join(", "))
}

/// An error and what it came from.
fn chain(error: &StartError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The CA as the control API shows it.
pub(crate) struct Shown(pub(crate) Arc<Trust>);

impl Authority for Shown {
    fn local_pem(&self) -> String {
        self.0.now().ca.root(Branch::Local).pem()
    }

    fn real_names_pem(&self) -> String {
        self.0.now().ca.root(Branch::RealNames).pem()
    }

    fn health(&self) -> BoxFuture<'_, Health> {
        Box::pin(async {
            let current = self.0.settled().await;
            let roots = Branch::ALL.map(|branch| {
                let (not_before, not_after) = current.ca.validity(branch);
                Root { name: branch.name(), not_before, not_after }
            });
            let invalid = self.0.invalid();
            let valid = invalid.is_none();
            Health {
                roots: roots.into(),
                valid,
                trouble: invalid.or_else(|| locked(&self.0.trouble).clone()),
            }
        })
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Trust").field("need", &self.need).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use mocktenant_keys::CaNames;

    use super::*;
    use crate::authority::KEYS_FILE;
    use crate::state::StateDir;

    const DAY: time::Duration = time::Duration::DAY;

    fn trust(directory: &std::path::Path) -> (Arc<Trust>, RealClock) {
        let names = CaNames { real_dns: vec![String::from("login.windows.net")], ..CaNames::default() };
        let need = Need { state: StateDir::open(directory).unwrap(), serves: true, names };
        let clock = RealClock::default();
        (Arc::new(Trust::load(need, clock.clone()).unwrap()), clock)
    }

    /// Something in place of the keys that nothing can be renamed over; gives what takes it away again.
    fn block(directory: &std::path::Path) -> impl Fn() + use<> {
        let keys = directory.join(KEYS_FILE);
        fs::remove_file(&keys).unwrap();
        fs::create_dir(&keys).unwrap();
        move || fs::remove_dir(&keys).unwrap()
    }

    #[test]
    fn what_failed_is_tried_again_after_a_while_and_where_the_clock_was_set_or_the_ca_has_ended() {
        let clock = OffsetDateTime::UNIX_EPOCH + DAY;
        let failed = Failed { at: Instant::now(), clock, valid: true };
        let seconds = time::Duration::seconds;
        for (after, valid, still) in [
            (0, true, true),
            (20, true, true),
            (-20, true, true),
            (21, true, false),
            (-21, true, false),
            (0, false, false),
        ] {
            assert_eq!(failed.still(clock + seconds(after), valid), still, "{after} s, valid {valid}");
        }
        let Some(before) = Instant::now().checked_sub(RETRY) else { return };
        assert!(!Failed { at: before, ..failed }.still(clock, true), "it was long enough ago");
    }

    #[tokio::test]
    async fn a_renewal_that_could_not_be_saved_is_not_tried_again_at_once_but_once_the_clock_was_set() {
        let scratch = tempfile::tempdir().unwrap();
        let (trust, clock) = trust(scratch.path());
        let first = trust.now().ca.roots_pem();
        let unblock = block(scratch.path());
        clock.step_to(28);
        assert_eq!(trust.current().await.ca.roots_pem(), first, "served as long as it is valid");
        let trouble = || locked(&trust.trouble).clone();
        assert!(trouble().unwrap().contains(KEYS_FILE), "{:?}", trouble());
        assert_eq!(trust.invalid(), None, "trouble with a file is none of TLS");
        unblock();
        trust.settled().await;
        assert!(trouble().is_some(), "not at once");
        clock.step_to(29);
        let renewed = trust.settled().await;
        assert_eq!(trouble(), None);
        assert_ne!(renewed.ca.roots_pem(), first);
        assert!(renewed.does(clock.now()));
        let saved = fs::read_to_string(scratch.path().join(crate::authority::REAL_NAMES_FILE)).unwrap();
        assert_eq!(saved, renewed.ca.root(Branch::RealNames).pem());
    }

    #[tokio::test]
    async fn settings_follow_a_new_ca_until_the_lab_withdraws_them() {
        let scratch = tempfile::tempdir().unwrap();
        let (trust, clock) = trust(scratch.path());
        let settings = Arc::new(Published::default());
        let document = |ca: &LabCa| {
            let mut document = Settings::default();
            certificates(scratch.path(), ca, &mut document).map(|()| document)
        };
        trust.publish(scratch.path().to_owned(), None, Arc::clone(&settings), document).unwrap();
        let path = scratch.path().join(SETTINGS_FILE);
        let written = || serde_json::from_slice::<Settings>(&fs::read(&path).unwrap()).unwrap();
        clock.step_to(28);
        let pem = trust.current().await.ca.root(Branch::RealNames).pem();
        assert_eq!(settings.get().unwrap().ca_real_names_pem_text, pem);
        assert_eq!(written(), *settings.get().unwrap());
        trust.withdraw();
        clock.step_to(56);
        let next = trust.current().await.ca.root(Branch::RealNames).pem();
        assert_ne!(next, pem);
        assert_eq!(written().ca_real_names_pem_text, pem, "nothing is written any more");
        assert_eq!((Shown(Arc::clone(&trust)).real_names_pem(), pem == next), (next, false));
    }

    #[test]
    fn a_root_is_named_with_its_days_where_it_is_not_valid_and_only_there() {
        let scratch = tempfile::tempdir().unwrap();
        let (trust, _) = trust(scratch.path());
        let ca = &trust.now().ca;
        let second = time::Duration::SECOND;
        let ((local, _), (from, until)) = (ca.validity(Branch::Local), ca.validity(Branch::RealNames));
        let named = |now| {
            let text = invalid(ca, now);
            assert!(text.contains(&format!("is not valid on {}", now.date())), "{text}");
            ["local root is valid from", "real-names root is valid from"].map(|root| text.contains(root))
        };
        for (now, roots) in [
            (from.max(local), [false, false]),
            (from.min(local) - second, [true, true]),
            (until, [false, false]),
            (until + second, [false, true]),
        ] {
            assert_eq!(named(now), roots, "{now}");
        }
    }

    #[test]
    fn what_went_wrong_is_told_with_what_it_came_from() {
        let source = std::io::Error::other("the disk is full");
        let error = StartError::State { doing: "write", path: "/state/ca.pem".into(), source };
        assert!(chain(&error).ends_with(": the disk is full"), "{}", chain(&error));
        assert!(chain(&error).starts_with("cannot write /state/ca.pem"), "{}", chain(&error));
        assert_eq!(
            chain(&StartError::PortBase { base: 1, highest: 2 }),
            "`--port 1` leaves no room: the highest base is 2"
        );
    }
}
