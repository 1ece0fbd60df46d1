"""What happened to an account, in sentences its owner understands; and what is left out, and why.

Every audit event is in one of the two tables.
"""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext

SENTENCES: dict[str, Callable[[], str]] = {
    "account.active": lambda: gettext("Support opened your account again."),
    "account.locked": lambda: gettext("Support locked your account."),
    "account.opened": lambda: gettext("You signed up."),
    "app.added": lambda: gettext("An authenticator app was set up."),
    "app.removed": lambda: gettext("The authenticator app was deleted."),
    "account.leaving": lambda: gettext("You asked us to delete your account."),
    "account.stayed": lambda: gettext("You decided to keep your account."),
    "audit.read": lambda: gettext("Support looked at the activity of your account."),
    "code.accepted": lambda: gettext("The right code was typed."),
    "code.limited": lambda: gettext("Codes were asked for or tried too often."),
    "code.refused": lambda: gettext("A wrong code was typed."),
    "code.replayed": lambda: gettext("A service used the same sign-in twice. We ended its access."),
    "code.sent": lambda: gettext("A code was sent to you."),
    "consent.given": lambda: gettext("You gave a service access."),
    "consent.withdrawn": lambda: gettext("You withdrew the access of a service."),
    "decoupled.approved": lambda: gettext("You approved a sign-in on another device."),
    "decoupled.asked": lambda: gettext("A service asked you to approve a sign-in on another device."),
    "decoupled.rejected": lambda: gettext("You refused a sign-in on another device."),
    "device.forgotten": lambda: gettext("Remembered devices were forgotten."),
    "device.recognised": lambda: gettext("A remembered device was used instead of a code."),
    "device.remembered": lambda: gettext("You let us remember a device."),
    "eid.failed": lambda: gettext("Confirming who you are with an electronic ID did not succeed."),
    "eid.started": lambda: gettext("You began to confirm who you are with an electronic ID."),
    "email.changed": lambda: gettext("Your email address was changed."),
    "email.restored": lambda: gettext("The change of your email address was undone."),
    "identity.again": lambda: gettext("You confirmed who you are with an electronic ID."),
    "identity.linked": lambda: gettext("You confirmed who you are with an electronic ID for the first time."),
    "passkey.accepted": lambda: gettext("A passkey was used."),
    "passkey.added": lambda: gettext("A passkey was added."),
    "passkey.copied": lambda: gettext("A passkey was refused. It may have been copied."),
    "passkey.refused": lambda: gettext("A passkey was refused."),
    "passkey.removed": lambda: gettext("A passkey was deleted."),
    "password.replaced": lambda: gettext("Your password was changed."),
    "person.exported": lambda: gettext("A file with your information was made."),
    "person.looked_up": lambda: gettext("Support looked up your account."),
    "phone.kept": lambda: gettext("The change of your phone number was undone."),
    "phone.pending": lambda: gettext("A new phone number was given. It counts after a waiting time."),
    "phone.removed": lambda: gettext("Your phone number was removed."),
    "phone.proved": lambda: gettext("A phone number was confirmed."),
    "preferences.changed": lambda: gettext("You chose language and time zone."),
    "recovery.proved": lambda: gettext("A way back after a lost phone was used."),
    "recovery.started": lambda: gettext("Support began to help with a lost phone."),
    "recovery-codes.made": lambda: gettext("New recovery codes were made."),
    "second-step.weaker": lambda: gettext("Another extra security step than your strongest one was used."),
    "session.made-room": lambda: gettext("The oldest sign-in was ended, because there were too many."),
    "session.started": lambda: gettext("You signed in."),
    "sessions.ended": lambda: gettext("All devices were signed out, or all but one."),
    "sign-in.failed": lambda: gettext("Someone tried to sign in with a wrong password."),
    "undo.refused": lambda: gettext("Somebody tried to undo a change with a wrong code."),
    "tokens.issued": lambda: gettext("A service got information about you."),
}

OMITTED: dict[str, str] = {
    "account.erased": "nobody is left to read it",
    "audit.forgotten": "of no account",
    "authorization.refused": "a mistake of a client; nothing happened to the account",
    "client.changed": "of no account",
    "client.limited": "of no account",
    "client.registered": "of no account",
    "client.removed": "of no account",
    "client.secret-rotated": "of no account",
    "key.added": "of no account",
    "key.promoted": "of no account",
    "key.retired": "of no account",
    "registration.invited": "of no account",
    "registration.withdrawn": "of no account",
    "sending.day-spent": "of no account",
    "sending.prefix-stopped": "of no account",
    "session.ended": "written by the sign-in's own number, without the account",
    "sign-in.throttled": "written before anybody looks for an account",
    "token.revoked": "a client put its own token back; nothing a person did",
    "tokens.refused": "a mistake of a client; nothing happened to the account",
}


def sentence(event: str) -> str:
    """What happened. Raises KeyError for an event that is left out."""
    return SENTENCES[event]()
