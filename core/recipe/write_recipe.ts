import { Document, isScalar, visit } from "yaml";

/**
 * Writes a recipe as YAML. Read again, the text gives the same value.
 *
 * @param recipe maps, lists, strings, numbers, booleans and null
 * @returns the text; short lists stand on one line: `rows: [4, 1, 4]`
 */
export function stringifyRecipe(recipe: unknown): string {
  // Without this a list used twice would be written once, and then as an alias of itself.
  const document = new Document(recipe, { aliasDuplicateObjects: false });
  visit(document, {
    Seq(_, list) {
      list.flow = list.items.every((item) => isScalar(item));
    },
  });
  return document.toString({ lineWidth: 120, flowCollectionPadding: false });
}
