// openid-client, an OAuth client that knows nothing of Microsoft, at AD FS: openid_client.mjs FLOW SETTINGS
//
// A flow prints one JSON object with what the client saw.

import { execFileSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import * as jose from "jose";
import * as openid from "openid-client";

const [flow, path] = process.argv.slice(2);
const { adfs, entra, user } = JSON.parse(readFileSync(path, "utf8"));
const scope = adfs.resource + "/openid";

async function saw(asked, config) {
    try {
        const token = await asked;
        return { claims: jose.decodeJwt(token.access_token), token_type: token.token_type, issuer: config.serverMetadata().issuer };
    } catch ({ error, error_description }) {
        return { error: `${error}: ${error_description}` };
    }
}

const discovered = (auth, id = adfs.client_id) => openid.discovery(new URL(adfs.base_url), id, undefined, auth);

async function forItself(auth, parameters = { scope }) {
    const config = await discovered(auth);
    return saw(openid.clientCredentialsGrant(config, parameters), config);
}

const native = () => discovered(openid.None(), adfs.native_client_id);

const signedIn = (config, password = user.password) =>
    openid.genericGrantRequest(config, "password", { username: user.name, password, scope: "openid " + scope });

/** The key of the registered certificate; to name that one, and whom the assertion is for, is left to its caller. */
async function signing(claims) {
    const key = createPrivateKey(entra.certificate_pem_text).export({ type: "pkcs8", format: "pem" });
    const x5t = Buffer.from(entra.certificate_thumbprint, "hex").toString("base64url");
    return openid.PrivateKeyJwt(await jose.importPKCS8(key, "RS256"), {
        [openid.modifyAssertion]: (header, payload) => {
            header.x5t = x5t;
            claims(payload);
        },
    });
}

const person = (...line) =>
    JSON.parse(execFileSync(process.env.PYTHON, [process.env.PERSON, path, ...line], { encoding: "utf8" }));

const flows = {
    async sign_in() {
        const config = await native();
        const [pkceCodeVerifier, expectedNonce, expectedState] = [
            openid.randomPKCECodeVerifier(),
            openid.randomNonce(),
            openid.randomState(),
        ];
        const url = openid.buildAuthorizationUrl(config, {
            redirect_uri: adfs.redirect_uri,
            scope: "openid",
            resource: adfs.resource,
            code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
            code_challenge_method: "S256",
            nonce: expectedNonce,
            state: expectedState,
        });
        const back = new URL(adfs.redirect_uri);
        for (const [name, value] of Object.entries(person("goes", url.href))) back.searchParams.set(name, value);
        const checks = { pkceCodeVerifier, expectedNonce, expectedState };
        return saw(openid.authorizationCodeGrant(config, back, checks), config);
    },

    async discovery() {
        const { issuer, token_endpoint, jwks_uri } = (await discovered(openid.None())).serverMetadata();
        return { issuer, token_endpoint, jwks_uri };
    },

    secret_post: () => forItself(openid.ClientSecretPost(adfs.client_secret)),

    secret_basic: () => forItself(openid.ClientSecretBasic(adfs.client_secret)),

    secret_with_resource: () => forItself(openid.ClientSecretPost(adfs.client_secret), { resource: adfs.resource }),

    private_key_jwt_as_it_is: async () => forItself(await signing(() => {})),

    async private_key_jwt_for_the_token_endpoint() {
        const { token_endpoint } = (await discovered(openid.None())).serverMetadata();
        return forItself(await signing((payload) => (payload.aud = token_endpoint)));
    },

    async username_and_password() {
        const config = await native();
        return saw(signedIn(config), config);
    },

    async refresh_token() {
        const config = await native();
        const { refresh_token } = await signedIn(config);
        return saw(openid.refreshTokenGrant(config, refresh_token), config);
    },

    /** By the client itself, which is told to look at the signature too, and by jose with the published keys. */
    async id_token() {
        const config = await native();
        openid.enableNonRepudiationChecks(config);
        const token = await signedIn(config);
        const { issuer, jwks_uri } = config.serverMetadata();
        const keys = jose.createRemoteJWKSet(new URL(jwks_uri));
        const check = (text) => jose.jwtVerify(text, keys, { issuer, audience: adfs.native_client_id });
        const [head, body, signature] = token.id_token.split(".");
        const touched = [head, body, (signature[0] === "A" ? "B" : "A") + signature.slice(1)].join(".");
        await check(token.id_token);
        return { issuer, id_token: token.claims(), touched: await check(touched).then(() => "accepted", String) };
    },

    wrong_secret: () => forItself(openid.ClientSecretPost("no-secret-of-that-application")),

    async wrong_password() {
        const config = await native();
        return saw(signedIn(config, "no-password-of-hers"), config);
    },

    default_alone: () => forItself(openid.ClientSecretPost(adfs.client_secret), { scope: adfs.resource + "/.default" }),
};

process.stdout.write(JSON.stringify(await flows[flow]()));
