import decodeWebp, { init } from "@jsquash/webp/decode.js";
import { WEBP_DECODER } from "./codecs.generated.ts";
import { Codec } from "./codec.ts";
import { orientationOf } from "./exif.ts";
import { hasLetters, type PictureFormat, Reader, refuse, TRUNCATED } from "./picture_format.ts";

const codec = new Codec(WEBP_DECODER, init);

/** WebP, lossy and lossless, by libwebp, which Pillow uses. */
export const webp: PictureFormat = {
  name: "WebP",
  begins: (bytes) => hasLetters(bytes, 0, "RIFF") && hasLetters(bytes, 8, "WEBP"),
  look(bytes) {
    const reader = new Reader(bytes, true);
    const end = 8 + reader.long(4);
    if (end > bytes.length) refuse(TRUNCATED);
    let [size, orientation, hasPixels] = [null as [width: number, height: number] | null, 1, false];
    for (let place = 12; place + 8 <= end;) {
      const [data, length] = [place + 8, reader.long(place + 4)];
      if (data + length > end) refuse(TRUNCATED);
      if (hasLetters(bytes, place, "VP8X")) {
        if (reader.byte(data) & 2) refuse("it is an animated WebP: save the frame that is meant as a picture");
        size = [1 + (reader.long(data + 3) >>> 8), 1 + (reader.long(data + 6) >>> 8)];
      }
      if (hasLetters(bytes, place, "EXIF")) {
        const skipped = hasLetters(bytes, data, "Exif\0\0") ? 6 : 0;
        orientation = orientationOf(bytes.subarray(data + skipped, data + length));
      }
      if (hasLetters(bytes, place, "VP8 ")) {
        size ??= [reader.short(data + 6) & 0x3fff, reader.short(data + 8) & 0x3fff];
        hasPixels = true;
      }
      if (hasLetters(bytes, place, "VP8L")) {
        const bits = reader.long(data + 1);
        size ??= [1 + (bits & 0x3fff), 1 + (bits >>> 14 & 0x3fff)];
        hasPixels = true;
      }
      place = data + length + length % 2;
    }
    if (!size || !hasPixels) refuse("it has no pixels (VP8 or VP8L)");
    return { width: size[0], height: size[1], orientation };
  },
  async decode(bytes) {
    const { result } = await codec.run(() => decodeWebp(bytes.slice().buffer), bytes.length);
    return { width: result.width, height: result.height, channels: 4, pixels: new Uint8Array(result.data.buffer) };
  },
};
