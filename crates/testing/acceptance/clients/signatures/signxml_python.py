"""A consumer's judge of signed metadata, by signxml: signxml_python.py CERTIFICATE.pem, files on standard input, a verdict for each."""

import pathlib
import sys

from cryptography import x509
from signxml import XMLVerifier
from signxml.verifier import SignatureConfiguration

certificate = x509.load_pem_x509_certificate(pathlib.Path(sys.argv[1]).read_bytes())
# The signature is a child of what it signs, and nowhere else. The certificates of real servers ended long ago.
config = SignatureConfiguration(location="./", verification_time=certificate.not_valid_before_utc)

for line in sys.stdin:
    document = pathlib.Path(line.rstrip("\n")).read_bytes()
    try:
        result = XMLVerifier().verify(document, x509_cert=certificate, id_attribute="ID", expect_config=config)
        print("accepted", result.signed_xml.get("entityID"))
    except Exception as error:  # signxml and lxml raise several kinds; which one is not ours to judge
        print(f"refused: {type(error).__name__}: {error}".replace("\n", " "))
