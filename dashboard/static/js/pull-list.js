/* The pulls of a prescription, one after another. One of them is in the form's fields; the others are kept here. */

import { text } from "./elements.js";
import { documentOf, writeFields } from "./written-prescription.js";

const OF_CHAIN = /^pull\.chain\.(\d+)(?:\.(.+))?$/;

class PullList extends HTMLElement {
  #pulls = [{}]; // the table of each; of the one in the fields it is what was there before
  #at = 0;

  connectedCallback() {
    this.querySelector(".add").addEventListener("click", () => this.#add());
    this.#list.addEventListener("click", (event) => {
      const { change, remove } = event.target.closest("button")?.dataset ?? {};
      if (change) this.#write(Number(change));
      if (remove) this.#remove(Number(remove));
    });
    this.#form.addEventListener("input", () => this.#show());
    this.#show();
  }

  get #isChain() {
    return this.#pulls.length > 1;
  }

  /** The tables of the form, with all pulls in them. */
  get document() {
    const { between, ...written } = documentOf(this.#form);
    return this.#isChain ? { ...written, pull: { ...between, chain: this.#now(written.pull) } } : written;
  }

  /** Puts another prescription's pulls in place of all that is here. */
  put(pull) {
    this.#pulls = pull.chain ?? [pull];
    writeFields(this.#form, "between", pull);
    this.#at = 0;
    this.#fill();
  }

  /** Refusals at the fields that are on the page; those of a pull that is kept here stand in the list, with its number. */
  placed(refusals) {
    return refusals.map(({ field, sentence }) => {
      const [, number, name] = field.match(OF_CHAIN) ?? [];
      if (number === undefined) return { field: field === "pull.chain" ? "pulls" : field.replace(/^pull\.(base_\w+)$/, "between.$1"), sentence };
      if (name && Number(number) === this.#at + 1) return { field: `pull.${name}`, sentence };
      const place = name ? `, ${name.replaceAll("_", " ")}` : "";
      return { field: "pulls", sentence: `Pull ${number}${place}: ${sentence}` };
    });
  }

  get #form() {
    return this.closest("form");
  }

  get #list() {
    return this.querySelector("ol");
  }

  #now(inFields) {
    return this.#pulls.with(this.#at, inFields);
  }

  /** The next pull begins as a copy: mostly it differs in a field or two. */
  #add() {
    const now = this.#now(documentOf(this.#form).pull);
    this.#pulls = now.toSpliced(this.#at + 1, 0, now[this.#at]);
    this.#at += 1;
    this.#fill();
    this.#form.elements["pull.mode"].focus();
  }

  #write(at) {
    this.#pulls = this.#now(documentOf(this.#form).pull);
    this.#at = at;
    this.#fill();
    this.#form.elements["pull.mode"].focus();
  }

  #remove(at) {
    this.#pulls = this.#now(documentOf(this.#form).pull).toSpliced(at, 1);
    if (at < this.#at || this.#at === this.#pulls.length) this.#at -= 1;
    this.#fill();
    this.querySelector(".add").focus();
  }

  #fill() {
    writeFields(this.#form, "pull", this.#pulls[this.#at]);
    this.#form.elements["pull.mode"].dispatchEvent(new Event("input", { bubbles: true }));
  }

  #show() {
    for (const part of this.#form.querySelectorAll("[data-chain]")) part.hidden = !this.#isChain;
    const pulls = this.#now(documentOf(this.#form).pull);
    this.#list.replaceChildren(...pulls.map((pull, at) => this.#item(pull, at)));
    this.querySelector(".add").textContent = this.#isChain ? `Add a pull after pull ${this.#at + 1}` : "Add another pull after this one";
  }

  #item(pull, at) {
    const item = document.createElement("li");
    item.append(text("span", `${this.#modeOf(pull)}, ${pull.force ?? "no force yet"}, ${pull.time_at_force ?? "no time yet"} `));
    if (at === this.#at) {
      item.setAttribute("aria-current", "true");
      item.append(text("em", "in the fields above "));
    } else {
      item.append(button("Change", "change", at));
    }
    item.append(button("Remove", "remove", at));
    return item;
  }

  #modeOf(pull) {
    const options = [...this.#form.elements["pull.mode"].options];
    return options.find((option) => option.value === pull.mode)?.text.replace(/:.*/, "") ?? pull.mode;
  }
}

function button(label, does, at) {
  const made = text("button", label);
  made.type = "button";
  made.className = "small";
  made.dataset[does] = at;
  made.setAttribute("aria-label", `${label} pull ${at + 1}`);
  return made;
}

customElements.define("pull-list", PullList);
