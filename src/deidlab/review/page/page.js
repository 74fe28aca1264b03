// The review page: what the keys and buttons do. Every decision goes to the server, and shows when it is on the disk.

import { commandFor, explain } from "./keys.js";
import { List } from "./list.js";
import { Note, isOpen, same, standing } from "./note.js";
import { capital, part, percent } from "./parts.js";
import { Refused, Unanswered, ask } from "./server.js";
import { chosenType } from "./types.js";

const $ = (id) => document.getElementById(id);
const state = { reviewer: "", epoch: "", labels: {}, ids: [], questions: [], done: new Set(), undoable: null, note: null };
const note = new Note($("note"), state.labels, (span) => look(span));
const list = new List($("list"), fillRow, (number) => run(() => open(number)));

// --- Asking the server ------------------------------------------------------------------------------------------------

const about = (path, parts = {}) => `${path}?${new URLSearchParams({ ...parts, reviewer: state.reviewer })}`;

// One thing after the other: a key pressed again waits until what it stands on has been answered.
let work = Promise.resolve();
function run(task) {
  work = work.then(task).catch(troubled);
  return work;
}

// When everything asked for so far has been done.
export const settled = () => work;

async function troubled(error) {
  if (error instanceof Unanswered)
    return trouble("The server does not answer. What is shown is saved; a decision made just now may not be. Start `deidlab review` again.");
  if (!(error instanceof Refused)) throw error; // a fault of this page belongs in the console
  if (error.lasting) return trouble(capital(`${error.message}.`));
  if (error.status === 409 && state.note) await open(state.note.number, state.note.current);
  say(capital(`${error.message}.`));
}

function trouble(text) {
  $("trouble").hidden = false;
  $("trouble-text").textContent = text;
}

// --- The queue --------------------------------------------------------------------------------------------------------

async function begin(reviewer) {
  state.reviewer = reviewer;
  const queue = await ask(about("queue"));
  localStorage.setItem("reviewer", reviewer);
  Object.assign(state, { epoch: queue.epoch, ids: queue.ids, questions: queue.questions });
  Object.assign(state.labels, queue.labels);
  $("queue-name").textContent = document.title = queue.name;
  $("reviewer-button").textContent = reviewer;
  $("reviewer-button").setAttribute("aria-label", `Reviewer: ${reviewer}`);
  $("who-known").replaceChildren(...queue.reviewers.map((one) => new Option(one)));
  progressed(queue);
  const aside = Object.entries(queue.set_aside);
  if (aside.length) say(aside.map(([reason, count]) => `${count} decisions do not count: ${reason}.`).join(" "));
  filter();
  if (state.ids.length) await open(Math.max(0, nextToDo(-1)));
}

function progressed({ done, undoable }) {
  state.done = new Set(done);
  state.undoable = undoable;
  showProgress();
}

function showProgress() {
  const [done, all] = [state.done.size, state.ids.length];
  Object.assign($("progress"), { max: Math.max(1, all), value: done });
  $("progress-text").textContent = `${done.toLocaleString("en")} of ${all.toLocaleString("en")}`;
  document.querySelectorAll('[data-command="undo"]').forEach((button) => (button.disabled = state.undoable === null));
}

function filter() {
  const [wanted, which] = [$("search").value.trim().toLowerCase(), $("filter").value];
  const numbers = state.ids.flatMap((id, number) => {
    const fits = which === "all" || state.done.has(number) === (which === "done");
    return fits && (!wanted || id.toLowerCase().includes(wanted)) ? [number] : [];
  });
  list.show(numbers, state.note?.number);
}

function fillRow(row, number) {
  const count = state.questions[number];
  row.append(part("tick", state.done.has(number) ? "✓" : ""), idOf(number), part(count ? "count" : "", count || ""));
  row.setAttribute("aria-label", `${state.ids[number]}, ${count} questions${state.done.has(number) ? ", done" : ""}`);
}

// An id that is too long loses its beginning: it is written from right to left, but for its own letters.
function idOf(number) {
  const cell = part("id", "");
  cell.append(part("", state.ids[number], "bdi"));
  return cell;
}

// The first note after `number` that is not done, around the end of the queue; -1 if there is none.
function nextToDo(number) {
  const all = state.ids.length;
  for (let step = 1; step <= all; step++) if (!state.done.has((number + step) % all)) return (number + step) % all;
  return -1;
}

