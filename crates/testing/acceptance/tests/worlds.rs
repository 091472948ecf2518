//! Worlds with several settings wrong at once: what is explained is what reverting them one by one shows, and applying it
//! heals.
//!
//! Decides by an oracle that knows nothing of checks: of the settings that are wrong, the one whose reverting moves the
//! refusal is the cause; it stays reverted, and the next is found the same way. Where reverting either of two moves it,
//! two readings fit the world, and either is right as long as its change heals. The labs have sockets; every call between
//! products is HTTPS.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::time::{Duration, Instant};

use mocktenant_acceptance::breakages::{self, Breakage};
use mocktenant_acceptance::random_world::{Dice, RandomWorld, roll};
use mocktenant_diagnosis::{Cause, Explanation, Kind, explain};
use mocktenant_lab::Command;
use mocktenant_testkit::Lab;
use mocktenant_world::{Edit, EditedBy, Setting};
use serde_json::{Value, json};

const WORLDS: usize = 500;
const SHARDS: usize = 4;
/// So many sets of wrong settings are tried with the names of one world.
const SETS_A_WORLD: usize = 10;

struct Bench {
    names: RandomWorld,
    lab: Lab,
}

/// What was met: who decided, by which question, about what.
#[derive(Clone, Debug, PartialEq)]
struct Met {
    status: u16,
    exchange: String,
    refusal: Vec<String>,
}

impl Met {
    fn moved(&self, before: &Self) -> bool {
        self.refusal != before.refusal
    }
}

impl Bench {
    async fn new(dice: &mut Dice) -> Self {
        let names = roll(dice);
        let world = names.world.edited(&[], EditedBy::Control).unwrap();
        Self { names, lab: Lab::builder().world(world).start().await }
    }

    async fn edit(&self, edits: Vec<Edit>) {
        if let Err(error) = self.lab.try_apply(edits.clone()).await {
            panic!("{error}: {edits:?}");
        }
        self.lab.restart("onebox").await;
    }

    /// Lets the caller do what it does, with a customer of its own.
    async fn drive(&self, number: usize) -> Met {
        let account = Edit::add(Setting::fixed("/caller/customer/CustomerAccount"), format!("W-{number:06}"));
        self.lab.apply([account]).await;
        let attempt = self.lab.drive().await;
        let tree = self.lab.lab().journal().tree();
        let exchange = attempt.exchange().unwrap().to_owned();
        let root = tree.get(&exchange).unwrap();
        let start = root.fact("start").filter(|_| root.refused()).and_then(|fact| tree.get(&fact.value));
        let tops: Vec<_> = std::iter::once(root).chain(start).collect();
        let below = tops.iter().flat_map(|top| tree.below(&top.id));
        let failed = tops.iter().copied().chain(below.collect::<Vec<_>>()).filter_map(|record| {
            let failed = record.failed_check();
            failed.map(|check| {
                format!("{} {} {} {:?}", record.surface, check.name, check.expected, check.settings)
            })
        });
        let mut refusal: Vec<String> = failed.collect();
        if attempt.status >= 400 && refusal.is_empty() {
            refusal.push(format!("{} {}", attempt.status, root.target));
        }
        Met { status: attempt.status, exchange, refusal }
    }

    async fn explain(&self, met: &Met) -> Explanation {
        explain(self.lab.lab(), &met.exchange).await.unwrap()
    }

    fn healed_by(&self, cause: &Cause, dice: &mut Dice) -> Vec<Edit> {
        let mut edits = cause.change.clone();
        for need in &cause.needs {
            edits.extend(breakages::known_to_a_person(&self.names, &need.path, dice));
        }
        edits
    }
}

/// Two to five of all that can be wrong, none within another.
fn some(all: &[Breakage], dice: &mut Dice) -> Vec<Breakage> {
    let count = 2 + usize::try_from(dice.below(4)).unwrap();
    let mut chosen: Vec<Breakage> = Vec::new();
    while chosen.len() < count {
        let next = &all[usize::try_from(dice.below(all.len() as u64)).unwrap()];
        if !chosen.iter().any(|one| one.excludes(next)) {
            chosen.push(next.clone());
        }
    }
    chosen
}

