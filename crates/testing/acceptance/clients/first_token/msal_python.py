import json, os, msal

with open("settings.json") as file:
    s = json.load(file)
os.environ["REQUESTS_CA_BUNDLE"] = s["ca_pem"]  # wins over verify=

app = msal.ConfidentialClientApplication(
    s["entra"]["client_id"],
    client_credential=s["entra"]["client_secret"],
    authority=s["entra"]["authority"],
    instance_discovery=False,
)
result = app.acquire_token_for_client([s["dataverse"]["resource"] + "/.default"])
print(result.get("access_token") or exit(result["error_description"]))
