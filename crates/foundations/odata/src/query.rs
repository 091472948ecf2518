//! The query string of a resource request: system query options, aliases, custom options, one level at a time.
//!
//! Decides what the options say (URL conventions 5); which of them a resource honours, and what the names in them are, is decided
//! where they are bound. Names and values are percent-decoded once. `+` in a value is read as a space, as form-encoding clients
//! write it; a client that means a plus sign (`2026-11-22T00:00:00+01:00`) has to send `%2B`. What `$expand` has in its
//! parentheses stays text until it is bound, so that depth is the binder's to bound.

use crate::Fault;
use crate::syntax::{Syntax, parse, parse_order};
use crate::terms::{self, expand};
use crate::{MAX_OPTIONS, MAX_ORDER, MAX_QUERY, MAX_TEXT, percent};

/// What a query string asks for. The default asks for nothing in particular.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryOptions {
    /// `$select`: property paths or `*`, as written; `None` if the option is absent.
    pub select: Option<Vec<String>>,
    /// `$filter`
    pub filter: Option<Syntax>,
    /// `$top`
    pub top: Option<u64>,
    /// `$skip`
    pub skip: Option<u64>,
    /// `$orderby`: what is compared, and whether the greatest comes first. Empty if absent.
    pub orderby: Vec<(Syntax, bool)>,
    /// `$count=true`
    pub count: bool,
    /// `$expand`
    pub expand: Vec<Expand>,
    /// `$apply`, decoded and otherwise unread.
    pub apply: Option<String>,
    /// `$skiptoken`, decoded and otherwise unread.
    pub skiptoken: Option<String>,
    /// `$format`, decoded.
    pub format: Option<String>,
    /// `$id`, decoded: the address of a row.
    pub id: Option<String>,
    /// Everything whose name does not begin with `$`, decoded, in order: `cross-company`, and aliases such as `@p1`.
    pub others: Vec<(String, String)>,
}

/// One item of `$expand`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expand {
    /// The navigation property.
    pub navigation: String,
    /// `/$ref` behind it.
    pub reference: bool,
    /// What stands in its parentheses, and they, unread.
    pub options: Option<String>,
}

/// A query string that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryError {
    /// An option whose name begins with `$` and that is none of OData's.
    Unknown(String),
    /// Longer than is read, or with more options.
    TooLong,
    /// An option of that name that says nothing.
    Fault {
        /// The option, `$filter`.
        option: String,
        /// What is wrong with it.
        fault: Fault,
    },
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(name) => write!(to, "the option {name} is unknown"),
            Self::TooLong => write!(to, "the query has more than {MAX_QUERY} bytes or {MAX_OPTIONS} options"),
            Self::Fault { option, fault } => write!(to, "{option}: {fault}"),
        }
    }
}

impl std::error::Error for QueryError {}

/// OData's options.
const KNOWN: [&str; 11] = [
    "$select",
    "$filter",
    "$orderby",
    "$top",
    "$skip",
    "$count",
    "$expand",
    "$apply",
    "$skiptoken",
    "$format",
    "$id",
];

