import type { z } from "zod";
import { acceptedBy, type JsonSchema } from "../../recipe/expected.ts";
import { optionKit } from "../kit.ts";
import { type Definitions, type PluginKind, pluginKinds } from "../registry.ts";
import { type Check, expect } from "./check.ts";

/** The setting in which definitions are checked. */
export interface DefinitionSetup {
  /** Options as a recipe would have them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The text of the file that it is in; `null` leaves its doc comment unchecked. */
  readonly text: string | null;
}

/** The checks of every plug-in before it is built. */
export function definitionChecks(definition: Definitions[PluginKind], { options, text }: DefinitionSetup): Check[] {
  const schema = () => definition.options(optionKit);
  return [
    {
      name: "definition has a kind, a name and a description",
      run: () => {
        const { kind, name, description } = definition;
        expect(pluginKinds.includes(kind), `kind is ${kind}: expected model, loss or dataset`);
        expect(
          /^[a-z][a-z\d]*(-[a-z\d]+)*$/.test(name),
          `name is "${name}": expected small letters, digits and hyphens`,
        );
        expect(/^\S[^\n]*[^\s.]$/.test(description ?? ""), "description must be one line without a full stop");
      },
    },
    ...(text === null ? [] : [{ name: "definition has a doc comment", run: () => expectDocComment(definition, text) }]),
    {
      name: "options are a strict map, each with a description",
      run: () => {
        const accepted = acceptedBy(schema());
        expect(accepted.type === "object", "options must be z.strictObject({...})");
        const { success } = schema().safeParse({ ...options, "no such option": 1 });
        expect(!success, "an unknown option is not refused: use z.strictObject");
        const bare = undescribed(accepted, []);
        expect(bare === null, `${bare} has no .describe("...")`);
      },
    },
    {
      name: "options are taken, defaults filled in",
      decisive: true,
      run: () => {
        const first = schema().safeParse(options);
        expect(first.success, first.success ? "" : issuesOf(first.error));
        const again = schema().safeParse(first.data);
        expect(again.success, again.success ? "" : `what the schema gives it does not take: ${issuesOf(again.error)}`);
        expect(
          JSON.stringify(again.data) === JSON.stringify(first.data),
          "what the schema gives changes when read again",
        );
      },
    },
  ];
}

/** The first option without a description, in words. */
function undescribed(schema: JsonSchema, path: string[]): string | null {
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const here = [...path, name];
    if (!("description" in inner)) return here.join(".");
    const deeper = undescribed(inner, here);
    if (deeper) return deeper;
  }
  return null;
}

function issuesOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": ")).join("; ");
}

/** A doc comment must stand right before the declaration that holds the definition's name. */
function expectDocComment({ name }: { readonly name: string }, text: string): void {
  const place = text.search(new RegExp(`\\bname:\\s*["'\`]${name}["'\`]`));
  const before = place < 0 ? text : text.slice(0, place);
  const declaration = [...before.matchAll(/^(?:export\s+)?(?:default\b|const\s+\w+)/gm)].at(-1);
  const commented = declaration && /\*\/\s*$/.test(before.slice(0, declaration.index));
  expect(Boolean(commented), "there is no /** ... */ right before it: say what it computes, and its paper");
}
