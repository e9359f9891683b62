/* The last two minutes as rows to draw. A gap is a row of nulls: nothing is drawn across what is not known. */

export const SHOWN_S = 120;
const SLICE_S = 0.1;

export class Samples {
  /** Columns for the plot: seconds, force and target in N. */
  t = [];
  force = [];
  target = [];
  lastSeq = null;
  run = null;
  #shiftS = 0; // added to the device's seconds: a device that restarts counts from zero

  clear(run) {
    this.t = [];
    this.force = [];
    this.target = [];
    this.lastSeq = null;
    this.run = run;
    this.#shiftS = 0;
  }

  /** Adds a batch; what was already there is skipped. `restarted`: the device began to count anew. */
  add(batch, restarted) {
    if (restarted) this.#restart(batch);
    const first = this.lastSeq === null ? 0 : Math.max(0, this.lastSeq + 1 - batch.first_seq);
    const seconds = batch.t_us.map((us) => us / 1e6 + this.#shiftS);
    if (this.lastSeq !== null && batch.first_seq > this.lastSeq + 1) this.#gap(seconds[0]);
    for (let from = first; from < seconds.length; ) {
      let to = from + 1;
      const known = batch.force_mn[from] !== null;
      while (to < seconds.length && seconds[to] - seconds[from] < SLICE_S && (batch.force_mn[to] !== null) === known) to++;
      this.#slice(batch, seconds, from, to, known);
      from = to;
    }
    this.lastSeq = Math.max(this.lastSeq ?? -1, batch.first_seq + batch.t_us.length - 1);
    this.#trim();
  }

  get newestS() {
    return this.t.length ? this.t[this.t.length - 1] : null;
  }

  /** The lowest and the highest force of a slice, in their order: no peak is lost, and few points are drawn. */
  #slice(batch, seconds, from, to, known) {
    if (!known) return this.#row(seconds[from], null, batch.target_mn[from]);
    let low = from;
    let high = from;
    for (let i = from; i < to; i++) {
      if (batch.force_mn[i] < batch.force_mn[low]) low = i;
      if (batch.force_mn[i] > batch.force_mn[high]) high = i;
    }
    for (const i of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) {
      this.#row(seconds[i], batch.force_mn[i], batch.target_mn[i]);
    }
    if (Math.max(low, high) < to - 1) this.#row(seconds[to - 1], batch.force_mn[to - 1], batch.target_mn[to - 1]);
  }

  #row(t, forceMn, targetMn) {
    this.t.push(t);
    this.force.push(forceMn === null ? null : forceMn / 1000);
    this.target.push(targetMn === null ? null : targetMn / 1000);
  }

  #gap(untilS) {
    if (this.newestS !== null) this.#row((this.newestS + untilS) / 2, null, null);
  }

  #restart(batch) {
    this.lastSeq = null;
    if (this.newestS === null) return;
    this.#shiftS = this.newestS + 1 - batch.t_us[0] / 1e6;
    this.#gap(this.newestS + 1);
  }

  #trim() {
    const oldest = this.newestS - SHOWN_S - 1;
    let drop = 0;
    while (this.t[drop] < oldest) drop++;
    if (drop < 64) return;
    for (const column of [this.t, this.force, this.target]) column.splice(0, drop);
  }
}
