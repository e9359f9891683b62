/* Numbers as people read them. What is not known reads "--". */

const NEWTONS_PER_KGF = 9.80665;
const NEWTONS_PER_LBF = 4.4482216152605;
export const UNKNOWN = "--";

// A slack cable's noise about zero reads 0.0, not -0.0.
const withoutMinusZero = (text) => text.replace(/^-(0(\.0*)?)$/, "$1");

export const newtons = (mn, digits = 0) =>
  mn === null || mn === undefined ? UNKNOWN : withoutMinusZero((mn / 1000).toFixed(digits));

export function twoUnits(mn) {
  return `${newtons(mn)} N (${(mn / 1000 / NEWTONS_PER_KGF).toFixed(1)} kgf)`;
}

export function threeUnits(force) {
  return `${force.newtons.toFixed(0)} N · ${force.kilograms_force.toFixed(1)} kgf · ${force.pounds_force.toFixed(1)} lbf`;
}

export function bodyWeightShare(forceMn, bodyMassG) {
  return Math.round((100 * forceMn) / ((bodyMassG / 1000) * NEWTONS_PER_KGF * 1000));
}

export function clockOf(seconds) {
  if (seconds === null || seconds === undefined) return UNKNOWN;
  const whole = Math.max(0, Math.round(seconds));
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}

export function minutes(seconds) {
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Hours, minutes and seconds here, of an ISO time. */
export const timeOfDay = (iso) => new Date(iso).toLocaleTimeString("en-GB");