impl QueryOptions {
    /// Reads a raw query string (without its `?`) of at most [`MAX_QUERY`] bytes.
    ///
    /// An option may be spelled with an encoded dollar sign (`%24filter`). Unknown and repeated `$` options are errors,
    /// custom options may repeat, aliases may not.
    pub fn parse(raw: &str) -> Result<Self, QueryError> {
        if raw.len() > MAX_QUERY || raw.split('&').count() > MAX_OPTIONS {
            return Err(QueryError::TooLong);
        }
        let mut pairs = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((percent::decode_form(name, false), percent::decode_form(value, true)));
        }
        Self::of(&pairs)
    }

    /// Reads what stands in the parentheses of an item of `$expand`, with them and decoded already.
    pub fn nested(text: &str) -> Result<Self, QueryError> {
        let fault = |fault| QueryError::Fault { option: "$expand".to_owned(), fault };
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in terms::options(text).map_err(fault)? {
            let nested =
                |option, expected| Fault::InvalidNested { option, expected, value: value.to_owned() };
            let whole = |text: &str| text.trim().parse::<i64>().is_ok_and(|number| number >= 0);
            let wrong = match name {
                "$top" if !whole(value) => Some(nested("Top", "non-negative integer")),
                "$skip" if !whole(value) => Some(nested("Skip", "non-negative integer")),
                "$count" if !matches!(value, "true" | "false") => Some(nested("Count", "boolean value")),
                "$levels" if !whole(value) && value != "max" => {
                    Some(nested("Levels", "non-negative integer or 'max'"))
                }
                "$levels" | "$search" | "$compute" => Some(Fault::Unsupported(format!("{name} in $expand"))),
                "$apply" => match crate::apply::parse_apply(value) {
                    Ok(_) => Some(Fault::Unsupported("$apply in $expand".to_owned())),
                    Err(wrong) => Some(wrong),
                },
                _ => None,
            };
            if let Some(wrong) = wrong {
                return Err(fault(wrong));
            }
            // the last of two counts
            pairs.retain(|(known, _)| known != name);
            pairs.push((name.to_owned(), value.to_owned()));
        }
        Self::of(&pairs)
    }

    fn of(pairs: &[(String, String)]) -> Result<Self, QueryError> {
        let mut options = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in pairs {
            if !name.starts_with('$') {
                let again = name.starts_with('@') && options.alias(name).is_some();
                if again {
                    return Err(QueryError::Fault {
                        option: name.clone(),
                        fault: Fault::Repeated(name.clone()),
                    });
                }
                options.others.push((name.clone(), value.clone()));
                continue;
            }
            let Some(known) = KNOWN.into_iter().find(|known| known == name) else {
                return Err(QueryError::Unknown(name.clone()));
            };
            let wrong = |fault| QueryError::Fault { option: name.clone(), fault };
            if seen.contains(&known) {
                return Err(wrong(Fault::Repeated(name.clone())));
            }
            seen.push(known);
            options.set(known, value).map_err(wrong)?;
        }
        Ok(options)
    }

    fn set(&mut self, known: &'static str, value: &str) -> Result<(), Fault> {
        if value.len() > MAX_TEXT {
            return Err(Fault::TooDeep);
        }
        match known {
            "$select" => self.select = Some(terms::select(value)?).filter(|names| !names.is_empty()),
            "$filter" => self.filter = Some(parse(value)?),
            "$orderby" => {
                self.orderby = parse_order(value)?;
                if self.orderby.len() > MAX_ORDER {
                    return Err(Fault::TooDeep);
                }
            }
            "$top" => self.top = Some(whole(known, value)?),
            "$skip" => self.skip = Some(whole(known, value)?),
            "$count" => {
                self.count = match value.trim() {
                    "true" => true,
                    "false" => false,
                    _ => return Err(Fault::InvalidCount(value.to_owned())),
                }
            }
            "$expand" => self.expand = expand(value)?,
            "$apply" => self.apply = Some(value.to_owned()).filter(|text| !text.is_empty()),
            "$skiptoken" => self.skiptoken = Some(value.to_owned()),
            "$id" => self.id = Some(value.to_owned()),
            _ => self.format = Some(value.to_owned()),
        }
        Ok(())
    }

    /// The first custom option of that name, exactly spelled.
    pub fn other(&self, name: &str) -> Option<&str> {
        self.others.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter alias, named with its `@`.
    pub fn alias(&self, name: &str) -> Option<&str> {
        if name.starts_with('@') { self.other(name) } else { None }
    }
}

