//! What must hold of a lab once it is quiet, whatever was done to it: both sides of Dual Write agree, the journal is whole,
//! and the process has not grown.
//!
//! Decides what "agree" means: every customer that Dual Write takes is an account with the same values, and every account
//! with a number is a customer. Reads over the lab's own ports, as a client does; never changes anything. Asked while
//! requests are under way it may see what one of them has half done, so whoever asks ends his own first.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use mocktenant_lab::GRACE;
use serde_json::{Map, Value};

use crate::binary::Serve;
use crate::raw::{self, Answer};

/// Columns that say the same on both sides: CustomersV3, accounts.
const SAME: [(&str, &str); 10] = [
    ("OrganizationName", "name"),
    ("PrimaryContactEmail", "emailaddress1"),
    ("PrimaryContactPhone", "telephone1"),
    ("DeliveryAddressStreet", "address1_line1"),
    ("DeliveryAddressCity", "address1_city"),
    ("DeliveryAddressZipCode", "address1_postalcode"),
    ("DeliveryAddressState", "address1_stateorprovince"),
    ("DeliveryAddressCounty", "address1_county"),
    ("DeliveryAddressCountryRegionISOCode", "address1_country"),
    ("CustomerAccount", "accountnumber"),
];

/// Records of one page of the journal: as many as it gives.
const JOURNAL_PAGE: usize = 1000;

/// A caller of one lab: where it listens, and tokens for both sides.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Port of the tools.
    pub tools: u16,
    /// Port of the one-box.
    pub aos: u16,
    /// Port of the organisation.
    pub dataverse: u16,
    /// `Authorization` for the AOS.
    aos_bearer: String,
    /// `Authorization` for Dataverse.
    dataverse_bearer: String,
    /// The customer of the settings document.
    sample: Map<String, Value>,
}

impl Caller {
    /// Gets both tokens as the world's caller, by its secret.
    ///
    /// # Panics
    /// If Entra refuses.
    pub fn of(lab: &Serve) -> Self {
        let bearer = |resource: &str| format!("Bearer {}", token(lab, lab.setting(resource)));
        let sample = lab.settings().pointer("/aos/onebox/sample_customer").and_then(Value::as_object);
        Self {
            tools: lab.port("/control_url"),
            aos: lab.port("/aos/onebox/url"),
            dataverse: lab.port("/dataverse/url"),
            aos_bearer: bearer("/aos/onebox/resource"),
            dataverse_bearer: bearer("/dataverse/resource"),
            sample: sample.cloned().unwrap_or_default(),
        }
    }

    /// A customer with this account.
    pub fn customer(&self, account: &str) -> Value {
        let mut customer = self.sample.clone();
        customer.insert("CustomerAccount".to_owned(), Value::from(account));
        customer.insert("OrganizationName".to_owned(), Value::from(format!("Name of {account}")));
        Value::Object(customer)
    }

    /// A request to the AOS below `/data/`, ready to be sent.
    pub fn to_aos(&self, method: &str, path: &str, body: &Value) -> Vec<u8> {
        of(method, &format!("/data/{path}"), &self.aos_bearer, body)
    }

    /// A request to Dataverse below `/api/data/v9.2/`, ready to be sent.
    pub fn to_dataverse(&self, method: &str, path: &str, body: &Value) -> Vec<u8> {
        of(method, &format!("/api/data/v9.2/{path}"), &self.dataverse_bearer, body)
    }

    /// `POST` of a customer; `None` if the connection ended without an answer.
    pub fn create(&self, account: &str) -> Option<Answer> {
        raw::send(self.aos, &self.to_aos("POST", "CustomersV3", &self.customer(account)))
    }

    /// A call of the control API.
    ///
    /// # Panics
    /// If no answer comes.
    pub fn control(&self, method: &str, target: &str, body: &Value) -> Answer {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let json = [("Content-Type", "application/json")];
        let headers: &[(&str, &str)] = if method == "GET" { &[] } else { &json };
        match raw::send(self.tools, &raw::request(method, "localhost", target, headers, &bytes)) {
            Some(answer) => answer,
            None => panic!("no answer from the control API to {method} {target}"),
        }
    }

    /// Waits until nothing is being answered any more, with or without a caller who waits: a command that changes nothing
    /// waits for it, and one that was soon applied has waited for all of it.
    ///
    /// # Panics
    /// If something is still being answered after a minute.
    pub fn settle(&self) {
        let began = Instant::now();
        loop {
            let asked = Instant::now();
            let answer = self.control("PATCH", "/v1/world", &Value::Array(Vec::new()));
            assert_eq!(answer.status, 200, "{}", answer.text());
            if asked.elapsed() < GRACE {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "something is being answered for ever");
        }
    }

    /// What is there on both sides.
    ///
    /// # Panics
    /// If one of them does not answer with its rows.
    pub fn sides(&self) -> Sides {
        let customers = rows(self.aos, |target| self.to_aos("GET", target, &Value::Null), "CustomersV3");
        let accounts =
            rows(self.dataverse, |target| self.to_dataverse("GET", target, &Value::Null), "accounts");
        Sides { customers: by(customers, "CustomerAccount"), accounts: by(accounts, "accountnumber") }
    }

