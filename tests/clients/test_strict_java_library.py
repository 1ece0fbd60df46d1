"""A third strict client library: Connect2id's OAuth 2.0 SDK (Nimbus), in Java, by the FAPI 2.0 profile.

Why this one: other authors, another language and another JOSE than the other two (openid-client, requests-oauth2client)
and than the provider, and one that much is built on. It pushes, proves and signs by itself. Of what Python has,
Authlib is the provider's own base; idpyoidc takes nothing but 200 from `/par`, leaves the server's nonce out of its
proofs and writes `ath` in hexadecimal.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from tests.clients.conversation import conversation
from tests.clients.running import Browser, Running
from tests.servers import missing

HERE = Path(__file__).parent / "nimbus"
CALLBACK = "https://nimbus.example/callback"
SCOPE = "openid profile email offline_access"


@pytest.fixture(scope="session")
def java() -> list[str]:
    """Java with the pinned files beside it, each with the sum that it had when it was chosen (SR-117)."""
    if not all(shutil.which(program) for program in ("java", "javac", "mvn")):
        missing("A JDK or Maven")
    listed = [line.split() for line in (HERE / "jars.sha256").read_text("utf-8").splitlines()]
    sums = {name: digest for digest, name in listed}
    with (HERE / "pom.xml").open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not all((HERE / "jars" / name).exists() for name in sums):
            fetch = ["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
            subprocess.run(fetch, cwd=HERE, check=True, timeout=300)
    found = {file.name: sha256(file.read_bytes()).hexdigest() for file in (HERE / "jars").iterdir()}
    assert found == sums
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
    return ["java", *quick, "-cp", f"{HERE / 'jars'}{os.sep}*", str(HERE / "Strict.java")]


def test_nimbus_completes_the_profile(java: list[str], provider: Running, kari: Browser) -> None:
    """Pushed request bound by `dpop_jkt`, private_key_jwt, `iss`, tokens bound by DPoP with nonces (SR-99)."""
    key = ECKey.generate_key("P-256", {"kid": "its-own"})
    client = provider.register(
        client_name="A strict library",
        redirect_uris=[CALLBACK],
        grant_types=["authorization_code", "refresh_token"],
        scope=SCOPE,
        profile="fapi2",
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.as_dict(private=False)]},
    )
    setup = {
        "issuer": provider.issuer,
        "client_id": client["client_id"],
        "key": key.as_dict(private=True),
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
    }

    done = conversation(java, setup, kari)

    assert done["pushed_as"] == ["client_id", "request_uri"]
    assert done["claims"]["sub"] == done["userinfo"]["sub"]
    assert done["userinfo"]["email"] == kari.email
    assert (done["token_type"], done["refreshed"]) == ("DPoP", "DPoP")
    assert done["nonces_asked"] == 1  # the token endpoint's first answer; every answer brings the next
    assert done["as_bearer"] == "invalid_token"
    assert done["after_revocation"] == "invalid_grant"
