"""MSAL for Python at AD FS: msal_python.py FLOW SETTINGS

A flow prints one JSON object with what the client saw. MSAL knows an authority of AD FS by its path and needs no option for it.
"""

import json
import sys

import jwt
import msal

FLOW, PATH = sys.argv[1:]
SETTINGS = json.load(open(PATH))
ADFS, ENTRA, USER = SETTINGS["adfs"], SETTINGS["entra"], SETTINGS["user"]
SCOPE = ADFS["resource"] + "/openid"


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def saw(result):
    if "access_token" not in result:
        return {"error": f"{result['error']}: {result['error_description']}"}
    seen = {"claims": claims(result["access_token"]), "token_type": result["token_type"]}
    if "id_token_claims" in result:
        seen["id_token"] = result["id_token_claims"]
    return seen


def confidential(credential=ADFS["client_secret"], client_id=ADFS["client_id"]):
    return msal.ConfidentialClientApplication(client_id, client_credential=credential, authority=ADFS["base_url"])


def public():
    return msal.PublicClientApplication(ADFS["native_client_id"], authority=ADFS["base_url"])


def signed_in(app, scope=SCOPE, password=USER["password"]):
    return app.acquire_token_by_username_password(USER["name"], password, [scope])


def secret():
    app = confidential()
    first, again = (app.acquire_token_for_client([SCOPE]) for _ in range(2))
    return {**saw(first), "again": again["token_source"]}


def certificate():
    credential = {"private_key": ENTRA["certificate_pem_text"], "thumbprint": ENTRA["certificate_thumbprint"]}
    return saw(confidential(credential).acquire_token_for_client([SCOPE]))


def certificate_chain_sent():
    credential = {"private_key_pfx_path": ENTRA["certificate_pfx"], "passphrase": "", "public_certificate": True}
    return saw(confidential(credential).acquire_token_for_client([SCOPE]))


def username_and_password():
    app = public()
    seen = saw(signed_in(app))
    return {**seen, "account": app.get_accounts()[0]["username"]}


def username_and_password_of_a_server_application():
    return saw(signed_in(confidential()))


def username_and_password_default():
    return saw(signed_in(public(), scope=ADFS["resource"] + "/.default"))


def refresh_by_the_cache():
    app = public()
    signed_in(app)
    account = app.get_accounts(USER["name"])[0]
    kept = app.acquire_token_silent([SCOPE], account)
    return {"kept": kept["token_source"], **saw(app.acquire_token_silent([SCOPE], account, force_refresh=True))}


def refresh_token():
    token = signed_in(public())["refresh_token"]
    return saw(public().acquire_token_by_refresh_token(token, [SCOPE]))


def default_alone():
    return saw(confidential().acquire_token_for_client([ADFS["resource"] + "/.default"]))


def wrong_secret():
    return saw(confidential("no-secret-of-that-application").acquire_token_for_client([SCOPE]))


def unknown_client():
    return saw(confidential(client_id="c0117050-0000-4000-8000-0000000000ff").acquire_token_for_client([SCOPE]))


def wrong_password():
    return saw(signed_in(public(), password="no-password-of-hers"))


def unknown_resource():
    return saw(confidential().acquire_token_for_client(["https://nobody.example/openid"]))


secret_by_name, certificate_by_name, username_and_password_by_name = secret, certificate, username_and_password

print(json.dumps(globals()[FLOW]()))
