// The notebook's variables. Each lives in an object of its own, its box, as the property with its name: a cell's code
// reads and writes `$rate.rate`, so there is one `rate` for every function, whichever cell made it. A property of its own
// object costs about as much as a local variable, and V8 learns the kind of value that each of them holds.
import { types } from "node:util";

/** Has the variable as its own property once it has been given a value. */
export type Box = Record<string, unknown>;

interface Entry {
  readonly box: Box;
  /** Reading the variable gives undefined as long as it has no value, and is no error. */
  isBlank: boolean;
}

/** An exported name, "default", or "*" for all of them, by the name that it gets. */
export type Bindings = readonly (readonly [name: string, exported: string])[];

/** Stands for the value of a variable that has none yet. */
export const noValue = Symbol("no value");

interface Loaded {
  readonly __esModule?: boolean;
  readonly [name: string]: unknown;
}

export class Scope {
  private readonly entries = new Map<string, Entry>();
  /** What `import * as` gives of modules that are no ES modules. */
  private readonly namespaces = new WeakMap<object, object>();

  box = (name: string): Box => this.entry(name).box;

  /** What the variable holds now, without calling anybody's code; {@link noValue} before it has a value. */
  peek(name: string): unknown {
    const entry = this.entries.get(name);
    if (!entry) return noValue;
    const property = Object.getOwnPropertyDescriptor(entry.box, name);
    if (property) return property.get ?? property.value;
    return entry.isBlank ? undefined : noValue;
  }

  /**
   * The variable that holds a value, or `name.property` of one that holds a plain object; null where there is none. Calls
   * nobody's code. Of several variables, the first that was declared.
   */
  nameOf(value: object): string | null {
    for (const name of this.entries.keys()) if (this.peek(name) === value) return name;
    for (const name of this.entries.keys()) {
      const holder = this.peek(name);
      if (!isPlainObject(holder)) continue;
      for (const property of Object.keys(holder))
        if (
          Object.getOwnPropertyDescriptor(holder, property)?.value === value &&
          /^[A-Za-z_$][\w$]*$/.test(property)
        )
          return `${name}.${property}`;
    }
    return null;
  }

  /** A `var` has a value from the start of its cell. */
  initialize(name: string): void {
    this.entry(name).isBlank = true;
  }

  /**
   * `let x;`, and the start of what starts anew. A first value is not stored: where undefined has been, V8 makes an object
   * of every fraction that is stored later.
   */
  blank = (name: string): void => {
    const entry = this.entry(name);
    entry.isBlank = true;
    if (Object.hasOwn(entry.box, name)) entry.box[name] = undefined;
  };

  /**
   * Sets variables to what a module exports.
   * @param isLive the notebook's own files: what they export is looked up whenever it is read, since it may change
   */
  bind(loaded: unknown, bindings: Bindings, isLive: boolean): void {
    const module: Loaded = Object(loaded);
    for (const [name, exported] of bindings) {
      const value =
        exported === "*" ? () => this.namespaceOf(loaded) : () => exportOf(module, loaded, exported);
      const isConstant = !isLive || exported === "*" || exported === "default";
      const box = this.box(name);
      if (isConstant) setValue(box, name, value());
      else
        Object.defineProperty(box, name, {
          get: value,
          // The compiler lets nobody assign to an import: this is its name being declared anew.
          set: (next: unknown) => setValue(box, name, next),
          configurable: true,
          enumerable: true,
        });
    }
  }

  private entry(name: string): Entry {
    const known = this.entries.get(name);
    if (known) return known;
    const entry = newEntry(name);
    this.entries.set(name, entry);
    return entry;
  }

  private namespaceOf(loaded: unknown): unknown {
    if (loaded === null || (typeof loaded !== "object" && typeof loaded !== "function"))
      return { default: loaded };
    if ((loaded as Loaded).__esModule) return loaded;
    const known = this.namespaces.get(loaded);
    if (known) return known;
    const namespace: object = Object.create(null);
    for (const name of Object.keys(loaded))
      Object.defineProperty(namespace, name, { enumerable: true, get: () => Reflect.get(loaded, name) });
    Object.defineProperty(namespace, "default", { enumerable: true, value: loaded });
    this.namespaces.set(loaded, namespace);
    return namespace;
  }
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function exportOf(module: Loaded, loaded: unknown, name: string): unknown {
  return name === "default" && !module.__esModule ? loaded : module[name];
}

function setValue(box: object, name: string, value: unknown): void {
  // In two steps, since V8 would learn that descriptors hold fractions once one did, and from then on make a fraction of
  // every whole number that passes through one: of a counter, which is several times slower.
  const property: PropertyDescriptor = {
    value: undefined,
    writable: true,
    enumerable: true,
    configurable: true,
  };
  property.value = value;
  Object.defineProperty(box, name, property);
}

/**
 * A box whose variable has no value yet: to read it is an error, as in any JavaScript. The error is thrown by the box's
 * prototype, so that the first value becomes a property like any other.
 */
function newEntry(name: string): Entry {
  const withoutValue: object = Object.create(null, {
    [name]: {
      get() {
        if (entry.isBlank) return undefined;
        throw new ReferenceError(`Cannot access '${name}' before initialization`);
      },
      set(value: unknown) {
        setValue(this, name, value);
      },
    },
  });
  const entry: Entry = { box: Object.create(withoutValue), isBlank: false };
  return entry;
}
