// Runs the firmware under MicroPython in Node. Prints one line of JSON.
//
//     node on_micropython.mjs PACKAGE SOURCES replay BATCH...     plays batches of traces, and compares
//     node on_micropython.mjs PACKAGE SOURCES memory BATCH AFTER CONVERSIONS
//                                                              measures what the heap does over a recorded session
//
// PACKAGE is the folder of MicroPython itself; SOURCES that of the packages `firmware` and `hw_sim`.

import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const INPUTS_A_CALL = 1000; // its garbage is collected between two calls from here, never within one

const [packageFolder, sources, task, ...given] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(path.resolve(packageFolder, "micropython.mjs")));
const micropython = await loadMicroPython({ stdout: (line) => console.error(line), linebuffer: true });

function mount(folder, into) {
  micropython.FS.mkdir(into);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const from = path.join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "__pycache__") mount(from, `${into}/${entry.name}`);
    else if (entry.name.endsWith(".py")) micropython.FS.writeFile(`${into}/${entry.name}`, fs.readFileSync(from));
  }
}

function takeBatch(file) {
  micropython.FS.writeFile("/batch", fs.readFileSync(file));
}

function python(source) {
  micropython.runPython(source);
  return micropython.globals.get("result");
}

function replay() {
  const result = { traces: 0, inputs: 0, frames: 0, drive_commands: 0, other_outputs: 0, differences: [] };
  python("from hw_sim.replay import Player");
  for (const batch of given) {
    takeBatch(batch);
    python("player = Player(open('/batch', 'rb').read())");
    const play = micropython.globals.get("player").play;
    while (play(INPUTS_A_CALL));
    const played = JSON.parse(
      python(`import json
result = json.dumps({name: getattr(player, name) for name in ${JSON.stringify(Object.keys(result))}})`),
    );
    for (const [name, value] of Object.entries(played)) {
      result[name] = Array.isArray(value) ? result[name].concat(value) : result[name] + value;
    }
  }
  return result;
}

function memory() {
  const [batch, after, conversions] = given;
  takeBatch(batch);
  python(`from benchmarks.device_memory import Course
course = Course('/batch', ${Number(after)})`);
  const course = micropython.globals.get("course");
  while (course.run_to_hold());
  const nextConversion = course.next_conversion;
  for (let conversion = 0; conversion < Number(conversions); conversion++) nextConversion();
  return JSON.parse(python("result = course.as_json()"));
}

mount(path.join(sources, "firmware"), "/firmware");
micropython.FS.mkdir("/hw_sim");
micropython.FS.mkdir("/benchmarks");
for (const file of ["hw_sim/replay.py", "benchmarks/device_memory.py"]) {
  micropython.FS.writeFile(`/${file}`, fs.readFileSync(new URL(`../${file}`, import.meta.url)));
}
const version = python("import sys\nsys.path.append('/')\nresult = sys.version.split('; ')[-1]");
console.log(JSON.stringify({ version, ...(task === "memory" ? memory() : replay()) }));
