/* Writes a prescription, shows what would come of it while it is written, and starts it. */

import { ask, pressId } from "./ask.js";
import { setText } from "./force-reading.js";
import "./earlier-sessions.js";
import "./prescription-file.js";
import "./preset-choice.js";
import "./profile-preview.js";
import "./pull-list.js";
import { minutes, threeUnits, UNKNOWN } from "./units.js";
import { showFieldsOfMode } from "./written-prescription.js";
import "./zero-check.js";

const PREVIEW_AFTER_MS = 250;
const STARTABLE = ["idle", "ended"];
const PSEUDONYM = /^[A-Za-z0-9][\w.-]*$/; // what a patient may be called
const ALWAYS_TOLD = ["", "pulls"]; // what is said of no single field
const byId = (id) => document.getElementById(id);
const numberOf = (text) => Number(text.replace(",", "."));

class StartForm extends HTMLElement {
  #timer = 0;
  #preview = null;
  #asked = 0;
  #busy = false;
  #phase = null;
  #touched = new Set();

  connectedCallback() {
    this.form.addEventListener("input", (event) => this.#changed(event.target));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start();
    });
    this.#file.addEventListener("chosen", () => {
      this.querySelector(".fields").hidden = this.#file.document !== null;
      this.#changed(this.form.elements["confirm"]);
    });
    this.querySelector("earlier-sessions").addEventListener("again", (event) => this.#pulls.put(event.detail));
    showFieldsOfMode(this.form); // a browser may keep the mode over a reload
    this.#refresh();
  }

  get form() {
    return byId("start-form");
  }

  get #file() {
    return this.querySelector("prescription-file");
  }

  get #pulls() {
    return this.querySelector("pull-list");
  }

  get #document() {
    return this.#file.document ?? this.#pulls.document;
  }


  /** Shown while nothing runs, hidden in a session. While the table is not heard it stays as it is, and cannot start. */
  showPhase(phase) {
    if (phase !== this.#phase) this.#showEarlier(); // a session that has ended is an earlier one
    this.#phase = phase;
    if (phase !== null) this.hidden = !STARTABLE.includes(phase);
    this.#refresh();
  }

  #changed(field) {
    if (field.name && field.name !== "tick") this.#touched.add(field.name.replace(/\.unit$/, ""));
    if (field.name === "patient.pseudonym") this.#showEarlier();
    showFieldsOfMode(this.form);
    clearTimeout(this.#timer);
    this.#preview = null; // of what was written before
    this.#timer = setTimeout(() => this.#showPreview(), PREVIEW_AFTER_MS);
    this.#refresh();
  }

  #showEarlier() {
    const patient = this.#value("patient.pseudonym");
    this.querySelector("earlier-sessions").show(PSEUDONYM.test(patient) ? patient : "");
  }

  async #showPreview() {
    const asked = ++this.#asked;
    const answer = await ask("/api/preview", { prescription: this.#document });
    if (asked !== this.#asked) return;
    this.#preview = answer.outcome === "done" ? answer.body : null;
    const refusals = this.#preview ? this.#preview.refusals : [{ field: "", sentence: answer.sentence }];
    this.#showRefusals(this.#file.document ? inOnePlace(refusals) : this.#pulls.placed(refusals).filter((one) => ALWAYS_TOLD.includes(one.field) || this.#touched.has(one.field)));
    this.#file.showPreview(this.#preview);
    const force = this.#preview?.force;
    byId("force-shown").textContent = force ? threeUnits(force) : UNKNOWN;
    byId("share-shown").textContent = force ? `${force.of_body_weight_percent.toFixed(1)} %` : UNKNOWN;
    byId("ceiling-shown").textContent = this.#preview?.ceiling_text || UNKNOWN;
    byId("total-shown").textContent = this.#preview?.total_s ? `${minutes(this.#preview.total_s)}, then letting go` : UNKNOWN;
    this.querySelector("profile-preview").show(this.#preview?.profile ?? null);
    byId("confirm").hidden = !this.#preview?.needs_second_confirmation;
    byId("confirm-unit").textContent = this.#preview?.force_written?.unit ?? "";
    this.#refresh();
  }

  #showRefusals(refusals) {
    for (const place of this.querySelectorAll("[data-refusal]")) {
      const sentences = refusals.filter((one) => one.field === place.dataset.refusal).map((one) => one.sentence);
      place.textContent = sentences.join(" ");
      const input = this.form.elements[place.dataset.refusal];
      if (sentences.length) input?.setAttribute("aria-invalid", "true");
      else input?.removeAttribute("aria-invalid");
    }
  }

  #value(name) {
    return this.form.elements[name].value.trim();
  }

  get #ticks() {
    return [...this.form.querySelectorAll('input[name="tick"]:checked')].map((box) => box.value);
  }

  /** Why the button cannot be pressed yet; empty when it can. */
  #missing() {
    if (this.#phase === null) return "The table is not heard: nothing can be started.";
    if (!this.#preview) return "Fill in the prescription.";
    if (!this.#preview.may_start) return "Correct the prescription.";
    if (this.form.querySelector('input[name="tick"]:not(:checked)')) return "Tick what was checked.";
    if (this.#preview.needs_second_confirmation && this.#value("confirm") === "") return "Type the force again.";
    return "";
  }

  #refresh() {
    const missing = this.#missing();
    const button = byId("start-button");
    button.disabled = this.#busy || missing !== "";
    setText(button, this.#busy ? "Starting ..." : missing ? `Start session - ${missing}` : "Start session");
  }

  async #start() {
    if (this.#busy || this.#missing() !== "") return;
    const confirmed = this.#preview.needs_second_confirmation ? this.#value("confirm") : null;
    const contradictions = this.#contradictions(confirmed);
    this.#showRefusals(contradictions);
    if (contradictions.length) return;
    this.#busy = true;
    this.#refresh();
    const answer = await ask("/api/start", {
      id: pressId(),
      prescription: this.#document,
      ticks: this.#ticks,
      patient: this.#value("patient_read") || null,
      confirmed_force: confirmed === null ? null : `${confirmed} ${this.#preview.force_written.unit}`,
    });
    this.#busy = false;
    this.#say(answer);
    if (answer.outcome === "done") this.#clearAnswers();
    this.#refresh();
  }

  /** What was given a second time, and cannot be sent as it is. Whose pseudonym it is, the controller judges. */
  #contradictions(confirmed) {
    const found = [];
    if (confirmed !== null && numberOf(confirmed) !== this.#preview.force_written.number) {
      found.push({ field: "confirm", sentence: "This is not the force above. Check both." });
    }
    if (this.#value("patient_read") !== "" && !PSEUDONYM.test(this.#value("patient_read"))) {
      found.push({ field: "patient_read", sentence: "A pseudonym has letters, digits, dots, dashes and underscores only." });
    }
    return found;
  }

  #say(answer) {
    const line = byId("start-outcome");
    const begins = { done: "Started.", unknown: "UNKNOWN.", unreachable: "NOT SENT.", refused: "Refused." }[answer.outcome];
    line.dataset.outcome = answer.outcome;
    line.textContent = `${begins} ${answer.sentence}`;
  }

  /** Ticks, the pseudonym as read and the confirmation are given anew before every start. */
  #clearAnswers() {
    for (const box of this.form.querySelectorAll('input[name="tick"]')) box.checked = false;
    this.form.elements["confirm"].value = this.form.elements["patient_read"].value = "";
    this.querySelector("zero-check").forget();
  }
}

/** A file's refusals stand together: its fields are not on the page. */
function inOnePlace(refusals) {
  const sentences = refusals.map(({ field, sentence }) => (field ? `${field}: ${sentence}` : sentence));
  return [{ field: "", sentence: sentences.join(" ") }].filter((one) => one.sentence);
}

customElements.define("start-form", StartForm);
