import { wilsonInterval } from "../../../../core/evaluate/metrics/interval.ts";
import { assertClose } from "../../../support/numbers.ts";

Deno.test("the interval of a counted part is SciPy's", () => {
  // scipy.stats.binomtest(k, n).proportion_ci(method="wilson") of SciPy 1.17.
  assertClose(wilsonInterval(1750, 2000), [0.8597830434972549, 0.8887791710418056], 1e-12);
  assertClose(wilsonInterval(0, 7), [0, 0.35433043506668743], 1e-12);
  assertClose(wilsonInterval(9, 9), [0.7008549515804559, 1], 1e-12);
});
