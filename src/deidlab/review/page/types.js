// The choice of a type of identifier.

import { part } from "./parts.js";

// Ask for a type: letters narrow the list, arrows walk, Enter takes; null when left.
export function chosenType(groups, before) {
  const [dialog, input, items] = ["types", "type-search", "type-list"].map((id) => document.getElementById(id));
  const all = Object.keys(groups).sort((a, b) => groups[a].localeCompare(groups[b]) || a.localeCompare(b));
  let fitting = [];
  let at = 0;
  const draw = () => {
    const wanted = input.value.trim().toLowerCase();
    fitting = all.filter((label) => label.toLowerCase().includes(wanted));
    fitting.sort((a, b) => b.toLowerCase().startsWith(wanted) - a.toLowerCase().startsWith(wanted));
    at = Math.max(0, Math.min(at, fitting.length - 1));
    items.replaceChildren(...fitting.map((label, i) => {
      const item = part("", "", "li");
      item.append(part("", label), part("", label === before ? "now" : ""));
      item.dataset.group = groups[label];
      item.id = `type-${i}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", i === at);
      item.addEventListener("click", () => dialog.close(label));
      return item;
    }));
    input.setAttribute("aria-activedescendant", `type-${at}`);
    items.children[at]?.scrollIntoView({ block: "nearest" });
  };
  input.value = "";
  at = Math.max(0, all.indexOf(before));
  input.oninput = () => {
    at = 0;
    draw();
  };
  input.onkeydown = (event) => {
    if (event.key === "ArrowDown") at += 1;
    else if (event.key === "ArrowUp") at -= 1;
    else if (event.key === "Enter") return event.preventDefault(), fitting.length ? dialog.close(fitting[at]) : null;
    else return;
    event.preventDefault();
    draw();
  };
  dialog.returnValue = "";
  dialog.showModal();
  draw();
  input.focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue || null), { once: true }));
}
