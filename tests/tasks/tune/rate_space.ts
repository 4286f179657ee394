import { Space } from "../../../tasks/tune/space.ts";

/** The tiny recipe's learning rate, up to rates at which no loss stays finite. */
export const rateSpace = new Space([{
  kind: "range",
  name: "rate",
  key: ["train", "optimiser", "learningRate"],
  own: 0.05,
  from: 0.01,
  to: 300,
  scale: "log",
  off: null,
  unless: {},
}]);
