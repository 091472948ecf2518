//! The query string and the preferences of a request below `/data`.
//!
//! Decides in which words a query that cannot be read is refused, and records what only the product has. A preference is no
//! demand, so one that is not built is recorded and the answer is the ordinary one. Mirrors the texts of Microsoft's OData
//! library, whose sentences are those of its resources. `in` is not supported (Microsoft Learn, Open Data Protocol); that it is refused
//! by a reader which does not know the word is inferred.

use std::borrow::Cow;

use mocktenant_lab::{Exchange, Trail};
use mocktenant_odata::syntax::{Binary, Syntax};
use mocktenant_odata::{At, Fault, QueryError, QueryOptions};

use crate::entities::{self, told};
use crate::errors::ODataError;
use crate::schema;

/// The option that shows all companies.
pub(crate) const CROSS_COMPANY: &str = "cross-company";

/// The query options.
pub(crate) fn options(exchange: &mut Exchange) -> Result<QueryOptions, ODataError> {
    let raw = exchange.request.query().to_owned();
    let options = QueryOptions::parse(&raw).map_err(|error| refused(exchange, &error))?;
    for (name, given) in
        [("$apply", &options.apply), ("$skiptoken", &options.skiptoken), ("$format", &options.format)]
    {
        let Some(given) = given else { continue };
        let kind = given.split(';').next().unwrap_or_default().trim();
        if name == "$format" && matches!(kind, "json" | "application/json") {
            continue;
        }
        not_built(&mut exchange.trail, name, if name == "$format" { given } else { "" });
        return Err(ODataError::OptionUnknown { option: name.to_owned() });
    }
    if options.filter.as_ref().is_some_and(has_in) {
        let fault = Fault::Syntax(place_of_in(&raw));
        return Err(ODataError::QueryInvalid { why: fault.to_string() });
    }
    ignored(&mut exchange.trail, &options);
    Ok(options)
}

fn refused(exchange: &mut Exchange, error: &QueryError) -> ODataError {
    match error {
        QueryError::Unknown(option) => {
            not_built(&mut exchange.trail, option, "");
            ODataError::OptionUnknown { option: option.clone() }
        }
        QueryError::Fault { option, fault } => {
            entities::refused((&mut exchange.trail, &schema::here(&exchange.context)), option, fault.clone())
        }
        other => {
            exchange.trail.refused("the query", other.to_string());
            ODataError::QueryInvalid { why: Fault::TooDeep.to_string() }
        }
    }
}

/// Options that are the service's own and mean nothing to it are passed over, as the product does; the record says which.
fn ignored(trail: &mut Trail, options: &QueryOptions) {
    let unasked = |(name, value): &&(String, String)| {
        let known = ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
        let asked = name == CROSS_COMPANY && known;
        !asked && !name.starts_with('@')
    };
    let ignored: Vec<Cow<'_, str>> =
        options.others.iter().filter(unasked).map(|(name, _)| told(name)).collect();
    if !ignored.is_empty() {
        trail.fact("ignored-options", ignored.join(", "));
    }
}

/// Whether a condition asks for one of a list. What is read nests to the left, and is gone down without a call for each.
fn has_in(syntax: &Syntax) -> bool {
    let mut open = vec![syntax];
    while let Some(one) = open.pop() {
        match one {
            Syntax::Binary(Binary::In, ..) => return true,
            Syntax::Binary(_, left, right) => open.extend([&**left, &**right]),
            Syntax::Unary(_, operand) => open.push(operand),
            Syntax::Call { arguments, .. } => open.extend(arguments.iter().map(|(_, argument)| argument)),
            Syntax::Lambda { body: Some((_, body)), .. } => open.push(body),
            _ => {}
        }
    }
    false
}

/// Where a reader stops that takes `in` for no operator: behind the word.
fn place_of_in(raw: &str) -> At {
    let filter = form_urlencoded::parse(raw.as_bytes()).find(|(name, _)| name == "$filter");
    let text = filter.map(|(_, value)| value.into_owned()).unwrap_or_default();
    let (mut position, mut quoted, mut word) = (0, false, String::new());
    for letter in text.chars() {
        if !quoted && word == "in" && !letter.is_alphanumeric() {
            break;
        }
        match letter {
            '\'' => quoted = !quoted,
            ' ' | '(' | ')' => word.clear(),
            letter if !quoted => word.push(letter),
            _ => {}
        }
        position += letter.len_utf16();
    }
    At { position, text }
}

/// Records an option that OData has and this lab has not; of one that nobody has there is nothing to say.
fn not_built(trail: &mut Trail, option: &str, value: &str) {
    if let Some(built) = entities::option(option) {
        let equals = if value.is_empty() { "" } else { "=" };
        trail.not_built(format!("{option}{equals}{}", told(value)), built);
    }
}

/// Records the preferences of a request that was answered: a refusal has a reason of its own.
pub(crate) fn preferences(exchange: &mut Exchange) {
    let Exchange { request, trail, .. } = exchange;
    for preference in request.headers.get_all("prefer") {
        let text = String::from_utf8_lossy(preference.as_bytes());
        trail.not_built(format!("Prefer: {}", told(&text)), "the answer as without it");
    }
}
