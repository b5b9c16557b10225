// What a cell may overwrite and the kernel, Node's libraries and later cells cannot work without.
import { EventEmitter } from "node:events";
import fs from "node:fs";
import Module from "node:module";
import path from "node:path";
import util from "node:util";
import vm from "node:vm";

interface Saved {
  holder: object;
  key: PropertyKey;
  /** How the user knows it, for example Array.prototype.map. */
  name: string;
  property: PropertyDescriptor;
  /** Belongs to the language: it is put back whatever it was replaced by. */
  isLanguage: boolean;
}

// Own copies of all that is called below: the code here works whatever has been overwritten.
const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { apply, deleteProperty, get, ownKeys, set } = Reflect;
const { listeners, on } = EventEmitter.prototype;

const language = [
  ...[Object, Function, Array, String, Number, BigInt, Boolean, Symbol, RegExp, Date, Error, AggregateError],
  ...[Promise, Map, Set, WeakMap, WeakSet, WeakRef, ArrayBuffer, SharedArrayBuffer, DataView, Uint8Array],
];
const namespaces = { JSON, Math, Reflect, Atomics };
/** Objects of the language without a name. */
const hidden: [string, object][] = [
  ["%Iterator%", getPrototypeOf(getPrototypeOf([][Symbol.iterator]()))],
  ["%ArrayIterator%", getPrototypeOf([][Symbol.iterator]())],
  ["%MapIterator%", getPrototypeOf(new Map().entries())],
  ["%SetIterator%", getPrototypeOf(new Set().values())],
  ["%StringIterator%", getPrototypeOf(""[Symbol.iterator]())],
  ["%RegExpStringIterator%", getPrototypeOf("".matchAll(/x/g))],
  ["%Generator%", getPrototypeOf(getPrototypeOf((function* () {})()))],
  ["%AsyncGenerator%", getPrototypeOf(getPrototypeOf((async function* () {})()))],
  ["%TypedArray%", getPrototypeOf(Uint8Array)],
  ["%TypedArray%.prototype", getPrototypeOf(Uint8Array.prototype)],
];
/** Node keeps these behind a getter and a setter of its own. */
const variables: [string, object][] = [
  ["process", process],
  ["Buffer", Buffer],
];
const ownProcess = process;
const libraries = { EventEmitter: EventEmitter.prototype, fs, path, util, vm, Module, process, console };

/** What must not be added to objects that all others inherit from: JSON, promises and lists would not be any more. */
const forbiddenKeys: PropertyKey[] = ["toJSON", "then", "get", "set", "value", "writable", "configurable"];

/**
 * A picture of what there was at the start. What a cell changes in the language's own objects is put back when the
 * cell's code has run, and said; of what belongs to Node (timers, console, fs …) only what cannot be called any more.
 * Additions stay, unless every object would have them and JSON or promises not work.
 */
export class Intrinsics {
  private readonly saved: Saved[] = [];
  private readonly roots: { holder: object; name: string; keys: Set<PropertyKey> }[] = [];
  private readonly handlers: { event: string; handler: (...args: never[]) => void }[] = [];

  constructor() {
    // What it inherits could be hidden by a property of its own, which is then seen as a change.
    for (const key of Object.keys(EventEmitter.prototype)) {
      const value: unknown = get(EventEmitter.prototype, key);
      if (isCallable(value)) defineProperty(process, key, { value, writable: true, configurable: true });
    }
    for (const each of language) {
      this.save(each.name, each, true);
      this.save(`${each.name}.prototype`, each.prototype, true);
    }
    for (const [name, holder] of [...Object.entries(namespaces), ...hidden]) this.save(name, holder, true);
    for (const [name, holder] of Object.entries(libraries)) this.save(name, holder, false);
    this.save("globalThis", globalThis, false);
    for (const { name, prototype } of [Object, Array, String, Number, Boolean])
      this.roots.push({ holder: prototype, name: `${name}.prototype`, keys: new Set(ownKeys(prototype)) });
  }

  /** Listens to an event of the process, also after `process.removeAllListeners()`. */
  listen(event: string, handler: (...args: never[]) => void): void {
    this.handlers[this.handlers.length] = { event, handler };
    apply(on, process, [event, handler]);
  }

  /** @returns the names of what had to be put back or taken away, as one text; "" for none */
  restore(): string {
    let names = "";
    const { saved, roots, handlers } = this;
    for (let index = 0; index < saved.length; index++) {
      const { holder, key, name, property, isLanguage } = saved[index];
      // Most are as they were, which this sees at a tenth of the price.
      if (property.value !== undefined && holds(holder, key, property.value)) continue;
      const now = getOwnPropertyDescriptor(holder, key);
      if (now !== undefined && isIntact(now, property, isLanguage)) continue;
      if (tryTo(() => defineProperty(holder, key, property))) names += (names === "" ? "" : ", ") + name;
    }
    for (let index = 0; index < variables.length; index++) {
      const [name, value] = variables[index];
      if (isObject(get(globalThis, name))) continue;
      set(globalThis, name, value);
      names += (names === "" ? "" : ", ") + name;
    }
    for (let index = 0; index < roots.length; index++) {
      const { holder, name, keys } = roots[index];
      const present = ownKeys(holder);
      for (let at = 0; at < present.length; at++) {
        const key = present[at];
        if (keys.has(key) || !isForbidden(holder, key)) continue;
        if (deleteProperty(holder, key)) names += `${names === "" ? "" : ", "}${name}.${String(key)}`;
      }
    }
    for (let index = 0; index < handlers.length; index++) {
      const { event, handler } = handlers[index];
      const present: unknown[] = apply(listeners, ownProcess, [event]);
      if (!present.includes(handler)) apply(on, ownProcess, [event, handler]);
    }
    return names;
  }

  private save(owner: string, holder: object, isLanguage: boolean): void {
    for (const key of ownKeys(holder)) {
      const property = getOwnPropertyDescriptor(holder, key);
      if (!property || !(property.configurable || property.writable)) continue;
      if (!isCallable(property.value) && (!isLanguage || !property.get) && !isRoot(holder, property.value))
        continue;
      // What the interpreter gives a plain object to inherit from must not be inherited here.
      Object.setPrototypeOf(property, null);
      const name = `${owner === "globalThis" ? "" : `${owner}.`}${String(key)}`;
      this.saved.push({ holder, key, name, property, isLanguage });
    }
  }
}

function holds(holder: object, key: PropertyKey, value: unknown): boolean {
  try {
    return get(holder, key) === value;
  } catch {
    return false;
  }
}

const isCallable = (value: unknown) => typeof value === "function";
const isObject = (value: unknown) => (typeof value === "object" && value !== null) || isCallable(value);
/** Objects such as JSON on globalThis. */
const isRoot = (holder: object, value: unknown) => holder === globalThis && isObject(value);

function isIntact(now: PropertyDescriptor, before: PropertyDescriptor, isLanguage: boolean): boolean {
  if (isLanguage) return now.value === before.value && now.get === before.get;
  if (isCallable(before.value)) return isCallable(now.value) || now.get !== undefined;
  return (
    now.get !== undefined || (typeof now.value === "object" && now.value !== null) || isCallable(now.value)
  );
}

function isForbidden(holder: object, key: PropertyKey): boolean {
  const property = getOwnPropertyDescriptor(holder, key);
  if (property?.get !== undefined || property?.set !== undefined) return true;
  if (typeof key === "string" && key !== "" && +key >= 0) return true;
  for (let index = 0; index < forbiddenKeys.length; index++) if (forbiddenKeys[index] === key) return true;
  return false;
}

function tryTo(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
