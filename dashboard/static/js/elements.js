/* Elements with words in them. */

/** An element that holds this text. */
export function text(tag, words) {
  const element = document.createElement(tag);
  element.textContent = words;
  return element;
}

/** Rows for a list of definitions, of figures as the dashboard gives them: {name, value}. */
export function figureRows(figures) {
  return figures.map(({ name, value }) => {
    const row = document.createElement("div");
    row.append(text("dt", name), text("dd", value));
    return row;
  });
}
