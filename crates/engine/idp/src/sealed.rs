//! Sealed values: what a provider hands out for safe keeping, and can read itself when it comes back.
//!
//! Decides the form of such a text and the order in which it is judged. It is URL-safe Base64 without padding (RFC 4648
//! section 5), strictly read, of
//!
//! | octets | what |
//! | --- | --- |
//! | 1 | the version of this form, 1 |
//! | 7 | whose key: the lab it was sealed in |
//! | 4 | how many octets there are in all |
//! | 8 | the owner's reset generation |
//! | 16 | label of the kind |
//! | 16 | label of the owner |
//! | 12 | nonce |
//! | - | hidden: when it ends (16), then the payload in JSON |
//! | 16 | tag |
//!
//! with AES-256-GCM-SIV, everything before what is hidden being associated data. So kind, owner and generation cannot be
//! changed, and a text that was presented in the wrong place can be told from a forged one: it is opened first and asked
//! afterwards what it is. Whatever is compared before it is open is no secret; the tag is compared inside the cipher, in a
//! time that says nothing. Labels are keyed, so a text shows neither whose it is nor what for.
//!
//! Never decides how long a value is good, what is in it, or whether it may be used twice ([`crate::Ledger::spend`]).

use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_keys::{LABEL, SEALING_NONCE, SEALING_TAG, SealingKey};
use mocktenant_lab::{Context, Lab, Random, Scope};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::moment;

const VERSION: u8 = 1;

/// Octets of version and lab, of which the first ten symbols of a text are made (and of nothing else).
const MAKER: usize = 8;
const MAKER_SYMBOLS: usize = 10;

/// Octets of maker and length: the first sixteen symbols.
const FRONT: usize = MAKER + 4;
const FRONT_SYMBOLS: usize = 16;

const GENERATION: usize = FRONT;
const KIND: usize = GENERATION + 8;
const OWNER: usize = KIND + LABEL;
const NONCE: usize = OWNER + LABEL;
const HEADER: usize = NONCE + SEALING_NONCE;

/// The least that a sealed value has: one without a payload.
const LEAST: usize = HEADER + moment::OCTETS + SEALING_TAG;

/// A kind of sealed value, and what is in one.
///
/// A constant of whoever seals and opens: `const REFRESH: Kind<Refresh> = Kind::new("refresh-token");`. No two kinds of one
/// lab have a name in common.
pub struct Kind<T> {
    name: &'static str,
    payload: PhantomData<fn() -> T>,
}

impl<T> Kind<T> {
    /// The kind called `name`, kebab-case.
    pub const fn new(name: &'static str) -> Self {
        Self { name, payload: PhantomData }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> fmt::Debug for Kind<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Kind").field(&self.name).finish()
    }
}

/// The one name of a sealed value: its tag. Two values never share one, and nobody can give a value another one.
///
/// Written as 22 symbols of URL-safe Base64. It opens nothing, so it may stand in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark([u8; SEALING_TAG]);

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        base64::display::Base64Display::new(&self.0, &URL_SAFE_NO_PAD).fmt(formatter)
    }
}

/// A value that was opened: it is genuine, of the kind and owner asked for, and has neither ended nor been reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened<T> {
    /// What was sealed.
    pub payload: T,
    /// When it ends; that moment is no longer inside.
    pub expires: OffsetDateTime,
    /// What it is called where it is remembered that it was used.
    pub mark: Mark,
}

/// Why a text was not opened. Which of these a caller may learn is for the product to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing that this lab sealed: made up, made elsewhere, or by this lab before it was last started.
    #[error("it was not sealed by this lab since it was started")]
    Foreign,
    /// It began as one that this lab sealed, and its end is missing.
    #[error("its end is missing")]
    Cut,
    /// It looks like one that this lab sealed, and was changed, lengthened or never sealed at all.
    #[error("it was changed after it was sealed, or never was")]
    Forged,
    /// Genuine, but of another kind than the one that was asked for.
    #[error("it was sealed for another purpose")]
    OtherKind,
    /// Genuine, but another owner's: another tenant's or service's.
    #[error("it is another owner's")]
    OtherOwner,
    /// Genuine, but its owner was reset after it was sealed.
    #[error("its owner was reset after it was sealed")]
    BeforeReset,
    /// Genuine, but it has ended.
    #[error("it ended at {at}")]
    Expired {
        /// When it ended, by the clock that it was sealed under.
        at: OffsetDateTime,
    },
}

