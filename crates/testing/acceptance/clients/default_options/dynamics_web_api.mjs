import { DefaultAzureCredential } from "@azure/identity";
import { DynamicsWebApi } from "dynamics-web-api";

const serverUrl = "https://contoso.crm4.dynamics.com";
const credential = new DefaultAzureCredential();
const api = new DynamicsWebApi({
  serverUrl,
  dataApi: { version: "9.2" },
  onTokenRefresh: async () => (await credential.getToken(serverUrl + "/.default")).token,
});
const collection = "accounts";
const key = await api.create({ collection, data: { name: "Forest Wholesales", accountnumber: "DE-DWA" } });
const made = await api.retrieve({ collection, key, select: ["name"] });
const filter = "accountnumber eq 'DE-DWA'";
const found = await api.retrieveMultiple({ collection, filter, select: ["accountid"] });
await api.update({ collection, key, data: { name: "Forest Retail" } });
const changed = await api.retrieve({ collection, key, select: ["name"] });
await api.deleteRecord({ collection, key });
const gone = await api.retrieve({ collection, key }).then(() => false, (error) => error.status === 404);
const right = found.value.map((row) => row.accountid).join() === key && gone;
console.log([made.name, changed.name, right ? "gone" : "still there"].join(", "));
