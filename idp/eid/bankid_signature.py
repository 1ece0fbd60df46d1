"""The signature of Swedish BankID: an enveloping XML signature over what was shown and by whom.

Checks the signature and nothing about the person: whether the certificate is worth anything, and whether
the text is ours, is for the caller. Every check stands in one table and is stricter than XML Signature
(W3C XML Signature Syntax and Processing 1.1): one shape, two namespaces, one algorithm for each purpose.
Data is read only from the very elements whose digests were compared, so that nothing wrapped around or
beside them can speak.
"""

from __future__ import annotations

import copy
import hashlib
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree  # type: ignore[import-untyped]

from idp.eid import certificates

LONGEST = 200_000
"""Characters of the longest signature that is looked at. Real ones have some 10,000."""

MOST_CERTIFICATES = 5

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
BANKID = "http://www.bankid.com/signature/v1.0.0/types"
CANONICAL = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
DIGEST_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

_DATA = {"URI": "#bidSignedData", "Type": BANKID}
_KEY = {"URI": "#bidKeyInfo"}


class Untrusted(ValueError):
    """The signature is not what it should be. The message is the name of the check that failed."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, and the certificates that came along: the person's first, none of them trusted yet."""

    certificates: tuple[x509.Certificate, ...] = field(repr=False)
    visible: str = field(repr=False)
    """Base64 of the text that the person saw."""
    non_visible: str = field(repr=False)
    """Base64 of what we added."""
    function: str
    """`Identification` or `Signing`."""


def read(signature: str) -> Signed:
    """What the signature (base64 of XML) proves to be signed. Raises `Untrusted`."""
    root = _parsed(signature)
    for name, holds in CHECKS:
        if not holds(root):
            raise Untrusted(name)
    data = _data(root)
    return Signed(
        certificates=tuple(_certificates(root)),
        visible=_only(data, "usrVisibleData"),
        non_visible=_only(data, "usrNonVisibleData"),
        function=_only(data, "clientInfo", "funcId"),
    )


def binding(signature: str) -> bytes:
    """What the nonce of the OCSP response begins with: SHA-1 over the text of the signature, as the format wants it."""
    return hashlib.sha1(signature.encode(), usedforsecurity=False).digest()


def _parsed(signature: str) -> Any:
    if len(signature) > LONGEST:
        raise Untrusted("size")
    raw = _decoded(signature)
    if raw is None:
        raise Untrusted("base64")
    # No document type, hence no entities; no comment, which could cut a text in two; no CDATA; no instruction.
    if b"<!" in raw or b"<?" in raw[1:]:
        raise Untrusted("plain-xml")
    # The encoding is ours to say: a document in another one would read `<!` differently.
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=False
    )
    try:
        return etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as problem:
        raise Untrusted("plain-xml") from problem


def _data(root: Any) -> Any:
    """The signed data, by its place: never looked for by name or id."""
    return root[3][0]


def _one_signature(root: Any) -> bool:
    """In any namespace: a second one, however it is wrapped, is refused before anything is looked up."""
    names = [etree.QName(element).localname for element in root.iter()]
    wanted = {"Signature": 1, "SignedInfo": 1, "Reference": 2, "KeyInfo": 1, "Object": 1, "bankIdSignedData": 1}
    return all(names.count(name) == count for name, count in wanted.items())


def _two_namespaces(root: Any) -> bool:
    """Without prefixes and `xml:` attributes, canonical XML takes nothing over from what stands around an element."""
    return all(
        element.nsmap in ({None: XMLDSIG}, {None: BANKID}) and not any("}" in name for name in element.attrib)
        for element in root.iter()
    )


