//! Tokens that tests order: what `mocktenant token` asks for.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use mocktenant_lab::forge::Order;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::problem::{Located, Problem, ok};
use crate::{ControlState, body};

/// `POST /v1/tokens` with an order, which may be empty: `{token, header, claims, defect, exchange}`.
pub(crate) async fn forge(State(state): State<ControlState>, body: body::Whole) -> Result<Response, Problem> {
    let order = match body::json(body)? {
        order @ Value::Object(_) => Order::deserialize(&order).map_err(|error| error.to_string()),
        _ => Err("it is no object".to_owned()),
    };
    let order = order.map_err(|why| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body is no order of a token: {why}"))
    })?;
    match state.lab.forge(&order) {
        Ok(forged) => Ok(ok(&json!(forged))),
        Err(error) => {
            let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
            Err(match error.member() {
                Some(member) => problem.error(Located {
                    pointer: format!("/{member}"),
                    detail: error.to_string(),
                    hint: None,
                }),
                None => problem,
            })
        }
    }
}
