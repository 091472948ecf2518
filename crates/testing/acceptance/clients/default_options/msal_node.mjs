import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfidentialClientApplication, ManagedIdentityApplication } from "@azure/msal-node";

const { AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, AZURE_TENANT_ID } = process.env;
const resource = "https://contoso.crm4.dynamics.com";

function application() {
  const auth = { clientId: AZURE_CLIENT_ID, authority: `https://login.microsoftonline.com/${AZURE_TENANT_ID}` };
  if (AZURE_CLIENT_CERTIFICATE_PATH) {
    const privateKey = readFileSync(AZURE_CLIENT_CERTIFICATE_PATH, "utf8");
    const certificate = new X509Certificate(privateKey);
    const thumbprintSha256 = createHash("sha256").update(certificate.raw).digest("hex");
    auth.clientCertificate = { thumbprintSha256, privateKey };
    if (process.env.AZURE_CLIENT_SEND_CERTIFICATE_CHAIN) auth.clientCertificate.x5c = certificate.toString();
  } else {
    auth.clientSecret = AZURE_CLIENT_SECRET;
  }
  return new ConfidentialClientApplication({ auth });
}

let ask;
if (AZURE_CLIENT_ID) {
  const app = application();
  ask = () => app.acquireTokenByClientCredential({ scopes: [resource + "/.default"] });
} else {
  const app = new ManagedIdentityApplication();
  ask = () => app.acquireToken({ resource });
}
console.log((await ask()).accessToken);
console.log((await ask()).fromCache ? "cached" : "asked again");
