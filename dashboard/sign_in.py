"""Who may look and press: one local operator, let in by the address that `tractable` printed.

The cookie is a random session id, the time it was made, and a signature with a key derived from the access key. It is
not kept in memory alone: STOP on a page that is open must go on working when this process is started again.
A new access key ends every session.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

SESSION_S_MAX = 12 * 3600  # a working day
CLOCK_SET_BACK_S_MAX = 60
SEPARATOR = "."


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    made_s: int
    csrf_token: str


class SignIn:
    """Makes and checks sessions. Times are wall-clock seconds: a session outlives the process that made it."""

    def __init__(self, access_key: str, place: str, wall_s: Callable[[], float] = time.time) -> None:
        self._access_key = access_key
        self._signing_key = hashlib.sha256(b"tractable dashboard session\0" + access_key.encode()).digest()
        self._wall_s = wall_s
        # Cookies do not know ports: two dashboards on one computer must not sign each other out.
        self.cookie_name = f"tractable_{hashlib.sha256(place.encode()).hexdigest()[:8]}"

    def opens(self, key: str) -> bool:
        return hmac.compare_digest(key.encode(), self._access_key.encode())

    def new_cookie(self) -> str:
        body = f"{secrets.token_urlsafe(24)}{SEPARATOR}{int(self._wall_s())}"
        return f"{body}{SEPARATOR}{self._signed('session', body)}"

    def session(self, cookie: str | None) -> Session | None:
        """The session of a cookie, or None when it is not ours, altered, or over."""
        body, _, signature = (cookie or "").rpartition(SEPARATOR)
        if not hmac.compare_digest(signature.encode(), self._signed("session", body).encode()):
            return None
        session_id, _, made = body.rpartition(SEPARATOR)
        age_s = self._wall_s() - int(made)
        if not -CLOCK_SET_BACK_S_MAX <= age_s <= SESSION_S_MAX:
            return None
        return Session(session_id, int(made), self._signed("csrf", body))

    def _signed(self, purpose: str, text: str) -> str:
        return hmac.new(self._signing_key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def comes_from_this_page(headers: dict[str, str]) -> bool:
    """Whether a browser says that a page of this very origin asks: Origin equals Host, and Sec-Fetch-Site agrees."""
    origin, host = headers.get("origin", ""), headers.get("host", "")
    same_host = bool(host) and origin in (f"http://{host}", f"https://{host}")
    return same_host and headers.get("sec-fetch-site", "same-origin") == "same-origin"


def is_token(given: str | None, session: Session) -> bool:
    return hmac.compare_digest((given or "").encode(), session.csrf_token.encode())
