/* Keeps a WebSocket to the dashboard open, and asks for what was missed when it had to be opened again. */

import { ServerClock } from "./server-clock.js";

const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 3000;
const ASK_CLOCK_MS = 1000;
const SILENT_MS = 4000; // a state comes every second: a socket this silent is dead, whatever it says

export class LiveSocket extends EventTarget {
  clock = new ServerClock();
  /** Set by the page: {since, run} of the newest batch it has, or null. */
  resumeFrom = () => null;
  #socket = null;
  #backoffMs = BACKOFF_MS_MIN;
  #openedMs = 0;
  #heardMs = 0;

  open() {
    const resume = this.resumeFrom();
    const query = resume ? `?${new URLSearchParams(resume)}` : "";
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.#openedMs = this.#heardMs = performance.now();
    this.#socket = new WebSocket(`${scheme}://${location.host}/ws/table${query}`);
    this.#socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    this.#socket.onclose = () => this.#again();
  }

  /** Called every second by the page. */
  keep() {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ echo: Math.floor(performance.now()) }));
    }
    if (this.#socket && performance.now() - this.#heardMs > SILENT_MS) {
      this.#socket.onclose = this.#socket.onmessage = null;
      this.#socket.close();
      this.#again();
    }
  }

  #take(message) {
    this.#heardMs = performance.now();
    if (message.kind === "hello") {
      this.clock.forget();
      this.clock.heard(this.#openedMs, message.sent_ms);
      this.#backoffMs = BACKOFF_MS_MIN;
      this.keep();
    } else if (message.kind === "clock") {
      this.clock.heard(message.echo, message.sent_ms);
    }
    this.dispatchEvent(new CustomEvent(message.kind, { detail: message }));
  }

  #again() {
    this.#socket = null;
    this.dispatchEvent(new CustomEvent("closed"));
    setTimeout(() => this.open(), this.#backoffMs);
    this.#backoffMs = Math.min(2 * this.#backoffMs, BACKOFF_MS_MAX);
  }
}

export { ASK_CLOCK_MS };
