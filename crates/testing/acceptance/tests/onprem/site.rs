//! AD FS and an AOS in one lab, and a browser that does one step at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mocktenant_adfs::Adfs;
use mocktenant_aos::Aos;
use mocktenant_entra::Entra;
use mocktenant_lab::caller::page::Page;
use mocktenant_lab::caller::{self, Attempt};
use mocktenant_lab::journal::{Kind, Record};
use mocktenant_lab::outbound::{Call, Outbound, Reply};
use mocktenant_lab::{ClockChange, Command, InProcess, Lab, Random};
use mocktenant_verdict::{Check, Setting, Switches};
use mocktenant_world::{Edit, EditedBy, Errand, World, pointers};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const AOS: &str = "https://ax.contoso.com";
pub(crate) const ADFS: &str = "https://ADFS.contoso.com";
pub(crate) const APPLICATION: &str = "https://ax.contoso.com/namespaces/AXSF";
pub(crate) const CLIENT: &str = "c0117050-0000-4000-8000-00000000a001";
pub(crate) const NATIVE: &str = "c0117050-0000-4000-8000-00000000a101";
pub(crate) const AXSF: &str = "/environments/onprem/axsf";
pub(crate) const ROW: &str = "/environments/onprem/database/UserInfo/ada";
pub(crate) const SERVICE: &str = "/federation_services/contoso";
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-29 12:00 UTC);
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Both products.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    via: InProcess,
}

pub(crate) fn set(pointer: &str, value: impl Into<Value>) -> Edit {
    Edit::add(Setting::from_pointer(pointer.to_owned()), value)
}

pub(crate) fn gone(pointer: &str) -> Edit {
    Edit::remove(Setting::from_pointer(pointer.to_owned()))
}

/// The caller's browser opens the application.
pub(crate) fn at_the_application() -> [Edit; 3] {
    let caller = pointers::caller();
    [
        Edit::replace(caller.sign_in().provider(), "onprem"),
        Edit::replace(caller.environment(), "onprem"),
        Edit::replace(caller.does(), json!(Errand::SignIn)),
    ]
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::of(&[]).await
    }

    pub(crate) async fn of(edits: &[Edit]) -> Self {
        Self::with(edits, Switches::default()).await
    }

    /// Another lab, with keys of its own.
    pub(crate) async fn seeded(seed: u64) -> Self {
        Self::made(&[], Switches::default(), seed).await
    }

    pub(crate) async fn with(edits: &[Edit], switches: Switches) -> Self {
        Self::made(edits, switches, 15).await
    }

    async fn made(edits: &[Edit], switches: Switches, seed: u64) -> Self {
        let edits: Vec<Edit> = at_the_application().into_iter().chain(edits.iter().cloned()).collect();
        let world = World::contoso().unwrap().edited(&edits, EditedBy::Control).unwrap();
        let lab = Lab::builder(Arc::new(world)).surface(Entra::new()).surface(Adfs).surface(Aos::new());
        let lab = lab.random(Random::seeded(seed)).switches(switches).build();
        lab.set_outbound(InProcess::by_world_names(&lab));
        lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
        lab.start_all().await;
        let via = InProcess::by_world_names(&lab);
        Self { lab, via }
    }

    pub(crate) async fn apply(&self, edits: &[Edit]) {
        self.lab.apply(Command::Edit { edits: edits.to_vec(), by: EditedBy::Control }).await.unwrap();
    }

    pub(crate) async fn restart(&self) {
        self.lab.apply(Command::Restart { environment: "onprem".to_owned(), node: None }).await.unwrap();
    }

    pub(crate) async fn send(&self, method: Method, url: &str, headers: HeaderMap, body: &str) -> Reply {
        let call = Call { method, url: url.to_owned(), headers, body: Bytes::from(body.to_owned()) };
        self.via.call(call).await.unwrap()
    }

    pub(crate) async fn get(&self, url: &str) -> Reply {
        self.send(Method::GET, url, HeaderMap::new(), "").await
    }

    /// With a token.
    pub(crate) async fn call(&self, method: Method, path: &str, token: &str, body: &str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        self.send(method, &format!("{AOS}{path}"), headers, body).await
    }

    /// A token of AD FS by this form.
    pub(crate) async fn token(&self, form: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
        let reply = self.send(Method::POST, &format!("{ADFS}/adfs/oauth2/token"), headers, form).await;
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }

    /// The sample client's, for a resource.
    pub(crate) async fn token_for(&self, resource: &str) -> String {
        let secret = "contoso-app-secret-not-secret";
        self.token(&format!(
            "grant_type=client_credentials&client_id={CLIENT}&client_secret={secret}&resource={resource}"
        ))
        .await
    }

    /// A user's, for the application URL.
    pub(crate) async fn token_of(&self, user: &str) -> String {
        let form = format!(
            "grant_type=password&client_id={NATIVE}&username={user}&password=ada-password-not-secret"
        );
        self.token(&format!("{form}&resource=https://ax.contoso.com/&scope=openid")).await
    }

    /// The caller opens the application.
    pub(crate) async fn opens(&self) -> Attempt {
        caller::drive(&self.lab, &self.via).await.unwrap()
    }

    pub(crate) fn last(&self) -> Arc<Record> {
        let records = self.lab.journal().records();
        let newest =
            records.iter().rev().find(|record| record.surface == "aos" && record.kind == Kind::Request);
        Arc::clone(newest.unwrap())
    }

    /// The newest start of the first node.
    pub(crate) fn start(&self) -> Arc<Record> {
        let records = self.lab.journal().records();
        let of_node = |record: &&Arc<Record>| {
            let machine = record.machine.as_ref().map(ToString::to_string);
            record.kind == Kind::Start && machine.as_deref() == Some("onprem/AOS_1")
        };
        Arc::clone(records.iter().rev().find(of_node).unwrap())
    }
}

