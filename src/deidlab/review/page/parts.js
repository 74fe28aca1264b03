// Pieces of the page, and of its sentences.

// An element of a kind and a class, with a text.
export function part(name, text, kind = "span") {
  const element = document.createElement(kind);
  element.className = name;
  element.textContent = text;
  return element;
}

export const percent = (share) => `${(100 * share).toFixed(share > 0.995 && share < 1 ? 1 : 0)} %`;

export const capital = (text) => text[0].toUpperCase() + text.slice(1);

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
