//! All tables of both products at once: rows are made, changed, joined, deleted and forgotten at random, beside a model of them.
//!
//! Decides what must be there by what writers were told and by the files that say what tables are: those are read here by
//! themselves, and what a deletion does is worked out here again. Writers have rows of their own and work at the same time; when all
//! of them are quiet every set of both products is read whole and compared, member for member.

mod between;
mod judge;
mod product;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mocktenant_acceptance::binary::{self, Serve};
use mocktenant_acceptance::oracle::Caller;
use mocktenant_acceptance::random_world::Dice;
use mocktenant_acceptance::raw::Answer;
use mocktenant_schema::{Column, Deletion, Kind, Relationship, Requirement, Table};
use serde_json::{Value, json};

use crate::form::{Progress, dice, either, result};
use judge::{differences, twin_key};
use product::{Members, Product, Rows, SPECIAL, Tally, different, is_derived, plain};

const NAME: &str = "tables";
const LANES: u64 = 3;
/// One writer, and what it knows of its rows.
struct Lane<'p> {
    product: &'p Product,
    own: u64,
    dice: Dice,
    /// Texts that were made for keys, by how wide they are: few are for three letters.
    numbers: BTreeMap<usize, u64>,
    rows: Rows,
    /// Roles of its own that the caller holds.
    held: BTreeSet<String>,
    found: Vec<String>,
}

impl<'p> Lane<'p> {
    fn differs(&mut self, said: String) {
        self.found.push(said);
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let count = u64::try_from(from.len()).unwrap();
        (count > 0).then(|| from[usize::try_from(self.dice.below(count)).unwrap()].clone())
    }

    /// A row that a writer may lead to: one of its own, or one that was there before.
    fn target(&mut self, table: usize) -> Option<(String, Members)> {
        let own = self.rows.get(&table).into_iter().flatten();
        let there = self.product.initial.get(&table).into_iter().flatten();
        let all: Vec<(String, Members)> =
            own.chain(there).map(|(key, row)| (key.clone(), row.clone())).collect();
        self.pick(&all)
    }

    /// A text that no other row of this run has in its key.
    fn unique(&mut self, most: usize) -> String {
        const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let wide = most.clamp(2, 8) - 1;
        let count = self.numbers.entry(wide).or_default();
        *count += 1;
        let mut number = *count * LANES + self.own;
        let mut text = String::new();
        while number > 0 || text.is_empty() {
            text.insert(0, char::from(DIGITS[usize::try_from(number % 36).unwrap()]));
            number /= 36;
        }
        format!("Z{text:0>wide$}")
    }

