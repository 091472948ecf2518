import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfidentialClientApplication } from "@azure/msal-node";

const { AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, AZURE_TENANT_ID } = process.env;
const auth = { clientId: AZURE_CLIENT_ID, authority: `https://login.microsoftonline.com/${AZURE_TENANT_ID}` };
if (AZURE_CLIENT_CERTIFICATE_PATH) {
  const privateKey = readFileSync(AZURE_CLIENT_CERTIFICATE_PATH, "utf8");
  const thumbprintSha256 = createHash("sha256").update(new X509Certificate(privateKey).raw).digest("hex");
  auth.clientCertificate = { thumbprintSha256, privateKey };
} else {
  auth.clientSecret = AZURE_CLIENT_SECRET;
}
const app = new ConfidentialClientApplication({ auth });
const scopes = ["https://contoso.crm4.dynamics.com/.default"];
console.log((await app.acquireTokenByClientCredential({ scopes })).accessToken);
const again = await app.acquireTokenByClientCredential({ scopes });
console.log(again.fromCache ? "cached" : "asked again");