// --- The note ---------------------------------------------------------------------------------------------------------

async function open(number, current = null) {
  const shown = await ask(about("note", { number }));
  state.undoable = shown.undoable;
  show(shown, current);
  closeList();
}

// Show a note as the server has it; `current` is the span to stand on, else the first question, else the first span.
function show(shown, current = null) {
  const known = shown.spans.find((span) => same(span, current));
  const another = state.note?.number !== shown.number;
  state.note = { ...shown, current: known ?? shown.spans.find(isOpen) ?? shown.spans[0] ?? null };
  shown.done ? state.done.add(shown.number) : state.done.delete(shown.number);
  if (note.element.isContentEditable) note.endCaret();
  note.show(shown.text, shown.spans, state.note.current);
  if (another) $("note").scrollTop = 0;
  $("note-id").replaceChildren(part("", shown.id, "bdi"));
  $("note-meta").replaceChildren(...Object.entries(shown.meta).map(([key, value]) => {
    const pair = document.createElement("div");
    pair.append(part("", key, "dt"), part("", value, "dd"));
    return pair;
  }));
  list.refresh(shown.number);
  list.reveal();
  showProgress();
  showState();
  showLegend();
  showSpan();
  note.reveal();
  if (!state.note.current) $("note").focus();
}

function showState() {
  const left = state.note.spans.filter(isOpen).length;
  $("note-state").className = state.note.done ? "done" : "";
  $("note-state").textContent = state.note.done ? "Done ✓" : left ? `${left} ${left === 1 ? "question" : "questions"} open` : "No open question";
  $("finish").textContent = state.note.done ? "Reopen note" : "Finish note";
  $("finish").dataset.command = state.note.done ? "reopen" : "finish";
}

function showLegend() {
  const counts = new Map();
  for (const span of state.note.spans) if (span.gold) counts.set(span.label, (counts.get(span.label) ?? 0) + 1);
  $("legend").replaceChildren(...[...counts].sort().map(([label, count]) => {
    const item = document.createElement("li");
    item.dataset.group = state.labels[label] ?? "OTHER";
    item.append(part("", label), part("n", count));
    return item;
  }));
}

function look(span) {
  state.note.current = span;
  note.update(state.note.spans, span);
  showSpan();
  note.reveal();
}

function showSpan() {
  const span = state.note.current;
  for (const button of $("span-card").querySelectorAll("[data-command]"))
    if (!["add", "undo"].includes(button.dataset.command)) button.disabled = !span;
  $("confidence").hidden = !span || span.score === null;
  $("span-others").hidden = !span?.differ?.length;
  if (!span) {
    $("span-place").textContent = "No span";
    $("span-text").textContent = "";
    $("span-says").textContent = "The system found nothing here. S marks text.";
    return;
  }
  const asking = state.note.spans.filter((one) => one.kind !== null || one.differ?.length);
  const nth = asking.findIndex((one) => same(one, span));
  $("span-place").textContent = `${nth < 0 ? "Span" : `Question ${nth + 1} of ${asking.length}`} · ${span.start}–${span.end}`;
  $("span-text").replaceChildren(part("", note.text(span)), part("type", span.label));
  $("span-text").dataset.group = state.labels[span.label] ?? "OTHER";
  $("span-says").textContent = sentence(span);
  $("span-says").className = isOpen(span) ? "asks" : "";
  $("span-others").textContent = span.differ?.length ? `${span.differ.join(", ")} ${span.differ.length === 1 ? "sees" : "see"} it otherwise.` : "";
  $("confidence-bar").style.width = `${100 * (span.score ?? 0)}%`;
  $("confidence-text").textContent = percent(span.score ?? 0);
}

function sentence(span) {
  if (span.verdict !== null || !span.kind) return capital(`${standing(span).replace(/, confidence.*/, "")}.`);
  return span.kind === "likely_miss" ? "The system left this in. Is it an identifier?" : "The system would remove this, but is not sure. Is it an identifier?";
}

// --- Deciding ---------------------------------------------------------------------------------------------------------

const place = ({ start, end, label }) => ({ start, end, label });

