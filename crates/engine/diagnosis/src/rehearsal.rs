//! The refused request asked again, or the token judged again, in a copy of the lab that nobody sees, until it is answered.
//!
//! Decides when that ends: the answer is no refusal, a setting comes up twice, nothing can stand in for what a person
//! knows, or sixteen rounds. A second copy of the products' rules would be wrong somewhere; this is the products
//! themselves. Never touches the lab it was made from.

use std::sync::Arc;

use http::HeaderMap;
use http::header::LOCATION;
use mocktenant_lab::caller::{self, Made};
use mocktenant_lab::journal::{Kind as RecordKind, Record};
use mocktenant_lab::outbound::{Call, Outbound as _};
use mocktenant_lab::{Command, EXCHANGE_HEADER, InProcess, Lab, Machine, Request, Tree};
use mocktenant_verdict::{Edit, Need};
use mocktenant_world::{EditedBy, Errand, World};
use serde_json::Value;

use crate::chain::{Chain, Deciding};
use crate::{Cause, Kind, cause, stale};

/// More wrong settings than this are not looked for.
const ROUNDS: usize = 16;
/// A text shorter than this is not told from what the world says anyway.
const TELLING: usize = 16;

/// The cause of a refusal and what would be refused next, in the order of refusal.
pub(crate) async fn causes(
    lab: &Lab,
    chain: &Chain<'_>,
    recorded: Deciding<'_>,
    presented: Option<&Presented>,
) -> Vec<Cause> {
    let world = lab.world();
    let made = caller::made(lab, chain.root());
    let own = of_whom(cause::of(chain, recorded, Some(&world), made), made);
    let Some(mut rehearsal) = Rehearsal::of(lab, chain, presented) else { return vec![own] };
    let played = match rehearsal.play().await {
        Turn::Refused(played) => played,
        Turn::Answered => return vec![own.mended()],
        Turn::Lost => return vec![own],
    };
    let mut causes = Vec::new();
    if !played.chain().deciding().is_some_and(|deciding| deciding.is_same_question(&recorded)) {
        causes.push(own.mended());
    }
    rehearsal.go_on(played, &mut causes).await;
    causes
}

/// A token that is judged at a place: no record holds it.
#[derive(Clone)]
pub(crate) struct Presented {
    pub(crate) place: String,
    pub(crate) token: String,
}

/// A copy of the lab and the request that is asked there.
struct Rehearsal {
    fork: Lab,
    asked: Asked,
    /// Which request of the declared caller it is: then a change of the caller changes the request.
    made: Option<Made>,
    /// Whose machines are started again after a change.
    environment: Option<String>,
    /// The world of the lab, which has the files a person looks into.
    declared: Arc<World>,
    /// Texts that were made up to go on.
    assumed: Vec<String>,
}

/// What is asked again.
enum Asked {
    /// The recorded request, as it came.
    Recorded(Box<Record>),
    /// What sent a browser there, as it came; then where that sends it now.
    Sent(Box<Record>),
    /// The caller does what it does, from the beginning.
    Caller,
    /// A machine starts.
    Start(Machine),
    /// A token is judged without a request.
    Judged(Presented),
}

/// What came of asking.
enum Turn {
    Answered,
    Refused(Played),
    /// It could not be asked.
    Lost,
}

/// One answer that was a refusal, with all that happened because of it.
struct Played {
    tree: Tree,
    root: Arc<Record>,
}

impl Played {
    fn chain(&self) -> Chain<'_> {
        Chain::around(&self.root, &self.tree)
    }
}

impl Rehearsal {
    fn of(lab: &Lab, chain: &Chain<'_>, presented: Option<&Presented>) -> Option<Self> {
        let root = chain.root();
        let asked = match (root.kind, &root.machine) {
            (RecordKind::Judged, _) => Asked::Judged(presented?.clone()),
            (RecordKind::Start, Some(machine)) => Asked::Start(machine.clone()),
            (RecordKind::Request, _) => {
                root.request()?;
                let sender = chain.sender().filter(|sender| sender.request().is_some());
                let recorded = Asked::Recorded(Box::new(Record::clone(root)));
                sender.map_or(recorded, |sender| Asked::Sent(Box::new(Record::clone(sender))))
            }
            _ => return None,
        };
        let made = match &asked {
            Asked::Recorded(_) => caller::made(lab, root),
            Asked::Sent(sender) => caller::made(lab, sender),
            _ => None,
        };
        // Whoever signs in calls no environment.
        let calls = made.filter(|made| *made != Made::ToSignIn);
        let callers = || calls.map(|_| lab.world().caller().environment.clone());
        let environment = chain.environment().map(str::to_owned).or_else(callers);
        // As of its own time: a token that has run out since is no reason it was refused for.
        let offset = root.machine.as_ref().map(|machine| machine.offset(&lab.world())).unwrap_or_default();
        let began = root.at.saturating_sub(offset);
        let fork = lab.fork(began, chain.started());
        // What one of several nodes was asked is asked of that one again.
        let nodes =
            [Some(root), chain.sender()].into_iter().flatten().filter_map(|record| record.machine.clone());
        if let Some(node) = nodes.clone().find(|machine| machine.environment().is_some()) {
            fork.prefer(node);
        }
        Some(Self { fork, asked, made, environment, declared: lab.world(), assumed: Vec::new() })
    }

    /// Asks again.
    async fn play(&mut self) -> Turn {
        let turn = self.ask().await;
        // A token alone is not what the caller is after, nor is a page.
        if matches!((&turn, &self.asked), (Turn::Answered, Asked::Recorded(_) | Asked::Sent(_)))
            && matches!(self.made, Some(Made::ForToken | Made::ToSignIn))
        {
            self.asked = Asked::Caller;
            return self.ask().await;
        }
        turn
    }

