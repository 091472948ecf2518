import * as identity from "@azure/identity";
import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from "@azure/core-rest-pipeline";

const AOS = process.env.AOS ?? "https://usnconeboxax1aos.cloud.onebox.dynamics.com";
const DATAVERSE = "https://contoso.crm4.dynamics.com";
const credential = new identity[process.argv[2] ?? "DefaultAzureCredential"]();
const [client, pipeline] = [createDefaultHttpClient(), createPipelineFromOptions({})];

async function call(method, resource, path, body) {
  const { token } = await credential.getToken(resource + "/.default");
  const request = createPipelineRequest({ url: resource + path, method, body: body && JSON.stringify(body) });
  request.headers.set("Authorization", `Bearer ${token}`);
  if (body) request.headers.set("Content-Type", "application/json");
  const answer = await pipeline.sendRequest(client, request);
  if (answer.status >= 400) throw new Error(`${answer.status} ${answer.bodyAsText}`);
  return JSON.parse(answer.bodyAsText);
}

await call("POST", AOS, "/data/CustomersV3", {
  dataAreaId: "usmf", CustomerAccount: "DE-JS", OrganizationName: "Forest Wholesales",
  PartyType: "Organization", CustomerGroupId: "30", SalesCurrencyCode: "EUR",
});
const query = "$filter=accountnumber%20eq%20'DE-JS'&$select=accountid";
const { value: [{ accountid }] } = await call("GET", DATAVERSE, `/api/data/v9.2/accounts?${query}`);
console.log((await call("GET", DATAVERSE, `/api/data/v9.2/accounts(${accountid})?$select=name`)).name);
