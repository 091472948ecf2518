//! `try`: lets the lab's caller create the next customer, and shows the chain; or says how `curl` would.
//!
//! Decides which three lines tell it: of each product the last exchange, in the order they were first called. Never decides
//! what is asked: that is the world's `caller`.

use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args};
use http::Method;
use mocktenant_server::Settings;
use mocktenant_server::client::read_json;
use serde_json::{Value, json};

use crate::args::Common;
use crate::console;
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::{LabAt, encoded_segment, flags};
use crate::screen::Screen;
use crate::verbs::journal::told;
use crate::verbs::try_from_here;

/// `try`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
The lab's own caller asks for a token and creates a customer with a number of its own,
which Dual Write writes to Dataverse. Can be repeated.
Exits 0 if it was created, 1 if it was refused.

With --from-here this program is the caller: it sends both requests itself, from where
it runs, over https, through the network it is in, and trusts the lab's roots alone.
It prints what a user sees: a block when that changes, a short line when it does not.
A lab on another machine or in another container (--url) tells it the names of its world,
which then have to lead there; on this machine it is localhost.

Examples:
  mocktenant try                                one line for each product of the chain
  mocktenant try --url http://lab:7440 --every 5s
                                                again and again, from this container, until
                                                it is stopped (exit 0)
  mocktenant try --curl                         the two lines that do it with curl
  mocktenant try --json                         {did, exchange, token_exchange,
                                                status, refused, body}")]
pub(crate) struct Try {
    /// Print JSON: did, exchange, token_exchange, status, refused, body
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_JSON")]
    pub(crate) json: bool,

    /// Send it from here, not from the lab
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_FROM_HERE")]
    pub(crate) from_here: bool,

    /// Again and again, for instance every 5s or 1m30s; at least 1s; means --from-here
    #[arg(long, value_name = "TIME", value_parser = interval, env = "MOCKTENANT_EVERY")]
    pub(crate) every: Option<Duration>,

    /// Print the same as lines for a shell with curl and sed, and create nothing
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_CURL", conflicts_with_all = ["json", "from_here", "every"])]
    pub(crate) curl: bool,
}

/// Exits 0 if it was done, 1 if it was refused.
pub(crate) async fn run(common: &Common, attempt: Try) -> Outcome {
    if attempt.from_here || attempt.every.is_some() {
        return try_from_here::run(common, &attempt).await;
    }
    let lab = LabAt::find(common).await?;
    if attempt.curl {
        let settings = Settings::read(&lab.get("/v1/settings").await?.body).ok();
        let Some(lines) = settings.as_ref().and_then(with_curl) else {
            return Err(Failure::new(Exit::Finding, "this lab has no customer to create"));
        };
        console::line(&lines.join("\n"))?;
        return Ok(0);
    }
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
    let mut left = usize::MAX;
    for record in last_of_each(&trees) {
        console::line(&told(&lab, record, Screen::of_stdout(), &mut left).await)?;
    }
    let id = console::harmless(id);
    console::line(&if refused {
        format!("refused; the whole chain: mocktenant explain {id}{}", flags(common))
    } else {
        format!("done: {id}")
    })?;
    Ok(u8::from(refused))
}

/// A time as people write it, `5s` or `1m30s`, from a second to a day.
fn interval(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time; 5s, 1m30s and 2h are");
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        total = total.saturating_add(Duration::from_millis(number.saturating_mul(milliseconds)));
        rest = after;
    }
    match total {
        Duration::ZERO => Err(wrong()),
        _ if total < Duration::from_secs(1) => Err(String::from("at least a second: 1s")),
        _ if total > Duration::from_secs(86_400) => Err(String::from("at most a day: 24h")),
        _ => Ok(total),
    }
}

/// Two commands: a token, and the customer with it.
pub(crate) fn with_curl(settings: &Settings) -> Option<[String; 2]> {
    let aos = settings.aos.values().find(|aos| !aos.sample_customer.is_null())?;
    let entra = &settings.entra;
    let (authority, url, resource) = (&entra.authority, &aos.url, &aos.resource);
    if authority.is_empty() {
        return None;
    }
    let ca = console::quoted(&settings.ca_pem.to_string_lossy());
    let token = format!(
        "TOKEN=$(curl -s --cacert {ca} {authority}/oauth2/v2.0/token -d grant_type=client_credentials -d client_id={} \
         -d client_secret={} -d scope={resource}/.default | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')",
        console::quoted(&entra.client_id),
        console::quoted(&entra.client_secret),
    );
    // A number of its own each time the line is run, or it could be run once.
    let number = "DE-NUMBER";
    let mut sample = aos.sample_customer.clone();
    sample["CustomerAccount"] = number.into();
    let sample = console::quoted(&sample.to_string()).replace(number, "DE-'\"$(date +%s)\"'");
    let customer = format!(
        "curl -s --cacert {ca} {url}/data/CustomersV3 -H \"Authorization: Bearer $TOKEN\" \
         -H 'Content-Type: application/json' -d {sample}"
    );
    Some([token, customer])
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
    fn a_time_is_written_as_people_do() {
        for (text, seconds) in
            [("5s", 5), ("1s", 1), ("1m30s", 90), ("2h", 7_200), ("1500ms500ms", 2), ("1min", 60)]
        {
            assert_eq!(interval(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "5", "s", "0s", "999ms", "5 s", "-5s", "5d", "25h", "5s5", "99999999999999999999s"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

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