async function decide(action, span, to, current = to ?? span) {
  const { number, fingerprint, revision } = state.note;
  const sent = { epoch: state.epoch, reviewer: state.reviewer, number, fingerprint, base: revision, action };
  const answer = await ask("decide", { ...sent, ...(span && { span: place(span) }), ...(to && { to: place(to) }) });
  $("trouble").hidden = true;
  state.undoable = answer.undoable;
  show(answer, current);
}

async function judge(action) {
  const span = state.note.current;
  if (!span) return;
  const theirs = !span.proposed && span.kind === null && span.verdict === null; // only another reviewer speaks of it
  if (theirs && action === "reject") return say("You have not marked this.");
  await (theirs ? decide("add", null, span) : decide(action, span));
  if (state.note.spans.some(isOpen)) return walk(isOpen, 1);
  if (!state.note.done) say("No question is left. Enter finishes the note.");
}

// The next span for which `wanted` holds, or the one before, around the ends of the note.
function walk(wanted, step) {
  const spans = state.note.spans.filter((span) => wanted(span) || same(span, state.note.current));
  const at = spans.findIndex((span) => same(span, state.note.current));
  const found = spans[(at + step + spans.length) % spans.length];
  if (!found || !wanted(found)) return say(wanted === isOpen ? "No question is open in this note." : "There is no span in this note.");
  look(found);
}

async function move(edge, step, byWord) {
  const span = state.note.current;
  const to = span && note.moved(span, edge, step, byWord);
  if (to && !same(to, span)) await decide("change", span, to);
}

async function finish(anyway) {
  const left = state.note.spans.filter(isOpen);
  if (state.note.done) return onward();
  if (left.length && !anyway) {
    look(left[0]);
    return say(`${left.length} ${left.length === 1 ? "question is" : "questions are"} open. Shift+Enter finishes anyway.`);
  }
  await decide("finish");
  // Where others have finished it too, what they see otherwise shows now.
  if (state.note.spans.some((span) => span.differ.length)) return say("Finished. Another reviewer sees some spans otherwise; Enter goes on.");
  return onward();
}

function onward() {
  const next = nextToDo(state.note.number);
  return next < 0 ? say("All notes are finished.") : open(next);
}

async function undo() {
  if (state.undoable === null) return say("There is nothing to undo.");
  const before = state.note.current;
  const answer = await ask("undo", { epoch: state.epoch, reviewer: state.reviewer, expected: state.undoable });
  state.undoable = answer.undoable;
  const changed = answer.spans.find((span) => !state.note.spans.some((one) => same(one, span) && one.verdict === span.verdict));
  show(answer, changed ?? before);
  say("Taken back.");
}

async function step(by) {
  const at = list.items.indexOf(state.note.number) + by;
  if (at in list.items) await open(list.items[at]);
}

// --- Marking text, choosing a type ------------------------------------------------------------------------------------

async function add() {
  if (hasSelection()) return mark();
  note.startCaret();
  say("Arrows walk, Ctrl by word, Shift selects. Enter marks, Esc leaves.");
}

async function mark() {
  const stretch = note.selected();
  if (!stretch) return say("Here is no word: select some text.");
  const label = await chosenType(state.labels, "");
  if (note.element.isContentEditable) note.endCaret();
  if (label) await decide("add", null, { ...stretch, label });
}

function hasSelection() {
  const selection = getSelection();
  return !selection.isCollapsed && note.element.contains(selection.anchorNode) && note.element.contains(selection.focusNode);
}

async function retype() {
  const span = state.note.current;
  const label = span && (await chosenType(state.labels, span.label));
  if (label && label !== span.label) await decide("change", span, { ...span, label });
}

// --- Dialogs ----------------------------------------------------------------------------------------------------------

async function showAgreement() {
  const pairs = await ask("agreement");
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const [name, kind] of [["Reviewers", ""], ["Notes", "n"], ["F1", "n"], ["Kappa", "n"], ["They differ on", ""]]) head.append(part(kind, name, "th"));
  const body = table.createTBody();
  for (const pair of pairs) {
    const row = body.insertRow();
    const figures = [pair.f1, pair.kappa].map((figure) => (figure === null ? "–" : figure.toFixed(3)));
    row.append(part("", `${pair.first}, ${pair.second}`, "td"), ...[pair.notes, ...figures].map((figure) => part("n", figure, "td")));
    const differing = row.insertCell();
    differing.append(...pair.different.slice(0, 12).map((number) => {
      const button = part("", state.ids[number], "button");
      button.addEventListener("click", () => ($("agreement").close(), run(() => open(number))));
      return button;
    }), pair.different.length > 12 ? ` and ${pair.different.length - 12} more` : pair.different.length ? "" : "none");
  }
  $("agreement-table").replaceChildren(pairs.length ? table : part("", "No two reviewers have finished the same note yet.", "p"));
  $("agreement").showModal();
}

