"""MSAL for Python at AD FS, a flow by its name: msal_python.py FLOW SETTINGS"""

import json
import sys

import jwt
import msal

FLOW, PATH = sys.argv[1:]
SETTINGS = json.load(open(PATH))
ADFS = SETTINGS["adfs"]
SCOPE = ADFS["resource"] + "/openid"


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def saw(result):
    if "access_token" not in result:
        return {"error": f"{result['error']}: {result['error_description']}"}
    return {"claims": claims(result["access_token"]), "token_type": result["token_type"]}


def confidential(credential=ADFS["client_secret"], client_id=ADFS["client_id"]):
    return msal.ConfidentialClientApplication(
        client_id, client_credential=credential, authority=ADFS["authority"], instance_discovery=False)


def secret():
    return saw(confidential().acquire_token_for_client([SCOPE]))


print(json.dumps(globals()[FLOW]()))
