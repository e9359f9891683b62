// The note to the clipboard; where a browser does not allow that, it is selected, so that Ctrl+C takes it.
const text = document.getElementById("note");
const said = document.getElementById("copied");

document.getElementById("copy-note").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(text.textContent);
    said.textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(text);
    said.textContent = "Selected: press Ctrl+C to copy.";
  }
});
