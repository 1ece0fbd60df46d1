"""The object a WSGI server loads: `idp.wsgi:app`. It refuses to start unsafely, whoever starts it (SR-115)."""

from __future__ import annotations

import atexit
import os

from flask import Flask

from idp import configuration
from idp.app import create_app, worker_of
from idp.services import checks


def _start() -> Flask:
    path = os.environ.get(configuration.PATH_VARIABLE, configuration.DEFAULT_PATH)
    settings = configuration.read(path, os.environ)
    _refuse(path, configuration.problems(settings, os.environ))
    application = create_app(settings)
    with application.app_context():
        _refuse(path, checks.of_stores(settings))
    if settings.server.worker:
        worker = worker_of(application)
        worker.start()
        atexit.register(worker.stop)
    return application


def _refuse(path: str, problems: list[configuration.Problem]) -> None:
    if problems:
        raise configuration.SettingsError(f"{path}: {'; '.join(map(str, problems))}")


app = _start()