pub(crate) fn failed(record: &Record) -> Vec<&str> {
    record.checks.iter().filter(|check| check.failed()).map(|check| &*check.name).collect()
}

pub(crate) fn check<'r>(record: &'r Record, name: &str) -> &'r Check {
    record.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no check {name}"))
}

pub(crate) fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

pub(crate) fn location(reply: &Reply) -> String {
    reply.headers[LOCATION].to_str().unwrap().to_owned()
}

pub(crate) fn header(reply: &Reply, name: HeaderName) -> Vec<String> {
    reply.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// A browser, host by host, and who sits before it.
#[derive(Clone)]
pub(crate) struct Browser {
    user: String,
    pub(crate) cookies: BTreeMap<(String, String), String>,
}

fn host(url: &str) -> String {
    url.split('/').nth(2).unwrap_or_default().to_ascii_lowercase()
}

impl Default for Browser {
    fn default() -> Self {
        Self::of("ada@contoso.com")
    }
}

impl Browser {
    /// Everybody here has the same password.
    pub(crate) fn of(user: &str) -> Self {
        Self { user: user.to_owned(), cookies: BTreeMap::new() }
    }

    fn headers(&self, url: &str) -> HeaderMap {
        let host = host(url);
        let own = self.cookies.iter().filter(|((at, _), _)| *at == host);
        let own: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        let mut headers = HeaderMap::new();
        if !own.is_empty() {
            headers.insert(COOKIE, HeaderValue::from_str(&own.join("; ")).unwrap());
        }
        headers
    }

    fn keep(&mut self, url: &str, reply: &Reply) {
        for cookie in header(reply, SET_COOKIE) {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            let key = (host(url), name.to_owned());
            if rest.contains(" 1970 ") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
    }

    /// The names of what it keeps of the AOS.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.cookies.keys().filter(|(host, _)| host == "ax.contoso.com").map(|(_, name)| &**name).collect()
    }

    pub(crate) async fn get(&mut self, site: &Site, url: &str) -> Reply {
        let reply = site.send(Method::GET, url, self.headers(url), "").await;
        self.keep(url, &reply);
        reply
    }

    pub(crate) async fn post(
        &mut self,
        site: &Site,
        url: &str,
        from: &str,
        fields: &[(&str, &str)],
    ) -> Reply {
        let mut headers = self.headers(url);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
        headers.insert(ORIGIN, HeaderValue::from_str(from).unwrap());
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let reply = site.send(Method::POST, url, headers, &form).await;
        self.keep(url, &reply);
        reply
    }

    /// To AD FS and through its page: the address and the fields that it is sent back with.
    pub(crate) async fn at_adfs(&mut self, site: &Site, authorize: &str) -> (String, Vec<(String, String)>) {
        let user = self.user.clone();
        let typed = [("UserName", &*user), ("Password", "ada-password-not-secret")];
        let fields = [typed[0], typed[1], ("AuthMethod", "FormsAuthentication")];
        let reply = self.post(site, authorize, &ADFS.to_ascii_lowercase(), &fields).await;
        let reply = self.get(site, &location(&reply)).await;
        let form = Page::read(&text(&reply)).forms.remove(0);
        let fields = form.fields.iter().filter(|field| !field.name.is_empty());
        (form.action.clone(), fields.map(|field| (field.name.clone(), field.value.clone())).collect())
    }

    /// To the application and back to it with what AD FS issued, which is not posted yet.
    pub(crate) async fn asked(&mut self, site: &Site) -> (String, Vec<(String, String)>) {
        let reply = self.get(site, &format!("{APPLICATION}/?company=USMF")).await;
        assert_eq!(reply.status, 302, "{}", text(&reply));
        self.at_adfs(site, &location(&reply)).await
    }

    pub(crate) async fn comes_back(&mut self, site: &Site, to: &str, fields: &[(String, String)]) -> Reply {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        self.post(site, to, "https://adfs.contoso.com", &fields).await
    }

    /// All the way in.
    pub(crate) async fn signed_in(site: &Site) -> Self {
        let mut browser = Self::default();
        let (to, fields) = browser.asked(site).await;
        let reply = browser.comes_back(site, &to, &fields).await;
        assert_eq!(reply.status, 302, "{}", text(&reply));
        browser
    }
}
