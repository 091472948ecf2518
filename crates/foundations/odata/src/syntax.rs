//! Expressions as they are written: `$filter`, `$orderby`, and what stands within `$expand` and `$apply`.
//!
//! Decides what a text says by the grammar of Microsoft's OData library, and how deep it may nest. Whether there are such
//! properties and functions, and whether types fit, is [`crate::bind`]'s.

use crate::Fault;
use crate::lexer::{Kind, Lexer};
use crate::literal::Literal;
use crate::{MAX_DEPTH, MAX_TERMS};

/// How many operators of two an expression may have: more than any filter that is taken needs, and few enough that what was read
/// can be let go again, one level within the other.
const MAX_OPERATORS: usize = 4 * MAX_TERMS;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Syntax {
    /// A value.
    Literal(Literal),
    /// `[..]` or `{..}`, unread.
    Bracketed(String),
    /// `@p1`.
    Alias(String),
    /// Names with slashes; the last may be `$count`.
    Path(Vec<String>),
    /// `(a,b)` behind `in`.
    List(Vec<Syntax>),
    /// `not`, `-`.
    Unary(Unary, Box<Syntax>),
    /// Two with an operator.
    Binary(Binary, Box<Syntax>, Box<Syntax>),
    /// A function, with the names of its arguments where they have some.
    Call {
        /// Its name.
        name: String,
        /// Its arguments.
        arguments: Vec<(Option<String>, Syntax)>,
    },
    /// `path/any(o:..)`.
    Lambda {
        /// The collection.
        path: Vec<String>,
        /// `all`; else `any`.
        every: bool,
        /// The variable and the condition; `any()` has none.
        body: Option<(String, Box<Syntax>)>,
    },
}

/// Operators of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `not`
    Not,
    /// `-`
    Negate,
}

/// Operators of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the operators by their names in URLs")]
pub enum Binary {
    Or,
    And,
    Equal,
    NotEqual,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Has,
    In,
}

impl Binary {
    /// The operator as the library's sentences call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Or => "Or",
            Self::And => "And",
            Self::Equal => "Equal",
            Self::NotEqual => "NotEqual",
            Self::GreaterThan => "GreaterThan",
            Self::GreaterThanOrEqual => "GreaterThanOrEqual",
            Self::LessThan => "LessThan",
            Self::LessThanOrEqual => "LessThanOrEqual",
            Self::Add => "Add",
            Self::Subtract => "Subtract",
            Self::Multiply => "Multiply",
            Self::Divide => "Divide",
            Self::Modulo => "Modulo",
            Self::Has => "Has",
            Self::In => "In",
        }
    }
}

/// Reads an expression that is the whole of a text, as `$filter` is.
pub fn parse(text: &str) -> Result<Syntax, Fault> {
    let mut parser = Parser::new(text)?;
    let expression = parser.expression()?;
    parser.end()?;
    Ok(expression)
}

/// Reads `$orderby`: expressions, and whether each goes down.
pub fn parse_order(text: &str) -> Result<Vec<(Syntax, bool)>, Fault> {
    let mut parser = Parser::new(text)?;
    let mut items = Vec::new();
    loop {
        let expression = parser.expression()?;
        let down = parser.lexer.is("desc");
        if down || parser.lexer.is("asc") {
            parser.lexer.next()?;
        }
        items.push((expression, down));
        if parser.lexer.token.kind != Kind::Comma {
            break;
        }
        parser.lexer.next()?;
    }
    parser.end()?;
    Ok(items)
}

/// Words on the way to an expression.
pub(crate) struct Parser<'t> {
    pub(crate) lexer: Lexer<'t>,
    depth: usize,
    /// Operators so far: each nests one level deeper to the left.
    operators: usize,
    variables: Vec<String>,
}

impl<'t> Parser<'t> {
    pub(crate) fn new(text: &'t str) -> Result<Self, Fault> {
        Ok(Self { lexer: Lexer::new(text)?, depth: 0, operators: 0, variables: Vec::new() })
    }

