"""The XML signature of Swedish BankID: what is read is what was signed, and nothing beside it (SR-105)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
from lxml import etree  # type: ignore[import-untyped]

from idp.eid import bankid_signature
from idp.eid.bankid_signature import BANKID, Untrusted
from tests.eid.swedish_bank import BankId, Signing, encoded

OTHER = Signing(visible=encoded("Pay 1,000,000"), non_visible=encoded("another"))


@pytest.fixture(scope="module")
def xml() -> str:
    return Signing(visible=encoded("Who are you?"), non_visible=encoded("this one")).xml()


def why(document: str | bytes) -> str:
    """The check that refuses the document."""
    with pytest.raises(Untrusted) as refused:
        bankid_signature.read(encoded(document))
    return str(refused.value)


def changed(xml: str, before: str, after: str) -> str:
    assert xml.count(before) >= 1
    return xml.replace(before, after, 1)


def test_what_was_signed_is_read(xml: str) -> None:
    signed = bankid_signature.read(encoded(xml))

    assert b64decode(signed.visible) == b"Who are you?"
    assert b64decode(signed.non_visible) == b"this one"
    assert signed.function == "Identification"
    assert signed.certificates[0] == BankId().certificate
    assert len(signed.certificates) == 3


def test_neither_who_nor_what_is_printed(xml: str) -> None:
    """SR-120: a log line that holds the object holds no person."""
    printed = repr(bankid_signature.read(encoded(xml)))

    assert "Tolvan" not in printed
    assert encoded("Who are you?") not in printed


@pytest.mark.parametrize(
    ("mutation", "check"),
    [
        (lambda xml: changed(xml, encoded("Who are you?"), encoded("Who are you!")), "digest-of-data"),
        (lambda xml: changed(xml, "<funcId>Identification<", "<funcId>Signing<"), "digest-of-data"),
        (lambda xml: changed(xml, "<X509Certificate>", f"<X509Certificate>{'A' * 4}"), "digest-of-key"),
        (lambda xml: re.sub("<DigestValue>.{4}", "<DigestValue>AAAA", xml, count=1), "digest-of-data"),
        (lambda xml: re.sub("<DigestValue>.*?</DigestValue>", "<DigestValue></DigestValue>", xml), "digest-of-data"),
        (lambda xml: re.sub("<SignatureValue>.{4}", "<SignatureValue>AAAA", xml), "signature-value"),
        (lambda xml: re.sub("<SignatureValue>.*</SignatureValue>", "<SignatureValue/>", xml), "signature-value"),
        (lambda xml: changed(xml, "<SignatureValue>", "<SignatureValue> "), "signature-value"),
        (lambda xml: changed(xml, "xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256"), "algorithms"),
        (lambda xml: changed(xml, "2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1"), "algorithms"),
        (lambda xml: changed(xml, "2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1"), "algorithms"),
        (lambda xml: changed(xml, "REC-xml-c14n-20010315", "REC-xml-c14n-20010315#WithComments"), "algorithms"),
        (
            lambda xml: re.sub(
                'Transform Algorithm="[^"]*"', 'Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"', xml
            ),
            "algorithms",
        ),
        (lambda xml: re.sub("<Transform .*?</Transform>", "", xml), "shape"),
        (lambda xml: changed(xml, 'URI="#bidKeyInfo"', 'URI=""'), "references"),
        (lambda xml: changed(xml, 'URI="#bidKeyInfo"', 'URI="#bidSignedData"'), "references"),
        (lambda xml: changed(xml, 'URI="#bidKeyInfo"', 'URI="http://localhost/key"'), "references"),
        (lambda xml: changed(xml, f'Type="{BANKID}" ', ""), "references"),
        (lambda xml: changed(xml, "<Signature ", '<Signature Id="s" '), "shape"),
        (lambda xml: changed(xml, "<srvInfo>", '<srvInfo ID="bidSignedData">'), "ids"),
        (lambda xml: changed(xml, "<srvInfo>", '<srvInfo xml:id="bidSignedData">'), "namespaces"),
        (lambda xml: changed(xml, ' Id="bidSignedData"', ""), "ids"),
        (lambda xml: changed(xml, "<Signature ", '<Signature xmlns:a="urn:a" '), "namespaces"),
        (lambda xml: xml[: xml.index("</Signature>")], "plain-xml"),
        (lambda xml: xml[:0], "plain-xml"),
        (lambda xml: f"<a>{xml[xml.index('<Signature') :]}</a>", "namespaces"),
    ],
)  # fmt: skip
def test_what_was_changed_is_refused(xml: str, mutation: Callable[[str], str], check: str) -> None:
    assert why(mutation(xml)) == check


def test_a_signature_wrapped_around_other_data_is_refused(xml: str) -> None:
    """The signed data moves aside, with its id; the data of the attacker stands where data is read."""
    true = xml[xml.index("<bankIdSignedData") : xml.index("</Object>")]
    false = OTHER.data()

    assert why(xml.replace(true, false)) == "digest-of-data"
    assert why(xml.replace(true, false + true)) == "one-signature"
    assert why(xml.replace("</Object>", f"</Object><Object>{false}</Object>")) == "one-signature"
    assert why(xml.replace(true, false.replace("</clientInfo>", f"</clientInfo>{true}"))) == "one-signature"
    renamed = false.replace("bankIdSignedData", "bankidSignedData").replace("bidSignedData", "other")
    assert why(xml.replace(true, f"{renamed}{true}")) == "shape"
    assert why(xml.replace(true, true.replace("</srvInfo>", f"</srvInfo>{renamed}"))) == "ids"


def test_a_second_signature_is_refused_wherever_it_stands(xml: str) -> None:
    second = re.sub(r"^<\?.*?\?>", "", OTHER.xml())
    bare = re.sub(r"^<\?.*?\?>", "", xml)

    assert why(xml.replace("</Object>", f"</Object>{second}")) == "one-signature"
    assert why(xml.replace("<Object>", f"<Object>{second}")) == "one-signature"
    assert why(second.replace("</Object>", f"{bare}</Object>")) == "one-signature"
    assert why(xml.replace("<srvInfo>", '<Signature xmlns=""/><srvInfo>')) == "one-signature"
    assert why(f"{xml}{second}") == "plain-xml"


def test_no_document_type_no_entity_no_comment_is_read(xml: str) -> None:
    with_entity = changed(xml, "<Signature ", '<!DOCTYPE Signature [<!ENTITY a "b">]><Signature ')
    external = changed(xml, "<Signature ", '<!DOCTYPE Signature SYSTEM "http://localhost/a.dtd"><Signature ')

    assert why(with_entity) == "plain-xml"
    assert why(external) == "plain-xml"
    assert why(changed(xml, "<srvInfo>", "&a;<srvInfo>")) == "plain-xml"
    assert why(changed(xml, "<srvInfo>", "<!-- a --><srvInfo>")) == "plain-xml"
    assert why(changed(xml, "Identification", "<![CDATA[Identification]]>")) == "plain-xml"
    assert why(changed(xml, "<srvInfo>", "<?a b?><srvInfo>")) == "plain-xml"
    assert why(with_entity.replace("UTF-8", "UTF-16").encode("utf-16")) == "plain-xml"
    assert why(with_entity.replace("UTF-8", "UTF-7").replace("<", "+ADw-")) == "plain-xml"


def test_what_is_too_long_or_no_base64_is_not_even_parsed(xml: str) -> None:
    with pytest.raises(Untrusted, match="size"):
        bankid_signature.read("A" * 200_001)
    for text in (encoded(xml).replace("P", "-", 1), encoded(xml) + "\n", encoded(xml)[:-1] + "*", "é", "AAAAA"):
        with pytest.raises(Untrusted, match="base64"):
            bankid_signature.read(text)


def test_deep_nesting_is_refused(xml: str) -> None:
    assert why(changed(xml, "<srvInfo>", f"{'<a>' * 5000}{'</a>' * 5000}<srvInfo>")) == "plain-xml"


def test_the_key_must_be_one_of_a_certificate_and_strong(xml: str) -> None:
    other = b64encode(b"\x30\x03\x02\x01\x01").decode()
    lines = Signing(visible="QQ==", non_visible="QQ==")
    false = re.sub(
        "<X509Certificate>.*?</X509Certificate>", f"<X509Certificate>{other}</X509Certificate>", lines.keys()
    )

    class Forged(Signing):
        def keys(self) -> str:
            return false

    assert why(Forged(visible="QQ==", non_visible="QQ==").xml()) == "certificates"


def test_data_that_lacks_a_part_or_has_it_twice_is_refused() -> None:
    class Incomplete(Signing):
        def data(self) -> str:
            return super().data().replace("<funcId>Identification</funcId>", "")

    class Doubled(Signing):
        def data(self) -> str:
            part = f"<usrNonVisibleData>{self.non_visible}</usrNonVisibleData>"
            return super().data().replace(part, part * 2)

    class Nested(Signing):
        def data(self) -> str:
            return super().data().replace("<funcId>", "<funcId><a></a>")

    for kind in (Incomplete, Doubled, Nested):
        assert why(kind(visible="QQ==", non_visible="QQ==").xml()) == "content"


def test_every_cut_is_refused(xml: str) -> None:
    for length in range(0, len(xml), 997):
        assert why(xml[:length]) == "plain-xml"


def test_every_element_counts(xml: str) -> None:
    """Taking away any one element, wherever it stands, ends in a refusal."""
    places = len(list(etree.fromstring(xml.encode()).iter())) - 1
    for place in range(1, places + 1):
        root = etree.fromstring(xml.encode())
        element = list(root.iter())[place]
        element.getparent().remove(element)
        assert why(etree.tostring(root)), place
