/* Where in the session the table is: seven steps, and the phase by name. */

import { setText } from "./force-reading.js";

const NAMES = {
  idle: "Ready", checking_zero: "Zero check", awaiting_switch_test: "Patient switch", taking_up_slack: "Slack",
  ramping: "Ramp", holding: "Hold", resting: "Rest", paused: "Paused", releasing: "Ramp down", ended: "Slack, done",
  tripped: "Stopped by safety",
};
const STEP = {
  checking_zero: 0, awaiting_switch_test: 1, taking_up_slack: 2, ramping: 3, holding: 4, resting: 4, paused: 4,
  releasing: 5, ended: 6,
};

class PhaseStrip extends HTMLElement {
  /** A phase by its name in the state; null when it is not known. */
  show(phase) {
    setText(document.getElementById("phase-now"), phase === null ? "Unknown" : NAMES[phase] ?? phase);
    const now = STEP[phase] ?? -1;
    this.querySelectorAll("li").forEach((item, i) => {
      const step = i < now || phase === "ended" ? "done" : i === now ? "now" : "later";
      if (item.dataset.step === step) return;
      item.dataset.step = step;
      item.querySelector("span").textContent = step === "done" ? "Done: " : "";
      if (step === "now") item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
  }
}

customElements.define("phase-strip", PhaseStrip);
