//! The refused request asked again, in a copy of the lab that nobody sees, until it is answered.
//!
//! Decides when that ends: the answer is no refusal, a setting comes up twice, nothing can stand in for what a person
//! knows, or sixteen rounds. A second copy of the products' rules would be wrong somewhere; this is the products
//! themselves. Never touches the lab it was made from.

use mocktenant_lab::Request;
use mocktenant_lab::journal::{Kind as RecordKind, Record};
use mocktenant_lab::{Command, EXCHANGE_HEADER, Lab, Machine, Tree};
use mocktenant_verdict::Edit;
use mocktenant_world::EditedBy;
use serde_json::Value;

use crate::chain::{Chain, Deciding};
use crate::{Cause, Kind, cause, stale};

/// More wrong settings than this are not looked for.
const ROUNDS: usize = 16;
/// A text shorter than this is not told from what the world says anyway.
const TELLING: usize = 16;

/// The cause of a refusal and what would be refused next, in the order of refusal.
pub(crate) async fn causes(lab: &Lab, chain: &Chain<'_>, recorded: Deciding<'_>) -> Vec<Cause> {
    let world = lab.world();
    let own = cause::of(chain, recorded, Some(&world));
    let Some(mut rehearsal) = Rehearsal::of(lab, chain) else { return vec![own] };
    let Some(played) = rehearsal.play().await else { return vec![own.mended()] };
    let mut causes = Vec::new();
    if !played.chain().deciding().is_some_and(|deciding| deciding.is_same_question(&recorded)) {
        causes.push(own.mended());
    }
    rehearsal.go_on(played, &mut causes).await;
    causes
}

/// A copy of the lab and the request that is asked there.
struct Rehearsal {
    fork: Lab,
    asked: Asked,
    /// Whose machines are started again after a change.
    environment: Option<String>,
    /// Texts that were made up to go on.
    assumed: Vec<String>,
}

/// What is asked again.
enum Asked {
    Recorded(Box<Record>),
    Start(Machine),
}

/// One answer that was a refusal, with all that happened because of it.
struct Played {
    tree: Tree,
    root: std::sync::Arc<Record>,
}

impl Played {
    fn chain(&self) -> Chain<'_> {
        Chain::around(&self.root, &self.tree)
    }
}

impl Rehearsal {
    fn of(lab: &Lab, chain: &Chain<'_>) -> Option<Self> {
        let root = chain.root();
        let asked = match (root.kind, &root.machine) {
            (RecordKind::Start, Some(machine)) => Asked::Start(machine.clone()),
            (RecordKind::Request, _) => {
                root.request()?;
                Asked::Recorded(Box::new(Record::clone(root)))
            }
            _ => return None,
        };
        let fork = lab.fork(chain.started());
        Some(Self { fork, asked, environment: chain.environment().map(str::to_owned), assumed: Vec::new() })
    }

    /// Asks again; `None` if it was answered.
    async fn play(&mut self) -> Option<Played> {
        let id = match &self.asked {
            Asked::Recorded(record) => answered(&self.fork, record.request()?).await?,
            Asked::Start(_) => {
                self.restart().await;
                self.newest_start()?
            }
        };
        let tree = self.fork.journal().tree();
        let root = tree.get(&id)?.clone();
        root.refused().then_some(Played { tree, root })
    }

    /// Finds the cause of each refusal in turn and mends it.
    async fn go_on(&mut self, mut played: Played, causes: &mut Vec<Cause>) {
        match self.after_restart(&played).await {
            Restarted::Answered(restart) => return causes.push(restart),
            Restarted::Moved(restart, further) => {
                causes.push(restart);
                played = further;
            }
            Restarted::Same => {}
        }
        for _ in 0..ROUNDS {
            let world = self.fork.world();
            let chain = played.chain();
            let Some(deciding) = chain.deciding() else { return };
            let mut found = cause::of(&chain, deciding, Some(&world));
            if causes.iter().any(|known| known.setting == found.setting && known.kind != Kind::Wait) {
                return;
            }
            self.disclose(&mut found);
            let tried = found.tried();
            found.assumed = !found.needs.is_empty() && tried.is_some();
            let goes_on = match tried {
                Some(edits) => self.apply(&found, edits).await,
                None => false,
            };
            causes.push(found);
            if !goes_on {
                return;
            }
            match self.play().await {
                Some(further) => played = further,
                None => return,
            }
        }
    }

