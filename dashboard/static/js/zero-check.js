/* Looks at the zero between sessions: how far each channel is from its calibration. Nothing is shifted by it. */

import { ask, pressId } from "./ask.js";
import { setText } from "./force-reading.js";
import { newtons, UNKNOWN } from "./units.js";

const BEGINS = { unknown: "UNKNOWN. ", unreachable: "NOT SENT. " }; // an answer of the controller says itself what came

class ZeroCheck extends HTMLElement {
  connectedCallback() {
    this.button.addEventListener("click", () => this.#look());
  }

  get button() {
    return this.querySelector("button");
  }

  /** What was found belongs to the time before a session. */
  forget() {
    this.querySelector("dl").hidden = true;
    setText(this.querySelector(".outcome"), "");
  }

  async #look() {
    this.forget();
    this.button.setAttribute("aria-busy", "true"); // not disabled: it keeps the focus
    const answer = await ask("/api/zero", { id: pressId() });
    this.button.removeAttribute("aria-busy");
    this.#showOffsets(answer.body?.data ?? answer.body ?? {});
    const line = this.querySelector(".outcome");
    line.dataset.outcome = answer.outcome;
    setText(line, `${BEGINS[answer.outcome] ?? ""}${answer.sentence} (${new Date().toLocaleTimeString("en-GB")})`);
  }

  /** `data` as the controller measured it; nothing is shown of what it did not. */
  #showOffsets(data) {
    this.querySelector("dl").hidden = !("zero_a_mn" in data);
    for (const place of this.querySelectorAll("[data-channel]")) setText(place, offset(data[`zero_${place.dataset.channel}_mn`]));
  }
}

function offset(mn) {
  const text = newtons(mn, 2);
  return text === UNKNOWN ? text : `${mn > 0 ? "+" : ""}${text} N`;
}

customElements.define("zero-check", ZeroCheck);
