//! Clients of .NET: MSAL.NET, and an ASP.NET API that takes AD FS's tokens.

use mocktenant_acceptance::pins::Pin;
use mocktenant_acceptance::programs::Language;
use serde_json::json;

use crate::seen::Seen;
use crate::{Client, alike, by_name, flow};

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "MSAL.NET",
        pin: Pin::Package("Microsoft.Identity.Client"),
        language: Language::Dotnet,
        file: "msal_dotnet.cs",
        flows: &[
            flow("secret", alike::secret),
            flow("certificate", alike::certificate),
            flow("certificate, chain sent", alike::chain),
            flow(".default alone", |seen| thrown(seen, "MsalServiceException", alike::default_alone)),
            flow("username and password", alike::password),
            flow("username and password, .default", alike::password),
            flow("username and password of a server application", alike::servers_password),
            flow("refresh by the cache", alike::never_kept),
            flow("wrong secret", |seen| thrown(seen, "MsalServiceException", alike::wrong_secret)),
            flow("unknown client", |seen| thrown(seen, "MsalServiceException", alike::unknown_client)),
            flow("wrong password", |seen| thrown(seen, "MsalUiRequiredException", alike::wrong_password)),
            by_name("authority validated, by name", |seen| alike::named(seen, validated)),
            by_name("secret, by name", |seen| alike::named(seen, alike::secret)),
            by_name("certificate, by name", |seen| alike::named(seen, alike::certificate)),
            by_name("refresh by the cache, by name", |seen| alike::named(seen, alike::never_kept)),
        ],
    },
    Client {
        name: "JwtBearer of ASP.NET Core",
        pin: Pin::Package("Microsoft.AspNetCore.Authentication.JwtBearer"),
        language: Language::Dotnet,
        file: "api_jwt_bearer.cs",
        flows: &[
            flow("as it is", foreign_issuer),
            flow("`ValidIssuer` told", let_in),
            flow("audience without its final slash", let_in),
            flow("a token for another resource", |seen| {
                invalid(
                    seen,
                    "SecurityTokenInvalidAudienceException IDX10214:",
                    "The audience '(null)' is invalid",
                )
            }),
            flow("a changed token", |seen| {
                invalid(seen, "SecurityTokenInvalidSignatureException IDX10511:", "The signature is invalid")
            }),
            by_name("`ValidIssuer` told, by name", |seen| alike::named(seen, let_in)),
        ],
    },
];

fn thrown(seen: &Seen, exception: &str, judge: fn(&Seen) -> String) -> String {
    assert_eq!(seen.said["exception"], exception, "{}", seen.said);
    format!("`{exception}`: {}", judge(seen))
}

/// `WithAdfsAuthority(url)`, which is what a program has that nobody told of a lab.
fn validated(seen: &Seen) -> String {
    assert_eq!(seen.endpoints(), ["webfinger", "token"]);
    let url = seen.requests()[0]["request"]["url"].as_str().unwrap().to_ascii_lowercase();
    assert!(url.contains("/.well-known/webfinger?") && url.contains("rel=http"), "{url}");
    format!("asks the service's webfinger whether it is trusted; {}", alike::secret(seen))
}

fn invalid(seen: &Seen, reason: &str, description: &str) -> String {
    alike::answered(seen, 401, reason);
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{description}\"");
    assert_eq!(seen.said["challenge"], json!(challenge));
    let code = reason.trim_end_matches(':').rsplit(' ').next().unwrap();
    format!("401, {code}")
}

fn foreign_issuer(seen: &Seen) -> String {
    const ISSUER: &str = "http://ADFS.contoso.com/adfs/services/trust";
    let told = invalid(
        seen,
        "SecurityTokenInvalidIssuerException IDX10205:",
        &format!("The issuer '{ISSUER}' is invalid"),
    );
    format!(
        "{told}: discovery's `issuer` is another one; tell it `ValidIssuer`, the document's `access_token_issuer`"
    )
}

fn let_in(seen: &Seen) -> String {
    alike::answered(seen, 200, "");
    assert_eq!(seen.said["body"], seen.adfs("client_id"), "{}", seen.said);
    String::from("lets in what AD FS issued")
}
