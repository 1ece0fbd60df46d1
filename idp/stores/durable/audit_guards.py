"""The database's own refusal to change the audit trail: triggers, for the migration that makes its tables."""

from __future__ import annotations

from collections.abc import Iterator

KEPT_MONTHS = 13
"""Months before which the database refuses to delete an event (SR-125)."""


def guards(dialect: str) -> Iterator[str]:
    """Statements, one each, that make the database itself refuse to change the trail. For the migration.

    Nothing can be updated. Deleting is refused until `KEPT_MONTHS` have passed by the database's clock.
    """
    if dialect == "postgresql":
        yield from _postgresql_guards()
    else:
        yield from _sqlite_guards()


def _sqlite_guards() -> Iterator[str]:
    young = f"OLD.at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-{KEPT_MONTHS} months')"
    its_event = "EXISTS (SELECT 1 FROM audit_events WHERE audit_events.id = OLD.event_id)"
    for table, act, when in (
        ("audit_events", "UPDATE", ""),
        ("audit_seals", "UPDATE", ""),
        ("audit_events", "DELETE", f"WHEN {young} "),
        ("audit_seals", "DELETE", f"WHEN {its_event} "),
    ):
        yield (
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} FOR EACH ROW {when}"
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _postgresql_guards() -> Iterator[str]:
    yield (
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    yield (
        "CREATE FUNCTION audit_seal_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF EXISTS (SELECT 1 FROM audit_events WHERE audit_events.id = OLD.event_id) THEN "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END IF; RETURN OLD; END $$"
    )
    young = f"OLD.at > (now() AT TIME ZONE 'utc') - interval '{KEPT_MONTHS} months'"
    for table, act, when, does in (
        ("audit_events", "UPDATE", "", "audit_append_only"),
        ("audit_seals", "UPDATE", "", "audit_append_only"),
        ("audit_events", "DELETE", f"WHEN ({young}) ", "audit_append_only"),
        ("audit_seals", "DELETE", "", "audit_seal_stays"),
    ):
        yield (
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} FOR EACH ROW {when}"
            f"EXECUTE FUNCTION {does}()"
        )
    for table in ("audit_events", "audit_seals"):
        yield (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
            "EXECUTE FUNCTION audit_append_only()"
        )
