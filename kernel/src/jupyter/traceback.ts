// What a failed cell shows: the error's name and message, and a traceback that names the user's own lines.
import { join } from "node:path";
import { types } from "node:util";
import { attempt, cutText, inspectValue } from "../host/inspectValue";
import type { Diagnostic } from "./compile/messages";
import { CompilationError } from "./compilerLink";
import { scriptNamed } from "./scripts";

/** Content of an error message; an execute_reply carries the same fields. */
export interface ErrorContent {
  ename: string;
  evalue: string;
  traceback: string[];
}

const maxCauses = 10;
/** Of an AggregateError's errors that are shown. */
const maxErrors = 20;
/** Characters of a message. */
const longestMessage = 100_000;
const ownFolder = join(__dirname, "..");

const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
const bold = (text: string) => `\u001b[1m${text}\u001b[22m`;

/**
 * Whatever was thrown, and whatever its properties do when they are read: never throws.
 * @param title how the cell is called in positions, for example "cell 3"
 */
export function describeError(error: unknown, title: string, code: string): ErrorContent {
  if (isCompilationError(error)) return describeDiagnostics(error.diagnostics, title, code);
  if (!isError(error)) {
    const evalue = cutText(inspectValue(error), longestMessage);
    return { ename: "Thrown", evalue, traceback: [`${red("Thrown")}: ${evalue}`] };
  }
  const [ename, evalue] = [nameOf(error), messageOf(error)];
  const frames = framesOf(error);
  const traceback = [`${red(bold(ename))}: ${evalue}`, ...frames];
  const excerpt = frames.map(excerptOf).find((text) => text !== null);
  if (excerpt) traceback.push("", excerpt);
  const seen = new Set<unknown>([error]);
  for (let cause = causeOf(error); isError(cause) && !seen.has(cause); cause = causeOf(cause)) {
    if (seen.size > maxCauses) break;
    seen.add(cause);
    traceback.push("", `Caused by ${red(nameOf(cause))}: ${messageOf(cause)}`, ...framesOf(cause));
  }
  const errors = errorsOf(error);
  for (const each of errors.slice(0, maxErrors))
    traceback.push("", `One of them: ${isError(each) ? messageOf(each) : inspectValue(each)}`);
  if (errors.length > maxErrors) traceback.push("", `… and ${errors.length - maxErrors} more`);
  return { ename, evalue, traceback };
}

function describeDiagnostics(diagnostics: Diagnostic[], title: string, code: string): ErrorContent {
  const places = diagnostics.map((diagnostic) => {
    const { line, character } = diagnostic.start;
    return `${diagnostic.fileName ?? title}:${line + 1}:${character + 1}`;
  });
  const sentences = diagnostics.map(({ messageText, code: number }) =>
    number === undefined ? messageText : `${messageText} (TS${number})`,
  );
  const traceback = diagnostics.flatMap((diagnostic, index) => {
    const headline = `${places[index]} - ${red("error")}: ${sentences[index]}`;
    if (diagnostic.fileName) return [headline];
    const { start, end } = diagnostic;
    const length = end.line === start.line ? end.character - start.character : 1;
    return [headline, "", excerpt(code, start.line, start.character, length), ""];
  });
  return { ename: "TypeScriptError", evalue: `${places[0]} - ${sentences[0]}`, traceback };
}

/** The line with its number, and a mark below. Line and column count from 0. */
function excerpt(code: string, line: number, column: number, length: number): string {
  const text = code.split(/\r?\n/)[line] ?? "";
  const number = String(line + 1);
  // Tabs stay tabs, so that the mark stands below its text however wide they are shown.
  const indent = text.slice(0, column).replace(/[^\t]/g, " ");
  const mark = red("~".repeat(Math.max(1, Math.min(length, text.length - column))));
  return `${number} | ${text}\n${" ".repeat(number.length)} | ${indent}${mark}`;
}

/** A proxy answers as its maker wants: it is nothing of ours. */
const isCompilationError = (value: unknown): value is CompilationError =>
  !types.isProxy(value) && attempt(() => value instanceof CompilationError, false);

/** Also errors of other realms (vm contexts). */
const isError = (value: unknown): value is Error =>
  types.isNativeError(value) || (!types.isProxy(value) && attempt(() => value instanceof Error, false));

/** A property of the error as text; code of the user's may refuse it, or make it anything. */
function textOf(error: Error, property: "name" | "message" | "stack", otherwise: string): string {
  return attempt(() => {
    const value: unknown = Reflect.get(error, property);
    return cutText(typeof value === "string" ? value : String(value ?? otherwise), longestMessage);
  }, otherwise);
}

const nameOf = (error: Error) => textOf(error, "name", "Error");

/**
 * How compiled code calls a variable of the notebook's (see compile/oneScope.ts): `$step.step`, `(0 , $step.step)`, and
 * `$$step$step` where a loop keeps it.
 */
const variable =
  /\(0 ?, \$+([\p{ID_Continue}$]+)\.\1\)|\$+([\p{ID_Continue}$]+)[.$]\2(?![\p{ID_Continue}$])/gu;

/**
 * As the user would have it: Node adds to one message from where it was required, which is the kernel's business, and V8
 * quotes compiled code.
 */
const messageOf = (error: Error) =>
  textOf(error, "message", "(its message cannot be read)")
    .replace(/\nRequire stack:\n[\s\S]*$/, "")
    .replace(variable, "$1$2");

const causeOf = (error: Error): unknown => attempt(() => error.cause, undefined);

function errorsOf(error: Error): unknown[] {
  return attempt(() => {
    const errors: unknown = error instanceof AggregateError ? error.errors : [];
    return Array.isArray(errors) ? errors.slice(0) : [];
  }, []);
}

/** The lines about its calls; those of a stack that never came through a cell are the kernel's and left out. */
function framesOf(error: Error): string[] {
  const frames = textOf(error, "stack", "")
    .split("\n")
    .filter((line) => /^ {4}at /.test(line));
  return frames.filter((frame) => !isInternal(frame));
}

/** Node, tslab and this package: what the user has not written. */
const isInternal = (frame: string) =>
  /\(node:|at node:|[\\/]tslab[\\/]dist[\\/]/.test(frame) || frame.includes(ownFolder);

function positionIn(frame: string): { title: string; line: number; column: number } | null {
  const match = /(cell [^:()]*):(\d+):(\d+)\)?$/.exec(frame);
  return match && { title: match[1], line: Number(match[2]), column: Number(match[3]) };
}

function excerptOf(frame: string): string | null {
  const position = positionIn(frame);
  const script = scriptNamed(position?.title);
  return position && script ? excerpt(script.source, position.line - 1, position.column - 1, 1) : null;
}
