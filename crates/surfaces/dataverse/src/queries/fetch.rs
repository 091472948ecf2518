//! A query as it is written: `<fetch>` and what stands in it.
//!
//! Decides which elements may stand where, and what the attributes say as numbers, flags and names. Never looks at tables. A text
//! is read within budgets, and nothing outside it is ever resolved. Mirrors the FetchXML reference; what only tells an
//! application how to show a view (`uiname`, `visible`) or a database how to go about it (`no-lock`, `options`) is passed over.

use mocktenant_xml::{Budget, Node, Prefixes, Text, Tree};

use super::Unanswerable;
use crate::errors::{DataverseError, FetchDefect, cut};

/// What a query may hold; it comes in an address, so that most of this cannot be reached from outside `$batch`.
const BUDGET: Budget = Budget { bytes: 64 * 1024, depth: 24, elements: 4_000, attributes: 32 };

/// Conditions of a query, links counted (Microsoft Learn, Dataverse: Filter rows, condition limits).
const CONDITIONS: usize = 500;

/// `link-entity` elements of a query (Microsoft Learn, Dataverse: Join tables using FetchXml, limitations).
const LINKS: usize = 15;

/// `order` elements of a query: each may be asked of every pair of rows.
const ORDERS: usize = 32;

/// Columns a query asks for, all its tables together: each is written with every row.
const ATTRIBUTES: usize = 1_024;

/// A whole query.
#[derive(Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of the element")]
pub(crate) struct Fetch {
    pub(crate) top: Option<u64>,
    pub(crate) count: Option<u64>,
    pub(crate) page: Option<u64>,
    pub(crate) cookie: Option<String>,
    pub(crate) distinct: bool,
    /// Whether all rows are counted.
    pub(crate) total: bool,
    pub(crate) aggregate: bool,
    pub(crate) aggregate_limit: Option<u64>,
    /// Whether choices are ordered by their values and not their labels.
    pub(crate) raw_order: bool,
    /// The table.
    pub(crate) entity: String,
    pub(crate) body: Body,
}

/// What is asked of one table.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Body {
    pub(crate) all: bool,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) orders: Vec<Ordered>,
    pub(crate) links: Vec<Link>,
}

/// A column that is answered, or what is worked out of it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
    pub(crate) aggregate: Option<String>,
    pub(crate) grouped: bool,
    pub(crate) grouping: Option<String>,
    /// Whether parts of a date are those of UTC, not of the user's time zone.
    pub(crate) utc: bool,
    pub(crate) distinct: bool,
    /// As it is written, for what refusals show.
    pub(crate) xml: String,
}

/// Conditions of which all, or any, have to hold.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Filter {
    pub(crate) any: bool,
    pub(crate) terms: Vec<Term>,
}

/// One of them.
#[derive(Debug, PartialEq)]
pub(crate) enum Term {
    Filter(Filter),
    Condition(Condition),
}

/// A condition on a column.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Condition {
    /// The link whose column it is, if it is not that of the table around it.
    pub(crate) entity: Option<String>,
    pub(crate) attribute: String,
    pub(crate) operator: String,
    pub(crate) values: Vec<String>,
    /// Another column to compare with.
    pub(crate) value_of: Option<String>,
}

/// One item of an order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Ordered {
    pub(crate) attribute: Option<String>,
    pub(crate) alias: Option<String>,
    pub(crate) entity: Option<String>,
    pub(crate) descending: bool,
}

/// Another table, joined.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Link {
    pub(crate) entity: String,
    /// Its column.
    pub(crate) from: String,
    /// The column of the table around it.
    pub(crate) to: String,
    pub(crate) alias: Option<String>,
    pub(crate) outer: bool,
    pub(crate) body: Body,
}

impl Fetch {
    /// Reads a query.
    pub(crate) fn read(text: &str) -> Result<Self, Unanswerable> {
        if text.trim().is_empty() {
            return Err(DataverseError::FetchEmpty.into());
        }
        let invalid = |_| Unanswerable::from(DataverseError::FetchInvalidXml);
        let source = Text::utf8(text.trim().as_bytes().to_vec(), BUDGET.bytes).map_err(invalid)?;
        let tree = Tree::scan(&source, &BUDGET, Prefixes::AsWritten).map_err(invalid)?;
        Reader::default().fetch(tree.root())
    }
}

/// How many there were of what is bounded.
#[derive(Default)]
struct Reader {
    conditions: usize,
    links: usize,
    orders: usize,
    attributes: usize,
}

