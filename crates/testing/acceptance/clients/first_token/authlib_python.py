import json, os
from authlib.integrations.requests_client import OAuth2Session

with open("settings.json") as file:
    s = json.load(file)
os.environ["REQUESTS_CA_BUNDLE"] = s["ca_pem"]

session = OAuth2Session(s["entra"]["client_id"], s["entra"]["client_secret"])
token = session.fetch_token(
    s["entra"]["authority"] + "/oauth2/v2.0/token",
    grant_type="client_credentials",
    scope=s["dataverse"]["resource"] + "/.default",
)
print(token["access_token"])
