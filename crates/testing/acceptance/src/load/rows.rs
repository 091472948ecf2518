//! A program that works with rows: kept-alive connections, http, a bearer token that is the same every time.
//!
//! Decides nothing; asks. WhoAmI has a token checked and nothing else, so it is what everything here is measured beside. Accounts are
//! made in Dataverse and read by their key; vendor groups, which no map of Dual Write takes further, are made in an AOS.

use mocktenant_acceptance::keep_alive::KeepAlive;

use crate::Failure;
use crate::application::Host;
use crate::client::encoded;
use crate::people::{expect, headers};
use crate::server::Server;

pub(crate) const API: &str = "/api/data/v9.2";
/// The columns that an integration reads of an account.
const SELECTED: &str = "?$select=name,accountnumber,telephone1,revenue";

/// The program, and what it needs.
pub(crate) struct Program {
    pub(crate) dataverse: Host,
    pub(crate) aos: Host,
    /// Header lines.
    pub(crate) dataverse_bearer: String,
    pub(crate) aos_bearer: String,
    /// The path of an account that it made.
    pub(crate) account: String,
    made: u64,
}

impl Program {
    /// Reads the server's settings, takes tokens, and makes the account that is read.
    pub(crate) fn of(server: &Server) -> Result<Self, Failure> {
        let [client, secret] =
            ["/entra/client_id", "/entra/client_secret"].map(|setting| server.setting(setting).map(encoded));
        let (client, secret) = (client?, secret?);
        let entra = Host::of(server.setting("/entra/base_url")?);
        let endpoint = format!("/{}/oauth2/v2.0/token", server.setting("/entra/tenant_id")?);
        let token = |resource: &str| -> Result<String, Failure> {
            let scope = encoded(&format!("{}/.default", resource.trim_end_matches('/')));
            let form = format!(
                "grant_type=client_credentials&client_id={client}&client_secret={secret}&scope={scope}"
            );
            let answer = KeepAlive::plain(&entra.address)?.ask(&entra.post(&endpoint, "", &form))?.to_vec();
            let answer = expect(&answer, "200")?;
            let token = answer.split_once("\"access_token\":\"").and_then(|(_, rest)| rest.split('"').next());
            Ok(format!("authorization: Bearer {}\r\n", token.ok_or("no access token")?))
        };
        let mut program = Self {
            dataverse: Host::of(server.setting("/dataverse/url")?),
            aos: Host::of(server.setting("/aos/onebox/url")?),
            dataverse_bearer: token(server.setting("/dataverse/resource")?)?,
            aos_bearer: token(server.setting("/aos/onebox/resource")?)?,
            account: String::new(),
            made: 0,
        };
        let mut connection = KeepAlive::plain(&program.dataverse.address)?;
        let answer = expect(connection.ask(&program.new_account())?, "204")?;
        let made = headers(&answer, "odata-entityid").next().ok_or("no address of the account")?;
        program.account =
            made.rsplit_once('/').map(|(_, row)| format!("{API}/{row}")).ok_or("no path in it")?;
        Ok(program)
    }

    /// Who it is, so many times.
    pub(crate) fn ask_who(&self, count: u64) -> Result<u64, Failure> {
        self.get(&format!("{API}/WhoAmI"), count)
    }

    /// Four columns of its account.
    pub(crate) fn read_some(&self, count: u64) -> Result<u64, Failure> {
        self.get(&format!("{}{SELECTED}", self.account), count)
    }

    /// All columns of its account.
    pub(crate) fn read_all(&self, count: u64) -> Result<u64, Failure> {
        self.get(&self.account, count)
    }

    /// So many new accounts.
    pub(crate) fn make_accounts(&mut self, count: u64) -> Result<u64, Failure> {
        let mut connection = KeepAlive::plain(&self.dataverse.address)?;
        for _ in 0..count {
            expect(connection.ask(&self.new_account())?, "204")?;
        }
        Ok(count)
    }

    /// So many new vendor groups.
    pub(crate) fn make_vendor_groups(&mut self, count: u64) -> Result<u64, Failure> {
        let mut connection = KeepAlive::plain(&self.aos.address)?;
        for _ in 0..count {
            self.made += 1;
            let body = format!("{{\"dataAreaId\":\"usmf\",\"VendorGroupId\":\"g{}\"}}", self.made);
            let request = self.aos.post_json("/data/VendorGroups", &self.aos_bearer, &body);
            expect(connection.ask(&request)?, "201")?;
        }
        Ok(count)
    }

    /// The first vendor group that it made.
    pub(crate) fn read_vendor_group(&self, count: u64) -> Result<u64, Failure> {
        let mut connection = KeepAlive::plain(&self.aos.address)?;
        let target = "/data/VendorGroups(dataAreaId='usmf',VendorGroupId='g2')";
        let request = self.aos.get(target, &self.aos_bearer);
        for _ in 0..count {
            expect(connection.ask(&request)?, "200")?;
        }
        Ok(count)
    }

    fn get(&self, target: &str, count: u64) -> Result<u64, Failure> {
        let mut connection = KeepAlive::plain(&self.dataverse.address)?;
        let request = self.dataverse.get(target, &self.dataverse_bearer);
        for _ in 0..count {
            expect(connection.ask(&request)?, "200")?;
        }
        Ok(count)
    }

    fn new_account(&mut self) -> Vec<u8> {
        self.made += 1;
        let body =
            format!("{{\"name\":\"Load {0}\",\"accountnumber\":\"L-{0}\",\"revenue\":{0}}}", self.made);
        self.dataverse.post_json(&format!("{API}/accounts"), &self.dataverse_bearer, &body)
    }
}
