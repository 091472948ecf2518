"""Somebody without a browser: keeps cookies, fills in forms, follows redirects as far as where nobody listens. No scripts.

What the environment says of certificates and proxies holds here too. Programs of other languages call it:

    person.py SETTINGS goes URL             what came to the redirect URI, as JSON
    person.py SETTINGS confirms URL CODE    the words of the last page
"""

import json
import sys
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests


class Forms(HTMLParser):
    """The forms of a page that are shown, each with its fields; and its words."""

    def __init__(self, page):
        super().__init__()
        self.forms, self.form, self.words, self.styled = [], None, "", False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.styled = tag == "style"
        if tag == "form":
            self.form = {"id": attributes.get("id"), "action": attributes["action"], "fields": {}}
            if "hidden" not in attributes:
                self.forms.append(self.form)
        elif tag == "input" and self.form and "name" in attributes:
            if attributes.get("type") != "checkbox" or "checked" in attributes:
                self.form["fields"][attributes["name"]] = attributes.get("value", "")

    def handle_data(self, data):
        self.words += "" if self.styled else data


class Person:
    def __init__(self, name, password):
        self.name, self.password, self.pages = name, password, 0
        self.session = requests.Session()

    def ask(self, method, url, **fields):
        """What answers in the end: a page, or where somebody is sent who is not of this service."""
        answer = self.session.request(method, url, allow_redirects=False, **fields)
        while answer.is_redirect:
            to = urljoin(answer.url, answer.headers["location"])
            if urlsplit(to)[:2] != urlsplit(answer.url)[:2]:
                return answer, to
            answer = self.session.get(to, allow_redirects=False)
        answer.raise_for_status()
        return answer, None

    def fill(self, answer, **typed):
        form = Forms(answer.text).forms[0]
        self.pages += 1
        origin = "://".join(urlsplit(answer.url)[:2])
        return self.ask("POST", urljoin(answer.url, form["action"]), data={**form["fields"], **typed},
                        headers={"Origin": origin})

    def signs_in(self, answer):
        """Types name and password, on one page or two."""
        to = None
        while to is None:
            forms = Forms(answer.text).forms
            if not forms or "UserName" not in forms[0]["fields"] or self.pages == 4:
                break
            typed = {"UserName": self.name}
            if "Password" in forms[0]["fields"]:
                typed["Password"] = self.password
            answer, to = self.fill(answer, **typed)
        return answer, to

    def goes(self, url):
        """What comes to the redirect URI; or the page where it ends."""
        answer, to = self.ask("GET", url)
        if to is None:
            answer, to = self.signs_in(answer)
        if to is not None:
            parts = urlsplit(to)
            return dict(parse_qsl(parts.query or parts.fragment))
        read = Forms(answer.text)
        if read.forms and read.forms[0]["id"] is None:
            return read.forms[0]["fields"]
        return {"page": " ".join(read.words.split())}

    def confirms(self, url, code):
        """Types the code that a device shows, says that it was meant, and signs in."""
        answer, _ = self.ask("GET", url)
        answer, _ = self.fill(answer, user_code=code)
        answer, _ = self.fill(answer, Confirm="true")
        answer, _ = self.signs_in(answer)
        return " ".join(Forms(answer.text).words.split())


def rows(token, settings):
    """How many customer groups an AOS on-premises shows whoever has this token."""
    url = settings["aos"]["onprem"]["data_url"] + "/CustomerGroups"
    answer = requests.get(url, headers={"Authorization": "Bearer " + token})
    answer.raise_for_status()
    return len(answer.json()["value"])


if __name__ == "__main__":
    told, verb, *rest = sys.argv[1:]
    user = json.load(open(told))["user"]
    print(json.dumps(getattr(Person(user["name"], user["password"]), verb)(*rest)))
