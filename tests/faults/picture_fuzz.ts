import { Random } from "../../core/data/random.ts";
import { decodePicture, lookAtPicture } from "../../plugins/datasets/pictures/decode_picture.ts";
import { BadPicture } from "../../plugins/datasets/pictures/picture_format.ts";
import golden from "../golden/pictures.json" with { type: "json" };
import { goldenFile } from "../support/pictures.ts";
import type { Campaign } from "./campaign.ts";
import { changedBytes, oneOf } from "./mutations.ts";

const colours = { channels: 3, background: "drop", orient: false } as const;

/** Picture files with changed bytes are refused, or give as many pixels as they say; others are right after them. */
export const pictureFuzz: Campaign = {
  name: "pictures",
  quick: 60,
  async trial(seed) {
    const random = new Random(seed);
    const { name } = oneOf(random, golden.pictures);
    const bytes = Uint8Array.from(changedBytes(goldenFile(name), random));
    try {
      const { pixels, height, width } = await decodePicture(bytes, colours);
      const { declared } = lookAtPicture(bytes);
      if (height === declared.height && width === declared.width && pixels.length === 3 * height * width) return "fine";
      throw new Error(`${name}: ${pixels.length} bytes of ${height} x ${width} pixels`);
    } catch (error) {
      if (!(error instanceof BadPicture)) throw error;
      if (error.reason.length > 300 || /undefined|NaN|\[object/.test(error.reason)) {
        throw new Error(`says: ${error.reason}`);
      }
      return "refused";
    } finally {
      await expectRight(oneOf(random, ["jpeg-420", "webp-lossy"]));
    }
  },
};

const right = new Map<string, string>();

/** A decoder that went wrong leaves nothing behind for the next picture. */
async function expectRight(name: string): Promise<void> {
  const { pixels } = await decodePicture(goldenFile(name), colours);
  const found = pixels.join();
  if ((right.get(name) ?? found) !== found) throw new Error(`${name} has other pixels after a damaged picture`);
  right.set(name, found);
}
