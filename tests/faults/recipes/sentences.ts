/** What a refusal is held against. */
export interface Refused {
  /** The text that was read, and its name in messages. */
  readonly file: string;
  readonly text: string;
  /** The line of the one value that was changed. */
  readonly line?: number;
  /** What was set from outside. */
  readonly overrides: readonly string[];
}

/** Names of other files that a message may point into: the recipe that an experiment changes. */
const PLACE = /^([^:]+\.yaml):(\d+):(\d+)$/;

/** Beginnings of sentences that say what failed, and what their rest must have: the value, and what would be right. */
const FORMS: readonly [begins: RegExp, has: RegExp][] = [
  [/^Expected /, /: got \S|\bgot (both|neither|none|only) ?/],
  [/^Missing key "/, /: expected \S/],
  [
    /^Unknown key "/,
    /: (expected|did you mean|it belongs|nothing can be set here|no key of a recipe|maps are not merged)/,
  ],
  [/^Unknown \S/, /: (expected|did you mean|the|no|it) /],
  [/^Duplicate key "/, /: it was first given at \d+:\d+$/],
  [/^(Cannot|Nothing) /, /: \S| as \S/],
];

/** Words of libraries and of JavaScript, which mean nothing to whoever writes a recipe. */
const FOREIGN = [
  /\bInvalid (input|option|key|value|string|number)\b/,
  /\breceived\b/,
  /\bundefined\b/,
  /\[object/,
  /\bToo (big|small)\b/,
  /Unrecognized key/,
  /Error\b/,
  /is not a function|Cannot read properties|is not iterable|call stack/,
  /another value/,
];

/**
 * Looks at each line of a refusal: its place, its form and its words.
 *
 * @throws Error that names the first line that is not as it should be
 */
export function checkRefusal(message: string, refused: Refused): void {
  const lines = message.split("\n");
  const last = lines.length > 1 && /^and \d+ more$/.test(lines.at(-1)!) ? lines.pop() : undefined;
  if (lines.length > 5 || last && lines.length !== 5) throw new Error(`five lines at most, not:\n${message}`);
  if (new Set(lines).size !== lines.length) throw new Error(`the same line twice:\n${message}`);
  if (refused.line !== undefined && !lines.some((line) => pointsAt(line, refused))) {
    throw new Error(`no line for line ${refused.line}:\n${message}`);
  }
  for (const line of lines) {
    const fault = faultOf(line, refused);
    if (fault) throw new Error(`${fault}: ${line.slice(0, 1000)}`);
  }
}

/** Keys that contradict each other are told at one of them, or at the map around them. */
const OF_SEVERAL =
  /: (Cannot use|Cannot change a recipe|Expected (one|only one|both|as many|a momentum)|Unknown key|Missing key|Duplicate key|Unknown (row|alias))/;

function pointsAt(sentence: string, { file, line }: Refused): boolean {
  return sentence.startsWith(`${file}:${line}:`) || OF_SEVERAL.test(sentence);
}

function faultOf(line: string, { file, text, overrides }: Refused): string | undefined {
  const set = overrides.map((override) => `--set ${override}: `).find((label) => line.startsWith(label));
  const cut = set === undefined && overrides.length > 0
    ? /^--set .*?(\.\.\.|\\[nrtu]\S*?): (?=[A-Z])/.exec(line)?.[0]
    : set;
  const place = cut ?? /^.*?\.yaml:\d+:\d+: /.exec(line)?.[0];
  if (place === undefined) return "no place";
  const sentence = line.slice(place.length);
  const found = PLACE.exec(place.slice(0, -2));
  if (found && found[1] === file) {
    const row = text.split("\n")[Number(found[2]) - 1];
    if (row === undefined || Number(found[3]) > row.length + 1) return "a place outside of the file";
  }
  // What is quoted is the user's.
  const words = sentence.replaceAll(/"(?:[^"\\]|\\.)*"?|got [[{].*$/g, '""');
  const form = FORMS.find(([begins]) => begins.test(sentence));
  if (!form) return "another beginning";
  if (!form[1].test(sentence)) return "no value, or nothing that would be right";
  const foreign = FOREIGN.find((pattern) => pattern.test(words));
  if (foreign) return `${foreign}`;
  if (/\bNaN\b/.test(words) && !/\.nan/i.test(text + overrides.join())) return "NaN";
  if (/expected.*expected|: :|::| {2}|,,|\(\)| ,(?! in | or | between |;)|[.\s]$/i.test(words)) return "no sentence";
  if (sentence.length > 900) return "a sentence without end";
}
