import assert from "node:assert/strict";
import { z } from "zod";
import { OptionError } from "../../../core/errors.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";

const shape = z.strictObject({
  epochs: z.int().min(1),
  mode: z.enum(["fast", "careful"]).default("fast"),
  rate: z.union([z.literal("auto"), z.number().gt(0).lt(1), z.null()]).default("auto"),
  sizes: z.array(z.int().min(1)).min(1).default([8]),
  betas: z.tuple([z.number(), z.number()]).default([0.9, 0.99]),
  flag: z.boolean().default(false),
  title: z.string().min(1).nullable().default(null),
  code: z.string().regex(/^\d+$/).default("1"),
  optimiser: z.discriminatedUnion("use", [
    z.strictObject({ use: z.literal("sgd"), momentum: z.number().default(0) }),
    z.strictObject({ use: z.literal("adamw"), epsilon: z.number().positive().default(1e-8) }),
  ]).prefault({ use: "sgd" }),
  parts: z.array(z.looseObject({ use: z.string() })).default([]),
}).refine(({ epochs, flag }) => !flag || epochs > 1, { error: "Expected 2 epochs or more for flag", path: ["flag"] });

function message(text: string, overrides: string[] = []): string {
  try {
    parseChecked(text, "r.yaml", shape, { overrides });
  } catch (error) {
    assert.equal((error as Error).name, "UserError", String((error as Error).stack));
    return (error as Error).message;
  }
  throw new Error(`nothing is wrong with ${text} ${overrides}`);
}

Deno.test("defaults are filled in and overrides are set before checking", () => {
  const { value } = parseChecked("epochs: 3\nsizes: [1, 2]\n", "r.yaml", shape, {
    overrides: [
      "epochs=5",
      "sizes[2]=3",
      "optimiser.momentum=0.5",
      "optimiser.use=sgd",
      "title='7'",
      "parts=[{use: a}]",
    ],
  });
  assert.deepEqual(value, {
    epochs: 5,
    mode: "fast",
    rate: "auto",
    sizes: [1, 2, 3],
    betas: [0.9, 0.99],
    flag: false,
    title: "7",
    code: "1",
    optimiser: { use: "sgd", momentum: 0.5 },
    parts: [{ use: "a" }],
  });
});

