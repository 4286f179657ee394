import assert from "node:assert/strict";
import { recipeJsonSchema } from "../../../core/recipe/json_schema.ts";

interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
}

/** The paths of all keys that a schema knows, with the schema of each. */
function fields(schema: Schema, path = ""): [string, Schema][] {
  const alternatives = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((inner) => fields(inner, path));
  const items = schema.items ? fields(schema.items, `${path}[]`) : [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, inner]): [string, Schema][] => [
    [`${path}.${key}`, inner],
    ...fields(inner, `${path}.${key}`),
  ]);
  return [...own, ...items, ...alternatives];
}

Deno.test("every field of a recipe has a description", () => {
  const all = fields(recipeJsonSchema() as Schema);
  assert.ok(all.length > 60, `${all.length} fields`);
  assert.deepEqual(all.filter(([, schema]) => !schema.description).map(([path]) => path), []);
});

Deno.test("the schema for editors refuses unknown keys and asks only for what has no default", () => {
  const schema = recipeJsonSchema() as { required: string[]; additionalProperties: boolean; $schema: string };
  assert.deepEqual(schema.required, ["name", "dataset", "student", "losses", "train"]);
  assert.equal(schema.additionalProperties, false);
  assert.equal(schema.$schema, "http://json-schema.org/draft-07/schema#");
});
