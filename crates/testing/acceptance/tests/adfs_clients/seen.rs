//! What a client saw, held against what the lab's journal says that it was sent.
//!
//! Programs say it in the same members: `claims` (those of the access token), `token_type`, and for a refusal whatever text
//! the client shows, as `error`.

use base64::Engine as _;
use serde_json::{Value, json};

/// A finished flow.
pub(crate) struct Seen {
    /// What the program printed.
    pub(crate) said: Value,
    /// What it was told.
    pub(crate) settings: Value,
    /// The lab's journal.
    pub(crate) records: Vec<Value>,
}

impl Seen {
    /// What AD FS was asked by the program, oldest first; nodes of an AOS ask it as they start, which has a parent.
    pub(crate) fn requests(&self) -> Vec<&Value> {
        let asked = self.records.iter().filter(|record| record["parent"].is_null());
        asked.filter(|record| record["kind"] == "request" && record["surface"] == "adfs").collect()
    }

    /// The endpoints that were asked, in order: openid-configuration, keys, webfinger, token ...
    pub(crate) fn endpoints(&self) -> Vec<&str> {
        self.requests().iter().map(|record| record["endpoint"].as_str().unwrap()).collect()
    }

    /// The requests to the token endpoint.
    pub(crate) fn token_requests(&self) -> Vec<&Value> {
        self.requests().into_iter().filter(|record| record["endpoint"] == "token").collect()
    }

    /// The only one.
    pub(crate) fn token_request(&self) -> &Value {
        let requests = self.token_requests();
        assert_eq!(requests.len(), 1, "one token request: {:?}", self.endpoints());
        requests[0]
    }

    /// Nothing else of the lab was asked, and nobody was refused.
    pub(crate) fn only_adfs(&self) {
        self.only_adfs_but("");
    }

    /// The same, where waiting is told as an error.
    pub(crate) fn only_adfs_but(&self, waiting: &str) {
        let others = self.records.iter().filter(|record| record["parent"].is_null());
        let mut others = others.filter(|record| record["kind"] == "request" && record["surface"] != "adfs");
        assert!(others.next().is_none(), "{:?}", others.next());
        let answered = |record: &Value| record["error"].is_null() || record["error"] == waiting;
        assert!(self.requests().into_iter().all(answered), "{:?}", self.endpoints());
    }

    /// It was called by the name it has in the world, and its tokens say so.
    pub(crate) fn by_its_name(&self) {
        for record in self.requests() {
            let url = record["request"]["url"].as_str().unwrap();
            assert!(url.to_ascii_lowercase().starts_with("https://adfs.contoso.com/"), "{url}");
        }
    }

    /// A token of the sample client for itself, by a credential as the journal calls it; what the page says.
    pub(crate) fn app_only(&self, credential: &str) -> String {
        self.only_adfs();
        let claims = &self.said["claims"];
        self.of_resource(claims);
        assert_eq!((&claims["appid"], &claims["apptype"]), (&self.adfs("client_id"), &json!("Confidential")));
        assert!(claims.get("upn").is_none() && claims.get("sub").is_none(), "{claims}");
        let record = self.token_request();
        assert_eq!(
            (fact(record, "grant-type"), fact(record, "credential")),
            ("client_credentials", credential)
        );
        String::from("works")
    }

    /// A token of the user by that grant, which was asked for last, and a client of that kind; what the page says.
    pub(crate) fn user(&self, grant: &str, app_type: &str) -> String {
        self.only_adfs();
        let claims = &self.said["claims"];
        self.of_resource(claims);
        assert_eq!(claims["upn"], self.settings["user"]["name"], "{claims}");
        assert_eq!((&claims["unique_name"], &claims["apptype"]), (&json!("CONTOSO\\ada"), &json!(app_type)));
        assert_eq!(fact(self.token_requests().pop().unwrap(), "grant-type"), grant);
        String::from("works")
    }

