"""Writes docs/images/table.png and table-dark.png: `python -m docs.make_screenshot`, about a minute and a half.

It starts the whole stack with a simulated table, gives a session, and takes the page's picture while it holds.
Exits 1 with a sentence when chromium is not here or the session does not get there.
"""

import asyncio
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, Literal

from playwright.async_api import Browser, ViewportSize, async_playwright, expect

from controller.commands import HUMAN_TICKS, Status
from controller.messages import PhaseName, State
from dashboard.control_client import ControlClient, Outcome, new_command_id
from tractable.local_stack import LocalStack
from tractable.supervision import ChildFailed

IMAGES: Final = Path(__file__).with_name("images")
Scheme = Literal["light", "dark"]
PICTURES: Final[dict[Scheme, str]] = {"light": "table.png", "dark": "table-dark.png"}
CHROMIUM: Final = "/usr/bin/chromium"
SIZE: Final = ViewportSize(width=1280, height=860)
ACTOR: Final = "clinician"
PRESCRIPTION: Final[dict[str, Any]] = {
    "patient": {"pseudonym": "K7-2F41", "body_mass": "80 kg"},
    "pull": {"mode": "static", "force": "300 N", "time_at_force": "60 s", "ramp": "20 N/s"},
    "prescribed": {"by": "clinician"},
}
# So long at force that the hold can be seen in the plot, and not so long that the session is over.
SHOWN_AT_FORCE_S: Final = 30
NEAR_TARGET_MN: Final = 5_000
STARTED_WITHIN_S: Final = 20.0
HOLDING_WITHIN_S: Final = 150.0
ASK_EVERY_S: Final = 0.25
# On a computer whose cores are all taken the controller may stand still, and the table then rightly lets go.
ATTEMPTS: Final = 4
A_FORCE: Final = re.compile(r"^\d")


class NoPicture(RuntimeError):
    """The session did not get to where its picture is taken; the text says where it stood."""


async def take_pictures(stack: LocalStack) -> list[Path]:
    """Gives a session and photographs it while it holds. Raises NoPicture."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as tools:
        # A browser that starts takes a whole core for a while, so it starts before anything is pulled.
        browser = await tools.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            await start(stack.control)
            await until_held(stack.control)
            return [await picture(browser, stack.address, scheme) for scheme in PICTURES]
        finally:
            await stack.control.stop()
            await browser.close()


async def start(control: ControlClient) -> None:
    """Starts the session as soon as the controller has found its table. Raises NoPicture."""
    until = time.monotonic() + STARTED_WITHIN_S
    while True:
        answer = await control.start(PRESCRIPTION, HUMAN_TICKS, 300_000, unattended=True)
        if answer.outcome is Outcome.DONE:
            return
        if time.monotonic() > until:
            raise NoPicture(f"The session could not start: {answer.sentence}")
        await asyncio.sleep(ASK_EVERY_S)


async def until_held(control: ControlClient) -> None:
    """Returns once force has been near its target for a while. Raises NoPicture."""
    until = time.monotonic() + HOLDING_WITHIN_S
    seen = "the controller did not answer"
    while time.monotonic() < until:
        answer = await control.ask(Status(do="status", id=new_command_id(), actor=ACTOR))
        if answer.outcome is Outcome.DONE:
            state = State.model_validate(answer.data["state"])
            seen = " ".join([state.phase, *(f"{alarm.id} {alarm.shown} ({alarm.detail})" for alarm in state.alarms)])
            if is_held(state, answer.data["force_mn"]):
                return
            if state.phase in (PhaseName.ENDED, PhaseName.TRIPPED):
                break
        await asyncio.sleep(ASK_EVERY_S)
    raise NoPicture(f"The session did not hold its force: {seen}.")


def is_held(state: State, force_mn: int | None) -> bool:
    if state.phase is not PhaseName.HOLDING or force_mn is None or state.target_mn is None:
        return False
    return abs(force_mn - state.target_mn) <= NEAR_TARGET_MN and (state.at_force_s or 0) >= SHOWN_AT_FORCE_S


async def picture(browser: Browser, address: str, scheme: Scheme) -> Path:
    """The page in that colour scheme, at the size of a small laptop's screen."""
    path = IMAGES / PICTURES[scheme]
    page = await browser.new_page(viewport=SIZE, color_scheme=scheme)
    await page.goto(address)
    await expect(page.locator("#force-value")).to_have_text(A_FORCE)
    await page.locator("force-chart canvas").wait_for()
    await page.screenshot(path=path, animations="disabled")
    await page.close()
    return path


def main() -> int:
    if not Path(CHROMIUM).exists():
        print(f"{CHROMIUM} is not here: deploy/install_test_parts.sh installs it.", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    for _ in range(ATTEMPTS):
        try:
            written = on_a_stack_of_its_own()
        except (ChildFailed, NoPicture) as problem:
            print(problem, file=sys.stderr)
        else:
            for path in written:
                print(f"{path} ({path.stat().st_size // 1000} kB)")
            return 0
    return 1


def on_a_stack_of_its_own() -> list[Path]:
    with tempfile.TemporaryDirectory(prefix="tractable-") as scratch:
        folder, runtime = Path(scratch) / "data", Path(scratch) / "run"
        folder.mkdir()
        runtime.mkdir(mode=0o700)
        stack = LocalStack(folder, runtime, "nominal", ACTOR)
        with stack.running():
            return asyncio.run(take_pictures(stack))


if __name__ == "__main__":
    sys.exit(main())
