"""Client libraries that are not Python: openid-client and oidc-client-ts, in Node."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from idp.rules.client_metadata import CIBA, DEVICE_CODE
from tests.clients.conversation import conversation
from tests.clients.running import Browser, Running, parameters

HERE = Path(__file__).parent
CALLBACK = "https://client.example/callback"
SIGNED_OUT = "https://client.example/signed-out"
SCOPE = "openid profile email offline_access"


@pytest.fixture(scope="session")
def node() -> str:
    """Node with the locked libraries beside it."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        assert not os.environ.get("CI"), "node and npm must be there where everything is proved"
        pytest.skip("node and npm are not installed; .ci/run installs them")
    with (HERE / ".npmrc").open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        installed = HERE / "node_modules" / ".package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
            subprocess.run(
                [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, check=True, timeout=300
            )
    return found


@pytest.mark.parametrize(
    ("script", "method"),
    [("openid_client.mjs", "client_secret_basic"), ("oidc_client_ts.mjs", "none")],
)
def test_a_node_library_completes_everything(
    node: str, script: str, method: str, provider: Running, kari: Browser
) -> None:
    """Discovery, code with PKCE, ID token, userinfo, refresh, revocation, logout."""
    client = provider.register(
        client_name="Somebody else's library",
        redirect_uris=[CALLBACK],
        post_logout_redirect_uris=[SIGNED_OUT],
        grant_types=["authorization_code", "refresh_token"],
        scope=SCOPE,
        token_endpoint_auth_method=method,
    )
    setup = {
        "issuer": provider.issuer,
        "client_id": client["client_id"],
        "client_secret": client.get("client_secret"),
        "redirect_uri": CALLBACK,
        "post_logout_redirect_uri": SIGNED_OUT,
        "scope": SCOPE,
    }

    done = conversation([node, str(HERE / script)], setup, kari)

    assert done["claims"]["sub"] == done["userinfo"]["sub"]
    assert done["userinfo"]["email"] == kari.email
    assert done["refreshed"]
    assert done["after_revocation"] == "invalid_grant"
    assert done["signed_out"].startswith(SIGNED_OUT)
    assert parameters(done["signed_out"])["state"] == done["state"]


def test_a_library_asks_for_somebody_at_another_device(node: str, provider: Running, kari: Browser) -> None:
    """RFC 8628 and OpenID CIBA: the person connects it by its address, and later answers a text message."""
    client = provider.register(
        client_name="A kiosk",
        grant_types=[DEVICE_CODE, CIBA],
        scope="openid email",
        backchannel_token_delivery_mode="poll",
    )
    setup = {
        "issuer": provider.issuer,
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "scope": "openid email",
        "email": kari.email,
        "binding_message": "Sak 4711",
    }

    done = conversation([node, str(HERE / "openid_client_elsewhere.mjs")], setup, kari)

    assert done["claims"]["sub"] == done["userinfo"]["sub"] == done["called"]["sub"]
    assert done["userinfo"]["email"] == kari.email


def test_a_strict_library_completes_the_profile(node: str, provider: Running, kari: Browser) -> None:
    """FAPI 2.0: pushed request, private_key_jwt, tokens that are bound by DPoP and no bearer tokens."""
    key = ECKey.generate_key("P-256", parameters={"kid": "one"})
    client = provider.register(
        client_name="A strict library",
        redirect_uris=[CALLBACK.replace("client.", "strict.")],
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
        "redirect_uri": CALLBACK.replace("client.", "strict."),
        "scope": SCOPE,
    }

    done = conversation([node, str(HERE / "openid_client_strict.mjs")], setup, kari)

    assert done["pushed_as"] == ["client_id", "request_uri"]
    assert done["claims"]["sub"] == done["userinfo"]["sub"]
    assert (done["token_type"], done["refreshed"]) == ("dpop", "dpop")
    assert done["as_bearer"] is not None
    assert done["after_revocation"] == "invalid_grant"
