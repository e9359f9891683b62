"""Over HTTP: who is let in, what is refused, and in what words."""

import re
from typing import Any

import httpx
import pytest

from dashboard.app import STATIC, sign_in_path
from dashboard.config import BadConfig, DashboardConfig

KEY = "a-key-that-is-long-enough"
TICKS = ["screening", "harness", "table_unlocked"]


def prescription(**pull: str) -> dict[str, Any]:
    return {
        "patient": {"pseudonym": "K7-2F41", "body_mass": "80 kg"},
        "pull": {"mode": "static", "force": "150 N", "time_at_force": "20 min", "ramp": "5 N/s", **pull},
        "prescribed": {"by": "Dr Example"},
    }


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert {"type", "title", "status", "detail"} <= document.keys()
    assert document["status"] == response.status_code
    return document


@pytest.mark.parametrize("path", ["/", "/?key=wrong", "/?key=", "/api/state", "/api/openapi.json", "/nothing"])
async def test_without_a_session_every_page_says_where_to_find_the_address(stranger, path: str) -> None:
    response = await stranger.get(path)

    assert response.status_code == 401
    assert "`tractable` printed" in response.text


async def test_the_printed_address_signs_in_and_leaves_no_key_in_the_address(stranger) -> None:
    response = await stranger.get(sign_in_path(KEY))

    cookie = response.headers["set-cookie"]
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert (await stranger.get("/")).status_code == 200


async def test_what_is_refused_is_logged_on_one_line_without_the_key(stranger, caplog) -> None:
    await stranger.post("/api/start%0Aforged line", headers={"Origin": "http://evil.example"}, params={"key": KEY})

    (line,) = [record.getMessage() for record in caplog.records if record.name == "dashboard.guard"]
    assert line.startswith("Refused (401): POST '/api/start\\nforged line' from ")
    assert "evil.example" in line
    assert KEY not in line


async def test_signing_in_is_no_refusal(stranger, caplog) -> None:
    await stranger.get(sign_in_path(KEY))
    await stranger.get("/")

    assert [record for record in caplog.records if record.name == "dashboard.guard"] == []


async def test_an_altered_cookie_is_no_session(stranger) -> None:
    await stranger.get(sign_in_path(KEY))
    ((name, value),) = stranger.cookies.items()
    stranger.cookies.clear()
    stranger.cookies.set(name, value[:-1] + ("0" if value[-1] != "0" else "1"))

    assert (await stranger.get("/")).status_code == 401


def test_a_key_that_can_be_guessed_is_refused(tmp_path) -> None:
    with pytest.raises(BadConfig, match="16 characters"):
        DashboardConfig("127.0.0.1", 1, "clinic", "2", tmp_path / "s", "short")


@pytest.mark.parametrize("path", ["/api/start", "/api/stop", "/api/acknowledge", "/api/preview"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
    ],
)
async def test_what_another_site_could_send_is_refused(browser, controller, path: str, headers) -> None:
    response = await browser.post(path, json={}, headers=headers)

    assert problem(response)["status"] == 403
    assert controller.asked == []


async def test_a_body_larger_than_any_prescription_is_refused(browser) -> None:
    response = await browser.post("/api/preview", content=b"x" * 70_000)

    assert problem(response)["status"] == 413


async def test_a_stop_is_done_and_says_so(browser, controller) -> None:
    response = await browser.post("/api/stop", json={})

    assert response.json() == {"outcome": "done", "sentence": "Letting go at 20 N/s.", "data": {}}


@pytest.mark.parametrize("body", [b"", b"not json", b'{"id": 5}', b"[]"])
async def test_a_stop_whose_body_cannot_be_read_stops_all_the_same(browser, controller, body: bytes) -> None:
    response = await browser.post("/api/stop", content=body)

    assert response.status_code == 200
    assert controller.asked[0]["do"] == "stop"


async def test_a_stop_without_an_answer_is_unknown_and_never_done(browser, controller) -> None:
    controller.silent = True

    document = problem(await browser.post("/api/stop", json={}))

    assert (document["status"], document["code"]) == (504, "unknown")
    assert "Look at the table" in document["detail"]


async def test_a_stop_that_could_not_be_sent_says_so(browser) -> None:
    document = problem(await browser.post("/api/stop", json={}))

    assert (document["status"], document["code"]) == (503, "unreachable")


async def test_a_start_passes_on_what_was_written_ticked_and_confirmed(browser, controller) -> None:
    asked = {
        "prescription": prescription(force="30 kgf"),
        "ticks": TICKS,
        "confirmed_force": "30 kgf",
        "id": "press-0001",
    }

    response = await browser.post("/api/start", json=asked)

    assert response.status_code == 200
    command = controller.asked[0]
    assert command["prescription"] == prescription(force="30 kgf")
    assert (command["ticks"], command["confirmed_mn"], command["id"]) == (TICKS, 294_199, "press-0001")


