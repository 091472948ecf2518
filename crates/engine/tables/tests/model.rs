//! Interleaved transactions, drafts, resets and changes of the schema against a naive model: whatever the real tables answer,
//! plain maps and a search through everything answer too.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use common::{insert, schema, values};
use mocktenant_query::{Comparison, Expression, Path};
use mocktenant_schema::{Cell, CellRef, Schema, Table};
use mocktenant_tables::{
    Database, Draft, Key, Limits, Precondition, Query, Row, Snapshot, TableError, Transaction, Values,
};
use proptest::prelude::*;

const MAX_ROWS: usize = 5;
const SLOTS: usize = 3;
const IDS: u8 = 6;
const NUMBERS: u8 = 4;
const COLOURS: u8 = 3;

/// One row of the model: the primary key is the map's key, then a further unique key and a column that has an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Content {
    number: Option<u8>,
    colour: Option<u8>,
}

type Rows = BTreeMap<u8, Content>;

/// How the table is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Shape {
    #[default]
    Plain,
    /// Columns before, between and behind, with an index and a default.
    Wide,
    /// No index but the keys.
    Unindexed,
    /// Numbers may be shared.
    Keyless,
    /// The column of colours is gone.
    Colourless,
}

impl Shape {
    const ALL: [Self; 5] = [Self::Plain, Self::Wide, Self::Unindexed, Self::Keyless, Self::Colourless];

    fn schema(self) -> Arc<Schema> {
        let number = "keys: {number: {columns: [number]}}";
        let (keys, indexes, columns) = match self {
            Self::Plain => (number, "colour", "id: text, number: text, colour: text"),
            Self::Wide => {
                let columns = "first: {type: whole, default: 1}, id: text, between: text, colour: text, number: text, last: flag";
                (number, "colour, first", columns)
            }
            Self::Unindexed => (number, "", "id: text, number: text, colour: text"),
            Self::Keyless => ("keys: {}", "number, colour", "id: text, number: text, colour: text"),
            Self::Colourless => (number, "", "id: text, number: text"),
        };
        let table = format!("{{key: [id], {keys}, indexes: [{indexes}], columns: {{{columns}}}}}");
        schema(&format!("other: {{columns: {{otherid: text}}}}\nt: {table}\n"))
    }

