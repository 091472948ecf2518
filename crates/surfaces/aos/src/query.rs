//! The query string and the preferences of a request below `/data`.
//!
//! Decides in which words a query that cannot be read is refused, and records what only the product has. A preference is no
//! demand, so one that is not built is recorded and the answer is the ordinary one. Mirrors the texts of Microsoft's OData
//! library where they are known.

use mocktenant_lab::Exchange;
use mocktenant_odata::{Filter, QueryError, QueryErrorKind, QueryOptions, SyntaxErrorKind};

use crate::entities;
use crate::errors::ODataError;

/// The query options, and `$format`.
pub(crate) fn options(exchange: &mut Exchange) -> Result<(QueryOptions, Option<String>), ODataError> {
    let raw = exchange.request.query();
    let is_format = |pair: &str| form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == "$format");
    // Most requests have none, and are read as they are.
    let (formats, others): (Vec<&str>, Vec<&str>) = if raw.contains("format") {
        raw.split('&').partition(|pair| is_format(pair))
    } else {
        (Vec::new(), vec![raw])
    };
    let format = formats.first().and_then(|pair| form_urlencoded::parse(pair.as_bytes()).next());
    let format = format.map(|(_, value)| value.into_owned());
    if let Some(format) = &format {
        let kind = format.split(';').next().unwrap_or_default().trim();
        if formats.len() > 1 || !matches!(kind, "json" | "application/json") {
            not_built(exchange, "$format", format);
            return Err(ODataError::OptionUnknown { option: "$format".to_owned() });
        }
    }
    let parsed = match others.as_slice() {
        [whole] => QueryOptions::parse(whole),
        parts => QueryOptions::parse(&parts.join("&")),
    };
    let options = parsed.map_err(|error| refused(exchange, &error))?;
    if let Some(function) = options.filter.as_ref().and_then(Filter::function) {
        return Err(no_function(exchange, function.as_str(), "$filter"));
    }
    Ok((options, format))
}

/// A function in an option: there are none here.
fn no_function(exchange: &mut Exchange, name: &str, option: &str) -> ODataError {
    let what = format!("the function {name} in {option}");
    exchange.trail.not_built(what, "comparisons, and, or, not, and * in a text of eq and ne");
    ODataError::FunctionUnknown { function: name.to_owned() }
}

fn refused(exchange: &mut Exchange, error: &QueryError) -> ODataError {
    let QueryError { option, kind, .. } = error;
    match kind {
        QueryErrorKind::Unknown => {
            let option = option.clone();
            not_built(exchange, &option, "");
            ODataError::OptionUnknown { option }
        }
        QueryErrorKind::Syntax(SyntaxErrorKind::UnsupportedFunction { name }) => {
            no_function(exchange, name, option)
        }
        kind => {
            let word = match kind {
                QueryErrorKind::Syntax(SyntaxErrorKind::UnknownOperator { text }) => Some(text),
                _ => None,
            };
            if let Some(word) = word.filter(|word| entities::operator(word)) {
                exchange
                    .trail
                    .not_built(format!("the operator {word} in {option}"), "comparisons, and, or, not");
            }
            ODataError::QueryInvalid { why: error.to_string() }
        }
    }
}

/// Records an option that OData has and this lab has not; of one that nobody has there is nothing to say.
fn not_built(exchange: &mut Exchange, option: &str, value: &str) {
    if let Some(built) = entities::option(option) {
        let equals = if value.is_empty() { "" } else { "=" };
        exchange.trail.not_built(format!("{option}{equals}{}", entities::told(value)), built);
    }
}

/// Records the preferences of a request that was answered: a refusal has a reason of its own.
pub(crate) fn preferences(exchange: &mut Exchange) {
    let Exchange { request, trail, .. } = exchange;
    for preference in request.headers.get_all("prefer") {
        let text = String::from_utf8_lossy(preference.as_bytes());
        trail.not_built(format!("Prefer: {}", entities::told(&text)), "the answer as without it");
    }
}
