"""Settings: read from file and environment, refused with file, key and what is allowed (SR-115)."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idp import configuration
from idp.cli.configuration import example_file
from idp.configuration import SettingsError
from idp.eid import registry
from idp.settings import Settings
from idp.stores.durable.sealing import create_root_secrets

ISSUER = '[server]\nissuer = "https://login.example.com"\n'


def read(folder: Path, text: str, **environ: str) -> Settings:
    path = folder / "config.toml"
    path.write_text(text)
    return configuration.read(path, environ)


def refusal(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, text, **environ)
    return str(caught.value)


def problems(folder: Path, text: str = ISSUER, **environ: str) -> dict[str, str]:
    create_root_secrets(folder / "keys")
    settings = read(folder, text)
    return {problem.key: problem.words for problem in configuration.problems(settings, environ)}


def test_a_file_with_an_issuer_is_enough(tmp_path: Path) -> None:
    settings = read(tmp_path, ISSUER)

    assert settings.server.issuer == "https://login.example.com"
    assert settings.codes.phone_lifetime == 600
    assert problems(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server]\n", "config.toml: server.issuer is missing"),
        ("", "config.toml: server is missing"),
        (ISSUER + "[codes]\nphone_lifetme = 5\n", "[codes] has no key `phone_lifetme`; allowed: phone_lifetime, "),
        (ISSUER + "[cods]\n", "there is no section `cods`; allowed: server, service, "),
        (ISSUER + "[codes]\nphone_lifetime = 900\n", "config.toml: codes.phone_lifetime: expected `int` <= 600"),
        (ISSUER + '[codes]\nphone_lifetime = "60"\n', "codes.phone_lifetime: expected `int`, got `str`"),
        (
            ISSUER + '[mail]\nsecurity = "ssl"\n',
            "mail.security: invalid enum value 'ssl'; allowed: starttls, tls, none",
        ),
        (ISSUER + "[service]\nlanguages = [1]\n", "service.languages: expected `str`, got `int`"),
        ("[server\n", "this is not TOML"),
        ("server = 1\n", "config.toml: server: expected `object`, got `int`"),
    ],
)
def test_a_slip_is_named_with_file_key_and_what_is_allowed(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path, text)  # SR-115


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: No such file .* `idp config example`"):
        configuration.read(tmp_path / "nowhere.toml", {})


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not TOML"):
        configuration.read(tmp_path / "config.toml", {})


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        ISSUER + "[codes]\ntries = 3\n",
        IDP_CODES_TRIES="4",
        IDP_SERVER_WORKER="false",
        IDP_SERVICE_LANGUAGES="en, nb",
        IDP_SHORTLIVED_TIMEOUT_MILLISECONDS="100",
        IDP_CONFIG="elsewhere",
        UNRELATED="1",
    )

    assert settings.codes.tries == 4
    assert settings.server.worker is False
    assert settings.service.languages == ("en", "nb")
    assert settings.shortlived.timeout_milliseconds == 100


def test_the_environment_can_give_what_the_file_lacks(tmp_path: Path) -> None:
    assert read(tmp_path, "", IDP_SERVER_ISSUER="https://a.example").server.issuer == "https://a.example"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("IDP_CODES_TRIES", "9", "IDP_CODES_TRIES: Expected `int` <= 5"),
        ("IDP_CODES_TRIES", "many", "IDP_CODES_TRIES: Expected `int`, got `str`"),
        ("IDP_CODES_TRYES", "1", "IDP_CODES_TRYES: no key `tryes` in [codes]; there are "),
        ("IDP_NOTHING", "1", "IDP_NOTHING: no section [nothing]"),
    ],
)
def test_a_slip_in_the_environment_names_the_variable(tmp_path: Path, name: str, value: str, words: str) -> None:
    assert words in refusal(tmp_path, ISSUER, **{name: value})


def test_what_kubernetes_adds_by_itself_is_no_setting(tmp_path: Path) -> None:
    read(tmp_path, ISSUER, IDP_SERVICE_HOST="10.0.0.1", IDP_PORT_80_TCP_ADDR="10.0.0.1", IDP_SERVICE_PORT_HTTP="80")


def test_paths_are_relative_to_the_file_wherever_a_command_starts(tmp_path: Path) -> None:
    settings = read(tmp_path, ISSUER + '[mail]\npassword_file = "/etc/mail.key"\n[sms]\ntoken_file = "sms.key"\n')

    assert settings.secrets.directory == str(tmp_path / "keys")
    assert settings.database.url == f"sqlite:///{tmp_path}/var/idp.sqlite"
    assert settings.mail.password_file == "/etc/mail.key"
    assert settings.sms.token_file == str(tmp_path / "sms.key")


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.com",
        "https://login.example.com/",
        "https://login.example.com/idp",
        "https://login.example.com?a=b",
        "https://login.example.com#a",
        "https://Login.example.com",
        "https://login.example.com:443",
        "https://anna@login.example.com",
        "https://",
        "login.example.com",
        "ftp://login.example.com",
        "https://login.example.com:port",
        "http://127.0.0.1.example.com",
    ],
)
def test_an_unsafe_or_ambiguous_issuer_stops_the_start(tmp_path: Path, issuer: str) -> None:
    assert "server.issuer" in problems(tmp_path, f'[server]\nissuer = "{issuer}"\n')  # SR-115


@pytest.mark.parametrize("issuer", ["http://localhost:8000", "http://127.0.0.1:1", "http://[::1]:80800"[:-1]])
def test_plain_http_is_for_this_machine(tmp_path: Path, issuer: str) -> None:
    assert "server.issuer" not in problems(tmp_path, f'[server]\nissuer = "{issuer}"\n')


UNSAFE: list[tuple[str, str]] = [
    ('[mail]\nhost = "smtp.example.com"\nsecurity = "none"\n', "mail.security"),
    ('[outgoing]\nallowed_networks = ["10.0.0.1/8"]\n', "outgoing.allowed_networks"),
    ('[outgoing]\ntrusted_roots = "nowhere.pem"\n', "outgoing.trusted_roots"),
    ('[outgoing]\ntrusted_roots = "/etc/hostname"\n', "outgoing.trusted_roots"),
    ('[mutual_tls]\nheader = "X-Client-Cert"\n', "mutual_tls.header"),
    ('[mutual_tls]\nissuers = "/etc/hostname"\n', "mutual_tls.header"),
    ('[mutual_tls]\nheader = "X Client"\n', "mutual_tls.header"),
    ('[mutual_tls]\nheader = "X-Client-Cert"\nissuers = "nowhere.pem"\n', "mutual_tls.issuers"),
    ('[mutual_tls]\nheader = "X-Client-Cert"\nbase_url = "http://mtls.example"\n', "mutual_tls.base_url"),
    ('[mutual_tls]\nlisten = "8443"\nbase_url = "https://mtls.example"\n', "mutual_tls.listen"),
    ('[mutual_tls]\nlisten = "0.0.0.0:8443"\n', "mutual_tls.base_url"),
    ('[mutual_tls]\nlisten = "0.0.0.0:8443"\nbase_url = "https://mtls.example"\n', "mutual_tls.certificate"),
    ('[mutual_tls]\nlisten = "0.0.0.0:8443"\ncertificate = "/etc/hostname"\n', "mutual_tls.certificate"),
    ('[mutual_tls]\ncertificate = "cert.pem"\n', "mutual_tls.header"),
    ('[mail]\nusername = "idp"\n', "mail.password_file"),
    ('[mail]\nsender = "nobody"\n', "mail.sender"),
    ('[sms]\nurl = "http://sms.example.com/"\n', "sms.url"),
    ('[voice]\nurl = "file:///etc/passwd"\n', "voice.url"),
    ('[service]\ntime_zone = "Europe/Atlantis"\n', "service.time_zone"),
    ('[service]\ntime_zone = "../etc/passwd"\n', "service.time_zone"),
    ('[service]\nlanguages = ["nb", "xx"]\n', "service.languages"),
    ('[service]\ndefault_language = "fi"\n', "service.default_language"),
    ('[phones]\ndefault_country = "US"\n', "phones.default_country"),
    ('[phones]\ncountries = ["no"]\n', "phones.countries"),
    ('[database]\nurl = "mysql://localhost/idp"\n', "database.url"),
    ('[shortlived]\nurl = "memcached://localhost"\n', "shortlived.url"),
    ("[codes]\nresend_waits = []\n", "codes.resend_waits"),
    ("[codes]\nresend_waits = [0]\n", "codes.resend_waits"),
    ("[sessions]\nidle = 3600\nabsolute = 60\n", "sessions.idle"),
    ('[database]\npassword_file = "missing"\n', "database.password_file"),
]


@pytest.mark.parametrize(("text", "key"), UNSAFE)
def test_an_unsafe_or_useless_value_is_named(tmp_path: Path, text: str, key: str) -> None:
    assert key in problems(tmp_path, ISSUER + text)  # SR-115


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('listen = "8000"\n', "server.listen"),
        ('operations_listen = "127.0.0.1:8000"\n', "server.operations_listen"),
        ('trusted_proxies = ["10.0.0.1/8"]\n', "server.trusted_proxies"),
        ('trusted_proxies = ["everybody"]\n', "server.trusted_proxies"),
    ],
)
def test_addresses_to_listen_on_are_checked(tmp_path: Path, text: str, key: str) -> None:
    assert key in problems(tmp_path, ISSUER + text)


def test_debug_mode_stops_the_start(tmp_path: Path) -> None:
    assert "FLASK_DEBUG" in problems(tmp_path, FLASK_DEBUG="1")  # SR-115
    assert "FLASK_DEBUG" not in problems(tmp_path, FLASK_DEBUG="0")


def test_a_missing_secret_stops_the_start(tmp_path: Path) -> None:
    create_root_secrets(tmp_path / "keys")
    (tmp_path / "keys" / "pepper.key").unlink()
    found = configuration.problems(read(tmp_path, ISSUER), {})

    assert [problem.key for problem in found] == ["secrets.directory"]
    assert "pepper.key" in found[0].words


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o622])
def test_a_root_secret_that_others_may_read_or_change_stops_the_start(tmp_path: Path, mode: int) -> None:
    create_root_secrets(tmp_path / "keys")
    (tmp_path / "keys" / "lookup.key").chmod(mode)  # SR-100, SR-115

    assert "chmod 600" in problems(tmp_path)["secrets.directory"]


def test_a_password_file_that_everybody_may_read_stops_the_start(tmp_path: Path) -> None:
    secret = tmp_path / "sms.key"
    secret.write_text("token")
    text = ISSUER + '[sms]\ntoken_file = "sms.key"\n'
    secret.chmod(0o604)
    assert "sms.token_file" in problems(tmp_path, text)
    secret.chmod(0o640)  # a group of its own is how platforms mount secrets
    assert "sms.token_file" not in problems(tmp_path, text)
    os.truncate(secret, 0)
    assert "sms.token_file" in problems(tmp_path, text)


def test_no_problem_tells_a_secret(tmp_path: Path) -> None:
    create_root_secrets(tmp_path / "keys")
    (tmp_path / "keys" / "lookup.key").chmod(0o644)
    content = (tmp_path / "keys" / "lookup.key").read_text()
    told: Any = problems(tmp_path)

    assert content.strip().partition(":")[2] not in str(told)  # SR-120


@pytest.mark.parametrize("kind", registry.KINDS)
def test_the_printed_table_of_each_eid_is_toml_with_every_key(kind: str) -> None:
    """Whoever takes the comment signs away has a file that can be read."""
    commented = example_file().partition(f"# [eid.{kind.replace('_', '-')}]")
    printed = (commented[1] + commented[2]).split("\n\n")[0]
    tables = tomllib.loads("\n".join(line.removeprefix("#").removeprefix(" ") for line in printed.splitlines()))

    (table,) = tables["eid"].values()
    assert table.pop("connector") == kind
    known = {field.encode_name for field in msgspec.structs.fields(registry.settings_of(kind))}
    assert table.keys() <= known | set(registry.COMMON)
    wanted = {field.encode_name for field in msgspec.structs.fields(registry.settings_of(kind)) if field.required}
    assert wanted <= table.keys()
