//! The Contoso world with every id, name and thumbprint of one-box, application, tenant and organisation replaced by
//! random ones: what a chain test proves must not depend on the published values.
//!
//! Keys are the shipped ones; certificates are issued anew on them, so thumbprints are random and no key is generated.

use mocktenant_artefacts::{AxsfPackage, WebConfig, WifConfig};
use mocktenant_keys::{Thumbprint, issue_self_signed, shipped};
use mocktenant_world::pointers::File;
use mocktenant_world::{Artefacts, Declaration, Origins, World};
use serde_json::{Value, json};
use time::macros::datetime;

/// A small generator with a printable seed; reproducible, not secure.
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number (xorshift64*).
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// One of `sides`.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.roll() % sides
    }

    /// A GUID.
    pub fn guid(&mut self) -> String {
        let (high, low) = (self.roll(), self.roll());
        uuid::Uuid::from_u64_pair(high, low).to_string()
    }

    /// Upper-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from(b"0123456789ABCDEF"[usize::try_from(self.below(16)).unwrap_or(0)]))
            .collect()
    }

    /// A lower-case word.
    pub fn word(&mut self) -> String {
        (0..9).map(|_| char::from(b'a' + u8::try_from(self.below(26)).unwrap_or(0))).collect()
    }
}

/// A random world and the names in it.
pub struct RandomWorld {
    /// The world, healthy.
    pub world: World,
    /// Tenant id.
    pub tenant: String,
    /// Client id of the one-box's own application.
    pub application: String,
    /// Thumbprint of the one-box's own certificate.
    pub thumbprint: Thumbprint,
    /// Host of the organisation.
    pub organization_host: String,
}

/// Rolls a world.
///
/// # Panics
/// If the default world cannot be rewritten: a defect of this test support.
#[expect(clippy::unwrap_used, reason = "test support; a failure should stop the test")]
pub fn roll(dice: &mut Dice) -> RandomWorld {
    let contoso = World::contoso().unwrap();
    let key = shipped::onebox_s2s().key();
    let certificate = issue_self_signed(
        key,
        &format!("box {}", dice.word()),
        datetime!(2024-01-01 0:00 UTC),
        datetime!(2099-01-01 0:00 UTC),
        dice.roll() >> 1,
    )
    .unwrap();
    let thumbprint = certificate.thumbprint();
    let (tenant, application) = (dice.guid(), dice.guid());
    let organization_host = format!("{}.crm4.dynamics.com", dice.word());
    let mut swaps = vec![
        (shipped::onebox_s2s().certificate().thumbprint().to_string(), thumbprint.to_string()),
        ("c0117050-0000-4000-8000-000000000001".into(), tenant.clone()),
        ("c0117050-0000-4000-8000-00000000a002".into(), application.clone()),
        ("contoso.crm4.dynamics.com".into(), organization_host.clone()),
        ("contoso.api.crm4.dynamics.com".into(), format!("{}.api.crm4.dynamics.com", dice.word())),
        (
            "usnconeboxax1aos.cloud.onebox.dynamics.com".into(),
            format!("{}.cloud.onebox.dynamics.com", dice.word()),
        ),
        ("contoso.onmicrosoft.com".into(), format!("{}.onmicrosoft.com", dice.word())),
        ("contoso.com".into(), format!("{}.com", dice.word())),
        ("\"Contoso".into(), format!("\"{}", dice.word())),
    ];
    for id in ["a001", "a003", "a004"] {
        swaps.push((format!("c0117050-0000-4000-8000-00000000{id}"), dice.guid()));
    }
    for id in ["b0001", "b0002", "b0003", "b0004", "b1001", "d0001", "d0002", "d1001", "d1002"] {
        swaps.push((format!("c0117050-0000-4000-8000-0000000{id}"), dice.guid()));
    }
    let swap =
        |text: &str| swaps.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from.as_str(), to));

    let mut view: Value = serde_json::from_str(&swap(&contoso.view().to_string())).unwrap();
    replace_certificate(&mut view, &certificate.base64_der());
    let declaration: Declaration = serde_json::from_value(view).unwrap();
    let file = |environment: &str, file: File| {
        let bytes = contoso.environment(environment).unwrap().file(file).unwrap().bytes().to_vec();
        swap(&String::from_utf8(bytes).unwrap()).into_bytes()
    };
    let artefacts = Artefacts::none()
        .with_web_config("onebox", WebConfig::parse("web.config", file("onebox", File::WebConfig)).unwrap())
        .with_wif_config("onebox", WifConfig::parse("wif.config", file("onebox", File::WifConfig)).unwrap())
        .with_axsf(
            "onprem",
            AxsfPackage::parse(File::Axsf.usual_name(), file("onprem", File::Axsf)).unwrap(),
        );
    let world = World::compile(declaration, artefacts, Origins::default()).unwrap();
    RandomWorld { world, tenant, application, thumbprint, organization_host }
}

/// Puts the new certificate wherever the shipped one-box certificate stood; the key stays the shipped one.
fn replace_certificate(value: &mut Value, certificate: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if name == "certificate" && *member == json!("shipped:onebox-s2s") {
                    *member = json!(certificate);
                } else {
                    replace_certificate(member, certificate);
                }
            }
        }
        Value::Array(elements) => {
            for element in elements {
                replace_certificate(element, certificate);
            }
        }
        _ => {}
    }
}
