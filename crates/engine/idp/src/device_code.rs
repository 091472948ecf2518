//! Device codes: somebody signs in on one device so that another one may go on (RFC 8628).
//!
//! Decides how the two codes of such a flow are made and what becomes of it: it is pending until a user approves or denies it,
//! approved for the user of one session, redeemed once, and over when its device code ends. A user code is found however
//! it is typed: letter case, hyphens and blanks do not matter. Who guesses is counted before the guess is judged
//! ([`crate::Lockout`]), and what waits is bounded in number and in octets, so that no stranger fills the store that other
//! values are remembered in. Never decides how long any of it lasts, which letters there are, how often one may ask, or
//! who may approve what: those are a provider's policy, as is what anybody is told.

use mocktenant_lab::Random;
use mocktenant_lab::store::{Change, Full, Key};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::code::OtherClient;
use crate::session::{Session, SignIn};
use crate::{Kind, Ledger, Lockout, NotTried, Opened, Poll, Polling, SealError, Sealer, moment};

/// The store's word for flows, by user code.
const FLOW: &str = "device-flow";
/// The store's word for when those flows end that are neither denied nor redeemed.
const WAITING: &str = "device-flows-waiting";

/// Octets of a flow's number.
const NUMBER: usize = 16;
/// How often a user code is drawn before it is concluded that there are too few.
const DRAWS: usize = 16;
/// Longest text that is read as a user code.
const TYPED: usize = 100;

/// A provider's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devices {
    /// How long a flow lasts.
    pub lifetime: Duration,
    /// The letters of user codes, ASCII, each once and none that a person takes for another.
    pub alphabet: &'static str,
    /// How many letters a user code has.
    pub letters: usize,
    /// How often a device may ask; `None` is as it likes.
    pub polling: Option<Polling>,
    /// How many user codes may be guessed; `None` is any number.
    pub guesses: Option<Lockout>,
    /// How many flows may wait at a time.
    pub capacity: usize,
    /// How many octets one of them may have in JSON. Both together are to leave room in the store (`STORE_BUDGET`), half a KiB
    /// for each flow besides.
    pub most_octets: usize,
}

/// What a device code says. It is sealed: a provider's kind is a `const DEVICE: Kind<DeviceCode> = Kind::new("..");`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCode {
    /// The client it was issued to.
    pub client: String,
    /// The user code that belongs to it.
    pub user_code: String,
    /// Tells it from a flow that once has the same user code.
    number: [u8; NUMBER],
}

impl DeviceCode {
    /// Whether it was issued to this client.
    pub fn of_client(&self, client: &str) -> Result<(), OtherClient> {
        if self.client == client { Ok(()) } else { Err(OtherClient { issued_to: self.client.clone() }) }
    }
}

/// A flow that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// What the device presents.
    pub device_code: String,
    /// What the user types, without a hyphen.
    pub user_code: String,
    /// When both end.
    pub expires: OffsetDateTime,
}

/// Why none was begun.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    /// As many wait as may.
    #[error("{waiting} device codes wait already")]
    TooMany {
        /// How many wait.
        waiting: usize,
    },
    /// What is asked for has more octets than may be kept for it.
    #[error("{octets} octets are more than are kept of a device code")]
    TooLong {
        /// How many it has.
        octets: usize,
    },
    /// Nearly all the user codes there are wait.
    #[error("there are too few user codes")]
    NoUserCode,
    /// There is no room for any value.
    #[error(transparent)]
    Full(#[from] Full),
    /// What is asked for cannot be written.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// What became of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Pending,
    Approved(SignIn),
    Denied,
    Redeemed(String),
}

/// A flow as it is remembered.
#[derive(Serialize, Deserialize)]
struct Flow {
    number: [u8; NUMBER],
    client: String,
    state: State,
    expires: OffsetDateTime,
    /// Nothing once it is denied or redeemed.
    asked: Value,
}

impl Flow {
    fn read(octets: &[u8]) -> Option<Self> {
        serde_json::from_slice(octets).ok()
    }

