import type { Reporter } from "../progress.ts";

/** A reporter that tells another one everything, and notes what it warns of. */
export function noting(reporter: Reporter): { readonly reporter: Reporter; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const warning = (text: string) => {
    warnings.push(text);
    reporter.warning(text);
  };
  return {
    reporter: { line: (text) => reporter.line(text), warning, progress: (line) => reporter.progress(line) },
    warnings,
  };
}
