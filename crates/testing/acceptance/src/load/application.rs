//! People and programs at an AOS on-premises: kept-alive connections, http.
//!
//! A visit is the whole of it: the application URL, AD FS's page, the filled-in form, the request again with the session's
//! cookies, the page that posts itself on, the AOS's own cookie and the page behind it. A program reads one customer with a bearer
//! token that is the same every time, as an integration's is for an hour. Every answer must be the one that one goes on with.

use mocktenant_acceptance::keep_alive::KeepAlive;

use crate::Failure;
use crate::client::encoded;
use crate::people::{expect, headers};
use crate::server::Server;

const BASE: &str = "/namespaces/AXSF";
/// What binds a browser to a node.
const AFFINITY: &str = "ms-dyn-affinity";

/// A host that is visited: where it is and what it is called.
pub(crate) struct Host {
    pub(crate) address: String,
    name: String,
}

impl Host {
    pub(crate) fn of(url: &str) -> Self {
        let port = url.trim_end_matches("/adfs").rsplit_once(':').map_or("443", |(_, port)| port);
        Self { address: format!("127.0.0.1:{port}"), name: format!("localhost:{port}") }
    }

    pub(crate) fn get(&self, target: &str, more: &str) -> Vec<u8> {
        self.request("GET", target, more)
    }

    /// Without a body.
    pub(crate) fn request(&self, method: &str, target: &str, more: &str) -> Vec<u8> {
        format!("{method} {target} HTTP/1.1\r\nhost: {}\r\n{more}\r\n", self.name).into_bytes()
    }

    pub(crate) fn post(&self, target: &str, cookies: &str, body: &str) -> Vec<u8> {
        format!(
            "POST {target} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\ncookie: {cookies}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len(),
            host = self.name
        )
        .into_bytes()
    }

    /// A body of JSON, and header lines that each end in CRLF.
    pub(crate) fn post_json(&self, target: &str, more: &str, body: &str) -> Vec<u8> {
        self.json("POST", target, more, body)
    }

    /// The same by another method.
    pub(crate) fn json(&self, method: &str, target: &str, more: &str, body: &str) -> Vec<u8> {
        self.with_body(method, target, more, "application/json", body)
    }

    /// A body of this kind, and header lines that each end in CRLF.
    pub(crate) fn post_kind(&self, target: &str, more: &str, kind: &str, body: &str) -> Vec<u8> {
        self.with_body("POST", target, more, kind, body)
    }

    fn with_body(&self, method: &str, target: &str, more: &str, kind: &str, body: &str) -> Vec<u8> {
        format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\n{more}content-type: {kind}\r\n\
             content-length: {}\r\n\r\n{body}",
            self.name,
            body.len()
        )
        .into_bytes()
    }
}

/// Somebody at the application, and a program beside her.
pub(crate) struct Visitor {
    adfs: Host,
    aos: Host,
    typed: String,
    token_form: String,
}

impl Visitor {
    /// Reads the server's settings.
    pub(crate) fn of(server: &Server) -> Result<Self, Failure> {
        let [user, password] = ["/user/name", "/user/password"].map(|setting| server.setting(setting));
        let [client, secret] =
            ["/adfs/client_id", "/adfs/client_secret"].map(|setting| server.setting(setting));
        Ok(Self {
            adfs: Host::of(server.setting("/adfs/base_url")?),
            aos: Host::of(server.setting("/aos/onprem/url")?),
            typed: format!(
                "UserName={}&Password={}&AuthMethod=FormsAuthentication",
                encoded(user?),
                encoded(password?)
            ),
            token_form: format!(
                "grant_type=client_credentials&client_id={}&client_secret={}&resource={}",
                encoded(client?),
                encoded(secret?),
                encoded(server.setting("/aos/onprem/resource")?)
            ),
        })
    }

    /// So many visits from the beginning to the page.
    pub(crate) fn visit(&self, count: u64) -> Result<u64, Failure> {
        let mut aos = KeepAlive::plain(&self.aos.address)?;
        let mut adfs = KeepAlive::plain(&self.adfs.address)?;
        for _ in 0..count {
            let answer = expect(aos.ask(&self.aos.get(&format!("{BASE}/"), ""))?, "302")?;
            let nonce = cookies(&answer);
            let affinity = nonce.split("; ").find(|cookie| cookie.starts_with(AFFINITY)).unwrap_or_default();
            let authorize = target(&answer)?;
            expect(adfs.ask(&self.adfs.get(&authorize, ""))?, "200")?;
            let answer = expect(adfs.ask(&self.adfs.post(&authorize, "", &self.typed))?, "302")?;
            let session = format!("cookie: {}\r\n", cookies(&answer));
            let page = expect(adfs.ask(&self.adfs.get(&target(&answer)?, &session))?, "200")?;
            let answer = expect(aos.ask(&self.aos.post(BASE, &nonce, &posted(&page)))?, "302")?;
            let signed_in = format!("cookie: {}; {affinity}\r\n", cookies(&answer));
            expect(aos.ask(&self.aos.get(&format!("{BASE}/"), &signed_in))?, "200")?;
        }
        Ok(count)
    }

    /// A token for the application.
    pub(crate) fn token(&self) -> Result<String, Failure> {
        let mut adfs = KeepAlive::plain(&self.adfs.address)?;
        let answer = expect(adfs.ask(&self.adfs.post("/adfs/oauth2/token", "", &self.token_form))?, "200")?;
        let token = answer.split_once("\"access_token\":\"").and_then(|(_, rest)| rest.split('"').next());
        Ok(token.ok_or("no access token")?.to_owned())
    }

    /// Customers read with it, so many times.
    pub(crate) fn read(&self, token: &str, count: u64) -> Result<u64, Failure> {
        let mut aos = KeepAlive::plain(&self.aos.address)?;
        let bearer = format!("authorization: Bearer {token}\r\n");
        let request = self.aos.get(&format!("{BASE}/data/CustomersV3?$top=1"), &bearer);
        for _ in 0..count {
            expect(aos.ask(&request)?, "200")?;
        }
        Ok(count)
    }
}

/// What an answer sets, as it is sent back; what is taken away is not.
fn cookies(answer: &str) -> String {
    let set = headers(answer, "set-cookie").filter(|set| !set.contains(" 1970 "));
    set.filter_map(|set| set.split(';').next()).collect::<Vec<_>>().join("; ")
}

/// Path and query of where an answer leads.
fn target(answer: &str) -> Result<String, Failure> {
    let to = headers(answer, "location").next().ok_or("nowhere to go on")?;
    let path = to.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    Ok(path.unwrap_or(to).to_owned())
}

/// The hidden fields of a page that posts itself.
fn posted(page: &str) -> String {
    let fields = page.split("name=\"").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once('"')?;
        let value = rest.strip_prefix(" value=\"")?.split('"').next()?;
        Some(format!("{name}={}", encoded(value)))
    });
    fields.collect::<Vec<_>>().join("&")
}
