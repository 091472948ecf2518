//! The views an organisation comes with, one file each in `views/`.
//!
//! Decides nothing: a file has the id, the name and the table of a view, and its FetchXML. A new one is listed here.

use std::sync::LazyLock;

use mocktenant_xml::{Budget, Prefixes, Text, Tree};

/// The files.
const FILES: [&str; 2] =
    [include_str!("views/active_accounts.xml"), include_str!("views/active_contacts.xml")];

const BUDGET: Budget = Budget { bytes: 64 * 1024, depth: 24, elements: 500, attributes: 16 };

/// A view.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The logical name of its table.
    pub(crate) entity: String,
    pub(crate) fetch_xml: String,
}

/// All of them.
pub(crate) fn all() -> &'static [View] {
    static VIEWS: LazyLock<Vec<View>> =
        LazyLock::new(|| FILES.iter().filter_map(|text| read(text)).collect());
    &VIEWS
}

/// What a file says; a test reads every one.
fn read(text: &str) -> Option<View> {
    let source = Text::utf8(text.as_bytes().to_vec(), BUDGET.bytes).ok()?;
    let tree = Tree::scan(&source, &BUDGET, Prefixes::AsWritten).ok()?;
    let root = tree.root();
    let of = |name| root.value(name).map(str::to_owned);
    let fetch = root.children().next()?;
    let fetch_xml = source.as_str().get(fetch.span())?.to_owned();
    Some(View { id: of("id")?, name: of("name")?, entity: of("entity")?, fetch_xml })
}

#[cfg(test)]
mod tests {
    use mocktenant_schema::Cell;

    use super::*;
    use crate::queries::conditions::Asker;
    use crate::queries::fetch::Fetch;
    use crate::queries::lower::lower;

    #[test]
    fn every_view_is_read_and_can_be_asked() {
        assert_eq!(all().len(), FILES.len());
        let schema = crate::tables::built_in();
        let asker =
            Asker { now: 0, zone: mocktenant_world::Zone::UTC, user: Cell::Null, business_unit: Cell::Null };
        for view in all() {
            let fetch = Fetch::read(&view.fetch_xml).unwrap();
            assert_eq!(fetch.entity, view.entity, "{}", view.name);
            assert!(lower(&schema, &asker, &fetch).is_ok(), "{}", view.name);
            assert!(mocktenant_odata::Guid::parse(&view.id).is_some());
        }
    }
}
