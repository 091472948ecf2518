//! Definitions become a schema: of a product, at build time, or what a declaration adds to one.
//!
//! Decides what holds together: names, types, ranges, keys, lookups; that nothing which is there already is changed; and how
//! large a schema may be. Every finding says where it is, as a pointer into the definitions.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::definition::{ChoiceDefinition, ChoiceDefinitions, Ownership, TableDefinition, TableDefinitions};
use crate::image::{
    ChoicesRow, ColumnRow, DefaultRow, DetailRow, Image, KeyRow, NONE, OptionRow, RelationshipRow, Run, Span,
    StateRow, TableRow,
};
use crate::schema::Schema;

mod columns;
mod links;

/// Most tables of a schema.
pub const MOST_TABLES: usize = 1_000;
/// Most columns of a table.
pub const MOST_COLUMNS: usize = 1_000;
/// Most columns of all tables together.
pub const MOST_COLUMNS_IN_ALL: usize = 50_000;
/// Most options of all choices together, and most relationships.
pub const MOST_OPTIONS: usize = 20_000;
/// Most characters of a name.
const LONGEST_NAME: usize = 128;
/// Most bytes of any text.
const LONGEST_TEXT: usize = 4_000;
/// Bytes of all texts beyond which none is looked for within the others.
const LOOKED_IN: usize = 128 * 1024;
/// Records among which an equal one is looked for, the last ones.
const LOOKED_AMONG: usize = 2_048;

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct DefinitionError {
    /// Where, as a pointer below the definitions: `/account/columns/new_size/length`.
    pub at: String,
    /// What.
    pub why: String,
}

/// What a product's own files say, or what a declaration adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The product's.
    Product,
    /// A declaration's.
    Declaration,
}

/// What a column holds that nobody gave a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    /// Nothing, as in Dataverse.
    Null,
    /// The empty value of its type, as in Finance and Operations: an empty text, 0, the member of the value 0, 1900.
    Empty,
}

/// Compiles definitions on top of a schema.
///
/// # Errors
/// Every finding, in the order of the definitions.
pub fn compile(
    base: &Schema,
    tables: &TableDefinitions,
    choices: &ChoiceDefinitions,
    (whose, unset): (Whose, Unset),
) -> Result<Schema, Vec<DefinitionError>> {
    let mut compiler = Compiler::on(base, whose, unset);
    compiler.choices(choices);
    for (name, table) in tables {
        compiler.table(name, table);
    }
    for (name, table) in tables {
        compiler.lookups(name, table);
    }
    for (name, table) in tables {
        compiler.links(name, table);
    }
    compiler.finished()
}

/// A schema in the making.
struct Compiler {
    whose: Whose,
    unset: Unset,
    errors: Vec<DefinitionError>,
    text: String,
    spans: HashMap<String, Span>,
    tables: Vec<TableRow>,
    columns: Vec<ColumnRow>,
    ordinals: Vec<u16>,
    details: Vec<DetailRow>,
    choices: Vec<ChoicesRow>,
    options: Vec<OptionRow>,
    keys: Vec<KeyRow>,
    states: Vec<StateRow>,
    relationships: Vec<RelationshipRow>,
    pairs: Vec<(u16, u16)>,
    defaults: Vec<DefaultRow>,
    notes: Vec<(Span, Span)>,
}

impl Compiler {
    fn on(base: &Schema, whose: Whose, unset: Unset) -> Self {
        let image = &base.image;
        Self {
            whose,
            unset,
            errors: Vec::new(),
            text: image.text.clone().into_owned(),
            spans: HashMap::new(),
            tables: image.tables.to_vec(),
            columns: image.columns.to_vec(),
            ordinals: image.ordinals.to_vec(),
            details: image.details.to_vec(),
            choices: image.choices.to_vec(),
            options: image.options.to_vec(),
            keys: image.keys.to_vec(),
            states: image.states.to_vec(),
            relationships: image.relationships.to_vec(),
            pairs: image.pairs.to_vec(),
            defaults: image.defaults.to_vec(),
            notes: image.notes.to_vec(),
        }
    }