Deno.test("a value that the schema refuses is named with line, column and what would be right", () => {
  const known: [string, string][] = [
    ["epoch: 3", '1:1: Unknown key "epoch" at the top level: did you mean "epochs"?'],
    ["epochs: 3\nmomentum: 1", '2:1: Unknown key "momentum" at the top level: it belongs in optimiser'],
    [
      "epochs: 3\nxyz: 1",
      '2:1: Unknown key "xyz" at the top level: expected epochs, mode, rate, sizes, betas, flag, title, code, ' +
      "optimiser or parts",
    ],
    ["mode: fast", '1:1: Missing key "epochs" at the top level: expected an integer >= 1'],
    ["epochs: 0", "1:9: Expected an integer >= 1 for epochs: got 0"],
    ["epochs: 1.5", "1:9: Expected an integer >= 1 for epochs: got 1.5"],
    ['epochs: "3"', '1:9: Expected an integer >= 1 for epochs: got "3"'],
    ["epochs:", "1:8: Expected an integer >= 1 for epochs: got null"],
    ["epochs: .inf", "1:9: Expected an integer >= 1 for epochs: got Infinity"],
    ["epochs: 3\nmode: carefull", '2:7: Expected fast or careful for mode: got "carefull", did you mean "careful"?'],
    ["epochs: 3\nmode: slow", '2:7: Expected fast or careful for mode: got "slow"'],
    ["epochs: 3\nrate: fast", '2:7: Expected auto, a number > 0 and < 1 or null for rate: got "fast"'],
    ["epochs: 3\nrate: 1", "2:7: Expected auto, a number > 0 and < 1 or null for rate: got 1"],
    [
      "epochs: 3\nsizes: []",
      "2:8: Expected a list of at least 1 entry, each an integer >= 1 for sizes: got an empty list",
    ],
    ["epochs: 3\nsizes: [1, 0]", "2:12: Expected an integer >= 1 for sizes[1]: got 0"],
    ["epochs: 3\nsizes:\n  - 1\n  - a", '4:5: Expected an integer >= 1 for sizes[1]: got "a"'],
    ["epochs: 3\nbetas: [1]", "2:8: Expected a list of exactly 2 entries, each a number for betas: got [1]"],
    ["epochs: 3\nflag: yes", '2:7: Expected true or false for flag: got "yes"'],
    ["epochs: 3\ntitle: ''", '2:8: Expected a non-empty string or null for title: got ""'],
    ["epochs: 3\ncode: a", '2:7: Expected a string that matches ^\\d+$ for code: got "a"'],
    ["epochs: 3\noptimiser: sgd", '2:12: Expected a map with use for optimiser: got "sgd"'],
    ["epochs: 3\noptimiser: {}", '2:12: Missing key "use" in optimiser: expected sgd or adamw'],
    [
      "epochs: 3\noptimiser:\n  use: adam",
      '3:8: Expected sgd or adamw for optimiser.use: got "adam", did you mean "adamw"?',
    ],
    [
      "epochs: 3\noptimiser:\n  use: adamw\n  momentum: 1",
      '4:3: Unknown key "momentum" in optimiser (use: adamw): expected use or epsilon',
    ],
    ["epochs: 3\nparts:\n  - use: a\n  - name: b", '4:5: Missing key "use" in parts[1]: expected a string'],
    ["epochs: 3\nparts: {a: 1}", "2:8: Expected a list for parts: got a map"],
    ["epochs: 1\nflag: true", "2:7: Expected 2 epochs or more for flag: got true"],
    [`epochs: 3\nmode: ${"a".repeat(80)}`, `2:7: Expected fast or careful for mode: got "${"a".repeat(57)}..."`],
  ];
  for (const [text, expected] of known) assert.equal(message(text), `r.yaml:${expected}`, text);
});

Deno.test("mistakes stand in the order of the file, five at most", () => {
  assert.equal(
    message("a1: 1\na2: 2\nepochs: 0\nmode: 1\nflag: 2\ntitle: 3\ncode: 4", ["rate=2"]),
    [
      "a1",
      "a2",
    ].map((key, i) =>
      `r.yaml:${
        i + 1
      }:1: Unknown key "${key}" at the top level: expected epochs, mode, rate, sizes, betas, flag, title, ` +
      "code, optimiser or parts\n"
    ).join("") +
      "r.yaml:3:9: Expected an integer >= 1 for epochs: got 0\n" +
      "r.yaml:4:7: Expected fast or careful for mode: got 1\n" +
      "r.yaml:5:7: Expected true or false for flag: got 2\n" +
      "and 3 more",
  );
});

Deno.test("text that is not one YAML map is refused with line and column", () => {
  const known: [string, string][] = [
    ["", "1:1: Expected a map: got nothing"],
    ["# only a comment\n", "1:1: Expected a map: got nothing"],
    ["- 1\n- 2", "1:1: Expected a map: got [1,2]"],
    ["\n  hello", '2:3: Expected a map: got "hello"'],
    ["epochs: 1\nepochs: 2", '2:1: Duplicate key "epochs": it was first given at 1:1'],
    [
      "epochs: 1\nparts:\n  - {use: a}\n  - {use: a, x: 1, x: 2}\nepochs: 2",
      '4:20: Duplicate key "x" in parts[1]: it was first given at 4:14\n' +
      'r.yaml:5:1: Duplicate key "epochs": it was first given at 1:1',
    ],
    ["optimiser:\n\tuse: sgd", "2:1: Cannot indent with a tab: YAML takes spaces only"],
    ["epochs: 1\n---\nepochs: 2", '2:1: Cannot read a second document ("---"): a file holds one'],
    [
      "epochs: [1",
      "1:11: Cannot read the YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    [
      "epochs: @1",
      "1:9: Cannot read the YAML: Plain value cannot start with reserved character @; put such a text in quotes",
    ],
    [
      "epochs: !int 1",
      "1:9: Cannot read the YAML: Unresolved tag: !int; values are texts, numbers, true, false, null, lists and maps, " +
      "without a tag",
    ],
    ...["!!set {a}", "!!binary aGk=", "!!timestamp 2001-01-01", "!!omap [a: 1]"].map((value): [string, string] => {
      const [tag] = value.split(" ");
      const right = "values are texts, numbers, true, false, null, lists and maps, without a tag";
      return [`epochs: ${value}`, `1:${10 + tag.length}: Cannot take a value of the tag ${tag}: ${right}`];
    }),
    ["? [epochs]\n: 1", "1:3: Cannot take a list or a map as a key: a key is a word"],
    ["epochs: *a", '1:9: Unknown alias "*a": no anchor of this name before it'],
    ["parts: &a [*a]", '1:12: Cannot follow the alias "*a" as it stands inside its own anchor'],
  ];
  for (const [text, expected] of known) assert.equal(message(text), `r.yaml:${expected}`, text);
});

