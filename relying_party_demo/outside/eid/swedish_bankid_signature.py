"""What the app of Swedish BankID signs: an enveloping XML signature, in the very form of the real one."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from .swedish_bankid_bank import BankId
from .swedish_bankid_certificates import new_key

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
BANKID = "http://www.bankid.com/signature/v1.0.0/types"
CANONICAL = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
DIGEST_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

_DATA = f'Type="{BANKID}" URI="#bidSignedData"'
_KEYS = 'URI="#bidKeyInfo"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the person agrees to. `visible` and `non_visible` are base64, as the service sent them."""

    visible: str | None = field(repr=False)
    non_visible: str | None = field(repr=False)
    service: str
    """Subject of the service's certificate."""
    display_name: str
    policies: tuple[str, ...] = ()
    """Policies that were asked for."""
    device: str = field(repr=False)
    """What the app calls this device, base64."""
    how: str = "pw"
    """`pw` for the security code, `bio` for a finger or a face."""
    function: str = "Identification"

    def xml(self) -> str:
        """In canonical form, so that it can be signed as it stands."""
        texts = ""
        if self.visible is not None:
            texts += f'<usrVisibleData charset="UTF-8" visible="wysiwys">{self.visible}</usrVisibleData>'
        if self.non_visible is not None:
            texts += f"<usrNonVisibleData>{self.non_visible}</usrNonVisibleData>"
        service = "".join(
            f"<{name}>{value}</{name}>"
            for name, value in (
                ("name", encoded(self.service)),
                ("nonce", b64encode(secrets.token_bytes(20)).decode()),
                ("displayName", encoded(self.display_name)),
            )
        )
        return (
            f'<bankIdSignedData xmlns="{BANKID}" Id="bidSignedData">{texts}<srvInfo>{service}</srvInfo>'
            f"<clientInfo><funcId>{self.function}</funcId><version>{encoded(self._version())}</version>"
            f"<env><ai><type>{encoded('IOS')}</type><deviceInfo>{encoded('17.4')}</deviceInfo><uhi>{self.device}</uhi>"
            f"<fsib>0</fsib><utb>cs1</utb>{self._conditions()}<uauth>{self.how}</uauth></ai></env>"
            "</clientInfo></bankIdSignedData>"
        )

    def _version(self) -> str:
        return f"Personal=7.55.0&BankID_exe=7.55.0&BISP=7.55.0&platform=ios&os_version=17.4&uhi={self.device}&"

    def _conditions(self) -> str:
        if not self.policies:
            return ""
        values = "".join(f"<value>{policy}</value>" for policy in self.policies)
        return f"<requirement><condition><type>CertificatePolicies</type>{values}</condition></requirement>"


def sign(statement: Statement, bank_id: BankId, *, fault: str | None = None) -> str:
    """The signature, base64; wrong in the way that was asked for."""
    meant = _CHANGES.get(fault or "", _as_it_is)(statement)
    data, keys = meant.xml(), _key_info(bank_id)
    info = _signed_info(data, keys)
    key = new_key() if fault == "bad-signature" else bank_id.key
    value = b64encode(key.sign(info.encode(), PKCS1v15(), SHA256())).decode()
    objects = f"<Object>{data}</Object>"
    if fault == "bad-digest":
        objects = objects.replace("<fsib>0<", "<fsib>1<")
    if fault == "wrapped-signature":
        forged = statement.xml().replace('Id="bidSignedData"', 'Id="bidForgedData"')
        objects = f"<Object>{forged}</Object>{objects}"
    return encoded(
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
        f'<Signature xmlns="{XMLDSIG}">{info}<SignatureValue>{value}</SignatureValue>{keys}{objects}</Signature>'
    )


def encoded(text: str) -> str:
    """Base64 of UTF-8."""
    return b64encode(text.encode()).decode()


def _as_it_is(statement: Statement) -> Statement:
    return statement


def _of_another_transaction(statement: Statement) -> Statement:
    return replace(statement, non_visible=encoded("another transaction"))


_CHANGES: Mapping[str, Callable[[Statement], Statement]] = {
    "other-text": lambda statement: replace(statement, visible=encoded("You confirm who you are to somebody else.")),
    "other-transaction": _of_another_transaction,
    "wrapped-signature": _of_another_transaction,
    "signing-function": lambda statement: replace(statement, function="Signing"),
}
"""What the person agrees to instead."""


def _key_info(bank_id: BankId) -> str:
    found = (b64encode(one.public_bytes(Encoding.DER)).decode() for one in bank_id.chain)
    listed = "".join(f"<X509Certificate>{one}</X509Certificate>" for one in found)
    return f'<KeyInfo xmlns="{XMLDSIG}" Id="bidKeyInfo"><X509Data>{listed}</X509Data></KeyInfo>'


def _signed_info(data: str, keys: str) -> str:
    return (
        f'<SignedInfo xmlns="{XMLDSIG}">'
        f'<CanonicalizationMethod Algorithm="{CANONICAL}"></CanonicalizationMethod>'
        f'<SignatureMethod Algorithm="{RSA_SHA256}"></SignatureMethod>'
        f"{_reference(_DATA, data)}{_reference(_KEYS, keys)}</SignedInfo>"
    )


def _reference(attributes: str, content: str) -> str:
    digest = b64encode(sha256(content.encode()).digest()).decode()
    return (
        f'<Reference {attributes}><Transforms><Transform Algorithm="{CANONICAL}"></Transform></Transforms>'
        f'<DigestMethod Algorithm="{DIGEST_SHA256}"></DigestMethod><DigestValue>{digest}</DigestValue></Reference>'
    )
