import type { Tensor } from "../tensor.ts";
import type { Arrangement } from "./arrangement.ts";
import type { ContractionPlan } from "./plan.ts";
import type { ContractionPrimitives } from "./primitives.ts";
import type { Step } from "./steps.ts";

/** Computes a planned contraction with operations that know their gradients. */
export function execute(ops: ContractionPrimitives, plan: ContractionPlan, tensors: readonly Tensor[]): Tensor {
  const values = tensors.map((tensor, operand) => shaped(ops, tensor, plan.innerShapes[operand]));
  for (const step of plan.steps) {
    values.push(run(ops, step, step.operands.map((operand) => values[operand])));
    // A permutation's gradient does not ask what was permuted, nor does a product's: why keep it until the tape is
    // done?
    const [first] = step.operands;
    if (step.method.name === "permute" && first >= tensors.length) values[first].dispose();
  }
  // Without a step the result is an input under another name: a tensor of its own, so that each has one owner.
  if (plan.steps.length === 0) return ops.reshape(values[0], plan.outputShape);
  return shaped(ops, values.at(-1)!, plan.outputShape);
}

function run(ops: ContractionPrimitives, { method, shape }: Step, [a, b]: readonly Tensor[]): Tensor {
  switch (method.name) {
    case "matmul": {
      const product = ops.matmul(arranged(ops, a, method.first), arranged(ops, b, method.second), {
        transposeA: method.transposeFirst,
        transposeB: method.transposeSecond,
      });
      const result = shaped(ops, product, shape);
      if (result !== product) product.dispose();
      return result;
    }
    case "multiply": {
      const product = ops.multiply(arranged(ops, a, method.first), arranged(ops, b, method.second));
      return method.sumAxes.length > 0 ? ops.sum(product, { axes: method.sumAxes }) : product;
    }
    case "sum":
      return ops.sum(a, { axes: method.axes });
    case "permute":
      return ops.permute(a, method.order);
  }
}

function arranged(ops: ContractionPrimitives, x: Tensor, { order, shape }: Arrangement): Tensor {
  return shaped(ops, order ? ops.permute(x, order) : x, shape);
}

function shaped(ops: ContractionPrimitives, x: Tensor, shape: readonly number[]): Tensor {
  const same = x.shape.length === shape.length && x.shape.every((extent, axis) => extent === shape[axis]);
  return same ? x : ops.reshape(x, shape);
}
