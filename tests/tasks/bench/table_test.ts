import assert from "node:assert/strict";
import { type Row, table } from "../../../tasks/bench/table.ts";

Deno.test("the table shows medians, ranges and ratios in aligned columns, and why a row is empty", () => {
  const rows: Row[] = [
    {
      case: "matmul",
      engine: "one 1.0",
      timesOurs: 12.345,
      ofPeak: 0.217,
      result: {
        engine: "one",
        version: "1.0",
        case: "matmul",
        size: 1024,
        first: 28.36,
        seconds: [0.3, 0.0139, 0.2],
        stepsPerSample: 1,
        gflops: 10.7374,
        values: [[0, 1]],
        note: "reference BLAS",
      },
    },
    { case: "resnet8", engine: "another", reason: "not available: no adapter" },
  ];
  const ceiling = { result: { adapter: "GPU", gflops: 12345.6, gigabytesPerSecond: 321.4 } };
  assert.deepEqual(table(rows, ceiling), [
    "case     engine   seconds       min-max  GFLOPS  of peak  first  times ours  note",
    "matmul   one 1.0    0.200  0.0139-0.300    10.7     22 %   28.4        12.3  reference BLAS",
    "resnet8  another        -             -       -        -      -           -  not available: no adapter",
    "ceiling  GPU            -             -   12346    100 %      -           -  in registers; copies 321 GB/s",
  ]);
});
