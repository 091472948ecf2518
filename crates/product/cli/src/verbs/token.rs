//! `token`: a token on stdout, and nothing beside it.

use std::fmt::Write as _;

use clap::builder::{FalseyValueParser, PossibleValuesParser};
use clap::{ArgAction, Args};
use http::Method;
use mocktenant_lab::forge::Defect;
use serde_json::{Map, Value};

use crate::args::Common;
use crate::console;
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::LabAt;

/// `token`.
#[derive(Args, Clone, Debug)]
#[command(after_help = help())]
pub(crate) struct Token {
    /// Who issues it: `entra` or `adfs`; default: whom the world's caller asks
    #[arg(long, value_name = "ISSUER", env = "MOCKTENANT_TOKEN_ISSUER")]
    pub(crate) issuer: Option<String>,

    /// What it is for: a URI or client id, or the short name of an environment or organisation
    #[arg(long, value_name = "RESOURCE", env = "MOCKTENANT_TOKEN_RESOURCE")]
    pub(crate) resource: Option<String>,

    /// 1 or 2; default: what the resource asks for
    #[arg(id = "token-version", long, value_name = "VERSION", env = "MOCKTENANT_TOKEN_VERSION")]
    pub(crate) version: Option<u8>,

    /// Client id it is issued to, registered or not; default: the world's caller
    #[arg(long, value_name = "CLIENT_ID", env = "MOCKTENANT_TOKEN_CLIENT")]
    pub(crate) client: Option<String>,

    /// A claim to add or replace, repeatable; JSON, or else a text; `null` takes it out
    #[arg(long, value_name = "NAME=VALUE", env = "MOCKTENANT_TOKEN_CLAIM")]
    pub(crate) claim: Vec<String>,

    /// Application roles in place of the granted ones, with commas between; empty for none
    #[arg(long, value_name = "ROLES", value_delimiter = ',', env = "MOCKTENANT_TOKEN_ROLES")]
    pub(crate) roles: Option<Vec<String>>,

    /// Seconds it is good for, from now on
    #[arg(long, value_name = "SECONDS", env = "MOCKTENANT_TOKEN_LIFETIME")]
    pub(crate) lifetime: Option<u32>,

    /// `kid` of the tenant's key that signs it; default: the active one
    #[arg(long, value_name = "KID", env = "MOCKTENANT_TOKEN_KEY")]
    pub(crate) key: Option<String>,

    /// With the issuer that clients see under Microsoft's own names, as those of `exec` do
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_TOKEN_REAL_NAMES")]
    pub(crate) real_names: bool,

    /// The one thing that is wrong with it
    #[arg(
        long,
        value_name = "DEFECT",
        value_parser = PossibleValuesParser::new(Defect::ALL.iter().map(|defect| defect.word())),
        hide_possible_values = true,
        env = "MOCKTENANT_TOKEN_DEFECT"
    )]
    pub(crate) defect: Option<String>,

    /// Print JSON: token, header, claims, defect, exchange
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), env = "MOCKTENANT_JSON")]
    pub(crate) json: bool,
}

fn help() -> String {
    let mut help = String::from(
        "\
Without flags it is the very token that Entra would issue to the world's caller;
with --issuer adfs, the one of AD FS for userinfo, or for the Web API that is named.
The lab's products judge it as any other, whoever made it; the journal has it as
`forged`. Nothing outside the lab takes it.

Defects:
",
    );
    for defect in Defect::ALL {
        // Writing to a String cannot fail.
        let _ = writeln!(help, "  {:<23} {}", defect.word(), defect.about());
    }
    help.push_str(
        "
Examples:
  TOKEN=$(mocktenant token)                     what the caller would be given
  mocktenant token --resource dataverse         for the organisation
  mocktenant token --resource api://contoso-api --roles Tasks.Read.All
  mocktenant token --defect expired | mocktenant explain --at onebox
                                                and what the AOS says to it
  mocktenant token --issuer adfs --resource https://ax.contoso.com/
                                                of AD FS, for its Web API
  mocktenant token --claim tid=null --claim 'groups=[\"a\"]' --lifetime 60
  mocktenant token --json | jq .claims",
    );
    help
}

/// Exits 0 if there is a token, 1 if the order cannot be filled.
pub(crate) async fn run(common: &Common, token: Token) -> Outcome {
    let order = order(&token)?;
    let lab = LabAt::find(common).await?;
    let forged = lab.write(Method::POST, "/v1/tokens", &Value::Object(order)).await?;
    if token.json {
        console::line(&format!("{forged:#}"))?;
    } else {
        console::line(forged["token"].as_str().unwrap_or_default())?;
    }
    Ok(0)
}

/// The flags as the control API takes them.
fn order(token: &Token) -> Result<Map<String, Value>, Failure> {
    let mut claims = Map::new();
    for claim in &token.claim {
        let Some((name, value)) = claim.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Failure::new(
                Exit::Usage,
                format!("--claim {} has no value", console::harmless(claim)),
            )
            .hint("write it as NAME=VALUE, for instance --claim tid=null"));
        };
        let value = serde_json::from_slice(value.as_bytes()).unwrap_or_else(|_| Value::from(value));
        claims.insert(name.to_owned(), value);
    }
    let roles = token.roles.as_ref().map(|roles| {
        let named = roles.iter().filter(|role| !role.is_empty());
        named.map(|role| Value::from(role.as_str())).collect::<Value>()
    });
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    let members = [
        ("issuer", text(&token.issuer)),
        ("resource", text(&token.resource)),
        ("version", token.version.map(Value::from)),
        ("client", text(&token.client)),
        ("claims", (!claims.is_empty()).then_some(Value::Object(claims))),
        ("roles", roles),
        ("lifetime", token.lifetime.map(Value::from)),
        ("key", text(&token.key)),
        ("real_names", token.real_names.then_some(Value::Bool(true))),
        ("defect", text(&token.defect)),
    ];
    Ok(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Verb};

    fn ordered(line: &str) -> Result<String, u8> {
        let Verb::Token(token) = Cli::try_parse_from(line.split(' ')).unwrap().verb else { panic!("token") };
        order(&token).map(|order| Value::Object(order).to_string()).map_err(|_| 2)
    }

    #[test]
    fn flags_are_an_order_and_a_claim_is_json_or_a_text() {
        assert_eq!(ordered("m token").unwrap(), "{}");
        assert_eq!(
            ordered("m token --resource onebox --claim tid=null --claim a=b=c --claim n=1 --lifetime 60")
                .unwrap(),
            r#"{"resource":"onebox","claims":{"tid":null,"a":"b=c","n":1},"lifetime":60}"#
        );
        assert_eq!(ordered("m token --real-names").unwrap(), r#"{"real_names":true}"#);
        assert_eq!(
            ordered("m token --issuer adfs --defect expired").unwrap(),
            r#"{"issuer":"adfs","defect":"expired"}"#
        );
        assert_eq!(ordered("m token --roles A,B").unwrap(), r#"{"roles":["A","B"]}"#);
        assert_eq!(ordered("m token --roles=").unwrap(), r#"{"roles":[]}"#);
        assert_eq!(
            ordered("m token --token-version 2 --defect no-tid").unwrap(),
            r#"{"version":2,"defect":"no-tid"}"#
        );
        assert_eq!(ordered("m token --claim tid"), Err(2));
        assert!(Cli::try_parse_from("m token --defect no-aud".split(' ')).is_err());
    }
}
