/**
 * Runs a function that finds no environment variables. The package `yaml` asks for two of them at every token, to print
 * what it reads; Deno would ask the user for the permission, or end the program where none can be given.
 *
 * @param body a function that is over when it returns: whoever runs after it finds the environment as it was
 */
export function withoutEnvironment<Result>(body: () => Result): Result {
  const { process } = globalThis as { process?: { env: object } };
  // A browser has none to be asked.
  if (!process) return body();
  const { env } = process;
  process.env = {};
  try {
    return body();
  } finally {
    process.env = env;
  }
}
