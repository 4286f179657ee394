import expLog from "../../shaders/exp_log.wgsl" with { type: "text" };
import isNan from "../../shaders/is_nan.wgsl" with { type: "text" };

/** `isNan`, `expOf` and `logOf` for shaders, whatever an implementation makes of NaN. */
export const expAndLog = `${isNan}\n${expLog}\n`;