fn told(causes: &[&Cause]) -> String {
    causes
        .iter()
        .map(|cause| format!("    {:?} {}", cause.kind, cause.to_line()))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Breaks a world, finds out what is met in which order, and compares with what is explained. Gives what is wrong.
async fn judge(
    bench: &Bench,
    broken: &[Breakage],
    dice: &mut Dice,
    number: &mut usize,
) -> Result<bool, String> {
    let context = broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    bench.edit(broken.iter().map(|one| one.edit.clone()).collect()).await;
    let mut drive = async |bench: &Bench| {
        *number += 1;
        bench.drive(*number).await
    };
    let mut met = drive(bench).await;
    let first = bench.explain(&met).await;
    let predicted: Vec<&Cause> = first.cause.iter().chain(&first.also).collect();
    let mut left: Vec<&Breakage> = broken.iter().collect();
    let mut order: Vec<&Breakage> = Vec::new();
    while met.status >= 400 {
        let mut moving = Vec::new();
        for one in &left {
            bench.edit(vec![one.revert(&bench.names)]).await;
            if drive(bench).await.moved(&met) {
                moving.push(*one);
            }
            bench.edit(vec![one.edit.clone()]).await;
        }
        let explanation = bench.explain(&met).await;
        let Some(cause) = &explanation.cause else { return Err(format!("{context}: unexplained\n{met:?}")) };
        // Where no single one moves it, several together stand in the way, and any of them is a beginning.
        let fitting = if moving.is_empty() { left.clone() } else { moving.clone() };
        let Some(named) = fitting.iter().find(|one| one.is_named_by(&cause.setting)) else {
            let moving: Vec<String> = moving.iter().map(ToString::to_string).collect();
            return Err(format!(
                "{context}:\n  moved by {moving:?}, explained as\n{}\n  met {:?}",
                told(&[cause]),
                met.refusal
            ));
        };
        order.push(named);
        left.retain(|one| one.edit != named.edit);
        bench.edit(vec![named.revert(&bench.names)]).await;
        met = drive(bench).await;
    }
    let exact = agrees(&predicted, &order).map_err(|why| {
        format!(
            "{context}: {why}\n  predicted\n{}\n  in turn {:?}",
            told(&predicted),
            order.iter().map(ToString::to_string).collect::<Vec<_>>()
        )
    })?;
    if exact && predicted.iter().all(|cause| cause.needs.is_empty()) {
        // Each change can be sent as it is, and all of them together heal.
        bench.lab.command(Command::Reset { scope: None }).await;
        bench.edit(broken.iter().map(|one| one.edit.clone()).collect()).await;
        bench.edit(predicted.iter().flat_map(|cause| cause.change.clone()).collect()).await;
        let met = drive(bench).await;
        if met.status >= 400 {
            return Err(format!("{context}: all together do not heal: {met:?}\n{}", told(&predicted)));
        }
    }
    heal(bench, broken, dice, &mut drive).await.map_err(|why| format!("{context}: {why}"))?;
    Ok(exact)
}

/// What was predicted from the first refusal is what was met in turn; whether to the letter. After something has stood in
/// for what only a person knows, more may be missing than with the real thing, or less.
fn agrees(predicted: &[&Cause], order: &[&Breakage]) -> Result<bool, String> {
    let mut at = 0;
    let (mut assumed, mut exact) = (false, true);
    for cause in predicted {
        if let Some(next) = order[at..].iter().position(|one| one.is_named_by(&cause.setting)) {
            if next > 0 && !assumed {
                return Err(format!("{} was not to be expected yet", cause.setting));
            }
            exact &= next == 0;
            at += next + 1;
        } else if !order[..at].iter().any(|one| one.is_named_by(&cause.setting)) {
            if !assumed {
                return Err(format!("{} was not to be expected", cause.setting));
            }
            exact = false;
        }
        assumed |= !cause.needs.is_empty();
    }
    // Where nothing can stand in for a value, the prediction ends.
    let ended = predicted.last().is_some_and(|last| !last.needs.is_empty() && !last.assumed);
    let all = at == order.len();
    if all || ended || assumed { Ok(exact && all) } else { Err(format!("only {at} were predicted")) }
}

/// Applies what is explained, one after the other, until the caller gets through.
async fn heal(
    bench: &Bench,
    broken: &[Breakage],
    dice: &mut Dice,
    drive: &mut impl AsyncFnMut(&Bench) -> Met,
) -> Result<(), String> {
    bench.lab.command(Command::Reset { scope: None }).await;
    bench.edit(broken.iter().map(|one| one.edit.clone()).collect()).await;
    let mut seen = Vec::new();
    for _ in 0..20 {
        let met = drive(bench).await;
        if met.status < 400 {
            return Ok(());
        }
        let explanation = bench.explain(&met).await;
        let Some(cause) = &explanation.cause else { return Err(format!("unexplained {met:?}")) };
        seen.push(cause.to_line());
        let edits = bench.healed_by(cause, dice);
        if edits.is_empty() {
            return Err(format!("no change for {}", cause.to_line()));
        }
        if let Err(error) = bench.lab.try_apply(edits.clone()).await {
            return Err(format!("{error}: {edits:?}"));
        }
        bench.lab.restart("onebox").await;
    }
    Err(format!("not healed by\n    {}", seen.join("\n    ")))
}

#[test]
fn five_hundred_worlds_with_several_wrong_settings_are_explained_in_the_order_they_are_met_and_healed() {
    let seed = std::env::var("WORLDS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5EED_0008);
    let worlds = std::env::var("WORLDS").ok().and_then(|worlds| worlds.parse().ok()).unwrap_or(WORLDS);
    let began = Instant::now();
    let shards: Vec<std::thread::JoinHandle<(Vec<String>, usize)>> = (0..SHARDS)
        .map(|shard| {
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async move {
                    let mut dice = Dice::new(seed ^ ((shard as u64 + 1) << 32));
                    let mut bench = Bench::new(&mut dice).await;
                    let mut all = breakages::all(&bench.names, &mut dice);
                    assert!(all.len() >= 30, "{}", all.len());
                    let (mut wrong, mut exact, mut number) = (Vec::new(), 0, 0);
                    for (count, _) in (shard..worlds).step_by(SHARDS).enumerate() {
                        if count % SETS_A_WORLD == SETS_A_WORLD - 1 {
                            bench = Bench::new(&mut dice).await;
                            all = breakages::all(&bench.names, &mut dice);
                        }
                        let broken = some(&all, &mut dice);
                        match judge(&bench, &broken, &mut dice, &mut number).await {
                            Ok(to_the_letter) => exact += usize::from(to_the_letter),
                            Err(why) => wrong.push(why),
                        }
                        bench.lab.command(Command::Reset { scope: None }).await;
                    }
                    (wrong, exact)
                })
            })
        })
        .collect();
    let (mut wrong, mut exact) = (Vec::new(), 0);
    for shard in shards {
        let (found, to_the_letter) = shard.join().unwrap();
        wrong.extend(found);
        exact += to_the_letter;
    }
    let shown: Vec<&str> = wrong.iter().take(12).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {worlds} (WORLDS_SEED={seed}):\n{}", wrong.len(), shown.join("\n"));
    // Most of them leave nothing to a person, or what stands in is as good: then the first explanation tells it all.
    assert!(exact * 100 >= worlds * 70, "{exact} of {worlds} were foretold to the letter");
    assert!(began.elapsed() < Duration::from_secs(1200), "bounded in time");
}

