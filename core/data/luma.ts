/** Brightness of bytes by ITU-R 601, in Pillow's whole numbers; of grey it is the grey itself. */
export function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}
