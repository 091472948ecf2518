//! What MSAL.NET and Azure.Identity do: each way to a token, the cache, and what people are told of their mistakes.
//!
//! Decides by what the programs print and by what the lab's journal saw of the same run. Never looks into a library.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::{exec, program, version};

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const SECOND: &str = "c0117050-0000-4000-8000-000000000002";
const DATAVERSE: &str = "https://contoso.crm4.dynamics.com";
const AOS: &str = "https://usnconeboxax1aos.cloud.onebox.dynamics.com";
const API: &str = "c0117050-0000-4000-8000-00000000a004";

/// A way MSAL.NET is asked for a token: its name, where the token comes from, whom it is for, whose tenant issued it; and
/// of what it took, how the tenant is called in the request and what the assertion's header has.
pub(crate) type Way = (&'static str, Source, &'static str, &'static str);

pub(crate) enum Source {
    Cache,
    /// The tenant in the URL of the request, and the members of the assertion's header, with the algorithm's own name.
    Asked(&'static str, &'static str),
}

const SHA_2: &str = "PS256 typ x5t#S256";
const BY_CALLBACK: &str = "PS256 typ kid x5t";

pub(crate) const WAYS: &[Way] = &[
    ("x5t", Source::Asked(TENANT, SHA_2), DATAVERSE, TENANT),
    ("x5c", Source::Asked(TENANT, "PS256 typ x5t#S256 x5c"), DATAVERSE, TENANT),
    ("assertion callback", Source::Asked(TENANT, BY_CALLBACK), DATAVERSE, TENANT),
    ("organizations, WithTenantId", Source::Asked(TENANT, SHA_2), DATAVERSE, TENANT),
    ("organizations, its domain", Source::Asked("contoso.com", SHA_2), DATAVERSE, TENANT),
    ("tenant by domain", Source::Asked("contoso.onmicrosoft.com", SHA_2), DATAVERSE, TENANT),
    ("tenant by vanity domain", Source::Asked("contoso.com", SHA_2), DATAVERSE, TENANT),
    // Whoever is no Entra ID to MSAL is sent the older thumbprint.
    ("OIDC authority", Source::Asked(TENANT, "RS256 typ x5t"), DATAVERSE, TENANT),
    ("another resource", Source::Asked(TENANT, SHA_2), AOS, TENANT),
    ("a third", Source::Asked(TENANT, SHA_2), API, TENANT),
    ("the first again", Source::Cache, DATAVERSE, TENANT),
    ("the second again", Source::Cache, AOS, TENANT),
    ("the third by force", Source::Asked(TENANT, SHA_2), API, TENANT),
    ("the tenant again", Source::Cache, DATAVERSE, TENANT),
    ("another tenant", Source::Asked(SECOND, SHA_2), API, SECOND),
    ("another tenant again", Source::Cache, API, SECOND),
];

/// The records that follow a program's own lines.
fn records(lines: &[&str]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What was asked of an endpoint.
fn asked<'r>(records: &'r [Value], endpoint: &str) -> Vec<&'r Value> {
    records.iter().filter(|record| record["endpoint"] == endpoint && record["parent"].is_null()).collect()
}

/// The tenant in a token request's URL and what the header of its assertion has.
fn presented(record: &Value) -> (String, String) {
    let url = record["request"]["url"].as_str().unwrap();
    let tenant = url.strip_prefix("https://login.microsoftonline.com/").unwrap().split('/').next().unwrap();
    let body = record["request"]["body"].as_str().unwrap();
    let assertion = body.split("client_assertion=").nth(1).unwrap();
    let header = URL_SAFE_NO_PAD.decode(assertion.split('.').next().unwrap()).unwrap();
    let header: serde_json::Map<String, Value> = serde_json::from_slice(&header).unwrap();
    let names = header.iter().map(|(name, value)| match name.as_str() {
        "alg" => value.as_str().unwrap().to_owned(),
        _ => name.clone(),
    });
    (tenant.to_owned(), names.collect::<Vec<_>>().join(" "))
}

