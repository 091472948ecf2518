"""Flows of real, unmodified clients against one lab, each by its name.

    flows.py FLOW SETTINGS

SETTINGS is the lab's settings document. A flow prints one JSON object with what the client saw and leaves judging it to
its caller, who also reads the lab's journal. Nothing is patched, and the only thing a flow knows of the lab is that
document: certificates are trusted through REQUESTS_CA_BUNDLE or the client's own parameter, as its manual says.
"""

import base64
import datetime
import json
import os
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


# --- azure-identity on a machine with managed identities ---


def machine(settings, credential):
    """What Dataverse says of the identity's token."""
    token = credential.get_token(scopes(settings)[0]).token
    who = requests.get(
        settings["dataverse"]["url"] + "/api/data/v9.2/WhoAmI",
        headers={"Authorization": "Bearer " + token, "Accept": "application/json"},
        timeout=30,
    )
    return {"claims": jwt.decode(token, options={"verify_signature": False}), "who_am_i": who.status_code}


def managed(settings, **environment):
    """The identities of a machine, or of an app, that is told these variables."""
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import ManagedIdentityCredential

    os.environ.update(environment)
    seen = {"own": machine(settings, ManagedIdentityCredential())}
    named = {
        "by_client_id": {"client_id": settings["entra"]["client_id"]},
        "by_object_id": {"identity_config": {"object_id": seen["own"]["claims"]["oid"]}},
        "by_resource_id": {"identity_config": {"resource_id": seen["own"]["claims"]["xms_mirid"]}},
    }
    for name, options in named.items():
        seen[name] = machine(settings, ManagedIdentityCredential(**options))
    aos = settings["aos"]["onebox"]
    token = ManagedIdentityCredential().get_token(aos["resource"] + "/.default").token
    customers = requests.get(
        aos["url"] + "/data/CustomersV3", headers={"Authorization": "Bearer " + token}, timeout=30
    )
    seen["customers"] = customers.status_code
    try:
        ManagedIdentityCredential(client_id=UNREGISTERED_APPLICATION).get_token(scopes(settings)[0])
        seen["stranger"] = "a token"
    except ClientAuthenticationError as error:
        seen["stranger"] = str(error)
    return seen


def managed_identity_app_service(settings):
    there = settings["managed_identity"]
    return managed(
        settings, IDENTITY_ENDPOINT=there["app_service_url"], IDENTITY_HEADER=there["app_service_header"]
    )


def managed_identity_imds(settings):
    return managed(settings, AZURE_POD_IDENTITY_AUTHORITY_HOST=settings["managed_identity"]["imds_url"])


def managed_identity_imds_through_the_proxy(settings):
    return managed(settings, HTTP_PROXY=settings["control_url"])


def managed_identity_by_default(settings):
    """DefaultAzureCredential, which probes IMDS before it asks."""
    from azure.identity import DefaultAzureCredential

    os.environ.update(HTTP_PROXY=settings["control_url"])
    return machine(settings, DefaultAzureCredential())


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


# --- the Dataverse SDK for Python ---


def connected(settings):
    """The SDK as its manual has it: the organisation's address, and any credential of azure-identity. Imported here, since
    it brings pandas with it and the other flows need neither."""
    from azure.identity import ClientSecretCredential
    from PowerPlatform.Dataverse.client import DataverseClient

    entra = settings["entra"]
    credential = ClientSecretCredential(
        entra["tenant_id"], entra["client_id"], entra["client_secret"], disable_instance_discovery=True,
        authority=entra["authority"].rsplit("/", 1)[0],
    )
    return DataverseClient(settings["dataverse"]["url"], credential)


