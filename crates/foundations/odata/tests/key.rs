//! Segments of a path with their keys: every spelling, what is none, and how one is written again.

use mocktenant_odata::{Argument, Arguments, Guid, Literal, ResourceSegment, SyntaxErrorKind};

fn text(text: &str) -> Argument {
    Argument::Literal(Literal::String(text.into()))
}

fn parsed(raw: &str) -> ResourceSegment {
    ResourceSegment::parse(raw).unwrap_or_else(|error| panic!("{raw}: {error}"))
}

#[test]
fn every_spelling_of_a_segment_is_read() {
    assert_eq!(parsed("accounts"), ResourceSegment { name: "accounts".into(), arguments: Arguments::None });
    let guid = Guid::parse("a0000000-0000-0000-0000-000000000001").unwrap();
    assert_eq!(
        parsed("accounts(A0000000-0000-0000-0000-000000000001)").arguments,
        Arguments::Key(Argument::Literal(Literal::Guid(guid)))
    );
    assert_eq!(
        parsed("CustomersV3(dataAreaId='DAT',CustomerAccount='US-001')").arguments,
        Arguments::Named(vec![
            ("dataAreaId".into(), text("DAT")),
            ("CustomerAccount".into(), text("US-001"))
        ])
    );
    assert_eq!(parsed("WhoAmI()").arguments, Arguments::Named(vec![]));
    assert_eq!(parsed("Microsoft.Dynamics.CRM.WhoAmI()").name, "Microsoft.Dynamics.CRM.WhoAmI");
    assert_eq!(parsed("Rows(3)").arguments, Arguments::Key(Argument::Literal(Literal::Integer(3))));
    assert_eq!(
        parsed("Rows(true=1)").arguments,
        Arguments::Named(vec![("true".into(), Argument::Literal(Literal::Integer(1)))])
    );
}

#[test]
fn encoding_is_undone_once_and_inside_the_value() {
    assert_eq!(
        parsed("accounts(accountnumber='A%2FB%2527+''x%27%27')").arguments,
        Arguments::Named(vec![("accountnumber".into(), text("A/B%27+'x'"))])
    );
    assert_eq!(parsed("accounts%28'x'%29").arguments, Arguments::Key(text("x")));
    assert!(ResourceSegment::parse("a%2Fb").is_err(), "an encoded slash separates nothing");
}

#[test]
fn aliases_are_resolved_from_the_query() {
    let segment = parsed("RetrieveCurrentOrganization(AccessType=@p1)");
    let alias = |name: &str| (name == "@p1").then_some("Microsoft.Dynamics.CRM.EndpointAccessType'Default'");
    let literals = segment.named_literals("", alias).unwrap();
    assert_eq!(
        literals,
        [(
            "AccessType".to_owned(),
            Literal::Enum {
                type_name: "Microsoft.Dynamics.CRM.EndpointAccessType".into(),
                member: "Default".into()
            }
        )]
    );
    assert_eq!(segment.named_literals("", |_| None).unwrap()[0].1, Literal::Null);
    assert!(segment.named_literals("", |_| Some("'open")).is_err());
}

#[test]
fn what_is_no_segment_is_refused_where_it_breaks() {
    let error = |raw: &str| ResourceSegment::parse(raw).unwrap_err();
    assert_eq!(error("").offset, 0);
    assert_eq!(error("accounts(").kind, SyntaxErrorKind::UnexpectedEnd { expected: "a literal or alias" });
    assert_eq!(error("accounts('a'").offset, 12);
    assert_eq!(error("accounts%20x").offset, 8);
    assert_eq!(error("accounts('%41%41'x)").offset, 17);
    assert_eq!(error("a(b=1,b=2)").kind, SyntaxErrorKind::RepeatedName { name: "b".into() });
    assert_eq!(error("a(b=1,)").offset, 6);
    assert_eq!(error("a('x','y')").offset, 5);
    assert_eq!(error("a(%ff)").kind, SyntaxErrorKind::InvalidUtf8);
    assert_eq!(
        error("a(b)").kind,
        SyntaxErrorKind::Unexpected { expected: "a literal or alias", found: 'b' }
    );
}

#[test]
fn a_printed_path_reads_back() {
    let segment = parsed("accounts(accountnumber='50%25%20O''Neil%2FSöhne')");
    assert_eq!(segment.to_path(), "accounts(accountnumber='50%25%20O''Neil%2FS%C3%B6hne')");
    assert_eq!(parsed(&segment.to_path()), segment);
}
