import { AsyncLocalStorage } from "node:async_hooks";

const shifts = new AsyncLocalStorage<number>();

const RealDate = Date;

const now = () => RealDate.now() + (shifts.getStore() ?? 0);

class ShiftedDate extends RealDate {
  // deno-lint-ignore no-explicit-any -- as many arguments as the real one takes
  constructor(...time: any[]) {
    super(...(time.length > 0 ? time : [now()]) as [number]);
  }

  static override now = now;
}

/** Runs a body, with all that it begins, as on a machine whose clock is wrong by so many hours. */
export function withWrongClock<Result>(hours: number, body: () => Promise<Result>): Promise<Result> {
  globalThis.Date = ShiftedDate as DateConstructor;
  return shifts.run(hours * 3_600_000, body);
}
