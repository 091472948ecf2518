use std::env::var;
use std::error::Error;
use std::sync::Arc;

use azure_core::credentials::{SecretBytes, TokenCredential};
use azure_identity::{ClientCertificateCredential, ClientSecretCredential, ManagedIdentityCredential};
use reqwest::{Client, Method};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DATAVERSE: &str = "https://contoso.crm4.dynamics.com";

fn credential() -> Result<Arc<dyn TokenCredential>> {
    let Ok(client_id) = var("AZURE_CLIENT_ID") else { return Ok(ManagedIdentityCredential::new(None)?) };
    let tenant_id = var("AZURE_TENANT_ID")?;
    if let Ok(pfx) = var("AZURE_CLIENT_CERTIFICATE_PATH") {
        let pfx = SecretBytes::new(std::fs::read(pfx)?);
        return Ok(ClientCertificateCredential::new(tenant_id, client_id, pfx, None)?);
    }
    let secret = var("AZURE_CLIENT_SECRET")?.into();
    Ok(ClientSecretCredential::new(&tenant_id, client_id, secret, None)?)
}

struct Api {
    credential: Arc<dyn TokenCredential>,
    http: Client,
}

impl Api {
    async fn call(&self, method: Method, resource: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let token = self.credential.get_token(&[&format!("{resource}/.default")], None).await?;
        let mut request =
            self.http.request(method, format!("{resource}{path}")).bearer_auth(token.token.secret());
        if let Some(body) = body {
            request = request.json(&body);
        }
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let api = Api { credential: credential()?, http: Client::new() };
    let aos = var("AOS").unwrap_or_else(|_| "https://usnconeboxax1aos.cloud.onebox.dynamics.com".into());
    let customer = json!({
        "dataAreaId": "usmf", "CustomerAccount": "DE-RS", "OrganizationName": "Forest Wholesales",
        "PartyType": "Organization", "CustomerGroupId": "30", "SalesCurrencyCode": "EUR",
    });
    api.call(Method::POST, &aos, "/data/CustomersV3", Some(customer)).await?;
    let query = "/api/data/v9.2/accounts?$filter=accountnumber eq 'DE-RS'&$select=accountid";
    let accounts = api.call(Method::GET, DATAVERSE, query, None).await?;
    let path = format!(
        "/api/data/v9.2/accounts({})?$select=name",
        accounts["value"][0]["accountid"].as_str().unwrap()
    );
    println!("{}", api.call(Method::GET, DATAVERSE, &path, None).await?["name"].as_str().unwrap());
    Ok(())
}
