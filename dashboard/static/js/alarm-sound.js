/* Ten pulses for HIGH, three for MEDIUM (IEC 60601-1-8's patterns), again and again while the alarm holds; and a tone
   every 30 s after a session, until somebody acknowledges its end.
   Browsers make no sound before someone has pressed something: the button says so. */

import { setText } from "./force-reading.js";

const PAUSE_MS = 120_000;
const PATTERNS = {
  HIGH: { starts: [0, 0.25, 0.5, 0.95, 1.2, 2.2, 2.45, 2.7, 3.15, 3.4], seconds: 0.15, hertz: 880, everyMs: 7000 },
  MEDIUM: { starts: [0, 0.4, 0.8], seconds: 0.2, hertz: 660, everyMs: 12_000 },
  END: { starts: [0, 0.6], seconds: 0.5, hertz: 440, everyMs: 30_000 }, // no alarm: a session is over, and nobody has said so
};

class AlarmSound extends HTMLElement {
  #context = null;
  #pausedUntil = 0;
  #nextAt = 0;
  #sounding = null; // the priority that sounds
  #voices = [];

  connectedCallback() {
    this.button.addEventListener("click", () => this.#press());
    for (const name of ["pointerdown", "keydown"]) addEventListener(name, (event) => this.#wakeUnlessOwn(event));
  }

  get button() {
    return this.querySelector("button");
  }

  get #paused() {
    return performance.now() < this.#pausedUntil;
  }

  /** Any press anywhere lets the browser make sound. One on the button itself is its click's: it would find sound on, and pause it. */
  #wakeUnlessOwn(event) {
    if (!this.contains(event.target)) this.#wake();
  }

  #wake() {
    this.#context ??= new AudioContext();
    this.#context.resume();
  }

  #press() {
    const wasOn = this.#context?.state === "running";
    this.#wake();
    if (!wasOn) return;
    this.#pausedUntil = this.#paused ? 0 : performance.now() + PAUSE_MS;
    this.#nextAt = 0;
    if (this.#paused) this.#hush();
  }

  /** Called often, with all alarms that hold, and whether a session's end waits to be acknowledged. */
  tick(alarms, sessionIsOver = false) {
    const loud = alarms.filter((alarm) => !alarm.acknowledged).map((alarm) => alarm.priority);
    const priority = ["HIGH", "MEDIUM"].find((name) => loud.includes(name)) ?? (sessionIsOver ? "END" : null);
    this.#label();
    if (priority !== this.#sounding) {
      this.#hush();
      this.#sounding = priority;
      this.#nextAt = 0;
    }
    const now = performance.now();
    if (priority === null || this.#paused || this.#context?.state !== "running" || now < this.#nextAt) return;
    this.#nextAt = now + PATTERNS[priority].everyMs;
    this.#play(PATTERNS[priority]);
  }

  #label() {
    const left = Math.ceil((this.#pausedUntil - performance.now()) / 1000);
    if (this.#context?.state !== "running") setText(this.button, "Turn sound on");
    else setText(this.button, this.#paused ? `Sound paused, ${left} s. Sound on` : "Pause sound 120 s");
  }

  #play({ starts, seconds, hertz }) {
    const begin = this.#context.currentTime + 0.02;
    this.#voices = starts.map((start) => {
      const voice = new OscillatorNode(this.#context, { frequency: hertz, type: "triangle" });
      const gain = new GainNode(this.#context, { gain: 0 });
      const at = begin + start;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.5, at + 0.02);
      gain.gain.setValueAtTime(0.5, at + seconds - 0.02);
      gain.gain.linearRampToValueAtTime(0, at + seconds);
      voice.connect(gain).connect(this.#context.destination);
      voice.start(at);
      voice.stop(at + seconds);
      return voice;
    });
  }

  #hush() {
    for (const voice of this.#voices) voice.stop();
    this.#voices = [];
  }
}

customElements.define("alarm-sound", AlarmSound);