    fn put(&self) -> Change {
        // What was read from JSON can be written as JSON.
        let value = serde_json::to_vec(self).unwrap_or_default();
        Change::Put { value: value.into(), expires: self.expires }
    }
}

/// A pending flow, found by its user code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending<T> {
    /// The user code as it was issued.
    pub user_code: String,
    /// The client that waits.
    pub client: String,
    /// What it asks for.
    pub asked: T,
    /// When it ends.
    pub expires: OffsetDateTime,
    number: [u8; NUMBER],
}

/// Why no pending flow was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// What was typed cannot be a user code; it is no guess either.
    #[error("it is no user code")]
    Misshapen,
    /// No flow has it, or the one that had it is over.
    #[error("no device waits with this user code")]
    Unknown,
    /// Somebody answered it already.
    #[error("somebody answered it already")]
    Settled,
    /// Too many guesses were wrong.
    #[error("too many user codes were wrong, until {until}")]
    Locked {
        /// When it is open again.
        until: OffsetDateTime,
    },
    /// Guesses cannot be counted, so none is judged.
    #[error(transparent)]
    Full(#[from] Full),
}

/// Why a flow was not approved or denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSettled {
    /// It is over.
    #[error("it is over")]
    Over,
    /// Somebody answered it meanwhile.
    #[error("somebody answered it already")]
    Settled,
    /// There is no room to remember it.
    #[error(transparent)]
    Full(#[from] Full),
}

/// What a device gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved<T> {
    /// Who approved, and when that user signed in.
    pub sign_in: SignIn,
    /// What was asked for.
    pub asked: T,
}

/// Why a device gets nothing, or nothing yet. That its code has ended is said when that is opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotYet {
    /// It asked too early.
    #[error("it was asked for too early; the interval is {interval} now")]
    TooEarly {
        /// What it has to wait for from now on.
        interval: Duration,
    },
    /// Nobody answered yet.
    #[error("nobody has answered yet")]
    Pending,
    /// The user said no.
    #[error("the user denied it")]
    Denied,
    /// It was redeemed before.
    #[error("it was redeemed before, by {by}")]
    Redeemed {
        /// Who redeemed it, as that one said of itself.
        by: String,
    },
    /// Nothing is remembered of it.
    #[error("nothing is remembered of it")]
    Forgotten,
    /// There is no room to remember that it was asked for.
    #[error(transparent)]
    Full(#[from] Full),
}

impl Devices {
    /// Begins a flow: a client asks for something on behalf of whoever will approve it.
    pub fn begin<T: Serialize>(
        &self,
        (sealer, ledger): (&Sealer<'_>, &Ledger<'_>),
        kind: &Kind<DeviceCode>,
        random: &Random,
        (client, asked): (&str, &T),
    ) -> Result<Begun, NotBegun> {
        let expires = ledger.now.saturating_add(self.lifetime);
        let asked = serde_json::to_value(asked).map_err(SealError::from)?;
        let mut number = [0; NUMBER];
        random.fill(&mut number);
        let client = client.to_owned();
        let flow = Flow { number, client, state: State::Pending, expires, asked };
        let octets = serde_json::to_vec(&flow).map_err(SealError::from)?;
        if octets.len() > self.most_octets {
            return Err(NotBegun::TooLong { octets: octets.len() });
        }
        self.wait(ledger, expires)?;
        let begun = self.put(ledger, random, &octets, expires).and_then(|user_code| {
            let code = DeviceCode { client: flow.client, user_code: user_code.clone(), number };
            let device_code = sealer.seal(kind, &code, expires)?;
            Ok(Begun { device_code, user_code, expires })
        });
        if begun.is_err() {
            waits_no_longer(ledger, expires);
        }
        begun
    }

