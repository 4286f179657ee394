/** As much of Node.js's workers as the cpu backend uses, by the browser's own. */
export class Worker {
  readonly #worker: globalThis.Worker;
  readonly #ended: (() => void)[] = [];

  constructor(source: string, _options: { readonly eval: true }) {
    const program = `const close = self.close.bind(self);
self.close = () => { postMessage("ended"); close(); };
${source}`;
    const url = URL.createObjectURL(
      new Blob([program], { type: "text/javascript" }),
    );
    this.#worker = new globalThis.Worker(url);
    this.#worker.addEventListener("message", ({ data }) => {
      if (data === "ended") {
        for (const tell of this.#ended.splice(0)) tell();
      }
    });
  }

  once(
    event: "message" | "error" | "exit",
    tell: (value: unknown) => void,
  ): void {
    if (event === "exit") this.#ended.push(() => tell(0));
    else {this.#worker.addEventListener(event, (value) => tell(value), {
        once: true,
      });}
  }

  postMessage(data: unknown): void {
    this.#worker.postMessage(data);
  }

  terminate(): Promise<void> {
    this.#worker.terminate();
    for (const tell of this.#ended.splice(0)) tell();
    return Promise.resolve();
  }

  ref(): void {}
  unref(): void {}
}
