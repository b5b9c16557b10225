import type { MessagePort } from "node:worker_threads";
import type { JsonObject } from "../link";
import type { Shifts } from "./edits";

/** Counted from 0; `character` in UTF-16 units. */
export interface Place {
  offset: number;
  line: number;
  character: number;
}

export interface Diagnostic {
  start: Place;
  end: Place;
  messageText: string;
  /** TypeScript's number of the error, if it is one of the compiler's own. */
  code?: number;
  /** Path of the notebook's file that it is about; undefined for the cell itself. */
  fileName?: string;
}

/** Where compiled code comes from. */
export interface Origin {
  /** JSON source maps, the last step first. */
  maps: string[];
  /** What was done to the code after those steps. */
  shifts: Shifts;
  /** Characters before the code on its first line. */
  firstColumn: number;
  lines: number;
}

/** A helper file that the cell is the first one to import, or that has changed: a CommonJS module. */
export interface CompiledFile extends Origin {
  /** Where it would lie. */
  path: string;
  code: string;
  /** Path of the TypeScript file, and its text. */
  title: string;
  source: string;
  /** What it requires. */
  imports: string[];
}

/** A compiled cell: the body of a function. */
export interface CompiledCell extends Origin {
  code: string;
  /** The function's parameters are these names with `prefix` before them: their boxes (see scope.ts). */
  names: string[];
  prefix: string;
  /** Those which have a value from the start: undefined, unless they have one already. */
  vars: string[];
  /** Those which start anew whatever they were. */
  fresh: string[];
  imports: string[];
}

export interface Conversion {
  /** When there are any, there is nothing to run. */
  diagnostics: Diagnostic[];
  /** Sentences for the user. */
  notices: string[];
  /** Undefined when there is nothing to run. */
  cell?: CompiledCell;
  files: CompiledFile[];
  /** Names of the values that the cell declares. */
  declared: string[];
}

/** Main to compile thread. */
export type ToCompiler =
  | { kind: "convert"; id: number; source: string }
  /** The cell of this conversion runs: its declarations hold from now on. */
  | { kind: "adopt"; id: number }
  /** These values of the cell that was adopted last do not exist. */
  | { kind: "forget"; names: string[] };

/** Compile thread to main; an error is a failure of the compiler itself. */
export type FromCompiler = { id: number } & ({ conversion: Conversion } | { error: string });

/** Wire to compile thread: a complete_request, inspect_request or is_complete_request. */
export interface AssistanceRequest {
  id: number;
  type: string;
  content: JsonObject;
}
/** Compile thread to wire: content of the reply. */
export interface AssistanceReply {
  id: number;
  content: object;
}

export interface CompileSettings {
  /** The notebook's folder. */
  folder: string;
  main: MessagePort;
  wire: MessagePort;
}
