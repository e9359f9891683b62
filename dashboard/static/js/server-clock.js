/* How old a sample is, judged by this page's own timer.

   The dashboard stamps everything with its monotonic clock. Its offset to this page's clock is bounded from below by
   each question: the answer was written after the question was sent. The greatest such bound is taken, so that an age
   is at most a network's way too great and never too small. */

const DRIFT = 200e-6; // quartz to quartz, a second
const WALL_SLACK_MS = 500; // the wall clock may be set a little while a sample is shown

export class ServerClock {
  #offsetMs = -Infinity;
  #heardMs = 0;

  /** A message stamped `serverMs` answers what this page sent at `askedMs`. */
  heard(askedMs, serverMs) {
    const now = performance.now();
    const drifted = this.#offsetMs - DRIFT * (now - this.#heardMs);
    this.#offsetMs = Math.max(drifted, askedMs - serverMs);
    this.#heardMs = now;
  }

  forget() {
    this.#offsetMs = -Infinity;
  }

  /** That moment of the server's clock on this page's clock, in ms. */
  here(serverMs) {
    return serverMs + this.#offsetMs;
  }
}

/** Age in ms of what was taken at `takenMs` (this page's clock) and came when the wall clock showed `wallMs`.
    A computer that slept may have stopped the page's clock; the wall clock then tells. */
export function ageMs(takenMs, wallMs) {
  const byWall = Date.now() - wallMs - WALL_SLACK_MS;
  return Math.max(0, performance.now() - takenMs, byWall);
}
