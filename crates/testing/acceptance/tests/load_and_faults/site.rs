//! One lab and whom its callers ask there: requests ready to be sent, by the products they go to.
//!
//! Decides nothing; `oracle::Caller` knows both sides of Dual Write, this adds the token endpoint.

use std::net::{Ipv4Addr, TcpListener};

use mocktenant_acceptance::binary::Serve;
use mocktenant_acceptance::keep_alive::assertion;
use mocktenant_acceptance::oracle::Caller;
use mocktenant_acceptance::raw;

/// The doors of the default world, above the base port.
pub(crate) const DOORS: [u16; 5] = [0, 3, 4, 5, 6];

/// A base port whose doors nobody listens on, below those that the system gives out.
pub(crate) fn free_base(nth: u16) -> u16 {
    // 600 places of 20 ports each; every process and every caller in it begins elsewhere.
    let first = std::process::id() % 600 + u32::from(nth) * 50;
    let mut bases = (0..600).map(|step| 20_000 + u16::try_from((first + step) % 600).unwrap() * 20);
    bases.find(|base| are_free(*base)).unwrap()
}

/// Whether every door can be listened on.
pub(crate) fn are_free(base: u16) -> bool {
    DOORS.iter().all(|door| TcpListener::bind((Ipv4Addr::LOCALHOST, base + door)).is_ok())
}

/// Whom callers ask.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Both sides and the tools.
    pub(crate) caller: Caller,
    /// Port of the token endpoint.
    pub(crate) entra: u16,
    /// A token by secret.
    pub(crate) secret: Vec<u8>,
    /// A token by certificate.
    pub(crate) certificate: Vec<u8>,
    /// The signing keys.
    pub(crate) keys: Vec<u8>,
}

impl Site {
    pub(crate) fn of(lab: &Serve) -> Self {
        let (tenant, client) = (lab.setting("/entra/tenant_id"), lab.setting("/entra/client_id"));
        let common = format!(
            "grant_type=client_credentials&client_id={client}&scope={}/.default",
            lab.setting("/dataverse/resource")
        );
        let secret = format!("{common}&client_secret={}", lab.setting("/entra/client_secret"));
        let certificate = format!(
            "{common}&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\
             &client_assertion={}",
            assertion(tenant, client).unwrap()
        );
        let target = format!("/{tenant}/oauth2/v2.0/token");
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let post = |body: &str| raw::request("POST", "localhost", &target, &form, body.as_bytes());
        Self {
            caller: Caller::of(lab),
            entra: lab.port("/entra/base_url"),
            secret: post(&secret),
            certificate: post(&certificate),
            keys: raw::request("GET", "localhost", &format!("/{tenant}/discovery/v2.0/keys"), &[], b""),
        }
    }

    /// Every port and a name for it.
    pub(crate) fn ports(&self) -> [(&'static str, u16); 4] {
        [
            ("tools", self.caller.tools),
            ("entra", self.entra),
            ("aos", self.caller.aos),
            ("dataverse", self.caller.dataverse),
        ]
    }

    /// A token is given and the tools answer.
    pub(crate) fn assert_serves(&self) {
        let token = raw::send(self.entra, &self.secret).unwrap();
        assert_eq!(token.status, 200, "{}", token.text());
        let health = raw::request("GET", "localhost", "/health", &[], b"");
        assert_eq!(raw::send(self.caller.tools, &health).unwrap().status, 200);
    }
}

/// The same request on a connection that stays.
pub(crate) fn kept(request: &[u8]) -> Vec<u8> {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(request[..end].to_vec()).unwrap().replace("Connection: close\r\n", "");
    [head.as_bytes(), &request[end..]].concat()
}
