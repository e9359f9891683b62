"""Errors as RFC 9457 problem documents: a code for programs, and a sentence that a person can act on."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

TITLES = {
    400: "This request cannot be read",
    401: "Not signed in",
    403: "Not allowed from here",
    404: "There is nothing here",
    405: "That cannot be done here",
    409: "Refused",
    413: "Too large",
    422: "This needs correcting",
    503: "The controller cannot be reached",
    504: "Not known whether this was done",
}


class Problem(Exception):
    """Ends a request with a problem document."""

    def __init__(self, status: int, code: str, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.more = status, code, detail, more


def problem_response(status: int, code: str, detail: str, **more: object) -> JSONResponse:
    title = TITLES.get(status, "This did not work")
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, **more}
    return JSONResponse(body, status, media_type="application/problem+json")


async def _on_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return problem_response(error.status, error.code, error.detail, **error.more)


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem_response(error.status_code, "http", f"{error.detail}. Check the address and try again.")


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    reasons = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}." for one in error.errors()]
    return problem_response(422, "invalid", " ".join(reasons), reasons=reasons)


async def _on_fault(_: Request, __: Exception) -> JSONResponse:
    return problem_response(
        500, "fault", "The dashboard failed at this. Look at the table itself; the dashboard's log says why."
    )


def install(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_fault)