impl Reader {
    fn fetch(&mut self, root: Node<'_>) -> Result<Fetch, Unanswerable> {
        let mut children = root.children();
        let entity =
            children.next().filter(|_| root.qualified_name() == "fetch" && children.next().is_none());
        let entity = entity.filter(|node| node.qualified_name() == "entity");
        let named = entity.and_then(|node| Some((node, node.value("name").filter(|name| !name.is_empty())?)));
        let Some((entity, name)) = named else { return Err(DataverseError::FetchNoEntity.into()) };
        if let Some(source) = root.value("datasource") {
            return Err(Unanswerable::not_built(format!("datasource='{}' of FetchXML", cut(source))));
        }
        let fetch = Fetch {
            top: number(root, "top")?,
            count: number(root, "count")?,
            page: number(root, "page")?,
            cookie: root.value("paging-cookie").filter(|text| !text.is_empty()).map(str::to_owned),
            distinct: flag(root, "distinct"),
            total: flag(root, "returntotalrecordcount"),
            aggregate: flag(root, "aggregate"),
            aggregate_limit: number(root, "aggregatelimit")?,
            raw_order: flag(root, "useraworderby"),
            entity: name.to_owned(),
            body: self.body(entity)?,
        };
        let paging = [
            ("page", fetch.page.is_some()),
            ("count", fetch.count.is_some()),
            ("returntotalrecordcount", fetch.total),
        ];
        match paging.into_iter().find(|(_, there)| *there && fetch.top.is_some()) {
            Some((attribute, _)) => Err(DataverseError::FetchTopWithPaging { attribute }.into()),
            None => Ok(fetch),
        }
    }

    fn body(&mut self, node: Node<'_>) -> Result<Body, Unanswerable> {
        let mut body = Body::default();
        for child in node.children() {
            match child.qualified_name() {
                "all-attributes" => body.all = true,
                "no-attrs" => {}
                "attribute" => body.attributes.push(self.attribute(child)?),
                "order" => body.orders.push(self.order(child)?),
                "filter" => body.filters.push(self.filter(child)?),
                "link-entity" => body.links.push(self.link(child)?),
                _ => {
                    let valid = "filter, order, link-entity, attribute, all-attributes, no-attrs";
                    return Err(misplaced(child, valid));
                }
            }
        }
        Ok(body)
    }

    fn attribute(&mut self, node: Node<'_>) -> Result<Attribute, Unanswerable> {
        self.attributes += 1;
        if self.attributes > ATTRIBUTES {
            return Err(DataverseError::FetchInvalidXml.into());
        }
        if node.value("rowaggregate").is_some() {
            return Err(Unanswerable::not_built("rowaggregate of FetchXML"));
        }
        let alias = text(node, "alias");
        if let Some(alias) = alias.as_deref().filter(|alias| !is_alias(alias)) {
            return Err(DataverseError::FetchInvalidAlias { alias: cut(alias) }.into());
        }
        Ok(Attribute {
            name: required(node, "attribute", "name")?,
            alias,
            aggregate: text(node, "aggregate"),
            grouped: flag(node, "groupby"),
            grouping: text(node, "dategrouping"),
            utc: node.value("usertimezone").is_some_and(|value| matches!(value, "false" | "0")),
            distinct: flag(node, "distinct"),
            xml: xml(node),
        })
    }

    fn order(&mut self, node: Node<'_>) -> Result<Ordered, Unanswerable> {
        self.orders += 1;
        if self.orders > ORDERS {
            return Err(DataverseError::FetchInvalidXml.into());
        }
        Ok(Ordered {
            attribute: text(node, "attribute"),
            alias: text(node, "alias"),
            entity: text(node, "entityname"),
            descending: flag(node, "descending"),
        })
    }

    fn filter(&mut self, node: Node<'_>) -> Result<Filter, Unanswerable> {
        let mut filter = Filter { any: node.value("type") == Some("or"), terms: Vec::new() };
        for child in node.children() {
            match child.qualified_name() {
                "filter" => filter.terms.push(Term::Filter(self.filter(child)?)),
                "condition" => filter.terms.push(Term::Condition(self.condition(child)?)),
                "link-entity" => return Err(Unanswerable::not_built("link-entity in filter of FetchXML")),
                _ => return Err(misplaced(child, "filter, condition, link-entity")),
            }
        }
        Ok(filter)
    }

