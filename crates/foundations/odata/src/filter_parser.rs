//! The grammar of `$filter`: `or` < `and` < comparison < `not` < parentheses (URL conventions 5.1.1.9).
//!
//! Decides structure only. A negated or parenthesised comparison cannot itself be compared; OData would allow it, no
//! service here does, and the usual cause is a missing pair of parentheses after `not`.

use crate::cursor::Cursor;
use crate::error::{SyntaxError, SyntaxErrorKind, excerpt};
use crate::filter::{Comparison, Filter, Operand, PropertyPath, TextFunction};
use crate::literal::Literal;
use crate::{MAX_DEPTH, MAX_TERMS};

/// Reads a whole expression.
pub(crate) fn parse(text: &str) -> Result<Filter, SyntaxError> {
    let mut cursor = Cursor::new(text)?;
    let filter = alternatives(&mut cursor, 0)?;
    if filter.terms() > MAX_TERMS {
        return Err(cursor.error(SyntaxErrorKind::TooManyTerms { limit: MAX_TERMS }));
    }
    if cursor.at_end() { Ok(filter) } else { Err(cursor.unknown_operator("'and', 'or' or the end")) }
}

fn alternatives(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    let mut parts = vec![conjunction(cursor, depth)?];
    while keyword(cursor, "or") {
        parts.push(conjunction(cursor, depth)?);
    }
    Ok(joined(parts, Filter::Or))
}

fn conjunction(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    let mut parts = vec![comparison(cursor, depth)?];
    while keyword(cursor, "and") {
        parts.push(comparison(cursor, depth)?);
    }
    Ok(joined(parts, Filter::And))
}

/// One part stands for itself, several are joined: chains stay flat however long they are.
fn joined(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}

fn comparison(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, SyntaxError> {
    cursor.skip_space();
    let start = cursor.position();
    let (left, negated) = unary(cursor, depth)?;
    cursor.skip_space();
    let at = cursor.position();
    let Some(op) = cursor.identifier().and_then(Comparison::from_name) else {
        cursor.rewind(at);
        return Ok(left);
    };
    let left = match left {
        Filter::Truth(operand) => operand,
        _ if negated => return Err(SyntaxError::new(start, SyntaxErrorKind::AmbiguousNot)),
        _ => return Err(SyntaxError::new(at, SyntaxErrorKind::ComparedExpression)),
    };
    if !cursor.skip_space() {
        return Err(cursor.unexpected("a space"));
    }
    let at = cursor.position();
    let Filter::Truth(right) = unary(cursor, depth)?.0 else {
        return Err(SyntaxError::new(at, SyntaxErrorKind::ComparedExpression));
    };
    cursor.skip_space();
    Ok(Filter::Compare { left, op, right })
}

/// Reads `not x`, `(x)` or a single operand; says whether it began with `not`.
fn unary(cursor: &mut Cursor<'_>, depth: usize) -> Result<(Filter, bool), SyntaxError> {
    if depth >= MAX_DEPTH {
        return Err(cursor.error(SyntaxErrorKind::TooDeep { limit: MAX_DEPTH }));
    }
    if cursor.accept('(') {
        let inner = alternatives(cursor, depth + 1)?;
        if !cursor.accept(')') {
            return Err(cursor.unknown_operator("')'"));
        }
        return Ok((inner, false));
    }
    let start = cursor.position();
    if cursor.identifier() == Some("not") {
        let spaced = cursor.skip_space();
        // `not eq 1` compares a property called `not`; `not` before a space and anything else negates
        let operator = {
            let at = cursor.position();
            let found =
                cursor.identifier().and_then(Comparison::from_name).is_some() && cursor.peek() == Some(' ');
            cursor.rewind(at);
            found
        };
        if cursor.peek() == Some('(') || (spaced && !operator && !cursor.at_end()) {
            let (inner, _) = unary(cursor, depth + 1)?;
            return Ok((Filter::Not(Box::new(inner)), true));
        }
    }
    cursor.rewind(start);
    if let Some(function) = text_function(cursor) {
        return arguments(cursor, function).map(|filter| (filter, false));
    }
    operand(cursor).map(|operand| (Filter::Truth(operand), false))
}

/// Moves past the name of a function and its opening parenthesis, or gives `None` without moving.
fn text_function(cursor: &mut Cursor<'_>) -> Option<TextFunction> {
    let start = cursor.position();
    let function = cursor.identifier().and_then(TextFunction::from_name);
    if function.is_some() && cursor.accept('(') {
        return function;
    }
    cursor.rewind(start);
    None
}

/// Reads the two arguments of a function and its closing parenthesis.
fn arguments(cursor: &mut Cursor<'_>, function: TextFunction) -> Result<Filter, SyntaxError> {
    let mut next = |end: char, expected: &'static str| {
        cursor.skip_space();
        let argument = operand(cursor)?;
        cursor.skip_space();
        if cursor.accept(end) { Ok(argument) } else { Err(cursor.unexpected(expected)) }
    };
    let whole = next(',', "','")?;
    let part = next(')', "')'")?;
    Ok(Filter::Text { function, whole, part })
}

