//! Why a query option cannot be read, in the sentences of Microsoft's OData library.
//!
//! Decides the words alone: both products read queries with that library (8.4 in 2026, from whose resources the sentences are), so
//! a surface sends them as they are where no capture has others. Positions count UTF-16 units, as .NET does.

use std::fmt;

/// What is wrong with a query option.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Something stands where the text should end or go on otherwise.
    Syntax(At),
    /// A character that begins nothing.
    Character(char, At),
    /// A text without its closing quote.
    UnterminatedString(At),
    /// A literal without its closing quote.
    UnterminatedLiteral(At),
    /// A sign or an exponent without a digit.
    DigitExpected(At),
    /// `{` or `[` without its partner.
    UnbalancedBracket,
    /// A literal of a type that is none of its values.
    Unrecognized {
        /// The type.
        kind: &'static str,
        /// The literal.
        literal: String,
        /// Where.
        at: At,
    },
    /// Nothing that could be an expression.
    ExpressionExpected(At),
    /// No `)`, and no operator.
    CloseParenOrOperatorExpected(At),
    /// No `)`, and no comma.
    CloseParenOrCommaExpected(At),
    /// No `(`.
    OpenParenExpected(At),
    /// No `as`.
    AsExpected(At),
    /// No `with`.
    WithExpected(At),
    /// A method of aggregation that is none.
    UnrecognizedWith {
        /// The method.
        method: String,
        /// Where.
        at: At,
    },
    /// A word, or a name, that should stand there.
    KeywordOrIdentifierExpected {
        /// Which words.
        words: &'static str,
        /// Where.
        at: At,
    },
    /// No name.
    IdentifierExpected(usize),
    /// Parentheses, functions and signs nest too deep.
    TooDeep,
    /// More comparisons than a service takes; the words are its own.
    TooManyTerms,
    /// A name that a range variable has already.
    RangeVariableDeclared(String),
    /// A range variable that is none.
    NotInScope(String),
    /// A property that the type has not.
    PropertyNotDeclared {
        /// The type.
        kind: String,
        /// The property.
        property: String,
    },
    /// A function that there is none of.
    UnknownFunction(String),
    /// A function with other arguments.
    NoApplicableFunction {
        /// The function.
        name: String,
        /// How it can be called.
        signatures: String,
    },
    /// A function of so many arguments.
    NoOverload {
        /// The function.
        name: String,
        /// How many were given.
        arguments: usize,
    },
    /// Two values that an operator does not take.
    IncompatibleOperands {
        /// The type of the left one; empty for null.
        left: String,
        /// The type of the right one.
        right: String,
        /// The operator.
        operator: &'static str,
    },
    /// A value that an operator does not take.
    IncompatibleOperand {
        /// Its type.
        kind: String,
        /// The operator.
        operator: &'static str,
    },
    /// A collection where an operator takes a value.
    OperandNotSingle {
        /// The operator.
        operator: &'static str,
        /// Whether it has two.
        binary: bool,
    },
    /// A filter that is no condition.
    FilterNotSingle,
    /// An order by something that has none.
    OrderNotSingle,
    /// A condition within `any` or `all` that is none.
    AnyAllNotSingle,
    /// `any` or `all` of something that is no collection.
    LambdaParent,
    /// A property of a collection.
    PropertyAccessNotSingle(String),
    /// A list on the left of `in`, or none on its right.
    InOperand {
        /// Whether it is the left one.
        left: bool,
    },
    /// An option given twice.
    Repeated(String),
    /// `$top` and `$skip` of what is no count.
    NotNonNegative {
        /// The option.
        option: &'static str,
        /// What was given.
        value: String,
    },
    /// `$count` of what is neither true nor false.
    InvalidCount(String),
    /// An item of `$select` or `$expand` that cannot be one.
    TermNotValid(String),
    /// A system token where a property should stand.
    SystemToken {
        /// The token.
        token: String,
        /// The whole clause.
        clause: String,
    },
    /// An option within `$expand` of another value.
    InvalidNested {
        /// `Top`, `Skip`, `Count`.
        option: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What was given.
        value: String,
    },
    /// Empty parentheses behind a navigation property.
    MissingExpandOption(String),
    /// `$expand` of what leads nowhere.
    ExpandNotNavigation {
        /// The property.
        property: String,
        /// The type.
        kind: String,
    },
    /// More items in `$expand` than are taken.
    ExpandCount {
        /// At least so many.
        found: usize,
        /// At most so many.
        most: usize,
    },
    /// `$expand` in `$expand`, deeper than is taken.
    ExpandDepth {
        /// At least so deep.
        found: usize,
        /// At most so deep.
        most: usize,
    },
    /// A path of several steps in `$select`.
    MultiLevelSelect,
    /// Grouping by something that is no property.
    GroupBy(String),
    /// A method of aggregation over another type.
    AggregateType {
        /// The type.
        kind: String,
    },
    /// Aggregation of something that is no value.
    AggregateCollection,
    /// A date with a time that there is none of.
    MomentFormat(String),
    /// A member of an enumeration that is none.
    EnumerationConstant(String),
    /// `/$count` behind what is no collection.
    CountOfNone,
    /// `$count` where a selection begins.
    CountFirst,
    /// `/$count` of a navigation property in `$select`.
    CountOfNavigation(String),
    /// `/$count` of a property with one value in `$select`.
    CountOfOne,
    /// A function of the library behind a path.
    FunctionWithParent(String),
    /// An argument that is a collection.
    ArgumentNotSingle(String),
    /// `cast` or `isof` without a type.
    CastWithoutType,
    /// `cast` or `isof` of so many operands.
    CastOperands(usize),
    /// A type that nothing can be cast to.
    CastNotEntity(String),
    /// A type that the type at hand is not related to.
    InvalidCast {
        /// The type that is named.
        to: String,
        /// The type at hand.
        kind: String,
    },
    /// A name with dots that leads nowhere.
    Unresolved(String),
    /// A list of `in` with a comma too few, or one too many.
    JsonComma {
        /// Whether one is missing.
        wanted: bool,
    },
    /// A list of `in` that is none.
    JsonValue,
    /// A value without quotes in a list of texts.
    UnquotedItem(String),
    /// A value of a list that cannot be of the type.
    ItemNotConverted {
        /// The value.
        literal: String,
        /// The type.
        kind: String,
    },
    /// Empty parentheses behind a property of `$select`.
    MissingSelectOption(String),
    /// Options behind a property of `$select`.
    NestedSelect(String),
    /// `*` twice in `$expand`.
    StarTwice(String),
    /// Options behind `*` in `$expand`.
    StarOptions(String),
    /// Options behind `*/$ref` in `$expand`.
    StarReferenceOptions(String),
    /// Something else than `$ref` behind `*` in `$expand`.
    BehindStar,
    /// `*` behind a property in `$expand`.
    BeforeStar,
    /// Something behind `$ref` or `$count` in `$expand`.
    BehindLast(String),
    /// A path of several navigation properties in `$expand`.
    SeveralNavigations,
    /// What may not stand in a path of `$expand`.
    SegmentInExpand(String),
    /// A type that there is none of.
    TypeNotDefined(String),
    /// What the library takes and the service refuses, or is not built, in the surface's own words.
    Unsupported(String),
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// Its position.
    pub position: usize,
    /// The whole text.
    pub text: String,
}