    fn condition(&mut self, node: Node<'_>) -> Result<Condition, Unanswerable> {
        self.count_condition()?;
        if let Some(name) = ["aggregate", "rowaggregate"].into_iter().find(|name| node.value(name).is_some())
        {
            return Err(Unanswerable::not_built(format!("{name} in condition of FetchXML")));
        }
        let mut values: Vec<String> = node.value("value").map(str::to_owned).into_iter().collect();
        for child in node.children() {
            match child.qualified_name() {
                "value" => values.push(child.text().into_owned()),
                _ => return Err(misplaced(child, "value")),
            }
        }
        Ok(Condition {
            entity: text(node, "entityname"),
            attribute: required(node, "condition", "attribute")?,
            operator: required(node, "condition", "operator")?,
            values,
            value_of: text(node, "valueof"),
        })
    }

    fn link(&mut self, node: Node<'_>) -> Result<Link, Unanswerable> {
        self.links += 1;
        if self.links > LINKS {
            return Err(DataverseError::TooManyLinkEntitiesInQuery.into());
        }
        self.count_condition()?;
        let outer = match node.value("link-type").unwrap_or("inner") {
            "inner" | "natural" => false,
            "outer" => true,
            other => {
                return Err(Unanswerable::not_built(format!("link-type='{}' of FetchXML", cut(other))));
            }
        };
        let alias = text(node, "alias");
        if let Some(alias) = alias.as_deref().filter(|alias| !is_alias(alias)) {
            return Err(DataverseError::FetchInvalidAlias { alias: cut(alias) }.into());
        }
        let (Some(from), Some(to)) = (text(node, "from"), text(node, "to")) else {
            return Err(Unanswerable::not_built("link-entity without from and to of FetchXML"));
        };
        Ok(Link {
            entity: required(node, "link-entity", "name")?,
            from,
            to,
            alias,
            outer,
            body: self.body(node)?,
        })
    }

    fn count_condition(&mut self) -> Result<(), Unanswerable> {
        self.conditions += 1;
        if self.conditions > CONDITIONS {
            return Err(DataverseError::TooManyConditionsInQuery.into());
        }
        Ok(())
    }
}

fn misplaced(node: Node<'_>, valid: &'static str) -> Unanswerable {
    DataverseError::FetchChildNode { valid, node: cut(node.qualified_name()), xml: xml(node) }.into()
}

/// An element as it is written, not longer than a refusal shows.
fn xml(node: Node<'_>) -> String {
    cut(node.tree().source().as_str().get(node.span()).unwrap_or_default())
}

