/* STOP: the button, or the key Escape anywhere on the page. It may be pressed again at any time. */

import { ask, pressId } from "./ask.js";

class StopButton extends HTMLElement {
  connectedCallback() {
    this.querySelector("button").addEventListener("click", () => this.#stop());
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.repeat && !event.isComposing) this.#stop();
    });
  }

  async #stop() {
    this.#say("asked", "Asking the table to stop ...");
    const answer = await ask("/api/stop", { id: pressId() });
    const sentence = { done: "Stop done", unknown: "UNKNOWN", unreachable: "NOT SENT", refused: "NOT DONE" }[answer.outcome];
    this.#say(answer.outcome, `${sentence}, ${new Date().toLocaleTimeString("en-GB")}. ${answer.sentence}`);
  }

  #say(outcome, text) {
    const line = this.querySelector(".outcome");
    line.dataset.outcome = outcome;
    line.textContent = text;
  }
}

customElements.define("stop-button", StopButton);
