//! Every endpoint of the control API: the one table.
//!
//! Decides paths and methods; what each does stands in its noun's file.

use axum::routing::{get, patch, post, put};

use crate::endpoint::{Body, JSON, NOTHING, query, segment};
use crate::{
    application_groups, attempt, authority, environments, errors, events, explain, front, health, journal,
    openapi, proxy_pac, rollover, scenarios, settings, stopping, tokens, users, world,
};

pub use crate::endpoint::{Endpoint, Parameter};

/// An endpoint that takes and says nothing special.
const PLAIN: Endpoint = Endpoint {
    method: "get",
    path: "",
    free: false,
    summary: "",
    parameters: &[],
    body: None,
    answers: JSON,
    answer: "",
    statuses: &[],
    handler: || get(health::version),
};

/// Every endpoint, in the order of the reference.
pub const ALL: &[Endpoint] = &[
    Endpoint {
        path: "/",
        summary: "A page for people: URLs, the last exchanges, the scenarios, where to read on",
        answers: "text/html",
        answer: "the page",
        handler: || get(front::page),
        ..PLAIN
    },
    Endpoint {
        path: "/health",
        free: true,
        summary: "Whether the lab answers",
        answer: "`status`, `instance`, and how the certificate authority is",
        statuses: &[(503, "it is starting, or its certificates are not valid")],
        handler: || get(health::health),
        ..PLAIN
    },
    Endpoint {
        path: "/version",
        free: true,
        summary: "Which mocktenant this is",
        answer: "`version`",
        handler: || get(health::version),
        ..PLAIN
    },
    Endpoint {
        path: "/ca.pem",
        free: true,
        summary: "The root a person may trust: local and declared names",
        answers: "application/x-pem-file",
        answer: "the certificate",
        handler: || get(authority::local),
        ..PLAIN
    },
    Endpoint {
        path: "/ca-real-names.pem",
        free: true,
        summary: "The root that speaks for the world's Microsoft names: for one program, never for a machine",
        answers: "application/x-pem-file",
        answer: "the certificate",
        handler: || get(authority::real_names),
        ..PLAIN
    },
    Endpoint {
        path: "/proxy.pac",
        free: true,
        summary: "Proxy auto-configuration: a browser that takes it reaches the names of the world in this lab",
        answers: "application/x-ns-proxy-autoconfig",
        answer: "the script",
        handler: || get(proxy_pac::pac),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/settings",
        summary: "Every URL, id, secret and file of the lab",
        parameters: &[query(
            "for",
            "string",
            "`host` (the machine whose ports the lab has), or `network`: names of the world, no proxy, and only the files of \
             `--ca-directory`",
        )],
        answer: "the document of `settings.json`, or what it is for a caller in the lab's network",
        statuses: &[(409, "for a network: the lab was started without `--real-names`")],
        handler: || get(settings::get),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/journal",
        summary: "What happened",
        parameters: &[
            query("failed", "boolean", "only what was refused"),
            query("since", "integer", "only after this sequence number"),
            query(
                "id",
                "string",
                "only the exchange with this id and what it caused, or one that carried this request or correlation id",
            ),
            query("limit", "integer", "at most so many, 1 to 1000: the first after `since`, else the newest"),
            query("wait", "number", "seconds to wait for one if there is none yet, 0 to 60"),
        ],
        answer: "`records`, `next` (the `since` of the following call), `dropped`",
        handler: || get(journal::list),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/journal/{id}",
        summary: "One exchange with everything it caused",
        parameters: &[segment("id", "an exchange id, `x-...`")],
        answer: "the record, with `children` to any depth",
        statuses: &[(404, "the journal has no such exchange")],
        handler: || get(journal::one),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/events",
        summary: "The event logs of AD FS, as views of the journal: `AD FS/Admin` and the audits of `Security`",
        parameters: &[
            query("log", "string", "only `admin` or `security`"),
            query("activity", "string", "only with this Activity ID"),
            query("since", "integer", "only after this `number`"),
            query("limit", "integer", "at most so many, 1 to 1000: the first after `since`, else the newest"),
            query("wait", "number", "seconds to wait for one if there is none yet, 0 to 60"),
        ],
        answer: "`events` (each with `number`, its EventRecordID, `exchange`, `id`, `severity`, `activity`, `data`, and whole as \
                 `text` and as `xml`), `next` (the `since` of the following call), `dropped`",
        statuses: &[(400, "there is no such log")],
        handler: || get(events::list),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/explain",
        summary: "Why a call was refused, and the one setting to change",
        parameters: &[
            query("what", "string", "an exchange id, any id an answer carried, or `last`: the last refusal"),
            query("format", "string", "`json` or `text`"),
        ],
        answer: "the explanation (docs/explain.md)",
        statuses: &[(404, "the journal has no such exchange")],
        handler: || get(explain::get),
        ..PLAIN
    },
    Endpoint {
        method: "post",
        path: "/v1/explain",
        summary: "Judges a token, or a client's assertion, as a product would, without a request",
        parameters: &[query("format", "string", "`json` or `text`")],
        body: Some(Body {
            about: "`at` is an environment or organisation by its short name, or `entra`, `aos`, `dataverse`; the journal keeps the \
                    checks and not the token",
            example: r#"{"at":"onebox","token":"eyJ..."}"#,
        }),
        answer: "the explanation (docs/explain.md), every check in `checks`",
        statuses: &[(404, "there is no such place")],
        handler: || post(explain::judge),
        ..PLAIN
    },
    Endpoint {
        method: "post",
        path: "/v1/tokens",
        summary: "Makes a token: what the world's caller would be given, with what the order says changed",
        body: Some(Body {
            about: "an order, all of it optional: `issuer` (`entra` or `adfs`; else whom the caller asks), `resource` (a URI, a \
                    client id, or a short name), `version` (1 or 2), `client` (a client id), `claims` (added or replaced; null \
                    takes one out), `roles`, `lifetime` (seconds), `key` (a `kid` of the issuer), `real_names` (true: the issuer under Microsoft's own names), and one `defect` of those at the end of this page",
            example: r#"{"resource":"dataverse","defect":"expired"}"#,
        }),
        answer: "`token`, `header`, `claims`, `defect` (or null), `exchange`: it is in the journal as `forged`",
        statuses: &[(
            422,
            "the order names something that is not there, or that the issuer's tokens do not have",
        )],
        handler: || post(tokens::forge),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/world",
        summary: "The declaration, one value of it, or what a name in it means",
        parameters: &[
            query("pointer", "string", "one value, by RFC 6901 pointer"),
            query("find", "string", "what a short name means, `Aad.Realm` or `onebox/Aad.Realm`"),
            query("masked", "boolean", "secrets are hidden"),
        ],
        answer: "the declaration; with `pointer`: `pointer`, `value`, `origin`, `place`, `restart`; with `find`: `name`, \
                 `settings`, `nearest`, `new`; `ETag` is the state of the world",
        statuses: &[(404, "there is no such value")],
        handler: || get(world::get),
        ..PLAIN
    },
    Endpoint {
        method: "patch",
        path: "/v1/world",
        summary: "Changes the declaration: all edits or none",
        body: Some(Body {
            about: "RFC 6902; elements of lists are addressed by their own value",
            example: r#"[{"op":"replace","path":"/environments/onebox/web_config/Aad.Realm","value":"spn:00000015-0000-0000-c000-000000000000"}]"#,
        }),
        answer: "`applied`, `generation`, `edits` (each value before and after, secrets hidden), `restart` (environments that \
                 read it at their start only)",
        statuses: &[
            (409, "a `test` does not hold"),
            (412, "`If-Match` names another state of the world"),
            (422, "an edit cannot be made, or what it makes is no world"),
        ],
        handler: || patch(world::patch),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/application-groups",
        summary: "The application groups of every federation service, as the AD FS console shows them",
        answer: "a list: `federation_service`, `host_name`, `name`, `description`, `pointer`, `applications` (each with `kind`; \
                 credentials by name, never by value)",
        handler: || get(application_groups::list),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/users",
        summary: "The users of every tenant and federation service",
        answer: "a list: `of` (`tenant/ID` or `federation-service/NAME`), `name`, `display_name`, `pointer`; of a federation \
                 service also `account`, `groups` and whether the account is `enabled`, `locked` or `expired`",
        handler: || get(users::list),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/scenarios",
        summary: "The broken worlds there are",
        answer: "a list: `name`, `title`, `symptom`, `edits`, `after`, `steps` (each also `how` and `see`, for the real product)",
        handler: || get(scenarios::list),
        ..PLAIN
    },
    Endpoint {
        method: "put",
        path: "/v1/scenario",
        summary: "Breaks the lab as a scenario says; records and journal begin anew",
        body: Some(Body { about: "its name", example: r#"{"name":"half-done"}"# }),
        answer: "`scenario`, `generation`",
        statuses: &[(422, "there is no such scenario, or it does not fit this world")],
        handler: || put(scenarios::put),
        ..PLAIN
    },
    Endpoint {
        method: "post",
        path: "/v1/reset",
        summary: "The world the lab began with: no records, no caches, an empty journal",
        parameters: &[query(
            "scope",
            "string",
            "only `tenant/ID`, `federation-service/NAME`, `environment/NAME` or `organization/NAME`; the journal stays",
        )],
        body: NOTHING,
        answer: "`generation`",
        statuses: &[(404, "there is no such scope")],
        handler: || post(scenarios::reset),
        ..PLAIN
    },
    Endpoint {
        method: "post",
        path: "/v1/rollover",
        summary: "Makes the next token-signing key of an identity provider the primary one; those before stay published",
        body: Some(Body {
            about: "`of` is a tenant by its id or a domain, or a federation service by its short name or host",
            example: r#"{"of":"adfs.contoso.com"}"#,
        }),
        answer: "`rolled`, `generation`, `keys` (thumbprints, the primary key's first)",
        statuses: &[(404, "there is no such identity provider"), (409, "it has one key, and no next one")],
        handler: || post(rollover::roll),
        ..PLAIN
    },
    Endpoint {
        method: "post",
        path: "/v1/stop",
        summary: "Stops a machine: connections to its names are refused, its paths on a shared port are closed without an answer",
        body: Some(Body {
            about: "`of` is a federation service by its short name or host; an edit of its `stopped`, which a reset undoes",
            example: r#"{"of":"adfs.contoso.com"}"#,
        }),
        answer: "`machine`, `stopped`, `changed` (false where it was stopped already), `generation`",
        statuses: &[(404, "there is no such machine, or none that can be stopped")],
        handler: || post(stopping::stop),
        ..PLAIN
    },
    Endpoint {
        method: "post",
        path: "/v1/start",
        summary: "Starts a machine that is stopped",
        body: Some(Body { about: "as for a stop", example: r#"{"of":"adfs.contoso.com"}"# }),
        answer: "`machine`, `stopped`, `changed` (false where it ran already), `generation`",
        statuses: &[(404, "there is no such machine, or none that can be stopped")],
        handler: || post(stopping::start),
        ..PLAIN
    },
    Endpoint {
        method: "post",
        path: "/v1/environments/{id}/restart",
        summary: "Restarts an environment, as IISRESET would: it reads its configuration again",
        parameters: &[
            segment("id", "the environment's short name"),
            query("node", "string", "only this node"),
        ],
        body: NOTHING,
        answer: "`restarted`, `start` (its exchange), `failed` (the check that kept it from starting, or null)",
        statuses: &[(404, "there is no such environment or node")],
        handler: || post(environments::restart),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/environments/{id}/nodes",
        summary: "The nodes of an environment, each with its state, its last start and what waits for a restart",
        parameters: &[segment("id", "the environment's short name")],
        answer: "`environment`, `nodes`: each with `node`, `state` (running, not-started, stopped), `start`, `failure`, \
                 `pending` (settings that it read otherwise)",
        statuses: &[(404, "there is no such environment")],
        handler: || get(environments::nodes),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/environments/{id}/nodes/{node}/current",
        summary: "AXSF.Package.Current.xml of a node: the startup file as its last start read it, byte for byte",
        parameters: &[
            segment("id", "the environment's short name"),
            segment("node", "the node's short name"),
        ],
        answer: "the file",
        statuses: &[(404, "there is no such node, or it has no startup file")],
        handler: || get(environments::current),
        ..PLAIN
    },
    Endpoint {
        method: "post",
        path: "/v1/environments/{id}/servicing",
        summary: "Services an environment: what was edited on single nodes is gone, and all of them start again",
        parameters: &[segment("id", "the environment's short name")],
        body: NOTHING,
        answer: "`serviced`, `reverted` (the settings that are there no more), `generation`",
        statuses: &[(404, "there is no such environment")],
        handler: || post(environments::servicing),
        ..PLAIN
    },
    Endpoint {
        method: "post",
        path: "/v1/try",
        summary: "Lets the declared caller do once what it does; a customer gets a number of its own",
        body: NOTHING,
        answer: "`did`, `exchange`, `token_exchange`, `status`, `refused`, `body`; `shown`, the lines a person reads, where that is a page",
        statuses: &[(409, "no product of this world is asked for such a thing")],
        handler: || post(attempt::once),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/errors",
        summary: "Every text the products answer with, how sure it is, and where it comes from",
        answer: "surface name to rows",
        handler: || get(errors::get),
        ..PLAIN
    },
    Endpoint {
        path: "/v1/openapi.json",
        summary: "This API as an OpenAPI document",
        answer: "OpenAPI 3.1",
        handler: || get(openapi::get),
        ..PLAIN
    },
];

/// What can be asked for by one word: `journal` is `GET /v1/journal`.
pub fn nouns() -> impl Iterator<Item = &'static str> {
    ALL.iter()
        .filter(|endpoint| endpoint.method == "get")
        .filter_map(|endpoint| endpoint.path.strip_prefix("/v1/"))
        .filter(|noun| !noun.contains('/'))
}
