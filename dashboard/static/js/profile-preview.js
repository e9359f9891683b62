/* The force profile before it is given: drawn, and step by step in words. */

import uPlot from "../vendor/uplot/dist/uPlot.esm.js";
import { clockOf } from "./units.js";

const FONT = "12px system-ui, sans-serif";
const VERBS = { ramp: "Go to", hold: "Hold", rest: "Rest at" };

class ProfilePreview extends HTMLElement {
  #plot = null;
  #profile = null;

  connectedCallback() {
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.#place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** `profile` is the preview's, or null where there is none to show. */
  show(profile) {
    const text = JSON.stringify(profile);
    if (text === JSON.stringify(this.#profile)) return;
    this.#profile = profile;
    this.hidden = !profile;
    this.#draw();
    this.#list();
  }

  /** What is drawn: [seconds, newtons]. */
  get rows() {
    return this.#profile ? [this.#profile.t_s, this.#profile.force_n] : [[], []];
  }

  get #place() {
    return this.querySelector("[role='img']");
  }

  #size() {
    return { width: Math.max(200, this.#place.clientWidth), height: this.#place.clientHeight };
  }

  #draw() {
    this.#plot?.destroy();
    this.#plot = null;
    if (!this.#profile) return;
    const css = getComputedStyle(document.documentElement);
    const colour = (name) => css.getPropertyValue(`--${name}`).trim();
    const axis = { stroke: colour("ink-2"), font: FONT, ticks: { show: false }, grid: { stroke: colour("grid"), width: 1 } };
    this.#plot = new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false }, y: { range: (_, __, max) => [0, Math.max(50, max * 1.1)] } },
        axes: [
          { ...axis, grid: { show: false }, values: (_, splits) => splits.map(clockOf), size: 28 },
          { ...axis, values: (_, splits) => splits.map((n) => `${n} N`), size: 56 },
        ],
        series: [{}, { stroke: colour("force"), width: 2, points: { show: false } }],
        padding: [10, 18, 0, 0],
      },
      this.rows,
      this.#place,
    );
  }

  #list() {
    const steps = this.#profile?.steps ?? [];
    const items = steps.map((step) => {
      const item = document.createElement("li");
      item.textContent = `${clockOf(step.begins_s)} ${VERBS[step.kind]} ${step.to_n.toFixed(0)} N, ${clockOf(step.duration_s)} long`;
      return item;
    });
    this.querySelector("ol").replaceChildren(...items);
    const holds = steps.filter((step) => step.kind === "hold").length;
    const highest = Math.max(...steps.map((step) => step.to_n));
    this.#place.setAttribute("aria-label", `Force profile: ${holds === 1 ? "one hold" : `${holds} holds`}, at most ${highest.toFixed(0)} N`);
  }
}

customElements.define("profile-preview", ProfilePreview);
