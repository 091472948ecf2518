import { readFileSync } from "node:fs";
import * as oauth from "oauth4webapi";

const s = JSON.parse(readFileSync("settings.json", "utf8"));

const issuer = new URL(s.entra.authority + "/v2.0");
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const client = { client_id: s.entra.client_id };
const secret = oauth.ClientSecretPost(s.entra.client_secret);
const scope = s.dataverse.resource + "/.default";
const answer = await oauth.clientCredentialsGrantRequest(server, client, secret, { scope });
const result = await oauth.processClientCredentialsResponse(server, client, answer);
console.log(result.access_token);
