//! The one setting to change, in whose file: explains an exchange against the world, even where the refusing side cannot
//! know the cause, and tries out what would be refused next.
//!
//! Decides from the journal (what was asked, in which role, with which inputs, who refused) and a rehearsal: a throw-away
//! copy of the lab in which the request is asked again, the remedy applied, and asked again. Knows no product: what a check
//! is about and what would mend it is said by whoever asked it. Never changes the lab, never reads a file, never speaks to
//! a caller. The contract of the result and its ties are those of the design, section 6. When the lab is gone, its records
//! alone can still be explained; what is missing then stands in [`Explanation::world`].

mod case;
mod cause;
mod chain;
mod explanation;
mod ladder;
mod rehearsal;
mod stale;
mod telling;
mod ties;

pub use explanation::{Cause, ExplainedCheck, Explanation, Kind, Origin};
pub use ladder::Rung;
pub use telling::shell_word;

use std::sync::Arc;

use mocktenant_lab::journal::Record;
use mocktenant_lab::{Lab, Tree, UnknownPlace};

use crate::chain::Chain;
use crate::rehearsal::Presented;

/// Explains one exchange of a running lab: an exchange id, any id an answer carried (request, correlation, activity),
/// or `last` for the last refusal.
///
/// `None` if the journal has no such exchange.
pub async fn explain(lab: &Lab, what: &str) -> Option<Explanation> {
    let tree = lab.journal().tree();
    Some(told(lab, &Chain::around(meant(&tree, what)?, &tree), None).await)
}

async fn told(lab: &Lab, chain: &Chain<'_>, presented: Option<&Presented>) -> Explanation {
    let world = lab.world();
    let (cause, also) = match chain.deciding() {
        Some(deciding) => {
            let mut causes = rehearsal::causes(lab, chain, deciding, presented).await.into_iter();
            (causes.next(), causes.collect())
        }
        None => {
            let mut changed = stale::all(chain, &world);
            (changed.next(), distinct(changed))
        }
    };
    let ladder = ladder::of(chain.tree(), chain.root(), lab);
    Explanation { ladder, ..explanation(chain, true, cause, also) }.masked(&lab.mask())
}

/// Judges a token, or a client's assertion, at a place of a running lab, and explains the verdict as if it had come with a
/// request. `place` is a short name; the checks are in the journal too, the token is not.
pub async fn judge(lab: &Lab, place: &str, token: &str) -> Result<Explanation, UnknownPlace> {
    let record = lab.judge_at(place, token)?;
    let tree = lab.journal().tree();
    let presented = Presented { place: place.to_owned(), token: token.to_owned() };
    Ok(told(lab, &Chain::around(&record, &tree), Some(&presented)).await)
}

/// Explains one of these records the same way, without the world it was answered in: what only a world can tell is left
/// out, and nothing is tried out.
pub fn explain_records(tree: &Tree, what: &str) -> Option<Explanation> {
    let chain = Chain::around(meant(tree, what)?, tree);
    let cause = chain.deciding().map(|deciding| {
        let mut cause = cause::of(&chain, deciding, None, None);
        cause.advice = deciding.check.and_then(|check| check.change.clone());
        cause.change.clear();
        cause.needs.clear();
        if let Some(or) = &mut cause.or {
            or.change.clear();
            or.needs.clear();
        }
        cause
    });
    Some(explanation(&chain, false, cause, Vec::new()).masked(&chain.root().mask()))
}

fn meant<'t>(tree: &'t Tree, what: &str) -> Option<&'t Arc<Record>> {
    if what == "last" { tree.last_refusal() } else { tree.find(what) }
}

fn explanation(chain: &Chain, world: bool, cause: Option<Cause>, also: Vec<Cause>) -> Explanation {
    Explanation {
        schema: 1,
        world,
        exchange: chain.root().id.to_string(),
        symptom: chain.symptom(),
        ladder: Vec::new(),
        checks: chain.checks(),
        cause,
        also,
        at: chain.root().at,
        refused: chain.root().refused(),
    }
}

/// Each setting once.
fn distinct(causes: impl Iterator<Item = Cause>) -> Vec<Cause> {
    let mut kept: Vec<Cause> = Vec::new();
    for cause in causes {
        if !kept.iter().any(|known| known.setting == cause.setting) {
            kept.push(cause);
        }
    }
    kept
}
