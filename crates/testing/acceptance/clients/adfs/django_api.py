"""An API in Django that takes tokens of AD FS, by django-auth-adfs: django_api.py FLOW SETTINGS

A flow prints one JSON object with whom the API takes the caller for, or that it lets nobody in. No browser: the tokens are
asked for as a native application does.
"""

import json
import logging
import sys
from urllib.parse import urlsplit

import django
import requests
from django.conf import settings as django_settings

FLOW, PATH = sys.argv[1:]
SETTINGS = json.load(open(PATH))
ADFS, USER = SETTINGS["adfs"], SETTINGS["user"]

django_settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_auth_adfs"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    AUTHENTICATION_BACKENDS=["django_auth_adfs.backend.AdfsAccessTokenBackend"],
    AUTH_ADFS={
        "SERVER": urlsplit(ADFS["base_url"]).netloc,
        "CLIENT_ID": ADFS["client_id"],
        "RELYING_PARTY_ID": ADFS["resource"],
        "AUDIENCE": "https://api.example" if FLOW == "another_audience" else ADFS["resource"],
        "USERNAME_CLAIM": "upn",
        "CLAIM_MAPPING": {"first_name": "unique_name", "email": "email"},
        "RETRIES": 0,
    },
)
django.setup()

from django.contrib.auth import authenticate  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django_auth_adfs.config import provider_config  # noqa: E402

call_command("migrate", verbosity=0)


class Reasons(logging.Handler):
    """Why django-auth-adfs let nobody in: it says so in its log alone."""

    said = []

    def emit(self, record):
        self.said.append(record.getMessage())


logger = logging.getLogger("django_auth_adfs")
logger.setLevel(logging.INFO)
logger.addHandler(Reasons())


def token(**parameters):
    """An access token of the user, or of an application that shows a secret."""
    form = {"grant_type": "password", "client_id": ADFS["native_client_id"], "resource": ADFS["resource"],
            "username": USER["name"], "password": USER["password"], **parameters}
    return requests.post(ADFS["base_url"] + "/oauth2/token", data=form).json()["access_token"]


def taken_for(text):
    user = authenticate(access_token=text.encode())
    seen = {"mode": provider_config._mode, "issuer": provider_config.issuer,
            "token_endpoint": provider_config.token_endpoint}
    if user is None:
        return {**seen, "user": None, "why": Reasons.said[-1]}
    return {**seen, "user": user.username, "first_name": user.first_name, "email": user.email}


def token_of_the_user():
    return taken_for(token())


def another_audience():
    return taken_for(token())


def a_changed_token():
    head, body, signature = token().split(".")
    return taken_for(".".join([head, body, ("A" if signature[0] != "A" else "B") + signature[1:]]))


def token_without_a_user():
    return taken_for(token(grant_type="client_credentials", client_id=ADFS["client_id"],
                           client_secret=ADFS["client_secret"]))


def federation_metadata():
    # What it falls back to where there is no openid-configuration, on servers before Windows Server 2016.
    provider_config.load_config()
    by_discovery = [key.public_numbers() for key in provider_config.signing_keys]
    assert provider_config._load_federation_metadata()
    by_metadata = [key.public_numbers() for key in provider_config.signing_keys]
    return {**taken_for(token()), "keys": by_metadata == by_discovery}


token_of_the_user_by_name = token_of_the_user

print(json.dumps(globals()[FLOW]()))
