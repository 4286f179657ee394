import type { Lanes } from "./header.ts";

/**
 * What stores of float16 call. Beyond the largest number (65504, and what rounds to it) a conversion may give anything
 * by WGSL's rules, so infinity is put in by its bits: an overflow must never look like a number.
 */
export const HALF_FUNCTIONS = `
fn toHalf1(x: f32) -> f16 {
  let infinity = bitcast<f32>((bitcast<u32>(x) & 0x80000000u) | 0x7f800000u);
  return f16(select(x, infinity, abs(x) >= 65520.0));
}
fn toHalf4(x: vec4f) -> vec4<f16> {
  let infinity = bitcast<vec4f>((bitcast<vec4u>(x) & vec4u(0x80000000u)) | vec4u(0x7f800000u));
  return vec4<f16>(select(x, infinity, abs(x) >= vec4f(65520.0)));
}
`;

const LOADS: Readonly<Record<Lanes, string>> = { 1: "f32", 4: "vec4f" };

/**
 * A shader's text for bindings of float16: each of their elements is converted to float32 where it is read, and back
 * where it is written, so that shaders are written once. A function's parameters and variables that have a binding's
 * name are its own, and left alone.
 *
 * @param halves how many numbers an element of each of these bindings is
 * @throws Error for a shader that writes a part of an element
 */
export function withHalfBindings(shader: string, halves: ReadonlyMap<string, Lanes>): string {
  return shader.replaceAll(/\/\/.*/g, "").split(/(?=\bfn\s)/).map((part) => {
    const own = (name: string) => new RegExp(`\\b((let|var|const)\\s+${name}\\b|${name}\\s*:)`).test(part);
    const seen = new Map([...halves].filter(([name]) => !own(name)));
    return seen.size === 0 ? part : converted(part, seen);
  }).join("");
}

function converted(text: string, halves: ReadonlyMap<string, Lanes>): string {
  const names = new RegExp(`(?<![.\\w])(${[...halves.keys()].join("|")})(?=\\[)`, "g");
  let result = "";
  let done = 0;
  for (let match = names.exec(text); match; match = names.exec(text)) {
    const [name] = match;
    const lanes = halves.get(name)!;
    const open = match.index + name.length;
    const close = closing(text, open);
    const rest = text.slice(close + 1);
    const element = `${name}[${converted(text.slice(open + 1, close), halves)}]`;
    const load = `${LOADS[lanes]}(${element})`;
    if (/^\s*(\.\w+|\[[^\]]*\])\s*[-+*/]?=(?!=)/.test(rest)) {
      throw new Error(`Cannot write a part of an element of float16, "${name}"`);
    }
    const store = /^\s*([-+*/]?)=(?!=)([^;]*)/.exec(rest);
    result += text.slice(done, match.index);
    if (store) {
      const [whole, operator, expression] = store;
      const value = converted(expression, halves).trim();
      result += `${element} = toHalf${lanes}(${operator ? `${load} ${operator} (${value})` : value})`;
      done = close + 1 + whole.length;
    } else {
      result += load;
      done = close + 1;
    }
    names.lastIndex = done;
  }
  return result + text.slice(done);
}

/** The place of the bracket that closes the one at `open`. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "[") depth++;
    else if (text[at] === "]" && --depth === 0) return at;
  }
  throw new Error("Cannot find the end of an index");
}
