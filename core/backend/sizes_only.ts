import type { Backend } from "./backend.ts";

/**
 * A backend that has the properties of another one and computes nothing: its storages are lengths without memory, and
 * what is enqueued or written is dropped. Nothing can be read from it.
 *
 * @param read is given what is read; without it that is refused
 */
export function sizesOnly(backend: Backend, read?: Backend["read"]): Backend {
  const { name, precision, description, parallel, mostNumbers, f16, traits, exchange } = backend;
  const nothing = () => {};
  const refuse = () => {
    throw new Error("Cannot read or compile where only sizes are looked at");
  };
  return {
    ...{ name, precision, description, parallel, mostNumbers, f16, traits, exchange },
    allocate: (length) => ({ length }),
    release: nothing,
    write: nothing,
    copy: nothing,
    run: nothing,
    compile: refuse,
    read: read ?? refuse,
    memory: () => backend.memory(),
    work: () => backend.work(),
    close: refuse,
  };
}
