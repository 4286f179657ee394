/**
 * Every elementwise function, one line each. The lines are WGSL, and the part of WGSL that they use can be read as
 * JavaScript too once a few names are defined (see expression_functions.ts): so one line gives the shader, the cpu loop
 * (`deno task build-loops` writes it) and, with its gradient beside it, the derivative.
 *
 * NaN of an input is NaN of the output: a network whose weights are NaN would look healthy behind its next ReLU. WGSL
 * leaves open what `max`, `clamp` and `sign` make of NaN, and lets a compiler take `x != x` for false: so choices are
 * written with `select`, and where the value chosen for NaN would be a number, `isNan` asks for its bits
 * (shaders/is_nan.wgsl).
 *
 * `x`, `y`: the inputs; `g`: the gradient of the output; `c`: a number given with the call.
 */
export interface UnaryExpressions {
  readonly value: string;
  /** d loss / d x. */
  readonly dx: string;
  /** The SIMD kernel of the cpu backend, where there is one, beside which one for the gradient stands. */
  readonly wasm?: "relu" | "relu6" | "hardSwish" | "silu" | "gelu";
}

/** A function that takes a number with the call. */
interface WithConstant extends UnaryExpressions {
  /** The meaning of `c`. */
  readonly c: string;
}

export interface BinaryExpressions {
  readonly value: string;
  readonly dx: string;
  readonly dy: string;
  /** The SIMD kernel of the cpu backend for operands of one shape, where there is one. */
  readonly wasm?: "add";
}

/** Some implementations of WGSL make a number of NaN in these, and of the logarithm of -infinity. */
const EXP = "select(exp(x), x, isNan(x))";
const LOG = "select(log(x), nanFrom(x), x < 0.0 || isNan(x))";
const SIGMOID = "select(1.0 / (1.0 + exp(-x)), x, isNan(x))";

/** The tanh of a number that no longer changes it: some adapters compute it by exponentials, which overflow. */
const TANH = "select(tanh(clamp(x, -20.0, 20.0)), x, isNan(x))";

/** Howard et al. 2019, arXiv 1905.02244, section 5.2. */
const HARD_SIGMOID = "select(clamp(0.16666666666666666 * x + 0.5, 0.0, 1.0), x, isNan(x))";

/** Hendrycks and Gimpel 2016: the tanh in the approximation of GELU. */
const GELU_TANH = "tanh(clamp(0.7978845608028654 * x * (1.0 + 0.044715 * x * x), -20.0, 20.0))";

// The names are written out, as the types of a published package are not inferred.

/** Functions of one number. */
export type UnaryName =
  | "negate"
  | "complement"
  | "exp"
  | "log"
  | "sqrt"
  | "square"
  | "abs"
  | "reciprocal"
  | "relu"
  | "sigmoid"
  | "tanh"
  | "gelu"
  | "geluSlope"
  | "geluTanh"
  | "relu6"
  | "silu"
  | "hardSigmoid"
  | "hardSwish";

/** Functions of one number and of one that is given with the call. */
export type ConstantName = "scale" | "offset" | "huber" | "clampMinimum";

/** Functions of two numbers. */
export type BinaryName = "add" | "subtract" | "multiply" | "divide" | "maximum" | "minimum";

export const unaryTable: Readonly<Record<UnaryName, UnaryExpressions> & Record<ConstantName, WithConstant>> = {
  negate: { value: "-x", dx: "-g" },
  complement: { value: "1.0 - x", dx: "-g" },
  exp: { value: EXP, dx: `g * ${EXP}` },
  log: { value: LOG, dx: "g / x" },
  sqrt: { value: "sqrt(x)", dx: "0.5 * g / sqrt(x)" },
  square: { value: "x * x", dx: "2.0 * g * x" },
  abs: { value: "abs(x)", dx: "select(g * sign(x), x, isNan(x))" },
  reciprocal: { value: "1.0 / x", dx: "-g / (x * x)" },
  relu: { value: "select(x, 0.0, x < 0.0)", dx: "select(0.0, g, x > 0.0)", wasm: "relu" },
  sigmoid: { value: SIGMOID, dx: "select(g / ((1.0 + exp(-x)) * (1.0 + exp(x))), x, isNan(x))" },
  tanh: { value: TANH, dx: `g * (1.0 - ${TANH} * ${TANH})` },
  gelu: {
    value: "0.5 * x * (1.0 + erf(0.7071067811865476 * x))",
    dx: "g * (0.5 * (1.0 + erf(0.7071067811865476 * x)) + 0.3989422804014327 * x * exp(-0.5 * x * x))",
    wasm: "gelu",
  },
  // The derivative of gelu, for those who differentiate twice.
  geluSlope: {
    value: "0.5 * (1.0 + erf(0.7071067811865476 * x)) + 0.3989422804014327 * x * exp(-0.5 * x * x)",
    dx: "g * 0.3989422804014327 * (2.0 - x * x) * exp(-0.5 * x * x)",
  },
  geluTanh: {
    value: `0.5 * x * (1.0 + ${GELU_TANH})`,
    dx: `g * 0.5 * (1.0 + ${GELU_TANH}) * (1.0 + x * (1.0 - ${GELU_TANH}) * ` +
      "(0.7978845608028654 + 0.10703222440890037 * x * x))",
  },
  relu6: { value: "select(clamp(x, 0.0, 6.0), x, isNan(x))", dx: "select(0.0, g, x > 0.0 && x < 6.0)", wasm: "relu6" },
  silu: { value: `x * ${SIGMOID}`, dx: `g * ${SIGMOID} * (1.0 + x * (1.0 - ${SIGMOID}))`, wasm: "silu" },
  hardSigmoid: { value: HARD_SIGMOID, dx: "select(0.0, g * 0.16666666666666666, abs(x) < 3.0)" },
  hardSwish: {
    value: `x * ${HARD_SIGMOID}`,
    dx: "select(select(g * (0.3333333333333333 * x + 0.5), g, x >= 3.0), 0.0, x <= -3.0)",
    wasm: "hardSwish",
  },
  scale: { value: "c * x", dx: "c * g", c: "the factor" },
  offset: { value: "x + c", dx: "g", c: "the number added" },
  huber: {
    value: "select(c * (abs(x) - 0.5 * c), 0.5 * x * x, abs(x) < c)",
    dx: "select(g * clamp(x, -c, c), x, isNan(x))",
    c: "where the parabola goes over into lines",
  },
  clampMinimum: { value: "select(x, c, x < c)", dx: "select(0.0, g, x > c)", c: "the smallest value" },
};

export const binaryTable: Readonly<Record<BinaryName, BinaryExpressions>> = {
  add: { value: "x + y", dx: "g", dy: "g", wasm: "add" },
  subtract: { value: "x - y", dx: "g", dy: "-g" },
  multiply: { value: "x * y", dx: "g * y", dy: "g * x" },
  divide: { value: "x / y", dx: "g / y", dy: "-g * x / (y * y)" },
  maximum: {
    value: "select(select(x, y, y > x), y, isNan(y))",
    dx: "select(0.0, g, x >= y)",
    dy: "select(g, 0.0, x >= y)",
  },
  minimum: {
    value: "select(select(x, y, y < x), y, isNan(y))",
    dx: "select(0.0, g, x <= y)",
    dy: "select(g, 0.0, x <= y)",
  },
};
