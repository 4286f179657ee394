import { binaryOps, unaryOps } from "./elementwise.ts";
import * as named from "./named.ts";

/**
 * Every differentiable operation. Tests walk this table: an operation without cases for parity between the backends and
 * for its gradient does not compile there.
 */
export const primitives: typeof unaryOps & typeof binaryOps & typeof named = { ...unaryOps, ...binaryOps, ...named };
