//! Interleaved transactions against a naive model: whatever the real tables answer, plain maps and a search through
//! everything answer too.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

use std::collections::BTreeMap;

use mocktenant_tables::{
    Columns, Database, Key, KeyName, Limits, Precondition, Reference, Scan, Schema, TableError, Transaction,
};
use proptest::prelude::*;
use serde_json::json;

const MAX_ROWS: usize = 5;
const SLOTS: usize = 3;

/// One row of the model: the primary key is the map's key, the alternate key its one column.
type Number = Option<u8>;
type Rows = BTreeMap<u8, Number>;

#[derive(Debug, Clone)]
enum Step {
    Insert(usize, u8, Number),
    Update(usize, u8, Number, bool),
    Delete(usize, u8),
    Commit(usize),
    Drop(usize),
    Reset(u8, Number),
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    let id = 0_u8..6;
    let number = prop::option::weighted(0.8, 0_u8..4);
    prop_oneof![
        6 => (slot.clone(), id.clone(), number.clone()).prop_map(|(slot, id, number)| Step::Insert(slot, id, number)),
        6 => (slot.clone(), id.clone(), number.clone(), any::<bool>())
            .prop_map(|(slot, id, number, must)| Step::Update(slot, id, number, must)),
        4 => (slot.clone(), id.clone()).prop_map(|(slot, id)| Step::Delete(slot, id)),
        4 => slot.clone().prop_map(Step::Commit),
        2 => slot.prop_map(Step::Drop),
        1 => (id, number).prop_map(|(id, number)| Step::Reset(id, number)),
    ]
}

#[derive(Debug, PartialEq)]
enum Answer {
    Done,
    Taken,
    NumberTaken,
    Locked,
    Missing,
    Full,
    Void,
}

/// The naive model: committed rows, and per slot what an open transaction has touched (`None`: row goes).
#[derive(Default)]
struct Model {
    rows: Rows,
    open: Vec<BTreeMap<u8, Option<Number>>>,
    void: Vec<bool>,
}

impl Model {
    fn new() -> Self {
        Self { rows: Rows::new(), open: vec![BTreeMap::new(); SLOTS], void: vec![false; SLOTS] }
    }

    fn seen_by(&self, slot: usize) -> Rows {
        let mut rows = self.rows.clone();
        for (id, after) in &self.open[slot] {
            match after {
                Some(number) => rows.insert(*id, *number),
                None => rows.remove(id),
            };
        }
        rows
    }

    fn others(&self, slot: usize) -> impl Iterator<Item = (&u8, &Option<Number>)> {
        self.open.iter().enumerate().filter(move |(other, _)| *other != slot).flat_map(|(_, touched)| touched)
    }

    fn locked(&self, slot: usize, id: u8) -> bool {
        self.others(slot).any(|(other, _)| *other == id)
    }

    fn place(&mut self, slot: usize, id: u8, number: Number) -> Answer {
        let new_rows: usize = self
            .open
            .iter()
            .map(|touched| {
                touched.iter().filter(|(id, after)| after.is_some() && !self.rows.contains_key(id)).count()
            })
            .sum();
        let counted = self.rows.contains_key(&id) || matches!(self.open[slot].get(&id), Some(Some(_)));
        if !counted && self.rows.len() + new_rows >= MAX_ROWS {
            return Answer::Full;
        }
        let own = self
            .seen_by(slot)
            .into_iter()
            .any(|(other, taken)| other != id && taken.is_some() && taken == number);
        let foreign =
            self.others(slot).any(|(_, after)| after.is_some_and(|taken| taken.is_some() && taken == number));
        if own || foreign {
            return Answer::NumberTaken;
        }
        self.open[slot].insert(id, Some(number));
        Answer::Done
    }

    fn apply(&mut self, step: &Step) -> Answer {
        match *step {
            Step::Insert(slot, ..) | Step::Update(slot, ..) | Step::Delete(slot, _) if self.void[slot] => {
                Answer::Void
            }
            Step::Insert(slot, id, number) => {
                if self.locked(slot, id) {
                    return if self.rows.contains_key(&id) { Answer::Locked } else { Answer::Taken };
                }
                if self.seen_by(slot).contains_key(&id) {
                    return Answer::Taken;
                }
                self.place(slot, id, number)
            }
            Step::Update(slot, id, number, must_exist) => {
                if self.locked(slot, id) {
                    return Answer::Locked;
                }
                if must_exist && !self.seen_by(slot).contains_key(&id) {
                    return Answer::Missing;
                }
                self.place(slot, id, number)
            }
            Step::Delete(slot, id) => {
                if self.locked(slot, id) {
                    return Answer::Locked;
                }
                if !self.seen_by(slot).contains_key(&id) {
                    return Answer::Missing;
                }
                self.open[slot].insert(id, None);
                Answer::Done
            }
            Step::Commit(slot) => {
                self.rows = self.seen_by(slot);
                self.open[slot].clear();
                if std::mem::take(&mut self.void[slot]) { Answer::Void } else { Answer::Done }
            }
            Step::Drop(slot) => {
                self.open[slot].clear();
                self.void[slot] = false;
                Answer::Done
            }
            Step::Reset(id, number) => {
                self.rows = Rows::from([(id, number)]);
                self.open = vec![BTreeMap::new(); SLOTS];
                self.void = vec![true; SLOTS];
                Answer::Done
            }
        }
    }
}

