"""Undoing a change by the code of a notice, without signing in. One address that never changes: mails hold no link."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, make_response, redirect, request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from idp.cookies import Cookies
from idp.services import undoing
from idp.services.hashing import Hashing
from idp.stores.shortlived.contract import ShortLived
from idp.web import errors, forms, pages, texts
from idp.web.csrf import FormTokens
from idp.web.forms import OddForm

SEE_OTHER = 303
PATH = "/undo"
HOME = "/account"


@dataclass(frozen=True, slots=True)
class UndoViews:
    """The page, and the page after it. Whoever holds a code is heard, wherever they come from."""

    cookies: Cookies
    tokens: FormTokens
    store: ShortLived
    hashing: Hashing

    def blueprint(self) -> Blueprint:
        """The routes."""
        views = Blueprint("undo", __name__)
        views.get(PATH)(self.show)
        views.post(PATH)(self.submit)
        views.get(f"{PATH}/done")(self.done)
        return views

    def show(self) -> Response:
        """The field for the code. Nothing in the address fills it in (SR-57)."""
        return self._draw()

    def submit(self) -> Response:
        """Undo it; a code that is wrong, used or past its time hears the same (requirements, section R)."""
        try:
            typed = forms.typed(request)
        except OddForm as problem:
            raise BadRequest from problem
        browser = self.cookies.browser(request)
        if browser is None or self.tokens.read(typed.get("form", ""), browser, PATH) is None:
            return self._draw()
        if not undoing.may_try(self.store, forms.origin(request)):
            return errors.pause(undoing.TEN_MINUTES)
        if undoing.by_code(typed.get("undo-code", ""), self.hashing):
            return redirect(f"{PATH}/done", SEE_OTHER)
        return self._draw(status=422)

    def done(self) -> Response:
        """What was done, and what is to be done now. It tells nothing to whoever comes here by chance."""
        return pages.render({"page": "undone", "links": {"home": HOME}})

    def _draw(self, *, status: int = 200) -> Response:
        errors_shown = [{"field": "undo-code", "text": texts.error_text("E-UNDO-WRONG")}] if status != 200 else []
        cookies = make_response()
        browser = self.cookies.ensure_browser(request, cookies)
        form = self.tokens.make(browser, PATH)
        response = pages.render({"page": "undo", "status": status, "form": form, "errors": errors_shown})
        for cookie in cookies.headers.getlist("Set-Cookie"):
            response.headers.add("Set-Cookie", cookie)
        response.headers["Cache-Control"] = "no-store"
        return response
