// Every public operation of dynamics-web-api, once: a line for each, and whether it passes or is refused as not built.
import { execFileSync } from "node:child_process";
import { DefaultAzureCredential } from "@azure/identity";
import { DynamicsWebApi } from "dynamics-web-api";

const serverUrl = "https://contoso.crm4.dynamics.com";
const credential = new DefaultAzureCredential();
const api = new DynamicsWebApi({
  serverUrl,
  dataApi: { version: "9.2" },
  onTokenRefresh: async () => (await credential.getToken(serverUrl + "/.default")).token,
});
const seen = new Set();

// What the lab refused so far, as its journal has it.
function refusals() {
  const shown = execFileSync(process.env.MOCKTENANT, ["journal", "--failed", "--json"], { encoding: "utf8", maxBuffer: 1 << 26 });
  return shown.split("\n").filter((line) => line).map((line) => JSON.parse(line));
}

async function run(name, work, holds = () => true) {
  seen.add(name.split(" ")[0]);
  const before = refusals().length;
  let said;
  try {
    const value = await work();
    said = holds(value) ? "passes" : "answers " + JSON.stringify(value);
  } catch (error) {
    const after = refusals().slice(before);
    const fact = after.flatMap((one) => one.facts ?? []).find((one) => one.name === "not-built");
    said = fact ? "not built: " + fact.value : after.length > 0 ? "refused: " + after.at(-1).answer.status : String(error);
  }
  console.log(name + "\t" + said);
}

