//! APIs in .NET that are shown tokens: which they let in, and what they say to the others.
//!
//! Decides by a table, tokens by APIs, which is what these libraries document and what was seen; each API fetches discovery
//! and keys by Microsoft's own name. The reason is told twice: to the caller in `WWW-Authenticate`, to the log with a code.

use std::ffi::OsString;

use mocktenant_acceptance::tools;
use mocktenant_keys::shipped;
use mocktenant_lab::forge::Defect;
use serde_json::Value;

use crate::{exec, file, program};

/// An API: a program, what it is told of issuers, and the tenancies it is run with, all of which judge alike.
pub(crate) struct Api {
    pub(crate) name: &'static str,
    pub(crate) program: &'static str,
    issuers: &'static str,
    tenancies: &'static [&'static str],
}

const ONE: &[&str] = &["c0117050-0000-4000-8000-000000000001"];
const MANY: &[&str] = &["organizations", "common"];

const JWT_BEARER: &str = "api_jwt_bearer.cs";
const IDENTITY_WEB: &str = "api_identity_web.cs";

pub(crate) const APIS: [Api; 7] = [
    Api { name: "JwtBearer, one tenant", program: JWT_BEARER, issuers: "", tenancies: ONE },
    Api { name: "JwtBearer, many, as it is", program: JWT_BEARER, issuers: "", tenancies: MANY },
    Api { name: "JwtBearer, many, no issuer check", program: JWT_BEARER, issuers: "any", tenancies: MANY },
    Api { name: "JwtBearer, many, validator", program: JWT_BEARER, issuers: "validator", tenancies: MANY },
    Api { name: "JwtBearer, many, strict", program: JWT_BEARER, issuers: "strict", tenancies: MANY },
    Api { name: "Identity.Web, one tenant", program: IDENTITY_WEB, issuers: "", tenancies: ONE },
    Api { name: "Identity.Web, many", program: IDENTITY_WEB, issuers: "", tenancies: MANY },
];

/// A token, what each API makes of it, and why: the status, and the code of the reason where the library has one.
pub(crate) struct Row {
    pub(crate) token: &'static str,
    pub(crate) verdicts: [&'static str; 7],
    pub(crate) why: &'static str,
}

const ISSUER: &str = "401 IDX10205";
const AUDIENCE: &str = "401 IDX10214";
const SIGNATURE: &str = "401 IDX10511";
/// No configured tenant's; none of its own tenant's; nobody's.
const FOREIGN: &str = "401 IDX40001";
const ANOTHERS: &str = "401 IDX40004";
const NOBODYS: &str = "401 IDX40009";
/// Neither a scope nor a role.
const ROLELESS: &str = "401 IDW10201";
/// Whatever JwtBearer of many tenants has no reason to refuse, it refuses for its issuer.
const LET_IN: [&str; 7] = ["200", ISSUER, "200", "200", "200", "200", "200"];

const fn all(verdict: &'static str) -> [&'static str; 7] {
    [verdict; 7]
}

pub(crate) const ROWS: &[Row] = &[
    Row {
        token: "good",
        verdicts: LET_IN,
        why: "the issuer of `organizations` and `common` is a pattern, with which JwtBearer compares as it stands",
    },
    Row {
        token: "role not granted",
        verdicts: ["403", ISSUER, "403", "403", "403", "403", "403"],
        why: "`RequireRole` of a role that is not in `roles`",
    },
    Row {
        token: "no role",
        verdicts: ["403", ISSUER, "403", "403", "403", ROLELESS, ROLELESS],
        why: "Identity.Web wants a scope or a role in every token, whatever the API asks for",
    },
    Row { token: "no token", verdicts: all("401"), why: "the challenge alone: nothing was wrong" },
    Row {
        token: "garbage",
        verdicts: all("401 IDX14102"),
        why: "it has three parts, and the first is no JSON",
    },
    Row {
        token: "version 1",
        verdicts: all(AUDIENCE),
        why: "`aud` of a v1 token is the URI, and the API waits for its client id",
    },
    Row {
        token: "next key",
        verdicts: LET_IN,
        why: "published before it is used, so that a change of keys is no event",
    },
    Row {
        token: "of another tenant",
        verdicts: [ISSUER, ISSUER, "200", "200", "200", FOREIGN, "200"],
        why: "a good one: an API of many tenants has to ask by itself which of them it serves",
    },
    Row { token: "bad-signature", verdicts: all(SIGNATURE), why: "" },
    Row {
        token: "unknown-kid",
        verdicts: ["200", ISSUER, "200", "200", "401 IDX10500", "200", "200"],
        why: "a published key did sign it, and where `kid` names none all are tried, but for `TryAllIssuerSigningKeys = false`",
    },
    Row {
        token: "wrong-issuer",
        verdicts: [ISSUER, ISSUER, "200", FOREIGN, ANOTHERS, ANOTHERS, ANOTHERS],
        why: "`ValidateIssuer = false` asks nothing; where the key's issuer is asked for too, `iss` has to hold `tid` first",
    },
    Row { token: "wrong-audience", verdicts: all(AUDIENCE), why: "" },
    Row {
        token: "wrong-tenant",
        verdicts: ["200", ISSUER, "200", FOREIGN, ANOTHERS, ANOTHERS, ANOTHERS],
        why: "JwtBearer never looks at `tid`; the validators want it to be that of `iss`",
    },
    Row { token: "expired", verdicts: all("401 IDX10223"), why: "" },
    Row { token: "not-yet-valid", verdicts: all("401 IDX10222"), why: "" },
    Row { token: "alg-none", verdicts: all("401 IDX10504"), why: "there is no signature to look at" },
    Row { token: "hs256-with-public-key", verdicts: all(SIGNATURE), why: "an RSA key verifies no HS256" },
    Row { token: "no-oid", verdicts: LET_IN, why: "the API's own to ask" },
    Row {
        token: "no-tid",
        verdicts: ["200", ISSUER, "200", "200", NOBODYS, NOBODYS, NOBODYS],
        why: "the issuer's validator takes the tenant from `iss` then; the key's wants `tid`",
    },
    Row { token: "no-appid", verdicts: LET_IN, why: "the API's own to ask: who the caller is" },
];

/// What is behind a code: the exception, and what the caller is told.
pub(crate) const REASONS: &[(&str, &str, &str)] = &[
    ("IDW10201", "AuthenticationFailureException", ""),
    ("IDX10205", "SecurityTokenInvalidIssuerException", "The issuer 'https://login.microsoftonline.com/"),
    ("IDX10214", "SecurityTokenInvalidAudienceException", "The audience '(null)' is invalid"),
    ("IDX10222", "SecurityTokenNotYetValidException", "The token is not valid before '"),
    ("IDX10223", "SecurityTokenExpiredException", "The token expired at '"),
    ("IDX10500", "SecurityTokenSignatureKeyNotFoundException", "The signature key was not found"),
    ("IDX10503", "SecurityTokenSignatureKeyNotFoundException", "The signature key was not found"),
    ("IDX10504", "SecurityTokenInvalidSignatureException", "The signature is invalid"),
    ("IDX10511", "SecurityTokenInvalidSignatureException", "The signature is invalid"),
    ("IDX14102", "ArgumentException", ""),
    ("IDX40001", "SecurityTokenInvalidIssuerException", "The issuer '(null)' is invalid"),
    ("IDX40004", "SecurityTokenInvalidIssuerException", "The issuer '(null)' is invalid"),
    ("IDX40009", "SecurityTokenInvalidIssuerException", "The issuer '(null)' is invalid"),
];

/// An answer of an API.
struct Answer<'o> {
    token: &'o str,
    verdict: String,
    body: &'o str,
    challenge: &'o str,
    exception: &'o str,
}

