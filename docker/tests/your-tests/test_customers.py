"""Tests of somebody's own, who has never heard of mocktenant: the products' names, the SDKs' own variables."""

import sys
import unittest

import requests
from azure.identity import DefaultAzureCredential

AOS = "https://usnconeboxax1aos.cloud.onebox.dynamics.com"
DATAVERSE = "https://contoso.crm4.dynamics.com"
CUSTOMER = {
    "dataAreaId": "usmf", "CustomerAccount": "DE-500", "OrganizationName": "Forest Wholesales",
    "PartyType": "Organization", "CustomerGroupId": "30", "SalesCurrencyCode": "EUR",
}


def call(method, resource, path, **body):
    token = credential.get_token(resource + "/.default").token
    return requests.request(method, resource + path, headers={"Authorization": "Bearer " + token}, **body)


class Customers(unittest.TestCase):
    def test_a_call_without_a_token_is_refused(self):
        self.assertEqual(requests.get(AOS + "/data/CustomersV3").status_code, 401)

    def test_a_customer_becomes_an_account(self):
        self.assertEqual(call("POST", AOS, "/data/CustomersV3", json=CUSTOMER).status_code, 201)
        found = call("GET", DATAVERSE, "/api/data/v9.2/accounts?$select=name&$filter=accountnumber eq 'DE-500'")
        self.assertEqual([account["name"] for account in found.json()["value"]], ["Forest Wholesales"])


credential = DefaultAzureCredential()
unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout, verbosity=2))
