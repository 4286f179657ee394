/** What is disposed of together, the last first. `DisposableStack`, which is younger than many engines in use. */
export class Owned implements Disposable {
  #disposals: (() => void)[] = [];

  /** Takes something that knows how to dispose of itself. */
  use<Value extends Disposable>(value: Value): Value {
    return this.adopt(value, (value) => value[Symbol.dispose]());
  }

  /** Takes something that is disposed of by a function. */
  adopt<Value>(value: Value, dispose: (value: Value) => void): Value {
    this.defer(() => dispose(value));
    return value;
  }

  /** Has a function called in the end. */
  defer(dispose: () => void): void {
    this.#disposals.push(dispose);
  }

  /** All that is owned, with a new owner: disposing of this one does nothing any more. */
  move(): Owned {
    const owner = new Owned();
    owner.#disposals = this.#disposals;
    this.#disposals = [];
    return owner;
  }

  /** Disposes of everything, once. What fails keeps nothing else from it; the first failure is thrown in the end. */
  dispose(): void {
    const failures: unknown[] = [];
    for (let last; (last = this.#disposals.pop());) {
      try {
        last();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
