"""The routes of the web pages: one template a page, static files, sign-in, and the API's documentation."""

from __future__ import annotations

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict
from starlette.staticfiles import StaticFiles

from simulator.pages.menu import PAGES, PREFIX, Page
from simulator.pages.security import COOKIE, DOCS_CSP, AccessToken

_FOLDER = Path(__file__).parent
_DOCS_FILES = Path(fastapi_offline.__file__).parent / "static"
_WRONG = {"errorMsg": "the access token is wrong (copy it from the terminal that started the platform)"}


class SignIn(BaseModel):
    """The access token, as a person types it."""

    model_config = ConfigDict(extra="forbid")

    token: str


def add_pages(app: FastAPI, token: AccessToken) -> None:
    """Serve the pages, and the documentation of the API without any network."""
    templates = _templates(token)
    _add_entrance(app)
    for page in PAGES:
        _add_page(app, templates, page)
    _add_sign_in(app, templates, token)
    _add_docs(app, templates)
    app.mount(f"{PREFIX}/static", StaticFiles(directory=_FOLDER / "static"), name="static files of the pages")
    app.mount(f"{PREFIX}/docs-static", StaticFiles(directory=_DOCS_FILES), name="static files of the API's docs")


def _templates(token: AccessToken) -> Environment:
    loader = FileSystemLoader(_FOLDER / "templates")
    templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    templates.globals.update(pages=PAGES, prefix=PREFIX, icon=_icon, has_token=bool(token))
    return templates


def _icon(name: str) -> Markup:
    """Return an icon of the page's sprite, which is decoration: the text beside it says what it means."""
    mark = '<svg class="icon" aria-hidden="true"><use href="#icon-{}"></use></svg>'
    return Markup(mark).format(name)  # noqa: S704 - format escapes its arguments


def _add_entrance(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    @app.get(PREFIX, include_in_schema=False)
    async def entrance() -> Response:
        return RedirectResponse(f"{PREFIX}/")


def _add_page(app: FastAPI, templates: Environment, page: Page) -> None:
    template = templates.get_template(f"{page.name}.html")

    @app.get(f"{PREFIX}{page.path}", include_in_schema=False, name=f"page {page.name}")
    async def show() -> Response:
        return HTMLResponse(template.render(page=page))


def _add_sign_in(app: FastAPI, templates: Environment, token: AccessToken) -> None:
    template = templates.get_template("sign_in.html")

    @app.get(f"{PREFIX}/sign-in", include_in_schema=False)
    async def show() -> Response:
        return HTMLResponse(template.render())

    @app.post(f"{PREFIX}/session", include_in_schema=False)
    async def sign_in(given: SignIn, request: Request, response: Response) -> dict[str, str]:
        if not token.is_right(given.token):
            response.status_code = 403
            return _WRONG
        is_https = request.headers.get("origin", "").startswith("https:")  # as the browser sees it, also behind a proxy
        response.set_cookie(COOKIE, token.cookie, path="/", httponly=True, samesite="strict", secure=is_https)
        return {"status": "signed in"}

    @app.delete(f"{PREFIX}/session", include_in_schema=False)
    async def sign_out(response: Response) -> dict[str, str]:
        response.delete_cookie(COOKIE, path="/")
        return {"status": "signed out"}


def _add_docs(app: FastAPI, templates: Environment) -> None:
    template = templates.get_template("docs.html")

    @app.get("/docs", include_in_schema=False)
    async def show_docs() -> Response:
        return HTMLResponse(template.render(), headers={"Content-Security-Policy": DOCS_CSP})
