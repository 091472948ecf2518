"""Authlib, an OAuth client that knows nothing of Microsoft, at AD FS: authlib_python.py FLOW SETTINGS

A flow prints one JSON object with what the client saw.
"""

import json
import sys

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact
from joserfc.util import urlsafe_b64encode

from person import Person, rows

FLOW, PATH = sys.argv[1:]
SETTINGS = json.load(open(PATH))
ADFS, ENTRA, USER = SETTINGS["adfs"], SETTINGS["entra"], SETTINGS["user"]
SCOPE = ADFS["resource"] + "/openid"


def fetched(url):
    return OAuth2Session().get(url, withhold_token=True).json()


def discovered():
    """The server's description, what is used of it held against what OpenID Connect asks of it."""
    server = OpenIDProviderMetadata(fetched(get_well_known_url(ADFS["base_url"], external=True)))
    for name in ("issuer", "token_endpoint", "token_endpoint_auth_methods_supported", "jwks_uri",
                 "response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"):
        getattr(server, "validate_" + name)()
    return server


SERVER = discovered()


def claims(token):
    return json.loads(extract_compact(token.encode()).payload)


def saw(ask):
    try:
        token = ask()
    except AuthlibBaseError as error:
        return {"error": f"{error.error}: {error.description}", "issuer": SERVER["issuer"]}
    return {"claims": claims(token["access_token"]), "token_type": token["token_type"], "issuer": SERVER["issuer"]}


def confidential(method="client_secret_post", secret=ADFS["client_secret"], client_id=ADFS["client_id"]):
    return OAuth2Session(client_id, secret, token_endpoint_auth_method=method)


def public():
    return OAuth2Session(ADFS["native_client_id"], token_endpoint_auth_method="none")


def for_itself(session, **parameters):
    parameters = parameters or {"scope": SCOPE}
    return saw(lambda: session.fetch_token(SERVER["token_endpoint"], grant_type="client_credentials", **parameters))


def signed_in(session, password=USER["password"]):
    return session.fetch_token(
        SERVER["token_endpoint"], username=USER["name"], password=password, scope="openid " + SCOPE)


def signing(audience):
    thumbprint = urlsafe_b64encode(bytes.fromhex(ENTRA["certificate_thumbprint"])).decode()
    session = OAuth2Session(ADFS["client_id"], ENTRA["certificate_pem_text"].split("-----BEGIN CERTIFICATE")[0],
                            token_endpoint_auth_method="private_key_jwt")
    session.register_client_auth_method(PrivateKeyJWT(audience, headers={"x5t": thumbprint}))
    return session


def at_the_aos():
    session, person = confidential(), public()
    seen = for_itself(session)
    signed_in(person)
    return {**seen, "rows": [rows(one.token["access_token"], SETTINGS) for one in (session, person)]}


def secret_post():
    return for_itself(confidential())


def secret_basic():
    return for_itself(confidential("client_secret_basic"))


def secret_with_resource():
    return for_itself(confidential(), resource=ADFS["resource"])


def private_key_jwt():
    return for_itself(signing(SERVER["token_endpoint"]))


def private_key_jwt_for_the_issuer():
    return for_itself(signing(SERVER["issuer"]))


def username_and_password():
    return saw(lambda: signed_in(public()))


def username_and_password_of_a_server_application():
    return saw(lambda: signed_in(confidential()))


def refresh_token():
    session = public()
    first = signed_in(session)["refresh_token"]
    seen = saw(lambda: session.refresh_token(SERVER["token_endpoint"]))
    return {**seen, "kept": session.token["refresh_token"] == first}


def id_token():
    token = signed_in(public())["id_token"]
    keys = KeySet.import_key_set(fetched(SERVER["jwks_uri"]))
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": SERVER["issuer"]},
        aud={"essential": True, "value": ADFS["native_client_id"]},
        sub={"essential": True})
    decoded = jwt.decode(token, keys, algorithms=["RS256"])
    registry.validate(decoded.claims)
    head, body, signature = token.split(".")
    try:
        jwt.decode(".".join([head, body, ("A" if signature[0] != "A" else "B") + signature[1:]]), keys)
        touched = "accepted"
    except JoseError as error:
        touched = type(error).__name__
    return {"id_token": decoded.claims, "touched": touched, "issuer": SERVER["issuer"]}


def wrong_secret():
    return for_itself(confidential(secret="no-secret-of-that-application"))


def wrong_secret_basic():
    return for_itself(confidential("client_secret_basic", secret="no-secret-of-that-application"))


def wrong_password():
    return saw(lambda: signed_in(public(), password="no-password-of-hers"))


def sign_in(secret=None):
    client_id = ADFS["client_id" if secret else "native_client_id"]
    method = "client_secret_basic" if secret else "none"
    session = OAuth2Session(client_id, secret, token_endpoint_auth_method=method, scope="openid",
                            redirect_uri=ADFS["redirect_uri"], code_challenge_method="S256")
    verifier = "a-verifier-of-forty-three-letters-or-rather-more"
    url, state = session.create_authorization_url(
        SERVER["authorization_endpoint"], code_verifier=verifier, nonce="a-nonce", resource=ADFS["resource"])
    person = Person(USER["name"], USER["password"])
    back = person.goes(url)
    assert back["state"] == state, back
    seen = saw(lambda: session.fetch_token(SERVER["token_endpoint"], code=back["code"], code_verifier=verifier))
    keys = KeySet.import_key_set(fetched(SERVER["jwks_uri"]))
    decoded = jwt.decode(session.token["id_token"], keys, algorithms=["RS256"])
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": SERVER["issuer"]},
        aud={"essential": True, "value": client_id},
        nonce={"essential": True, "value": "a-nonce"}).validate(decoded.claims)
    session.refresh_token(SERVER["token_endpoint"])
    refreshed = claims(session.token["access_token"])
    return {**seen, "id_token": decoded.claims, "refreshed": refreshed, "pages": person.pages}


def sign_in_of_a_server_application():
    return sign_in(ADFS["client_secret"])


sign_in_by_name = sign_in

print(json.dumps(globals()[FLOW]()))
