"""An API's judge of tokens, by PyJWT: pyjwt.py ISSUER AUDIENCE, tokens on standard input, a verdict for each.

The root of the tests is trusted through SSL_CERT_FILE, which Python's own https client reads.
"""

import json
import sys
import urllib.request

import jwt

issuer, audience = sys.argv[1:]
with urllib.request.urlopen(issuer + "/.well-known/openid-configuration") as answer:
    discovery = json.load(answer)
keys = jwt.PyJWKClient(discovery["jwks_uri"])

for line in sys.stdin:
    token = line.strip()
    try:
        claims = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=discovery["id_token_signing_alg_values_supported"],
            audience=audience,
            issuer=discovery["issuer"],
            options={"require": ["exp", "nbf", "aud", "iss", "oid", "tid", "azp"], "strict_aud": True},
        )
        print("accepted", *claims.get("roles", []))
    except jwt.PyJWTError as error:
        print(f"refused: {type(error).__name__}: {error}")