/// The payload has no form in JSON: a map whose keys are no texts, a float that is no number.
#[derive(Debug, thiserror::Error)]
#[error("a payload that cannot be written")]
pub struct SealError(#[from] serde_json::Error);

/// Seals and opens the values of one owner, as of one moment between two resets.
#[derive(Debug)]
pub struct Sealer<'l> {
    key: &'l SealingKey,
    random: &'l Random,
    owner: [u8; LABEL],
    generation: u64,
    /// What every value of this lab begins with.
    maker: [u8; MAKER],
}

impl<'l> Sealer<'l> {
    /// For an exchange: what it seals is void with it if a reset of the owner came meanwhile.
    pub fn of(context: &'l Context, owner: &Scope) -> Self {
        let lab = context.lab();
        Self::new(lab.sealing_key(), lab.random(), owner, context.generation(owner))
    }

    /// For something that is no exchange (a test, an explanation): as the lab is now.
    pub fn now(lab: &'l Lab, owner: &Scope) -> Self {
        Self::new(lab.sealing_key(), lab.random(), owner, lab.generation(owner))
    }

    /// From its parts: a key, where nonces come from, the owner and its reset generation.
    pub fn new(key: &'l SealingKey, random: &'l Random, owner: &Scope, generation: u64) -> Self {
        let mut maker = [VERSION; MAKER];
        maker[1..].copy_from_slice(&key.label("maker", "")[..MAKER - 1]);
        Self { key, random, owner: key.label("owner", owner), generation, maker }
    }

    /// Seals a payload that is good until `expires`. The text has 128 symbols and four for every three octets of the payload
    /// in JSON.
    pub fn seal<T: Serialize>(
        &self,
        kind: &Kind<T>,
        payload: &T,
        expires: OffsetDateTime,
    ) -> Result<String, SealError> {
        let mut octets = vec![0; HEADER];
        octets.extend(moment::write(expires));
        serde_json::to_writer(&mut octets, payload)?;
        let mut nonce = [0; SEALING_NONCE];
        self.random.fill(&mut nonce);
        octets[..MAKER].copy_from_slice(&self.maker);
        // Texts of 4 GiB are not made: what a provider seals came in a request, and those are bounded.
        let length = u32::try_from(octets.len() + SEALING_TAG).unwrap_or(u32::MAX);
        octets[MAKER..FRONT].copy_from_slice(&length.to_be_bytes());
        octets[GENERATION..KIND].copy_from_slice(&self.generation.to_be_bytes());
        octets[KIND..OWNER].copy_from_slice(&self.kind_label(kind));
        octets[OWNER..NONCE].copy_from_slice(&self.owner);
        octets[NONCE..HEADER].copy_from_slice(&nonce);
        let (header, hidden) = octets.split_at_mut(HEADER);
        let tag = self.key.seal(nonce, header, hidden);
        octets.extend(tag);
        Ok(URL_SAFE_NO_PAD.encode(&octets))
    }