Deno.test("aliases of aliases that would fill the memory are refused", () => {
  const bomb = Array.from({ length: 30 }, (_, i) => `k${i}: &a${i} [${Array(9).fill(i ? `*a${i - 1}` : 1)}]`).join(
    "\n",
  );
  assert.match(message(bomb), /^r\.yaml:30:\d+: Cannot follow the aliases: they repeat more than 100 values$/);
});

Deno.test("text that is nested too deeply is refused", () => {
  assert.match(
    message("parts: " + "[".repeat(100_000)),
    /^r\.yaml:1:\d+: Cannot read the YAML as it is nested too deeply$/,
  );
});

Deno.test("a few aliases are read, and a mistake behind one is found where it was written", () => {
  const text = "epochs: 3\nsizes: &s [1, 2]\nbetas: *s\n";
  assert.deepEqual(parseChecked(text, "r.yaml", shape).value.betas, [1, 2]);
  assert.equal(
    message("epochs: 3\nparts: [&p {use: 1}, *p]"),
    [
      "r.yaml:2:18: Expected a string for parts[0].use: got 1",
      "r.yaml:2:18: Expected a string for parts[1].use: got 1",
    ].join("\n"),
  );
  const { value } = parseChecked(text, "r.yaml", shape, { overrides: ["sizes[0]=7"] });
  assert.deepEqual([value.sizes, value.betas], [[7, 2], [1, 2]]);
  const parts = parseChecked("epochs: 3\nparts: [&p {use: a}, *p]", "r.yaml", shape, { overrides: ["parts[1].use=b"] });
  assert.deepEqual(parts.value.parts, [{ use: "a" }, { use: "b" }]);
});

Deno.test("a mistake in an override names the override", () => {
  const known: [string, string][] = [
    ["epoch=3", 'Unknown key "epoch" at the top level: did you mean "epochs"?'],
    ["epochs=many", 'Expected an integer >= 1 for epochs: got "many"'],
    ["epochs=", "Expected an integer >= 1 for epochs: got null"],
    ["sizes[1]=0", "Expected an integer >= 1 for sizes[1]: got 0"],
    ["optimiser.momentum=1", 'Missing key "use" in optimiser: expected sgd or adamw'],
    ["optimiser={use: sgd, x: 1}", 'Unknown key "x" in optimiser (use: sgd): expected use or momentum'],
    ["parts=[{use: 1}]", "Expected a string for parts[0].use: got 1"],
    ["epochs", "Cannot find the value: write it as a.b[0].c=value"],
    ["=3", 'Cannot read the path "" at character 1: write it as a.b[0].c'],
    ["sizes[x]=3", 'Cannot read the path "sizes[x]" at character 6: write it as a.b[0].c'],
    ["epochs=[1", "Cannot read the YAML: Flow sequence must end with a ]"],
    ["epochs.x=1", "Cannot set epochs.x as epochs is 3, which holds nothing"],
    ["sizes.x=1", "Cannot set sizes.x as sizes is a list: name an entry as sizes[0]"],
    ["sizes[2]=1", "Cannot set sizes[2] as sizes has 1 entry: the last that can be set is sizes[1]"],
    ["optimiser[0]=1", "Cannot set optimiser[0] as optimiser is not given: set the whole list"],
    ["[0]=1", "Cannot set [0] as the recipe is a map, not a list"],
    [
      "toString.x=1",
      'Unknown key "toString" at the top level: expected epochs, mode, rate, sizes, betas, flag, title, ' +
      "code, optimiser or parts",
    ],
    [
      "__proto__.epochs=1",
      'Unknown key "__proto__" at the top level: expected epochs, mode, rate, sizes, betas, flag, ' +
      "title, code, optimiser or parts",
    ],
  ];
  for (const [override, expected] of known) {
    assert.equal(message("epochs: 3\nsizes: [1]", [override]), `--set ${override}: ${expected}`);
  }
  assert.equal(({} as { epochs?: number }).epochs, undefined);
});

