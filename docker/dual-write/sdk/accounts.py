"""What a connector beside Finance & Operations does: a token with MSAL, accounts with the Dataverse SDK. No option is set."""

import os

import msal
from azure.identity import DefaultAzureCredential
from PowerPlatform.Dataverse.client import DataverseClient

DATAVERSE = "https://contoso.crm4.dynamics.com"

app = msal.ConfidentialClientApplication(
    os.environ["AZURE_CLIENT_ID"], client_credential=os.environ["AZURE_CLIENT_SECRET"],
    authority="https://login.microsoftonline.com/" + os.environ["AZURE_TENANT_ID"])
answer = app.acquire_token_for_client([DATAVERSE + "/.default"])
print("MSAL:", answer["token_type"] + " token" if "access_token" in answer else answer["error_description"])

with DataverseClient(DATAVERSE, DefaultAzureCredential()) as client:
    accounts = list(client.records.list("account", select=["name"]))
    names = sorted({account["name"] for account in accounts})
    print("Dataverse SDK:", ", ".join(names) if names else "no account has come over")
