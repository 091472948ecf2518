"""Flows of real, unmodified clients against one lab, each by its name.

    flows.py FLOW SETTINGS

SETTINGS is the lab's settings document. A flow prints one JSON object with what the client saw and leaves judging it to
its caller, who also reads the lab's journal. Nothing is patched, and the only thing a flow knows of the lab is that
document: certificates are trusted through REQUESTS_CA_BUNDLE or the client's own parameter, as its manual says.
"""

import base64
import datetime
import json
import ssl
import sys

import jwt
import msal
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import XMLVerifier
from signxml.verifier import SignatureConfiguration

UNREGISTERED_APPLICATION = "5a1b2c3d-4e5f-4061-8273-8495a6b7c8d9"
UNKNOWN_TENANT = "7d0f2b1e-93c4-4b5a-a6d7-e8f901234567"
UNKNOWN_RESOURCE = "https://unknown-resource.example"


# --- msal ---


def application(settings, credential, client_id=None, authority=None, **options):
    entra = settings["entra"]
    return msal.ConfidentialClientApplication(
        client_id or entra["client_id"],
        client_credential=credential,
        authority=authority or entra["authority"],
        instance_discovery=False,
        **options,
    )


def scopes(settings):
    return [settings["dataverse"]["resource"] + "/.default"]


def acquired(settings, app, scope=None):
    """What MSAL returned, and for a token whether Dataverse takes it."""
    result = app.acquire_token_for_client(scopes(settings) if scope is None else [scope])
    seen = {
        key: result.get(key)
        for key in ("token_type", "token_source", "expires_in", "error", "error_codes", "error_description",
                    "error_uri", "correlation_id", "trace_id", "timestamp")
        if key in result
    }
    token = result.get("access_token")
    if token:
        seen["claims"] = jwt.decode(token, options={"verify_signature": False})
        who = requests.get(
            settings["dataverse"]["url"] + "/api/data/v9.2/WhoAmI",
            headers={"Authorization": "Bearer " + token, "Accept": "application/json"},
            timeout=30,
        )
        seen["who_am_i"] = who.status_code
    return seen


def secret(settings):
    return acquired(settings, application(settings, settings["entra"]["client_secret"]))


def secret_with_the_verify_parameter(settings):
    """The other documented way to trust the lab: MSAL's `verify`."""
    app = application(settings, settings["entra"]["client_secret"], verify=settings["ca_pem"])
    result = app.acquire_token_for_client(scopes(settings))
    return {"token_type": result.get("token_type"), "error": result.get("error")}


def key_and_certificate(settings):
    """The two PEM blocks of `certificate_pem`, key first."""
    with open(settings["entra"]["certificate_pem"], encoding="ascii") as file:
        text = file.read()
    begin = text.index("-----BEGIN CERTIFICATE-----")
    return text[:begin], text[begin:]


def certificate_x5t(settings):
    key, _ = key_and_certificate(settings)
    credential = {"private_key": key, "thumbprint": settings["entra"]["certificate_thumbprint"]}
    return acquired(settings, application(settings, credential))


def certificate_x5t_s256_x5c(settings):
    key, certificate = key_and_certificate(settings)
    credential = {"private_key": key, "public_certificate": certificate}
    return acquired(settings, application(settings, credential))


def certificate_x5t_with_x5c(settings):
    key, certificate = key_and_certificate(settings)
    credential = {
        "private_key": key,
        "thumbprint": settings["entra"]["certificate_thumbprint"],
        "public_certificate": certificate,
    }
    return acquired(settings, application(settings, credential))


def pfx_credential(settings, **more):
    credential = {"private_key_pfx_path": settings["entra"]["certificate_pfx"], **more}
    if settings["entra"].get("pfx_password"):
        credential["passphrase"] = settings["entra"]["pfx_password"]
    return credential


def certificate_pfx(settings):
    return acquired(settings, application(settings, pfx_credential(settings)))


def certificate_pfx_with_x5c(settings):
    return acquired(settings, application(settings, pfx_credential(settings, public_certificate=True)))


def cache(settings):
    app = application(settings, settings["entra"]["client_secret"])
    return {"first": acquired(settings, app), "second": acquired(settings, app)}


def wrong_secret(settings):
    return acquired(settings, application(settings, "this-is-no-secret-of-that-application"))


def expired_secret(settings):
    entra = settings["entra"]
    app = application(settings, entra["expired_client_secret"], client_id=entra["expired_client_id"])
    return acquired(settings, app)