    /// Opens a text that was sealed with this kind for this owner since its last reset, and has not ended `now`. Of several
    /// reasons to refuse it the first in the order of [`Refused`] is named.
    pub fn open<T: DeserializeOwned>(
        &self,
        kind: &Kind<T>,
        text: &str,
        now: OffsetDateTime,
    ) -> Result<Opened<T>, Refused> {
        self.is_whole(text.as_bytes())?;
        // Strictly: a last symbol with bits that mean nothing would be a second spelling of the same value.
        let mut octets = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refused::Forged)?;
        if octets.len() < LEAST {
            return Err(Refused::Forged);
        }
        let (header, sealed) = octets.split_at_mut(HEADER);
        let mut nonce = [0; SEALING_NONCE];
        nonce.copy_from_slice(&header[NONCE..]);
        let mut mark = [0; SEALING_TAG];
        mark.copy_from_slice(&sealed[sealed.len() - SEALING_TAG..]);
        let value = self.key.open(nonce, header, sealed).map_err(|_| Refused::Forged)?;
        // From here on nothing in it is anybody's word but this lab's.
        if header[KIND..OWNER] != self.kind_label(kind) {
            return Err(Refused::OtherKind);
        }
        if header[OWNER..NONCE] != self.owner {
            return Err(Refused::OtherOwner);
        }
        if header[GENERATION..KIND] != self.generation.to_be_bytes() {
            return Err(Refused::BeforeReset);
        }
        let (expires, payload) = moment::read(value).ok_or(Refused::Forged)?;
        if now >= expires {
            return Err(Refused::Expired { at: expires });
        }
        // Two kinds by one name would be an error of ours; then this is the other one.
        let payload = serde_json::from_slice(payload).map_err(|_| Refused::OtherKind)?;
        Ok(Opened { payload, expires, mark: Mark(mark) })
    }

    /// Whether a text begins as one of this lab's, and is no shorter than it says.
    fn is_whole(&self, text: &[u8]) -> Result<(), Refused> {
        let mut symbols = [0; MAKER.div_ceil(3) * 4];
        // The buffer holds three octets for every four symbols of it.
        let written = URL_SAFE_NO_PAD.encode_slice(self.maker, &mut symbols).unwrap_or_default();
        if written < MAKER_SYMBOLS || !text.starts_with(&symbols[..MAKER_SYMBOLS]) {
            return Err(Refused::Foreign);
        }
        let front = text.get(..FRONT_SYMBOLS).ok_or(Refused::Cut)?;
        let mut octets = [0; FRONT];
        match URL_SAFE_NO_PAD.decode_slice(front, &mut octets) {
            Ok(FRONT) if octets[..MAKER] == self.maker => {}
            _ => return Err(Refused::Forged),
        }
        let mut length = [0; FRONT - MAKER];
        length.copy_from_slice(&octets[MAKER..]);
        let symbols = (u64::from(u32::from_be_bytes(length)) * 4).div_ceil(3);
        // One that is longer is not genuine, which is found out further on.
        if (text.len() as u64) < symbols { Err(Refused::Cut) } else { Ok(()) }
    }

    fn kind_label<T>(&self, kind: &Kind<T>) -> [u8; LABEL] {
        self.key.label("kind", kind.name)
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);
    const END: OffsetDateTime = datetime!(2026-03-01 13:00 UTC);
    const TICKET: Kind<String> = Kind::new("ticket");

    struct Maker {
        key: SealingKey,
        random: Random,
        owner: Scope,
    }

    impl Maker {
        fn new(secret: u8) -> Self {
            let owner = Scope::organization("a");
            Self { key: SealingKey::from_secret(&[secret; 32]), random: Random::seeded(1), owner }
        }

        fn sealer(&self) -> Sealer<'_> {
            Sealer::new(&self.key, &self.random, &self.owner, 3)
        }

        fn ticket(&self) -> String {
            self.sealer().seal(&TICKET, &String::from("row 7"), END).unwrap()
        }
    }

    /// The same text with one octet of what it stands for changed.
    fn changed(text: &str, at: usize) -> String {
        let mut octets = URL_SAFE_NO_PAD.decode(text).unwrap();
        octets[at] ^= 1;
        URL_SAFE_NO_PAD.encode(octets)
    }

    #[test]
    fn what_was_sealed_comes_back_until_it_ends() {
        let maker = Maker::new(1);
        let text = maker.ticket();
        let open = |now| maker.sealer().open(&TICKET, &text, now);
        let opened = open(NOW).unwrap();
        assert_eq!((opened.payload.as_str(), opened.expires), ("row 7", END));
        assert_eq!(open(END - Duration::NANOSECOND).unwrap(), opened);
        assert_eq!(open(END), Err(Refused::Expired { at: END }), "the end is no longer inside");
    }

    #[test]
    fn a_text_goes_into_a_url_as_it_is_and_says_nothing_of_what_is_in_it() {
        let text = Maker::new(1).ticket();
        assert!(
            text.bytes().all(|symbol| symbol.is_ascii_alphanumeric() || b"-_".contains(&symbol)),
            "{text}"
        );
        let octets = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for word in ["row 7", "ticket", "organization"] {
            assert!(!octets.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
        }
        assert_eq!(octets.len(), LEAST + r#""row 7""#.len());
        let empty = Maker::new(1);
        let empty = empty.sealer().seal(&Kind::<()>::new("nothing"), &(), END).unwrap();
        assert_eq!(empty.len(), 128 + ("null".len() * 4).div_ceil(3), "128 symbols and the payload's");
    }

    #[test]
    fn two_values_have_two_marks_and_one_value_has_one() {
        let maker = Maker::new(1);
        let (one, other) = (maker.ticket(), maker.ticket());
        assert_ne!(one, other, "the same payload, sealed twice");
        let mark = |text: &str| maker.sealer().open(&TICKET, text, NOW).unwrap().mark;
        assert_ne!(mark(&one), mark(&other));
        assert_eq!(mark(&one), mark(&one));
        assert_eq!(mark(&one).to_string().len(), 22);
    }

    #[test]
    fn every_reason_to_refuse_has_its_name() {
        let maker = Maker::new(1);
        let text = maker.ticket();
        let open = |text: &str| maker.sealer().open(&TICKET, text, NOW).unwrap_err();
        assert_eq!(open(&Maker::new(2).ticket()), Refused::Foreign);
        for foreign in ["", "A", "not a ticket", "eyJhbGciOiJub25lIn0.e30."] {
            assert_eq!(open(foreign), Refused::Foreign, "{foreign}");
        }
        for end in MAKER_SYMBOLS..text.len() {
            assert_eq!(open(&text[..end]), Refused::Cut, "{end}");
        }
        for at in [GENERATION, KIND, OWNER, NONCE, HEADER, text.len() * 3 / 4 - 1] {
            assert_eq!(open(&changed(&text, at)), Refused::Forged, "{at}");
        }
        for longer in [format!("{text}A"), format!("{text}="), format!("{text}{text}")] {
            assert_eq!(open(&longer), Refused::Forged, "{longer}");
        }
        let other = Kind::<String>::new("tickets");
        assert_eq!(maker.sealer().open(&other, &text, NOW), Err(Refused::OtherKind));
        let owner = Scope::environment("a");
        let elsewhere = Sealer::new(&maker.key, &maker.random, &owner, 3);
        assert_eq!(elsewhere.open(&TICKET, &text, NOW), Err(Refused::OtherOwner));
        let later = Sealer::new(&maker.key, &maker.random, &maker.owner, 4);
        assert_eq!(later.open(&TICKET, &text, NOW), Err(Refused::BeforeReset));
        // All at once: who asks with everything wrong hears the first.
        let all = Sealer::new(&maker.key, &maker.random, &owner, 4);
        assert_eq!(all.open(&other, &text, END), Err(Refused::OtherKind));
        assert_eq!(all.open(&TICKET, &text, END), Err(Refused::OtherOwner));
        assert_eq!(later.open(&TICKET, &text, END), Err(Refused::BeforeReset));
    }

    #[test]
    fn a_kind_by_the_name_of_another_does_not_open_its_values() {
        let maker = Maker::new(1);
        let number = Kind::<u64>::new("ticket");
        assert_eq!(maker.sealer().open(&number, &maker.ticket(), NOW), Err(Refused::OtherKind));
    }

    #[test]
    fn a_payload_without_a_form_in_json_is_not_sealed() {
        let maker = Maker::new(1);
        let kind = Kind::<std::collections::BTreeMap<(u8, u8), u8>>::new("pairs");
        let payload = [((1, 2), 3)].into_iter().collect();
        assert!(maker.sealer().seal(&kind, &payload, END).is_err());
    }
}
