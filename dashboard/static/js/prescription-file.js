/* A prescription that was written elsewhere: chosen as a file, and shown in place of the form's own fields. */

import { ask } from "./ask.js";
import { text } from "./elements.js";

const BYTES_MAX = 60_000; // what the dashboard takes in one request, less its wrapping

class PrescriptionFile extends HTMLElement {
  #document = null;

  connectedCallback() {
    this.#input.addEventListener("change", () => this.#choose(this.#input.files[0]));
    this.querySelector("button").addEventListener("click", () => this.#put(null, ""));
  }

  /** The tables of the chosen file; null where the prescription is written in the form. */
  get document() {
    return this.#document;
  }

  /** What the file comes to, once the preview has told. */
  showPreview(preview) {
    const told = preview?.course ?? [];
    this.querySelector("ol").replaceChildren(...told.map((sentence) => text("li", sentence)));
    this.querySelector(".whose").textContent = told.length ? `For ${preview.pseudonym}, prescribed by ${preview.by}.` : "";
  }

  get #input() {
    return this.querySelector("input");
  }

  async #choose(file) {
    if (!file) return;
    if (file.size > BYTES_MAX) return this.#put(null, `${file.name} is too long for a prescription.`);
    const answer = await ask("/api/prescription-file", { name: file.name, text: await file.text() });
    if (answer.outcome === "done") this.#put(answer.body.prescription, file.name);
    else this.#put(null, answer.sentence);
  }

  /** Takes the file's tables; or, without any, goes back to the form and says why. */
  #put(tables, told) {
    this.#document = tables;
    this.#input.value = ""; // the same file can be chosen again once it was corrected
    this.querySelector(".chosen").hidden = tables === null;
    for (const one of this.querySelectorAll(".choose, .hint")) one.hidden = tables !== null;
    this.querySelector(".name").textContent = tables === null ? "" : told;
    const outcome = this.querySelector(".outcome");
    outcome.textContent = tables === null ? told : "";
    outcome.dataset.outcome = "refused";
    this.dispatchEvent(new Event("chosen", { bubbles: true }));
  }
}

customElements.define("prescription-file", PrescriptionFile);
