"""A site in Django that people sign in to at AD FS, by django-auth-adfs, and one of them: django_site.py FLOW SETTINGS

A flow prints one JSON object with what the site answered in the end. Every page of the site is for people who have signed in.
"""

import json
import logging
import os
import sys
from urllib.parse import quote, urlsplit

import django
import requests
from django.conf import settings as django_settings

from person import Forms, Person

FLOW, PATH = sys.argv[1:]
FLOW = FLOW.removesuffix("_by_name")
SETTINGS = json.load(open(PATH))
ADFS, USER = SETTINGS["adfs"], SETTINGS["user"]
SITE = "https://portal.contoso.com"
NATIVE = FLOW == "sign_in_of_a_native_application"
CLIENT_ID = ADFS["native_client_id" if NATIVE else "client_id"]

django_settings.configure(
    ALLOWED_HOSTS=[urlsplit(SITE).netloc],
    AUTHENTICATION_BACKENDS=["django_auth_adfs.backend.AdfsAuthCodeBackend"],
    AUTH_ADFS={
        "SERVER": urlsplit(ADFS["base_url"]).netloc,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": None if NATIVE else "wrong" if FLOW == "wrong_secret" else ADFS["client_secret"],
        "RELYING_PARTY_ID": ADFS["resource"],
        "AUDIENCE": ADFS["resource"],
        "USERNAME_CLAIM": "upn",
        "CLAIM_MAPPING": {"first_name": "unique_name", "email": "email"},
        "DISABLE_SSO": FLOW == "without_single_sign_on",
        "RETRIES": 0,
    },
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django_auth_adfs"],
    LOGIN_REDIRECT_URL="/orders",
    LOGIN_URL="django_auth_adfs:login",
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django_auth_adfs.middleware.LoginRequiredMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of-no-consequence",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [
    path("oauth2/", include("django_auth_adfs.urls")),
    path("orders", lambda request: JsonResponse({"user": request.user.username, "email": request.user.email,
                                                 "first_name": request.user.first_name})),
]

call_command("migrate", verbosity=0)


class Reasons(logging.Handler):
    """Why django-auth-adfs let nobody in: it says so in its log alone."""

    said = []

    def emit(self, record):
        self.said.append(record.getMessage())


logger = logging.getLogger("django_auth_adfs")
logger.setLevel(logging.ERROR)
logger.addHandler(Reasons())


def register():
    """What an administrator does for a site: where it is come back to."""
    kind = "native_applications" if NATIVE else "server_applications"
    group = quote("Microsoft Dynamics 365 for Operations On-premises")
    where = f"/federation_services/contoso/application_groups/{group}/{kind}/{CLIENT_ID}/redirect_uris/-"
    edit = {"op": "add", "path": where.replace("%20", " "), "value": SITE + "/oauth2/callback"}
    token = os.environ.get("MOCKTENANT_CONTROL_TOKEN")
    direct = requests.Session()
    direct.trust_env = False
    direct.patch(SETTINGS["control_url"] + "/v1/world", json=[edit], verify=SETTINGS["ca_pem"],
                 headers={"Authorization": f"Bearer {token}"} if token else {}).raise_for_status()


class Browser:
    """One browser: the site answers in this process, AD FS over the network."""

    def __init__(self):
        self.site = Client(headers={"host": urlsplit(SITE).netloc})
        self.person = Person(USER["name"], USER["password"])

    def opens(self, where):
        """What is seen in the end, and where."""
        for _ in range(9):
            answer = self.site.get(where, secure=True)
            if answer.status_code != 302:
                return answer
            where = answer["location"]
            if where.startswith("https:") and not where.startswith(SITE):
                seen, where = self.person.ask("GET", where)
                if where is None:
                    seen, where = self.person.signs_in(seen)
                if where is None:
                    return seen
                assert where.startswith(SITE), where
                where = where.removeprefix(SITE)
        raise RuntimeError("redirected for ever")


def saw(browser, where="/orders?by=date"):
    answer = browser.opens(where)
    seen = {"status": answer.status_code, "pages": browser.person.pages, "why": Reasons.said[-1:]}
    if answer.headers.get("content-type", "").startswith("application/json"):
        return {**seen, **answer.json(), "at": answer.request["QUERY_STRING"]}
    if isinstance(answer, requests.Response):
        return {**seen, "page": " ".join(Forms(answer.text).words.split())}
    return seen


def sign_in():
    browser = Browser()
    seen = saw(browser)
    browser.site.cookies.clear()
    pages = browser.person.pages
    assert saw(browser)["user"] == seen["user"]
    return {**seen, "asked_again": browser.person.pages - pages}


def sign_out():
    browser = Browser()
    saw(browser)
    seen = saw(browser, "/oauth2/logout")
    pages = browser.person.pages
    again = saw(browser)
    return {**again, "page": seen["page"], "asked_again": browser.person.pages - pages}


def wrong_secret():
    return saw(Browser())


def a_code_twice():
    browser = Browser()
    answer = browser.site.get("/orders", secure=True)
    answer = browser.site.get(answer["location"], secure=True)
    seen, _ = browser.person.ask("GET", answer["location"])
    _, back = browser.person.signs_in(seen)
    back = back.removeprefix(SITE)
    assert browser.site.get(back, secure=True).status_code == 302
    return {"status": Client(headers={"host": urlsplit(SITE).netloc}).get(back, secure=True).status_code,
            "why": Reasons.said[-1:]}


def unregistered():
    return saw(Browser())


sign_in_of_a_native_application = without_single_sign_on = sign_in

if FLOW != "unregistered":
    register()
print(json.dumps(globals()[FLOW]()))
