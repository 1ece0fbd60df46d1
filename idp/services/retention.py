"""What is deleted when its time is over, for the worker: one line for each period (SR-125, SR-126)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from idp import clock
from idp.services import audit, erasure, new_browsers, registration, remembered_devices, throttling, undoing
from idp.settings import Settings
from idp.stores.durable import (
    codes,
    decoupled_requests,
    eid_transactions,
    former_addresses,
    grants,
    outbox,
    sessions,
    support_codes,
)
from idp.stores.durable.db import scrub
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.opening import sweep

Chore = Callable[[], object]


def chores(settings: Settings, store: ShortLived) -> tuple[Chore, ...]:
    """What the worker does every minute. What was erased just before leaves the files last."""
    kept = settings.retention
    day, ended = timedelta(hours=kept.codes_hours), timedelta(days=kept.sessions_days)
    idle = timedelta(days=kept.counters_days)
    return (
        lambda: codes.forget(before=clock.now() - day),
        lambda: decoupled_requests.forget(before=clock.now() - day),
        lambda: outbox.forget(before=clock.now() - day),
        lambda: sessions.forget(before=clock.now() - ended),
        lambda: grants.forget(before=clock.now() - ended),
        lambda: eid_transactions.forget(before=clock.now() - ended),
        registration.forget,
        remembered_devices.expire,
        undoing.forget,
        lambda: former_addresses.forget(now=clock.now()),
        lambda: support_codes.forget(now=clock.now()),
        lambda: new_browsers.forget(timedelta(days=kept.browsers_days)),
        lambda: throttling.forget_idle(idle),
        lambda: audit.forget_networks(timedelta(days=kept.networks_days)),
        audit.forget_old,
        lambda: erasure.carry_out(store),
        lambda: sweep(settings.shortlived),
        scrub,
    )
