//! `try`: lets the lab's caller create the next customer, and shows the chain.
//!
//! Decides which three lines tell it: of each product the last exchange, in the order they were first called. Never decides
//! what is asked: that is the world's `caller`.

use http::Method;
use mocktenant_server::client::read_json;
use serde_json::{Value, json};

use crate::args::{Common, Try};
use crate::console::{self, Palette};
use crate::exchange_line::ExchangeLine;
use crate::failure::Outcome;
use crate::find_lab::{LabAt, encoded_segment, flags};

/// Exits 0 if it was done, 1 if it was refused.
pub(crate) async fn run(common: &Common, attempt: Try) -> Outcome {
    let lab = LabAt::find(common).await?;
    let done = lab.write(Method::POST, "/v1/try", &json!({})).await?;
    let refused = done["refused"] == Value::Bool(true);
    if attempt.json {
        console::line(&format!("{done:#}"))?;
        return Ok(u8::from(refused));
    }
    let id = done["exchange"].as_str().unwrap_or_default();
    let mut trees = Vec::new();
    for id in [done["token_exchange"].as_str().unwrap_or_default(), id] {
        if !id.is_empty() {
            let reply = lab.get(&format!("/v1/journal/{}", encoded_segment(id))).await?;
            trees.push(read_json(&reply).unwrap_or_default());
        }
    }
    for record in last_of_each(&trees) {
        if let Some(line) = ExchangeLine::from_json(record) {
            console::line(&line.to_text(Palette::of_stdout()))?;
        }
    }
    let id = console::harmless(id);
    console::line(&if refused {
        format!("refused; why: mocktenant explain {id}{}", flags(common))
    } else {
        format!("done: {id}")
    })?;
    Ok(u8::from(refused))
}

/// Of every product that was called the last exchange.
fn last_of_each(trees: &[Value]) -> Vec<&Value> {
    let mut last: Vec<(&str, &Value)> = Vec::new();
    let mut open: Vec<&Value> = trees.iter().rev().collect();
    while let Some(record) = open.pop() {
        let surface = record["surface"].as_str().unwrap_or_default();
        match last.iter_mut().find(|(known, _)| *known == surface) {
            Some((_, latest)) => *latest = record,
            None => last.push((surface, record)),
        }
        open.extend(record["children"].as_array().into_iter().flatten().rev());
    }
    last.into_iter().map(|(_, record)| record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_one_line_a_product_in_the_order_called() {
        let token = json!({ "surface": "entra", "id": "0" });
        let tree = json!({ "surface": "aos", "id": "1", "children": [
            { "surface": "entra", "id": "1.1" },
            { "surface": "dataverse", "id": "1.2", "children": [] },
            { "surface": "dataverse", "id": "1.3" },
        ] });
        let trees = [token, tree];
        let ids: Vec<_> = last_of_each(&trees).into_iter().map(|record| record["id"].clone()).collect();
        assert_eq!(ids, ["1.1", "1", "1.3"]);
        assert!(last_of_each(&[]).is_empty());
    }
}
