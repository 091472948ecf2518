// Flows of the two OAuth clients for Node that know nothing of Microsoft, openid-client and oauth4webapi, against one lab.
//
//     node oauth.mjs CLIENT FLOW SETTINGS
//
// A flow prints one JSON object with what the client saw and leaves judging it to its caller. Both are told the issuer, take
// everything else from discovery, and are asked for the same things; what differs is in the table of clients. Nothing is
// patched: the CA is trusted through NODE_EXTRA_CA_CERTS.

import { createPrivateKey, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import * as jose from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

const clients = {
    openid_client: {
        methods: openid,
        discovered: (issuer, id, auth) => openid.discovery(new URL(issuer), id, undefined, auth),
        server: (config) => config.serverMetadata(),
        told: (server, id, auth) => new openid.Configuration(server, id, undefined, auth),
        granted: (config, parameters) => openid.clientCredentialsGrant(config, parameters),
        called: (config, token, url) => openid.fetchProtectedResource(config, token, new URL(url), "GET"),
    },
    oauth4webapi: {
        methods: oauth,
        async discovered(issuer, client_id, auth) {
            const url = new URL(issuer);
            const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
            return { server, client: { client_id }, auth };
        },
        server: ({ server }) => server,
        told: (server, client_id, auth) => ({ server, client: { client_id }, auth }),
        async granted({ server, client, auth }, parameters) {
            const response = await oauth.clientCredentialsGrantRequest(server, client, auth, parameters);
            return oauth.processClientCredentialsResponse(server, client, response);
        },
        called: (_, token, url) => oauth.protectedResourceRequest(token, "GET", new URL(url)),
    },
};

const UNREGISTERED_APPLICATION = "5a1b2c3d-4e5f-4061-8273-8495a6b7c8d9";
const UNKNOWN_TENANT = "7d0f2b1e-93c4-4b5a-a6d7-e8f901234567";
const UNKNOWN_RESOURCE = "https://unknown-resource.example";

const issuer = (settings) => settings.entra.authority + "/v2.0";

/** What the client got, and whether Dataverse takes it; or the error as the client hands it on. */
async function acquired(client, settings, config, resource = settings.dataverse.resource) {
    let result;
    try {
        result = await client.granted(config, { scope: resource + "/.default" });
    } catch (error) {
        const { name, code, status, error: kind, error_description, cause } = error;
        return { name, code, status, error: kind, ...cause, error_description };
    }
    const answer = await client.called(config, result.access_token, settings.dataverse.url + "/api/data/v9.2/WhoAmI");
    return {
        token_type: result.token_type,
        claims: jose.decodeJwt(result.access_token),
        who_am_i: answer.status,
        issuer: client.server(config).issuer,
    };
}

async function by(client, settings, auth, id = settings.entra.client_id, resource = undefined) {
    return acquired(client, settings, await client.discovered(issuer(settings), id, auth), resource);
}

/** An assertion's key and header: both clients leave it to their caller to name a certificate. */
function certificate(client, key, header) {
    return client.methods.PrivateKeyJwt(key, {
        [client.methods.modifyAssertion]: (written) => Object.assign(written, header),
    });
}

const base64url = (hex) => Buffer.from(hex, "hex").toString("base64url");

/** The key of the registered certificate, which the file has beside it. */
function registered(settings, algorithm) {
    const key = createPrivateKey(settings.entra.certificate_pem_text);
    return jose.importPKCS8(key.export({ type: "pkcs8", format: "pem" }), algorithm);
}

/** A token for an API of one's own, and what its verifier has to know. */
async function forAnApi(client, settings) {
    const auth = client.methods.ClientSecretPost(settings.entra.client_secret);
    const config = await client.discovered(issuer(settings), settings.entra.client_id, auth);
    const { access_token: token } = await client.granted(config, { scope: settings.custom_api.uri + "/.default" });
    return { token, server: client.server(config), audience: settings.custom_api.client_id };
}

const flows = {
    async discovery(client, settings) {
        const config = await client.discovered(issuer(settings), settings.entra.client_id, client.methods.None());
        const { issuer: said, token_endpoint, jwks_uri } = client.server(config);
        return { issuer: said, token_endpoint, jwks_uri };
    },

    secret_post: (client, settings) =>
        by(client, settings, client.methods.ClientSecretPost(settings.entra.client_secret)),

    secret_basic: (client, settings) =>
        by(client, settings, client.methods.ClientSecretBasic(settings.entra.client_secret)),

    async certificate(client, settings) {
        const header = { x5t: base64url(settings.entra.certificate_thumbprint) };
        return by(client, settings, certificate(client, await registered(settings, "RS256"), header));
    },

    async certificate_ps256(client, settings) {
        const header = { "x5t#S256": base64url(settings.entra.certificate_thumbprint_sha256) };
        return by(client, settings, certificate(client, await registered(settings, "PS256"), header));
    },

    wrong_secret: (client, settings) => by(client, settings, client.methods.ClientSecretPost("no-secret-of-that-application")),

    wrong_secret_basic: (client, settings) =>
        by(client, settings, client.methods.ClientSecretBasic("no-secret-of-that-application")),

    expired_secret(client, settings) {
        const { expired_client_id, expired_client_secret } = settings.entra;
        return by(client, settings, client.methods.ClientSecretPost(expired_client_secret), expired_client_id);
    },

    async unregistered_certificate(client, settings) {
        const { privateKey } = await jose.generateKeyPair("RS256");
        const thumbprint = randomBytes(20).toString("hex").toUpperCase();
        const seen = await by(client, settings, certificate(client, privateKey, { x5t: base64url(thumbprint) }));
        return { thumbprint, ...seen };
    },

    async unregistered_application(client, settings) {
        const auth = client.methods.ClientSecretPost(settings.entra.client_secret);
        return { client_id: UNREGISTERED_APPLICATION, ...(await by(client, settings, auth, UNREGISTERED_APPLICATION)) };
    },

    /** Discovery ends it; what Entra said is in the answer that the client keeps as the cause. */
    async unknown_tenant(client, settings) {
        const auth = client.methods.ClientSecretPost(settings.entra.client_secret);
        try {
            const unknown = `${settings.entra.base_url}/${UNKNOWN_TENANT}/v2.0`;
            await client.discovered(unknown, settings.entra.client_id, auth);
        } catch (error) {
            return { raised: `${error.code}: ${error.message}`, context: await error.cause.text() };
        }
    },

    /** Somebody who keeps the server's description meets it at the token endpoint. */
    async unknown_tenant_at_the_token_endpoint(client, settings) {
        const auth = client.methods.ClientSecretPost(settings.entra.client_secret);
        const known = client.server(await client.discovered(issuer(settings), settings.entra.client_id, auth));
        const written = JSON.stringify(known).replaceAll(settings.entra.tenant_id, UNKNOWN_TENANT);
        return acquired(client, settings, client.told(JSON.parse(written), settings.entra.client_id, auth));
    },

    async unknown_resource(client, settings) {
        const auth = client.methods.ClientSecretPost(settings.entra.client_secret);
        const seen = await by(client, settings, auth, settings.entra.client_id, UNKNOWN_RESOURCE);
        return { resource: UNKNOWN_RESOURCE, ...seen };
    },

    /** The token of an API of one's own, by jose, which both clients are made with. */
    async token_checked(client, settings) {
        const { token, server, audience } = await forAnApi(client, settings);
        const keys = jose.createRemoteJWKSet(new URL(server.jwks_uri));
        const check = (text) => jose.jwtVerify(text, keys, { issuer: server.issuer, audience });
        const [head, body, signature] = token.split(".");
        const touched = [head, body, (signature[0] === "A" ? "B" : "A") + signature.slice(1)].join(".");
        const { payload } = await check(token);
        return { claims: payload, touched: await check(touched).then(() => "accepted", String) };
    },

    /** The same by the client's own validator, which is one of RFC 9068. */
    async own_validator(client, settings) {
        const { token, server, audience } = await forAnApi(client, settings);
        const request = new Request("https://api.example/", { headers: { Authorization: "Bearer " + token } });
        return oauth.validateJwtAccessToken(server, request, audience).then(
            () => ({ said: "accepted" }),
            ({ message, cause }) => ({ said: message, typ: cause.header.typ }),
        );
    },
};

const [client, flow, path] = process.argv.slice(2);
const settings = JSON.parse(readFileSync(path, "utf8"));
process.stdout.write(JSON.stringify(await flows[flow](clients[client], settings)));