#[test]
fn msal_for_dotnet_gets_its_token_in_every_way_keeps_it_by_resource_and_tenant_and_does_not_wait_for_itself()
{
    let Some(msal) = program("msal.cs") else { return };
    let line = format!(
        "\"$MOCKTENANT\" set --new /tenants/{SECOND} \"@$SECOND_TENANT\" >/dev/null
         SECOND_TENANT={SECOND} \"$@\"
         \"$MOCKTENANT\" journal --json"
    );
    let out = exec("certificate", &line, &msal);
    let lines: Vec<&str> = out.lines().collect();
    let (said, seen) = lines.split_at(WAYS.len() + 2);
    let records = records(seen);
    // What runs is what is pinned, also where the packages lie beside a compiler.
    let pinned = format!("{}.0", version("Microsoft.Identity.Client"));
    assert!(
        asked(&records, "token-v2").iter().all(|token| token["request"]["headers"]["x-client-ver"] == pinned)
    );
    let mut tokens = asked(&records, "token-v2").into_iter().map(presented);
    for ((name, source, audience, tenant), said) in WAYS.iter().zip(said) {
        let from = if matches!(source, Source::Cache) { "Cache" } else { "IdentityProvider" };
        assert_eq!(*said, format!("{name}: {from} aud={audience} tid={tenant} acr=2"));
        if let Source::Asked(tenant, header) = source {
            assert_eq!(tokens.next(), Some(((*tenant).to_owned(), (*header).to_owned())), "{name}");
        }
    }
    // Fifty requests, and nobody gets a second one: MSAL.NET keeps none of them waiting for another's.
    assert_eq!(said.get(WAYS.len()), Some(&"fifty at once: 50 asked"));
    assert_eq!(said.last(), Some(&&*format!("the fifty-first: Cache aud={AOS} tid={TENANT} acr=2")));
    let rest: Vec<_> = tokens.collect();
    assert_eq!(rest, vec![(TENANT.to_owned(), BY_CALLBACK.to_owned()); 50]);
    // Asked about Microsoft's host once for all; the generic authority reads its document instead.
    assert_eq!(asked(&records, "instance-discovery").len(), 1);
    assert_eq!(asked(&records, "openid-configuration-v2").len(), 1);
}

/// What becomes of each credential: who it is, and how Entra took it (1 a secret, 2 a certificate or a machine).
pub(crate) const CREDENTIALS: &[(&str, &str)] = &[
    ("secret", "a001 acr=1"),
    ("secret, tenant by domain", "a001 acr=1"),
    ("PEM", "a001 acr=2"),
    ("PFX", "a001 acr=2"),
    ("PEM with its chain", "a001 acr=2"),
    ("environment, secret", "a001 acr=1"),
    ("default, secret", "a001 acr=1"),
    ("environment, .pem", "a001 acr=2"),
    ("default, .pem", "a001 acr=2"),
    ("environment, .pfx", "a001 acr=2"),
    ("default, .pfx", "a001 acr=2"),
    ("chain", "a001 acr=1"),
    ("chain, managed identity", "a005 acr=2"),
    ("system-assigned", "a005 acr=2"),
    ("user-assigned by client id", "a001 acr=2"),
    ("user-assigned by object id", "a001 acr=2"),
    ("user-assigned by resource id", "a001 acr=2"),
    ("default, user-assigned", "a001 acr=2"),
];

