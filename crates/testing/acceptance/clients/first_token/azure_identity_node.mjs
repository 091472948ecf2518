import { readFileSync } from "node:fs";
import { ClientSecretCredential } from "@azure/identity";

const s = JSON.parse(readFileSync("settings.json", "utf8"));

const credential = new ClientSecretCredential(s.entra.tenant_id, s.entra.client_id, s.entra.client_secret, {
  authorityHost: s.entra.base_url,
  disableInstanceDiscovery: true,
  tlsOptions: { ca: s.ca_pem_text },
});
const { token } = await credential.getToken(s.dataverse.resource + "/.default");
console.log(token);
