/** One file as the tidy rules see it: its text, and for TypeScript what the compiler's parser finds in it. */
import { dirname, join } from 'node:path';
import ts from 'typescript';

export interface Found {
  readonly line: number;
  readonly what: string;
}

export interface Import extends Found {
  /** `spawn`: named by `new URL('…', import.meta.url)`, so started or read, not imported. */
  readonly kind: 'value' | 'type' | 'spawn';
}

export interface Source {
  readonly path: string;
  readonly lines: readonly string[];
  /** Own files as paths from the root, others by their package name or `node:…`. */
  readonly imports: readonly Import[];
  /** Name and length in lines of each function. */
  readonly functions: readonly (Found & { readonly length: number })[];
  /** `process.env`, `Date.now`, `new Date`, `setTimeout` … wherever they stand. */
  readonly uses: readonly Found[];
  readonly emptyCatches: readonly Found[];
}

export function parseSource(path: string, text: string): Source {
  const source = {
    path,
    lines: text.split('\n'),
    imports: [] as Import[],
    functions: [] as (Found & { length: number })[],
    uses: [] as Found[],
    emptyCatches: [] as Found[],
  };
  if (!path.endsWith('.ts')) return source;
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const lineOf = (position: number): number => file.getLineAndCharacterOfPosition(position).line + 1;
  const visit = (node: ts.Node): void => {
    const line = lineOf(node.getStart());
    const from = importOf(node);
    if (from !== null) source.imports.push({ line, kind: from.kind, what: resolved(path, from) });
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const name = node.name?.getText() ?? 'a function';
      source.functions.push({ line, what: name, length: lineOf(node.getEnd()) - line + 1 });
    }
    if (ts.isCatchClause(node) && node.block.statements.length === 0) source.emptyCatches.push({ line, what: 'catch' });
    const use = useOf(node);
    if (use !== null) source.uses.push({ line, what: use });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return source;
}

function importOf(node: ts.Node): { name: string; kind: Import['kind'] } | null {
  const text = (of: ts.Node | undefined): string | null => (of && ts.isStringLiteralLike(of) ? of.text : null);
  const made = (name: string | null, kind: Import['kind']) => (name === null ? null : { name, kind });
  if (ts.isImportDeclaration(node)) {
    const clause = node.importClause;
    const named = clause?.namedBindings;
    const onlyTypes =
      clause?.isTypeOnly === true ||
      (!clause?.name && named && ts.isNamedImports(named) && named.elements.every((element) => element.isTypeOnly));
    return made(text(node.moduleSpecifier), onlyTypes ? 'type' : 'value');
  }
  if (ts.isExportDeclaration(node)) return made(text(node.moduleSpecifier), node.isTypeOnly ? 'type' : 'value');
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return made(text(node.argument.literal), 'type');
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return made(text(node.arguments[0]), 'value');
  }
  if (ts.isNewExpression(node) && node.expression.getText() === 'URL') {
    if (node.arguments?.[1]?.getText() === 'import.meta.url') return made(text(node.arguments[0]), 'spawn');
  }
  return null;
}

function resolved(from: string, { name, kind }: { readonly name: string; readonly kind: Import['kind'] }): string {
  // A URL is relative without a dot as well.
  if (name.startsWith('.') || (kind === 'spawn' && !/^[a-z]+:/.test(name))) return join(dirname(from), name);
  if (name.startsWith('node:')) return name;
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

function useOf(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node)) return node.getText().replace(/^globalThis\./, '');
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) return 'new Date';
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) return node.moduleSpecifier.text;
  if (!ts.isIdentifier(node)) return null;
  const parent = node.parent;
  const isName = (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent)) && parent.name === node;
  return isName ? null : node.text;
}
