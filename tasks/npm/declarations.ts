import { dirname, join } from "node:path/posix";
import ts from "npm:typescript@6.0.3";
import { join as joinPath } from "node:path";

/** Each file by itself, as everything public has its type written out: what would have to be inferred is an error. */
const OPTIONS: ts.CompilerOptions = {
  isolatedDeclarations: true,
  declaration: true,
  strict: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
};

/** Where a type has `using`, older libraries of TypeScript's have to be told. */
const DISPOSABLE = '/// <reference lib="esnext.disposable" />\n';

/**
 * The declarations of all that entries reach.
 *
 * @param checkout the folder of the sources
 * @param entries their paths from there
 * @returns their text by their paths
 * @throws Error where a type is not written out
 */
export async function declarations(checkout: string, entries: readonly string[]): Promise<Map<string, string>> {
  const made = new Map<string, string>();
  const left = [...entries];
  for (let path; (path = left.pop()) !== undefined;) {
    const target = path.replace(/\.ts$/, ".d.ts");
    if (made.has(target)) continue;
    const declared = declare(path, await Deno.readTextFile(joinPath(checkout, path)));
    for (const [, imported] of declared.matchAll(IMPORT)) left.push(join(dirname(path), `${imported}.ts`));
    made.set(target, forAll(declared.replaceAll(IMPORT, (whole) => whole.replace(/\.ts"$/, '.js"'))));
  }
  return made;
}

/** What a declaration takes from another file. */
const IMPORT = /\b(?:from|import\() ?"(\.[^"]+)\.ts"/g;

/** @throws Error where a type is not written out */
function declare(fileName: string, text: string): string {
  const { outputText, diagnostics = [] } = ts.transpileDeclaration(text, {
    fileName,
    compilerOptions: OPTIONS,
    reportDiagnostics: true,
  });
  for (const { file, start, messageText } of diagnostics) {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 1;
    const reason = ts.flattenDiagnosticMessageText(messageText, " ");
    throw new Error(`Cannot write the types of ${fileName}:${line}: ${reason}`);
  }
  return outputText.replaceAll(TWICE, "").replaceAll(FOR_ITS_EFFECT, "");
}

/** An import that declares nothing. */
const FOR_ITS_EFFECT = /^import "[^"]+";\n/gm;

/** A method whose name is computed is declared a second time, as a property. */
const TWICE = /^ *(?:\/\*\*[^\n]*\*\/\n *)?\[Symbol\.dispose\]: \(\) => void;\n/gm;

/**
 * A declaration for every TypeScript: those before 6 do not know WebGPU without a package, with which the later ones do
 * not compile. An empty interface is filled in by either, and harms nobody without them.
 */
function forAll(text: string): string {
  const code = text.replaceAll(/\/\*[^]*?\*\//g, "");
  const types = [...new Set(code.match(/\bGPU\w*\b/g))].sort().map((name) => `  interface ${name} {}\n`);
  const reference = /\bDisposable\b|\bSymbol\.dispose\b/.test(code) ? DISPOSABLE : "";
  return reference + text + (types.length > 0 ? `declare global {\n${types.join("")}}\n` : "");
}