    pub(crate) fn end(&self) -> Result<(), Fault> {
        if self.lexer.token.kind == Kind::End { Ok(()) } else { Err(Fault::Syntax(self.lexer.behind())) }
    }

    /// One level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        let found = read(self)?;
        self.depth -= 1;
        Ok(found)
    }

    pub(crate) fn expression(&mut self) -> Result<Syntax, Fault> {
        self.deeper(|parser| parser.level(0))
    }

    /// Operators of a level bind closer than those of the level before.
    fn level(&mut self, level: usize) -> Result<Syntax, Fault> {
        const LEVELS: [&[(&str, Binary)]; 5] = [
            &[("or", Binary::Or)],
            &[("and", Binary::And)],
            &[
                ("eq", Binary::Equal),
                ("ne", Binary::NotEqual),
                ("gt", Binary::GreaterThan),
                ("ge", Binary::GreaterThanOrEqual),
                ("lt", Binary::LessThan),
                ("le", Binary::LessThanOrEqual),
            ],
            &[("add", Binary::Add), ("sub", Binary::Subtract)],
            &[
                ("mul", Binary::Multiply),
                ("div", Binary::Divide),
                ("divby", Binary::Divide),
                ("mod", Binary::Modulo),
            ],
        ];
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(word, _)| self.lexer.is(word)) {
            self.operators += 1;
            if self.operators > MAX_OPERATORS {
                return Err(Fault::TooDeep);
            }
            self.lexer.next()?;
            let right = self.level(level + 1)?;
            left = Syntax::Binary(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    /// `in` and `has`, which bind closest.
    fn among(&mut self) -> Result<Syntax, Fault> {
        let mut left = self.primary()?;
        while let Some(operator) = [("in", Binary::In), ("has", Binary::Has)]
            .into_iter()
            .find_map(|(word, operator)| self.lexer.is(word).then_some(operator))
        {
            self.operators += 1;
            if self.operators > MAX_OPERATORS {
                return Err(Fault::TooDeep);
            }
            self.lexer.next()?;
            let listed = operator == Binary::In && self.lexer.token.kind == Kind::OpenParen;
            let right = if listed { self.list()? } else { self.primary()? };
            left = Syntax::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    /// `(a,b)`, which the library reads as a list of JSON.
    fn list(&mut self) -> Result<Syntax, Fault> {
        let inner = self.lexer.enclosed()?;
        let inner = inner.get(1..inner.len() - 1).unwrap_or_default();
        let mut items = Vec::new();
        let mut parser =
            Parser { lexer: Lexer::new(inner)?, depth: self.depth, operators: 0, variables: Vec::new() };
        while parser.lexer.token.kind != Kind::End {
            if parser.lexer.token.kind == Kind::Comma {
                return Err(Fault::JsonComma { wanted: false });
            }
            items.push(parser.expression()?);
            match parser.lexer.token.kind {
                Kind::End => {}
                Kind::Comma => {
                    parser.lexer.next()?;
                    if parser.lexer.token.kind == Kind::End {
                        return Err(Fault::JsonComma { wanted: false });
                    }
                }
                _ => return Err(Fault::JsonComma { wanted: true }),
            }
        }
        self.lexer.next()?;
        Ok(Syntax::List(items))
    }

    fn unary(&mut self) -> Result<Syntax, Fault> {
        let operator = match self.lexer.token.kind {
            Kind::Minus => Unary::Negate,
            Kind::Identifier if self.lexer.is("not") => Unary::Not,
            _ => return self.among(),
        };
        self.lexer.next()?;
        let operand = self.deeper(Self::unary)?;
        Ok(Syntax::Unary(operator, Box::new(operand)))
    }

    pub(crate) fn primary(&mut self) -> Result<Syntax, Fault> {
        let named = self.lexer.token.kind == Kind::Identifier;
        if !named && self.lexer.peek_next().is_ok_and(|next| next.kind == Kind::Slash) {
            // what a path goes on from has to be a name
            return Err(Fault::IdentifierExpected(self.lexer.here().position));
        }
        match self.lexer.token.kind.clone() {
            Kind::Literal(literal) => {
                self.lexer.next()?;
                Ok(Syntax::Literal(literal))
            }
            Kind::Alias => {
                let name = self.lexer.token.text.to_owned();
                self.lexer.next()?;
                Ok(Syntax::Alias(name))
            }
            Kind::Bracketed => {
                let text = self.lexer.token.text.to_owned();
                self.lexer.next()?;
                Ok(Syntax::Bracketed(text))
            }
            Kind::OpenParen => self.enclosed(),
            Kind::Identifier => self.path(),
            _ => Err(Fault::ExpressionExpected(self.lexer.here())),
        }
    }

    /// An expression in parentheses.
    pub(crate) fn enclosed(&mut self) -> Result<Syntax, Fault> {
        self.open()?;
        let inner = self.expression()?;
        if self.lexer.token.kind != Kind::CloseParen {
            return Err(Fault::CloseParenOrOperatorExpected(self.lexer.here()));
        }
        self.lexer.next()?;
        Ok(inner)
    }

    /// `(`
    pub(crate) fn open(&mut self) -> Result<(), Fault> {
        if self.lexer.token.kind != Kind::OpenParen {
            return Err(Fault::OpenParenExpected(self.lexer.here()));
        }
        self.lexer.next()
    }

    /// `)` behind what commas may part.
    pub(crate) fn close(&mut self) -> Result<(), Fault> {
        if self.lexer.token.kind != Kind::CloseParen {
            return Err(Fault::CloseParenOrCommaExpected(self.lexer.here()));
        }
        self.lexer.next()
    }

    /// Names with slashes, up to a function, `any` or `all`.
    fn path(&mut self) -> Result<Syntax, Fault> {
        let mut path = Vec::new();
        loop {
            if self.lexer.token.kind != Kind::Identifier {
                return Err(Fault::Syntax(self.lexer.behind()));
            }
            let name = self.dotted()?;
            if !path.is_empty() && matches!(name.as_str(), "any" | "all") {
                self.open()?;
                return self.lambda(path, name == "all");
            }
            if self.lexer.token.kind == Kind::OpenParen {
                let arguments = self.arguments()?;
                path.push(name);
                return Ok(Syntax::Call { name: path.join("/"), arguments });
            }
            path.push(name);
            if self.lexer.token.kind != Kind::Slash {
                return Ok(Syntax::Path(path));
            }
            self.lexer.next()?;
        }
    }

    /// A name with its dots.
    fn dotted(&mut self) -> Result<String, Fault> {
        let mut name = self.lexer.token.text.to_owned();
        self.lexer.next()?;
        while self.lexer.token.kind == Kind::Dot {
            self.lexer.next()?;
            if self.lexer.token.kind != Kind::Identifier {
                return Err(Fault::Syntax(self.lexer.behind()));
            }
            name.push('.');
            name.push_str(self.lexer.token.text);
            self.lexer.next()?;
        }
        Ok(name)
    }

    fn arguments(&mut self) -> Result<Vec<(Option<String>, Syntax)>, Fault> {
        self.lexer.next()?;
        let mut arguments = Vec::new();
        if self.lexer.token.kind == Kind::CloseParen {
            self.lexer.next()?;
            return Ok(arguments);
        }
        loop {
            let named =
                self.lexer.token.kind == Kind::Identifier && self.lexer.peek_next()?.kind == Kind::Equal;
            let name = if named {
                let name = self.lexer.token.text.to_owned();
                self.lexer.next()?;
                self.lexer.next()?;
                Some(name)
            } else {
                None
            };
            arguments.push((name, self.expression()?));
            if self.lexer.token.kind != Kind::Comma {
                self.close()?;
                return Ok(arguments);
            }
            self.lexer.next()?;
        }
    }

    fn lambda(&mut self, path: Vec<String>, every: bool) -> Result<Syntax, Fault> {
        if self.lexer.token.kind == Kind::CloseParen {
            self.lexer.next()?;
            return Ok(Syntax::Lambda { path, every, body: None });
        }
        if self.lexer.token.kind != Kind::Identifier {
            return Err(Fault::IdentifierExpected(self.lexer.here().position));
        }
        let variable = self.lexer.token.text.to_owned();
        if self.variables.contains(&variable) {
            return Err(Fault::RangeVariableDeclared(variable));
        }
        self.lexer.next()?;
        if self.lexer.token.kind != Kind::Colon {
            return Err(Fault::Syntax(self.lexer.behind()));
        }
        self.lexer.next()?;
        self.variables.push(variable.clone());
        let condition = self.expression()?;
        self.variables.pop();
        self.close()?;
        Ok(Syntax::Lambda { path, every, body: Some((variable, Box::new(condition))) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_read_is_said_in_the_librarys_sentence() {
        for (text, sentence) in [
            ("name xx 'a'", "Syntax error at position 7 in 'name xx 'a''."),
            ("(name eq 'a'", "')' or operator expected at position 12 in '(name eq 'a''."),
            ("name eq 'abc", "There is an unterminated string literal at position 12 in 'name eq 'abc'."),
            ("name eq", "Expression expected at position 7 in 'name eq'."),
            ("name eq #", "Syntax error: character '#' is not valid at position 8 in 'name eq #'."),
            ("contains(name,'a'", "')' or ',' expected at position 17 in 'contains(name,'a''."),
            ("a eq 1e", "A digit was expected at position 7 in 'a eq 1e'."),
            ("a eq {", "Found an unbalanced bracket expression."),
        ] {
            assert_eq!(fault(text), sentence);
        }
        assert_eq!(fault(&format!("{}a", "(".repeat(1_000))), "Recursion depth exceeded allowed limit.");
        assert_eq!(fault(&format!("{}a", "not ".repeat(1_000))), "Recursion depth exceeded allowed limit.");
    }

    #[test]
    fn operators_bind_as_the_grammar_says() {
        let path = |name: &str| Box::new(Syntax::Path(vec![name.to_owned()]));
        let binary = |op, left, right| Box::new(Syntax::Binary(op, left, right));
        assert_eq!(
            parse("a eq b or not c and d add e mul f gt g"),
            Ok(*binary(
                Binary::Or,
                binary(Binary::Equal, path("a"), path("b")),
                binary(
                    Binary::And,
                    Box::new(Syntax::Unary(Unary::Not, path("c"))),
                    binary(
                        Binary::GreaterThan,
                        binary(Binary::Add, path("d"), binary(Binary::Multiply, path("e"), path("f"))),
                        path("g")
                    )
                )
            ))
        );
    }

    #[test]
    fn functions_lambdas_aliases_and_typed_values_are_read() {
        let lambda = parse("Account_Tasks/any(o:o/subject eq 'x')").unwrap();
        assert!(matches!(lambda, Syntax::Lambda { every: false, body: Some(_), .. }), "{lambda:?}");
        let call = parse("Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=['a','b'])").unwrap();
        let Syntax::Call { name, arguments } = call else { panic!("no call") };
        assert_eq!(name, "Microsoft.Dynamics.CRM.In");
        assert_eq!(
            arguments.first(),
            Some(&(Some("PropertyName".to_owned()), Syntax::Alias("@p1".to_owned())))
        );
        assert!(matches!(arguments.get(1), Some((Some(_), Syntax::Bracketed(text))) if text == "['a','b']"));
        let typed = parse("A eq Microsoft.Dynamics.DataEntities.NoYes'Yes'").unwrap();
        assert!(
            matches!(typed, Syntax::Binary(Binary::Equal, _, right) if matches!(*right, Syntax::Literal(Literal::Enum { .. })))
        );
        let moment = parse("createdon gt 2026-11-22T00:00:00Z").unwrap();
        assert!(
            matches!(moment, Syntax::Binary(_, _, right) if matches!(*right, Syntax::Literal(Literal::DateTime(_))))
        );
        assert_eq!(parse_order("name desc,createdon").unwrap().len(), 2);
        assert!(parse_order("name down").is_err());
    }
}
