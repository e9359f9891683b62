/* What studies have given, to begin with: fills in the pull, and names the source. */

import { writeFields } from "./written-prescription.js";

class PresetChoice extends HTMLElement {
  connectedCallback() {
    this.querySelector("select").addEventListener("change", (event) => this.#choose(event.target.selectedOptions[0].dataset));
  }

  #choose({ pull, given, source }) {
    this.querySelector("[role='status']").textContent = pull ? `Given there: ${given}. Filled in is the low end of it. Source: ${source}.` : "";
    if (!pull) return;
    const form = this.closest("form");
    writeFields(form, "pull", JSON.parse(pull));
    form.elements["pull.mode"].dispatchEvent(new Event("input", { bubbles: true }));
  }
}

customElements.define("preset-choice", PresetChoice);
