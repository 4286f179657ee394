import {
  BACKEND_CHOICES,
  type BackendChoice,
  type BackendOptions,
  openBackend,
  type OpenedBackend,
} from "../../core/backend/open_backend.ts";
import { giveUpNativeCode } from "./confine.ts";
import type { Backend } from "../../core/backend/backend.ts";
import { UserError } from "../../core/errors.ts";
import { listWords } from "../../core/recipe/words.ts";

/** Reads the flag `--backend` of a verb that has no recipe. @throws UserError for a name of none */
export function backendChoice(name: string): BackendChoice {
  const choice = BACKEND_CHOICES.find((known) => known === name);
  if (choice) return choice;
  throw new UserError(`--backend ${name}: Expected ${listWords(BACKEND_CHOICES, "or")}`);
}

/** One line: which backend, why, and how to take another. */
export function describeBackend({ backend, reason }: OpenedBackend, choice: BackendChoice): string {
  const automatic = reason.includes("--backend") ? "" : "; doctor says how to get one";
  const change = choice === "auto" ? automatic : "; --backend auto chooses";
  return `Backend ${backend.name} (${backend.description}): ${reason}${change}`;
}

/**
 * Opens a backend for as long as `body` runs. It is closed whatever happens: a process that ends while a GPU still
 * works may end in a crash.
 *
 * In a confined program no native code can be loaded after: see `giveUpNativeCode`.
 *
 * @param tell is told which backend, why, and how to take another
 * @param options `again`: other backends will be opened later, which need their native code
 */
export async function withBackend<Result>(
  choice: BackendChoice,
  tell: (line: string) => void,
  body: (backend: Backend) => Promise<Result>,
  { again = false, ...options }: BackendOptions & { readonly again?: boolean } = {},
): Promise<Result> {
  const opened = await openBackend(choice, options);
  if (!again) await giveUpNativeCode();
  tell(describeBackend(opened, choice));
  const result = await body(opened.backend).catch(async (error) => {
    // What went wrong first is what is to be told, even if closing fails because of it.
    await opened.backend.close().catch(() => {});
    throw error;
  });
  await opened.backend.close();
  return result;
}
