//! One byte changed: whatever is signed then does not verify.

use std::ops::Range;

use mocktenant_federation::{SignatureForm, signed_text};
use mocktenant_keys::Certificate;
use mocktenant_xml::Node;
use proptest::prelude::*;

use crate::documents::{DSIG, TEMPLATE, own, real, signed, trusted, verified, with_root};

/// Where a part of the signature stands.
fn span_of(document: &[u8], part: &str) -> Range<usize> {
    with_root(std::str::from_utf8(document).unwrap(), |root| {
        root.subtree().find(|node| node.is(DSIG, part)).unwrap().span()
    })
}

struct Changed<'a> {
    document: &'a [u8],
    trusted: &'a Certificate,
    content: Vec<u8>,
    /// Where namespaces are declared.
    declarations: Vec<Range<usize>>,
}

impl<'a> Changed<'a> {
    fn of(document: &'a [u8], trusted: &'a Certificate) -> Self {
        let declarations = with_root(std::str::from_utf8(document).unwrap(), |root| {
            let all = root.subtree().flat_map(Node::attributes);
            let declaring = all.filter(|one| one.namespace() == Some("http://www.w3.org/2000/xmlns/"));
            declaring.map(|one| one.name_span().start..one.raw().end + 1).collect()
        });
        Self { document, trusted, content: verified(document, trusted).unwrap(), declarations }
    }

    /// Whether the document with this byte is refused; if not, what is verified has to be what was.
    fn is_refused(&self, at: usize, byte: u8) -> bool {
        let mut document = self.document.to_vec();
        document[at] = byte;
        match verified(&document, self.trusted) {
            Err(_) => true,
            Ok(content) => {
                assert!(content == self.content, "byte {at} can be {byte:#04x} and changes what is verified");
                false
            }
        }
    }

    /// The places in a range with a byte that is not refused.
    fn not_refused(&self, range: Range<usize>, bytes: impl Fn(u8) -> Vec<u8>) -> Vec<(usize, u8)> {
        let every = range.flat_map(|at| bytes(self.document[at]).into_iter().map(move |byte| (at, byte)));
        every.filter(|(at, byte)| !self.is_refused(*at, *byte)).collect()
    }

    /// Whether what changed is nothing that a canonical form has: which white space stands between attributes, or a
    /// declaration, which counts only as far as a name uses it (the content, which is compared, has the names).
    fn means_nothing(&self, (at, byte): (usize, u8)) -> bool {
        let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        is_space(self.document[at]) && is_space(byte) || self.declarations.iter().any(|one| one.contains(&at))
    }
}

#[test]
fn no_byte_of_what_a_real_signature_says_can_be_another() {
    let Some((document, certificate)) = real(2) else { return };
    let changed = Changed::of(&document, &certificate);
    for part in ["SignedInfo", "SignatureValue"] {
        let range = span_of(&document, part);
        assert!(range.len() > 300);
        let not_refused = changed.not_refused(range, |byte| vec![byte ^ 1]);
        assert_eq!(not_refused, [], "of {part}");
    }
}

#[test]
fn of_a_small_document_no_bit_can_be_another_but_of_white_space_comments_and_unused_declarations() {
    let document = signed(TEMPLATE).into_bytes();
    let changed = Changed::of(&document, trusted());
    let comment = signed(TEMPLATE).find("<!-- c -->").unwrap();
    // A comment is not signed, and its inside may be anything.
    let inside = comment + 4..comment + 7;
    let bits = |byte: u8| {
        let spaces = if byte == b' ' { &b"\t\n\r"[..] } else { &[] };
        (0..8).map(|bit| byte ^ (1 << bit)).chain(spaces.iter().copied()).collect()
    };
    let not_refused = changed.not_refused(0..document.len(), bits);
    assert!(!not_refused.is_empty());
    for place in not_refused {
        let expected = changed.means_nothing(place) || inside.contains(&place.0);
        assert!(expected, "{place:?}: {}", String::from_utf8_lossy(&document[..place.0]));
    }
}

#[test]
fn two_thousand_other_bytes_of_metadata_are_refused_or_mean_nothing() {
    let mut documents: Vec<_> = (2..=4).filter_map(real).collect();
    documents.push((own(SignatureForm::Prefixed), trusted().clone()));
    let share = 2_000_usize.div_ceil(documents.len());
    let (mut tried, mut meant_nothing) = (0, 0);
    for (index, (document, certificate)) in documents.iter().enumerate() {
        let changed = Changed::of(document, certificate);
        let key_info = span_of(document, "KeyInfo");
        let mut seed = 0x2545_F491_4F6C_DD1D_u64.wrapping_mul(index as u64 + 1);
        let mut random = |below: usize| {
            // xorshift64*: the same places in every run.
            seed ^= seed >> 12;
            seed ^= seed << 25;
            seed ^= seed >> 27;
            usize::try_from(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % below
        };
        let mut left = share;
        while left > 0 {
            let at = random(document.len());
            // What other bytes become is half of the time something a document is made of.
            let byte = if random(2) == 0 {
                document[random(document.len())]
            } else {
                u8::try_from(random(256)).unwrap()
            };
            if key_info.contains(&at) || document[at] == byte {
                continue;
            }
            left -= 1;
            tried += 1;
            if !changed.is_refused(at, byte) {
                meant_nothing += 1;
                assert!(changed.means_nothing((at, byte)), "byte {at} of {index} can be {byte:#04x}");
            }
        }
    }
    assert!(tried >= 2_000 && meant_nothing < 20, "{meant_nothing} of {tried} meant nothing");
}

proptest! {
    #[test]
    fn nothing_makes_the_verifier_panic(
        at in any::<prop::sample::Index>(),
        cut in 0_usize..200,
        junk in "[<>&;/\"'a-zA-Z:= !\\[\\]#0x-]{0,20}|<!DOCTYPE a>|&b;|<?p q?>|</ds:Signature>|<ds:Object/>",
    ) {
        let mut document = signed(TEMPLATE);
        let start = at.index(document.len());
        let end = (start + cut).min(document.len());
        let before = verified(document.as_bytes(), trusted()).unwrap();
        document.replace_range(start..end, &junk);
        if let Ok(content) = verified(document.as_bytes(), trusted()) {
            prop_assert_eq!(content, before);
        }
    }

    #[test]
    fn no_bytes_do_either(bytes in any::<Vec<u8>>()) {
        prop_assert!(verified(&bytes, trusted()).is_err());
        let _ = signed_text(bytes);
    }
}
