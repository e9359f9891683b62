/* What the session that ended last has delivered: shown from its end until the next one begins. */

import { figureRows, text } from "./elements.js";

const OVER = ["ended", "tripped"];

class DeliveredCard extends HTMLElement {
  #sessionId = null;
  #shownIn = "";

  /** The state; null when none is known. It is asked for anew when the phase changes: the record is closed at the end. */
  show(state) {
    if (state === null) return;
    this.#sessionId = state.session_id ?? this.#sessionId;
    if (this.#sessionId === null) return;
    if (state.session_id !== null && !OVER.includes(state.phase)) return this.#hide();
    const shownIn = `${this.#sessionId} ${state.phase} ${state.end_unacknowledged}`;
    if (shownIn === this.#shownIn) return;
    this.#shownIn = shownIn;
    this.#ask(this.#sessionId);
  }

  #hide() {
    this.#shownIn = "";
    this.hidden = true;
  }

  async #ask(id) {
    const answer = await fetch(`/api/sessions/${encodeURIComponent(id)}/delivered`).catch(() => null);
    const body = await answer?.json().catch(() => null);
    if (this.#shownIn === "" || id !== this.#sessionId) return; // the next session has begun
    if (answer?.status === 404) return; // no records here
    this.querySelector(".record").href = `/records/${encodeURIComponent(id)}`;
    this.querySelector(".report").href = `/api/sessions/${encodeURIComponent(id)}/report.pdf`;
    const outcome = this.querySelector(".outcome");
    outcome.textContent = answer?.ok ? "" : body?.detail ?? "The dashboard does not answer. The record is kept all the same.";
    if (answer?.ok) this.#fill(body);
    this.hidden = false;
  }

  #fill({ remarks, figures }) {
    this.querySelector(".remarks").replaceChildren(...remarks.map((remark) => text("p", remark)));
    this.querySelector("dl").replaceChildren(...figureRows(figures));
  }
}

customElements.define("delivered-card", DeliveredCard);
