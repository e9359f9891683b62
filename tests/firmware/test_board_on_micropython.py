"""The board's code and the loop under MicroPython itself, in Node; what a Pico adds to it is stood in for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import firmware
from firmware import messages as m

MICROPYTHON = Path(sys.prefix) / "micropython" / "micropython.mjs"
STAND_INS = Path(__file__).with_name("stand_ins")
SCRIPT = """
const [micropython, ...folders] = process.argv.slice(1);
const fs = await import("node:fs");
const { loadMicroPython } = await import(micropython);
const device = await loadMicroPython({ stdout: (line) => console.log(line), linebuffer: true });
for (const [from, into] of [[folders[0], "/firmware"], [folders[1], "/stand_ins"]]) {
  device.FS.mkdir(into);
  for (const name of fs.readdirSync(from).filter((name) => name.endsWith(".py")))
    device.FS.writeFile(`${into}/${name}`, fs.readFileSync(`${from}/${name}`));
}
device.runPython("import sys; sys.path[:0] = ['/stand_ins', '/']; import course");
"""


@pytest.mark.needs("node")
@pytest.mark.needs("micropython")
def test_the_board_starts_converts_and_keeps_a_calibration() -> None:
    folders = [Path(firmware.__file__).parent, STAND_INS]
    command = ["node", "--input-type=module", "-e", SCRIPT, MICROPYTHON.as_uri(), *map(str, folders)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    conversions, status, calibration = json.loads(done.stdout)
    assert 8 <= conversions <= 81  # a second of a computer that may be busy
    # The jumper is closed for the calibration: whether a conversion saw it is a matter of milliseconds.
    assert status & ~m.SERVICE_JUMPER == m.SWITCH_CONNECTED | m.MAINS_GOOD | m.SLACK | m.BRAKE_ON
    assert calibration == [-5, 130_000, 4_000_000_000]
