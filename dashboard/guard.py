"""Every request passes here first: nothing but static files is served without a session. Denies by default.

What is refused is logged: what was asked, from where, and what was answered; never an address's query, which may hold
the key.
"""

import logging
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.problems import problem_response
from dashboard.sign_in import SESSION_S_MAX, Session, SignIn, comes_from_this_page, is_token

SIGN_IN_SENTENCE = "Open the address that `tractable` printed when it started; it contains the key to this page."
BODY_BYTES_MAX = 65_536
SAFE_METHODS = frozenset({"GET", "HEAD"})
HTTP_REFUSED = 400  # from here on; a redirect lets somebody in
WEBSOCKET_REFUSED = 1008
LOGGED_CHARACTERS_MAX = 200

log = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


class Guard:
    """ASGI middleware. A request that passes finds its session in `scope["state"]["session"]`."""

    def __init__(self, app: ASGIApp, sign_in: SignIn) -> None:
        self._app = app
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._http(scope, receive, _with_security_headers(send))

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        session = self._session(headers)
        refusal = self._refusal(scope, headers, session)
        if refusal is not None:
            if refusal.status_code >= HTTP_REFUSED:
                _log_refusal(scope, headers, scope["method"], refusal.status_code)
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["session"] = session
        await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        if self._session(headers) is None or not comes_from_this_page(headers):
            _log_refusal(scope, headers, "WebSocket", 403)
            await receive()
            await send({"type": "websocket.close", "code": WEBSOCKET_REFUSED})
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: dict[str, str], session: Session | None) -> Response | None:
        """The answer to a request that must not pass; None for one that may."""
        method, path = scope["method"], scope["path"]
        if method in SAFE_METHODS and path.startswith("/static/"):
            return None
        if method in SAFE_METHODS and path == "/":
            key = parse_qs(scope["query_string"].decode("latin-1")).get("key")
            if key is not None and self._sign_in.opens(key[0]):
                return self._let_in(scope)
        if session is None:
            return _not_signed_in(path)
        if method not in SAFE_METHODS:
            return _write_refusal(headers, session)
        return None

    def _let_in(self, scope: Scope) -> Response:
        """Sets the cookie and goes on to the page without the key in its address."""
        response = RedirectResponse("/", 303)
        response.set_cookie(
            self._sign_in.cookie_name,
            self._sign_in.new_cookie(),
            max_age=SESSION_S_MAX,
            httponly=True,
            samesite="strict",
            secure=scope["scheme"] == "https",
        )
        return response

    def _session(self, headers: dict[str, str]) -> Session | None:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._sign_in.cookie_name)
        except CookieError:
            return None
        return self._sign_in.session(cookie.value if cookie else None)


def _log_refusal(scope: Scope, headers: dict[str, str], asked: str, status: int) -> None:
    """What strangers wrote is quoted and cut short: a log's line stays one line."""
    path, origin = (repr(text[:LOGGED_CHARACTERS_MAX]) for text in (scope["path"], headers.get("origin", "")))
    client = scope.get("client")
    log.warning("Refused (%d): %s %s from %s, origin %s", status, asked, path, client[0] if client else "?", origin)


def _write_refusal(headers: dict[str, str], session: Session) -> Response | None:
    if not comes_from_this_page(headers):
        return problem_response(403, "origin", "Only this dashboard's own page may ask for this. Use its buttons.")
    if not is_token(headers.get("x-csrf-token"), session):
        return problem_response(403, "csrf", "This page is no longer current. Load it again, then repeat what you did.")
    length = headers.get("content-length", "")
    if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
        return problem_response(413, "too-large", f"Send at most {BODY_BYTES_MAX} bytes, and say how many.")
    return None


def _not_signed_in(path: str) -> Response:
    if path.startswith("/api/"):
        return problem_response(401, "not-signed-in", SIGN_IN_SENTENCE)
    return PlainTextResponse(f"Not signed in.\n\n{SIGN_IN_SENTENCE}\n", 401)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _with_security_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(SECURITY_HEADERS)
        await send(message)

    return send_with_headers