const collection = "accounts";
const [accountnumber, other] = ["OP-8", "OP-9"];
const filter = "startswith(accountnumber,'OP-')";
const key = await api.create({ collection, data: { name: "Operations", accountnumber } });
const second = await api.create({ collection, data: { name: "Second", accountnumber: other } });
const contact = await api.create({ collection: "contacts", data: { lastname: "Operations" } });
const nobody = "00000000-0000-0000-0000-000000000001";
await run("create", () => api.create({ collection, data: { name: "Third" }, returnRepresentation: true }), (row) => row.name === "Third");
await run("retrieve", () => api.retrieve({ collection, key, select: ["name"] }), (row) => row.name === "Operations");
await run("update", () => api.update({ collection, key, data: { telephone1: "555-0100" }, returnRepresentation: true, select: ["telephone1"] }), (row) => row.telephone1 === "555-0100");
await run("updateSingleProperty", () => api.updateSingleProperty({ collection, key, fieldValuePair: { fax: "555-0199" } }));
await run("upsert", () => api.upsert({ collection, key: "accountnumber='OP-10'", data: { name: "Tenth" }, returnRepresentation: true }), (row) => row.name === "Tenth");
await run("retrieveMultiple", () => api.retrieveMultiple({ collection, filter, select: ["name"], count: true }), (found) => found.oDataCount === 3);
await run("retrieveAll", () => api.retrieveAll({ collection, filter, select: ["name"], maxPageSize: 2 }), (found) => found.value.length === 3);
await run("count", () => api.count({ collection: "contacts" }), (found) => found === 1);
await run("countAll", () => api.countAll({ collection, filter }), (found) => found === 3);
const fetchXml = "<fetch count='2'><entity name='account'><attribute name='name'/><filter><condition attribute='accountnumber' operator='like' value='OP-%'/></filter></entity></fetch>";
await run("fetch", () => api.fetch({ collection, fetchXml }), (found) => found.value.length === 2);
await run("fetchAll", () => api.fetchAll({ collection, fetchXml, includeAnnotations: "*" }), (found) => found.value.length === 3);
await run("associate", () => api.associate({ collection, primaryKey: key, relationshipName: "contact_customer_accounts", relatedCollection: "contacts", relatedKey: contact }));
await run("disassociate", () => api.disassociate({ collection, primaryKey: key, relationshipName: "contact_customer_accounts", relatedKey: contact }));
await run("associateSingleValued", () => api.associateSingleValued({ collection, primaryKey: key, navigationProperty: "primarycontactid", relatedCollection: "contacts", relatedKey: contact }));
await run("disassociateSingleValued", () => api.disassociateSingleValued({ collection, primaryKey: key, navigationProperty: "primarycontactid" }));
await run("callFunction", () => api.callFunction("WhoAmI"), (found) => found.UserId);
await run("callFunction of another", () => api.callFunction({ functionName: "RetrieveTotalRecordCount", parameters: { EntityNames: ["account"] } }));
await run("callAction", () => api.callAction({ collection: "systemusers", key: nobody, actionName: "Microsoft.Dynamics.CRM.AddUserToRecordTeam", action: {} }));
await run("uploadFile", () => api.uploadFile({ collection, key, fieldName: "entityimage", fileName: "a.png", data: new Uint8Array([1]) }));
await run("downloadFile", () => api.downloadFile({ collection, key, property: "entityimage" }));
await run("retrieveEntity", () => api.retrieveEntity({ key: "LogicalName='account'", select: ["EntitySetName"] }), (found) => found.EntitySetName === collection);
await run("retrieveEntities", () => api.retrieveEntities({ select: ["LogicalName"], filter: "LogicalName eq 'account'" }), (found) => found.value.length === 1);
await run("createEntity", () => api.createEntity({ data: { SchemaName: "new_Thing", DisplayName: {}, Attributes: [] } }));
const MetadataId = (await api.retrieveEntity({ key: "LogicalName='account'", select: ["MetadataId"] })).MetadataId;
await run("updateEntity", () => api.updateEntity({ data: { MetadataId, LogicalName: "account" } }));
await run("retrieveAttributes", () => api.retrieveAttributes({ entityKey: MetadataId, select: ["LogicalName"] }), (found) => found.value.some((one) => one.LogicalName === "name"));
const attribute = (await api.retrieveAttributes({ entityKey: MetadataId, select: ["LogicalName"] })).value.find((one) => one.LogicalName === "name");
await run("retrieveAttribute", () => api.retrieveAttribute({ entityKey: MetadataId, attributeKey: attribute.MetadataId, select: ["LogicalName"] }), (found) => found.LogicalName === "name");
await run("createAttribute", () => api.createAttribute({ entityKey: MetadataId, data: { "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", SchemaName: "new_Size" } }));
await run("updateAttribute", () => api.updateAttribute({ entityKey: MetadataId, data: { MetadataId: attribute.MetadataId } }));
await run("createRelationship", () => api.createRelationship({ data: { "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata", SchemaName: "new_both" } }));
await run("updateRelationship", () => api.updateRelationship({ data: { MetadataId: nobody } }));
await run("deleteRelationship", () => api.deleteRelationship({ key: nobody }));
await run("retrieveRelationships", () => api.retrieveRelationships({ select: ["SchemaName"] }));
await run("retrieveRelationship", () => api.retrieveRelationship({ key: nobody }));
await run("createGlobalOptionSet", () => api.createGlobalOptionSet({ data: { Name: "new_set" } }));
await run("updateGlobalOptionSet", () => api.updateGlobalOptionSet({ data: { MetadataId: nobody } }));
await run("deleteGlobalOptionSet", () => api.deleteGlobalOptionSet({ key: nobody }));
await run("retrieveGlobalOptionSet", () => api.retrieveGlobalOptionSet({ key: nobody }));
await run("retrieveGlobalOptionSets", () => api.retrieveGlobalOptionSets());
await run("retrieveCsdlMetadata", () => api.retrieveCsdlMetadata(), (text) => text.includes("EntityType"));
await run("search", () => api.search({ query: { search: "x" } }));
await run("query", () => api.query({ query: { search: "x" } }));
await run("suggest", () => api.suggest({ query: { search: "x" } }));
await run("autocomplete", () => api.autocomplete({ query: { search: "x" } }));
await run("startBatch", () => api.startBatch());
await run("executeBatch", () => {
  api.retrieve({ collection, key, select: ["name"] });
  api.create({ collection: "contacts", data: { lastname: "Batch" } });
  return api.executeBatch();
}, (found) => found[0].name === "Operations");
await run("getBackgroundOperationStatus", () => api.getBackgroundOperationStatus(nobody));
await run("cancelBackgroundOperation", () => api.cancelBackgroundOperation(nobody));
await run("deleteRecord", () => api.deleteRecord({ collection, key: second }));
// what asks nobody
const local = ["setConfig", "initializeInstance", "Utility"];
const left = Object.keys(api).filter((name) => typeof api[name] === "function" && !seen.has(name) && !local.includes(name));
console.log("left\t" + (left.join(" ") || "nothing"));
