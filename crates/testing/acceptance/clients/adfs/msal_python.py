"""MSAL for Python at AD FS: msal_python.py FLOW SETTINGS

A flow prints one JSON object with what the client saw. MSAL knows an authority of AD FS by its path and needs no option for it.
"""

import json
import sys

import jwt
import msal

from person import Person, rows

FLOW, PATH = sys.argv[1:]
SETTINGS = json.load(open(PATH))
ADFS, ENTRA, USER = SETTINGS["adfs"], SETTINGS["entra"], SETTINGS["user"]
SCOPE = ADFS["resource"] + "/openid"


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def saw(result):
    if "access_token" not in result:
        return {"error": f"{result['error']}: {result.get('error_description')}"}
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


def at_the_aos():
    """Its tokens, of the application and of the user, on the data of an AOS behind this AD FS."""
    result, of_user = confidential().acquire_token_for_client([SCOPE]), signed_in(public())
    return {**saw(result), "rows": [rows(one["access_token"], SETTINGS) for one in (result, of_user)]}


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


def through_a_browser(app, scopes=(SCOPE,), person=None, **parameters):
    person = person or Person(USER["name"], USER["password"])
    flow = app.initiate_auth_code_flow(list(scopes), redirect_uri=ADFS["redirect_uri"], **parameters)
    back = person.goes(flow["auth_uri"])
    if "page" in back:
        return {"error": back["page"], "error_description": ""}
    return app.acquire_token_by_auth_code_flow(flow, back)


def sign_in(app=None, **parameters):
    app, person = app or public(), Person(USER["name"], USER["password"])
    seen = saw(through_a_browser(app, person=person, **parameters))
    account = app.get_accounts()[0]
    refreshed = app.acquire_token_silent([SCOPE], account, force_refresh=True)
    seen = {**seen, "user": account["username"], "pages": person.pages, "refreshed": claims(refreshed["access_token"])}
    again = through_a_browser(app, person=person, **parameters)
    return {**seen, "again": claims(again["access_token"]), "asked_again": person.pages - seen["pages"]}


def sign_in_form_post():
    return sign_in(response_mode="form_post")


def sign_in_of_a_server_application():
    return sign_in(confidential())


def sign_in_wrong_password():
    return saw(through_a_browser(public(), person=Person(USER["name"], "no-password-of-hers")))


def sign_in_without_asking():
    return saw(through_a_browser(public(), prompt="none"))


def sign_in_unknown_resource():
    return saw(through_a_browser(public(), ["https://nobody.example/openid"]))


def sign_in_unknown_client():
    app = msal.PublicClientApplication("c0117050-0000-4000-8000-0000000000ff", authority=ADFS["base_url"])
    return saw(through_a_browser(app))


def sign_in_unregistered():
    flow = public().initiate_auth_code_flow([SCOPE], redirect_uri=ADFS["redirect_uri"] + ":8400")
    return {"error": Person(USER["name"], USER["password"]).goes(flow["auth_uri"])["page"]}


def device_code():
    app = public()
    flow = app.initiate_device_flow([SCOPE])
    page = Person(USER["name"], USER["password"]).confirms(flow["verification_uri"], flow["user_code"])
    seen = saw(app.acquire_token_by_device_flow(flow))
    return {**seen, "page": page, "message": flow["message"], "user": app.get_accounts()[0]["username"]}


def on_behalf_of(scope="user_impersonation"):
    # The application that the user is at asks for the middle tier by `resource`, as MSAL has no word for it.
    flow = public().initiate_auth_code_flow([scope] if scope else [], redirect_uri=ADFS["redirect_uri"])
    back = Person(USER["name"], USER["password"]).goes(flow["auth_uri"] + "&resource=" + ADFS["client_id"])
    token = public().acquire_token_by_auth_code_flow(flow, back)["access_token"]
    return {**saw(confidential().acquire_token_on_behalf_of(token, [SCOPE])), "assertion": claims(token)}


def on_behalf_of_without_user_impersonation():
    return on_behalf_of(None)


sign_in_by_name, device_code_by_name, on_behalf_of_by_name = sign_in, device_code, on_behalf_of
secret_by_name, certificate_by_name, username_and_password_by_name = secret, certificate, username_and_password

print(json.dumps(globals()[FLOW]()))