def _shape(root: Any) -> bool:
    if not (_is(root, "Signature") and _holds(root, "SignedInfo", "SignatureValue", "KeyInfo", "Object")):
        return False
    info, _, keys, wrapper = root
    if not _holds(info, "CanonicalizationMethod", "SignatureMethod", "Reference", "Reference"):
        return False
    return (
        all(_is_reference(one) for one in info[2:])
        and _holds(keys, "X509Data")
        and 1 <= len(keys[0]) <= MOST_CERTIFICATES
        and all(_is(one, "X509Certificate") for one in keys[0])
        and [one.tag for one in wrapper] == [f"{{{BANKID}}}bankIdSignedData"]
        and not root.attrib
        and not wrapper.attrib
    )


def _is_reference(element: Any) -> bool:
    return _holds(element, "Transforms", "DigestMethod", "DigestValue") and _holds(element[0], "Transform")


def _ids(root: Any) -> bool:
    """Each id once, in its place, and no other attribute that some reader could take for an id."""
    found = [
        (element, value) for element in root.iter() for name, value in element.attrib.items() if name.lower() == "id"
    ]
    return found == [(root[2], "bidKeyInfo"), (_data(root), "bidSignedData")]


def _references(root: Any) -> bool:
    return sorted((dict(one.attrib) for one in root[0][2:]), key=len) == [_KEY, _DATA]


def _algorithms(root: Any) -> bool:
    method, signing = root[0][:2]
    said = [(method, CANONICAL), (signing, RSA_SHA256)]
    for one in root[0][2:]:
        said += [(one[0][0], CANONICAL), (one[1], DIGEST_SHA256)]
    return all(dict(element.attrib) == {"Algorithm": wanted} and not len(element) for element, wanted in said)


def _digest(reference: dict[str, str], find: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def holds(root: Any) -> bool:
        said = next(one for one in root[0][2:] if dict(one.attrib) == reference)
        return compare_digest(_bytes(said[2]) or b"", hashlib.sha256(_canonical(find(root))).digest())

    return holds


def _usable_certificates(root: Any) -> bool:
    try:
        keys = [one.public_key() for one in _certificates(root)]
    except (certificates.Untrusted, ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(keys[0], RSAPublicKey) and keys[0].key_size >= 2048


def _signature_value(root: Any) -> bool:
    key = next(iter(_certificates(root))).public_key()
    value = _bytes(root[1])
    if value is None or not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(value, _canonical(root[0]), PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _complete(root: Any) -> bool:
    paths = (("usrVisibleData",), ("usrNonVisibleData",), ("clientInfo", "funcId"))
    places = [_found(_data(root), path) for path in paths]
    return all(len(found) == 1 and not len(found[0]) for found in places)


# In this order, since each may rely on those before it; the first that fails is the reason that is logged (SR-105).
CHECKS: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("one-signature", _one_signature),
    ("namespaces", _two_namespaces),
    ("shape", _shape),
    ("ids", _ids),
    ("references", _references),
    ("algorithms", _algorithms),
    ("digest-of-data", _digest(_DATA, _data)),
    ("digest-of-key", _digest(_KEY, lambda root: root[2])),
    ("certificates", _usable_certificates),
    ("signature-value", _signature_value),
    ("content", _complete),
)


def _certificates(root: Any) -> Iterable[x509.Certificate]:
    """Raises `certificates.Untrusted` for what is none."""
    for one in root[2][0]:
        yield certificates.parse(_bytes(one) or b"")


def _canonical(element: Any) -> bytes:
    # A copy with a document of its own: the serializer takes the names of an inner element for undeclared ones.
    return bytes(etree.tostring(copy.deepcopy(element), method="c14n", exclusive=False, with_comments=False))


def _is(element: Any, name: str) -> bool:
    return bool(element.tag == f"{{{XMLDSIG}}}{name}")


def _holds(element: Any, *names: str) -> bool:
    return len(element) == len(names) and all(_is(one, name) for one, name in zip(element, names, strict=True))


def _found(element: Any, path: Iterable[str]) -> list[Any]:
    return list(element.findall("/".join(f"{{{BANKID}}}{name}" for name in path)))


def _only(element: Any, *path: str) -> str:
    return str(_found(element, path)[0].text or "")


def _bytes(element: Any) -> bytes | None:
    return None if len(element) else _decoded(element.text or "")


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None