    /// A row as a table of this shape holds it.
    fn kept(self, content: Content) -> Content {
        if self == Self::Colourless { Content { colour: None, ..content } } else { content }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Insert(usize, u8, Content),
    Update(usize, u8, Content, bool),
    Delete(usize, u8),
    Commit(usize),
    Drop(usize),
    Reset(u8, Content),
    Redefine(Shape),
    Fork,
    Draft,
    /// In the first transaction of the draft, which is committed at once.
    InDraft(Box<Step>),
    Adopt,
}

fn content() -> impl Strategy<Value = Content> {
    let number = prop::option::weighted(0.8, 0..NUMBERS);
    let colour = prop::option::weighted(0.8, 0..COLOURS);
    (number, colour).prop_map(|(number, colour)| Content { number, colour })
}

fn write(slot: impl Strategy<Value = usize> + Clone) -> impl Strategy<Value = Step> {
    let id = 0..IDS;
    prop_oneof![
        6 => (slot.clone(), id.clone(), content()).prop_map(|(slot, id, content)| Step::Insert(slot, id, content)),
        6 => (slot.clone(), id.clone(), content(), any::<bool>())
            .prop_map(|(slot, id, content, must)| Step::Update(slot, id, content, must)),
        4 => (slot, id).prop_map(|(slot, id)| Step::Delete(slot, id)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        16 => write(slot.clone()),
        4 => slot.clone().prop_map(Step::Commit),
        2 => slot.prop_map(Step::Drop),
        1 => (0..IDS, content()).prop_map(|(id, content)| Step::Reset(id, content)),
        2 => prop::sample::select(Shape::ALL.to_vec()).prop_map(Step::Redefine),
        1 => Just(Step::Fork),
        2 => Just(Step::Draft),
        4 => write(Just(0)).prop_map(|step| Step::InDraft(Box::new(step))),
        2 => Just(Step::Adopt),
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
#[derive(Default, Clone)]
struct Model {
    rows: Rows,
    shape: Shape,
    open: Vec<BTreeMap<u8, Option<Content>>>,
    void: Vec<bool>,
    draft: Option<Box<Model>>,
    /// The rows have changed since the draft was made.
    moved: bool,
    forks: Vec<Rows>,
}

impl Model {
    fn new(rows: Rows, shape: Shape) -> Self {
        Self { rows, shape, open: vec![BTreeMap::new(); SLOTS], void: vec![false; SLOTS], ..Self::default() }
    }

    fn seen_by(&self, slot: usize) -> Rows {
        let mut rows = self.rows.clone();
        for (id, after) in &self.open[slot] {
            match after {
                Some(content) => rows.insert(*id, *content),
                None => rows.remove(id),
            };
        }
        rows
    }

    fn others(&self, slot: usize) -> impl Iterator<Item = (&u8, &Option<Content>)> {
        self.open.iter().enumerate().filter(move |(other, _)| *other != slot).flat_map(|(_, touched)| touched)
    }

    fn locked(&self, slot: usize, id: u8) -> bool {
        self.others(slot).any(|(other, _)| *other == id)
    }

    fn place(&mut self, slot: usize, id: u8, content: Content) -> Answer {
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
        let same = |taken: Content| taken.number.is_some() && taken.number == content.number;
        let own = self.seen_by(slot).into_iter().any(|(other, taken)| other != id && same(taken));
        let foreign = self.others(slot).any(|(_, after)| after.is_some_and(same));
        if self.shape != Shape::Keyless && (own || foreign) {
            return Answer::NumberTaken;
        }
        self.open[slot].insert(id, Some(self.shape.kept(content)));
        Answer::Done
    }

    /// Takes what is open away from everybody.
    fn reset(&mut self) {
        self.open = vec![BTreeMap::new(); SLOTS];
        self.void = vec![true; SLOTS];
        self.moved = true;
    }

    fn apply(&mut self, step: &Step) -> Answer {
        match *step {
            Step::Insert(slot, ..) | Step::Update(slot, ..) | Step::Delete(slot, _) if self.void[slot] => {
                Answer::Void
            }
            Step::Insert(slot, id, content) => {
                if self.locked(slot, id) {
                    return if self.rows.contains_key(&id) { Answer::Locked } else { Answer::Taken };
                }
                if self.seen_by(slot).contains_key(&id) {
                    return Answer::Taken;
                }
                self.place(slot, id, content)
            }
            Step::Update(slot, id, content, must_exist) => {
                if self.locked(slot, id) {
                    return Answer::Locked;
                }
                if must_exist && !self.seen_by(slot).contains_key(&id) {
                    return Answer::Missing;
                }
                self.place(slot, id, content)
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
                self.moved |= !self.open[slot].is_empty();
                self.open[slot].clear();
                if std::mem::take(&mut self.void[slot]) { Answer::Void } else { Answer::Done }
            }
            Step::Drop(slot) => {
                self.open[slot].clear();
                self.void[slot] = false;
                Answer::Done
            }
            Step::Reset(id, content) => {
                self.rows = Rows::from([(id, self.shape.kept(content))]);
                self.reset();
                Answer::Done
            }
            Step::Redefine(shape) => {
                let numbers: Vec<u8> = self.rows.values().filter_map(|content| content.number).collect();
                let distinct = numbers.iter().collect::<BTreeSet<_>>().len() == numbers.len();
                if shape != Shape::Keyless && !distinct {
                    return Answer::NumberTaken;
                }
                self.shape = shape;
                self.rows.values_mut().for_each(|content| *content = shape.kept(*content));
                self.reset();
                Answer::Done
            }
            Step::Fork => {
                self.forks.push(self.rows.clone());
                Answer::Done
            }
            Step::Draft => {
                self.draft = Some(Box::new(Self::new(self.rows.clone(), self.shape)));
                self.moved = false;
                Answer::Done
            }
            Step::InDraft(ref step) => {
                let Some(draft) = &mut self.draft else { return Answer::Done };
                let answer = draft.apply(step);
                draft.apply(&Step::Commit(0));
                answer
            }
            Step::Adopt => {
                let Some(draft) = self.draft.take() else { return Answer::Done };
                if self.moved || self.open.iter().any(|touched| !touched.is_empty()) {
                    return Answer::Void;
                }
                self.rows = draft.rows;
                Answer::Done
            }
        }
    }
}

/// What the model is compared with.
struct Real {
    database: Database,
    open: Vec<Transaction>,
    draft: Option<Draft>,
    forks: Vec<Database>,
}

fn key(id: u8) -> Key {
    Key::of([CellRef::Text(&format!("ID{id}"))])
}

fn row(table: Table<'_>, id: u8, content: Content) -> Values {
    let text =
        |what: &str, one: Option<u8>| one.map_or(Cell::Null, |one| Cell::text(format!("{what} {one}")));
    let cells = [
        ("id", Cell::text(format!("Id{id}"))),
        ("number", text("Number", content.number)),
        ("colour", text("Colour", content.colour)),
    ];
    values(table, cells.into_iter().filter(|(name, _)| table.column(name).is_some()))
}

fn answer<T>(outcome: Result<T, TableError>) -> Answer {
    match outcome {
        Ok(_) => Answer::Done,
        Err(TableError::DuplicateKey { key: 0, .. }) => Answer::Taken,
        Err(TableError::DuplicateKey { .. }) => Answer::NumberTaken,
        Err(TableError::RowLocked { .. }) => Answer::Locked,
        Err(TableError::NotFound { .. }) => Answer::Missing,
        Err(TableError::DatabaseFull { .. }) => Answer::Full,
        Err(TableError::Reset) => Answer::Void,
        Err(other) => panic!("{other}"),
    }
}

/// A write in a transaction, by its schema.
fn reserve(transaction: &mut Transaction, step: &Step) -> Answer {
    let schema = Arc::clone(transaction.schema());
    let table = schema.table("t").unwrap();
    match *step {
        Step::Insert(_, id, content) => answer(transaction.reserve_insert(table, row(table, id, content))),
        Step::Update(_, id, content, must_exist) => {
            let precondition = if must_exist { Precondition::MustExist } else { Precondition::None };
            let row = row(table, id, content);
            let changes = row.iter().map(|(column, cell)| (column, cell.clone()));
            answer(transaction.reserve_update(table, &key(id), changes, precondition))
        }
        Step::Delete(_, id) => answer(transaction.reserve_delete(table, &key(id), Precondition::None)),
        _ => Answer::Done,
    }
}

impl Real {
    fn apply(&mut self, step: &Step) -> Answer {
        match *step {
            Step::Insert(slot, ..) | Step::Update(slot, ..) | Step::Delete(slot, _) => {
                reserve(&mut self.open[slot], step)
            }
            Step::Commit(slot) => {
                let transaction = std::mem::replace(&mut self.open[slot], Transaction::begin(&self.database));
                if transaction.commit().is_err() { Answer::Void } else { Answer::Done }
            }
            Step::Drop(slot) => {
                self.open[slot] = Transaction::begin(&self.database);
                Answer::Done
            }
            Step::Reset(id, content) => {
                let schema = self.database.snapshot().shared_schema();
                let table = schema.table("t").unwrap();
                answer(self.database.replace_all(None, [(table.position(), row(table, id, content))]))
            }
            Step::Redefine(shape) => answer(self.database.redefine(shape.schema())),
            Step::Fork => {
                // one that stays as it is, and one that loses all it has
                self.forks.push(self.database.fork());
                empty(&self.database.fork());
                Answer::Done
            }
            Step::Draft => {
                self.draft = Some(self.database.draft());
                Answer::Done
            }
            Step::InDraft(ref step) => {
                let Some(draft) = &self.draft else { return Answer::Done };
                let mut transaction = Transaction::begin(draft.database());
                let answer = reserve(&mut transaction, step);
                transaction.commit().unwrap();
                answer
            }
            Step::Adopt => match self.draft.take().map(Draft::adopt) {
                Some(Err(_)) => Answer::Void,
                _ => Answer::Done,
            },
        }
    }
}

/// Takes all rows away; how many they were.
fn empty(database: &Database) -> usize {
    let snapshot = database.snapshot();
    let table = snapshot.schema().table("t").unwrap();
    let mut last = Transaction::begin(database);
    for row in snapshot.all(table) {
        let key = Key::of(table.key().map(|column| row.value(column)));
        last.reserve_delete(table, &key, Precondition::MustExist).unwrap();
    }
    let changes = last.commit().unwrap().changes.len();
    assert_eq!(database.snapshot().rows(), 0);
    changes
}

/// A column's number, if it has one.
fn numbered(cell: CellRef<'_>) -> Option<u8> {
    cell.as_text().map(|text| text.split_once(' ').unwrap().1.parse().unwrap())
}

fn content_of(table: Table<'_>, value: impl Fn(&str) -> Cell) -> Content {
    let one = |name: &str| table.column(name).and_then(|_| numbered(value(name).as_ref()));
    Content { number: one("number"), colour: one("colour") }
}

fn content_in(table: Table<'_>, row: &Row) -> Content {
    content_of(table, |name| row.value(table.column(name).unwrap()).to_cell())
}

/// A column that is looked up: its name, how many values it has, and where they stand.
type Looked = (&'static str, u8, fn(&Content) -> Option<u8>);

/// A snapshot holds what the model holds, whichever way it is asked.
fn check(snapshot: &Snapshot, rows: &Rows, shape: Shape) -> Result<(), TestCaseError> {
    let table = snapshot.schema().table("t").unwrap();
    prop_assert_eq!((snapshot.count(table), snapshot.rows()), (rows.len(), rows.len()));
    for (id, content) in rows {
        let found = snapshot.get(table, &key(*id)).expect("the model has the row");
        prop_assert_eq!(content_in(table, found), *content);
        prop_assert!(found.version() > 0 && found.version() <= snapshot.version());
        if let Some(first) = table.column("first") {
            prop_assert_eq!(found.value(first), CellRef::Whole(1));
        }
    }
    let ids = |rows: &[Row]| -> Vec<u8> {
        rows.iter()
            .map(|row| row.value(table.column("id").unwrap()).as_text().unwrap()[2..].parse().unwrap())
            .collect()
    };
    let all: Vec<Row> = snapshot.all(table).cloned().collect();
    prop_assert!(ids(&all).into_iter().eq(rows.keys().copied()));
    let numbers: BTreeSet<i64> = all.iter().map(Row::recid).collect();
    prop_assert_eq!(numbers.len(), all.len());
    let query =
        |filter: &Expression| ids(&snapshot.query(&Query { filter: Some(filter), ..Query::of(table) }).rows);
    let one = |what: &str, of: Option<u8>| of.map_or(Cell::Null, |of| Cell::text(format!("{what} {of}")));
    let columns: [Looked; 2] = [("number", NUMBERS, |one| one.number), ("colour", COLOURS, |one| one.colour)];
    for (name, many, of) in columns.into_iter().filter(|(name, ..)| table.column(name).is_some()) {
        let column = table.column(name).unwrap().ordinal();
        let expected = |wanted: &[Option<u8>]| -> Vec<u8> {
            rows.iter().filter(|(_, content)| wanted.contains(&of(content))).map(|(id, _)| *id).collect()
        };
        for wanted in (0..many).map(Some).chain([None]) {
            let filter = Expression::column_is(column, Comparison::Equal, one(name, wanted));
            prop_assert_eq!(query(&filter), expected(&[wanted]), "{} {:?}", name, wanted);
            let two = [wanted, Some(0)];
            let of = two.map(|wanted| one(name, wanted)).into();
            let among = Expression::OneOf { value: Box::new(Expression::Column(Path::own(column))), of };
            prop_assert_eq!(query(&among), expected(&two), "{} {:?}", name, two);
        }
    }
    if shape != Shape::Keyless {
        for number in 0..NUMBERS {
            let owner =
                rows.iter().find(|(_, content)| content.number == Some(number)).map(|(id, _)| key(*id));
            let found = snapshot.find(table, 1, &Key::of([CellRef::Text(&format!("number {number}"))]));
            prop_assert_eq!(found, owner.and_then(|key| snapshot.get(table, &key)));
        }
    }
    Ok(())
}

/// A transaction sees what the model says it sees.
fn check_sight(transaction: &Transaction, seen: &Rows, shape: Shape) -> Result<(), TestCaseError> {
    let table = transaction.schema().table("t").unwrap();
    for id in 0..IDS {
        let found = transaction.get(table, 0, &key(id)).unwrap();
        let content =
            found.map(|(_, row)| content_of(table, |name| row.value(table.column(name).unwrap()).to_cell()));
        prop_assert_eq!(content, seen.get(&id).copied());
    }
    for number in (0..NUMBERS).filter(|_| shape != Shape::Keyless) {
        let found =
            transaction.get(table, 1, &Key::of([CellRef::Text(&format!("number {number}"))])).unwrap();
        let expected =
            seen.iter().find(|(_, content)| content.number == Some(number)).map(|(id, _)| key(*id));
        prop_assert_eq!(found.map(|(key, _)| key), expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn interleaved_transactions_answer_as_the_naive_model_does(steps in prop::collection::vec(step(), 1..60)) {
        let limits = Limits { max_rows: MAX_ROWS, ..Limits::default() };
        let database = Database::new(Shape::default().schema(), limits);
        let open = (0..SLOTS).map(|_| Transaction::begin(&database)).collect();
        let mut real = Real { database, open, draft: None, forks: Vec::new() };
        let mut model = Model::new(Rows::new(), Shape::default());
        let mut version = 0;
        for step in &steps {
            prop_assert_eq!(real.apply(step), model.apply(step), "{:?}", step);

            let snapshot = real.database.snapshot();
            check(&snapshot, &model.rows, model.shape)?;
            prop_assert!(snapshot.version() >= version);
            version = snapshot.version();
            if let (Some(draft), Some(model)) = (&real.draft, &model.draft) {
                check(&draft.database().snapshot(), &model.rows, model.shape)?;
            }
            for (slot, transaction) in real.open.iter().enumerate().filter(|(slot, _)| !model.void[*slot]) {
                check_sight(transaction, &model.seen_by(slot), model.shape)?;
            }
        }
        let Real { database, open, forks, .. } = real;
        drop(open);
        for (fork, rows) in forks.iter().zip(&model.forks) {
            let snapshot = fork.snapshot();
            let shape = Shape::ALL.into_iter().find(|shape| *shape.schema() == *snapshot.schema()).unwrap();
            check(&snapshot, rows, shape)?;
        }
        // nothing of the dropped transactions is left: every row can be reserved, and every number used again
        prop_assert_eq!(empty(&database), model.rows.len());
        let schema = database.snapshot().shared_schema();
        let table = schema.table("t").unwrap();
        for number in 0..NUMBERS {
            let content = Content { number: Some(number), colour: Some(0) };
            insert(Transaction::begin(&database), table, row(table, number, content));
        }
    }
}