impl fmt::Display for At {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at position {} in '{}'", self.position, self.text)
    }
}

impl fmt::Display for Fault {
    #[expect(clippy::too_many_lines, reason = "one sentence a line")]
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(at) => write!(to, "Syntax error {at}."),
            Self::Character(character, At { position, text }) => {
                write!(to, "Syntax error: character '{character}' is not valid at position {position} in '{text}'.")
            }
            Self::UnterminatedString(at) => write!(to, "There is an unterminated string literal {at}."),
            Self::UnterminatedLiteral(at) => write!(to, "There is an unterminated literal {at}."),
            Self::DigitExpected(at) => write!(to, "A digit was expected {at}."),
            Self::UnbalancedBracket => to.write_str("Found an unbalanced bracket expression."),
            Self::Unrecognized { kind, literal, at: At { position, text } } => {
                write!(to, "Unrecognized '{kind}' literal '{literal}' at '{position}' in '{text}'.")
            }
            Self::ExpressionExpected(at) => write!(to, "Expression expected {at}."),
            Self::CloseParenOrOperatorExpected(at) => write!(to, "')' or operator expected {at}."),
            Self::CloseParenOrCommaExpected(at) => write!(to, "')' or ',' expected {at}."),
            Self::OpenParenExpected(at) => write!(to, "'(' expected {at}."),
            Self::AsExpected(at) => write!(to, "'as' expected {at}."),
            Self::WithExpected(at) => write!(to, "'with' expected {at}."),
            Self::UnrecognizedWith { method, at: At { position, text } } => {
                write!(to, "Unrecognized with '{method}' at '{position}' in '{text}'.")
            }
            Self::KeywordOrIdentifierExpected { words, at } => write!(to, "'{words}' expected {at}."),
            Self::IdentifierExpected(position) => write!(to, "An identifier was expected at position {position}."),
            Self::TooManyTerms => to.write_str("the filter has more comparisons than are taken"),
            Self::TooDeep => to.write_str("Recursion depth exceeded allowed limit."),
            Self::RangeVariableDeclared(name) => {
                write!(to, "The range variable '{name}' has already been declared.")
            }
            Self::NotInScope(name) => write!(to, "The parameter '{name}' is not in scope."),
            Self::PropertyNotDeclared { kind, property } => {
                write!(to, "Could not find a property named '{property}' on type '{kind}'.")
            }
            Self::UnknownFunction(name) => write!(
                to,
                "An unknown function with name '{name}' was found. This may also be a function import or a key lookup on a navigation property, which is not allowed."
            ),
            Self::NoApplicableFunction { name, signatures } => write!(
                to,
                "No function signature for the function with name '{name}' matches the specified arguments. The function signatures considered are: {signatures}."
            ),
            Self::NoOverload { name, arguments } => write!(
                to,
                "Cannot find a suitable overload for function '{name}' that takes '{arguments}' arguments."
            ),
            Self::IncompatibleOperands { left, right, operator } => write!(
                to,
                "A binary operator with incompatible types was detected. Found operand types '{left}' and '{right}' for operator kind '{operator}'."
            ),
            Self::IncompatibleOperand { kind, operator } => write!(
                to,
                "A unary operator with an incompatible type was detected. Found operand type '{kind}' for operator kind '{operator}'."
            ),
            Self::OperandNotSingle { operator, binary: true } => write!(
                to,
                "The operand for a binary operator '{operator}' is not a single value. Binary operators require both operands to be single values."
            ),
            Self::OperandNotSingle { operator, binary: false } => write!(
                to,
                "The operand for a unary operator '{operator}' is not a single value. Unary operators require the operand to be a single value."
            ),
            Self::FilterNotSingle => {
                to.write_str("The $filter expression must evaluate to a single boolean value.")
            }
            Self::OrderNotSingle => {
                to.write_str("The $orderby expression must evaluate to a single value of primitive type.")
            }
            Self::AnyAllNotSingle => {
                to.write_str("The Any/All query expression must evaluate to a single boolean value.")
            }
            Self::LambdaParent => to.write_str("Any/All may only be used following a collection."),
            Self::PropertyAccessNotSingle(name) => write!(
                to,
                "The parent value for a property access of a property '{name}' is not a single value. Property access can only be applied to a single value."
            ),
            Self::InOperand { left } => {
                let (side, what) = if *left { ("left", "single") } else { ("right", "collection") };
                write!(
                    to,
                    "The {side} operand for the IN operation is not a {what} value. IN operations require the left operand to be a single value and the right operand to be a collection value."
                )
            }
            Self::Repeated(option) => write!(
                to,
                "Query option '{option}' was specified more than once, but it must be specified at most once."
            ),
            Self::NotNonNegative { option, value } => write!(
                to,
                "Invalid value '{value}' for {option} query option found. The {option} query option requires a non-negative integer value."
            ),
            Self::InvalidCount(value) => write!(to, "'{value}' is not a valid count option."),
            Self::TermNotValid(term) => {
                write!(to, "Term '{term}' is not valid in a $select or $expand expression.")
            }
            Self::SystemToken { token, clause } => {
                write!(to, "Found system token '{token}' in select or expand clause '{clause}'.")
            }
            Self::InvalidNested { option, expected, value } => {
                write!(to, "{option} option must be a {expected}, it is set to '{value}' instead.")
            }
            Self::MissingExpandOption(property) => write!(
                to,
                "Missing expand option on navigation property '{property}'. If a parenthesis expression follows an expanded navigation property, then at least one expand option must be provided."
            ),
            Self::ExpandNotNavigation { property, kind } => write!(
                to,
                "Property '{property}' on type '{kind}' is not a navigation property or complex property. Only navigation properties can be expanded."
            ),
            Self::ExpandCount { found, most } => write!(
                to,
                "The result of parsing $expand contained at least {found} items, but the maximum allowed is {most}."
            ),
            Self::ExpandDepth { found, most } => write!(
                to,
                "The result of parsing $expand was at least {found} items deep, but the maximum allowed is {most}."
            ),
            Self::MultiLevelSelect => to.write_str(
                "Found a path with multiple navigation properties or a bad complex property path in a select clause. Please reword your query such that each level of select or expand only contains either TypeSegments or Properties.",
            ),
            Self::GroupBy(expression) => write!(
                to,
                "$apply/groupby grouping expression '{expression}' must evaluate to a property access value."
            ),
            // the library names a class of its own for the expression, and the type without its namespace
            Self::AggregateType { kind } => write!(
                to,
                "$apply/aggregate expression 'Microsoft.OData.UriParser.SingleValuePropertyAccessNode' operation does not support value type '{}'.",
                kind.strip_prefix("Edm.").unwrap_or(kind)
            ),
            Self::AggregateCollection => {
                to.write_str("$apply/aggregate collection expression must apply to custom mothod.")
            }
            Self::MomentFormat(text) => write!(
                to,
                "The DateTimeOffset text '{text}' should be in format 'yyyy-mm-ddThh:mm:ss('.'s+)?(zzzzzz)?' and each field value is within valid range."
            ),
            Self::EnumerationConstant(text) => {
                write!(to, "The string '{text}' is not a valid enumeration type constant.")
            }
            Self::CountOfNone => to.write_str("The next token in a CountSegmentNode must be a collection."),
            Self::CountFirst => to.write_str("'/$count' segment is not allowed as first segment."),
            Self::CountOfNavigation(name) => write!(
                to,
                "In $select query option, '/$count' segment is not allowed on the navigation property segment '{name}'."
            ),
            Self::CountOfOne => to.write_str("'/$count' segment is only allowed on the collection type segment."),
            Self::FunctionWithParent(name) => write!(
                to,
                "Found a Uri function '{name}' with a parent token. Uri functions cannot have parent tokens."
            ),
            Self::ArgumentNotSingle(name) => write!(
                to,
                "The argument for an invocation of a function with name '{name}' is not a single value. All arguments for this function must be single values."
            ),
            Self::CastWithoutType => to.write_str("Cast or IsOf Function must have a type in its arguments."),
            Self::CastOperands(found) => write!(
                to,
                "The Cast or IsOf expression has an invalid number of operands: number of operands is '{found}' and it should be 1 or 2."
            ),
            Self::CastNotEntity(kind) => write!(
                to,
                "The child type '{kind}' in a cast was not an entity type. Casts can only be performed on entity types."
            ),
            Self::InvalidCast { to: cast, kind } => {
                write!(to, "Encountered invalid type cast. '{cast}' is not assignable from '{kind}'.")
            }
            Self::Unresolved(name) => {
                write!(to, "Can not resolve the segment identifier '{name}' in query option.")
            }
            Self::JsonComma { wanted: true } => to.write_str(
                "Invalid JSON. A comma character ',' was expected in scope 'Array'. Every two elements in an array and properties of an object must be separated by commas.",
            ),
            Self::JsonComma { wanted: false } => to.write_str(
                "Invalid JSON. An unexpected comma was found in scope 'Array'. A comma is only valid between properties of an object or between elements of an array.",
            ),
            Self::JsonValue => to.write_str(
                "An unexpected 'PrimitiveValue' node was found when reading from the JSON reader. A 'StartArray' node was expected.",
            ),
            Self::UnquotedItem(item) => {
                write!(to, "String item should be single/double quoted: '{item}'.")
            }
            Self::ItemNotConverted { literal, kind } => {
                write!(to, "Cannot convert the literal '{literal}' to the expected type '{kind}'.")
            }
            Self::MissingSelectOption(property) => write!(
                to,
                "Missing select option on property '{property}'. If a parenthesis expression follows a selected property, then at least one query option must be provided."
            ),
            Self::NestedSelect(name) => {
                write!(to, "It's not allowed to nest query options within '{name}' selection.")
            }
            Self::StarTwice(text) => write!(
                to,
                "Term '{text}' is not valid in a $expand expression as multiple stars are not allowed."
            ),
            Self::StarOptions(text) => write!(
                to,
                "Term '{text}' is not valid in a $expand expression, as only $level option is allowed when the expanded navigation property is star."
            ),
            Self::StarReferenceOptions(text) => write!(
                to,
                "Term '{text}' is not valid in a $expand expression, no option is allowed when the expanded navigation property is */$ref."
            ),
            Self::BehindStar => to.write_str("Only $ref is allowed with star in $expand option."),
            Self::BeforeStar => to.write_str("No segment is allowed before star in $expand."),
            Self::BehindLast(segment) => write!(to, "No property is allowed after {segment} segment."),
            Self::SeveralNavigations => to.write_str(
                "Found a path traversing multiple navigation properties. Please rephrase the query such that each expand path contains only type segments and navigation properties.",
            ),
            Self::SegmentInExpand(segment) => write!(
                to,
                "Segment '{segment}' is not valid in expand path. Before navigation property, only type segment or entity or complex property can exist."
            ),
            Self::TypeNotDefined(name) => write!(to, "The type '{name}' is not defined in the model."),
            Self::Unsupported(sentence) => to.write_str(sentence),
        }
    }
}

impl std::error::Error for Fault {}