fn answer(section: &str) -> Answer<'_> {
    let (token, http) = section.split_once('\n').unwrap();
    let (head, body) = http.split_once("\r\n\r\n").unwrap();
    let field = |name: &str| {
        let fields = head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    };
    let status = head.split(' ').nth(1).unwrap();
    let (exception, code) = field("x-reason").split_once(' ').unwrap_or_default();
    let verdict = format!("{status} {}", code.trim_end_matches(':')).trim_end().to_owned();
    Answer { token, verdict, body: body.trim(), challenge: field("www-authenticate"), exception }
}

/// What the caller is told goes with the verdict.
fn holds(answer: &Answer) {
    let Answer { token, verdict, body, challenge, exception } = answer;
    let seen = (&**verdict, *body, *challenge, *exception);
    match &**verdict {
        // The roles the API sees.
        "200" => assert_eq!(seen, ("200", "Tasks.Read.All", "", ""), "{token}"),
        "403" => assert_eq!(seen, ("403", "", "", ""), "{token}"),
        "401" => assert_eq!(seen, ("401", "", "Bearer", ""), "{token}"),
        refused => {
            let code = refused.strip_prefix("401 ").unwrap();
            let (_, thrown, told) = REASONS.iter().find(|(known, ..)| *known == code).unwrap();
            let said = challenge.strip_prefix("Bearer error=\"invalid_token\"").unwrap();
            let description = said.strip_prefix(", error_description=\"").unwrap_or_default();
            assert!(
                description.starts_with(told) && description.is_empty() == told.is_empty(),
                "{token}: {challenge}"
            );
            assert_eq!(exception, thrown, "{token}");
        }
    }
}

