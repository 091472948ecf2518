from azure.identity import DefaultAzureCredential
from PowerPlatform.Dataverse.client import DataverseClient

with DataverseClient("https://contoso.crm4.dynamics.com", DefaultAzureCredential()) as client:
    account = client.records.create("account", {"name": "Forest Wholesales", "accountnumber": "DE-SDK"})
    made = client.records.retrieve("account", account, select=["name"])
    found = client.records.list("account", filter="accountnumber eq 'DE-SDK'", select=["accountid"])
    client.records.update("account", account, {"name": "Forest Retail"})
    changed = client.records.retrieve("account", account, select=["name"])
    client.records.delete("account", account)
    gone = client.records.retrieve("account", account) is None
    right = [row["accountid"] for row in found] == [account] and gone
    print(made["name"], changed["name"], "gone" if right else "still there", sep=", ")
