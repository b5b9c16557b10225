// Elements from plain values. Texts become text nodes and nothing else: whatever a name holds, it is never markup.

type Child = Node | string;
type Attributes = Record<string, string | number | boolean | null | undefined>;

/** An element with attributes (null, undefined and false leave one out, true is the empty text) and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  made.append(...children);
  return made;
}

/** Sets, or takes away, an attribute; touches the page only where it differs. */
export function setAttribute(node: Element, name: string, value: Attributes[string]): void {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** Writes a text where it differs from what stands there. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * A button. Where it cannot be used it stays where the keyboard finds it, and says why (aria-disabled); its listener is
 * not called then.
 */
export function button(text: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", () => {
    if (made.ariaDisabled !== "true") onClick();
  });
  return made;
}

export interface Option {
  value: string;
  text: string;
}

/** Fills a list of choices anew only where they differ, so that an open one stays open. */
export function setOptions(select: HTMLSelectElement, options: readonly Option[], chosen: string): void {
  const same =
    select.options.length === options.length &&
    options.every(({ value, text }, index) => {
      const there = select.options[index];
      return there.value === value && there.text === text;
    });
  if (!same) select.replaceChildren(...options.map(({ value, text }) => element("option", { value }, text)));
  if (select.value !== chosen) select.value = chosen;
}

let ids = 0;
/** An id that no other element of the page has. */
export const newId = (name: string): string => `lutnn-${name}-${++ids}`;
