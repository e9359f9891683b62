/* What this patient had before, beside the prescription that is being written. */

import { figureRows, text } from "./elements.js";

const SHOWN = 5;
const ASK_AFTER_MS = 300;

class EarlierSessions extends HTMLElement {
  #patient = "";
  #timer = 0;

  /** Asks for this patient's sessions; of nobody's, where it is empty. Asked again, it looks again. */
  show(patient) {
    this.#patient = patient;
    clearTimeout(this.#timer);
    if (patient === "") this.hidden = true;
    else this.#timer = setTimeout(() => this.#ask(patient), ASK_AFTER_MS);
  }

  async #ask(patient) {
    const page = await answerOf(`/api/sessions?limit=${SHOWN}&patient=${encodeURIComponent(patient)}`);
    if (patient !== this.#patient) return; // another one was written since
    this.hidden = page === null; // no records here
    if (page === null) return;
    this.querySelector(".none").hidden = page.total > 0;
    this.querySelector(".all").hidden = page.total <= SHOWN;
    this.querySelector(".all").href = `/records?patient=${encodeURIComponent(patient)}`;
    this.querySelector(".all").textContent = `All ${page.total} sessions`;
    this.querySelector("ol").replaceChildren(...page.sessions.map((session) => this.#item(session)));
  }

  #item(session) {
    const item = document.createElement("li");
    const details = document.createElement("details");
    details.append(text("summary", `${dayOf(session.started_utc)}: ${prescribedIn(session)}`));
    details.addEventListener("toggle", () => this.#open(details, session), { once: true });
    item.append(details);
    return item;
  }

  async #open(details, session) {
    const place = `/api/sessions/${encodeURIComponent(session.id)}`;
    const delivered = await answerOf(`${place}/delivered`);
    if (delivered === null) return details.append(text("p", "This record cannot be read now."));
    const figures = document.createElement("dl");
    figures.append(...figureRows(delivered.figures));
    const record = text("a", "Record");
    record.href = `/records/${encodeURIComponent(session.id)}`;
    const actions = document.createElement("p");
    actions.append(record, " ");
    if (!session.blinded) actions.append(this.#again(place));
    details.append(...delivered.remarks.map((remark) => text("p", remark)), figures, actions);
  }

  #again(place) {
    const button = text("button", "Write the same pull");
    button.type = "button";
    button.className = "small";
    button.addEventListener("click", async () => {
      const written = await answerOf(`${place}/prescription`);
      if (written === null) button.replaceWith(text("span", "This prescription cannot be read."));
      else this.dispatchEvent(new CustomEvent("again", { bubbles: true, detail: written.prescription.pull }));
    });
    return button;
  }
}

/** What is at that address; null where it is not there or cannot be read. */
async function answerOf(address) {
  const answer = await fetch(address).catch(() => null);
  return answer?.ok ? answer.json().catch(() => null) : null;
}

const dayOf = (iso) => (iso ? new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" }) : "Date not on record");

function prescribedIn({ blinded, mode, force_n }) {
  if (blinded) return "blinded";
  return mode && force_n !== null ? `${mode}, ${force_n.toFixed(0)} N` : "not on record";
}

customElements.define("earlier-sessions", EarlierSessions);
