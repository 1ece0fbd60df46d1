"""A PostgreSQL, a Redis and an Apache of the tests' own, on loopback, gone when the tests are."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def missing(what: str) -> None:
    """Without the server the tests of it are skipped; where CI says so they fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A cluster in `folder`; the URL of its server, without a database name."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    programs = found[-1].parent if found else None
    if programs is None:
        missing("PostgreSQL")
        raise AssertionError
    port, data, account = free_port(), folder / "postgresql", _unprivileged(folder, "postgres")
    as_user: dict[str, Any] = {"user": account} if account else {}
    data.mkdir()
    if account:
        shutil.chown(data, account)
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    options = ["-U", "idp", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
    initdb: list[str | Path] = [programs / "initdb", "-D", data, *options]
    subprocess.run(initdb, check=True, cwd=folder, **as_user, **quiet)
    settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"]
    command: list[str | Path] = [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", data]
    for setting in settings:
        command += ["-c", setting]
    with _running(command, "QUIT", cwd=folder, **as_user, **quiet):
        url = f"postgresql://idp@127.0.0.1:{port}"
        _wait_for(lambda: psycopg.connect(f"{url}/postgres", connect_timeout=1).close(), psycopg.Error)
        yield url


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis that keeps nothing; its URL."""
    program = shutil.which("redis-server")
    if program is None:
        missing("Redis")
        raise AssertionError
    port = free_port()
    command: list[str | Path] = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    with _running(command, "TERM", cwd=folder, stdout=subprocess.DEVNULL):
        url = f"redis://127.0.0.1:{port}"
        with redis.Redis.from_url(url) as client:
            _wait_for(client.ping, redis.RedisError)
        yield url


@contextmanager
def apache(folder: Path, *, port: int, site: str) -> Iterator[None]:
    """An Apache with Debian's OpenID Connect module and this configuration, before an application of its own."""
    program = shutil.which("apache2", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    modules = Path("/usr/lib/apache2/modules")
    if program is None or not (modules / "mod_auth_openidc.so").exists():
        missing("Apache with mod_auth_openidc")
        raise AssertionError
    wanted = ("mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "auth_openidc")
    lines = [f"LoadModule {name}_module {modules}/mod_{name}.so" for name in wanted]
    lines += [f"ServerRoot {folder}", f"DefaultRuntimeDir {folder}", f"PidFile {folder}/apache.pid"]
    lines += [f"Listen 127.0.0.1:{port}", f"ServerName localhost:{port}", f"ErrorLog {folder}/apache.log", site]
    if account := _unprivileged(folder, "www-data"):
        lines.append(f"User {account}")
    (folder / "apache.conf").write_text("\n".join(lines), encoding="utf-8")
    with _running([program, "-f", folder / "apache.conf", "-D", "FOREGROUND"], "TERM", cwd=folder):
        _wait_for(lambda: socket.create_connection(("127.0.0.1", port), timeout=1).close(), OSError)
        yield


@contextmanager
def _running(command: list[str | Path], end: str, **how: Any) -> Iterator[None]:
    """A server that ends, by the signal `end`, with this block; and with this process, even if that is killed."""
    watched = f'"$@" & read -r _; kill -{end} $!; wait'  # the line to read from closes when its other end is gone
    shell = ["/bin/sh", "-c", watched, "sh", *command]
    with subprocess.Popen(shell, stdin=subprocess.PIPE, start_new_session=True, **how):
        yield  # leaving closes the line and waits


def _unprivileged(folder: Path, preferred: str) -> str | None:
    """What must not run as root runs as the account that Debian's package made, or as `nobody`."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    folder.chmod(0o755)
    return preferred if preferred in known else "nobody"


def _wait_for(ask: Callable[[], object], not_yet: type[Exception]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            ask()
        except not_yet:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
