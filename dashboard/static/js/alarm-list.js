/* Every alarm that holds, the first cause on top. Each stays one element while it holds, so that it is announced once. */

import { ask, pressId } from "./ask.js";
import { setText } from "./force-reading.js";
import { timeOfDay } from "./units.js";

const RANK = { HIGH: 0, MEDIUM: 1, LOW: 2 };
const SVG = "http://www.w3.org/2000/svg";
const SHAPES = { HIGH: "M11 2 21 20H1Z", MEDIUM: "M2 2H20V20H2Z", LOW: "M11 1a10 10 0 1 1 0 20a10 10 0 1 1 0-20Z" };

class AlarmList extends HTMLElement {
  #shown = new Map(); // id -> element

  /** The catalogue's alarm for a display without data, which only this page can raise. */
  get noLiveData() {
    const { id, priority, shown, whatToDo } = this.dataset;
    return { id, priority, shown, what_to_do: whatToDo, detail: "", since: null, latched: false, acknowledged: false, root: false };
  }

  show(alarms) {
    const ordered = [...alarms].sort(
      (a, b) => b.root - a.root || RANK[a.priority] - RANK[b.priority] || String(a.since).localeCompare(String(b.since)),
    );
    const ids = new Set(ordered.map((alarm) => alarm.id));
    for (const [id, element] of this.#shown) {
      if (!ids.has(id)) {
        element.remove();
        this.#shown.delete(id);
      }
    }
    ordered.forEach((alarm, place) => this.#place(alarm, place));
    this.querySelector(".none").hidden = ordered.length > 0;
    setText(document.getElementById("alarms-title"), ordered.length > 1 ? `Alarms: ${ordered.length}` : "Alarms");
  }

  #place(alarm, place) {
    let element = this.#shown.get(alarm.id);
    if (!element) {
      element = build(alarm);
      this.#shown.set(alarm.id, element);
    }
    setText(element.querySelector(".priority"), label(alarm));
    setText(element.querySelector(".detail"), alarm.detail);
    element.classList.toggle("acknowledged", alarm.acknowledged);
    element.querySelector("button").hidden = !alarm.latched || alarm.acknowledged;
    const there = this.querySelectorAll(".alarm")[place];
    if (there !== element) this.insertBefore(element, there ?? null);
  }
}

function label(alarm) {
  const parts = [alarm.priority, alarm.id];
  if (alarm.root) parts.push("first cause");
  if (alarm.since) parts.push(timeOfDay(alarm.since));
  if (alarm.acknowledged) parts.push("acknowledged");
  return parts.join(" · ");
}

function build(alarm) {
  const element = document.createElement("div");
  element.className = "alarm";
  element.dataset.priority = alarm.priority;
  element.dataset.alarm = alarm.id;
  element.setAttribute("role", alarm.priority === "HIGH" ? "alert" : "status");
  const text = document.createElement("div");
  text.append(made("span", "priority", ""), made("b", "", alarm.shown), made("p", "what", alarm.what_to_do), made("p", "detail", ""));
  const button = made("button", "", `Acknowledge ${alarm.id}`);
  button.type = "button";
  const outcome = made("p", "outcome", "");
  outcome.setAttribute("role", "status");
  text.append(outcome);
  button.addEventListener("click", () => acknowledge(alarm.id, button, outcome));
  element.append(icon(alarm.priority), text, button);
  return element;
}

async function acknowledge(id, button, outcome) {
  button.disabled = true;
  const answer = await ask("/api/acknowledge", { alarm: id, id: pressId() });
  button.disabled = false;
  outcome.dataset.outcome = answer.outcome;
  setText(outcome, answer.outcome === "done" ? "" : answer.sentence);
}

function made(name, className, text) {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

function icon(priority) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ width: 22, height: 22, viewBox: "0 0 22 22", "aria-hidden": "true", fill: "none", stroke: "currentColor", "stroke-width": 2 })) svg.setAttribute(name, value);
  for (const d of [SHAPES[priority], "M11 8v5M11 15.5v1.5"]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

customElements.define("alarm-list", AlarmList);
