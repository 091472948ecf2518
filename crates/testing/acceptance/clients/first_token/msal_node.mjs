import { readFileSync } from "node:fs";
import { ConfidentialClientApplication } from "@azure/msal-node";

const s = JSON.parse(readFileSync("settings.json", "utf8"));

const app = new ConfidentialClientApplication({
  auth: {
    clientId: s.entra.client_id,
    clientSecret: s.entra.client_secret,
    authority: s.entra.authority,
    knownAuthorities: [new URL(s.entra.authority).host],
  },
});
const result = await app.acquireTokenByClientCredential({ scopes: [s.dataverse.resource + "/.default"] });
console.log(result.accessToken);
