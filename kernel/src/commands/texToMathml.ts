// Formulas for an HTML page: reads a JSON list of { tex, display } on stdin, writes a JSON list of MathML on stdout.
import { readFileSync } from "node:fs";
import temml from "temml";
import { escapeMarkup } from "../host/escapeMarkup";

interface Formula {
  tex: string;
  /** A line of its own, or within the text. */
  display: boolean;
}

/** MathML, which browsers draw by themselves; the source where it is no formula. Nothing of it becomes HTML. */
function mathml({ tex, display }: Formula): string {
  try {
    return temml.renderToString(tex, { displayMode: display, throwOnError: true, trust: false });
  } catch {
    return `<code>${escapeMarkup(tex)}</code>`;
  }
}

const formulas = JSON.parse(readFileSync(0, "utf8")) as Formula[];
process.stdout.write(JSON.stringify(formulas.map(mathml)));
