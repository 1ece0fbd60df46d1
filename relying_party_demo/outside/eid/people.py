"""People who have eIDs. All invented; their numbers are well formed and nobody's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

NORWEGIAN, SWEDISH, SMART, MITID = "norwegian-bankid", "swedish-bankid", "smart-id", "mitid"


@dataclass(frozen=True, slots=True)
class EidPerson:
    """One person, with their eIDs."""

    number: str = field(repr=False)
    """National number, without separators."""
    country: str
    given_name: str
    family_name: str
    birthdate: date
    eids: tuple[str, ...]
    note: str
    """What they should see at the portal."""

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.given_name} {self.family_name}"


PEOPLE = (
    EidPerson("12846810135", "NO", "Kari", "Nordmann", date(1968, 4, 12), (NORWEGIAN,), "Her payslips."),
    EidPerson("03915920127", "NO", "Ola", "Hansen", date(1959, 11, 3), (NORWEGIAN,), "That his access has ended."),
    EidPerson("48303140001", "EE", "Aino", "Virtanen", date(1983, 3, 14), (SMART,), "That her access has not begun."),
    EidPerson("197109052386", "SE", "Astrid", "Lindqvist", date(1971, 9, 5), (SWEDISH,), "Her payslips."),
    EidPerson("196202172406", "SE", "Stina", "Ek", date(1962, 2, 17), (SWEDISH,), "Her payslips."),
    EidPerson("36608300204", "EE", "Mart", "Tamm", date(1966, 8, 30), (SMART,), "His payslips."),
    EidPerson("21867530077", "NO", "Anne", "Berg", date(1975, 6, 21), (NORWEGIAN,), "Her payslips."),
    EidPerson(
        "21867534099", "NO", "Anne", "Berg", date(1975, 6, 21), (NORWEGIAN,),
        "That nobody knows her: the same name and birth date as the other Anne Berg, and another person.",
    ),
    # The date is one for which no number without a check digit was ever given out, so these are nobody's.
    EidPerson("0209681000", "DK", "Freja", "Holm", date(1968, 9, 2), (MITID,), "Her payslips."),
    EidPerson("0110721000", "DK", "Mads", "Juhl", date(1972, 10, 1), (MITID,), "That nobody knows him."),
    EidPerson("32760010006", "LV", "Ilze", "Kalniņa", date(1979, 1, 2), (SMART,), "That nobody knows her."),
    EidPerson("47912010305", "LT", "Rasa", "Kazlauskienė", date(1979, 12, 1), (SMART,), "That nobody knows her."),
    EidPerson("28829011133", "NO", "Peder", "Ås", date(1990, 2, 28), (NORWEGIAN,), "That nobody knows him."),
    EidPerson("197506212385", "SE", "Björn", "Åkesson", date(1975, 6, 21), (SWEDISH,), "That nobody knows him."),
)  # fmt: skip


def find(number: str) -> EidPerson | None:
    """The person of this number."""
    return next((person for person in PEOPLE if person.number == number), None)


def holders(eid: str) -> tuple[EidPerson, ...]:
    """Those who have this eID."""
    return tuple(person for person in PEOPLE if eid in person.eids)