/// Runs an API beside a script that shows it tokens: what is printed of each, and the journal.
fn run(api: &Api, tenancy: &str, script: &str) -> Option<(String, Vec<Value>)> {
    tools::or_skip("curl")?;
    let mut command = program(api.program)?;
    let defects = Defect::ALL.iter().map(|defect| defect.word()).collect::<Vec<_>>().join(" ");
    let next = shipped::token_signing_next().certificate().thumbprint().base64url();
    let line = format!(
        "export DEFECTS='{defects}' NEXT_KEY={next} SCRATCH=\"$(mktemp -d)\"
         trap 'rm -rf \"$SCRATCH\"' EXIT
         sh '{}' \"$@\"",
        file(script).display()
    );
    command.extend([tenancy, api.issuers].map(OsString::from));
    let out = exec("secret", &line, &command);
    let (answers, journal) = out.split_once("\n= journal\n").unwrap();
    let journal = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Some((format!("\n{answers}"), journal))
}

fn answers(printed: &str) -> Vec<Answer<'_>> {
    printed.split("\n= ").skip(1).map(answer).collect()
}

/// What the API itself asked for, in this order.
fn fetched(journal: &[Value]) -> Vec<String> {
    let through = |record: &&Value| {
        let by_proxy = record["facts"].as_array().unwrap().iter().any(|fact| fact["name"] == "via");
        by_proxy && record["request"]["method"] == "GET"
    };
    let urls = journal.iter().filter(through).map(|record| {
        assert_eq!(record["answer"]["status"], 200, "{record}");
        record["request"]["url"].as_str().unwrap().to_owned()
    });
    urls.collect()
}

/// Shows an API of this tenancy every token.
fn shown(api: &Api, column: usize, tenancy: &str) {
    let Some((printed, journal)) = run(api, tenancy, "tokens.sh") else { return };
    let answers = answers(&printed);
    let verdicts: Vec<(&str, &str)> = answers.iter().map(|answer| (answer.token, &*answer.verdict)).collect();
    let expected: Vec<(&str, &str)> = ROWS.iter().map(|row| (row.token, row.verdicts[column])).collect();
    assert_eq!(verdicts, expected, "{} of {tenancy}", api.name);
    answers.iter().for_each(holds);
    // What an API needs of Entra, by its real name, through the proxy.
    let mut fetched = fetched(&journal);
    fetched.sort();
    fetched.dedup();
    let base = format!("https://login.microsoftonline.com/{tenancy}");
    let needed =
        [format!("{base}/discovery/v2.0/keys"), format!("{base}/v2.0/.well-known/openid-configuration")];
    assert_eq!(fetched, needed, "{} of {tenancy}", api.name);
}

#[test]
fn an_api_that_meets_a_key_it_does_not_know_fetches_the_keys_again_and_goes_on() {
    for (column, unknown) in [(0, "401 IDX10503"), (4, "401 IDX10500"), (5, "401 IDX10503")] {
        let api = &APIS[column];
        let Some((printed, journal)) = run(api, api.tenancies[0], "rollover.sh") else { return };
        let answers = answers(&printed);
        let [before, first, after] = answers.as_slice() else { panic!("{printed}") };
        assert_eq!((&*before.verdict, &*after.verdict), ("200", "200"), "{}: {printed}", api.name);
        // It is refused while they are fetched, unless that was quick.
        assert!(first.verdict == unknown || first.verdict == "200", "{}: {printed}", api.name);
        answers.iter().for_each(holds);
        // Not once for each token: everything since the change was one fetch.
        let changed = journal.iter().filter(|record| record["kind"] == "forged").nth(1).unwrap();
        let since = journal.iter().position(|record| record["id"] == changed["id"]).unwrap();
        let fetched = fetched(&journal[since..]);
        let keys = fetched.iter().filter(|url| url.ends_with("/discovery/v2.0/keys")).count();
        assert_eq!((keys, fetched.len()), (1, 2), "{}: {fetched:?}", api.name);
    }
}

macro_rules! apis {
    ($($test:ident: $column:literal,)+) => {
        $(
            #[test]
            fn $test() {
                let api = &APIS[$column];
                for tenancy in api.tenancies {
                    shown(api, $column, tenancy);
                }
            }
        )+

        #[test]
        fn every_api_of_the_table_has_a_test_and_every_defect_a_row() {
            assert_eq!([$($column),+], std::array::from_fn::<usize, { APIS.len() }, _>(|column| column));
            let rows: Vec<&str> = ROWS.iter().map(|row| row.token).collect();
            let defects: Vec<&str> = Defect::ALL.iter().map(|defect| defect.word()).collect();
            assert!(rows.ends_with(&defects), "{rows:?}");
        }
    };
}

apis! {
    jwt_bearer_of_one_tenant_lets_in_what_that_tenant_issued: 0,
    jwt_bearer_of_many_tenants_lets_in_nobody_as_it_stands: 1,
    jwt_bearer_without_an_issuer_check_lets_in_whatever_the_keys_signed: 2,
    jwt_bearer_with_the_validator_lets_in_each_tenant_as_itself: 3,
    jwt_bearer_that_asks_for_everything_refuses_what_the_others_let_in: 4,
    identity_web_of_one_tenant_lets_in_what_that_tenant_issued: 5,
    identity_web_of_many_tenants_lets_in_each_tenant_as_itself: 6,
}
