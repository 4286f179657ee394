/** Runs a method of an object by its name, or does something else instead. */
export type Around = (name: string, body: () => unknown) => unknown;

/**
 * An object whose methods run within something: what tells their mistakes. The object itself is left as it is, and its
 * methods are called on it, so that one of a class keeps its private fields.
 *
 * @param replaced takes the place of members of the same names
 */
export function withMethods<Part extends object>(part: Part, around: Around, replaced: Partial<Part> = {}): Part {
  const get = (key: string | symbol): unknown => {
    if (Object.hasOwn(replaced, key)) return Reflect.get(replaced, key);
    const value = Reflect.get(part, key);
    if (typeof value !== "function") return value;
    return (...call: unknown[]) => around(String(key), () => value.apply(part, call));
  };
  return new Proxy({} as Part, {
    get: (_, key) => get(key),
    has: (_, key) => Reflect.has(part, key),
    // For copies such as { ...loss }.
    ownKeys: () => Reflect.ownKeys(part),
    getOwnPropertyDescriptor: (_, key) => ({ value: get(key), enumerable: true, configurable: true, writable: true }),
  });
}