/// An attribute that says something.
fn text(node: Node<'_>, name: &str) -> Option<String> {
    node.value(name).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn required(node: Node<'_>, element: &'static str, attribute: &'static str) -> Result<String, Unanswerable> {
    text(node, attribute).ok_or_else(|| FetchDefect::Missing { element, attribute }.into())
}

fn flag(node: Node<'_>, name: &str) -> bool {
    matches!(node.value(name), Some("true" | "1" | "True"))
}

/// A number above zero.
fn number(node: Node<'_>, attribute: &'static str) -> Result<Option<u64>, Unanswerable> {
    let Some(value) = text(node, attribute) else { return Ok(None) };
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse::<u64>() {
        Ok(number) if digits && number > 0 => Ok(Some(number)),
        _ => Err(FetchDefect::NotPositive { attribute, value: cut(&value) }.into()),
    }
}

/// Whether a name is one that rows can be answered by.
fn is_alias(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let mut bytes = name.bytes();
    bytes.next().is_some_and(letter)
        && bytes.all(|byte| letter(byte) || byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> DataverseError {
        match Fetch::read(text) {
            Err(Unanswerable::Refused(error)) => *error,
            other => panic!("{text:.200}: {other:?}"),
        }
    }

    #[test]
    fn a_query_is_read_with_all_its_parts() {
        let fetch = Fetch::read(
            "<fetch mapping='logical' count='4' page='2' distinct='true' returntotalrecordcount='1'>
               <entity name='contact'>
                 <attribute name='fullname'/><attribute name='jobtitle' alias='job'/>
                 <order attribute='fullname' descending='true'/>
                 <filter type='or'>
                   <condition attribute='fullname' operator='like' value='%(sample)%'/>
                   <filter><condition attribute='statecode' operator='in'><value>0</value><value>1</value></condition></filter>
                 </filter>
                 <link-entity name='account' from='accountid' to='parentcustomerid' link-type='outer' alias='a'>
                   <all-attributes/>
                 </link-entity>
               </entity>
             </fetch>",
        )
        .unwrap();
        assert_eq!((fetch.count, fetch.page, fetch.distinct, fetch.total), (Some(4), Some(2), true, true));
        assert_eq!((fetch.entity.as_str(), fetch.body.attributes.len()), ("contact", 2));
        let [filter] = fetch.body.filters.as_slice() else { panic!() };
        let [Term::Condition(like), Term::Filter(inner)] = filter.terms.as_slice() else { panic!() };
        assert!(filter.any && !inner.any && like.values == ["%(sample)%"]);
        let [link] = fetch.body.links.as_slice() else { panic!() };
        assert!(link.outer && link.body.all && link.alias.as_deref() == Some("a"));
    }

    #[test]
    fn what_is_no_query_is_refused_by_what_is_wrong_with_it() {
        let entity = |inner: &str| format!("<fetch><entity name='account'>{inner}</entity></fetch>");
        assert_eq!(refused(" "), DataverseError::FetchEmpty);
        for text in [
            "x",
            "<fetch>",
            "<fetch/><fetch/>",
            "<!DOCTYPE fetch><fetch/>",
            "<fetch a='1' a='2'/>",
            "<fetch>&x;</fetch>",
        ] {
            assert_eq!(refused(text), DataverseError::FetchInvalidXml, "{text}");
        }
        for text in [
            "<fetch/>",
            "<entity name='account'/>",
            "<fetch><entity/></fetch>",
            "<fetch><entity name=''/></fetch>",
        ] {
            assert_eq!(refused(text), DataverseError::FetchNoEntity, "{text}");
        }
        assert!(
            matches!(refused(&entity("<n/>")), DataverseError::FetchChildNode { node, xml, .. } if node == "n" && xml == "<n/>")
        );
        assert!(matches!(
            refused(&entity("<attribute name='a' alias='1'/>")),
            DataverseError::FetchInvalidAlias { .. }
        ));
        assert!(matches!(
            refused("<fetch count='0'><entity name='a'/></fetch>"),
            DataverseError::FetchArgument { .. }
        ));
        assert!(matches!(
            refused("<fetch top='+1'><entity name='a'/></fetch>"),
            DataverseError::FetchArgument { .. }
        ));
        assert!(matches!(
            refused("<fetch top='1' page='1'><entity name='a'/></fetch>"),
            DataverseError::FetchTopWithPaging { attribute: "page" }
        ));
    }

    #[test]
    fn whatever_is_missing_of_a_query_it_is_read_or_refused() {
        let whole = "<fetch top='1'><entity name='a'><filter><condition attribute='b' operator='in'><value>é</value></condition></filter></entity></fetch>";
        for (at, letter) in whole.char_indices() {
            let _refused = Fetch::read(&whole[..at]).unwrap_err();
            let without = format!("{}{}", &whole[..at], &whole[at + letter.len_utf8()..]);
            let _read_or_refused = Fetch::read(&without);
        }
        assert!(Fetch::read(whole).is_ok());
    }

    #[test]
    fn what_is_too_large_or_too_deep_is_refused_and_nothing_is_gone_through_twice() {
        let entity = |inner: &str| format!("<fetch><entity name='account'>{inner}</entity></fetch>");
        let condition = "<condition attribute='name' operator='null'/>";
        let link = "<link-entity name='contact' from='contactid' to='primarycontactid'/>";
        assert!(Fetch::read(&entity(&format!("<filter>{}</filter>", condition.repeat(500)))).is_ok());
        assert_eq!(
            refused(&entity(&format!("<filter>{}</filter>", condition.repeat(501)))),
            DataverseError::TooManyConditionsInQuery
        );
        assert!(Fetch::read(&entity(&link.repeat(15))).is_ok());
        assert_eq!(refused(&entity(&link.repeat(16))), DataverseError::TooManyLinkEntitiesInQuery);
        let deep = format!("{}{}", "<filter>".repeat(5_000), "</filter>".repeat(5_000));
        assert_eq!(refused(&entity(&deep)), DataverseError::FetchInvalidXml);
        assert_eq!(refused(&entity(&" ".repeat(64 * 1024))), DataverseError::FetchInvalidXml);
        assert_eq!(refused(&entity(&"<no-attrs/>".repeat(4_001))), DataverseError::FetchInvalidXml);
    }
}
