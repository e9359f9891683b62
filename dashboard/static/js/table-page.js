/* The page of one table: what comes over the socket goes to the elements that show it. */

import "./alarm-list.js";
import "./alarm-sound.js";
import "./delivered-card.js";
import "./event-list.js";
import "./force-chart.js";
import { setText } from "./force-reading.js";
import { ASK_CLOCK_MS, LiveSocket } from "./live-socket.js";
import "./phase-strip.js";
import "./prescription-card.js";
import { Samples } from "./samples.js";
import "./start-form.js";
import "./steering.js";
import "./stop-button.js";

const TICK_MS = 100;
const BLIND_AFTER_MS = 1000; // a page that was opened and has heard nothing yet says so
const byId = (id) => document.getElementById(id);
const one = (name) => document.querySelector(name);

const socket = new LiveSocket();
const samples = new Samples();
let state = null;
let stateUntilMs = 0; // of the server's clock
let presence = null;
let link = { broker_connected: false, alarms: [] };
const openedMs = performance.now();

function present() {
  return state !== null && performance.now() < socket.clock.here(stateUntilMs) ? state : null;
}

function alarms() {
  const held = [...(present()?.alarms ?? []), ...link.alarms];
  const known = new Set(held.map((alarm) => alarm.id));
  const blind = one("force-reading").age === "none" && performance.now() - openedMs >= BLIND_AFTER_MS;
  if (blind && !known.has("A35")) held.push(byId("alarms").noLiveData);
  return held.filter((alarm, i) => held.findIndex((other) => other.id === alarm.id) === i);
}

function showState() {
  const now = present();
  one("force-reading").showState(now);
  one("force-chart").unit = now?.blinded ? "%" : "N";
  one("phase-strip").show(now?.phase ?? null);
  one("delivered-card").show(now);
  one("start-form").showPhase(now?.phase ?? null);
  one("steering-panel").show(now);
  one("prescription-card").show(now?.prescription ?? null);
  setText(byId("instruction"), now?.instruction ?? "");
  const simulated = now?.table?.simulated ?? presence?.simulated ?? false;
  byId("simulated-banner").hidden = byId("simulated-chip").hidden = !simulated;
}

function draw() {
  const reading = one("force-reading");
  if (samples.newestS === null) return;
  const ageS = Number.isFinite(reading.ageMs) ? reading.ageMs / 1000 : 0;
  const ceiling = present()?.ceiling_mn ?? null;
  one("force-chart").draw(samples, samples.newestS + ageS, ceiling === null ? null : ceiling / 1000);
}

function takeBatch({ batch, taken_ms: takenMs, restarted }) {
  if (samples.run !== batch.run) samples.clear(batch.run);
  samples.add(batch, restarted);
  one("force-reading").show(batch.force_mn[batch.force_mn.length - 1], socket.clock.here(takenMs));
}

function beginRun(run) {
  state = null;
  samples.clear(run);
  byId("events").clear();
  one("force-reading").forget();
}

function tick() {
  one("force-reading").tick();
  showState();
  const held = alarms();
  byId("alarms").show(held);
  one("alarm-sound").tick(held, present()?.end_unacknowledged ?? false);
  if (!document.hidden) draw();
}

const handlers = {
  hello: ({ run, resumed }) => {
    if (!resumed) beginRun(run);
  },
  run: ({ run }) => beginRun(run),
  presence: (message) => (presence = message.presence),
  state: (message) => {
    state = message.state;
    stateUntilMs = message.until_ms;
    showState();
  },
  link: (message) => (link = message),
  events: ({ events }) => events.forEach((event) => byId("events").add(event)),
  event: ({ event }) => byId("events").add(event),
  missed: ({ batches }) => batches.forEach(takeBatch),
  force: takeBatch,
};
for (const [kind, handle] of Object.entries(handlers)) socket.addEventListener(kind, (event) => handle(event.detail));

socket.addEventListener("closed", async () => {
  const response = await fetch("/api/state").catch(() => null);
  if (response?.status === 401) setText(byId("live-text"), "Signed out: open the printed address");
});
socket.resumeFrom = () => (samples.lastSeq === null || samples.run === null ? null : { since: samples.lastSeq, run: samples.run });

socket.open();
setInterval(tick, TICK_MS);
setInterval(() => socket.keep(), ASK_CLOCK_MS);
for (const name of ["visibilitychange", "pageshow", "resume", "focus"]) addEventListener(name, tick);
document.addEventListener("visibilitychange", tick);
document.addEventListener("resume", tick);