    /// A value for a column, as a client writes one.
    fn value(&mut self, column: Column<'_>) -> Option<Value> {
        let number = |dice: &mut Dice| {
            let (least, most) =
                column.range().map_or((0.0, 100.0), |(least, most)| (least.to_double(), most.to_double()));
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let within = least.max(0.0) + dice.below(50) as f64;
            within.min(most)
        };
        Some(match column.kind() {
            Kind::Text | Kind::Memo if column.note("words").is_some() => {
                let words: Vec<String> = column.note("words")?.split(',').map(str::to_owned).collect();
                json!(self.pick(&words)?)
            }
            Kind::Text | Kind::Memo => {
                let most = if column.length() == 0 { 9 } else { column.length().min(9) };
                json!(self.dice.word()[..usize::try_from(most).unwrap()])
            }
            #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
            Kind::Whole => json!(number(&mut self.dice) as i64),
            Kind::Decimal | Kind::Money | Kind::Double => json!(number(&mut self.dice)),
            Kind::Flag => json!(self.dice.below(2) == 0),
            Kind::Choice => {
                let choices = column.choices()?;
                // of two members with one value the first is answered
                let first = |one: &mocktenant_schema::Choice<'_>| {
                    choices.of(one.value()).is_some_and(|other| other.text() == one.text())
                };
                let all = choices.all().filter(first);
                let all: Vec<Value> = if self.product.is_dataverse {
                    all.map(|one| json!(one.value())).collect()
                } else {
                    all.map(|one| json!(one.text())).collect()
                };
                self.pick(&all)?
            }
            Kind::Moment => json!(format!(
                "2026-0{}-1{}T0{}:00:00Z",
                1 + self.dice.below(9),
                self.dice.below(9),
                self.dice.below(9)
            )),
            Kind::Day => {
                let day = format!("2026-0{}-1{}", 1 + self.dice.below(9), self.dice.below(9));
                json!(if self.product.is_dataverse { day } else { format!("{day}T12:00:00Z") })
            }
            _ => return None,
        })
    }

    /// A body for a row: some columns, and rows that it leads to. With what its row will have of it.
    fn body(&mut self, table: Table<'p>, is_new: bool) -> (Members, Members) {
        let (mut body, mut expected) = (Members::new(), Members::new());
        let product = self.product;
        let enforced: BTreeSet<u16> = table
            .outgoing()
            .filter(|_| !product.is_dataverse)
            .flat_map(|one| one.pairs().map(|(own, _)| own))
            .collect();
        let keys: BTreeSet<u16> = table
            .key()
            .chain(table.keys().flat_map(mocktenant_schema::Key::columns))
            .map(Column::ordinal)
            .collect();
        for column in table.columns() {
            let is_key = keys.contains(&column.ordinal());
            let writable = column.is_for_create()
                && column.is_for_update()
                && column.is_for_read()
                && column.computed().is_none();
            let open = if is_key { is_new } else { writable };
            if !open || enforced.contains(&column.ordinal()) {
                continue;
            }
            let needed = column.requirement() != Requirement::None || is_key;
            if !needed && self.dice.below(8) > 0
                || SPECIAL.contains(&column.name())
                || column.note("drawn").is_some()
            {
                continue;
            }
            let value = match column.kind() {
                // companies are kept in small letters
                Kind::Text if is_key && table.note("twin").is_some() => {
                    Some(json!(self.unique(column.length() as usize).to_lowercase()))
                }
                Kind::Text if is_key => Some(json!(self.unique(column.length() as usize))),
                Kind::Id if is_key => Some(json!(format!(
                    "c0117050-{:04x}-4000-8000-{:012x}",
                    self.own,
                    self.dice.below(1 << 47)
                ))),
                Kind::Lookup => None,
                _ => self.value(column),
            };
            if let Some(value) = value {
                body.insert(column.name().to_owned(), value.clone());
                expected.insert(product.property(column), value);
            }
        }
        for relationship in table.outgoing() {
            if relationship.is_many_to_many() {
                continue;
            }
            let asks = is_new
                && relationship.pairs().any(|(own, _)| {
                    table
                        .at(own)
                        .is_some_and(|one| one.requirement() == Requirement::Mandatory || keys.contains(&own))
                });
            if asks || self.dice.below(3) == 0 {
                self.lead((table, is_new), relationship, &mut body, &mut expected);
            }
        }
        (body, expected)
    }

    /// Leads a row to another.
    fn lead(
        &mut self,
        (table, is_new): (Table<'p>, bool),
        relationship: Relationship<'p>,
        body: &mut Members,
        expected: &mut Members,
    ) {
        let product = self.product;
        let to = relationship.to();
        if product.is_dataverse {
            let Some(column) = relationship.column().filter(|one| one.is_for_create() && one.is_for_update())
            else {
                return;
            };
            let property = product.property(column);
            if to.view().is_some() || SPECIAL.contains(&column.name()) || expected.contains_key(&property) {
                return;
            }
            let Some((key, _)) = self.target(to.position()) else { return };
            body.insert(
                format!("{}@odata.bind", relationship.navigation()),
                json!(format!("/{}({key})", to.set())),
            );
            expected.insert(property, json!(key));
            return;
        }
        let own: Vec<Column<'p>> = relationship.pairs().filter_map(|(own, _)| table.at(own)).collect();
        let keys: Vec<Column<'p>> = table.key().collect();
        let fixed = own.iter().any(|column| {
            !is_new && (keys.contains(column) || !column.is_for_update()) && column.name() != "dataAreaId"
        });
        if fixed
            || own.iter().any(|column| expected.contains_key(column.name()) && column.name() != "dataAreaId")
        {
            return;
        }
        let Some((_, target)) = self.target(to.position()) else { return };
        for (own, other) in relationship.pairs() {
            let (Some(own), Some(other)) = (table.at(own), to.at(other)) else { continue };
            let value = if own.name() == "dataAreaId" { json!("usmf") } else { target[other.name()].clone() };
            if is_new || own.name() != "dataAreaId" {
                body.insert(own.name().to_owned(), value.clone());
                expected.insert(own.name().to_owned(), value);
            }
        }
    }

    fn create(&mut self, table: Table<'p>) {
        let (body, expected) = self.body(table, true);
        let answer = self.product.ask("POST", table.set(), &Value::Object(body.clone()));
        if answer.status >= 300 {
            self.refused(table, &answer, &Value::Object(body));
            return;
        }
        let row = if self.product.is_dataverse {
            let id = answer
                .header("odata-entityid")
                .and_then(|address| address.rsplit_once('('))
                .map(|(_, key)| key.trim_end_matches(')').to_owned());
            self.product.ask("GET", &format!("{}({})", table.set(), id.unwrap()), &Value::Null).json()
        } else {
            answer.json()
        };
        let row = plain(&row);
        self.told(table, &row, &expected);
        self.product.told.made[&table.position()].fetch_add(1, Ordering::Relaxed);
        let key = self.product.key(table, &row);
        self.follow(table, &row, None);
        if self.rows.entry(table.position()).or_default().insert(key.clone(), row).is_some() {
            self.differs(format!("{}({key}) was made twice", table.set()));
        }
    }

    /// What is written to a set is seen in the other that is the same table. `changed` are the members that were sent of a row
    /// that was there.
    fn follow(&mut self, table: Table<'p>, row: &Members, changed: Option<&Members>) {
        let Some((other, pairs)) = self.product.twin(table) else { return };
        let key = twin_key(self.product, other, &pairs, row);
        let address = format!("{}({key})", other.set());
        let seen = plain(&self.product.ask("GET", &address, &Value::Null).json());
        for (own, there) in pairs {
            if changed.is_none_or(|changed| changed.contains_key(own)) && row[own] != seen[there] {
                self.differs(format!("{address}: {there} is {} beside {}", seen[there], row[own]));
            }
        }
        self.rows.entry(other.position()).or_default().insert(key, seen);
    }

    fn update(&mut self, table: Table<'p>) {
        let own: Vec<(String, Members)> = self
            .rows
            .get(&table.position())
            .into_iter()
            .flatten()
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect();
        let Some((key, before)) = self.pick(&own) else { return };
        let (body, expected) = self.body(table, false);
        let address = format!("{}({key})", table.set());
        let circle = self.product.is_dataverse && self.is_circle(table, &key, &expected);
        let answer = self.product.ask("PATCH", &address, &Value::Object(body.clone()));
        if circle != (answer.status == 400 && answer.text().contains("would create a loop")) {
            self.differs(format!("{address}: {body:?}: a circle: {circle}, told {}", answer.text()));
        }
        let row = plain(&self.product.ask("GET", &address, &Value::Null).json());
        if answer.status >= 300 {
            self.refused(table, &answer, &Value::Object(body));
            if row != before {
                self.differs(format!("{address} was refused and changed: {}", different(&before, &row)));
            }
        } else {
            self.told(table, &row, &expected);
            self.follow(table, &row, Some(&expected));
            let other = |name: &&String| !expected.contains_key(*name) && !is_derived(table, name);
            for name in before.keys().filter(other) {
                if before[name] != row[name] {
                    self.differs(format!(
                        "{address}: {name} was {} and is {} by {body:?}",
                        before[name], row[name]
                    ));
                }
            }
        }
        self.rows.entry(table.position()).or_default().insert(key, row);
    }

    /// Whether a row would stand above itself.
    fn is_circle(&self, table: Table<'_>, key: &str, expected: &Members) -> bool {
        let name = match table.name() {
            "account" => "_parentaccountid_value",
            "contact" => "_parentcustomerid_value",
            _ => return false,
        };
        let mut next = expected.get(name).and_then(Value::as_str).map(str::to_owned);
        while let Some(id) = next {
            if id == key {
                return true;
            }
            let row = self.rows.get(&table.position()).and_then(|rows| rows.get(&id));
            next = row.and_then(|row| row[name].as_str()).map(str::to_owned);
        }
        false
    }

    fn delete(&mut self, table: Table<'p>) {
        let own: Vec<String> =
            self.rows.get(&table.position()).into_iter().flatten().map(|(key, _)| key.clone()).collect();
        let Some(key) = self.pick(&own) else { return };
        let after = self.without(table, &key).map(|mut rows| {
            if let Some((other, pairs)) = self.product.twin(table) {
                let key = twin_key(self.product, other, &pairs, &self.rows[&table.position()][&key]);
                rows.entry(other.position()).or_default().remove(&key);
            }
            rows
        });
        let address = format!("{}({key})", table.set());
        let answer = self.product.ask("DELETE", &address, &Value::Null);
        match (after, answer.status) {
            (Ok(rows), 204) => {
                self.rows = rows;
                self.product.told.deleted.fetch_add(1, Ordering::Relaxed);
            }
            (Err(_), 400..500) => {
                self.product.told.kept.fetch_add(1, Ordering::Relaxed);
            }
            (after, status) => {
                let wanted = after.map_or_else(|by| format!("kept by {by}"), |_| "gone".to_owned());
                self.differs(format!("{address} should be {wanted}: {status} {:.300}", answer.text()));
            }
        }
    }

    /// The rows without one, by the delete rules; or what keeps it.
    fn without(&self, table: Table<'p>, key: &str) -> Result<Rows, String> {
        let mut rows = self.rows.clone();
        let asked = (table.position(), key.to_owned());
        let mut gone = vec![asked.clone()];
        let mut next = 0;
        while let Some((position, key)) = gone.get(next).cloned() {
            next += 1;
            let table = self.product.table(position);
            let Some(row) = self.rows.get(&position).and_then(|rows| rows.get(&key)) else { continue };
            for relationship in table.incoming().filter(|one| !one.is_many_to_many()) {
                let from = relationship.from();
                for (leading, other) in self.rows.get(&from.position()).into_iter().flatten() {
                    if !self.leads(relationship, other, row) {
                        continue;
                    }
                    let one = (from.position(), leading.clone());
                    match relationship.delete() {
                        Deletion::Restrict if one != asked && one != (position, key.clone()) => {
                            return Err(format!("{}({leading}) by {}", from.set(), relationship.name()));
                        }
                        Deletion::Cascade if !gone.contains(&one) => gone.push(one),
                        Deletion::RemoveLink => {
                            let columns = relationship.pairs().filter_map(|(own, _)| from.at(own));
                            let row = rows.get_mut(&from.position()).and_then(|rows| rows.get_mut(leading));
                            if let Some(row) = row {
                                columns.for_each(|column| {
                                    drop(row.insert(self.product.property(column), Value::Null));
                                });
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        for (table, key) in gone {
            rows.get_mut(&table).map(|rows| rows.remove(&key));
        }
        Ok(rows)
    }

    /// Whether a row leads to another.
    fn leads(&self, relationship: Relationship<'_>, row: &Members, to: &Members) -> bool {
        let text = |value: &Value| value.as_str().map(str::to_lowercase);
        relationship.pairs().all(|(own, other)| {
            let (own, other) = (relationship.from().at(own).unwrap(), relationship.to().at(other).unwrap());
            let (own, other) = (&row[&self.product.property(own)], &to[&self.product.property(other)]);
            text(own).is_some_and(|text| !text.is_empty()) && text(own) == text(other)
        })
    }

    /// What was written is what its row has.
    fn told(&mut self, table: Table<'_>, row: &Members, expected: &Members) {
        for (name, value) in expected {
            let same = match (value.as_f64(), row.get(name).and_then(Value::as_f64)) {
                (Some(one), Some(other)) => (one - other).abs() < 1e-6,
                _ => row.get(name) == Some(value),
            };
            if !same {
                self.differs(format!("{}: {name} was given {value} and is {:?}", table.set(), row.get(name)));
            }
        }
    }

    /// Nothing a client does breaks a product; a database that is full, or made anew just now, says so.
    fn refused_if_broken(&mut self, table: Table<'_>, answer: &Answer, body: &Value) -> bool {
        let is_broken = answer.status >= 500 && answer.status != 503;
        if is_broken {
            self.differs(format!("{}: {} {:.300} for {body}", table.set(), answer.status, answer.text()));
        }
        is_broken
    }

    fn refused(&mut self, table: Table<'_>, answer: &Answer, body: &Value) {
        self.product.told.refused.fetch_add(1, Ordering::Relaxed);
        if self.refused_if_broken(table, answer, body) {
            return;
        }
        if std::env::var_os("TELL").is_some() {
            crate::form::say(
                NAME,
                &format!("{}: {} {:.400} for {body}", table.set(), answer.status, answer.text()),
            );
        }
    }

    /// Makes and deletes without a thought, while all is forgotten now and again: only what breaks is told.
    fn shake(&mut self, until: Instant) {
        let product = self.product;
        let tables: Vec<Table<'p>> =
            product.schema.tables().filter(|table| Product::is_written(*table)).collect();
        while Instant::now() < until {
            let Some(table) = self.pick(&tables) else { return };
            let (body, _) = self.body(table, true);
            let body = Value::Object(body);
            let made = self.product.ask("POST", table.set(), &body);
            self.refused_if_broken(table, &made, &body);
            if self.dice.below(3) == 0
                && let Some(address) = made.header("odata-entityid").or(made.header("location"))
                && let Some((_, row)) = address.rsplit_once('/')
            {
                let gone = self.product.ask("DELETE", row, &Value::Null);
                self.refused_if_broken(table, &gone, &Value::Null);
            }
        }
    }

    fn work(&mut self, until: Instant) {
        let product = self.product;
        let tables: Vec<Table<'p>> =
            product.schema.tables().filter(|table| Product::is_written(*table)).collect();
        while Instant::now() < until {
            let Some(table) = self.pick(&tables) else { return };
            match self.dice.below(12) {
                0..6 => self.create(table),
                6..9 => self.update(table),
                9..11 => self.delete(table),
                _ if product.is_dataverse => self.role(),
                _ => {}
            }
        }
    }
}

/// All writers of both products at once, and what else happens meanwhile.
fn together<'p>(
    products: &'p [Product; 2],
    dice: &mut Dice,
    until: Instant,
    act: fn(&mut Lane<'p>, Instant),
    meanwhile: impl FnOnce(),
) -> Vec<Vec<Lane<'p>>> {
    thread::scope(|scope| {
        let mut lane = |product: &'p Product, own| {
            let dice = Dice::new(dice.roll());
            scope.spawn(move || {
                let (rows, held) = (Rows::new(), BTreeSet::new());
                let (numbers, found) = (BTreeMap::new(), Vec::new());
                let mut lane = Lane { product, own, dice, numbers, rows, held, found };
                act(&mut lane, until);
                lane
            })
        };
        let running = products.each_ref().map(|product| [0, 1, 2].map(|own| lane(product, own)));
        meanwhile();
        let ended = running.into_iter();
        ended.map(|lanes| lanes.into_iter().map(|lane| lane.join().unwrap()).collect()).collect()
    })
}

#[test]
fn rows_of_all_tables_of_both_products_are_what_their_writers_know() {
    let mut dice = dice(NAME);
    let (rounds, time) = either((2, Duration::from_secs(5)), (20, Duration::from_secs(12)));
    let lab = Serve::start_with(binary::command_of(binary::path()));
    let caller = Caller::of(&lab);
    // what one product writes into the other has a test of its own
    let stopped = || {
        let edit = |map: &str| {
            let path = format!("/environments/onebox/database/DualWriteProjectConfiguration/Maps/{map}");
            json!({ "op": "add", "path": path, "value": { "State": "Not running" } })
        };
        let answer =
            caller.control("PATCH", "/v1/world", &json!([edit("CustomersV3"), edit("CustomerGroups")]));
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    stopped();
    let products = [Product::of(&caller, true), Product::of(&caller, false)];
    let progress = Progress::of(NAME);
    let (mut found, mut judged) = (Vec::new(), 0);
    for round in 0..rounds {
        let until = Instant::now() + time;
        let lanes = together(&products, &mut dice, until, Lane::work, || {});
        for (product, mut lanes) in products.iter().zip(lanes) {
            found.extend(lanes.iter_mut().flat_map(|lane| std::mem::take(&mut lane.found)));
            let (rows, more) = differences(product, &lanes);
            judged += rows;
            found.extend(more);
        }
        let reset = || {
            let answer = caller.control("POST", "/v1/reset", &json!({}));
            assert!(answer.status < 300, "{}", answer.text());
        };
        let until = Instant::now() + time / 5;
        let shaken = together(&products, &mut dice, until, Lane::shake, || {
            while Instant::now() < until {
                reset();
                thread::sleep(time / 50);
            }
        });
        found.extend(shaken.into_iter().flatten().flat_map(|lane| lane.found));
        reset();
        stopped();
        for product in &products {
            found
                .extend(differences(product, &[]).1.into_iter().map(|said| format!("after a reset: {said}")));
        }
        progress.at(|| format!("round {} of {rounds}, {} differences", round + 1, found.len()));
    }
    for (name, product) in ["Dataverse", "AOS"].into_iter().zip(&products) {
        let Tally { made, refused, deleted, kept } = &product.told;
        let count = |one: &AtomicUsize| one.load(Ordering::Relaxed);
        let all: usize = made.values().map(count).sum();
        let line = format!("{all}, {}, {}, {}", count(refused), count(deleted), count(kept));
        result(&format!("{NAME}: {name}, rows made, refused, deleted, kept"), line, "");
        for (table, made) in made {
            let table = product.table(*table);
            if Product::is_written(table) && count(made) == 0 {
                found.push(format!("no row of {} was ever made", table.set()));
            }
        }
    }
    result(&format!("{NAME}: rows judged one by one"), judged, "");
    result(&format!("{NAME}: differences"), found.len(), 0);
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found[..found.len().min(30)].join("\n"));
}
