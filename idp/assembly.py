"""Builds every part once. The only file that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

from idp.cookies import Cookies
from idp.eid import registry
from idp.interaction import Interactions
from idp.journeys.engine import Engine
from idp.journeys.record import Tools
from idp.outgoing.guarded import Guarded
from idp.services import retention
from idp.services.client_keys import ClientKeys
from idp.services.eids import Eids
from idp.services.hashing import Hashing
from idp.settings import Settings
from idp.signing.keyring import Keyring
from idp.stores.durable.sealing import Vault
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.journeys import JourneyRecords
from idp.stores.shortlived.opening import open_store
from idp.web.csrf import FormTokens


@dataclass(frozen=True, slots=True)
class Parts:
    """What one process works with."""

    settings: Settings
    store: ShortLived
    vault: Vault
    keyring: Keyring
    interactions: Interactions
    hashing: Hashing
    engine: Engine
    eids: Eids
    cookies: Cookies
    tokens: FormTokens
    guarded: Guarded
    client_keys: ClientKeys
    chores: tuple[Callable[[], object], ...]


def assemble(app: Flask, settings: Settings) -> Parts:
    """Every part, on an application made by `idp.foundation.open_durable`."""
    vault: Vault = app.extensions["vault"]
    store = open_store(settings.shortlived)
    interactions = Interactions(store)
    hashing = Hashing(settings.passwords, vault)
    eids = Eids(
        connectors=registry.build(settings.eid, loopback=settings.is_loopback),
        store=store,
        issuer=settings.server.issuer,
        trust_frameworks=registry.trust_frameworks(settings.eid),
        per_account_hour=settings.limits.eid_starts_per_account_hour,
        per_network_hour=settings.limits.eid_starts_per_network_hour,
    )
    records = JourneyRecords(store, vault, lifetime=settings.sessions.journey)
    guarded = Guarded(
        allowed=settings.outgoing.allowed_networks,
        loopback=settings.is_loopback,
        trusted=settings.outgoing.trusted_roots,
    )
    parts = Parts(
        settings=settings,
        store=store,
        vault=vault,
        keyring=Keyring(),
        interactions=interactions,
        hashing=hashing,
        engine=Engine(Tools.build(settings, store, hashing, eids), interactions, records),
        eids=eids,
        cookies=Cookies(secure=not settings.is_loopback),
        tokens=FormTokens(vault.index("form tokens", purpose="key of form tokens")),
        guarded=guarded,
        client_keys=ClientKeys(guarded),
        chores=retention.chores(settings, store),
    )
    app.extensions["idp"] = parts
    return parts
