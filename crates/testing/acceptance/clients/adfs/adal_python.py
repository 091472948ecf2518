"""ADAL for Python, retired, at AD FS: adal_python.py FLOW SETTINGS

A flow prints one JSON object with what the client saw. `validate_authority` is off: who validates an authority is Microsoft,
which knows no AD FS.
"""

import json
import sys

import adal
import jwt

from person import rows

FLOW, PATH = sys.argv[1:]
SETTINGS = json.load(open(PATH))
ADFS, ENTRA, USER = SETTINGS["adfs"], SETTINGS["entra"], SETTINGS["user"]


def context():
    validate = FLOW == "authority_validated_by_name"
    return adal.AuthenticationContext(ADFS["base_url"], validate_authority=validate)


def saw(acquire):
    try:
        token = acquire()
    except adal.AdalError as error:
        said = error.error_response
        return {"error": f"{said['error']}: {said['error_description']}"}
    claims = jwt.decode(token["accessToken"], options={"verify_signature": False})
    return {"claims": claims, "token_type": token["tokenType"]}


def by_secret(secret=ADFS["client_secret"], client_id=ADFS["client_id"], resource=ADFS["resource"]):
    return saw(lambda: context().acquire_token_with_client_credentials(resource, client_id, secret))


def by_password(password=USER["password"]):
    return context().acquire_token_with_username_password(
        ADFS["resource"], USER["name"], password, ADFS["native_client_id"])


def at_the_aos():
    token = context().acquire_token_with_client_credentials(ADFS["resource"], ADFS["client_id"], ADFS["client_secret"])
    return {**by_secret(), "rows": [rows(one["accessToken"], SETTINGS) for one in (token, by_password())]}


def secret():
    return by_secret()


def certificate():
    return saw(lambda: context().acquire_token_with_client_certificate(
        ADFS["resource"], ADFS["client_id"], ENTRA["certificate_pem_text"], ENTRA["certificate_thumbprint"]))


def username_and_password():
    return saw(by_password)


def refresh_token():
    token = by_password()["refreshToken"]
    return saw(lambda: context().acquire_token_with_refresh_token(token, ADFS["native_client_id"], ADFS["resource"]))


def wrong_secret():
    return by_secret(secret="no-secret-of-that-application")


def unknown_client():
    return by_secret(client_id="c0117050-0000-4000-8000-0000000000ff")


def unknown_resource():
    return by_secret(resource="https://nobody.example")


def wrong_password():
    return saw(lambda: by_password("no-password-of-hers"))


secret_by_name = authority_validated_by_name = secret

print(json.dumps(globals()[FLOW]()))
