import type { Calls, News, Question, Reply } from "./messages.ts";

/** A call that failed; its message is a sentence for the user. */
export class Refused extends Error {
  /** @param ofUser whether what was given is wrong, and not the program */
  constructor(message: string, readonly ofUser: boolean) {
    super(message);
  }
}

/** The worker, asked by calls that give promises. */
export class Remote {
  #asked = 0;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();

  /** @param hear is told what the worker does */
  constructor(hear: (news: News) => void) {
    this.#worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if (data.id === null) return hear(data.news);
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("failure" in data) waiting?.reject(new Refused(data.failure, data.ofUser));
      else waiting?.resolve(data.result);
    };
    this.#worker.onerror = ({ message }) => {
      const failure = new Refused(`The page's worker cannot go on: ${message || "it could not be loaded"}`, false);
      for (const { reject } of this.#waiting.values()) reject(failure);
      this.#waiting.clear();
    };
  }

  /** Asks for something. @throws Refused */
  call<Name extends keyof Calls>(call: Name, ...args: Parameters<Calls[Name]>): ReturnType<Calls[Name]> {
    const id = ++this.#asked;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const question: Question = { id, call, args };
    this.#worker.postMessage(question);
    return waiting.promise as ReturnType<Calls[Name]>;
  }
}
