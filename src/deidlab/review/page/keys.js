// The keys, for the keyboard and for its help alike.

import { capital, part } from "./parts.js";

// Keys, their commands, what these do.
const KEYS = [
  [["n"], ["nextQuestion"], "next open question"],
  [["p"], ["previousQuestion"], "the one before"],
  [["a"], ["accept"], "an identifier; on to the next question"],
  [["r"], ["reject"], "not an identifier; on to the next question"],
  [["t"], ["retype"], "change its type"],
  [["ArrowLeft", "ArrowRight"], ["endBack", "endOn"], "move its end by a character; with Ctrl or Alt by a word"],
  [["Shift+ArrowLeft", "Shift+ArrowRight"], ["startBack", "startOn"], "move its start; with Ctrl or Alt by a word"],
  [["j", "k"], ["nextSpan", "previousSpan"], "next span, asked about or not; the one before"],
  [["s"], ["add"], "mark text: walk with a caret, select with Shift, Enter"],
  [["u", "Ctrl+z"], ["undo", "undo"], "take back the last decision"],
  [["Enter"], ["finish"], "finish the note, on to the next"],
  [["Shift+Enter"], ["finishAnyway"], "finish it with open questions"],
  [["Shift+j", "Shift+k"], ["nextNote", "previousNote"], "next note in the list; the one before"],
  [["g"], ["list"], "to the list; arrows walk, Enter opens"],
  [["/"], ["find"], "find a note by its id"],
  [["?"], ["help"], "these keys"],
];
const BY_WORD = {
  "Ctrl+ArrowLeft": "endBackWord", "Ctrl+ArrowRight": "endOnWord",
  "Ctrl+Shift+ArrowLeft": "startBackWord", "Ctrl+Shift+ArrowRight": "startOnWord",
};
const SYMBOLS = { ArrowLeft: "←", ArrowRight: "→" };
const commandOf = { ...Object.fromEntries(KEYS.flatMap(([keys, names]) => keys.map((key, i) => [key, names[i]]))), ...BY_WORD };

// The command of a key press, if it has one.
export const commandFor = (event) => commandOf[nameOf(event)];

// The name of a key press as KEYS writes it; Alt and the Mac's Command count as Ctrl.
function nameOf(event) {
  const letter = event.key.length === 1 && /\p{L}/u.test(event.key);
  const latin = /[a-z]/i.test(event.key) || !event.code.startsWith("Key") ? event.key : event.code.slice(3); // as on a Greek keyboard
  const key = letter ? latin.toLowerCase() : event.key;
  const shifted = event.shiftKey && (letter || event.key.length > 1);
  return `${event.ctrlKey || event.metaKey || event.altKey ? "Ctrl+" : ""}${shifted ? "Shift+" : ""}${key}`;
}

// All keys as terms and what they do.
export function explain(list) {
  for (const [keys, , what] of KEYS) {
    const term = document.createElement("dt");
    keys.forEach((key, i) => term.append(...(i ? [" "] : []), part("", key.split("+").map((one) => SYMBOLS[one] ?? capital(one)).join(" "), "kbd")));
    list.append(term, part("", what, "dd"));
  }
}