    /// Takes a place among those that wait.
    fn wait(&self, ledger: &Ledger<'_>, expires: OffsetDateTime) -> Result<(), NotBegun> {
        ledger.store.update(ledger.owner, waiting(), ledger.now, |octets| {
            let mut ends = octets.map(|octets| read_ends(octets)).unwrap_or_default();
            ends.retain(|end| ledger.now < *end);
            if ends.len() >= self.capacity {
                return (Change::Keep, Err(NotBegun::TooMany { waiting: ends.len() }));
            }
            ends.push(expires);
            (put_ends(&ends), Ok(()))
        })?
    }

    /// Puts a flow where no other is.
    fn put(
        &self,
        ledger: &Ledger<'_>,
        random: &Random,
        flow: &[u8],
        expires: OffsetDateTime,
    ) -> Result<String, NotBegun> {
        for _ in 0..DRAWS {
            let user_code = self.draw(random);
            let (key, value) = (Key::new(FLOW, &user_code), flow.to_vec());
            if ledger.store.put_new(ledger.owner, key, value, expires, ledger.now)? {
                return Ok(user_code);
            }
        }
        Err(NotBegun::NoUserCode)
    }

    /// A user code: each letter as likely as any other.
    fn draw(&self, random: &Random) -> String {
        let alphabet = self.alphabet.as_bytes();
        let mut code = String::with_capacity(self.letters);
        // Octets beyond the last whole alphabet would make its first letters likelier.
        let whole = 256 - 256 % alphabet.len().max(1);
        while code.len() < self.letters && !alphabet.is_empty() {
            let mut octets = [0; 16];
            random.fill(&mut octets);
            let fit = octets.iter().map(|octet| usize::from(*octet)).filter(|octet| *octet < whole);
            let letters = fit.map(|octet| char::from(alphabet[octet % alphabet.len()]));
            code.extend(letters.take(self.letters - code.len()));
        }
        code
    }

    /// A user code as it was issued, from one as it was typed; `None` where it cannot be one.
    pub fn folded(&self, typed: &str) -> Option<String> {
        if typed.len() > TYPED {
            return None;
        }
        let written = typed.chars().filter(|letter| *letter != '-' && !letter.is_whitespace());
        let fold = |letter: char| {
            let spellings = [letter, letter.to_ascii_uppercase(), letter.to_ascii_lowercase()];
            spellings.into_iter().find(|letter| self.alphabet.contains(*letter))
        };
        let code = written.map(fold).collect::<Option<String>>()?;
        (code.len() == self.letters).then_some(code)
    }

    /// Finds the pending flow of a user code. A code that is not there is a wrong guess of `who`, one that is there is none.
    /// There are to be few of those who guess: the users that are signed in, or one for everybody.
    pub fn find<T: DeserializeOwned>(
        &self,
        ledger: &Ledger<'_>,
        who: &str,
        typed: &str,
    ) -> Result<Pending<T>, NotFound> {
        let user_code = self.folded(typed).ok_or(NotFound::Misshapen)?;
        let attempt = ledger.attempt(self.guesses.as_ref(), who).map_err(|why| match why {
            NotTried::Locked { until } => NotFound::Locked { until },
            NotTried::Full(full) => NotFound::Full(full),
        })?;
        let octets = ledger.store.get(ledger.owner, &Key::new(FLOW, &user_code), ledger.now);
        let Some(flow) = octets.and_then(|octets| Flow::read(&octets)) else {
            return Err(NotFound::Unknown);
        };
        ledger.take_back(attempt);
        if flow.state != State::Pending {
            return Err(NotFound::Settled);
        }
        let Flow { number, client, expires, asked, .. } = flow;
        let asked = serde_json::from_value(asked).map_err(|_| NotFound::Unknown)?;
        Ok(Pending { user_code, client, asked, expires, number })
    }

    /// The user of this session approves it: what the device gets is that user's.
    pub fn approve<T>(
        &self,
        ledger: &Ledger<'_>,
        pending: &Pending<T>,
        session: &Session,
    ) -> Result<(), NotSettled> {
        settle(ledger, pending, |flow| flow.state = State::Approved(session.sign_in.clone()))
    }

