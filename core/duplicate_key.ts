/**
 * Finds a key that stands twice in one object of a JSON text. `JSON.parse` keeps the last of them without a word, so
 * that two readers of one file could disagree about what it holds.
 *
 * @param json valid JSON: `JSON.parse` has accepted it
 * @returns the first repeated key, or undefined if there is none
 */
export function findDuplicateKey(json: string): string | undefined {
  const openObjects: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    if (json[i] === "{") openObjects.push(new Set());
    else if (json[i] === "}") openObjects.pop();
    else if (json[i] === '"') {
      const end = endOfString(json, i);
      if (isFollowedByColon(json, end)) {
        // Parsed, since "a" and "\u0061" are the same key.
        const key: string = JSON.parse(json.slice(i, end));
        const keys = openObjects[openObjects.length - 1];
        if (keys.has(key)) return key;
        keys.add(key);
      }
      i = end - 1;
    }
  }
  return undefined;
}

/** The index just after the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i + 1;
}

function isFollowedByColon(json: string, index: number): boolean {
  while (" \n\r\t".includes(json[index])) index++;
  return json[index] === ":";
}
