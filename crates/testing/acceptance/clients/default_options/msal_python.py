import os

import msal

DATAVERSE = "https://contoso.crm4.dynamics.com"
certificate = os.environ.get("AZURE_CLIENT_CERTIFICATE_PATH")
if certificate:
    pem = open(certificate).read()
    credential = {"private_key": pem, "public_certificate": pem[pem.index("-----BEGIN CERTIFICATE"):]}
else:
    credential = os.environ["AZURE_CLIENT_SECRET"]
app = msal.ConfidentialClientApplication(
    os.environ["AZURE_CLIENT_ID"], client_credential=credential,
    authority="https://login.microsoftonline.com/" + os.environ["AZURE_TENANT_ID"])
first = app.acquire_token_for_client([DATAVERSE + "/.default"])
again = app.acquire_token_for_client([DATAVERSE + "/.default"])
print(first.get("access_token") or first["error_description"])
print("cached" if again.get("token_source") == "cache" else "asked again")
