/* The prescription that runs. */

import { bodyWeightShare, minutes, newtons, twoUnits } from "./units.js";

class PrescriptionCard extends HTMLElement {
  #shown = "";

  show(prescription) {
    const text = JSON.stringify(prescription);
    if (text === this.#shown) return;
    this.#shown = text;
    this.replaceChildren(prescription ? list(prescription) : note());
  }
}

function list(p) {
  const rows = [
    ["Patient", p.pseudonym],
    ["Mode", p.mode[0].toUpperCase() + p.mode.slice(1)],
    ["Force", twoUnits(p.force_mn)],
    ["Of body weight", `${bodyWeightShare(p.force_mn, p.body_mass_g)} % of ${p.body_mass_g / 1000} kg`],
    ["Time at force", minutes(p.time_at_force_s)],
    ["Ramp", `${newtons(p.ramp_mn_s, p.ramp_mn_s % 1000 ? 1 : 0)} N/s`],
  ];
  if (p.mode !== "static" && p.course.length) rows.push(["Course", p.course.join("; ")]);
  const element = document.createElement("dl");
  for (const [name, value] of rows) {
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = value;
    element.append(term, detail);
  }
  return element;
}

function note() {
  const element = document.createElement("p");
  element.className = "quiet";
  element.textContent = "None is running.";
  return element;
}

customElements.define("prescription-card", PrescriptionCard);