    /// A user denies it.
    pub fn deny<T>(&self, ledger: &Ledger<'_>, pending: &Pending<T>) -> Result<(), NotSettled> {
        settle(ledger, pending, |flow| (flow.state, flow.asked) = (State::Denied, Value::Null))?;
        waits_no_longer(ledger, pending.expires);
        Ok(())
    }

    /// A device asks whether it may go on. `by` is whoever asks, for instance an exchange id; of many who ask at once exactly
    /// one gets what was approved.
    pub fn poll<T: DeserializeOwned>(
        &self,
        ledger: &Ledger<'_>,
        opened: &Opened<DeviceCode>,
        by: &str,
    ) -> Result<Approved<T>, NotYet> {
        let code = &opened.payload;
        match ledger.poll(self.polling.as_ref(), &opened.mark.to_string(), opened.expires)? {
            Poll::InTime => {}
            Poll::TooEarly { interval } => return Err(NotYet::TooEarly { interval }),
        }
        let key = Key::new(FLOW, &code.user_code);
        let approved = ledger.store.update(ledger.owner, key, ledger.now, |octets| {
            let keep = |why| (Change::Keep, Err(why));
            let flow = octets.and_then(|octets| Flow::read(octets));
            let Some(mut flow) = flow.filter(|flow| flow.number == code.number) else {
                return keep(NotYet::Forgotten);
            };
            match flow.state {
                State::Pending => keep(NotYet::Pending),
                State::Denied => keep(NotYet::Denied),
                State::Redeemed(by) => keep(NotYet::Redeemed { by }),
                State::Approved(sign_in) => {
                    let Ok(asked) = serde_json::from_value(std::mem::take(&mut flow.asked)) else {
                        return keep(NotYet::Forgotten);
                    };
                    flow.state = State::Redeemed(by.to_owned());
                    (flow.put(), Ok(Approved { sign_in, asked }))
                }
            }
        })??;
        waits_no_longer(ledger, opened.expires);
        Ok(approved)
    }
}

/// Answers a pending flow, unless somebody did.
fn settle<T>(
    ledger: &Ledger<'_>,
    pending: &Pending<T>,
    answer: impl FnOnce(&mut Flow),
) -> Result<(), NotSettled> {
    let key = Key::new(FLOW, &pending.user_code);
    ledger.store.update(ledger.owner, key, ledger.now, |octets| {
        let flow = octets.and_then(|octets| Flow::read(octets));
        match flow.filter(|flow| flow.number == pending.number) {
            None => (Change::Keep, Err(NotSettled::Over)),
            Some(flow) if flow.state != State::Pending => (Change::Keep, Err(NotSettled::Settled)),
            Some(mut flow) => {
                answer(&mut flow);
                (flow.put(), Ok(()))
            }
        }
    })?
}

fn waiting() -> Key {
    Key::new(WAITING, "")
}

/// Gives back the place of a flow that ends then. Which of those that end together it was makes no difference.
fn waits_no_longer(ledger: &Ledger<'_>, expires: OffsetDateTime) {
    let given_back = ledger.store.update(ledger.owner, waiting(), ledger.now, |octets| {
        let mut ends = octets.map(|octets| read_ends(octets)).unwrap_or_default();
        match ends.iter().position(|end| *end == expires) {
            Some(at) => {
                ends.swap_remove(at);
                (put_ends(&ends), ())
            }
            None => (Change::Keep, ()),
        }
    });
    // What is shorter than before finds room.
    let _ = given_back;
}

fn read_ends(mut octets: &[u8]) -> Vec<OffsetDateTime> {
    let mut ends = Vec::with_capacity(octets.len() / moment::OCTETS + 1);
    while let Some((end, rest)) = moment::read(octets) {
        ends.push(end);
        octets = rest;
    }
    ends
}

fn put_ends(ends: &[OffsetDateTime]) -> Change {
    match ends.iter().max() {
        None => Change::Remove,
        Some(last) => {
            let value: Vec<u8> = ends.iter().flat_map(|end| moment::write(*end)).collect();
            Change::Put { value: value.into(), expires: *last }
        }
    }
}
