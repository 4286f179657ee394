/** Images and the window that goes over them. */
interface Windows {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/** A tap of an output pixel that falls into the image: numbers of the two pixels, the tap and the output's line. */
export interface Taps {
  readonly input: number;
  readonly tap: number;
  readonly output: number;
  readonly line: number;
}

/** Every output pixel with every tap that falls into the image. */
export function walkTaps(p: Windows, visit: (taps: Taps) => void): void {
  for (let line = 0; line < p.images * p.outHeight; line++) {
    const image = Math.floor(line / p.outHeight);
    for (let x = 0; x < p.outWidth; x++) {
      for (let ky = 0; ky < p.kernelHeight; ky++) {
        const row = line % p.outHeight * p.stride + ky * p.dilation - p.padding;
        if (row < 0 || row >= p.height) continue;
        for (let kx = 0; kx < p.kernelWidth; kx++) {
          const column = x * p.stride + kx * p.dilation - p.padding;
          if (column < 0 || column >= p.width) continue;
          const input = (image * p.height + row) * p.width + column;
          visit({ input, tap: ky * p.kernelWidth + kx, output: line * p.outWidth + x, line });
        }
      }
    }
  }
}
