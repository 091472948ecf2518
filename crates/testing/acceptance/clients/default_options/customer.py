import os
import sys

import azure.identity
import requests

AOS = os.environ.get("AOS", "https://usnconeboxax1aos.cloud.onebox.dynamics.com")
DATAVERSE = "https://contoso.crm4.dynamics.com"
credential = getattr(azure.identity, sys.argv[1] if sys.argv[1:] else "DefaultAzureCredential")()


def call(method, resource, path, **body):
    token = credential.get_token(resource + "/.default").token
    answer = requests.request(method, resource + path, headers={"Authorization": "Bearer " + token}, **body)
    answer.raise_for_status()
    return answer.json()


call("POST", AOS, "/data/CustomersV3", json={
    "dataAreaId": "usmf", "CustomerAccount": "DE-PY", "OrganizationName": "Forest Wholesales",
    "PartyType": "Organization", "CustomerGroupId": "30", "SalesCurrencyCode": "EUR",
})
accounts = call("GET", DATAVERSE, "/api/data/v9.2/accounts?$filter=accountnumber eq 'DE-PY'&$select=accountid")
account = accounts["value"][0]["accountid"]
print(call("GET", DATAVERSE, f"/api/data/v9.2/accounts({account})?$select=name")["name"])
