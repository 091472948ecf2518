//! Nothing a client can send makes a parser panic, and what is printed reads back as what it was.

use mocktenant_odata::{
    Argument, Arguments, Comparison, Evaluation, Filter, Guid, Literal, Operand, Preferences, PropertyPath,
    QueryOptions, ResourceSegment,
};
use proptest::prelude::*;
use serde_json::{Map, Value};

fn identifier() -> impl Strategy<Value = String> {
    "[a-zA-Z_éß][a-zA-Z0-9_é]{0,11}".prop_filter("a word of the language", |name| {
        !["null", "true", "false", "not", "and", "or", "eq", "ne", "gt", "ge", "lt", "le"]
            .contains(&name.as_str())
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(Literal::Integer),
        "[+-]?[0-9]{1,9}\\.[0-9]{1,9}([eE][+-]?[0-9]{1,2})?".prop_map(Literal::Decimal),
        any::<String>().prop_map(Literal::String),
        any::<[u8; 16]>().prop_map(|bytes| Literal::Guid(Guid::from_bytes(bytes))),
        (0_u16..10_000, 1_u8..13, 1_u8..29, 0_u8..24, 0_u8..60, any::<bool>()).prop_map(
            |(year, month, day, hour, minute, date_only)| {
                Literal::DateTime(if date_only {
                    format!("{year:04}-{month:02}-{day:02}")
                } else {
                    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:07.25-03:30")
                })
            }
        ),
        (identifier(), identifier(), any::<String>())
            .prop_map(|(space, name, member)| Literal::Enum { type_name: format!("{space}.{name}"), member }),
    ]
}

fn path() -> impl Strategy<Value = PropertyPath> {
    prop::collection::vec(identifier(), 1..3).prop_filter_map("one name or more", PropertyPath::new)
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![path().prop_map(Operand::Property), literal().prop_map(Operand::Literal)]
}

fn filter() -> impl Strategy<Value = Filter> {
    let operator = prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ]);
    let leaf = prop_oneof![
        4 => (operand(), operator, operand()).prop_map(|(left, op, right)| Filter::Compare { left, op, right }),
        1 => operand().prop_map(Filter::Truth),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

fn argument() -> impl Strategy<Value = Argument> {
    prop_oneof![
        literal().prop_map(Argument::Literal),
        identifier().prop_map(|name| Argument::Alias(format!("@{name}")))
    ]
}

fn segment() -> impl Strategy<Value = ResourceSegment> {
    let arguments = prop_oneof![
        Just(Arguments::None),
        argument().prop_map(Arguments::Key),
        prop::collection::btree_map(identifier(), argument(), 0..4)
            .prop_map(|named| Arguments::Named(named.into_iter().collect())),
    ];
    (identifier(), arguments).prop_map(|(name, arguments)| ResourceSegment { name, arguments })
}

/// Text made of the pieces the grammars know, so that random input gets past the first character.
fn near_miss() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "$filter",
        "$select",
        "$top",
        "=",
        "&",
        " ",
        "+",
        "eq",
        "and",
        "or",
        "not",
        "(",
        ")",
        "'",
        "''",
        ",",
        "/",
        ".",
        "*",
        "%27",
        "%2",
        "%ff",
        "null",
        "name",
        "a",
        "1",
        "-",
        "1e9",
        "2026-11-22",
        "T08:50:00Z",
        "@p1",
        "é",
        "\u{0}",
        "00000015-0000-0000-c000-000000000000",
        "Ns.T'x'",
        "\"",
        "\\",
        ";",
        "return=minimal",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic_and_offsets_stay_inside(text in prop_oneof![any::<String>(), near_miss()]) {
        let row: Map<String, Value> = [("name".to_owned(), Value::from("a")), ("a".to_owned(), Value::Bool(true))]
            .into_iter()
            .collect();
        match Filter::parse(&text) {
            Ok(filter) => {
                filter.matches(&row, Evaluation::CASE_INSENSITIVE);
                prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
            }
            Err(error) => prop_assert!(error.offset <= text.len()),
        }
        match ResourceSegment::parse(&text) {
            Ok(segment) => prop_assert_eq!(ResourceSegment::parse(&segment.to_path()), Ok(segment)),
            Err(error) => prop_assert!(error.offset <= text.len()),
        }
        if let Err(error) = QueryOptions::parse(&text) {
            prop_assert!(error.offset <= text.len());
        }
        if let Ok(literal) = Literal::parse(&text) {
            prop_assert_eq!(Literal::parse(&literal.to_string()), Ok(literal));
        }
        Preferences::parse([text.as_str()]).wants_annotation(&text);
    }

    #[test]
    fn a_printed_literal_reads_back(literal in literal()) {
        prop_assert_eq!(Literal::parse(&literal.to_string()), Ok(literal));
    }

    #[test]
    fn a_printed_filter_reads_back(filter in filter()) {
        let printed = filter.to_string();
        prop_assume!(printed.len() <= mocktenant_odata::MAX_TEXT);
        prop_assert_eq!(Filter::parse(&printed), Ok(filter));
    }

    #[test]
    fn a_filter_survives_the_query_string(filter in filter()) {
        let printed = filter.to_string();
        prop_assume!(printed.len() <= mocktenant_odata::MAX_TEXT);
        let raw = format!("$filter={}", mocktenant_odata::percent_encode(&printed, ""));
        prop_assert_eq!(QueryOptions::parse(&raw).unwrap().filter, Some(filter));
    }

    #[test]
    fn a_printed_segment_reads_back(segment in segment()) {
        prop_assert_eq!(ResourceSegment::parse(&segment.to_path()), Ok(segment));
    }
}
