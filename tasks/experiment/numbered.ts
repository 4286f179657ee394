import type { Checked } from "../../core/recipe/checked.ts";

/**
 * Refuses names that are whole numbers, of which a map does not keep the order.
 *
 * @param checked a file
 * @param key its map by these names
 * @param kind what they name, for the message: `row`
 * @param example a word that may stand before a number
 * @throws UserError at the first of them
 */
export function refuseNumbers<Key extends string>(
  checked: Checked<Readonly<Record<Key, object>>>,
  key: Key,
  kind: string,
  example: string,
): void {
  const numbered = Object.keys(checked.value[key]).find((name) => /^\d+$/.test(name));
  if (numbered === undefined) return;
  throw checked.error(
    [key, numbered],
    `Expected a ${kind}'s name that is no number, as in ${example}${numbered}: got ${JSON.stringify(numbered)}`,
    "key",
  );
}
