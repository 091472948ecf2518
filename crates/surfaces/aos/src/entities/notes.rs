//! What an entity's notes say: names of the product's own code, data sources, captions, links that lead out of this lab.
//!
//! Decides nothing: notes are text in `tables/`, and this is the one place that knows how each is written.

use super::{COMPANY, Entity, Member};

/// What is known of an entity beside its columns.
pub(crate) trait Notes<'s>: Copy {
    /// The entity's name in the product's code, as texts call it.
    fn aot(self) -> &'s str;
    /// Its first table.
    fn root(self) -> &'s str;
    /// What people call its first table.
    fn root_label(self) -> &'s str;
    /// How many tables it is made of: an entity tag has a pair of each.
    fn sources(self) -> usize;
    /// Which of them its rows are in, one bit each.
    fn written(self) -> u64;
    /// The columns by which a text names a record: those of its key and its name where nothing is said of them.
    fn caption(self) -> impl Iterator<Item = Member<'s>>;
    /// Its place in the container.
    fn order(self) -> usize;
    /// Links to entities that are not served here.
    fn links(self) -> impl Iterator<Item = &'s str>;
    /// The columns a person's name is made of.
    fn person_names(self) -> impl Iterator<Item = Member<'s>>;
    /// The column that says which company a record belongs to, where that is a part of the key.
    fn company(self) -> Option<Member<'s>>;
    /// Whether its records are kept here; else they are a view of the declaration.
    fn is_kept(self) -> bool;
}

fn listed<'s>(entity: Entity<'s>, note: &str) -> impl Iterator<Item = &'s str> + use<'s> {
    let text = entity.note(note).unwrap_or_default();
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

impl<'s> Notes<'s> for Entity<'s> {
    fn aot(self) -> &'s str {
        self.note("aot").unwrap_or_else(|| self.schema_name())
    }

    fn root(self) -> &'s str {
        self.note("table").unwrap_or_else(|| self.name())
    }

    fn root_label(self) -> &'s str {
        self.note("table_label").unwrap_or_else(|| self.root())
    }

    fn sources(self) -> usize {
        self.note("sources").and_then(|count| count.parse().ok()).unwrap_or(1)
    }

    fn written(self) -> u64 {
        let places = listed(self, "written").filter_map(|one| one.parse::<u32>().ok());
        places.filter_map(|place| 1_u64.checked_shl(place)).fold(0, |all, one| all | one)
    }

    fn caption(self) -> impl Iterator<Item = Member<'s>> {
        let written = listed(self, "caption").filter_map(move |name| self.column(name));
        let none = self.note("caption").is_none();
        let others = self.key().filter(|column| column.name() != COMPANY).chain(self.name_column());
        written.chain(others.filter(move |_| none))
    }

    fn order(self) -> usize {
        self.note("order").and_then(|place| place.parse().ok()).unwrap_or(usize::MAX)
    }

    fn links(self) -> impl Iterator<Item = &'s str> {
        listed(self, "links")
    }

    fn person_names(self) -> impl Iterator<Item = Member<'s>> {
        listed(self, "person_names").filter_map(move |name| self.column(name))
    }

    fn company(self) -> Option<Member<'s>> {
        self.key().find(|column| column.name() == COMPANY)
    }

    fn is_kept(self) -> bool {
        self.view().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::super::all;
    use super::*;
    use crate::schema::SCHEMA;

    #[test]
    fn every_entity_has_its_place_its_names_and_a_caption_of_its_own_columns() {
        let entities = all(&SCHEMA);
        for (at, entity) in entities.iter().enumerate() {
            assert_eq!(entity.order(), at, "{}", entity.set());
            assert!((1..64).contains(&entity.sources()) && entity.written() & 1 == 1, "{}", entity.set());
            let captions = entity.note("caption").unwrap_or_default().split(',').count();
            assert_eq!(entity.caption().count(), captions, "{}", entity.set());
            assert!(entity.links().all(|link| entity.navigation(link).is_none()), "{}", entity.set());
        }
        assert_eq!(entities.iter().filter(|entity| !entity.is_kept()).count(), 3);
    }

    #[test]
    fn a_link_is_served_or_named_as_one_that_is_not() {
        let currencies = SCHEMA.by_set("Currencies").unwrap();
        assert!(currencies.navigation("ExchangeRate").is_some());
        assert!(currencies.links().any(|link| link == "VendInvoiceJournalLineCurrency"));
        assert_eq!(
            SCHEMA.by_set("CustomerGroups").unwrap().links().collect::<Vec<_>>(),
            ["Prospects", "DimensionSet"]
        );
    }
}
