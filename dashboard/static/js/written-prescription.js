/* The prescription as the form holds it: its document, and which fields belong to the mode. */

const FIELD = /^(patient|pull|between|prescribed)\.(\w+)$/;
const QUANTITY = /^\s*([+-]?[\d.,]+)\s*(\D.*?)\s*$/;
const SHORT_UNITS = { "% BW": "% body weight" };

/** Shows what the chosen mode needs. What is hidden is no part of the document. */
export function showFieldsOfMode(form) {
  const mode = form.elements["pull.mode"].value;
  for (const field of form.querySelectorAll("[data-modes]")) field.hidden = !field.dataset.modes.split(" ").includes(mode);
}

/** The tables of the document; a quantity is its number and its unit, as text. What is empty is left out. */
export function documentOf(form) {
  const written = { patient: {}, pull: {}, between: {}, prescribed: {} };
  for (const input of form.elements) {
    const [, section, field] = input.name.match(FIELD) ?? [];
    const text = field && input.value.trim();
    if (text && !input.closest("[hidden]")) written[section][field] = valueOf(form, input, text);
  }
  return written;
}

/** Puts a table into the section's fields. What the table leaves out is as in a new form. */
export function writeFields(form, section, table) {
  for (const input of form.elements) {
    const [, of, field] = input.name.match(FIELD) ?? [];
    if (of === section) writeField(form, input, table[field]);
  }
}

function valueOf(form, input, text) {
  if ("whole" in input.dataset && /^\d{1,9}$/.test(text)) return Number(text);
  const unit = unitOf(form, input)?.value ?? input.dataset.unit;
  return unit ? `${text} ${unit}` : text;
}

const unitOf = (form, input) => form.elements[`${input.name}.unit`];

/** A quantity in a unit that the field does not offer is left to be written: another unit must not stand beside it. */
function writeField(form, input, written) {
  const units = unitOf(form, input);
  if (written === undefined) input.value = input.tagName === "SELECT" ? input.options[0].value : input.defaultValue;
  else if (!units && !input.dataset.unit) input.value = written;
  else {
    const [, number, named] = String(written).match(QUANTITY) ?? [];
    const unit = SHORT_UNITS[named] ?? named;
    const offered = units ? [...units.options].some((option) => option.value === unit) : unit === input.dataset.unit;
    input.value = offered ? number : "";
    if (units && offered) units.value = unit;
  }
}
