//! People who sign in at AD FS, and what their clients do afterwards: one kept-alive connection, http.
//!
//! A sign-in is what a browser and a client send: the authorization request, the filled-in form, the request again with the
//! session's cookies, the code's redemption. Codes and refresh tokens that are only presented are made before the
//! measured part. Every answer must be the one that a sign-in goes on with.

use mocktenant_acceptance::keep_alive::KeepAlive;

use crate::Failure;
use crate::client::encoded;
use crate::server::Server;

/// Signatures that a redemption or a refresh is answered with: an access token's and an id token's.
pub(crate) const SIGNATURES: u32 = 2;

/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const TOKEN: &str = "/adfs/oauth2/token";

/// Somebody at the native application of the measured server.
pub(crate) struct Person {
    address: String,
    host: String,
    authorize: String,
    typed: String,
    redeem: String,
    refresh: String,
}

impl Person {
    /// Reads the server's settings.
    pub(crate) fn of(server: &Server) -> Result<Self, Failure> {
        let base = server.setting("/adfs/base_url")?;
        let port = base.trim_end_matches("/adfs").rsplit_once(':').map_or("443", |(_, port)| port);
        let client = encoded(server.setting("/adfs/native_client_id")?);
        let back = encoded(server.setting("/adfs/redirect_uri")?);
        let resource = encoded(server.setting("/adfs/resource")?);
        let [user, password] = ["/user/name", "/user/password"].map(|setting| server.setting(setting));
        Ok(Self {
            address: format!("127.0.0.1:{port}"),
            host: format!("localhost:{port}"),
            authorize: format!(
                "/adfs/oauth2/authorize?response_type=code&client_id={client}&redirect_uri={back}\
                 &resource={resource}&scope=openid&state=1&code_challenge={CHALLENGE}&code_challenge_method=S256"
            ),
            typed: format!(
                "UserName={}&Password={}&AuthMethod=FormsAuthentication",
                encoded(user?),
                encoded(password?)
            ),
            redeem: format!(
                "grant_type=authorization_code&client_id={client}&redirect_uri={back}&code_verifier={VERIFIER}&code="
            ),
            refresh: format!("grant_type=refresh_token&client_id={client}&scope=openid&refresh_token="),
        })
    }

    fn connect(&self) -> Result<KeepAlive, Failure> {
        Ok(KeepAlive::plain(&self.address)?)
    }

    fn get(&self, target: &str, cookies: &str) -> Vec<u8> {
        let cookies = if cookies.is_empty() { String::new() } else { format!("cookie: {cookies}\r\n") };
        format!("GET {target} HTTP/1.1\r\nhost: {}\r\n{cookies}\r\n", self.host).into_bytes()
    }

    fn post(&self, target: &str, body: &str) -> Vec<u8> {
        format!(
            "POST {target} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\nsec-fetch-site: same-origin\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len(),
            host = self.host
        )
        .into_bytes()
    }

    /// Signs in; the cookies, and the request to go on with.
    fn session(&self, connection: &mut KeepAlive) -> Result<(String, String), Failure> {
        expect(connection.ask(&self.get(&self.authorize, ""))?, "200")?;
        let answer = expect(connection.ask(&self.post(&self.authorize, &self.typed))?, "302")?;
        let cookies: Vec<&str> =
            headers(&answer, "set-cookie").filter_map(|set| set.split(';').next()).collect();
        let again = headers(&answer, "location").next().ok_or("nowhere to go on")?;
        Ok((cookies.join("; "), again.to_owned()))
    }

    fn code(&self, connection: &mut KeepAlive, again: &str, cookies: &str) -> Result<String, Failure> {
        let answer = expect(connection.ask(&self.get(again, cookies))?, "302")?;
        let to = headers(&answer, "location").next().unwrap_or_default();
        let code = to.split(['?', '&']).find_map(|pair| pair.strip_prefix("code="));
        Ok(code.ok_or("no code")?.to_owned())
    }

    fn redeem(&self, connection: &mut KeepAlive, code: &str) -> Result<String, Failure> {
        expect(connection.ask(&self.post(TOKEN, &format!("{}{code}", self.redeem)))?, "200")
    }

    /// So many sign-ins from the beginning to the tokens.
    pub(crate) fn sign_in(&self, count: u64) -> Result<u64, Failure> {
        let mut connection = self.connect()?;
        for _ in 0..count {
            let (cookies, again) = self.session(&mut connection)?;
            let code = self.code(&mut connection, &again, &cookies)?;
            self.redeem(&mut connection, &code)?;
        }
        Ok(count)
    }

    /// So many codes of one session.
    pub(crate) fn codes(&self, count: u64) -> Result<Vec<String>, Failure> {
        let mut connection = self.connect()?;
        let (cookies, again) = self.session(&mut connection)?;
        (0..count).map(|_| self.code(&mut connection, &again, &cookies)).collect()
    }

    /// Redeems them.
    pub(crate) fn redeem_all(&self, codes: &[String]) -> Result<u64, Failure> {
        let mut connection = self.connect()?;
        codes.iter().try_fold(0, |sum, code| self.redeem(&mut connection, code).map(|_| sum + 1))
    }

    /// A refresh token.
    pub(crate) fn refresh_token(&self) -> Result<String, Failure> {
        let code = self.codes(1)?.swap_remove(0);
        let answer = self.redeem(&mut self.connect()?, &code)?;
        let token = answer.split_once("\"refresh_token\":\"").and_then(|(_, rest)| rest.split('"').next());
        Ok(token.ok_or("no refresh token")?.to_owned())
    }

    /// So many refreshes.
    pub(crate) fn refresh(&self, token: &str, count: u64) -> Result<u64, Failure> {
        let mut connection = self.connect()?;
        let request = self.post(TOKEN, &format!("{}{}", self.refresh, encoded(token)));
        for _ in 0..count {
            expect(connection.ask(&request)?, "200")?;
        }
        Ok(count)
    }
}

/// An answer of this status, as text.
pub(crate) fn expect(answer: &[u8], status: &str) -> Result<String, Failure> {
    let text = String::from_utf8_lossy(answer);
    if text.strip_prefix("HTTP/1.1 ").is_some_and(|rest| rest.starts_with(status)) {
        Ok(text.into_owned())
    } else {
        Err(format!("not {status}: {text}").into())
    }
}

pub(crate) fn headers<'a>(answer: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    head.split("\r\n").filter_map(move |line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