    async fn ask(&self) -> Turn {
        let id = match &self.asked {
            Asked::Recorded(record) => match record.request() {
                Some(request) => answered(&self.fork, request).await,
                None => None,
            },
            Asked::Sent(sender) => match sender.request() {
                Some(request) => self.sent_on(request).await,
                None => None,
            },
            Asked::Caller => {
                let via = self.way_in();
                let does = self.fork.world().caller().does;
                let does = if self.made == Some(Made::ToSignIn) { Errand::SignIn } else { does };
                let attempt = caller::drive_as(&self.fork, &via, does, None).await;
                attempt.ok().map(|attempt| attempt.exchange)
            }
            Asked::Start(_) => {
                self.restart().await;
                self.newest_start()
            }
            Asked::Judged(Presented { place, token }) => {
                self.fork.judge_at(place, token).ok().map(|record| record.id.to_string())
            }
        };
        let tree = self.fork.journal().tree();
        match id.and_then(|id| tree.get(&id).cloned()) {
            Some(root) if root.refused() => Turn::Refused(Played { tree, root }),
            Some(_) => Turn::Answered,
            None => Turn::Lost,
        }
    }

    fn way_in(&self) -> InProcess {
        let via = self.fork.dial().map(|dial| InProcess::new(&self.fork, dial));
        via.unwrap_or_else(|| InProcess::by_world_names(&self.fork))
    }

    /// Asks the sender, and goes where it sends a browser now; its own answer where that is nowhere.
    async fn sent_on(&self, request: Request) -> Option<String> {
        let response = self.fork.answer(request).await;
        let Some(url) = response.headers.get(LOCATION).and_then(|to| to.to_str().ok()) else {
            return exchange_of(&response.headers);
        };
        let call = Call::get(url);
        exchange_of(&self.way_in().call(call).await.ok()?.headers)
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
            let mut found = of_whom(cause::of(&chain, deciding, Some(&world), self.made), self.made);
            if causes.iter().any(|known| known.setting == found.setting && known.kind != Kind::Wait) {
                return;
            }
            self.disclose(&mut found);
            found.stands_in(&self.declared);
            let tried = found.tried();
            let goes_on = match tried {
                Some(edits) => self.apply(&found, edits).await,
                None => false,
            };
            found.assumed = goes_on && !found.needs.is_empty();
            causes.push(found);
            if !goes_on {
                return;
            }
            match self.play().await {
                Turn::Refused(further) => played = further,
                Turn::Answered | Turn::Lost => return,
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
        let further = match self.ask().await {
            Turn::Refused(further) if further.chain().gets_further(&deciding) => Some(further),
            Turn::Answered => None,
            Turn::Refused(_) | Turn::Lost => return Restarted::Same,
        };
        let world = self.fork.world();
        let restart = stale::likeliest(&chain, deciding.role(), &world).unwrap_or_else(|| {
            // Nothing it read has changed: it goes on with what it was given before something else did.
            let found = cause::of(&chain, deciding, Some(&world), self.made);
            let first = deciding.check.and_then(|check| check.settings.first());
            let setting = first.cloned().unwrap_or_else(|| found.setting.clone());
            let restart = Cause::new(Kind::Restart, setting, Some(&world));
            stale::at(&chain, restart.expected("something newer").actual("what is kept from before"), &world)
        });
        match further {
            Some(further) => Restarted::Moved(restart, further),
            None => Restarted::Answered(restart),
        }
    }

    async fn restart(&self) {
        let environment = match &self.asked {
            Asked::Start(machine) => machine.environment(),
            Asked::Recorded(_) | Asked::Sent(_) | Asked::Caller | Asked::Judged(_) => {
                self.environment.as_deref()
            }
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
        if found.kind == Kind::Caller {
            if self.made.is_none() {
                // Whoever asked is nobody this world declares: what else would be refused is theirs to find out.
                return false;
            }
            self.asked = Asked::Caller;
        }
        let applied = self.fork.apply(Command::Edit { edits, by: EditedBy::Control }).await;
        if applied.is_err() {
            return false;
        }
        // What a browser brought was issued before the change.
        if self.made == Some(Made::ToSignIn)
            && matches!(&self.asked, Asked::Recorded(record) if !record.request_body.is_empty())
        {
            self.asked = Asked::Caller;
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
            .filter(|text| text.len() >= TELLING && has_digits(text) && !known.contains(text.as_str()));
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
            let need = Need::add(edit.path.clone(), found.expected.clone());
            found.needs.push(need.stand_in([edit]));
        }
    }
}

/// A stranger's request says nothing of the declared caller: there is nothing declared to change.
fn of_whom(mut found: Cause, made: Option<Made>) -> Cause {
    let nobodys = |cause: &mut Cause| {
        if cause.kind == Kind::Caller && made.is_none() {
            cause.change.clear();
            cause.needs.clear();
        }
    };
    nobodys(&mut found);
    found.or.iter_mut().for_each(|or| nobodys(or));
    found
}

enum Restarted {
    /// A restart alone heals it.
    Answered(Cause),
    /// A restart alone makes the question hold; something else is refused then.
    Moved(Cause, Played),
    /// The same question is refused as before.
    Same,
}

/// Made-up ids, thumbprints and certificates are full of digits; names of keys and hosts are not.
fn has_digits(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= 4
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
    exchange_of(&fork.answer(request).await.headers)
}

fn exchange_of(headers: &HeaderMap) -> Option<String> {
    headers.get(EXCHANGE_HEADER)?.to_str().ok().map(str::to_owned)
}
