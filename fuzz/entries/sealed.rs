//! What a sealed text has to keep: no panic, no length but its own, and nothing opens anywhere but where it was sealed.

use mocktenant_idp::{Kind, Refused, Sealer};
use mocktenant_keys::SealingKey;
use mocktenant_lab::{Random, Scope};
use time::OffsetDateTime;

/// Presents the bytes as a sealed value, where the corpus was sealed and where it was not.
pub(crate) fn sealed(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (key, random) = (SealingKey::from_secret(&[7; 32]), Random::seeded(7));
    let (owner, other) = (Scope::environment("a"), Scope::organization("a"));
    let (kind, tickets) = (Kind::<String>::new("ticket"), Kind::<String>::new("tickets"));
    let now = OffsetDateTime::UNIX_EPOCH;
    let here = Sealer::new(&key, &random, &owner, 3);
    let opened = here.open(&kind, text, now);
    assert!(opened.is_err() || here.open(&tickets, text, now) == Err(Refused::OtherKind));
    let there = Sealer::new(&key, &random, &other, 3);
    assert!(opened.is_err() || there.open(&kind, text, now) == Err(Refused::OtherOwner));
    let later = Sealer::new(&key, &random, &owner, 4);
    assert!(opened.is_err() || later.open(&kind, text, now) == Err(Refused::BeforeReset));
    // Only what was sealed opens, and that is what the corpus holds.
    if let Ok(opened) = opened {
        assert_eq!((opened.payload.as_str(), opened.mark.to_string().len()), ("row 7", 22));
        assert_eq!(text.len(), 128 + "\"row 7\"".len() * 4 / 3 + 1, "one value has one spelling");
    }
}
