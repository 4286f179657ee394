import { UserError } from "../errors.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import type { AssessSettings } from "./assessment.ts";

/**
 * Refuses changes of images beyond what pixels from 0 to 1 can be changed by, such as 8 where 8/255 is meant.
 *
 * @throws UserError with the flag
 */
export function expectStrengths(
  { image }: InputDescription,
  { eps, epsL2 }: Pick<AssessSettings, "eps" | "epsL2">,
): void {
  if (!image) return;
  const numbers = image.size.reduce((product, extent) => product * extent, 1);
  const flags = [["--eps", eps, 1, "1, from black to white"], [
    "--eps-l2",
    epsL2,
    Math.sqrt(numbers),
    `${Math.sqrt(numbers).toPrecision(3)}, all ${numbers} numbers of an image from black to white`,
  ]] as const;
  for (const [flag, values, most, words] of flags) {
    const above = values?.find((value) => value > most);
    if (above === undefined) continue;
    throw new UserError(`${flag} ${above}: Expected at most ${words}: of steps of a byte ${above} is ${above}/255`);
  }
}
