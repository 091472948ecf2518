import json
from azure.identity import ClientSecretCredential

with open("settings.json") as file:
    s = json.load(file)

credential = ClientSecretCredential(
    s["entra"]["tenant_id"],
    s["entra"]["client_id"],
    s["entra"]["client_secret"],
    authority=s["entra"]["base_url"],
    disable_instance_discovery=True,
    connection_verify=s["ca_pem"],
)
print(credential.get_token(s["dataverse"]["resource"] + "/.default").token)
