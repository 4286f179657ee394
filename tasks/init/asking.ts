import { UserError } from "../../core/errors.ts";
import { listNames } from "../../core/recipe/words.ts";

/** A choice that somebody has to make. */
export interface Question {
  /** For people at a terminal: `Which column holds the texts?` */
  readonly question: string;
  /** Why it cannot be told, a sentence without its stop: `Cannot tell which column of "a.csv" holds the texts`. */
  readonly cannot: string;
  /** The flag that answers it, with a value to fill in: `--text COLUMN`. */
  readonly flag: string;
  /** The answers that there are. */
  readonly choices: readonly string[];
}

/** Who answers what files do not say. */
export interface Asking {
  /** Whether anybody is there to be asked. */
  readonly present: boolean;
  /** One of some answers. @throws UserError if nobody is there */
  choose(question: Question): string;
  /** Any words; `otherwise` where nothing is said. @throws UserError if nobody is there and there is no `otherwise` */
  say(question: Omit<Question, "choices">, otherwise: string | null): string;
}

/** Nobody is there: whatever has to be asked is refused, with the flag that says it. */
export const nobody: Asking = {
  present: false,
  choose({ cannot, flag, choices }) {
    throw new UserError(`${cannot}: it may be ${listNames(choices, "or")}; say it with ${flag}`);
  },
  say({ cannot, flag }, otherwise) {
    if (otherwise !== null) return otherwise;
    throw new UserError(`${cannot}: say it with ${flag}`);
  },
};

/**
 * Somebody at a terminal.
 *
 * @param prompt shows a text and waits for a line; `null` when the terminal was closed
 * @param tell takes a line for the user
 */
export function somebody(prompt: (text: string) => string | null, tell: (line: string) => void): Asking {
  const answer = (text: string, { cannot, flag }: Omit<Question, "choices">): string => {
    const given = prompt(text);
    if (given === null) throw new UserError(`${cannot}: say it with ${flag}`);
    return given.trim();
  };
  return {
    present: true,
    choose(question) {
      const { choices } = question;
      tell(question.question);
      choices.forEach((choice, index) => tell(`  ${index + 1}  ${choice}`));
      while (true) {
        const given = answer(`1 to ${choices.length}:`, question);
        const chosen = choices.find((choice, index) => given === String(index + 1) || given === choice);
        if (chosen !== undefined) return chosen;
      }
    },
    say(question, otherwise) {
      while (true) {
        const given = answer(otherwise === null ? question.question : `${question.question} [${otherwise}]`, question);
        if (given !== "") return given;
        if (otherwise !== null) return otherwise;
      }
    },
  };
}
