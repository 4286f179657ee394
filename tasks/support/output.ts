import { fileError } from "../../core/files.ts";

/** Where the program writes. */
export interface Output {
  /** Whether a person sees it as it is written. */
  readonly terminal: boolean;
  /** Whether a line can be rewritten in place there, and nobody asked for plain ones. */
  readonly rewrites: boolean;
  /** Characters in a line of the terminal. */
  columns(): number;
  /** Writes a text as it is. */
  write(text: string): void;
  /** Writes a line. */
  line(text: string): void;
}

/** The process's standard output or standard error. */
export function standardOutput(stream: "stdout" | "stderr"): Output {
  const target = Deno[stream];
  const bytes = new TextEncoder();
  const write = (text: string) => {
    const all = bytes.encode(text);
    try {
      for (let begin = 0; begin < all.length;) begin += target.writeSync(all.subarray(begin));
    } catch (error) {
      // Who reads may have seen enough (`| head`), or a terminal was closed: that is no reason to stop a training.
      const gone = error instanceof Deno.errors.BrokenPipe || (error as { code?: string }).code === "EIO";
      if (!gone) throw fileError(error, "write to", stream === "stdout" ? "standard output" : "standard error");
    }
  };
  const terminal = target.isTerminal();
  const rewrites = terminal && isRewritable(Deno.noColor, variable("TERM"), variable("CI"));
  return { terminal, rewrites, columns: terminalColumns, write, line: (text) => write(`${text}\n`) };
}

/**
 * Whether a terminal's line may be rewritten: not where `NO_COLOR` is set, not on a dumb terminal, which knows no
 * control characters, and not in CI, whose logs keep every line.
 *
 * @param term what `TERM` is
 * @param ci what `CI` is
 */
export function isRewritable(noColor: boolean, term = "", ci = ""): boolean {
  return !noColor && term !== "dumb" && ["", "0", "false"].includes(ci);
}

/** A variable of the environment, if the program was given it to read. */
function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

function terminalColumns(): number {
  try {
    // A terminal that does not know its size says 0.
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** Emphasis for parts of a text; none where the output is no terminal or colour is not wanted. */
export interface Styles {
  strong(text: string): string;
  warning(text: string): string;
}

/**
 * Bold and colours for a terminal; none elsewhere, and none if `NO_COLOR` is set (https://no-color.org).
 *
 * @param noColor for tests; what `NO_COLOR` says by default
 */
export function stylesOf({ terminal }: Output, noColor = Deno.noColor): Styles {
  const style = (begin: number, end: number) => (text: string) =>
    terminal && !noColor ? `\x1b[${begin}m${text}\x1b[${end}m` : text;
  return { strong: style(1, 22), warning: style(33, 39) };
}
