import type { Output } from "../../tasks/support/output.ts";

/** An output that keeps what it is given. */
export interface FakeOutput extends Output {
  /** All that was written. */
  text: string;
}

/** An output for tests: a file, or a terminal of so many columns. */
export function fakeOutput(terminalColumns?: number): FakeOutput {
  const output: FakeOutput = {
    text: "",
    terminal: terminalColumns !== undefined,
    rewrites: terminalColumns !== undefined,
    columns: () => terminalColumns ?? 80,
    write: (text) => void (output.text += text),
    line: (text) => output.write(`${text}\n`),
  };
  return output;
}
