/** Digits in groups of three: `272,474`. */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

/** A part of a whole in percent: `87.40 %`. */
export function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}

/** A time to wait, in whole seconds: `0:07`, `12:30`, `1:02:03`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const padded = (number: number) => String(number).padStart(2, "0");
  const start = hours > 0 ? `${hours}:${padded(minutes)}` : `${minutes}`;
  return `${start}:${padded(whole % 60)}`;
}

/** A number whose size matters more than its digits: `3.8e-6`; zero is `0`. */
export function scientific(value: number): string {
  return value === 0 ? "0" : value.toExponential(1);
}

/** "1 image", "2 images". */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}