fn operand(cursor: &mut Cursor<'_>) -> Result<Operand, SyntaxError> {
    if let Some(literal) = Literal::read(cursor)? {
        return Ok(Operand::Literal(literal));
    }
    let start = cursor.position();
    let mut segments = Vec::new();
    loop {
        let at = cursor.position();
        let name = cursor.qualified_name().ok_or_else(|| cursor.unexpected("a property or literal"))?;
        if cursor.peek() == Some('(') {
            return Err(SyntaxError::new(at, SyntaxErrorKind::UnsupportedFunction { name: excerpt(name) }));
        }
        if name.contains('.') {
            return Err(SyntaxError::new(at, SyntaxErrorKind::UnsupportedName { text: excerpt(name) }));
        }
        segments.push(name.to_owned());
        if !cursor.accept('/') {
            break;
        }
    }
    PropertyPath::new(segments)
        .map(Operand::Property)
        .ok_or_else(|| SyntaxError::new(start, SyntaxErrorKind::UnexpectedEnd { expected: "a property" }))
}

/// Moves past `word` if it stands here as a whole word with something after it.
fn keyword(cursor: &mut Cursor<'_>, word: &str) -> bool {
    cursor.skip_space();
    let start = cursor.position();
    if cursor.identifier() == Some(word) && matches!(cursor.peek(), Some(' ' | '\t' | '(')) {
        return true;
    }
    cursor.rewind(start);
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> String {
        fn nested(filter: &Filter) -> String {
            match filter {
                Filter::And(parts) => {
                    format!("and[{}]", parts.iter().map(nested).collect::<Vec<_>>().join(", "))
                }
                Filter::Or(parts) => {
                    format!("or[{}]", parts.iter().map(nested).collect::<Vec<_>>().join(", "))
                }
                Filter::Not(inner) => format!("not[{}]", nested(inner)),
                other => other.to_string(),
            }
        }
        nested(&parse(text).unwrap())
    }

    #[test]
    fn and_binds_tighter_than_or_and_parentheses_win() {
        assert_eq!(shape("a eq 1 or b eq 2 and c eq 3"), "or[a eq 1, and[b eq 2, c eq 3]]");
        assert_eq!(shape("(a eq 1 or b eq 2) and c eq 3"), "and[or[a eq 1, b eq 2], c eq 3]");
        assert_eq!(shape("a eq 1 and b eq 2 and c eq 3"), "and[a eq 1, b eq 2, c eq 3]");
        assert_eq!(shape("not (a eq 1) and not b"), "and[not[a eq 1], not[b]]");
        assert_eq!(shape(" ( ( a ) eq ( 1 ) ) ").as_str(), "a eq 1");
    }

    #[test]
    fn words_that_are_operators_elsewhere_may_be_properties() {
        assert_eq!(shape("not eq 1"), "not eq 1");
        assert_eq!(shape("eq eq 'or' or or eq 'and'"), "or[eq eq 'or', or eq 'and']");
        assert_eq!(shape("nullable eq null"), "nullable eq null");
        assert_eq!(shape("contains eq 1"), "contains eq 1");
        assert_eq!(
            shape("not startswith( name , 'a' )and endswith(name,'b')"),
            "and[not[startswith(name,'a')], endswith(name,'b')]"
        );
    }

    #[test]
    fn a_literal_may_stand_on_the_left() {
        assert_eq!(shape("'a' eq name and 5 lt limit"), "and['a' eq name, 5 lt limit]");
    }

    #[test]
    fn what_is_refused_names_its_kind_and_place() {
        let error = |text: &str| parse(text).unwrap_err();
        assert_eq!(error("a eq").offset, 4);
        assert_eq!(error("a eq ").kind, SyntaxErrorKind::UnexpectedEnd { expected: "a property or literal" });
        assert_eq!(
            error("a = 1").kind,
            SyntaxErrorKind::Unexpected { expected: "'and', 'or' or the end", found: '=' }
        );
        assert_eq!(error("a has 1").kind, SyntaxErrorKind::UnknownOperator { text: "has".into() });
        assert_eq!(error("a in ('x')").kind, SyntaxErrorKind::UnknownOperator { text: "in".into() });
        assert_eq!(error("a eq 1 And b eq 2").kind, SyntaxErrorKind::UnknownOperator { text: "And".into() });
        assert_eq!(error("(a eq 1").kind, SyntaxErrorKind::UnexpectedEnd { expected: "')'" });
        assert_eq!(
            error("length(name) gt 1").kind,
            SyntaxErrorKind::UnsupportedFunction { name: "length".into() }
        );
        assert_eq!(error("contains(name").kind, SyntaxErrorKind::UnexpectedEnd { expected: "','" });
        assert_eq!(
            error("contains(tolower(name),'x')").kind,
            SyntaxErrorKind::UnsupportedFunction { name: "tolower".into() }
        );
        assert_eq!(error("contains(name,'x') eq true").kind, SyntaxErrorKind::ComparedExpression);
        assert_eq!(error("not a eq 1").kind, SyntaxErrorKind::AmbiguousNot);
        assert_eq!(error("(a eq 1) eq true").kind, SyntaxErrorKind::ComparedExpression);
        assert_eq!(error("a eq (b eq 1)").kind, SyntaxErrorKind::ComparedExpression);
        assert_eq!(error("a/ eq 1").offset, 2);
        assert_eq!(error("").kind, SyntaxErrorKind::UnexpectedEnd { expected: "a property or literal" });
        assert_eq!(error("a eq 'x").offset, 5);
    }

    #[test]
    fn nesting_is_bounded_and_long_chains_are_not_deep() {
        let nested = |levels: usize| format!("{}a eq 1{}", "(".repeat(levels), ")".repeat(levels));
        assert!(parse(&nested(MAX_DEPTH - 1)).is_ok());
        assert_eq!(
            parse(&nested(MAX_DEPTH)).unwrap_err().kind,
            SyntaxErrorKind::TooDeep { limit: MAX_DEPTH }
        );
        assert_eq!(
            parse(&"not ".repeat(1_000)).unwrap_err().kind,
            SyntaxErrorKind::TooDeep { limit: MAX_DEPTH }
        );
        let chain = vec!["a"; MAX_TERMS].join(" and ");
        assert!(matches!(parse(&chain).unwrap(), Filter::And(parts) if parts.len() == MAX_TERMS));
    }

    #[test]
    fn the_terms_of_an_expression_are_bounded_however_they_are_joined() {
        let half = vec!["a eq 1"; MAX_TERMS / 2].join(" or ");
        assert_eq!(parse(&format!("({half}) and not ({half})")).unwrap().terms(), MAX_TERMS);
        let kind = SyntaxErrorKind::TooManyTerms { limit: MAX_TERMS };
        assert_eq!(parse(&format!("({half}) and not ({half}) or b")).unwrap_err().kind, kind);
    }
}
