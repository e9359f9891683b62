/* The numbers on top. A value greys 1 s after its sample was taken and is gone after 2 s, whatever the network does. */

import { ageMs } from "./server-clock.js";
import { UNKNOWN, clockOf, newtons } from "./units.js";

const GREY_MS = 1000;
const GONE_MS = 2000;
const byId = (id) => document.getElementById(id);

class ForceReading extends HTMLElement {
  #newest = null; // {forceMn, takenMs, wallMs}

  /** The newest sample: its force (null when it could not be read), and when it was taken by this page's clock. */
  show(forceMn, takenMs) {
    if (this.#newest && takenMs < this.#newest.takenMs - GREY_MS) return; // of the past, sent late
    this.#newest = { forceMn, takenMs, wallMs: Date.now() };
    this.tick();
  }

  forget() {
    this.#newest = null;
    this.tick();
  }

  get ageMs() {
    return this.#newest ? ageMs(this.#newest.takenMs, this.#newest.wallMs) : Infinity;
  }

  /** "live", "stale" or "none". */
  get age() {
    if (this.ageMs >= GONE_MS) return "none";
    return this.ageMs >= GREY_MS ? "stale" : "live";
  }

  tick() {
    const age = this.age;
    const seconds = (this.ageMs / 1000).toFixed(1);
    const value = byId("force-value");
    value.dataset.age = age;
    setText(value, age === "none" ? UNKNOWN : newtons(this.#newest.forceMn, 1));
    setText(byId("force-age"), age === "stale" ? `${seconds} s old` : "");
    byId("live-chip").dataset.live = age;
    setText(byId("live-text"), { live: `Live, ${seconds} s old`, stale: `Late, ${seconds} s old`, none: "No live data" }[age]);
  }

  showState(state) {
    const unit = state?.blinded ? "%" : "N"; // in a blinded session forces come as shares of the prescribed peak
    setText(byId("force-unit"), ` ${unit}`);
    setText(byId("target-value"), state?.target_mn == null ? UNKNOWN : `${newtons(state.target_mn)} ${unit}`);
    setText(byId("within-value"), state?.within_5_percent == null ? UNKNOWN : `${(100 * state.within_5_percent).toFixed(1)} %`);
    setText(byId("at-force-value"), clockOf(state?.at_force_s));
    setText(byId("left-value"), clockOf(state?.remaining_s));
  }
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

customElements.define("force-reading", ForceReading);
