import type typescript from "@tslab/typescript-for-tslab";

type Ts = typeof typescript;

/** Names of the values that a .d.ts text declares, imports left aside. */
export function declaredValues(ts: Ts, declarations: string): string[] {
  return parse(ts, declarations).statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(({ name }) => name.getText());
    return nameOf(ts, statement) ?? [];
  });
}

/** The .d.ts text without the values of these names. */
export function withoutValues(ts: Ts, declarations: string, names: ReadonlySet<string>): string {
  const file = parse(ts, declarations);
  const kept = file.statements.flatMap((statement): string | string[] => {
    if (!ts.isVariableStatement(statement)) {
      const name = nameOf(ts, statement);
      return name !== null && names.has(name) ? [] : statement.getText();
    }
    const list = statement.declarationList;
    const variables = list.declarations.filter(({ name }) => !names.has(name.getText()));
    if (variables.length === list.declarations.length) return statement.getText();
    const keyword = list.flags & ts.NodeFlags.Const ? "const" : "let";
    return variables.map((variable) => `declare ${keyword} ${variable.getText()};`);
  });
  return kept.map((line) => `${line}\n`).join("");
}

const parse = (ts: Ts, declarations: string) =>
  ts.createSourceFile("declarations.d.ts", declarations, ts.ScriptTarget.Latest, true);

function nameOf(ts: Ts, statement: typescript.Statement): string | null {
  const declaresValue =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return (declaresValue && statement.name?.text) || null;
}