def self_signed():
    """A certificate nobody registered: key and certificate as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registered nowhere")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key_pem.decode(), certificate


def unregistered_certificate(settings):
    key, certificate = self_signed()
    thumbprint = certificate.fingerprint(hashes.SHA1()).hex().upper()
    credential = {"private_key": key, "thumbprint": thumbprint}
    return {"thumbprint": thumbprint, **acquired(settings, application(settings, credential))}


def unregistered_application(settings):
    app = application(settings, settings["entra"]["client_secret"], client_id=UNREGISTERED_APPLICATION)
    return {"client_id": UNREGISTERED_APPLICATION, **acquired(settings, app)}


def unknown_tenant(settings):
    """MSAL asks discovery first and hides its answer behind an error of its own; the answer is in its context."""
    authority = settings["entra"]["base_url"] + "/" + UNKNOWN_TENANT
    try:
        app = application(settings, settings["entra"]["client_secret"], authority=authority)
        app.acquire_token_for_client(scopes(settings))
    except ValueError as error:
        return {"tenant": UNKNOWN_TENANT, "raised": str(error), "context": str(error.__context__)}
    raise AssertionError("MSAL took an unknown tenant for a known one")


def unknown_tenant_at_the_token_endpoint(settings):
    """The same without discovery: the token endpoint of a tenant that is not there."""
    answer = requests.post(
        f"{settings['entra']['base_url']}/{UNKNOWN_TENANT}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": settings["entra"]["client_id"],
            "client_secret": settings["entra"]["client_secret"],
            "scope": scopes(settings)[0],
        },
        timeout=30,
    )
    return {"tenant": UNKNOWN_TENANT, "status": answer.status_code, **answer.json()}


def unknown_resource(settings):
    app = application(settings, settings["entra"]["client_secret"])
    return {"resource": UNKNOWN_RESOURCE, **acquired(settings, app, UNKNOWN_RESOURCE + "/.default")}


# --- PyJWT ---


def verified(settings, version, form, audience):
    """Verifies a token of the endpoint of this version against the discovery document and JWKS of its own version."""
    entra = settings["entra"]
    answer = requests.post(
        entra["authority"] + ("/oauth2/v2.0/token" if version == 2 else "/oauth2/token"),
        data={
            "grant_type": "client_credentials",
            "client_id": entra["client_id"],
            "client_secret": entra["client_secret"],
            **form,
        },
        timeout=30,
    )
    answer.raise_for_status()
    token = answer.json()["access_token"]
    # The version is the resource's choice, not the endpoint's.
    unverified = jwt.decode(token, options={"verify_signature": False})
    prefix = "/v2.0" if unverified["ver"] == "2.0" else ""
    discovery = requests.get(entra["authority"] + prefix + "/.well-known/openid-configuration", timeout=30).json()
    context = ssl.create_default_context(cafile=settings["ca_pem"])
    key = jwt.PyJWKClient(discovery["jwks_uri"], ssl_context=context).get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token,
        key,
        algorithms=discovery["id_token_signing_alg_values_supported"],
        audience=audience,
        issuer=discovery["issuer"],
        options={"require": ["exp", "iat", "nbf", "aud", "iss"], "strict_aud": True},
    )
    return {"header": jwt.get_unverified_header(token), "claims": claims, "issuer": discovery["issuer"],
            "jwks_uri": discovery["jwks_uri"]}


def token_v1(settings):
    resource = settings["dataverse"]["resource"]
    return {
        "v1_endpoint": verified(settings, 1, {"resource": resource}, resource),
        "v2_endpoint": verified(settings, 2, {"scope": resource + "/.default"}, resource),
    }


def token_v2(settings):
    api = settings["custom_api"]
    return {
        "v1_endpoint": verified(settings, 1, {"resource": api["uri"]}, api["client_id"]),
        "v2_endpoint": verified(settings, 2, {"scope": api["uri"] + "/.default"}, api["client_id"]),
    }


def token_forged(settings):
    """A token whose signature was touched must fail here: a verifier that takes everything proves nothing."""
    entra = settings["entra"]
    app = application(settings, entra["client_secret"])
    token = app.acquire_token_for_client(scopes(settings))["access_token"]
    head, body, signature = token.split(".")
    forged = ".".join([head, body, ("A" if signature[0] != "A" else "B") + signature[1:]])
    discovery = requests.get(entra["authority"] + "/.well-known/openid-configuration", timeout=30).json()
    context = ssl.create_default_context(cafile=settings["ca_pem"])
    key = jwt.PyJWKClient(discovery["jwks_uri"], ssl_context=context).get_signing_key_from_jwt(token)
    try:
        jwt.decode(forged, key, algorithms=["RS256"], options={"verify_aud": False})
    except jwt.InvalidSignatureError as error:
        return {"refused": str(error)}
    raise AssertionError("PyJWT took a forged token")


def forged(settings, order):
    answer = requests.post(settings["control_url"] + "/v1/tokens", json=order, timeout=30)
    answer.raise_for_status()
    return answer.json()["token"]


DEFECTS = (
    "bad-signature unknown-kid wrong-issuer wrong-audience wrong-tenant expired not-yet-valid alg-none"
    " hs256-with-public-key no-oid no-tid no-appid"
).split()


def token_defects(settings):
    """Every defect a token can be ordered with, for an API of one's own that goes by discovery and JWKS: who refuses it."""
    entra, api = settings["entra"], settings["custom_api"]
    discovery = requests.get(entra["authority"] + "/v2.0/.well-known/openid-configuration", timeout=30).json()
    context = ssl.create_default_context(cafile=settings["ca_pem"])
    keys = jwt.PyJWKClient(discovery["jwks_uri"], ssl_context=context)

    def verdict(token):
        try:
            claims = jwt.decode(
                token,
                keys.get_signing_key_from_jwt(token),
                algorithms=discovery["id_token_signing_alg_values_supported"],
                audience=api["client_id"],
                issuer=discovery["issuer"],
                options={"require": ["exp", "nbf", "aud", "iss", "oid", "tid", "azp"], "strict_aud": True},
            )
        except jwt.PyJWTError as error:
            return type(error).__name__
        # What no library knows: whose tokens an application of one tenant takes.
        if claims["tid"] != entra["tenant_id"]:
            return "another tenant"
        return "accepted with " + " ".join(claims.get("roles", []))

    seen = {word: verdict(forged(settings, {"resource": api["uri"], "defect": word})) for word in DEFECTS}
    seen["none"] = verdict(forged(settings, {"resource": api["uri"]}))
    return seen


