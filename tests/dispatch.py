"""A house that sends: stores of either kind, whoever receives, and workers in this process or in others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import text

from idp import clock as idp_clock
from idp.delivery import outbox
from idp.delivery.channels.contract import Channel
from idp.delivery.channels.http_gateway import HttpGateway
from idp.delivery.channels.smtp import Smtp
from idp.delivery.outbox import Message
from idp.delivery.wording import Wording
from idp.delivery.worker import Worker
from idp.foundation import open_durable, template_folder
from idp.settings import Settings
from idp.stores.durable.db import db, transaction
from idp.stores.durable.sealing import create_root_secrets
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.opening import open_store
from tests.durable import make_tables
from tests.receivers import Gateway, Mailbox, gateway, mail_server

ROOT = Path(__file__).parent.parent
NUMBER, ADDRESS, CODE = "+4791234567", "kari@example.no", "420719"


@dataclass
class House:
    """The stores, somebody who receives, and workers in this process or in others."""

    app: Flask
    settings: Settings
    store: ShortLived
    folder: Path
    phones: Gateway
    mailbox: Mailbox
    stack: ExitStack

    def post(self, channel: str = "sms", *, minutes: float = 10, kind: str = "", to: str = "") -> str:
        """A code on its way."""
        sent_as = {"sms": ("T-1", NUMBER), "voice": ("V-1", NUMBER), "email": ("M-1", ADDRESS)}[channel]
        values = {"code": CODE, "minutes": str(int(minutes)), "ending": "67"}
        message = Message(kind=kind or sent_as[0], channel=channel, to=to or sent_as[1], locale="nb", values=values)
        return outbox.post(message, deliver_by=idp_clock.now() + timedelta(minutes=minutes))

    def worker(self, *chores: Callable[[], None]) -> Worker:
        """A worker in this process; not begun."""
        wording = Wording(self.settings, template_folder())
        channels: dict[str, Channel] = {
            "email": Smtp(self.settings.mail, wording, "Alumni"),
            "sms": HttpGateway("sms", self.settings.sms, wording),
            "voice": HttpGateway("call", self.settings.voice, wording),
        }
        return Worker(channels, chores, self.app.app_context, store=self.store)

    def begun(self, *chores: Callable[[], None]) -> Worker:
        """A worker in threads of this process."""
        worker = self.worker(*chores)
        worker.start()
        self.stack.callback(worker.stop)
        return worker

    def process(self, *arguments: str) -> subprocess.Popen[str]:
        """`idp worker` in a process of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "idp", "--config", str(self.folder / "config.toml"), "worker", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.stack.callback(_ended, process)
        return process

    def payload(self, message_id: str) -> bytes | None:
        """What is kept of a message."""
        with transaction() as connection:
            found: bytes | None = connection.execute(
                text("SELECT payload FROM outbox WHERE id = :id"), {"id": message_id}
            ).scalar_one()
        return found

    def states(self, ids: list[str]) -> set[str | None]:
        """How these messages stand."""
        return {outbox.state(message_id) for message_id in ids}


def _toml(sections: dict[str, dict[str, Any]]) -> str:
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in section.items())
        for name, section in sections.items()
    )


def _ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.fixture
def house(stores: tuple[str, str], tmp_path: Path) -> Iterator[House]:
    create_root_secrets(tmp_path / "keys")
    with ExitStack() as stack:
        phones, mailbox = stack.enter_context(gateway()), stack.enter_context(mail_server())
        told: dict[str, dict[str, Any]] = {
            "server": {"issuer": "https://login.example"},
            "database": {"url": stores[0]},
            "shortlived": {"url": stores[1], "timeout_milliseconds": 2000},
            "secrets": {"directory": str(tmp_path / "keys")},
            "mail": {"host": "127.0.0.1", "port": mailbox.port, "security": "none", "timeout": 1},
            "sms": {"url": phones.url, "timeout": 1},
            "voice": {"url": phones.url, "timeout": 1},
        }
        (tmp_path / "config.toml").write_text(_toml(told))
        settings = msgspec.convert(told, Settings)
        app = open_durable(settings)
        with app.app_context():
            make_tables(db.engine)
            stack.callback(db.engine.dispose)
            store = open_store(settings.shortlived)
            yield House(app, settings, store, tmp_path, phones, mailbox, stack.enter_context(ExitStack()))
