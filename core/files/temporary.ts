/** The name of what is not yet whole, for the file of a name; it is another one each time. */
export function temporaryName(name: string): string {
  return `.${name}.${crypto.randomUUID()}.tmp`;
}

const TEMPORARY = /^\.(?:.+\.)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** Whether a name is one of {@link temporaryName}. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** What tells the temporary names of one file. */
export function temporaryOf(name: string): (temporary: string) => boolean {
  const begin = `.${name}.`;
  return (temporary) => temporary.startsWith(begin) && TEMPORARY.test(temporary.slice(begin.length - 1));
}
