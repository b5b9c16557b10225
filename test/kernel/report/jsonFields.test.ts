// The fields of report/jsonFields.ts against zod, which reads the same rules by other code: what one takes, refuses, keeps and
// complains of first, the other does, too.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import {
  exactly,
  type Field,
  list,
  maybe,
  number,
  object,
  oneOf,
  optional,
  readFields,
  text,
  truth,
  whole,
} from "../../../kernel/src/report/jsonFields";

/** The same rule twice. */
interface Rule {
  ours: Field<unknown>;
  zods: z.ZodMiniType;
}

const plain: Rule[] = [
  { ours: text, zods: z.string() },
  { ours: number, zods: z.number() },
  { ours: whole, zods: z.int() },
  { ours: truth, zods: z.boolean() },
  { ours: oneOf(["a", "b"]), zods: z.enum(["a", "b"]) },
  { ours: exactly(1), zods: z.literal(1) },
];
const names = ["a", "b", "length"];
const rules = fc.letrec<{ rule: Rule }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(...plain),
    tie("rule").map(({ ours, zods }): Rule => ({ ours: maybe(ours), zods: z.nullable(zods) })),
    tie("rule").map(({ ours, zods }): Rule => ({ ours: list(ours), zods: z.array(zods) })),
    fc
      .array(fc.tuple(tie("rule"), fc.boolean()), { minLength: 1, maxLength: names.length })
      .map((fields): Rule => {
        const named = fields.map(([{ ours, zods }, isOptional], index) => ({
          name: names[index],
          ours: isOptional ? optional(ours) : ours,
          zods: isOptional ? z.optional(zods) : zods,
        }));
        return {
          ours: object(Object.fromEntries(named.map(({ name, ours }) => [name, ours]))),
          zods: z.object(Object.fromEntries(named.map(({ name, zods }) => [name, zods]))),
        };
      }),
  ),
}));
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      null,
      true,
      0,
      1,
      -0,
      0.5,
      1e300,
      2 ** 53,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      "",
      "a",
      "b",
    ),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names, "more", "__proto__"), tie("value"), { maxKeys: 4 }),
  ),
}));

const placeOf = (path: PropertyKey[]) =>
  path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");

describe("fields of JSON", () => {
  it("take, keep and refuse what zod does, and complain of the same place first", () => {
    let taken = 0;
    fc.assert(
      fc.property(rules.rule, values.value, ({ ours, zods }, value) => {
        const read = readFields("it", ours, value);
        const expected = zods.safeParse(value);
        if (expected.success) {
          expect(read).toEqual({ read: expected.data });
          taken++;
        } else {
          const place = placeOf(expected.error.issues[0].path).replace(/^\./, "");
          expect(read).toEqual(expect.stringMatching(/^it/));
          const said = (read as string).match(/^it(?:'s (\S+))? must/)?.[1] ?? "";
          expect(said).toBe(place);
        }
      }),
      { numRuns: 5000 },
    );
    expect(taken).toBeGreaterThan(200); // or nothing but refusals has been compared
  });
});