/// A count of rows. A number below zero is none, in the library's words too.
fn whole(option: &'static str, value: &str) -> Result<u64, Fault> {
    let digits = value.trim();
    let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
    number.ok_or_else(|| Fault::NotNonNegative { option, value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_EXPAND;

    #[test]
    fn the_options_of_real_clients_are_read() {
        let options = QueryOptions::parse(
            "$select=accountid,name,&%24filter=name%20eq%20%27O%27%27Neil%27%20and+creditlimit+eq+5&$top=3&$skip=0\
             &$orderby=name%20desc,a/b&$count=true&$expand=primarycontactid($select=fullname)&cross-company=true",
        )
        .unwrap();
        assert_eq!(options.select, Some(vec!["accountid".into(), "name".into()]));
        assert!(options.filter.is_some());
        assert_eq!((options.top, options.skip, options.count), (Some(3), Some(0), true));
        assert_eq!(options.orderby.iter().map(|(_, down)| *down).collect::<Vec<_>>(), [true, false]);
        let item = options.expand.first().unwrap();
        assert_eq!(
            (item.navigation.as_str(), item.options.as_deref()),
            ("primarycontactid", Some("($select=fullname)"))
        );
        assert_eq!(options.other("cross-company"), Some("true"));
        assert_eq!(QueryOptions::parse("").unwrap(), QueryOptions::default());
        assert_eq!(QueryOptions::parse("&&a&").unwrap().others, [("a".to_owned(), String::new())]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_kind() {
        let error = |raw: &str| QueryOptions::parse(raw).unwrap_err();
        let fault = |raw: &str| match error(raw) {
            QueryError::Fault { fault, .. } => fault.to_string(),
            other => panic!("{raw}: {other}"),
        };
        assert_eq!(error("$nope=1"), QueryError::Unknown("$nope".to_owned()));
        assert_eq!(fault("$filter=%zz"), "Syntax error: character '%' is not valid at position 0 in '%zz'.");
        assert_eq!(
            fault("$filter=name%20eq%20%ff"),
            "Syntax error: character '\u{fffd}' is not valid at position 8 in 'name eq \u{fffd}'."
        );
        assert!(QueryOptions::parse("$filter=name%20eq%20'100%'").unwrap().filter.is_some());
        assert_eq!(error(&"a&".repeat(MAX_OPTIONS + 1)), QueryError::TooLong);
        assert_eq!(error(&"a".repeat(MAX_QUERY + 1)), QueryError::TooLong);
        assert_eq!(
            fault("$top=-1"),
            "Invalid value '-1' for $top query option found. The $top query option requires a non-negative integer value."
        );
        assert_eq!(
            fault("$filter=a&$filter=b"),
            "Query option '$filter' was specified more than once, but it must be specified at most once."
        );
        for raw in [
            "$count=yes",
            "$skip=x",
            "$select=a,,b",
            "$select=$x",
            "$select=a b",
            "@p=1&@p=2",
            "$orderby=a down",
            "$expand=a(",
        ] {
            assert!(!fault(raw).is_empty());
        }
    }

    #[test]
    fn items_of_expand_keep_what_is_nested_in_them() {
        let items = expand(
            "a($select=x,y;$filter=n eq 'a;b,(c' and m eq 1;$expand=b($select=z;$expand=c)),d/$ref, e",
        )
        .unwrap();
        assert_eq!(items.len(), 3);
        let nested = QueryOptions::nested(items[0].options.as_deref().unwrap()).unwrap();
        assert_eq!(nested.select.as_deref(), Some(&["x".to_owned(), "y".to_owned()][..]));
        assert_eq!(nested.expand[0].options.as_deref(), Some("($select=z;$expand=c)"));
        assert!(items[1].reference && items[1].navigation == "d");
        assert_eq!((expand("").unwrap().len(), expand("a,").unwrap().len()), (0, 1));
        for text in ["a(", "a)", "a(($select=x)", "a($select=x))", "a b", "a($select='x)", "a()"] {
            assert!(expand(text).is_err(), "{text}");
        }
        assert!(expand(&"(".repeat(5_000)).is_err());
        assert!(expand(&vec!["a"; MAX_EXPAND + 1].join(",")).is_err());
        assert!(QueryOptions::nested("(cross=1)").is_err());
        assert!(QueryOptions::nested("($top=x)").is_err());
    }
}