    /// The user's id token as the client took it: for the native client, by the issuer that it knows.
    pub(crate) fn id_token(&self) {
        let token = &self.said["id_token"];
        assert_eq!(token["aud"], self.adfs("native_client_id"), "{}", self.said);
        assert_eq!(token["iss"], self.adfs("base_url"), "{token}");
        assert_eq!(
            (&token["upn"], token["sub"].is_string()),
            (&self.settings["user"]["name"], true),
            "{token}"
        );
    }

    /// The check that refused, the last time something was.
    pub(crate) fn failed_check(&self) -> &str {
        let requests = self.requests();
        let refused = requests.iter().rev().find(|record| !record["error"].is_null()).unwrap();
        let checks = refused["checks"].as_array().unwrap();
        let failed = checks.iter().find(|check| check["outcome"] == "failed");
        failed.unwrap_or_else(|| panic!("{checks:?}"))["name"].as_str().unwrap()
    }

    /// The client asked Microsoft whether there is such an authority before it asked AD FS anything; what the page says.
    pub(crate) fn unknown_to_microsoft(&self) -> String {
        assert_eq!(self.endpoints(), [""; 0]);
        let of_microsoft = |record: &&Value| record["kind"] == "request" && record["parent"].is_null();
        let asked: Vec<&Value> = self.records.iter().filter(of_microsoft).collect();
        assert!(!asked.is_empty());
        for record in asked {
            let url = record["request"]["url"].as_str().unwrap();
            assert!(url.contains("/common/discovery/instance?"), "{url}");
            assert_eq!(record["error"], "AADSTS50049", "{record}");
        }
        let shown = self.said["error"].as_str().unwrap_or_else(|| panic!("no error: {}", self.said));
        String::from(if shown.contains("AADSTS50049") {
            "asks Microsoft, which knows no AD FS: AADSTS50049"
        } else {
            assert!(shown.contains("endpoints_resolution_error"), "{shown}");
            "asks Microsoft, which knows no AD FS: `endpoints_resolution_error`"
        })
    }

    fn of_resource(&self, claims: &Value) {
        assert_eq!(claims["iss"], "http://ADFS.contoso.com/adfs/services/trust", "{}", self.said);
        assert_eq!(claims["aud"], self.adfs("resource"), "{claims}");
    }

    /// The client shows what AD FS refused, with that number; the number.
    pub(crate) fn refused(&self, error: &str, number: &str) -> String {
        let record = self.token_requests().pop().unwrap_or_else(|| panic!("no token request: {}", self.said));
        assert_eq!(
            (&record["answer"]["status"], &record["error"]),
            (&json!(400), &json!(number)),
            "{record}"
        );
        let sent = &record["answer"]["body"];
        assert_eq!(sent["error"], error);
        let description = sent["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("{number}: ")), "{description}");
        // Byte for byte what people paste into a search.
        let shown = self.said["error"].as_str().unwrap_or_else(|| panic!("no error: {}", self.said));
        assert!(
            shown.contains(description) && shown.contains(error),
            "{shown:?} does not say {description:?}"
        );
        format!("`{error}`, {number}")
    }

    /// Of what AD FS's settings are.
    pub(crate) fn adfs(&self, name: &str) -> Value {
        self.settings["adfs"][name].clone()
    }
}

/// A fact of a record.
pub(crate) fn fact<'r>(record: &'r Value, name: &str) -> &'r str {
    let facts = record["facts"].as_array().unwrap();
    facts.iter().find(|fact| fact["name"] == name).map_or("", |fact| fact["value"].as_str().unwrap())
}

/// A parameter of a token request.
pub(crate) fn parameter(record: &Value, name: &str) -> Option<String> {
    let body = record["request"]["body"].as_str().unwrap();
    let found = form_urlencoded::parse(body.as_bytes()).find(|(is, _)| is == name);
    found.map(|(_, value)| value.into_owned())
}

/// What a client assertion was signed with, and what names the certificate.
pub(crate) fn signed_with(record: &Value) -> String {
    let assertion = parameter(record, "client_assertion").unwrap();
    let header = assertion.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let names = ["x5t", "x5t#S256", "kid", "x5c"].into_iter().filter(|name| header.get(*name).is_some());
    format!("{}, {}", header["alg"].as_str().unwrap(), names.collect::<Vec<_>>().join(", "))
}
