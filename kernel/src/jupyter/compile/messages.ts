import type { MessagePort } from "node:worker_threads";
import type { Diagnostic, SideOutput } from "tslab/dist/converter";
import type { JsonObject } from "../link";
import type { Emitted } from "./compiler";

export type { Diagnostic };

/** A helper file that the cell is the first one to import, or that has changed. */
export interface CompiledFile extends SideOutput {
  emitted: Emitted;
  /** Path of the TypeScript file. */
  title: string;
  /** Lines before the user's first one. */
  extraLines: number;
}

/** A compiled cell. */
export interface Conversion {
  /** When there are any, there is nothing else. */
  diagnostics: Diagnostic[];
  /** JavaScript, or undefined when there is nothing to run. */
  output?: string;
  emitted?: Emitted;
  lastExpressionVar?: string;
  hasToplevelAwait?: boolean;
  files: CompiledFile[];
  /** Names of the values that are declared once the cell has run. */
  values: string[];
}

/** Main to compile thread. */
export type ToCompiler =
  | { kind: "convert"; id: number; source: string }
  /** The cell of this conversion runs: its declarations hold from now on. */
  | { kind: "adopt"; id: number }
  /** These values do not exist. */
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
