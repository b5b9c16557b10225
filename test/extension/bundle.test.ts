import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const built = join(import.meta.dirname, "../../extension/labextension/static");
const scripts = readdirSync(built).filter((name) => name.endsWith(".js"));
/** How the bundler asks for the global object where there is no `globalThis`: no browser comes to it. */
const neverReached =
  'if("object"==typeof globalThis)return globalThis;try{return this||Function("return this")()}';

/** Places in a script where text becomes code, each with some of what stands around it. */
function codeFromText(text: string): string[] {
  const file = ts.createSourceFile("bundle.js", text, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS);
  const found: string[] = [];
  const visit = (node: ts.Node) => {
    if (makesCode(node)) found.push(text.slice(node.pos, node.pos + 100));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const nameOf = (node: ts.Node): string =>
  ts.isIdentifier(node) ? node.text : ts.isPropertyAccessExpression(node) ? node.name.text : "";
const isText = (node: ts.Node | undefined) =>
  node !== undefined && (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node));

function makesCode(node: ts.Node): boolean {
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    const name = nameOf(node.expression);
    const [first] = node.arguments ?? [];
    if (/^(eval|Function|AsyncFunction|GeneratorFunction)$/.test(name)) return true;
    if (/^(setTimeout|setInterval|setImmediate|execScript)$/.test(name)) return isText(first);
    // Inline handlers, and documents that are written as text.
    if (name === "setAttribute")
      return isText(first) && /^(on|srcdoc)/i.test((first as ts.StringLiteral).text);
    const holder = ts.isPropertyAccessExpression(node.expression) ? nameOf(node.expression.expression) : "";
    return holder === "document" && /^write(ln)?$/.test(name);
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken)
    return nameOf(node.left) === "srcdoc" || (isText(node.right) && /^on[a-z]+$/.test(nameOf(node.left)));
  return isText(node) && /^\s*javascript:/i.test((node as ts.StringLiteral).text ?? "");
}

describe("the bundle that JupyterLab loads", () => {
  it("makes no code of text: no eval, no Function, no inline handler, no address of script", () => {
    expect(scripts.length).toBeGreaterThan(5);
    const found = scripts.flatMap((name) =>
      codeFromText(readFileSync(join(built, name), "utf8").replaceAll(neverReached, "{")),
    );
    expect(found).toEqual([]);
  });

  it("finds what it looks for", () => {
    const bad = [
      'eval("1")',
      'globalThis.eval("1")',
      'new Function("return 1")',
      'Function("return this")()',
      'setTimeout("f()", 1)',
      'node.setAttribute("onclick", "f()")',
      'node.onload = "f()"',
      "frame.srcdoc = text",
      'document.write("<script>")',
      'link.href = "javascript:f()"',
    ];
    for (const text of bad) expect(codeFromText(text), text).not.toEqual([]);
    const good = [
      "setTimeout(f, 1)",
      "node.onload = f",
      'node.setAttribute("title", "eval(1)")',
      "a.eval2()",
    ];
    for (const text of good) expect(codeFromText(text), text).toEqual([]);
  });

  it("has pages of its own making only: no file of HTML is part of it", () => {
    const files = readdirSync(join(built, ".."), { recursive: true, encoding: "utf8" });
    expect(files.filter((name) => /\.(html?|svg)$/i.test(name))).toEqual([]);
  });
});

it("the extension's own code writes text and elements, never markup", () => {
  const folder = join(import.meta.dirname, "../../extension/src");
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  expect(sources.length).toBeGreaterThan(40);
  const markup =
    /innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|DOMParser|srcdoc|document\.write/;
  expect(sources.filter((name) => markup.test(readFileSync(join(folder, name), "utf8")))).toEqual([]);
});
