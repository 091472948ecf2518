//! `GET /data`: which entity sets there are.
//!
//! Decides the form, which is that of the OData library. [inferred: no capture]

use http::StatusCode;
use mocktenant_lab::{Answer, Exchange};
use mocktenant_odata::QueryOptions;
use mocktenant_schema::Schema;
use serde_json::{Map, Value, json};

use super::all;
use super::wire::{Metadata, json_bytes};

/// The service document, in the order of the container.
pub(crate) fn document(exchange: &Exchange, schema: &Schema, options: &QueryOptions) -> Answer {
    let metadata = Metadata::asked(&exchange.request.headers, options.format.as_deref());
    let set = |name: &str| json!({ "name": name, "kind": "EntitySet", "url": name });
    let sets: Vec<Value> = all(schema).into_iter().map(|entity| set(entity.set())).collect();
    let mut body = Map::new();
    if metadata != Metadata::None {
        let context = format!("{}/data/$metadata", crate::side::base_url(exchange));
        body.insert("@odata.context".to_owned(), Value::from(context));
    }
    body.insert("value".to_owned(), Value::Array(sets));
    json_bytes(StatusCode::OK, Value::Object(body).to_string().into_bytes(), metadata)
}