def dataverse_sdk_rows(settings):
    with connected(settings) as client:
        contact = client.records.create("contact", {"firstname": "Ann", "lastname": "Other"})
        # a label where a number belongs: the SDK asks the definitions for the number
        account = client.records.create("account", {
            "name": "Made by the SDK", "accountnumber": "SDK-1", "customertypecode": "Customer",
            "primarycontactid@odata.bind": f"/contacts({contact})",
        })
        read = client.records.retrieve("account", account, select=["name", "customertypecode"],
                                       expand=["primarycontactid($select=fullname)"], include_annotations="*")
        found = client.records.list("account", filter="startswith(accountnumber,'SDK-') and contains(name,'made')",
                                    select=["accountnumber"], count=True)
        client.records.update("account", account, {"name": "Changed by the SDK", "customertypecode": "Supplier"})
        client.records.upsert("account", [{"alternate_key": {"accountnumber": "SDK-2"}, "record": {"name": "Second"}}])
        after = client.records.retrieve("account", account, select=["name", "customertypecode"])
        pages = [len(page) for page in client.records.list_pages("account", filter="startswith(accountnumber,'SDK-')",
                                                                 select=["name"], page_size=1)]
        client.records.delete("account", account)
        gone = client.records.retrieve("account", account)
        return {
            "read": dict(read), "found": [row["accountnumber"] for row in found], "after": dict(after),
            "pages": pages, "gone": gone,
        }


def dataverse_sdk_definitions(settings):
    from PowerPlatform.Dataverse.core.errors import MetadataError

    with connected(settings) as client:
        tables = client.tables.list(select=["LogicalName", "EntitySetName"])
        info = client.tables.get("account")
        columns = client.tables.list_columns("account", select=["LogicalName", "AttributeType"])
        column = client.tables.get_column("account", "customertypecode", select=["AttributeType"])
        try:
            client.records.create("acount", {"name": "x"})
            unknown = None
        except MetadataError as error:
            unknown = str(error)
        return {
            "tables": [table["LogicalName"] for table in tables], "set": info.entity_set_name,
            "id": info.primary_id_attribute, "columns": len(columns), "column": column["AttributeType"],
            "unknown": unknown,
        }


def dataverse_sdk_batch(settings):
    def told(result):
        return [{"status": one.status_code, "id": one.entity_id, "code": one.error_code} for one in result.responses]

    with connected(settings) as client:
        batch = client.batch.new()
        with batch.changeset() as together:
            contact = together.records.create("contact", {"lastname": "Other"})
            together.records.create("account", {"accountnumber": "SDK-1", "primarycontactid@odata.bind": contact})
        batch.records.list("account", filter="accountnumber eq 'SDK-1'", select=["accountnumber"])
        batch.tables.get("account")
        made = batch.execute()
        batch = client.batch.new()
        with batch.changeset() as together:
            together.records.create("account", {"accountnumber": "SDK-2"})
            together.records.create("account", {"accountnumber": "SDK-1"})
        batch.records.create("account", {"accountnumber": "SDK-3"})
        mixed = batch.execute(continue_on_error=True)
        rows = client.records.list("account", filter="startswith(accountnumber,'SDK-')", select=["accountnumber"],
                                   orderby=["accountnumber"], expand=["primarycontactid($select=lastname)"])
        return {
            "made": told(made), "table": made.responses[-1].data["value"][0]["EntitySetName"], "mixed": told(mixed),
            "rows": [row["accountnumber"] for row in rows], "contact": rows[0]["primarycontactid"]["lastname"],
        }


def dataverse_sdk_refusals(settings):
    from PowerPlatform.Dataverse.core.errors import HttpError

    with connected(settings) as client:
        try:
            client.records.create("account", {"nonsense": 1})
            raise AssertionError("the lab took a column that is not there")
        except HttpError as error:
            return {"status": error.status_code, "text": str(error), "code": error.details.get("service_error_code")}


FLOWS = {
    flow.__name__: flow
    for flow in (
        secret, secret_with_the_verify_parameter, certificate_x5t, certificate_x5t_s256_x5c, certificate_x5t_with_x5c,
        certificate_pfx, certificate_pfx_with_x5c, cache, wrong_secret, expired_secret, unregistered_certificate,
        unregistered_application, unknown_tenant, unknown_tenant_at_the_token_endpoint, unknown_resource, token_v1,
        token_v2, token_forged, metadata_signature, dataverse_sdk_rows, dataverse_sdk_definitions,
        dataverse_sdk_batch, dataverse_sdk_refusals, managed_identity_app_service, managed_identity_imds,
        managed_identity_imds_through_the_proxy, managed_identity_by_default,
    )
}


def main():
    _, flow, path = sys.argv
    with open(path, encoding="utf-8") as file:
        settings = json.load(file)
    json.dump(FLOWS[flow](settings), sys.stdout)


if __name__ == "__main__":
    main()
