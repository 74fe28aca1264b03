// A list of any length: only the rows in sight are in the page.

const ROW = 46; // pixels from one row to the next
const BEYOND = 8; // rows drawn above and below what is in sight

export class List {
  // `fill(element, item)` draws an item into its row; `choose(item)` hears of a click or Enter.
  constructor(element, fill, choose) {
    Object.assign(this, { element, fill, choose, items: [], active: 0, chosen: null, rows: new Map() });
    this.sheet = element.appendChild(document.createElement("div"));
    this.sheet.className = "rows";
    this.sheet.setAttribute("role", "presentation");
    element.addEventListener("scroll", () => this.draw(), { passive: true });
    element.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(element);
  }

  // Show other items; `chosen` is the one that is open.
  show(items, chosen) {
    this.items = items;
    this.sheet.style.height = `${items.length * ROW}px`;
    this.refresh(chosen);
  }

  // Draw all rows anew, as after a change of what items look like.
  refresh(chosen = this.chosen) {
    this.chosen = chosen;
    this.active = Math.max(0, this.items.indexOf(chosen));
    this.sheet.replaceChildren();
    this.rows.clear();
    this.draw();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW) - BEYOND);
    const last = Math.min(this.items.length, Math.ceil((this.element.scrollTop + this.element.clientHeight) / ROW) + BEYOND);
    for (const [at, row] of this.rows) {
      if (at < first || at >= last) {
        row.remove();
        this.rows.delete(at);
      }
    }
    for (let at = first; at < last; at++) if (!this.rows.has(at)) this.rows.set(at, this.sheet.appendChild(this.row(at)));
    this.mark();
  }

  row(at) {
    const row = document.createElement("div");
    row.setAttribute("role", "option");
    row.id = `row-${at}`;
    row.setAttribute("aria-setsize", this.items.length);
    row.setAttribute("aria-posinset", at + 1);
    row.style.transform = `translateY(${at * ROW}px)`;
    row.addEventListener("click", () => this.choose(this.items[at]));
    this.fill(row, this.items[at]);
    return row;
  }

  mark() {
    for (const [at, row] of this.rows) {
      row.setAttribute("aria-selected", this.items[at] === this.chosen);
      row.classList.toggle("active", at === this.active);
    }
    if (this.rows.has(this.active)) this.element.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  // Bring the active row into sight.
  reveal() {
    const top = this.active * ROW;
    const bottom = top + ROW - this.element.clientHeight;
    if (this.element.scrollTop > top) this.element.scrollTop = top;
    else if (this.element.scrollTop < bottom) this.element.scrollTop = bottom;
    this.draw();
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === "Enter" && this.items.length) this.choose(this.items[this.active]);
    else if (event.key in steps) {
      this.active = Math.max(0, Math.min(this.items.length - 1, this.active + steps[event.key]));
      this.reveal();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
