import os

import msal
import requests

DATAVERSE = "https://contoso.crm4.dynamics.com"


def client_credential():
    path = os.environ.get("AZURE_CLIENT_CERTIFICATE_PATH")
    if not path:
        return os.environ["AZURE_CLIENT_SECRET"]
    chain = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN" in os.environ
    if path.endswith(".pfx"):
        return {"private_key_pfx_path": path, "passphrase": "", "public_certificate": chain}
    pem = open(path).read()
    return {"private_key": pem, "public_certificate": pem[pem.index("-----BEGIN CERTIFICATE"):]}


if "AZURE_CLIENT_ID" in os.environ:
    app = msal.ConfidentialClientApplication(
        os.environ["AZURE_CLIENT_ID"], client_credential=client_credential(),
        authority="https://login.microsoftonline.com/" + os.environ["AZURE_TENANT_ID"])
    wanted = {"scopes": [DATAVERSE + "/.default"]}
else:
    app = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=requests.Session())
    wanted = {"resource": DATAVERSE}
first = app.acquire_token_for_client(**wanted)
again = app.acquire_token_for_client(**wanted)
print(first.get("access_token") or first["error_description"])
print("cached" if again.get("token_source") == "cache" else "asked again")
