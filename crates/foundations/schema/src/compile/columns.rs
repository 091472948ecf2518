//! Columns: their types, bounds, choices and defaults.
//!
//! Decides that a type is one, that bounds are in order and that a default is a value of its column.

use std::collections::HashSet;

use serde_json::{Number, Value};

use super::{Compiler, MOST_COLUMNS, MOST_COLUMNS_IN_ALL, Unset, Whose, position_of, run};
use crate::decimal::Decimal;
use crate::definition::{ChoiceDefinition, ColumnDefinition, Requirement, TableDefinition};
use crate::image::{ColumnRow, DefaultRow, DetailRow, NONE, Run, Span, bits};
use crate::kind::Kind;

impl Compiler {
    /// Columns in a row of their own: those that are there, and the new ones.
    pub(super) fn columns(&mut self, at: &str, there: Vec<ColumnRow>, definition: &TableDefinition) -> Run {
        let all = self.columns.len() + there.len() + definition.columns.len();
        if all > MOST_COLUMNS_IN_ALL {
            self.wrong(format!("{at}/columns"), format!("are more than {MOST_COLUMNS_IN_ALL} of all tables"));
            return Run::default();
        }
        let mut names: HashSet<String> = there.iter().map(|row| self.read(row.name).to_owned()).collect();
        let mut rows = there;
        for (name, column) in &definition.columns {
            let at = format!("{at}/columns/{name}");
            if !names.insert(name.clone()) {
                self.wrong(at, "is a column of the product: it can be neither changed nor removed");
                continue;
            }
            let row = self.column(&at, name, column);
            rows.push(row);
        }
        if rows.len() > MOST_COLUMNS {
            self.wrong(format!("{at}/columns"), format!("are more than {MOST_COLUMNS}"));
        }
        let start = self.columns.len();
        self.columns.extend(rows);
        run(start, self.columns.len())
    }

    fn column(&mut self, at: &str, name: &str, column: &ColumnDefinition) -> ColumnRow {
        let mut choices = NONE;
        let kind = Kind::of_name(&column.kind).unwrap_or_else(|| {
            let known = self
                .choices
                .iter()
                .position(|row| row.name != Span::default() && self.read(row.name) == column.kind);
            match known.and_then(|at| u16::try_from(at).ok()) {
                Some(at) => choices = at,
                None => {
                    let types = crate::definition::TYPES.join(", ");
                    self.wrong(
                        format!("{at}/type"),
                        format!("{} is neither a type ({types}) nor a set of choices", column.kind),
                    );
                }
            }
            Kind::Choice
        });
        if !column.options.is_empty() || kind == Kind::Choice && choices == NONE {
            let definition =
                ChoiceDefinition { options: column.options.clone(), ..ChoiceDefinition::default() };
            choices = self.choice(&format!("{at}/options"), Span::default(), &definition);
        }
        if kind == Kind::Lookup && column.to.is_empty() && self.whose == Whose::Declaration {
            self.wrong(format!("{at}/to"), "a lookup leads to a table");
        }
        let (least, most) =
            (self.bound(at, "least", column.least.as_ref()), self.bound(at, "most", column.most.as_ref()));
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            self.wrong(format!("{at}/least"), "is above the greatest number");
        }
        let (lowest, highest) = bounds_of(kind);
        let detail = DetailRow {
            length: column.length.unwrap_or_default(),
            precision: column.precision.unwrap_or(if kind == Kind::Money { 2 } else { 0 }).min(10),
            ranged: least.is_some() || most.is_some() || lowest < highest,
            least: least.unwrap_or(lowest).units(),
            most: most.unwrap_or(highest).units(),
            format: self.keep(column.format.as_deref().unwrap_or_default()),
            computed: self.keep(column.computed.as_deref().unwrap_or_default()),
            choices,
        };
        let detail = position_of(&mut self.details, detail);
        let default = match &column.default {
            None => self.empty(kind, choices),
            Some(value) => self.default(&format!("{at}/default"), kind, choices, value),
        };
        let mut flags = 0;
        for (holds, bit) in [
            (column.create, bits::CREATE),
            (column.update, bits::UPDATE),
            (column.read && kind != Kind::Virtual, bits::READ),
            (self.whose == Whose::Declaration, bits::DECLARED),
            (self.unset == Unset::Empty, bits::EMPTY),
        ] {
            flags |= if holds { bit } else { 0 };
        }
        let required = match column.required {
            Requirement::None => 0,
            Requirement::Recommended => 1,
            Requirement::Application => 2,
            Requirement::System => 3,
            Requirement::Mandatory => 4,
        };
        ColumnRow {
            name: self.named(at, name),
            label: self.keep(column.label.as_deref().unwrap_or(name)),
            kind: kind as u8,
            bits: flags | (required * bits::REQUIRED),
            detail,
            default,
            notes: self.notes(&column.notes),
        }
    }

    fn bound(&mut self, at: &str, which: &str, number: Option<&Number>) -> Option<Decimal> {
        let number = number?;
        let found = Decimal::parse(&number.to_string());
        if found.is_none() {
            self.wrong(format!("{at}/{which}"), format!("{number} is no number that a column can hold"));
        }
        found
    }

    /// What a column holds that is never null.
    fn empty(&mut self, kind: Kind, choices: u16) -> u16 {
        if self.unset == Unset::Null {
            return NONE;
        }
        let row = self.choices.get(usize::from(choices));
        let zero = row.is_some_and(|row| row.options.of(&self.options).iter().any(|one| one.value == 0));
        DefaultRow::empty(kind, zero).map_or(NONE, |row| position_of(&mut self.defaults, row))
    }

    fn default(&mut self, at: &str, kind: Kind, choices: u16, value: &Value) -> u16 {
        let member = |compiler: &Self, text: &str| {
            let row = compiler.choices.get(usize::from(choices))?;
            let options = row.options.of(&compiler.options);
            options
                .iter()
                .find(|option| compiler.read(option.text) == text)
                .map(|option| i64::from(option.value))
        };
        let row = match (kind, value) {
            (Kind::Flag, Value::Bool(flag)) => Some(DefaultRow::Flag(*flag)),
            (Kind::Choice, Value::String(text)) => member(self, text).map(DefaultRow::Whole),
            (Kind::Whole | Kind::Big | Kind::Choice | Kind::State | Kind::Status, Value::Number(number)) => {
                number.as_i64().map(DefaultRow::Whole)
            }
            (Kind::Decimal | Kind::Money | Kind::Double, Value::Number(number)) => {
                Decimal::parse(&number.to_string()).map(|decimal| DefaultRow::Decimal(decimal.units()))
            }
            (Kind::Text | Kind::Memo, Value::String(text)) => Some(DefaultRow::Text(self.keep(text))),
            _ => None,
        };
        match row {
            Some(row) => position_of(&mut self.defaults, row),
            None => {
                self.wrong(at, format!("{value} is no value of a column of the type {}", kind.name()));
                NONE
            }
        }
    }
}

/// The least and the greatest number that a type holds by itself; equal where it has no range.
fn bounds_of(kind: Kind) -> (Decimal, Decimal) {
    match kind {
        Kind::Whole => (Decimal::from_whole(i64::from(i32::MIN)), Decimal::from_whole(i64::from(i32::MAX))),
        Kind::Money => (Decimal::from_whole(-922_337_203_685_477), Decimal::from_whole(922_337_203_685_477)),
        _ => (Decimal::ZERO, Decimal::ZERO),
    }
}