    fn wrong(&mut self, at: impl Into<String>, why: impl Into<String>) {
        self.errors.push(DefinitionError { at: at.into(), why: why.into() });
    }

    /// A text, kept once.
    fn keep(&mut self, text: &str) -> Span {
        if text.is_empty() {
            return Span::default();
        }
        let mut end = text.len().min(LONGEST_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
        if let Some(span) = self.spans.get(text) {
            return *span;
        }
        // a text that stands within another is kept there
        let among = (self.text.len() <= LOOKED_IN).then_some(self.text.as_str());
        let start = among.and_then(|among| among.find(text)).unwrap_or_else(|| {
            self.text.push_str(text);
            self.text.len() - text.len()
        });
        let span = match (u32::try_from(start), u16::try_from(text.len())) {
            (Ok(start), Ok(length)) => Span(start, length),
            _ => Span::default(),
        };
        self.spans.insert(text.to_owned(), span);
        span
    }

    fn read(&self, span: Span) -> &str {
        let start = span.0 as usize;
        self.text.get(start..start + usize::from(span.1)).unwrap_or_default()
    }

    /// A name: letters, digits and underscores, beginning with no digit.
    fn named(&mut self, at: &str, name: &str) -> Span {
        let mut letters = name.chars();
        let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
        let goes_on = letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if !begins || !goes_on || name.len() > LONGEST_NAME {
            self.wrong(at, "is no name: letters, digits and _, beginning with no digit, at most 128 of them");
        }
        self.keep(name)
    }

    fn notes(&mut self, notes: &indexmap::IndexMap<String, String>) -> Run {
        let start = self.notes.len();
        for (name, value) in notes {
            let pair = (self.keep(name), self.keep(value));
            self.notes.push(pair);
        }
        run(start, self.notes.len())
    }

    fn position(&self, table: &str) -> Option<usize> {
        self.tables.iter().position(|row| self.read(row.name) == table)
    }

    fn choices(&mut self, choices: &ChoiceDefinitions) {
        for (name, definition) in choices {
            let at = format!("/{name}");
            if self.choices.iter().any(|row| self.read(row.name) == name) {
                self.wrong(at, "is there already");
                continue;
            }
            let named = self.named(&at, name);
            self.choice(&at, named, definition);
        }
    }

    /// A set of choices; its position.
    fn choice(&mut self, at: &str, name: Span, definition: &ChoiceDefinition) -> u16 {
        let ChoiceDefinition { options, members, notes } = definition;
        let by_value = options.iter().map(|(value, text)| (*value, text.as_str()));
        let by_name = members.iter().map(|(text, value)| (*value, text.as_str()));
        let all: Vec<(i64, &str)> = by_value.chain(by_name).collect();
        if all.is_empty() {
            self.wrong(at, "has no option");
        }
        let options = self.offered(at, all);
        let notes = self.notes(notes);
        let row = ChoicesRow { name, options, notes };
        if name == Span::default() && notes.1 == 0 {
            // columns with the same options share them
            let own: Vec<OptionRow> = options.of(&self.options).to_vec();
            let same = self.choices.iter().position(|one| {
                one.name == Span::default()
                    && one.notes.1 == 0
                    && one.options.of(&self.options) == own.as_slice()
            });
            if let Some(same) = same {
                self.options.truncate(options.0 as usize);
                return u16::try_from(same).unwrap_or(NONE);
            }
        }
        self.choices.push(row);
        u16::try_from(self.choices.len() - 1).unwrap_or(NONE)
    }

    fn offered(&mut self, at: &str, all: Vec<(i64, &str)>) -> Run {
        let start = self.options.len();
        for (value, text) in all {
            let Ok(value) = i32::try_from(value) else {
                self.wrong(format!("{at}/{value}"), "is no whole number of 32 bits");
                continue;
            };
            let text = self.keep(text);
            self.options.push(OptionRow { value, text });
        }
        if self.options.len() > MOST_OPTIONS {
            self.wrong(at, format!("are more than {MOST_OPTIONS} options in all"));
        }
        run(start, self.options.len())
    }

    fn table(&mut self, name: &str, definition: &TableDefinition) {
        let at = format!("/{name}");
        match self.position(name) {
            None => self.new_table(&at, name, definition),
            Some(position) => self.more_of(&at, position, definition),
        }
    }

    /// Columns added to a table that is there.
    fn more_of(&mut self, at: &str, position: usize, definition: &TableDefinition) {
        let rest = TableDefinition {
            columns: indexmap::IndexMap::new(),
            relationships: indexmap::IndexMap::new(),
            ..definition.clone()
        };
        if rest != TableDefinition::default() {
            self.wrong(at, "is a table of the product: columns can be added to it, and nothing else");
        }
        let Some(row) = self.tables.get(position).copied() else { return };
        let there = row.columns.of(&self.columns).to_vec();
        for column in definition.columns.keys() {
            if self.leads(position, column) {
                self.wrong(
                    format!("{at}/columns/{column}"),
                    "is a property of the table already: it leads to rows",
                );
            }
        }
        let columns = self.columns(at, there, definition);
        let by_name = self.sorted(columns);
        if let Some(row) = self.tables.get_mut(position) {
            row.columns = columns;
            row.by_name = by_name;
        }
    }

    /// Whether a table has a navigation property of this name.
    fn leads(&self, position: usize, name: &str) -> bool {
        self.relationships.iter().any(|row| {
            usize::from(row.from) == position && self.read(row.navigation) == name
                || usize::from(row.to) == position && self.read(row.back) == name
        })
    }

    fn new_table(&mut self, at: &str, name: &str, definition: &TableDefinition) {
        if self.tables.len() >= MOST_TABLES {
            self.wrong(at, format!("is one table more than {MOST_TABLES}"));
            return;
        }
        if self.whose == Whose::Declaration && definition.view.is_some() {
            self.wrong(format!("{at}/view"), "is the product's: what a declaration declares has rows");
        }
        let set = definition.set.clone().unwrap_or_else(|| format!("{name}s"));
        if self.tables.iter().any(|row| self.read(row.set) == set) {
            self.wrong(format!("{at}/set"), format!("{set} is another table's entity set"));
        }
        let label = definition.label.as_deref().unwrap_or(name);
        let columns = self.columns(at, Vec::new(), definition);
        let key = if definition.key.is_empty() { vec![format!("{name}id")] } else { definition.key.clone() };
        let key = self.those(&format!("{at}/key"), columns, &key);
        let indexes = self.those(&format!("{at}/indexes"), columns, &definition.indexes);
        let name_column = match &definition.name {
            None => NONE,
            Some(column) => self.ordinal(columns, column).unwrap_or_else(|| {
                self.wrong(format!("{at}/name"), format!("{column} is no column of the table"));
                NONE
            }),
        };
        let keys = self.alternate_keys(at, columns, definition);
        let states = self.states(at, definition);
        let row = TableRow {
            name: self.named(at, name),
            set: self.named(&format!("{at}/set"), &set),
            schema_name: self
                .named(&format!("{at}/schema_name"), definition.schema_name.as_deref().unwrap_or(name)),
            label: self.keep(label),
            plural: self.keep(definition.plural.as_deref().unwrap_or(label)),
            view: self.keep(definition.view.as_deref().unwrap_or_default()),
            code: definition.code.unwrap_or_default(),
            owned: definition.owner == Ownership::User,
            declared: self.whose == Whose::Declaration,
            name_column,
            columns,
            by_name: self.sorted(columns),
            key,
            indexes,
            keys,
            states,
            notes: self.notes(&definition.notes),
        };
        self.tables.push(row);
    }

    fn alternate_keys(&mut self, at: &str, columns: Run, definition: &TableDefinition) -> Run {
        let mut rows = Vec::new();
        for (name, key) in &definition.keys {
            let at = format!("{at}/keys/{name}");
            let row = KeyRow {
                name: self.named(&at, name),
                label: self.keep(key.label.as_deref().unwrap_or(name)),
                columns: self.those(&format!("{at}/columns"), columns, &key.columns),
            };
            if row.columns.1 == 0 {
                self.wrong(at, "has no column");
            }
            rows.push(row);
        }
        let start = self.keys.len();
        self.keys.extend(rows);
        run(start, self.keys.len())
    }

    fn states(&mut self, at: &str, definition: &TableDefinition) -> Run {
        let mut rows = Vec::new();
        for (value, state) in &definition.states {
            let at = format!("{at}/states/{value}");
            if state.statuses.is_empty() {
                self.wrong(at.as_str(), "has no status");
            }
            let statuses = state.statuses.iter().map(|(value, label)| (*value, label.as_str())).collect();
            let statuses = self.offered(&at, statuses);
            let label = self.keep(&state.label);
            match i32::try_from(*value) {
                Ok(value) => rows.push(StateRow { value, label, statuses }),
                Err(_) => self.wrong(at, "is no whole number of 32 bits"),
            }
        }
        let start = self.states.len();
        self.states.extend(rows);
        run(start, self.states.len())
    }

    fn ordinal(&self, columns: Run, name: &str) -> Option<u16> {
        let at = columns.of(&self.columns).iter().position(|row| self.read(row.name) == name)?;
        u16::try_from(at).ok()
    }

    /// The positions of columns by their names.
    fn those(&mut self, at: &str, columns: Run, names: &[String]) -> Run {
        let mut found = Vec::new();
        for name in names {
            match self.ordinal(columns, name) {
                Some(ordinal) if !found.contains(&ordinal) => found.push(ordinal),
                Some(_) => self.wrong(at, format!("{name} stands there twice")),
                None => self.wrong(at, format!("{name} is no column of the table")),
            }
        }
        let start = self.ordinals.len();
        self.ordinals.extend(found);
        run(start, self.ordinals.len())
    }

    /// The positions of a table's columns, by name.
    fn sorted(&mut self, columns: Run) -> Run {
        let rows = columns.of(&self.columns);
        let mut order: Vec<u16> = (0..columns.1).collect();
        order.sort_by_key(|at| rows.get(usize::from(*at)).map(|row| self.read(row.name)));
        let start = self.ordinals.len();
        self.ordinals.extend(order);
        run(start, self.ordinals.len())
    }

    fn finished(self) -> Result<Schema, Vec<DefinitionError>> {
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let sorted = |by: fn(&TableRow) -> Span| {
            let mut order: Vec<u16> = (0..u16::try_from(self.tables.len()).unwrap_or(NONE)).collect();
            order.sort_by_key(|at| self.tables.get(usize::from(*at)).map(|row| self.read(by(row))));
            order
        };
        let (by_name, by_set) = (sorted(|row| row.name), sorted(|row| row.set));
        Ok(Schema::of(Image {
            by_name: Cow::Owned(by_name),
            by_set: Cow::Owned(by_set),
            text: Cow::Owned(self.text),
            tables: Cow::Owned(self.tables),
            columns: Cow::Owned(self.columns),
            ordinals: Cow::Owned(self.ordinals),
            details: Cow::Owned(self.details),
            choices: Cow::Owned(self.choices),
            options: Cow::Owned(self.options),
            keys: Cow::Owned(self.keys),
            states: Cow::Owned(self.states),
            relationships: Cow::Owned(self.relationships),
            pairs: Cow::Owned(self.pairs),
            defaults: Cow::Owned(self.defaults),
            notes: Cow::Owned(self.notes),
        }))
    }
}

/// The records from one position up to another.
fn run(start: usize, end: usize) -> Run {
    match (u32::try_from(start), u16::try_from(end.saturating_sub(start))) {
        (Ok(start), Ok(length)) => Run(start, length),
        _ => Run::default(),
    }
}

/// The position of a record among others, among which it is put if it is not there.
fn position_of<T: PartialEq>(all: &mut Vec<T>, one: T) -> u16 {
    let first = all.len().saturating_sub(LOOKED_AMONG);
    let there = all.iter().skip(first).position(|other| *other == one).map(|at| first + at);
    let at = there.unwrap_or_else(|| {
        all.push(one);
        all.len() - 1
    });
    u16::try_from(at).unwrap_or(NONE)
}