# --- signxml ---


def metadata_signature(settings):
    """FederationMetadata.xml verified with the certificate the JWKS publishes, not with the one it brings along."""
    entra = settings["entra"]
    document = requests.get(
        entra["authority"] + "/federationmetadata/2007-06/federationmetadata.xml", timeout=30
    ).content
    keys = requests.get(
        requests.get(entra["authority"] + "/.well-known/openid-configuration", timeout=30).json()["jwks_uri"],
        timeout=30,
    ).json()["keys"]
    root = etree.fromstring(document)
    embedded = root.findtext(".//{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
    published = [key["x5c"][0] for key in keys]
    used = published.index("".join(embedded.split()))
    certificate = x509.load_der_x509_certificate(base64.b64decode(published[used]))
    config = SignatureConfiguration(location="./")
    result = XMLVerifier().verify(document, x509_cert=certificate, id_attribute="ID", expect_config=config)
    touched = document.replace(b"entityID=\"https://sts.windows.net", b"entityID=\"https://sts.windows.nex", 1)
    try:
        XMLVerifier().verify(touched, x509_cert=certificate, id_attribute="ID", expect_config=config)
        forged = "accepted"
    except Exception as error:  # signxml raises several kinds; which one is not ours to judge
        forged = type(error).__name__
    return {
        "signed": etree.QName(result.signed_xml).localname,
        "entity_id": result.signed_xml.get("entityID"),
        "published_key": used,
        "touched": touched != document,
        "forged": forged,
    }


FLOWS = {
    flow.__name__: flow
    for flow in (
        secret, secret_with_the_verify_parameter, certificate_x5t, certificate_x5t_s256_x5c, certificate_x5t_with_x5c,
        certificate_pfx, certificate_pfx_with_x5c, cache, wrong_secret, expired_secret, unregistered_certificate,
        unregistered_application, unknown_tenant, unknown_tenant_at_the_token_endpoint, unknown_resource, token_v1,
        token_v2, token_forged, token_defects, metadata_signature,
    )
}


def main():
    _, flow, path = sys.argv
    with open(path, encoding="utf-8") as file:
        settings = json.load(file)
    json.dump(FLOWS[flow](settings), sys.stdout)


if __name__ == "__main__":
    main()
