// Plotly reads some HTML, templates and TeX in its texts; names must not be read as such. Imports nothing.

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "{": "&#123;",
  $: "&#36;",
  "\n": "<br>",
};
const characters: Record<string, string> = Object.fromEntries(
  Object.entries(entities).map(([character, entity]) => [entity, character]),
);

/** Plain text as plotly shows it, character by character; line breaks stay line breaks. */
export const plotlyText = (text: string): string =>
  text.replace(/[&<>{$\n]/g, (character) => entities[character]);

/** The plain text behind {@link plotlyText}. */
export const plainText = (markup: string): string =>
  markup.replace(/&(amp|lt|gt|#123|#36);|<br>/g, (entity) => characters[entity]);
