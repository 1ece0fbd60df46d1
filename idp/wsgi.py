"""The object a WSGI server loads: `idp.wsgi:app`. It refuses to start unsafely, whoever starts it (SR-115)."""

from __future__ import annotations

import os

from flask import Flask

from idp import configuration
from idp.app import create_app
from idp.services import checks


def _start() -> Flask:
    path = os.environ.get(configuration.PATH_VARIABLE, configuration.DEFAULT_PATH)
    settings = configuration.read(path, os.environ)
    problems = configuration.problems(settings, os.environ)
    if problems:
        raise configuration.SettingsError(f"{path}: {'; '.join(map(str, problems))}")
    application = create_app(settings)
    with application.app_context():
        problems = checks.of_stores(settings)
    if problems:
        raise configuration.SettingsError(f"{path}: {'; '.join(map(str, problems))}")
    return application


app = _start()
