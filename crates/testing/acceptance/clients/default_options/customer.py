import os

import requests
from azure.identity import DefaultAzureCredential

AOS = os.environ.get("AOS", "https://usnconeboxax1aos.cloud.onebox.dynamics.com")
DATAVERSE = "https://contoso.crm4.dynamics.com"
credential = DefaultAzureCredential()


def call(method, resource, path, **body):
    token = credential.get_token(resource + "/.default").token
    answer = requests.request(method, resource + path, headers={"Authorization": "Bearer " + token}, **body)
    answer.raise_for_status()
    return answer.json()


call("POST", AOS, "/data/CustomersV3", json={
    "dataAreaId": "usmf", "CustomerAccount": "DE-PY", "OrganizationName": "Forest Wholesales",
    "PartyType": "Organization", "CustomerGroupId": "30", "SalesCurrencyCode": "EUR",
})
accounts = call("GET", DATAVERSE, "/api/data/v9.2/accounts?$filter=accountnumber eq 'DE-PY'&$select=name")
print(accounts["value"][0]["name"])
