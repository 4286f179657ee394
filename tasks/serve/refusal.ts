/** A request that is answered by an error. */
export class Refusal extends Error {
  static {
    this.prototype.name = "Refusal";
  }

  /** Its status of HTTP, a sentence, and headers that belong to it. */
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}
