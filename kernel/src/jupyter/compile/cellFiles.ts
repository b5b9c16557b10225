// The files that cells are to the compiler. Each cell that declares something stays as it was written, inside the one
// before it: a name that it does not declare is looked up there, with the type that the compiler sees, not a
// declaration that was made of it. A cell whose names have all been declared anew, and which no other needs, is dropped.
import { join } from "node:path";
import type typescript from "typescript";
import { expectAssignments } from "./assignments";
import { augmentationsOf, withoutAugmentations } from "./augmentations";
import { around, exportedOf, identifiersOf, localsOf, putInside, type Ts } from "./compilerApi";
import { type Continued, continueNamespaces, freshNames } from "./namespaces";
import { cellsToSettle, settledText } from "./settledCells";

/** Cells that are kept only since others mention names which have been declared anew meanwhile; beyond it types are lost. */
const mostHidden = 200;

/** A cell's place among the compiler's files. Their number grows rarely: that makes the compiler start anew. */
export interface CellFile {
  readonly path: string;
  text: string;
  kind: typescript.ScriptKind;
  version: number;
  /** Names that the cell did not get to. */
  forgotten: Set<string>;
  values: Set<string>;
  types: Set<string>;
  /** Values that it only says are there (`declare`). */
  ambient: Set<string>;
  /** What it says about other modules and the global scope. */
  augmentations: Set<string>;
  /** Its types no longer follow from other cells. */
  isSettled: boolean;
  /** Cells whose names it mentions. */
  needs: Set<CellFile>;
  /** The file that the rest is about: what follows from the cells before it. */
  linked: typescript.SourceFile | null;
  continued: Continued;
  /** Names that start anew, see {@link freshNames}. */
  fresh: readonly string[];
  /** Variables that change at any time once the cell runs. */
  changing: readonly string[];
}

export class CellFiles {
  readonly all: CellFile[] = [];
  /** Grows with every change. */
  version = 0;
  /** What is being compiled … */
  draft: CellFile;
  /** … and what is being typed. */
  readonly scratch: CellFile;
  /** Variables that functions of cells assign to, and imports: they may change whenever a function is called. */
  readonly changing = new Set<string>();
  /** The cells that count, oldest first. */
  private kept: CellFile[] = [];
  private valueOwners = new Map<string, CellFile>();
  private typeOwners = new Map<string, CellFile>();
  private free: CellFile[] = [];

  constructor(
    private readonly ts: Ts,
    private readonly folder: string,
  ) {
    this.grow(16);
    this.scratch = this.take();
    this.draft = this.take();
  }

  /** Names of the notebook's variables. */
  get variables(): Set<string> {
    const names = new Set<string>();
    for (const [name, { ambient }] of this.valueOwners) if (!ambient.has(name)) names.add(name);
    return names;
  }

  write(file: CellFile, text: string, kind: typescript.ScriptKind): void {
    // A namespace depends on what was there when it was written.
    if (file.text === text && file.kind === kind && !/\b(namespace|module)\b/.test(text)) return;
    file.text = text;
    file.kind = kind;
    file.version++;
    this.version++;
  }

  /** Puts every cell of a program inside the one before it. */
  link(program: typescript.Program): void {
    const { ts, draft, scratch } = this;
    let outer: typescript.SourceFile | undefined;
    for (const cell of [...this.kept, draft, scratch]) {
      const file = program.getSourceFile(cell.path);
      if (!file) continue;
      putInside(file, outer);
      for (const name of cell.forgotten) localsOf(file)?.delete(ts.escapeLeadingUnderscores(name));
      if (cell.linked !== file) {
        const earlier = (name: string) => lookUp(ts, name, outer);
        cell.linked = file;
        cell.fresh = freshNames(ts, file, earlier);
        cell.continued = continueNamespaces(ts, file, earlier);
        expectAssignments(ts, file, cell === draft || cell === scratch);
      }
      if (cell !== draft) outer = file;
    }
  }

  /** Notes what the draft declares and needs, as a program has it. */
  describe(program: typescript.Program, file: typescript.SourceFile): void {
    const { ts, draft } = this;
    const { values, types, ambient } = declarationsOf(ts, program, file);
    const needs = new Set<CellFile>();
    const need = (owner: CellFile | undefined) => owner && needs.add(owner);
    for (const name of identifiersOf(file)) {
      if (!values.has(name)) need(this.valueOwners.get(name));
      if (!types.has(name)) need(this.typeOwners.get(name));
    }
    for (const name of draft.continued.values())
      need(this.valueOwners.get(name) ?? this.typeOwners.get(name));
    // What is only said to be there may be a variable of the notebook's.
    const known = this.variables;
    for (const name of ambient) if (known.has(name)) ambient.delete(name);
    const [augmentations, forgotten] = [augmentationsOf(ts, file), new Set<string>()];
    Object.assign(draft, { values, types, ambient, needs, augmentations, forgotten });
    this.settle(program);
  }

  /** The draft is a cell that runs: its names hold from now on. */
  adopt(): void {
    const { ts, draft } = this;
    for (const name of draft.changing) this.changing.add(name);
    if (draft.values.size + draft.types.size + draft.augmentations.size === 0) return;
    if (draft.linked) expectAssignments(ts, draft.linked, false);
    this.kept.push(draft);
    this.own();
    this.draft = this.take();
  }

