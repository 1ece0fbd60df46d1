"""The security headers of every response, errors included (SR-113; page spec §3), and compression."""

from __future__ import annotations

import gzip

from flask import Flask, Response, g, request

from idp.settings import Settings

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; object-src 'none'; "
    "{frames}form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
)
"""No nonce and no hash: nothing is inline, so nothing has to be let through."""

SWITCHED_OFF = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "display-capture", "encrypted-media",
    "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone",
    "midi", "payment", "picture-in-picture", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
OUR_OWN = ("publickey-credentials-get", "publickey-credentials-create", "otp-credentials")
PERMISSIONS = ", ".join([*(f"{name}=(self)" for name in OUR_OWN), *(f"{name}=()" for name in SWITCHED_OFF)])

YEAR = 365 * 24 * 3600
WORTH_COMPRESSING = 512
"""Bytes; below it the headers of compression weigh more than they save."""


def install(app: Flask, settings: Settings) -> None:
    """Put the headers on every response of `app`."""
    fixed = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
        "Cache-Control": "no-store",
    }
    if not settings.is_loopback:  # over plain http browsers disregard it (RFC 6797 §8.1)
        fixed["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"

    def finish(response: Response) -> Response:
        for name, value in fixed.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", POLICY.format(targets=_targets(), frames=_frames()))
        return compress(response)

    app.after_request(finish)


def allow_form_to(*origins: str | None) -> None:
    """Let this page's form end at the client or an eID: Chromium holds redirects to `form-action`, too."""
    if any(origins):
        g.form_target = " ".join(origin for origin in origins if origin)


def allow_frames_of(*origins: str) -> None:
    """Let this page hold frames of clients: each ends its own session there (Front-Channel Logout §3)."""
    if origins:
        g.frame_sources = " ".join(origins)


def compress(response: Response) -> Response:
    """The page gzipped, for those who take it.

    A page has no secret that stays the same from one drawing to the next (a form token is new each
    time), so its length tells nothing. JSON has such secrets and is left alone.
    """
    if response.mimetype != "text/html" or response.direct_passthrough or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    if len(body) >= WORTH_COMPRESSING and request.accept_encodings["gzip"] > 0:
        response.set_data(gzip.compress(body, compresslevel=6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _frames() -> str:
    sources = g.get("frame_sources")
    return f"frame-src {sources}; " if sources else ""


def _targets() -> str:
    target = g.get("form_target")
    return f"'self' {target}" if target else "'self'"
