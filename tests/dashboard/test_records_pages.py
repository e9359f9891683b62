"""Earlier sessions over HTTP: the list, what was delivered, the note, the page to print."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from dashboard.app import create_app, sign_in_path
from dashboard.config import DashboardConfig
from proof.bench import bench_at
from proof.record import written

SESSION = "S1"


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With one session, and one file that is none."""
    folder = tmp_path_factory.mktemp("records")
    path = written(bench_at("RAMP"), folder)
    (path.parent / "20250101-000000-dead.tractable").write_bytes(b"nothing")
    return folder


@asynccontextmanager
async def visitor_of(config: DashboardConfig, data_folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(replace(config, data_folder=data_folder))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://table.local") as client:
        await client.get(sign_in_path(config.access_key))
        yield client


@pytest_asyncio.fixture
async def visitor(config: DashboardConfig, data_folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with visitor_of(config, data_folder) as client:
        yield client


async def test_the_list_is_paged_and_says_what_cannot_be_read(visitor: httpx.AsyncClient) -> None:
    first = (await visitor.get("/api/sessions?limit=1")).json()
    second = (await visitor.get("/api/sessions?limit=1&offset=1")).json()

    assert (first["total"], first["sessions"][0]["id"]) == (2, SESSION)
    assert "not a session file" in second["sessions"][0]["problem"]


async def test_a_session_has_a_receipt_a_note_and_a_page_to_print(visitor: httpx.AsyncClient) -> None:
    receipt = (await visitor.get(f"/api/sessions/{SESSION}/receipt")).json()
    note = await visitor.get(f"/api/sessions/{SESSION}/note")
    page = await visitor.get(f"/api/sessions/{SESSION}/report.pdf")

    assert receipt["prescribed"]["force_n"] == 300.0
    assert note.text.startswith("SIMULATED TABLE")
    assert (page.headers["content-type"], page.content[:5]) == ("application/pdf", b"%PDF-")


async def test_what_was_delivered_comes_in_the_words_of_the_receipt(visitor: httpx.AsyncClient) -> None:
    delivered = (await visitor.get(f"/api/sessions/{SESSION}/delivered")).json()

    assert {"name": "Above the ceiling", "value": "never (350 N)"} in delivered["figures"]
    assert delivered["remarks"] == []


async def test_the_pages_show_the_list_and_one_session(visitor: httpx.AsyncClient) -> None:
    listed = await visitor.get("/records")
    shown = await visitor.get(f"/records/{SESSION}")

    assert f'href="/records/{SESSION}"' in listed.text
    assert "20250101-000000-dead" in listed.text
    assert "K7-2F41" in listed.text
    assert "static, 300 N" in listed.text
    assert "Copy the note" in shown.text
    assert "Force" in shown.text


async def test_the_list_is_that_of_one_patient_where_one_is_asked_for(visitor: httpx.AsyncClient) -> None:
    own = (await visitor.get("/api/sessions", params={"patient": "K7-2F41"})).json()
    others = (await visitor.get("/api/sessions", params={"patient": "k7-2f41"})).json()
    page = await visitor.get("/records", params={"patient": "K7-2F42"})

    assert [session["id"] for session in own["sessions"]] == [SESSION]
    assert (own["total"], others["total"]) == (1, 0)
    assert "There is no session of K7-2F42 here" in page.text


async def test_the_prescription_can_be_written_again(visitor: httpx.AsyncClient) -> None:
    written_once = (await visitor.get(f"/api/sessions/{SESSION}/prescription")).json()["prescription"]

    assert written_once["pull"]["force"] == "300 N"


async def test_what_was_prescribed_in_a_trial_is_not_told(config: DashboardConfig, tmp_path: Path) -> None:
    bench = bench_at("RAMP")
    [header] = bench.memory.headers
    in_trial = {**header.prescription, "trial": {"arm": "sham", "sham_force_mn": 30_000}}
    bench.memory.headers[0] = replace(header, prescription=in_trial)
    written(bench, tmp_path)

    async with visitor_of(config, tmp_path) as visitor:
        answer = await visitor.get(f"/api/sessions/{SESSION}/prescription")

    assert (answer.status_code, answer.json()["code"]) == (409, "blinded")
    assert "sham" not in answer.text


@pytest.mark.parametrize("wanted", ["nobody", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd"])
async def test_what_is_not_in_the_data_folder_is_not_there(visitor: httpx.AsyncClient, wanted: str) -> None:
    answer = await visitor.get(f"/api/sessions/{wanted}/note")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_file_that_cannot_be_read_says_what_to_do(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/api/sessions/20250101-000000-dead/receipt")

    assert answer.status_code == 409
    assert "tractable session verify" in answer.json()["detail"]


async def test_nobody_sees_a_record_without_signing_in(stranger: httpx.AsyncClient) -> None:
    answers = [await stranger.get(path) for path in ("/records", "/api/sessions", f"/api/sessions/{SESSION}/note")]

    assert {answer.status_code for answer in answers} == {401}


async def test_a_dashboard_without_a_data_folder_says_so(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/api/sessions")

    assert answer.status_code == 404
    assert "without a data folder" in answer.json()["detail"]
