//! Sealed values under everything that can be done to them: presented elsewhere, changed, cut, lengthened, made up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use mocktenant_idp::{Kind, Opened, Refused, Sealer};
use mocktenant_keys::SealingKey;
use mocktenant_lab::{Random, Scope};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::{Deserialize, Serialize};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);
const SYMBOLS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Grant {
    subject: String,
    scopes: Vec<String>,
    number: u64,
}

/// Names that are alike where a careless reader would take one for another.
const KINDS: &[&str] = &["refresh", "refresh-token", "refresh-", "token", "", "session", "Session"];

fn owners() -> Vec<Scope> {
    let names = ["a", "A", "b", "a/b", "", "organization/a"];
    let tenants = names.iter().map(|name| Scope::Tenant((*name).into()));
    let environments = names.iter().map(|name| Scope::environment(name));
    let organizations = names.iter().map(|name| Scope::organization(name));
    tenants.chain(environments).chain(organizations).collect()
}

fn grant() -> impl Strategy<Value = Grant> {
    let scopes = proptest::collection::vec("\\PC{0,12}", 0..4);
    ("\\PC{0,40}", scopes, any::<u64>()).prop_map(|(subject, scopes, number)| Grant {
        subject,
        scopes,
        number,
    })
}

/// Where a value is sealed or opened: kind, owner, generation.
type At = (&'static str, Scope, u64);

fn at() -> impl Strategy<Value = At> {
    (select(KINDS), select(owners()), select(vec![0, 1, 2, 255, 256, u64::MAX]))
}

/// A lab's key and randomness.
struct House {
    key: SealingKey,
    random: Random,
}

impl House {
    fn new(secret: u8) -> Self {
        Self { key: SealingKey::from_secret(&[secret; 32]), random: Random::seeded(secret.into()) }
    }

    fn seal(&self, (kind, owner, generation): &At, grant: &Grant) -> String {
        let sealer = Sealer::new(&self.key, &self.random, owner, *generation);
        sealer.seal(&Kind::new(kind), grant, NOW + Duration::HOUR).unwrap()
    }

    fn open(&self, (kind, owner, generation): &At, text: &str) -> Result<Opened<Grant>, Refused> {
        Sealer::new(&self.key, &self.random, owner, *generation).open(&Kind::new(kind), text, NOW)
    }
}

proptest! {
    #[test]
    fn a_value_opens_where_it_was_sealed_and_nowhere_else(sealed in at(), asked in at(), grant in grant()) {
        let house = House::new(1);
        let text = house.seal(&sealed, &grant);
        prop_assert_eq!(house.open(&sealed, &text).unwrap().payload, grant);
        let expected = if sealed.0 != asked.0 {
            Some(Refused::OtherKind)
        } else if sealed.1 != asked.1 {
            Some(Refused::OtherOwner)
        } else if sealed.2 != asked.2 {
            Some(Refused::BeforeReset)
        } else {
            None
        };
        prop_assert_eq!(house.open(&asked, &text).err(), expected);
        prop_assert_eq!(House::new(2).open(&sealed, &text), Err(Refused::Foreign));
    }

    #[test]
    fn what_was_spliced_out_of_two_values_is_none(
        one in at(), other in at(), grants in (grant(), grant()), cut in any::<Index>(),
    ) {
        let house = House::new(1);
        let texts = [house.seal(&one, &grants.0), house.seal(&other, &grants.1)];
        let end = cut.index(texts[0].len().min(texts[1].len()));
        let spliced = format!("{}{}", &texts[0][..end], &texts[1][end..]);
        prop_assume!(!texts.contains(&spliced));
        for at in [&one, &other] {
            prop_assert!(house.open(at, &spliced).is_err());
        }
    }

    #[test]
    fn whatever_else_is_presented_is_refused(text in "\\PC{0,300}", symbols in "[A-Za-z0-9_=-]{0,300}") {
        let (house, at) = (House::new(1), ("refresh", Scope::environment("a"), 0));
        prop_assert_eq!(house.open(&at, &text), Err(Refused::Foreign));
        prop_assert_eq!(house.open(&at, &symbols), Err(Refused::Foreign));
        // With the beginning of a genuine one it is read further, and goes no further.
        let grant = Grant { subject: String::new(), scopes: Vec::new(), number: 0 };
        let genuine = house.seal(&at, &grant);
        for front in [10, 11, 16, 86, 100] {
            let made_up = format!("{}{symbols}", &genuine[..front]);
            prop_assert!(matches!(house.open(&at, &made_up), Err(Refused::Cut | Refused::Forged)));
            let made_up = format!("{}{text}", &genuine[..front]);
            prop_assert!(matches!(house.open(&at, &made_up), Err(Refused::Cut | Refused::Forged)));
        }
    }
}

#[test]
fn every_flipped_bit_every_other_symbol_and_every_cut_is_refused() {
    let (house, at) = (House::new(1), ("refresh", Scope::environment("a"), 7));
    // Three lengths, so that a last symbol stands for six bits, four and two.
    for subject in ["ada", "adal", "adala"] {
        let text =
            house.seal(&at, &Grant { subject: subject.into(), scopes: vec!["read".into()], number: 1 });
        assert!(house.open(&at, &text).is_ok());
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            for symbol in SYMBOLS.iter().filter(|symbol| **symbol != text.as_bytes()[place]) {
                changed[place] = *symbol;
                let outcome = house.open(&at, std::str::from_utf8(&changed).unwrap());
                let named = match place {
                    ..10 => matches!(outcome, Err(Refused::Foreign)),
                    // The length is written here.
                    10..16 => matches!(outcome, Err(Refused::Forged | Refused::Cut)),
                    _ => matches!(outcome, Err(Refused::Forged)),
                };
                assert!(named, "{place}: {outcome:?}");
            }
            for bit in 0..8 {
                let mut flipped = text.clone().into_bytes();
                flipped[place] ^= 1 << bit;
                let flipped = String::from_utf8_lossy(&flipped);
                assert!(house.open(&at, &flipped).is_err(), "bit {bit} of symbol {place}");
            }
            let mut without = text.clone();
            without.remove(place);
            assert!(house.open(&at, &without).is_err(), "without symbol {place}");
            let expected = if place < 10 { Refused::Foreign } else { Refused::Cut };
            assert_eq!(house.open(&at, &text[..place]), Err(expected), "cut at {place}");
            assert!(house.open(&at, &text[place + 1..]).is_err(), "its beginning is missing to {place}");
        }
    }
}
