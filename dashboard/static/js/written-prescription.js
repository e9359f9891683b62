/* The prescription as the form holds it: its document, and which fields belong to the mode. */

const SECTIONS = /^(patient|pull|prescribed)\.(\w+)$/;

/** Shows what the chosen mode needs. What is hidden is no part of the document. */
export function showFieldsOfMode(form) {
  const mode = form.elements["pull.mode"].value;
  for (const field of form.querySelectorAll("[data-modes]")) field.hidden = !field.dataset.modes.split(" ").includes(mode);
}

/** The tables of the document; a quantity is its number and its unit, as text. What is empty is left out. */
export function documentOf(form) {
  const written = { patient: {}, pull: {}, prescribed: {} };
  for (const input of form.elements) {
    const [, section, field] = input.name.match(SECTIONS) ?? [];
    const text = field && input.value.trim();
    if (text && !input.closest("[hidden]")) written[section][field] = valueOf(form, input, text);
  }
  return written;
}

function valueOf(form, input, text) {
  if ("whole" in input.dataset && /^\d{1,9}$/.test(text)) return Number(text);
  const unit = input.dataset.unit ?? form.elements[`${input.name}.unit`]?.value;
  return unit ? `${text} ${unit}` : text;
}
