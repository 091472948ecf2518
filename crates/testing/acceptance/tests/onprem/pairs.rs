//! Two settings wrong at once: which is met first is found out by putting them back one by one, and said so.
//!
//! The oracle knows nothing of checks: the one whose putting back moves the refusal is the cause.

use mocktenant_diagnosis::{Cause, Explanation, explain};
use mocktenant_lab::Command;
use mocktenant_verdict::Setting;
use mocktenant_world::{Edit, World};

use crate::site::*;

/// One wrong setting, how it is put right, and what a diagnosis may name for it.
struct Wrong {
    what: &'static str,
    edit: Edit,
    named: Setting,
}

impl Wrong {
    fn new(what: &'static str, edit: Edit) -> Self {
        let named = edit.path.clone();
        Self { what, edit, named }
    }

    fn put_back(&self, healthy: &World) -> Edit {
        match healthy.get(&self.edit.path) {
            Some(value) => Edit::add(self.edit.path.clone(), value.clone()),
            None => Edit::remove(self.edit.path.clone()),
        }
    }

    fn is_named_by(&self, cause: &Cause) -> bool {
        cause.setting.is_within(&self.named) || self.named.is_within(&cause.setting)
    }
}

/// In no order that anything depends on.
fn everything() -> Vec<Wrong> {
    let native = format!(
        "{SERVICE}/application_groups/Microsoft Dynamics 365 for Operations \
         On-premises/native_applications/d8230a86-015d-4c14-bcd6-c7fb65176b16"
    );
    vec![
        Wrong::new("row disabled", set(&format!("{ROW}/Enable"), 0)),
        Wrong::new(
            "metadata host",
            set(&format!("{AXSF}/Aad.AADMetadataLocationFormat"), "https://sts.contoso.example/x"),
        ),
        Wrong::new(
            "client id",
            set(&format!("{AXSF}/OpenIDConnect.ClientID"), "d8230a86-015d-4c14-bcd6-c7fb65176b61"),
        ),
        Wrong::new(
            "redirect URI",
            set(&format!("{native}/redirect_uris"), serde_json::json!(["https://ax.contoso.example/"])),
        ),
        Wrong::new(
            "identity provider",
            set(&format!("{ROW}/IdentityProvider"), "http://sts.contoso.example/adfs/services/trust"),
        ),
        Wrong::new("network alias", set(&format!("{ROW}/NetworkAlias"), "ada@contoso.example")),
        Wrong::new("root", gone("/environments/onprem/machine/certificates/LocalMachine/Root/lab-ca")),
        Wrong::new("AD FS's clock", set(&format!("{SERVICE}/clock"), "+20m")),
        Wrong::new(
            "keys",
            set(&format!("{AXSF}/OpenIDConnect.Metadata"), "https://adfs.contoso.com/adfs/.well-known/none"),
        ),
        Wrong::new("nonce", set("/caller/sign_in/loses", serde_json::json!(["OpenIdConnect.nonce"]))),
    ]
}

/// So many pairs at least; all of them that can be made are tried.
const PAIRS: usize = 12;

/// What was met: who decided, by which question.
type Met = Vec<String>;

impl Site {
    async fn meets(&self, edits: &[Edit]) -> (Met, Option<Explanation>) {
        self.apply(edits).await;
        let before = self.lab.journal().records().len();
        self.restart().await;
        let attempt = self.opens().await;
        if !attempt.refused() {
            return (Met::new(), None);
        }
        let records = self.lab.journal().records();
        let failed = records[before..].iter().filter_map(|record| {
            let check = record.failed_check()?;
            Some(format!("{} {} {} {:?}", record.surface, check.name, check.expected, check.settings))
        });
        let met: Met = failed.collect();
        assert!(!met.is_empty(), "{:?} {}", attempt.status, String::from_utf8_lossy(&attempt.body));
        (met, Some(explain(&self.lab, &attempt.exchange).await.unwrap()))
    }
}

#[tokio::test]
async fn two_wrong_settings_are_explained_in_the_order_they_are_met_and_healed() {
    let all = everything();
    let site = Site::new().await;
    let healthy = site.lab.world();
    let mut pairs = 0;
    for (number, one) in all.iter().enumerate() {
        for other in &all[..number] {
            if one.named == other.named {
                continue;
            }
            let context = format!("{} and {}", one.what, other.what);
            let (met, first) = site.meets(&[one.edit.clone(), other.edit.clone()]).await;
            let first = first.unwrap_or_else(|| panic!("{context}: not refused"));
            // Each is put back alone: the one that moves the refusal is what was met.
            let mut moving = Vec::new();
            for each in [one, other] {
                if site.meets(&[each.put_back(&healthy)]).await.0 != met {
                    moving.push(each);
                }
                site.meets(std::slice::from_ref(&each.edit)).await;
            }
            let cause = first.cause.as_ref().unwrap_or_else(|| panic!("{context}: no cause for {met:?}"));
            assert!(
                moving.iter().any(|each| each.is_named_by(cause)),
                "{context}: moved by {:?}, explained as {}\n{met:?}",
                moving.iter().map(|each| each.what).collect::<Vec<_>>(),
                cause.to_line()
            );
            for cause in &first.also {
                let known = [one, other].iter().any(|each| each.is_named_by(cause));
                assert!(known, "{context}: {} was not to be expected", cause.to_line());
            }
            let mut seen = Vec::new();
            let mut healed = site.meets(&[]).await.1;
            for _ in 0..3 {
                let Some(explanation) = healed else { break };
                let cause = explanation.cause.unwrap_or_else(|| panic!("{context}: no cause"));
                seen.push(cause.to_line());
                healed = site.meets(&crate::scenarios::healing(&cause)).await.1;
            }
            assert!(healed.is_none(), "{context}: not healed by {seen:#?}");
            site.lab.apply(Command::Reset { scope: None }).await.unwrap();
            pairs += 1;
        }
    }
    assert!(pairs >= PAIRS, "{pairs}");
}
