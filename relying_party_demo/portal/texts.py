"""Every word of the portal, in Norwegian and English."""

from __future__ import annotations

LANGUAGES = {"nb": "Norsk bokmål", "en": "English"}

TEXTS: dict[str, tuple[str, str]] = {
    "portal": ("Alumniportalen", "The alumni portal"),
    "skip": ("Hopp til innholdet", "Skip to content"),
    "sign_in": ("Logg inn", "Sign in"),
    "sign_in_again": ("Logg inn igjen", "Sign in again"),
    "sign_out": ("Logg ut", "Sign out"),
    "signed_in_as": ("Du er logget inn som", "You are signed in as"),
    "welcome": ("Lønnsslippene dine, også etter at du har sluttet", "Your payslips, even after you have left"),
    "welcome_text": (
        "Her finner du lønnsslipper fra en tidligere arbeidsgiver, så lenge arbeidsgiveren har bestemt.",
        "Here you find payslips from a former employer, for as long as the employer has decided.",
    ),
    "new_here": (
        "Er du ny her? Trykk «Logg inn», så kan du registrere deg på neste side.",
        "New here? Press “Sign in”, and you can sign up on the next page.",
    ),
    "payslips": ("Lønnsslipper", "Payslips"),
    "payslip": ("Lønnsslipp for {month}", "Payslip for {month}"),
    "from_employer": ("Fra {employer}. Du har tilgang til {date}.", "From {employer}. You have access until {date}."),
    "month": ("Måned", "Month"),
    "paid": ("Utbetalt", "Paid"),
    "net": ("Netto, kr", "Net, NOK"),
    "what": ("Post", "Item"),
    "amount": ("Beløp, kr", "Amount, NOK"),
    "back": ("Alle lønnsslipper", "All payslips"),
    "profile": ("Om deg", "About you"),
    "profile_text": (
        "Dette vet portalen om deg fra innloggingen.",
        "This is what the portal knows about you from signing in.",
    ),
    "email": ("E-postadresse", "Email address"),
    "phone": ("Telefonnummer", "Phone number"),
    "level": ("Slik logget du inn", "How you signed in"),
    "level_mfa": ("Med to steg", "In two steps"),
    "level_proved": ("Med bekreftet identitet", "With a confirmed identity"),
    "service_knows_you": (
        "Datatjenesten kjenner igjen innloggingen din.",
        "The data service recognises your sign-in.",
    ),
    "service_does_not": (
        "Datatjenesten kunne ikke kontrollere innloggingen din nå.",
        "The data service could not check your sign-in now.",
    ),
    "confirm_heading": ("Bekreft hvem du er", "Confirm who you are"),
    "confirm_text": (
        "Du er logget inn. For å se lønnsslippene må du også bekrefte hvem du er, med BankID eller Smart-ID.",
        "You are signed in. To see your payslips you must also confirm who you are, with BankID or Smart-ID.",
    ),
    "confirm": ("Bekreft", "Confirm"),
    "confirmed": ("Identiteten din er bekreftet.", "Your identity is confirmed."),
    "unmet": (
        "Vi fikk ikke bekreftet hvem du er: innloggingstjenesten kan ikke gjøre det nå. Du er fortsatt logget inn.",
        "We could not confirm who you are: the sign-in service cannot do that now. You are still signed in.",
    ),
    "unmet_next": (
        "Prøv igjen senere, eller kontakt HR-avdelingen hos arbeidsgiveren.",
        "Try again later, or contact the HR department of the employer.",
    ),
    "confirm_cancelled": (
        "Du avbrøt før du hadde bekreftet hvem du er. Du er fortsatt logget inn.",
        "You stopped before you had confirmed who you are. You are still signed in.",
    ),
    "cancelled": ("Innloggingen ble avbrutt. Du er ikke logget inn.", "Signing in was stopped. You are not signed in."),
    "provider_fault": (
        "Noe gikk galt hos innloggingstjenesten. Prøv en gang til.",
        "Something went wrong at the sign-in service. Try once more.",
    ),
    "trip_lost": (
        "Denne innloggingen er brukt eller har vart for lenge. Logg inn på nytt.",
        "This sign-in has been used or has taken too long. Sign in again.",
    ),
    "session_over": ("Innloggingen er over. Logg inn på nytt.", "Your sign-in has ended. Sign in again."),
    "signed_out": ("Du er logget ut.", "You are signed out."),
    "no-match": (
        "Vi fant ingen ansettelse som hører til deg. Spør HR-avdelingen hos arbeidsgiveren.",
        "We found no employment that belongs to you. Ask the HR department of the employer.",
    ),
    "not-open-yet": ("Tilgangen din åpner {date}.", "Your access opens on {date}."),
    "window-closed": (
        "Tilgangen din tok slutt {date}. Arbeidsgiveren bestemmer hvor lenge den varer. Spør HR-avdelingen der.",
        "Your access ended on {date}. The employer decides how long it lasts. Ask the HR department there.",
    ),
    "not-found": ("Denne lønnsslippen finnes ikke.", "There is no such payslip."),
    "nothing_heading": ("Ingen lønnsslipper å vise", "No payslips to show"),
    "unavailable_heading": ("Lønnsslippene kan ikke hentes nå", "The payslips cannot be fetched now"),
    "unavailable": (
        "Feilen er hos oss. Du er fortsatt logget inn. Prøv igjen om litt.",
        "The fault is ours. You are still signed in. Try again in a while.",
    ),
    "provider_away_heading": ("Innloggingstjenesten svarer ikke", "The sign-in service does not answer"),
    "provider_away": ("Feilen er hos oss. Prøv igjen om litt.", "The fault is ours. Try again in a while."),
    "missing_heading": ("Siden finnes ikke", "There is no such page"),
    "missing": ("Adressen kan være skrevet feil.", "The address may be mistyped."),
    "fault_heading": ("Noe gikk galt hos oss", "Something went wrong here"),
    "try_again": ("Prøv igjen", "Try again"),
    "to_front": ("Til forsiden", "To the front page"),
    "demo": (
        "Dette er en demonstrasjon. Personer, arbeidsgivere og beløp er oppdiktet.",
        "This is a demonstration. People, employers and amounts are invented.",
    ),
}
"""Key → Norwegian, English."""


def text(key: str, language: str, **values: str) -> str:
    """The words of that key in the language, filled in."""
    return TEXTS[key][language == "en"].format(**values)
