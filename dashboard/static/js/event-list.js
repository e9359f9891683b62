/* What happened, newest first. */

import { timeOfDay } from "./units.js";

const SHOWN_MAX = 100;

class EventList extends HTMLElement {
  #seen = new Set();

  clear() {
    this.#seen.clear();
    this.replaceChildren(note());
  }

  add(event) {
    const key = `${event.run} ${event.session_id} ${event.number}`;
    if (this.#seen.has(key)) return;
    if (this.#seen.size === 0) this.replaceChildren();
    this.#seen.add(key);
    this.prepend(row(event));
    while (this.children.length > SHOWN_MAX) this.lastElementChild.remove();
  }
}

function row(event) {
  const time = document.createElement("time");
  time.dateTime = event.time;
  time.textContent = timeOfDay(event.time);
  const element = document.createElement("div");
  element.append(time, event.text);
  return element;
}

function note() {
  const element = document.createElement("p");
  element.className = "quiet";
  element.textContent = "Nothing yet.";
  return element;
}

customElements.define("event-list", EventList);
