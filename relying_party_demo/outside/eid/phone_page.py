"""The tester's phone: what waits for an answer, and the buttons; and the same as JSON for scripts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WsgiResponse

from .all import Eids
from .people import PEOPLE, SWEDISH, holders
from .script import Instruction

ACTIONS = ("approve", "refuse", "wrong-code", "timeout")


def phone_page(eids: Eids) -> Blueprint:
    """The pages below `/eid`, over these simulators."""
    pages = Blueprint("eid", __name__, url_prefix="/eid", template_folder="../templates")
    views = _Views(eids)
    pages.get("/", endpoint="phone")(views.phone)
    pages.get("/people")(views.people)
    pages.post("/next", endpoint="next")(views.next)
    pages.get("/open")(views.open)
    pages.post("/scan")(views.scan)
    pages.post("/act")(views.act)
    return pages


class _Views:
    def __init__(self, eids: Eids) -> None:
        self._eids = eids

    def phone(self) -> str:
        """What waits, each with its buttons."""
        waiting = [one for phone in self._eids.phones.values() for one in phone.waiting()]
        return render_template("eid/phone.html", waiting=waiting, holders=holders, actions=ACTIONS, eids=self._eids)

    def people(self) -> Response:
        """Who has eIDs, and what each should see."""
        return jsonify(
            [
                {
                    "name": person.name,
                    "country": person.country,
                    "number": person.number,
                    "birthdate": person.birthdate.isoformat(),
                    "eids": person.eids,
                    "note": person.note,
                }
                for person in PEOPLE
            ]
        )

    def next(self) -> tuple[Response, int]:
        """`{"eid", "person", "outcome", "fault"}`: the next transaction of that eID answers so by itself."""
        wanted = _object()
        eid, fault = wanted.get("eid"), wanted.get("fault")
        simulator = self._eids.simulators.get(str(eid))
        if simulator is None:
            abort(400, f"eid must be one of {', '.join(self._eids.simulators)}")
        if fault is not None and fault not in simulator.faults:
            abort(400, f"fault must be null or one of {', '.join(simulator.faults)}")
        person = wanted.get("person")
        try:
            instruction = Instruction(None if person is None else str(person), str(wanted.get("outcome")), fault)
            self._eids.script.say(str(eid), instruction)
        except ValueError as problem:
            abort(400, str(problem))
        return jsonify(said=True), 201

    def scan(self) -> Response | WsgiResponse:
        """Read a QR code, or open a link of an app: `{"content"}`, or the same as a form."""
        content = str((_object() if request.is_json else request.form).get("content", "")).strip()
        found, problems = {}, []
        for name, phone in self._eids.phones.items():
            try:
                found = {"id": phone.scan(content), "eid": name}
            except ValueError as problem:
                problems.append(f"{name}: {problem}")
        if not found:
            abort(400, "; ".join(problems) or "no app is here that could read it")
        return jsonify(found) if request.is_json else redirect(url_for("eid.phone"), 303)

    def open(self) -> WsgiResponse:
        """The app of Swedish BankID, opened on this device by a link."""
        content = f"bankid:///?autostarttoken={request.args.get('autostarttoken', '')}"
        try:
            self._eids.phones[SWEDISH].scan(content)
        except (KeyError, ValueError) as problem:
            abort(400, str(problem))
        return redirect(url_for("eid.phone"), 303)

    def act(self) -> Response | WsgiResponse:
        """Answer a transaction: `{"id", "eid", "person", "action", "fault"}`, or the same as a form."""
        wanted = _object() if request.is_json else request.form
        phone = self._eids.phones.get(str(wanted.get("eid")))
        if phone is None:
            abort(400, f"eid must be one of {', '.join(self._eids.phones)}")
        person, fault = wanted.get("person") or None, wanted.get("fault") or None
        try:
            back = phone.act(str(wanted.get("id")), person, str(wanted.get("action")), fault=fault)
        except (LookupError, ValueError) as problem:
            abort(400, str(problem))
        if request.is_json:
            return jsonify(opens=back)
        if back is None:
            return redirect(url_for("eid.phone"), 303)
        # An app opens an address by itself. A form that is redirected would be held to `form-action` all the way.
        return Response(render_template("eid/opens.html", address=back))


def _object() -> dict[str, Any]:
    wanted = request.get_json()
    if not isinstance(wanted, dict):
        abort(400, "a JSON object is wanted")
    return wanted