/// Spellings the products accept: each is healthy, and nothing is found in it.
fn variants(names: &RandomWorld) -> Vec<Vec<Edit>> {
    let onebox = mocktenant_world::pointers::environment("onebox");
    let web = |key: &str, change: fn(&str) -> String| {
        let now = names.world.get(&onebox.web_config(key)).and_then(Value::as_str).unwrap().to_owned();
        Edit::replace(onebox.web_config(key), change(&now))
    };
    let one_setting = vec![
        web("Infrastructure.S2SCertThumbprint", str::to_lowercase),
        web("Infrastructure.S2SCertThumbprint", |text| format!(" {text} ")),
        web("Infrastructure.S2SCertThumbprint", |text| {
            text.as_bytes()
                .chunks(2)
                .map(|pair| String::from_utf8_lossy(pair).into_owned())
                .collect::<Vec<_>>()
                .join(" ")
        }),
        web("Aad.Realm", |text| text.trim_start_matches("spn:").to_owned()),
        web("Aad.Realm", |text| format!(" {text} ")),
        web("Aad.Realm", |text| text.to_uppercase().replace("SPN:", "spn:")),
        web("Aad.AADTenantId", str::to_uppercase),
        web("Infrastructure.HostUrl", |text| text.trim_end_matches('/').to_owned()),
        Edit::replace(onebox.dataverse_url(), format!("https://{}/", names.organization_host)),
        Edit::replace(onebox.dataverse_url(), format!("https://{}", names.organization_host.to_uppercase())),
    ];
    // ASP.NET compares keys without case.
    let realm = onebox.web_config("Aad.Realm");
    let value = names.world.get(&realm).cloned().unwrap();
    let other_case = vec![Edit::remove(realm), Edit::add(onebox.web_config("aad.realm"), value)];
    one_setting.into_iter().map(|edit| vec![edit]).chain([other_case]).collect()
}

#[tokio::test]
async fn spellings_the_products_accept_give_no_finding() {
    let mut dice = Dice::new(8);
    let bench = Bench::new(&mut dice).await;
    // Something is wrong at the very end of the way, so that everything before it is looked at.
    let user = mocktenant_world::pointers::organization("contoso").application_user(&bench.names.application);
    let end = Edit::replace(user.roles(), json!([]));
    for (number, variant) in variants(&bench.names).into_iter().enumerate() {
        let edits = variant.iter().cloned().chain([end.clone()]).collect();
        bench.edit(edits).await;
        let met = bench.drive(number).await;
        let explanation = bench.explain(&met).await;
        let cause = explanation.cause.unwrap_or_else(|| panic!("{variant:?}: unexplained {met:?}"));
        assert!(cause.setting.is_within(&user.roles()), "{variant:?}: {}", cause.to_line());
        assert!(
            explanation.also.is_empty(),
            "{variant:?}: {}",
            told(&explanation.also.iter().collect::<Vec<_>>())
        );
        bench.edit(cause.change).await;
        let met = bench.drive(1_000 + number).await;
        assert!(met.status < 400, "{variant:?}: {met:?}");
        let explanation = bench.explain(&met).await;
        assert!(
            explanation.cause.is_none_or(|cause| cause.kind == Kind::Wait) && explanation.also.is_empty(),
            "{variant:?}"
        );
        bench.lab.command(Command::Reset { scope: None }).await;
    }
}
