"""Flows of Authlib, an OAuth client that knows nothing of Microsoft, against one lab.

    oauth.py FLOW SETTINGS

A flow prints one JSON object with what the client saw and leaves judging it to its caller. The flows are those of
`../node/oauth.mjs`. Nothing is patched: the CA is trusted through REQUESTS_CA_BUNDLE.
"""

import json
import secrets
import sys

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import extract_compact
from joserfc.util import urlsafe_b64encode

UNREGISTERED_APPLICATION = "5a1b2c3d-4e5f-4061-8273-8495a6b7c8d9"
UNKNOWN_TENANT = "7d0f2b1e-93c4-4b5a-a6d7-e8f901234567"
UNKNOWN_RESOURCE = "https://unknown-resource.example"


def fetched(url):
    """A document of the server's, by a session that has no token yet."""
    return OAuth2Session().get(url, withhold_token=True).json()


def issuer(settings, tenant=None):
    return settings["entra"]["base_url"] + "/" + (tenant or settings["entra"]["tenant_id"]) + "/v2.0"


def discovered(settings):
    """The server's description, what is used of it held against what OpenID Connect asks of it."""
    server = OpenIDProviderMetadata(fetched(get_well_known_url(issuer(settings), external=True)))
    for name in ("issuer", "token_endpoint", "token_endpoint_auth_methods_supported", "jwks_uri"):
        getattr(server, "validate_" + name)()
    return server


def acquired(settings, session, token_endpoint, resource=None):
    """What the client got, and whether Dataverse takes it; or the error as the client hands it on."""
    scope = (resource or settings["dataverse"]["resource"]) + "/.default"
    try:
        token = session.fetch_token(token_endpoint, grant_type="client_credentials", scope=scope)
    except AuthlibBaseError as error:
        return {"error": error.error, "error_description": error.description, "text": str(error)}
    answer = session.get(settings["dataverse"]["url"] + "/api/data/v9.2/WhoAmI")
    return {
        "token_type": token["token_type"],
        "claims": unverified(token["access_token"]),
        "who_am_i": answer.status_code,
    }


def unverified(token):
    return json.loads(extract_compact(token.encode()).payload)


def by_secret(settings, method="client_secret_post", client_id=None, secret=None, resource=None):
    entra, server = settings["entra"], discovered(settings)
    session = OAuth2Session(
        client_id or entra["client_id"], secret or entra["client_secret"], token_endpoint_auth_method=method
    )
    return {"issuer": server["issuer"], **acquired(settings, session, server["token_endpoint"], resource)}


def by_certificate(settings, key, header, alg="RS256"):
    """The session's secret is the key; which certificate it belongs to is the caller's own to say."""
    server = discovered(settings)
    session = OAuth2Session(settings["entra"]["client_id"], key, token_endpoint_auth_method="private_key_jwt")
    session.register_client_auth_method(PrivateKeyJWT(server["token_endpoint"], headers=header, alg=alg))
    return {"issuer": server["issuer"], **acquired(settings, session, server["token_endpoint"])}


def base64url(thumbprint):
    return urlsafe_b64encode(bytes.fromhex(thumbprint)).decode()


def discovery(settings):
    server = discovered(settings)
    return {name: server[name] for name in ("issuer", "token_endpoint", "jwks_uri")}


def description_as_a_whole(settings):
    """Authlib's own check of all that OpenID Connect asks of a description."""
    try:
        discovered(settings).validate()
        return {"misses": None}
    except ValueError as error:
        return {"misses": str(error)}


def secret_post(settings):
    return by_secret(settings)


def secret_basic(settings):
    return by_secret(settings, "client_secret_basic")


def certificate(settings):
    entra = settings["entra"]
    return by_certificate(settings, entra["certificate_pem_text"], {"x5t": base64url(entra["certificate_thumbprint"])})


def certificate_ps256(settings):
    entra = settings["entra"]
    header = {"x5t#S256": base64url(entra["certificate_thumbprint_sha256"])}
    return by_certificate(settings, entra["certificate_pem_text"], header, "PS256")


def wrong_secret(settings):
    return by_secret(settings, secret="no-secret-of-that-application")


def wrong_secret_basic(settings):
    return by_secret(settings, "client_secret_basic", secret="no-secret-of-that-application")


def expired_secret(settings):
    entra = settings["entra"]
    return by_secret(settings, client_id=entra["expired_client_id"], secret=entra["expired_client_secret"])


def unregistered_certificate(settings):
    thumbprint = secrets.token_hex(20).upper()
    seen = by_certificate(settings, RSAKey.generate_key(2048), {"x5t": base64url(thumbprint)})
    return {"thumbprint": thumbprint, **seen}


def unregistered_application(settings):
    return {"client_id": UNREGISTERED_APPLICATION, **by_secret(settings, client_id=UNREGISTERED_APPLICATION)}


def unknown_tenant(settings):
    """Authlib hands out what discovery answered, and says what it misses there."""
    answer = fetched(get_well_known_url(issuer(settings, UNKNOWN_TENANT), external=True))
    try:
        OpenIDProviderMetadata(answer).validate()
    except ValueError as error:
        return {"raised": str(error), "context": json.dumps(answer, separators=(",", ":"))}
    raise AssertionError("Authlib took an unknown tenant for a known one")


def unknown_tenant_at_the_token_endpoint(settings):
    entra = settings["entra"]
    token_endpoint = discovered(settings)["token_endpoint"].replace(entra["tenant_id"], UNKNOWN_TENANT)
    session = OAuth2Session(entra["client_id"], entra["client_secret"], token_endpoint_auth_method="client_secret_post")
    return acquired(settings, session, token_endpoint)


def unknown_resource(settings):
    return {"resource": UNKNOWN_RESOURCE, **by_secret(settings, resource=UNKNOWN_RESOURCE)}


def token_checked(settings):
    """The token of an API of one's own, by joserfc, which Authlib is made with."""
    entra, api, server = settings["entra"], settings["custom_api"], discovered(settings)
    session = OAuth2Session(entra["client_id"], entra["client_secret"])
    token = session.fetch_token(
        server["token_endpoint"], grant_type="client_credentials", scope=api["uri"] + "/.default"
    )["access_token"]
    keys = KeySet.import_key_set(fetched(server["jwks_uri"]))
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": server["issuer"]}, aud={"essential": True, "value": api["client_id"]},
        exp={"essential": True},
    )

    def check(text):
        checked = jwt.decode(text, keys, algorithms=["RS256"])
        rules.validate(checked.claims)
        return checked.claims

    head, body, signature = token.split(".")
    touched = ".".join([head, body, ("B" if signature[0] == "A" else "A") + signature[1:]])
    seen = {"claims": check(token), "touched": "accepted"}
    try:
        check(touched)
    except JoseError as error:
        seen["touched"] = str(error)
    return seen


FLOWS = {
    flow.__name__: flow
    for flow in (
        discovery, description_as_a_whole, secret_post, secret_basic, certificate, certificate_ps256, wrong_secret,
        wrong_secret_basic, expired_secret, unregistered_certificate, unregistered_application, unknown_tenant,
        unknown_tenant_at_the_token_endpoint, unknown_resource, token_checked,
    )
}


def main():
    _, flow, path = sys.argv
    with open(path, encoding="utf-8") as file:
        settings = json.load(file)
    json.dump(FLOWS[flow](settings), sys.stdout)


if __name__ == "__main__":
    main()
