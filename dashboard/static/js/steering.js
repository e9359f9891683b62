/* Steers a session: lower at once, raise in confirmed steps, pause and go on, pain, take over, and the end. */

import { ask, pressId } from "./ask.js";
import { setText } from "./force-reading.js";

const STEP_MN = 20_000; // no step up is larger
const LEAST_MN = 20_000; // the least that can be held
const PULLING = ["ramping", "holding", "resting", "paused"];
const WHEN = {
  checking_zero: "before", awaiting_switch_test: "before", taking_up_slack: "during", ramping: "during", holding: "during",
  resting: "during", paused: "during", releasing: "after", ended: "after", tripped: "after",
};
const newtons = (mn) => `${Math.round(mn / 100) / 10} N`;

class SteeringPanel extends HTMLElement {
  #state = null;
  #raiseTo = null; // what a second press confirms

  connectedCallback() {
    this.querySelectorAll("button[data-do]").forEach((button) => {
      button.addEventListener("click", () => this.#press(button.dataset.do));
    });
    this.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#tellPain(event.target);
    });
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#confirming(null); // and stops, as everywhere
    });
  }

  /** The state of the table; null when it is not known. */
  show(state) {
    this.#state = state;
    const pulling = PULLING.includes(state?.phase);
    const when = state?.session_id || state?.end_unacknowledged ? WHEN[state?.phase] : undefined;
    this.hidden = !pulling && !when && !state?.end_unacknowledged;
    if (this.hidden) return;
    const setpoint = state.setpoint_mn ?? 0;
    const known = state.setpoint_mn !== null && !state.blinded; // a blinded session shows no newtons
    this.#button("lower", pulling && known, setpoint > LEAST_MN, `Lower to ${newtons(this.#lowerTo)}`);
    const mayRaise = state.phase === "holding" && setpoint < (state.agreed_mn ?? 0);
    this.#button("raise", pulling && known, mayRaise, mayRaise ? `Raise to ${newtons(this.#nextRaise)}` : "Raise");
    this.#button("pause", pulling && state.phase !== "paused", true, "Pause at 30 N");
    const left = state.pause_left_s === null || state.pause_left_s === undefined ? "" : `, ${state.pause_left_s} s left`;
    this.#button("go-on", state.phase === "paused", true, `Go on${left}`);
    this.#button("acknowledge-end", Boolean(state.end_unacknowledged), true, "Acknowledge the end");
    if (state.phase !== "holding") this.#confirming(null);
    this.querySelector("form").hidden = !when;
    setText(this.querySelector(".when"), when ?? "");
    setText(this.querySelector(".holder"), pulling && state.holder ? `Held by ${state.holder}` : "");
    this.#button("take-over", pulling && state.holder !== this.dataset.operator, true, "Take over");
    const pulls = state.pulls > 1 && state.pull_number ? `Pull ${state.pull_number} of ${state.pulls}. ` : "";
    setText(this.querySelector(".noticed"), pulling ? `${pulls}${state.movement ?? ""}` : "");
  }

  get #lowerTo() {
    return Math.max(LEAST_MN, (this.#state?.setpoint_mn ?? 0) - STEP_MN);
  }

  get #nextRaise() {
    return Math.min(this.#state?.agreed_mn ?? 0, (this.#state?.setpoint_mn ?? 0) + STEP_MN);
  }

  #button(name, shown, enabled, text) {
    const button = this.querySelector(`button[data-do="${name}"]`);
    button.hidden = !shown;
    button.disabled = !enabled;
    setText(button, text);
  }

  #press(what) {
    if (what === "lower") this.#ask("/api/lower", { to_mn: this.#lowerTo });
    else if (what === "raise") this.#confirming(this.#nextRaise);
    else if (what === "cancel") this.#confirming(null, true);
    else if (what === "confirm") {
      const to = this.#raiseTo;
      this.#confirming(null, true);
      this.#ask("/api/raise", { to_mn: to, confirmed_mn: to });
    } else this.#ask(`/api/${what}`, {});
  }

  /** Asks for the second press, or takes the question back. */
  #confirming(toMn, backToRaise = false) {
    const asking = toMn !== null;
    if (!asking && this.#raiseTo === null) return;
    this.#raiseTo = toMn;
    const row = this.querySelector(".confirming");
    row.hidden = !asking;
    if (asking) {
      setText(row.querySelector('[data-do="confirm"]'), `Confirm ${newtons(toMn)}`);
      row.querySelector('[data-do="confirm"]').focus();
    } else if (backToRaise) this.querySelector('[data-do="raise"]').focus();
  }

  #tellPain(form) {
    const score = form.elements.score.value;
    if (score === "") return this.#say("refused", "Choose how bad the pain is, 0 to 10.");
    const leg = form.elements.leg.checked;
    this.#ask("/api/pain", { score: Number(score), when: this.querySelector(".when").textContent, leg_symptoms: leg });
    form.reset();
  }

  async #ask(path, body) {
    this.#say("asked", "Asking ...");
    const answer = await ask(path, { id: pressId(), ...body });
    const before = { done: "Done", unknown: "UNKNOWN", unreachable: "NOT SENT", refused: "Not done" }[answer.outcome] ?? "Not done";
    const told = answer.outcome === "done" ? answer.body?.data?.suggestion ?? "" : answer.sentence;
    this.#say(answer.outcome, `${before}, ${new Date().toLocaleTimeString("en-GB")}. ${told}`);
  }

  #say(outcome, text) {
    const line = this.querySelector(".outcome");
    line.dataset.outcome = outcome;
    setText(line, text);
    line.scrollIntoView({ block: "nearest" }); // on a low screen the panel scrolls
  }
}

customElements.define("steering-panel", SteeringPanel);