function askName() {
  $("who-name").value = state.reviewer || localStorage.getItem("reviewer") || "";
  $("who").showModal();
}

function say(text) {
  $("said").textContent = text;
  $("said").classList.add("shown");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => $("said").classList.remove("shown"), 4500);
}

function toggleList() {
  const isShown = $("queue").classList.toggle("open");
  $("open-list").setAttribute("aria-expanded", isShown);
  if (isShown) $("list").focus();
}

function closeList() {
  $("queue").classList.remove("open");
  $("open-list").setAttribute("aria-expanded", "false");
}

// --- Keys -------------------------------------------------------------------------------------------------------------

const commands = {
  accept: () => judge("accept"),
  reject: () => judge("reject"),
  retype,
  add,
  undo,
  finish: () => (hasSelection() ? mark() : finish(false)),
  finishAnyway: () => finish(true),
  reopen: () => decide("reopen", null, null, state.note.current),
  nextQuestion: () => walk(isOpen, 1),
  previousQuestion: () => walk(isOpen, -1),
  nextSpan: () => walk(() => true, 1),
  previousSpan: () => walk(() => true, -1),
  nextNote: () => step(1),
  previousNote: () => step(-1),
  startBack: () => move("start", -1, false),
  startOn: () => move("start", 1, false),
  endBack: () => move("end", -1, false),
  endOn: () => move("end", 1, false),
  startBackWord: () => move("start", -1, true),
  startOnWord: () => move("start", 1, true),
  endBackWord: () => move("end", -1, true),
  endOnWord: () => move("end", 1, true),
  find: () => ($("search").focus(), $("search").select()),
  list: () => $("list").focus(),
  help: () => $("help").showModal(),
};

function pressed(event) {
  if (event.defaultPrevented || document.querySelector("dialog[open]") || !state.note) return;
  const target = event.target;
  if (event.key === "Escape") return escape(target);
  if (target.matches("input, select")) return;
  if (note.element.isContentEditable) {
    if (event.key === "Enter") run(mark), event.preventDefault();
    return;
  }
  // Enter and blank press a button that has the keyboard, unless it is a mark of the note.
  if (["Enter", " "].includes(event.key) && target.matches("button, a")) return;
  const command = commandFor(event);
  if (!command) return;
  event.preventDefault();
  run(commands[command]);
}

function escape(target) {
  if (note.element.isContentEditable) note.endCaret();
  closeList();
  if (target !== document.body) note.reveal();
}

// --- Beginning --------------------------------------------------------------------------------------------------------

document.addEventListener("keydown", pressed);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-command]");
  if (button && state.note) run(commands[button.dataset.command]);
});
// A press would take the selection away that the button is about.
$("add").addEventListener("pointerdown", (event) => event.preventDefault());
$("search").addEventListener("input", filter);
$("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && list.items.length) run(() => open(list.items[0]));
});
$("filter").addEventListener("change", filter);
$("open-list").addEventListener("click", toggleList);
$("help-button").addEventListener("click", commands.help);
$("agreement-button").addEventListener("click", () => run(showAgreement));
$("reviewer-button").addEventListener("click", askName);
$("who-form").addEventListener("submit", () => run(() => begin($("who-name").value.trim())));
$("reload").addEventListener("click", () => location.reload());
// Another page of the same reviewer may have decided meanwhile.
window.addEventListener("focus", () => {
  if (state.note && !document.querySelector("dialog[open]") && !note.element.isContentEditable)
    run(async () => {
      progressed(await ask(about("progress")));
      const now = await ask(about("note", { number: state.note.number }));
      if (now.revision !== state.note.revision) show(now, state.note.current);
    });
});

explain($("keys"));
const proposed = decodeURIComponent(location.hash.slice(1)) || localStorage.getItem("reviewer") || "";
history.replaceState(null, "", "/");
if (proposed) run(() => begin(proposed));
else askName();
