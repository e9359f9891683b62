/* Force over the last two minutes, with the target's band and the ceiling. Gaps are gaps. */

import uPlot from "../vendor/uplot/dist/uPlot.esm.js";
import { SHOWN_S } from "./samples.js";

const BAND = 0.05;
const AXIS_STEP_N = 100;
const AXIS_MIN_N = 100;
const FONT = "12px system-ui, sans-serif";

class ForceChart extends HTMLElement {
  #plot = null;
  #rows = [[], [], [], [], []];
  #nowS = 0;
  #ceilingN = null;
  unit = "N";

  connectedCallback() {
    this.#build();
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
  }

  /** What is drawn: [seconds, force, target, upper, lower], forces in N, null where nothing is known. */
  get rows() {
    return this.#rows;
  }

  /** `nowS` is the present on the samples' own clock; `ceilingN` may be null. */
  draw(samples, nowS, ceilingN) {
    const scaled = (factor) => samples.target.map((n) => (n === null ? null : n * factor));
    this.#rows = [samples.t, samples.force, samples.target, scaled(1 + BAND), scaled(1 - BAND)];
    this.#nowS = nowS;
    this.#ceilingN = ceilingN;
    this.#plot.setData(this.#rows);
  }

  #size() {
    return { width: Math.max(200, this.clientWidth), height: this.clientHeight };
  }

  #build() {
    this.#plot?.destroy();
    const css = getComputedStyle(document.documentElement);
    const colour = (name) => css.getPropertyValue(`--${name}`).trim();
    const axis = { stroke: colour("ink-2"), font: FONT, ticks: { show: false }, grid: { stroke: colour("grid"), width: 1 } };
    this.#plot = new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, range: () => [this.#nowS - SHOWN_S, this.#nowS] }, y: { range: (_, __, max) => [0, this.#top(max)] } },
        axes: [
          { ...axis, grid: { show: false }, splits: () => [-SHOWN_S, -SHOWN_S / 2, 0].map((s) => this.#nowS + s), values: () => ["-2 min", "-1 min", "now"], size: 32, gap: 10 },
          { ...axis, splits: (_, __, min, max) => steps(max), values: (_, splits) => splits.map((n, i) => (i === splits.length - 1 ? `${n} ${this.unit}` : `${n}`)), size: 52 },
        ],
        series: [
          {},
          { stroke: colour("force"), width: 2, points: { show: false } },
          { stroke: colour("force"), width: 1, dash: [2, 4], points: { show: false } },
          { stroke: "transparent", points: { show: false } },
          { stroke: "transparent", points: { show: false } },
        ],
        bands: [{ series: [3, 4], fill: colour("band") }],
        hooks: { draw: [(plot) => this.#drawCeiling(plot, colour("ceiling"))] },
        padding: [14, 18, 0, 0],
      },
      this.#rows,
      this,
    );
  }

  #top(max) {
    const highest = Math.max(max ?? 0, this.#ceilingN === null ? 0 : this.#ceilingN * 1.04, AXIS_MIN_N);
    return Math.ceil(highest / AXIS_STEP_N) * AXIS_STEP_N;
  }

  #drawCeiling(plot, colour) {
    if (this.#ceilingN === null) return;
    const { ctx, bbox } = plot;
    const y = plot.valToPos(this.#ceilingN, "y", true);
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 5 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    ctx.fillText(`ceiling ${this.#ceilingN.toFixed(0)} N`, bbox.left + bbox.width - 4, y - 7 * devicePixelRatio);
    ctx.restore();
  }
}

function steps(top) {
  const step = top > 500 ? 2 * AXIS_STEP_N : top > 150 ? AXIS_STEP_N : AXIS_STEP_N / 4;
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step);
}

customElements.define("force-chart", ForceChart);
