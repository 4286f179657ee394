import { visible } from "../../core/visible.ts";
import type { Output } from "../support/output.ts";

/**
 * Lines at the end of what a terminal shows that are replaced as things go on, until they are left as they are or taken
 * away. Where nothing can be rewritten they are not shown.
 */
export class LiveLines {
  #shown = 0;

  constructor(private readonly out: Output) {}

  /** Replaces the lines before. Long ones are cut, so that each takes one of the terminal's. */
  show(lines: readonly string[]): void {
    if (!this.out.rewrites) return;
    const columns = this.out.columns() - 1;
    const cut = lines.map((line) => [...visible(line)].slice(0, columns).join(""));
    const back = this.#shown > 0 ? `\x1b[${this.#shown}A\r` : "";
    this.out.write(back + cut.map((line) => `${line}\x1b[K\n`).join("") + "\x1b[J");
    this.#shown = cut.length;
  }

  /** Takes the lines away; what is written next stands in their place. */
  clear(): void {
    if (this.#shown > 0) this.out.write(`\x1b[${this.#shown}A\r\x1b[J`);
    this.#shown = 0;
  }
}