  /** These values of the newest cell do not exist. */
  forget(names: readonly string[]): void {
    const newest = this.kept[this.kept.length - 1];
    for (const name of names) {
      newest?.forgotten.add(name);
      newest?.values.delete(name);
    }
    this.own();
  }

  /** Empties the places of earlier cells whose augmentations the draft says anew: they would contradict each other. */
  replaceAugmentations(augmentations: ReadonlySet<string>): void {
    if (augmentations.size === 0) return;
    for (const cell of this.kept)
      if (cell.augmentations.size > 0 && [...cell.augmentations].every((each) => augmentations.has(each)))
        this.write(cell, withoutAugmentations(this.ts, cell.text), cell.kind);
  }

  /** Finds out whose names are seen. */
  private own(): void {
    this.valueOwners = new Map();
    this.typeOwners = new Map();
    for (const cell of this.kept) {
      for (const name of cell.values) this.valueOwners.set(name, cell);
      for (const name of cell.types) this.typeOwners.set(name, cell);
    }
  }

  /** Drops the cells that are neither seen nor needed. Not as soon as a cell runs: if it fails, they are seen again. */
  prune(): void {
    const said = new Map<string, CellFile>();
    for (const cell of this.kept) for (const each of cell.augmentations) said.set(each, cell);
    const seen = new Set([...this.valueOwners.values(), ...this.typeOwners.values(), ...said.values()]);
    const needed = new Set(seen);
    for (const cell of needed) for (const other of cell.needs) needed.add(other);
    const hidden = this.kept.filter((cell) => needed.has(cell) && !seen.has(cell));
    for (const cell of hidden.slice(0, Math.max(0, hidden.length - mostHidden))) needed.delete(cell);
    for (const cell of this.kept) if (!needed.has(cell)) this.release(cell);
    this.kept = this.kept.filter((cell) => needed.has(cell));
  }

  /** Ends chains of types that have become too long, from the next cell on. */
  private settle(program: typescript.Program): void {
    const chain = cellsToSettle(this.kept);
    const texts = chain.map((cell) => settledText(this.ts, program.getTypeChecker(), cell));
    for (const [index, cell] of chain.entries()) {
      cell.isSettled = true;
      const text = texts[index];
      if (text === null) continue;
      this.write(cell, text, this.ts.ScriptKind.TS);
      cell.needs.clear();
    }
  }

  private release(cell: CellFile): void {
    this.write(cell, "", this.ts.ScriptKind.TS);
    const { forgotten, values, types, ambient, augmentations, needs } = cell;
    for (const set of [forgotten, values, types, ambient, augmentations, needs]) set.clear();
    cell.linked = null;
    cell.isSettled = false;
    cell.continued = new Map();
    this.free.push(cell);
  }

  private take(): CellFile {
    if (this.free.length === 0) this.grow(this.all.length);
    return this.free.pop() as CellFile;
  }

  private grow(count: number): void {
    for (let index = 0; index < count; index++) {
      const path = join(this.folder, `__cell_${this.all.length}__.ts`).replaceAll("\\", "/");
      const cell = {
        ...{ path, text: "", kind: this.ts.ScriptKind.TS, version: 0 },
        ...{ forgotten: new Set<string>(), values: new Set<string>(), types: new Set<string>() },
        ...{ ambient: new Set<string>(), augmentations: new Set<string>(), needs: new Set<CellFile>() },
        ...{ linked: null, isSettled: false, continued: new Map(), fresh: [] },
        changing: [],
      };
      this.all.push(cell);
      this.free.push(cell);
    }
  }
}

/** The symbol of a top-level name, in the innermost of the files around which declares it. */
function lookUp(
  ts: Ts,
  name: string,
  innermost: typescript.SourceFile | undefined,
): typescript.Symbol | undefined {
  const key = ts.escapeLeadingUnderscores(name);
  for (let file = innermost; file; file = around(file)) {
    const symbol = localsOf(file)?.get(key);
    if (symbol) return symbol;
  }
  return undefined;
}

/** Names of the values and of the types (with namespaces) that a file declares at its top level. */
function declarationsOf(ts: Ts, program: typescript.Program, file: typescript.SourceFile) {
  const checker = program.getTypeChecker();
  const [values, types] = [new Set<string>(), new Set<string>()];
  const ambient = new Set<string>();
  for (const [key, local] of localsOf(file) ?? []) {
    const name = ts.unescapeLeadingUnderscores(key);
    const symbol = exportedOf(local);
    const declarations = symbol.declarations ?? [];
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const isTypeOnly = isAlias && declarations.some(ts.isTypeOnlyImportDeclaration);
    const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    const isUnknown = isAlias && checker.isUnknownSymbol(target);
    const isValue = isUnknown || (target.flags & ts.SymbolFlags.Value) !== 0;
    if (isValue && !isTypeOnly) values.add(name);
    if (isUnknown || target.flags & (ts.SymbolFlags.Type | ts.SymbolFlags.Namespace)) types.add(name);
    if (declarations.every((each) => ts.getCombinedModifierFlags(each) & ts.ModifierFlags.Ambient))
      ambient.add(name);
  }
  return { values, types, ambient };
}
