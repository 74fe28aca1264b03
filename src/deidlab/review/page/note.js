// The text of a note with its spans marked, and the way between places in the page and offsets in the note.
// Offsets count characters (Unicode code points), as everywhere in deidlab; a browser counts UTF-16 units.

import { calm, percent } from "./parts.js";

export const same = (a, b) => a && b && a.start === b.start && a.end === b.end && a.label === b.label;

// Whether a span waits for a decision: the system asks, or another reviewer sees it otherwise.
export const isOpen = (span) => (span.kind !== null && span.verdict === null) || Boolean(span.differ?.length);

const WORD = /[\p{L}\p{N}\p{M}]/u;

export class Note {
  // `choose(span)` hears of a click on a span; `groups` says which colour a label has.
  constructor(element, groups, choose) {
    Object.assign(this, { element, groups, choose, points: [], spans: [], current: null, starts: new Map() });
    element.addEventListener("beforeinput", (event) => event.preventDefault()); // a caret, and nothing that it types
    element.addEventListener("dragstart", (event) => event.preventDefault());
  }

  show(text, spans, current) {
    this.points = Array.from(text);
    this.update(spans, current);
  }

  update(spans, current) {
    Object.assign(this, { spans, current });
    const body = document.createElement("div");
    this.starts.clear();
    for (const [start, end, over] of this.stretches()) body.append(this.drawn(start, end, over));
    this.element.replaceChildren(body);
  }

  // Stretches between the ends of spans, each with the spans over it.
  *stretches() {
    const edges = new Set([0, this.points.length]);
    for (const span of this.spans) edges.add(span.start).add(span.end);
    const places = [...edges].sort((a, b) => a - b);
    const waiting = [...this.spans].sort((a, b) => a.start - b.start);
    let over = [];
    for (let i = 0; i + 1 < places.length; i++) {
      over = over.filter((span) => span.end > places[i]);
      while (waiting.length && waiting[0].start <= places[i]) over.push(waiting.shift());
      yield [places[i], places[i + 1], over];
    }
  }

  drawn(start, end, over) {
    const text = document.createTextNode(this.points.slice(start, end).join(""));
    this.starts.set(text, start);
    const span = topmost(over, this.current);
    if (!span) return text;
    const mark = document.createElement("mark");
    mark.append(text);
    mark.className = this.classes(span, start, end);
    mark.dataset.group = this.groups[span.label] ?? "OTHER";
    mark.dataset.label = span.label;
    // A click that ends a selection is about the selection.
    mark.addEventListener("click", () => getSelection().isCollapsed && this.choose(span));
    if (start === span.start) {
      mark.tabIndex = same(span, this.current) ? 0 : -1;
      mark.setAttribute("role", "button");
      mark.setAttribute("aria-label", `${this.text(span)}, ${span.label}, ${standing(span)}`);
    }
    return mark;
  }

  classes(span, start, end) {
    const sure = span.score === null || span.score >= 0.9 ? "sure" : span.score >= 0.6 ? "likely" : "unsure";
    return Object.entries({
      [sure]: true,
      first: start === span.start,
      last: end === span.end,
      asked: span.kind !== null && span.verdict === null,
      miss: !span.gold && span.verdict === null,
      accepted: span.verdict === true,
      rejected: span.verdict === false,
      differ: Boolean(span.differ?.length),
      current: same(span, this.current),
    }).flatMap(([name, holds]) => (holds ? [name] : [])).join(" ");
  }

  text(span) {
    return this.points.slice(span.start, span.end).join("");
  }

  // Bring the current span into the middle of the note, and the keyboard to it.
  reveal() {
    const mark = this.element.querySelector("mark.current[role]");
    mark?.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
    mark?.focus({ preventScroll: true });
  }

  // The stretch that is selected in the note without blanks around it, or the word at the caret; null if there is none.
  selected() {
    const selection = getSelection();
    if (!selection.rangeCount || !this.element.contains(selection.anchorNode) || !this.element.contains(selection.focusNode)) return null;
    let [start, end] = [this.offset(selection.anchorNode, selection.anchorOffset), this.offset(selection.focusNode, selection.focusOffset)].sort((a, b) => a - b);
    if (start === end) {
      while (start > 0 && WORD.test(this.points[start - 1])) start--;
      while (end < this.points.length && WORD.test(this.points[end])) end++;
    }
    while (start < end && !this.points[start].trim()) start++;
    while (start < end && !this.points[end - 1].trim()) end--;
    return start < end ? { start, end } : null;
  }

  offset(node, within) {
    if (this.starts.has(node)) return this.starts.get(node) + Array.from(node.data.slice(0, within)).length;
    const walker = document.createTreeWalker(this.element, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    range.setStart(node, within);
    while (walker.nextNode()) if (range.comparePoint(walker.currentNode, 0) >= 0) return this.starts.get(walker.currentNode);
    return this.points.length;
  }

  // Let the keyboard walk through the text, from the current span on.
  startCaret() {
    this.element.contentEditable = "true";
    this.element.focus();
    const place = this.current?.start ?? 0;
    for (const [node, start] of this.starts) {
      const units = this.points.slice(start, place).join("").length;
      if (start <= place && units <= node.length) {
        getSelection().collapse(node, units);
        node.parentElement.scrollIntoView({ block: "nearest" });
      }
    }
  }

  endCaret() {
    this.element.contentEditable = "false";
    getSelection().removeAllRanges();
  }

  // Where an edge of a span comes to lie one character or word further on (`step` 1) or back (-1).
  moved(span, edge, step, byWord) {
    const { points } = this;
    const word = (at) => WORD.test(points[at] ?? "");
    let at = span[edge] + step;
    if (byWord) {
      // A start stops before a word's first character, an end behind its last.
      const stops = edge === "start" ? (i) => word(i) && !word(i - 1) : (i) => word(i - 1) && !word(i);
      while (at > 0 && at < points.length && !stops(at)) at += step;
    }
    at = Math.max(0, Math.min(points.length, at));
    const place = { ...span, [edge]: at };
    return place.start < place.end && this.text(place).trim() ? { start: place.start, end: place.end, label: span.label } : null;
  }
}

// Of the spans over a stretch, the one to show: the current one, else an identifier, else the shortest.
function topmost(over, current) {
  return over.reduce((best, span) => {
    if (!best || same(span, current)) return span;
    if (same(best, current)) return best;
    if (best.gold !== span.gold) return best.gold ? best : span;
    return span.end - span.start < best.end - best.start ? span : best;
  }, null);
}

// What a span is, in words.
export function standing(span) {
  const sure = span.score === null ? "" : `, confidence ${percent(span.score)}`;
  if (span.verdict === true) return "decided: an identifier";
  if (span.verdict === false) return "decided: not an identifier";
  if (span.kind === "likely_miss") return `question: perhaps missed${sure}`;
  if (span.kind === "likely_false_alarm") return `question: perhaps a false alarm${sure}`;
  return span.proposed ? `found by the system${sure}` : "marked by another reviewer";
}