#[test]
fn azure_identity_for_dotnet_is_whoever_its_credential_says() {
    let Some(identity) = program("azure_identity.cs") else { return };
    let object = "c0117050-0000-4000-8000-0000000b0001";
    let resource = "/subscriptions/c0117050-0000-4000-8000-0000000c0001/resourcegroups/contoso/providers/\
                    Microsoft.ManagedIdentity/userAssignedIdentities/sample-client";
    let line = format!(
        "export CERTIFICATES=\"$(dirname \"$MOCKTENANT_SETTINGS\")\" OBJECT_ID={object} RESOURCE_ID={resource}
         \"$@\"
         \"$MOCKTENANT\" journal --json"
    );
    let out = exec("secret", &line, &identity);
    let lines: Vec<&str> = out.lines().collect();
    let (said, seen) = lines.split_at(CREDENTIALS.len() + 1);
    let expected: Vec<String> = CREDENTIALS.iter().map(|(way, who)| format!("{way}: {who}")).collect();
    let (nobodys, said) = said.split_last().unwrap();
    assert_eq!(said, expected);
    assert!(
        nobodys.starts_with(
            "nobody's: AuthenticationFailedException: ManagedIdentityCredential authentication failed: "
        ) && nobodys.contains("Either the requested identity has not been assigned to this resource")
            && nobodys.contains("Error Description: Identity not found"),
        "{nobodys}"
    );
    let records = records(seen);
    let machine: Vec<(u64, bool, &str)> = asked(&records, "imds-token")
        .into_iter()
        .map(|record| {
            let query = record["request"]["url"].as_str().unwrap();
            let query = query.strip_prefix(
                "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=",
            );
            let told = record["request"]["headers"]["metadata"] == "true";
            (record["answer"]["status"].as_u64().unwrap(), told, query.unwrap())
        })
        .collect();
    let of = |who: &str| format!("{DATAVERSE}&{who}");
    let (client, nobody) = ("client_id=c0117050-0000-4000-8000-00000000a001", format!("client_id={TENANT}"));
    let probe = format!("https%3A%2F%2Fcontoso.crm4.dynamics.com&{client}");
    // Kept for the whole process: the chain's is the system's. DefaultAzureCredential tries the address without the header.
    assert_eq!(
        machine,
        [
            (200, true, DATAVERSE),
            (200, true, &*of(client)),
            (200, true, &*of(&format!("object_id={object}"))),
            (200, true, &*of(&format!("msi_res_id={resource}"))),
            (400, false, &*probe),
            (400, true, &*of(&nobody)),
        ]
    );
}

/// A mistake: its number, what was done, and MSAL's `ErrorCode` and `StatusCode`.
pub(crate) const MISTAKES: &[(&str, &str, &str, u16)] = &[
    ("7000215", "a wrong secret", "invalid_client", 401),
    ("7000222", "an expired secret", "invalid_client", 401),
    ("700027", "a certificate nobody registered", "invalid_client", 401),
    ("700016", "a client the tenant does not know", "unauthorized_client", 400),
    ("90002", "a tenant that is not there", "invalid_request", 400),
    ("500011", "a resource the tenant does not know", "invalid_resource", 400),
    ("1002012", "a scope that is not `/.default`", "invalid_scope", 400),
];

/// What MSAL puts before Entra's words where the client itself was not believed.
pub(crate) const INVALID_CLIENT: &str = "A configuration issue is preventing authentication - check the error message from the server for details. You can modify the configuration in the application registration portal. See https://aka.ms/msal-net-invalid-client for details.  Original exception: ";

#[test]
fn msal_for_dotnet_tells_each_mistake_and_azure_identity_only_inside_its_exception() {
    let Some(errors) = program("errors.cs") else { return };
    let out = exec("secret", "\"$@\"", &errors);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2 * MISTAKES.len(), "{out}");
    for ((code, _, error, status), said) in MISTAKES.iter().zip(lines.chunks(2)) {
        let [msal, azure] = said else { panic!("{said:?}") };
        let before = if *error == "invalid_client" { INVALID_CLIENT } else { "" };
        let words = format!("{before}AADSTS{code}: ");
        let head = format!("{code} MSAL: MsalServiceException {error} {status} retry=False inner=none: ");
        let told = msal.strip_prefix(&*head).unwrap_or_else(|| panic!("{msal}"));
        assert!(told.starts_with(&words) && told.len() > words.len() + 20, "{msal}");
        let kind = if *code == "700027" { "ClientCertificateCredential" } else { "ClientSecretCredential" };
        // The text of the outer exception ends where the reason would begin; the inner one is MSAL's, unchanged.
        let outer = format!(
            "{code} Azure.Identity: AuthenticationFailedException: {kind} authentication failed:  | "
        );
        assert_eq!(*azure, format!("{outer}MsalServiceException: {told}"));
    }
}
