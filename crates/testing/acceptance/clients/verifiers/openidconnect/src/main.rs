//! An API's judge of tokens, by openidconnect: verifier ISSUER AUDIENCE, tokens on standard input, a verdict for each.
//! The root of the tests is trusted through SSL_CERT_FILE, which reqwest reads with native roots on Linux.

use std::error::Error;
use std::io::stdin;
use std::time::SystemTime;

use openidconnect::core::{
    CoreGenderClaim, CoreIdTokenVerifier, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata,
};
use openidconnect::{AdditionalClaims, ClientId, IdToken, IssuerUrl, Nonce};

#[derive(Debug, serde::Deserialize, serde::Serialize)]
struct Roles {
    #[serde(default)]
    roles: Vec<String>,
}

impl AdditionalClaims for Roles {}

type Token = IdToken<Roles, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (issuer, audience) = arguments.next().zip(arguments.next()).ok_or("verifier ISSUER AUDIENCE")?;
    let http = reqwest::blocking::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    // Discovery, and the keys with it.
    let provider = CoreProviderMetadata::discover(&IssuerUrl::new(issuer)?, &http)?;
    // It asks nothing of `nbf`; `iat` is left to whoever uses it.
    let verifier = CoreIdTokenVerifier::new_public_client(
        ClientId::new(audience),
        provider.issuer().clone(),
        provider.jwks().clone(),
    )
    .set_issue_time_verifier_fn(|issued| match SystemTime::from(issued) > SystemTime::now() {
        true => Err(String::from("issued in the future")),
        false => Ok(()),
    });
    for line in stdin().lines() {
        let verdict = judge(&line?, &verifier).map_or_else(
            |error| format!("refused: {}", whole(&*error)),
            |roles| format!("accepted {}", roles.join(" ")),
        );
        println!("{verdict}");
    }
    Ok(())
}

fn judge(token: &str, verifier: &CoreIdTokenVerifier) -> Result<Vec<String>, Box<dyn Error>> {
    let token: Token = token.parse()?;
    let claims = token.claims(verifier, |_: Option<&Nonce>| Ok(()))?;
    Ok(claims.additional_claims().roles.clone())
}

/// An error and what it says was the reason.
fn whole(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", whole(source)))
}
