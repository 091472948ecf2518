import { readFileSync } from "node:fs";
import * as client from "openid-client";

const s = JSON.parse(readFileSync("settings.json", "utf8"));

const issuer = new URL(s.entra.authority + "/v2.0");
const config = await client.discovery(issuer, s.entra.client_id, s.entra.client_secret);
const result = await client.clientCredentialsGrant(config, { scope: s.dataverse.resource + "/.default" });
console.log(result.access_token);