Deno.test("what another flag sets is named by the flag", () => {
  const overrides = [{ path: ["epochs"], value: "x", label: "--epochs x" }];
  assert.throws(() => parseChecked("{}", "r.yaml", shape, { overrides }), {
    message: '--epochs x: Expected an integer >= 1 for epochs: got "x"',
  });
});

const options = z.strictObject({
  temperature: z.number().positive().default(4),
  layers: z.record(z.string(), z.string()),
});

Deno.test("a plug-in's options are checked in place, and the shared keys stay", () => {
  const checked = parseChecked("epochs: 1\nparts: [{use: kd, weight: 2, layers: {a.b: c}}]", "r.yaml", shape);
  assert.deepEqual(checked.check(["parts", 0], options, ["use", "weight"]), { temperature: 4, layers: { "a.b": "c" } });
  assert.deepEqual(checked.value.parts, [{ use: "kd", weight: 2, temperature: 4, layers: { "a.b": "c" } }]);
});

Deno.test("a mistake in a plug-in's options is placed as any other", () => {
  const known: [string, string[], string][] = [
    [
      "{use: kd, temprature: 2, layers: {}}",
      [],
      'r.yaml:3:15: Unknown key "temprature" in parts[0] (use: kd): did you ' +
      'mean "temperature"?',
    ],
    [
      "{use: kd, wieght: 2, layers: {}}",
      [],
      'r.yaml:3:15: Unknown key "wieght" in parts[0] (use: kd): did you mean ' +
      '"weight"?',
    ],
    ["{use: kd}", [], 'r.yaml:3:5: Missing key "layers" in parts[0]: expected a map'],
    ["{use: kd, layers: {a.b: 1}}", [], 'r.yaml:3:29: Expected a string for parts[0].layers["a.b"]: got 1'],
    [
      "{use: kd, layers: {}}",
      ["parts[0].temperature=-1"],
      "--set parts[0].temperature=-1: Expected a number > 0 for " +
      "parts[0].temperature: got -1",
    ],
  ];
  for (const [part, overrides, expected] of known) {
    const checked = parseChecked(`epochs: 1\nparts:\n  - ${part}`, "r.yaml", shape, { overrides });
    assert.throws(() => checked.check(["parts", 0], options, ["use", "weight"]), {
      name: "UserError",
      message: expected,
    });
  }
});

Deno.test("an unknown plug-in is answered with the nearest, or with all", () => {
  const checked = parseChecked("epochs: 1\nparts: [{use: kdd}, {use: foo}, {use: kd}]", "r.yaml", shape);
  const names = ["cross-entropy", "kd"];
  assert.throws(() => checked.oneOf(["parts", 0, "use"], "loss", names), {
    message: 'r.yaml:2:15: Unknown loss "kdd" for parts[0].use: did you mean "kd"?',
  });
  assert.throws(() => checked.oneOf(["parts", 1, "use"], "loss", names), {
    message: 'r.yaml:2:27: Unknown loss "foo" for parts[1].use: expected cross-entropy or kd',
  });
  assert.equal(checked.oneOf(["parts", 2, "use"], "loss", names), "kd");
});