    /// Names of the accounts that are nobody's customer: those without a number.
    ///
    /// # Panics
    /// If Dataverse does not answer with its rows.
    pub fn accounts_alone(&self) -> BTreeSet<String> {
        let accounts =
            rows(self.dataverse, |target| self.to_dataverse("GET", target, &Value::Null), "accounts");
        let object = |row: Value| if let Value::Object(row) = row { Some(row) } else { None };
        let alone =
            accounts.into_iter().filter_map(object).filter(|row| text(row, "accountnumber").is_empty());
        alone.map(|row| text(&row, "name").to_owned()).collect()
    }

    /// Records of the journal whose parent is not in it, as `id of parent: target`. A journal that has lost its oldest
    /// records loses children before their parents, so this holds of a full one too.
    ///
    /// # Panics
    /// If the journal cannot be read.
    pub fn orphans(&self) -> Vec<String> {
        let (mut since, mut ids, mut children) = (0, BTreeSet::new(), Vec::new());
        loop {
            let target = format!("/v1/journal?since={since}&limit={JOURNAL_PAGE}");
            let page = self.control("GET", &target, &Value::Null);
            assert_eq!(page.status, 200, "{}", page.text());
            let page = page.json();
            let records = page["records"].as_array().cloned().unwrap_or_default();
            for record in &records {
                let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
                ids.insert(text("/id").unwrap_or_default());
                if let Some(parent) = text("/parent") {
                    children.push((parent, text("/id"), text("/request/url")));
                }
            }
            if records.len() < JOURNAL_PAGE {
                break;
            }
            since = page["next"].as_u64().unwrap_or(u64::MAX);
        }
        let lost = children.into_iter().filter(|(parent, ..)| !ids.contains(parent));
        lost.map(|(_, id, url)| format!("{}: {}", id.unwrap_or_default(), url.unwrap_or_default())).collect()
    }
}

/// What both sides hold, by account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Rows of CustomersV3.
    pub customers: BTreeMap<String, Map<String, Value>>,
    /// Rows of accounts; those without a number are nobody's customer and left out.
    pub accounts: BTreeMap<String, Map<String, Value>>,
}

impl Sides {
    /// Everything on which the sides do not agree, a sentence each; empty if they do.
    pub fn differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        let shared = |row: &Map<String, Value>| row.get("PartyType") == Some(&Value::from("Organization"));
        for (account, customer) in self.customers.iter().filter(|(_, row)| shared(row)) {
            let Some(row) = self.accounts.get(account) else {
                found.push(format!("{account} is a customer and no account"));
                continue;
            };
            for (left, right) in SAME {
                let (one, other) = (text(customer, left), text(row, right));
                if one != other {
                    found.push(format!("{account}: {left} is {one:?} and {right} {other:?}"));
                }
            }
        }
        let known = |account: &&String| !self.customers.contains_key(*account);
        found.extend(
            self.accounts.keys().filter(known).map(|one| format!("{one} is an account and no customer")),
        );
        found
    }
}

/// Resident memory of a process in KiB; `None` where the system does not say.
pub fn memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How many descriptors a process has open; `None` where the system does not say.
pub fn descriptors(pid: u32) -> Option<usize> {
    Some(std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())
}

fn token(lab: &Serve, resource: &str) -> String {
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope={resource}/.default",
        lab.setting("/entra/client_id"),
        lab.setting("/entra/client_secret"),
    );
    let target = format!("/{}/oauth2/v2.0/token", lab.setting("/entra/tenant_id"));
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = raw::send(
        lab.port("/entra/base_url"),
        &raw::request("POST", "localhost", &target, &kind, form.as_bytes()),
    );
    let answer = answer.unwrap_or_default();
    match answer.json()["access_token"].as_str() {
        Some(token) => token.to_owned(),
        None => panic!("no token for {resource}: {}", answer.text()),
    }
}

fn of(method: &str, target: &str, bearer: &str, body: &Value) -> Vec<u8> {
    let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let headers =
        [("Authorization", bearer), ("Content-Type", "application/json"), ("Accept", "application/json")];
    let sent = if bytes.is_empty() { &headers[..1] } else { &headers[..] };
    raw::request(method, "localhost", target, sent, &bytes)
}

/// Every row of an entity set, page after page.
fn rows(port: u16, request: impl Fn(&str) -> Vec<u8>, set: &str) -> Vec<Value> {
    let mut target = set.to_owned();
    let mut all = Vec::new();
    loop {
        let answer = raw::send(port, &request(&target)).unwrap_or_default();
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        let page = answer.json();
        all.extend(page["value"].as_array().cloned().unwrap_or_default());
        let Some(next) = page["@odata.nextLink"].as_str() else { return all };
        // The same set again, with whatever the product added to find its place.
        let query = next.split_once('?').map_or("", |(_, query)| query);
        target = format!("{set}?{query}");
    }
}

fn by(rows: Vec<Value>, column: &str) -> BTreeMap<String, Map<String, Value>> {
    let row = |row: Value| match row {
        Value::Object(row) => Some((text(&row, column).to_owned(), row)),
        _ => None,
    };
    rows.into_iter().filter_map(row).filter(|(key, _)| !key.is_empty()).collect()
}

/// A column as text; null and absent are the empty text, as they are in the product that knows no null.
fn text<'r>(row: &'r Map<String, Value>, column: &str) -> &'r str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}
