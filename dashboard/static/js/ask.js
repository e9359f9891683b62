/* Asks the dashboard for something, and says what came of it: done, refused, unreachable, unknown, or invalid. */

const ANSWER_WITHIN_MS = 4000; // the dashboard itself gives up on the controller after 2 s
const LOOK = "Look at the table itself; its red release and the patient's switch always work.";

const token = () => document.querySelector('meta[name="csrf-token"]').content;

/** Names one press, so that a request sent twice is one command. */
export function pressId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** {outcome, sentence, reasons, body}. Never throws: what cannot be told is "unknown". */
export async function ask(path, body) {
  const timeout = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": token() },
      body: JSON.stringify(body),
      keepalive: true, // leaving the page must not take a stop back
      signal: timeout,
    });
    const answer = await response.json();
    if (response.ok) return { outcome: answer.outcome ?? "done", sentence: answer.sentence ?? "", body: answer };
    return { outcome: outcomeOf(response.status, answer), sentence: answer.detail, reasons: answer.reasons ?? [], body: answer };
  } catch {
    return { outcome: "unknown", sentence: `No answer from the dashboard: it is not known whether this was done. ${LOOK}`, reasons: [] };
  }
}

function outcomeOf(status, answer) {
  if (["refused", "unreachable", "unknown"].includes(answer.code)) return answer.code;
  return status >= 500 ? "unknown" : "refused";
}
