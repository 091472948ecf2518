//! Custom services below `/api/services`: the one operation that Microsoft's samples call first.
//!
//! Decides its answer, from the caller's row of UserInfo, and that every other group, service and operation is refused as one that
//! is not there. The names of the members are those of a public schema; their JSON form, their order and what an unknown service is
//! answered are inferred. Time zone, calendar and currency are what a demo company has.

use http::StatusCode;
use mocktenant_lab::{Answer, Exchange};
use mocktenant_world::Environment;
use serde_json::json;

use crate::bearer::Caller;

/// Service group, service and operation there are.
const USER_SESSION: [&str; 3] = ["UserSessionService", "AifUserSessionService", "GetUserSessionInfo"];
/// The role that may do everything.
const SYSTEM_ADMINISTRATOR: &str = "System administrator";

/// Answers a caller who was let in.
pub(crate) fn answer(exchange: &mut Exchange, environment: Option<&Environment>, caller: &Caller) -> Answer {
    let called = ["group", "service", "operation"].map(|name| exchange.parameter(name));
    let known = called.iter().zip(USER_SESSION).all(|(called, known)| called.eq_ignore_ascii_case(known));
    if !known {
        exchange.trail.record_error("404 service");
        exchange.trail.not_built(format!("the service {}", called.join("/")), USER_SESSION.join("/"));
        return Answer::empty(StatusCode::NOT_FOUND);
    }
    let user = caller.user.as_deref().unwrap_or_default();
    let row = environment.and_then(|environment| environment.database.user_info.get(user));
    let administers = row.is_some_and(|row| {
        user.eq_ignore_ascii_case("Admin") || row.roles.iter().any(|role| role == SYSTEM_ADMINISTRATOR)
    });
    let body = json!({
        "AOSLocaleName": "en-US",
        "AXLanguage": "en-US",
        "Company": caller.company.as_deref().unwrap_or_default(),
        "CompanyTimeZone": 37,
        "CurrencyInfo": {
            "CurrencyCode": "USD",
            "Description": "US Dollar",
            "ExchangeRate": 100.0,
            "ISOCurrencyCode": "USD",
            "Prefix": "$",
            "Suffix": "",
        },
        "IsSysAdmin": administers,
        "UserId": user,
        "UserPreferredCalendar": 1,
        "UserPreferredTimeZone": 58,
    });
    Answer::json(StatusCode::OK, body.to_string())
}