    /// Starts the machines again, which also reads what was changed since, and asks once more.
    async fn after_restart(&mut self, played: &Played) -> Restarted {
        if matches!(self.asked, Asked::Start(_)) || self.environment.is_none() {
            return Restarted::Same;
        }
        let chain = played.chain();
        let Some(deciding) = chain.deciding() else { return Restarted::Same };
        self.restart().await;
        let further = self.play().await;
        let moved = further.as_ref().is_none_or(|further| further.chain().gets_further(&deciding));
        if !moved {
            return Restarted::Same;
        }
        let world = self.fork.world();
        let restart = stale::likeliest(&chain, deciding.role(), &world).unwrap_or_else(|| {
            // Nothing it read has changed: it goes on with what it was given before something else did.
            let found = cause::of(&chain, deciding, Some(&world));
            let first = deciding.check.and_then(|check| check.settings.first());
            let setting = first.cloned().unwrap_or_else(|| found.setting.clone());
            let restart = Cause::new(Kind::Restart, setting, Some(&world));
            restart.expected("what a start reads now").actual("what is kept from before")
        });
        match further {
            Some(further) => Restarted::Moved(restart, further),
            None => Restarted::Answered(restart),
        }
    }

    async fn restart(&self) {
        let environment = match &self.asked {
            Asked::Start(machine) => machine.environment(),
            Asked::Recorded(_) => self.environment.as_deref(),
        };
        if let Some(environment) = environment {
            let restart = Command::Restart { environment: environment.to_owned(), node: None };
            // What cannot be started is found out by asking.
            let _ = self.fork.apply(restart).await;
        }
    }

    fn newest_start(&self) -> Option<String> {
        let Asked::Start(machine) = &self.asked else { return None };
        let records = self.fork.journal().records();
        let newest = records
            .iter()
            .rfind(|record| record.kind == RecordKind::Start && record.machine.as_ref() == Some(machine));
        newest.map(|record| record.id.to_string())
    }

    /// Makes the change, and lets machines read it. `false` if the world refuses it.
    async fn apply(&mut self, found: &Cause, edits: Vec<Edit>) -> bool {
        self.assume(found);
        let applied = self.fork.apply(Command::Edit { edits, by: EditedBy::Control }).await;
        if applied.is_err() {
            return false;
        }
        self.restart().await;
        true
    }

    /// Remembers what is made up: texts of the stand-ins that the world did not hold before.
    fn assume(&mut self, found: &Cause) {
        let stand_ins = found.needs.iter().flat_map(|need| &need.stand_in);
        let mut texts = Vec::new();
        for edit in stand_ins {
            texts.extend(edit.path.segments());
            if let Some(value) = &edit.value {
                collect(value, &mut texts);
            }
        }
        if texts.is_empty() {
            return;
        }
        let known = self.fork.world().view().to_string();
        let token = |text: String| text.split([':', '/', ' ']).map(str::to_owned).collect::<Vec<_>>();
        let made_up = texts
            .into_iter()
            .flat_map(token)
            .filter(|text| text.len() >= TELLING && !known.contains(text.as_str()));
        self.assumed.extend(made_up);
    }

    /// A change that carries something made up is none that could be sent: what it needs is said instead.
    fn disclose(&self, found: &mut Cause) {
        if self.assumed.is_empty() {
            return;
        }
        let made_up = |edit: &Edit| {
            let text = serde_json::to_string(edit).unwrap_or_default();
            self.assumed.iter().any(|assumed| text.contains(assumed.as_str()))
        };
        let (assumed, sound): (Vec<Edit>, Vec<Edit>) = found.change.drain(..).partition(made_up);
        found.change = sound;
        for edit in assumed {
            let need = mocktenant_verdict::Need::add(edit.path.clone(), found.expected.clone());
            found.needs.push(need.stand_in([edit]));
        }
    }
}

enum Restarted {
    /// A restart alone heals it.
    Answered(Cause),
    /// A restart alone makes the question hold; something else is refused then.
    Moved(Cause, Played),
    /// The same question is refused as before.
    Same,
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, texts)),
        Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

async fn answered(fork: &Lab, request: Request) -> Option<String> {
    let response = fork.answer(request).await;
    response.headers.get(EXCHANGE_HEADER)?.to_str().ok().map(str::to_owned)
}