Deno.test("a later error is placed at the value, its key, or what is around a default", () => {
  const checked = parseChecked("epochs: 1\noptimiser:\n  use: sgd\n", "dir/r.yaml", shape, {
    overrides: ["flag=false"],
  });
  assert.equal(checked.error(["epochs"], "No").message, "dir/r.yaml:1:9: No");
  assert.equal(checked.error(["optimiser", "use"], "No", "key").message, "dir/r.yaml:3:3: No");
  assert.equal(checked.error(["optimiser", "momentum"], "No").message, "dir/r.yaml:3:3: No");
  assert.equal(checked.error(["title"], "No").message, "dir/r.yaml:1:1: No");
  assert.equal(checked.origin(["flag"]), "--set flag=false");
});

Deno.test("columns count with Windows line ends and a byte order mark's absence or presence alike", () => {
  assert.equal(message("mode: fast\r\nepochs: 0\r\n"), "r.yaml:2:9: Expected an integer >= 1 for epochs: got 0");
  assert.match(message("\ufeffmode: fast\nepochs: 0\n"), /^r\.yaml:2:9: /);
});

Deno.test("a key with an equals sign can be set, and what no eye sees does not break a message's line", () => {
  const { value } = parseChecked("epochs: 3\nparts: [{ use: a }]", "r.yaml", shape, {
    overrides: ['parts[0]["x = \\"1\\""]=2'],
  });
  assert.deepEqual(value.parts, [{ use: "a", 'x = "1"': 2 }]);
  const unseen = "mode=a\n\ufeffb\u2028";
  assert.equal(
    message("epochs: 3", [unseen]),
    '--set mode=a\\n\\ufeffb\\u2028: Expected fast or careful for mode: got "a \\ufeffb\\u2028"',
  );
  const long = "k".repeat(5000);
  assert.equal(
    message(`epochs: 3\n? ${long}\n: 1`),
    `r.yaml:2:3: Unknown key "${
      "k".repeat(57)
    }..." at the top level: expected epochs, mode, rate, sizes, betas, flag, ` +
      "title, code, optimiser or parts",
  );
  assert.equal(
    message("epochs: 3\noptimiser: { use: sgd, <<: { momentum: 1 } }"),
    'r.yaml:2:24: Unknown key "<<" in optimiser: maps are not merged, write out the keys that they share',
  );
  assert.equal(
    message("epochs: 3\nflag: { use: sgd }\nuse: 1"),
    [
      "r.yaml:2:7: Expected true or false for flag: got a map",
      'r.yaml:3:1: Unknown key "use" at the top level: it belongs in optimiser',
    ].join("\n"),
  );
});

Deno.test("texts that are too long, or full of aliases, are refused before they take time", () => {
  assert.equal(
    message(`epochs: 3\n#${"x".repeat(2 ** 20)}`),
    `r.yaml:1:1: Cannot read a YAML of ${2 ** 20 + 11} characters: a recipe has at most ${2 ** 20}`,
  );
  const aliases = Array.from({ length: 1001 }, (_, index) => `&a${index} 1, *a${index}`).join(", ");
  assert.match(
    message(`epochs: 3\nsizes: [${aliases}]`),
    /^r\.yaml:2:\d+: Cannot follow more than 1000 aliases: write the values out$/,
  );
});

Deno.test("a mistake in an option that shows later is told at the option, where the recipe has it", () => {
  const text = "epochs: 1\nparts:\n  - use: a\n    weights: { spam: 2 }\n";
  const recipe = parseChecked(text, "r.yaml", shape);
  const told = (path: string[]) => {
    const fail = () =>
      recipe.within(["parts", 0], () => {
        throw new OptionError(path, "Cannot");
      });
    assert.throws(fail, { name: "UserError" });
    try {
      return fail();
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(told(["weights", "spam"]), "r.yaml:4:22: Cannot");
  assert.equal(told([]), "r.yaml:3:5: Cannot");
});
