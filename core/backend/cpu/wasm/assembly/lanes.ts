// Loads and stores of four neighbouring floats, or of the one that is left over: with the same code around them.

/** Four floats, or one and three zeros. `wide` is a constant where this is inlined. */
@inline
export function loadLanes(pointer: usize, wide: bool): v128 {
  return wide ? v128.load(pointer) : v128.load32_zero(pointer);
}

/** Stores four floats, or only the first. */
@inline
export function storeLanes(pointer: usize, value: v128, wide: bool): void {
  if (wide) v128.store(pointer, value);
  else v128.store32_lane(pointer, value, 0);
}