fn key(id: u8) -> Key {
    Key::text(&format!("ID{id}"))
}

fn row(id: u8, number: Number) -> Columns {
    let number = number.map(|number| format!("Number {number}"));
    json!({"id": format!("Id{id}"), "number": number}).as_object().cloned().unwrap()
}

fn answer<T>(outcome: Result<T, TableError>) -> Answer {
    match outcome {
        Ok(_) => Answer::Done,
        Err(TableError::DuplicateKey { key: KeyName::Primary, .. }) => Answer::Taken,
        Err(TableError::DuplicateKey { .. }) => Answer::NumberTaken,
        Err(TableError::RowLocked { .. }) => Answer::Locked,
        Err(TableError::NotFound { .. }) => Answer::Missing,
        Err(TableError::DatabaseFull { .. }) => Answer::Full,
        Err(TableError::Reset) => Answer::Void,
        Err(other) => panic!("{other}"),
    }
}

fn apply(database: &Database, open: &mut [Transaction], step: &Step) -> Answer {
    match *step {
        Step::Insert(slot, id, number) => answer(open[slot].reserve_insert("t", row(id, number))),
        Step::Update(slot, id, number, must_exist) => {
            let precondition = if must_exist { Precondition::MustExist } else { Precondition::None };
            answer(open[slot].reserve_update("t", &key(id), row(id, number), precondition))
        }
        Step::Delete(slot, id) => answer(open[slot].reserve_delete("t", &key(id), Precondition::None)),
        Step::Commit(slot) => {
            let transaction = std::mem::replace(&mut open[slot], Transaction::begin(database));
            if transaction.commit().is_err() { Answer::Void } else { Answer::Done }
        }
        Step::Drop(slot) => {
            open[slot] = Transaction::begin(database);
            Answer::Done
        }
        Step::Reset(id, number) => answer(database.replace_all([("t", row(id, number))])),
    }
}

fn number_of(columns: &Columns) -> Number {
    columns["number"].as_str().map(|text| text.strip_prefix("Number ").unwrap().parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn interleaved_transactions_answer_as_the_naive_model_does(steps in prop::collection::vec(step(), 1..60)) {
        let schema = Schema::new("t", ["id"]).alternate_key("number", ["number"]);
        let limits = Limits { max_rows: MAX_ROWS, ..Limits::default() };
        let database = Database::new([schema], limits).unwrap();
        let mut open: Vec<Transaction> = (0..SLOTS).map(|_| Transaction::begin(&database)).collect();
        let mut model = Model::new();
        let mut version = 0;
        for step in &steps {
            prop_assert_eq!(apply(&database, &mut open, step), model.apply(step), "{:?}", step);

            let snapshot = database.snapshot();
            let table = snapshot.table("t").unwrap();
            prop_assert_eq!((table.len(), snapshot.rows()), (model.rows.len(), model.rows.len()));
            prop_assert!(snapshot.version() >= version);
            version = snapshot.version();
            for (id, number) in &model.rows {
                let found = table.get(&key(*id)).expect("the model has the row");
                prop_assert_eq!(number_of(&found.columns), *number);
                prop_assert!(found.version <= version);
            }
            for number in 0_u8..4 {
                let owner = model.rows.iter().find(|(_, taken)| **taken == Some(number)).map(|(id, _)| table.get(&key(*id)));
                let reference = Reference::Alternate { index: 0, key: Key::text(&format!("number {number}")) };
                prop_assert_eq!(table.find(&reference), owner.flatten());
            }
            let recids: Vec<i64> = table.iter(Scan::InsertionOrder).map(|row| row.recid).collect();
            prop_assert!(recids.len() == table.len() && recids.is_sorted_by(|left, right| left < right));
            for (slot, transaction) in open.iter().enumerate().filter(|(slot, _)| !model.void[*slot]) {
                let seen = model.seen_by(slot);
                for id in 0_u8..6 {
                    let columns = transaction.get("t", &key(id).into()).unwrap();
                    prop_assert_eq!(columns.map(|columns| number_of(&columns)), seen.get(&id).copied());
                }
                for number in 0_u8..4 {
                    let reference = Reference::Alternate { index: 0, key: Key::text(&format!("number {number}")) };
                    let expected = seen.values().any(|taken| *taken == Some(number));
                    prop_assert_eq!(transaction.get("t", &reference).unwrap().is_some(), expected);
                }
            }
        }
        drop(open);
        // nothing of the dropped transactions is left: every row can be reserved
        let mut last = Transaction::begin(&database);
        for id in model.rows.keys() {
            prop_assert!(last.reserve_delete("t", &key(*id), Precondition::MustExist).is_ok());
        }
        prop_assert_eq!(last.commit().unwrap().changes.len(), model.rows.len());
        prop_assert_eq!(database.snapshot().rows(), 0);
    }
}