async def test_a_refused_start_shows_the_controllers_sentence(browser, controller) -> None:
    controller.reply = {"outcome": "refused", "reason": "Tick that the harness is on."}

    response = await browser.post("/api/start", json={"prescription": prescription(), "ticks": []})

    assert problem(response)["detail"] == "Tick that the harness is on."
    assert response.status_code == 409


async def test_a_tick_that_does_not_exist_is_named(browser, controller) -> None:
    response = await browser.post("/api/start", json={"prescription": prescription(), "ticks": ["all_good"]})

    assert "ticks" in problem(response)["detail"]
    assert controller.asked == []


async def test_an_alarm_is_acknowledged_by_name(browser, controller) -> None:
    await browser.post("/api/acknowledge", json={"alarm": "A10"})

    assert (controller.asked[0]["do"], controller.asked[0]["alarm"]) == ("acknowledge", "A10")


async def test_a_preview_shows_force_ceiling_and_time(browser) -> None:
    shown = (await browser.post("/api/preview", json={"prescription": prescription(force="300 N")})).json()

    assert shown["may_start"] is True
    assert shown["needs_second_confirmation"] is True
    assert shown["ceiling_mn"] == 350_000
    assert shown["total_s"] == 1_313
    assert shown["force"]["text"] == "300 N (30.6 kgf, 67.4 lbf)"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("pull.force", {"force": "301 N"}),
        ("pull.force", {"force": "10 N"}),
        ("pull.force", {"force": "thirty"}),
        ("pull.time_at_force", {"time_at_force": "31 min"}),
        ("pull.ramp", {"ramp": "21 N/s"}),
        ("pull.ramp", {"ramp": "0 N/s"}),
        ("pull.mode", {"mode": "wobbling"}),
    ],
)
async def test_a_preview_names_the_field_that_breaks_a_rule(browser, field: str, change: dict[str, str]) -> None:
    shown = (await browser.post("/api/preview", json={"prescription": prescription(**change)})).json()

    assert shown["may_start"] is False
    assert shown["refusals"][0]["field"] == field


@pytest.mark.parametrize("body_mass", ["10 kg", "0 kg", "500 kg"])
async def test_a_preview_names_a_body_mass_that_cannot_be(browser, body_mass: str) -> None:
    document = prescription()
    document["patient"]["body_mass"] = body_mass

    shown = (await browser.post("/api/preview", json={"prescription": document})).json()

    assert "patient.body_mass" in [refusal["field"] for refusal in shown["refusals"]]


async def test_a_preview_names_a_force_that_is_too_high_while_other_fields_are_still_empty(browser) -> None:
    document = prescription(force="2500 N")
    document["patient"]["pseudonym"] = ""
    document["prescribed"]["by"] = ""

    shown = (await browser.post("/api/preview", json={"prescription": document})).json()

    fields = [refusal["field"] for refusal in shown["refusals"]]
    assert {"patient.pseudonym", "prescribed.by", "pull.force"} <= set(fields)
    assert shown["may_start"] is False


async def test_the_page_loads_only_from_here_and_runs_nothing_inline(browser) -> None:
    response = await browser.get("/")

    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=|https?://", response.text)


async def test_every_file_that_the_page_and_its_scripts_name_is_served(browser) -> None:
    page = (await browser.get("/")).text
    wanted = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
    for script in sorted(STATIC.glob("js/*.js")):
        for name in re.findall(r'^import (?:.* from )?"\./([^"]+)"', script.read_text(), re.M):
            wanted.add(f"/static/js/{name}")
    wanted.add("/static/vendor/uplot/dist/uPlot.esm.js")

    answers = {path: (await browser.get(path)).status_code for path in sorted(wanted)}

    assert set(answers.values()) == {200}, answers
    assert len(answers) >= 15


async def test_what_is_not_known_is_null_and_not_zero(browser) -> None:
    known = (await browser.get("/api/state")).json()

    assert known["state"] is None
    assert known["newest_sample_age_ms"] is None


async def test_the_description_of_the_interface_names_every_command(browser) -> None:
    paths = (await browser.get("/api/openapi.json")).json()["paths"]

    steering = {"pause", "go-on", "lower", "raise", "pain", "take-over", "acknowledge-end", "zero"}
    of_one = ("prescription", "receipt", "delivered", "note", "report.pdf")
    one_session = {f"sessions/{{session_id}}/{leaf}" for leaf in of_one}
    others = {"state", "preview", "prescription-file", "start", "stop", "acknowledge", "sessions"}
    assert set(paths) == {f"/api/{leaf}" for leaf in steering | one_session | others}


async def test_an_address_that_leads_nowhere_is_a_problem_document(browser) -> None:
    assert problem(await browser.get("/api/nothing"))["status"] == 404
