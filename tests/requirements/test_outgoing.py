"""SR-112: calls to addresses that clients name."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from idp.outgoing.guarded import Guarded
from idp.outgoing.known import LARGEST_ANSWER, Unreachable
from tests.client_site import ClientSite, client_site, drips


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientSite]:
    with client_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def site(serving: ClientSite) -> Iterator[ClientSite]:
    serving.documents, serving.says = {"/doc": {"a": 1}}, None
    serving.asked.clear()
    yield serving
    serving.says = None


@pytest.fixture
def out(site: ClientSite) -> Guarded:
    return Guarded(allowed=["127.0.0.0/8"], trusted=site.roots)


def test_a_document_comes(site: ClientSite, out: Guarded) -> None:
    answer = out.get(f"{site.url}/doc")

    assert (answer.status, answer.content_type, answer.json()) == (200, "application/json", {"a": 1})


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:db8::1",
    ],
)  # fmt: skip
def test_our_own_networks_are_out_of_reach(address: str) -> None:
    assert not Guarded().may_reach(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "193.212.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_the_wide_world_is_not(address: str) -> None:
    assert Guarded().may_reach(address)


def test_a_name_that_leads_to_us_is_refused(site: ClientSite) -> None:
    with pytest.raises(Unreachable):
        Guarded(trusted=site.roots).get(f"{site.url}/doc")
    assert not site.asked


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "017700000001", "[::1]", "[::ffff:127.0.0.1]"])
def test_however_the_address_is_written(site: ClientSite, host: str) -> None:
    port = site.url.rpartition(":")[2]
    with pytest.raises(Unreachable):
        Guarded(trusted=site.roots).get(f"https://{host}:{port}/doc")
    assert not site.asked


def test_one_bad_address_among_good_ones_is_enough(monkeypatch: pytest.MonkeyPatch, site: ClientSite) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)

    with pytest.raises(Unreachable):
        Guarded(trusted=site.roots).get("https://client.example/doc")


def test_the_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch, site: ClientSite, out: Guarded) -> None:
    """A second look-up might lead elsewhere (DNS rebinding)."""
    real, looked_up = socket.getaddrinfo, []

    def look(host: str, *more: object, **and_more: object) -> object:
        looked_up.append(host)
        return real(host, *more, **and_more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    out.get(f"{site.url}/doc")
    assert looked_up.count("localhost") == 1


def test_an_address_that_does_not_answer_leads_to_the_next(
    monkeypatch: pytest.MonkeyPatch, site: ClientSite, out: Guarded
) -> None:
    """As where a name has an IPv6 address that leads nowhere from here."""
    real, port = socket.getaddrinfo, int(site.url.rpartition(":")[2])
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("127.9.9.9", "127.0.0.1")]

    def look(host: str, *more: object, **and_more: object) -> object:
        return both if host == "localhost" else real(host, *more, **and_more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    assert out.get(f"{site.url}/doc").status == 200


@pytest.mark.parametrize("scheme", ["http", "ftp", "file", "gopher", ""])
def test_https_only(site: ClientSite, out: Guarded, scheme: str) -> None:
    with pytest.raises(Unreachable):
        out.get(f"{scheme}{site.url.removeprefix('https')}/doc")


def test_plain_http_only_where_the_provider_itself_has_no_tls(site: ClientSite) -> None:
    with pytest.raises(Unreachable):
        Guarded(allowed=["127.0.0.0/8"]).get("http://127.0.0.1:1/doc")
    assert Guarded(loopback=True, trusted=site.roots).get(f"{site.url}/doc").status == 200


def test_a_certificate_that_nobody_vouches_for_is_refused(site: ClientSite) -> None:
    with pytest.raises(Unreachable):
        Guarded(allowed=["127.0.0.0/8"]).get(f"{site.url}/doc")


def test_a_redirect_is_not_followed(site: ClientSite, out: Guarded) -> None:
    def elsewhere(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", f"{site.url}/secret")
        request.end_headers()

    site.says = elsewhere
    with pytest.raises(Unreachable):
        out.get(f"{site.url}/doc")
    assert site.asked == ["/doc"]


def test_a_long_answer_is_cut_off(site: ClientSite, out: Guarded) -> None:
    site.documents["/doc"] = b" " * (LARGEST_ANSWER + 1)

    with pytest.raises(Unreachable):
        out.get(f"{site.url}/doc")


def test_what_is_packed_is_not_unpacked(site: ClientSite, out: Guarded) -> None:
    """No decompression bombs: the bytes stay as they came."""

    def packed(request: BaseHTTPRequestHandler) -> None:
        assert request.headers["Accept-Encoding"] == "identity"
        request.send_response(200)
        request.send_header("Content-Encoding", "gzip")
        request.send_header("Content-Length", "4")
        request.end_headers()
        request.wfile.write(b"\x1f\x8b\x08\x00")

    site.says = packed
    assert out.get(f"{site.url}/doc").body == b"\x1f\x8b\x08\x00"


def test_a_server_that_drips_is_left_after_five_seconds(site: ClientSite, out: Guarded) -> None:
    site.says = drips
    began = time.monotonic()
    with pytest.raises(Unreachable):
        out.get(f"{site.url}/doc")

    assert time.monotonic() - began < 7


def test_what_went_wrong_is_not_told_in_the_servers_words(site: ClientSite, out: Guarded) -> None:
    def nonsense(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"SECRET of the inner network\r\n\r\n")

    site.says = nonsense
    with pytest.raises(Unreachable) as refused:
        out.get(f"{site.url}/doc")
    assert "SECRET" not in str(refused.value)


def test_roots_that_cannot_be_read_stop_the_start_and_not_the_first_call(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Guarded(trusted=str(tmp_path / "missing.pem"))
