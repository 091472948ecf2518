// An API's judge of tokens, by jose: jose.mjs ISSUER AUDIENCE, tokens on standard input, a verdict for each.
// The root of the tests is trusted through NODE_EXTRA_CA_CERTS.

import { createInterface } from "node:readline";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const [issuer, audience] = process.argv.slice(2);
const discovery = await (await fetch(issuer + "/.well-known/openid-configuration")).json();
const keys = createRemoteJWKSet(new URL(discovery.jwks_uri));

for await (const token of createInterface({ input: process.stdin })) {
    try {
        const { payload } = await jwtVerify(token, keys, {
            issuer: discovery.issuer,
            audience,
            algorithms: discovery.id_token_signing_alg_values_supported,
            requiredClaims: ["exp", "nbf", "oid", "tid", "azp"],
        });
        console.log("accepted", ...(payload.roles ?? []));
    } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
        console.log(`refused: ${error.code}: ${error.message}`);
    }
}
