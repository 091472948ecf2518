// MSAL for Node.js at AD FS: msal_node.mjs FLOW SETTINGS
//
// A flow prints one JSON object with what the client saw. MSAL knows an authority of AD FS by its path; that it is one at all
// it is told by knownAuthorities, without which it asks Microsoft.

import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfidentialClientApplication, CryptoProvider, PublicClientApplication } from "@azure/msal-node";

const [flow, path] = process.argv.slice(2);
const { adfs, entra, user } = JSON.parse(readFileSync(path, "utf8"));
const scope = adfs.resource + "/openid";

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

async function saw(asked) {
    try {
        const { accessToken, tokenType, fromCache, idTokenClaims, account } = await asked;
        const username = account?.username;
        return { claims: claims(accessToken), token_type: tokenType, from_cache: fromCache, id_token: idTokenClaims, username };
    } catch (error) {
        return { error: `${error.errorCode}: ${error.errorMessage}` };
    }
}

const at = { authority: adfs.base_url, knownAuthorities: [new URL(adfs.base_url).host] };

const secret = { clientSecret: adfs.client_secret };

const confidential = (credential = secret, clientId = adfs.client_id) =>
    new ConfidentialClientApplication({ auth: { clientId, ...at, ...credential } });

const publicClient = () => new PublicClientApplication({ auth: { clientId: adfs.native_client_id, ...at } });

const forItself = (app, scopes = [scope]) => app.acquireTokenByClientCredential({ scopes });

const signedIn = (app, password = user.password, scopes = [scope]) =>
    app.acquireTokenByUsernamePassword({ scopes, username: user.name, password });

const certificate = (named) => {
    const x5c = new X509Certificate(entra.certificate_pem_text.slice(entra.certificate_pem_text.indexOf("-----BEGIN CERT")));
    return { clientCertificate: { privateKey: entra.certificate_pem_text, ...named(x5c) } };
};
const thumbprint = entra.certificate_thumbprint;

const person = (...line) =>
    JSON.parse(execFileSync(process.env.PYTHON, [process.env.PERSON, path, ...line], { encoding: "utf8" }));

async function throughABrowser(app, scopes = [scope], parameters = {}) {
    const redirectUri = adfs.redirect_uri;
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
    const request = { scopes, redirectUri, codeChallenge: challenge, codeChallengeMethod: "S256", ...parameters };
    const back = person("goes", await app.getAuthCodeUrl(request));
    if (!back.code) return { error: `${back.error}: ${back.error_description ?? back.page ?? ""}` };
    return app.acquireTokenByCode({ code: back.code, scopes, redirectUri, codeVerifier: verifier });
}

async function signIn(app, parameters) {
    const first = await throughABrowser(app, [scope], parameters);
    const { account } = first;
    const refreshed = await app.acquireTokenSilent({ account, scopes: [scope], forceRefresh: true });
    return { ...(await saw(first)), user: account.username, refreshed: claims(refreshed.accessToken) };
}

const flows = {
    async secret() {
        const app = confidential();
        const first = await saw(forItself(app));
        return { ...first, again: (await forItself(app)).fromCache };
    },

    certificate: () => saw(forItself(confidential(certificate(() => ({ thumbprint }))))),

    certificate_chain_sent: () =>
        saw(forItself(confidential(certificate((x5c) => ({ thumbprint, x5c: x5c.toString() }))))),

    certificate_by_its_sha_256_thumbprint: () =>
        saw(forItself(confidential(certificate(() => ({ thumbprintSha256: entra.certificate_thumbprint_sha256 }))))),

    username_and_password: () => saw(signedIn(publicClient())),

    username_and_password_default: () => saw(signedIn(publicClient(), user.password, [adfs.resource + "/.default"])),

    async refresh_by_the_cache() {
        const app = publicClient();
        const { account } = await signedIn(app);
        const kept = await saw(app.acquireTokenSilent({ account, scopes: [scope] }));
        return { kept: kept.from_cache ?? kept.error, ...(await saw(app.acquireTokenSilent({ account, scopes: [scope], forceRefresh: true }))) };
    },

    async refresh_token() {
        const app = publicClient();
        await signedIn(app);
        const [{ secret: refreshToken }] = Object.values(JSON.parse(app.getTokenCache().serialize()).RefreshToken);
        return saw(publicClient().acquireTokenByRefreshToken({ refreshToken, scopes: [scope] }));
    },

    default_alone: () => saw(forItself(confidential(), [adfs.resource + "/.default"])),

    wrong_secret: () => saw(forItself(confidential({ clientSecret: "no-secret-of-that-application" }))),

    unknown_client: () => saw(forItself(confidential(undefined, "c0117050-0000-4000-8000-0000000000ff"))),

    wrong_password: () => saw(signedIn(publicClient(), "no-password-of-hers")),

    sign_in: () => signIn(publicClient()),

    sign_in_form_post: () => signIn(publicClient(), { responseMode: "form_post" }),

    sign_in_of_a_server_application: () => signIn(confidential()),

    sign_in_without_asking: () => throughABrowser(publicClient(), [scope], { prompt: "none" }),

    sign_in_unknown_resource: () => throughABrowser(publicClient(), ["https://nobody.example/openid"]),

    async device_code() {
        let message;
        const seen = await saw(
            publicClient().acquireTokenByDeviceCode({
                scopes: [scope],
                deviceCodeCallback: (told) => {
                    message = told.message;
                    person("confirms", told.verificationUri, told.userCode);
                },
            }),
        );
        return { ...seen, message, user: seen.username };
    },

    async on_behalf_of() {
        const called = await signedIn(publicClient(), user.password, [adfs.client_id + "/user_impersonation"]);
        const seen = await saw(confidential().acquireTokenOnBehalfOf({ oboAssertion: called.accessToken, scopes: [scope] }));
        return { ...seen, assertion: claims(called.accessToken) };
    },

    unknown_resource: () => saw(forItself(confidential(), ["https://nobody.example/openid"])),
};
Object.assign(flows, {
    without_known_authorities_by_name: () => saw(forItself(confidential({ ...secret, knownAuthorities: [] }))),
    sign_in_by_name: flows.sign_in,
    secret_by_name: flows.secret,
    certificate_by_name: flows.certificate,
    username_and_password_by_name: flows.username_and_password,
});

process.stdout.write(JSON.stringify(await flows[flow]()));
