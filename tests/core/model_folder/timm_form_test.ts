import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { timmForm } from "../../../core/model_folder/timm_form.ts";

const image = (height: number, width: number) => ({
  size: [height, width, 3] as const,
  normalise: { mean: [0, 0, 0], std: [1, 1, 1] },
});
/** As timm saves its resnet18. */
const own = {
  input_size: [3, 224, 224],
  interpolation: "bicubic",
  crop_pct: 0.95,
  crop_mode: "center",
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
const form = (changes: Record<string, unknown>, height = 32, width = 48) =>
  timmForm({ architecture: "resnet18", pretrained_cfg: { ...own, ...changes } }, "config.json", image(height, width));

Deno.test("a model of timm takes pictures as timm makes them", () => {
  // Resize(size=235, interpolation=bicubic), CenterCrop(size=(224, 224)), Normalize(...)
  const crop = [224, 224];
  assert.deepEqual(form({}), {
    resize: { to: [235, 352], resampling: "bicubic", crop, rounding: "half-even" },
    normalise: { mean: own.mean, std: own.std },
  });
  assert.deepEqual(form({}, 48, 32)!.resize!.to, [352, 235]);
  assert.deepEqual(form({ crop_mode: "squash" })!.resize!.to, [235, 235]);
  assert.deepEqual(form({ input_size: [3, 32, 32], crop_pct: 1 }, 32, 32)!.resize, {
    to: [32, 32],
    resampling: "bicubic",
    crop: [32, 32],
    rounding: "half-even",
  });
  assert.deepEqual(form({ crop_pct: undefined })!.resize!.to, [256, 384]);
  assert.deepEqual(form({ input_size: [3, 32, 64], crop_pct: 1 })!.resize!.to, [32, 64]);
  assert.equal(timmForm({ model_type: "vit" }, "config.json", image(8, 8)), null);
});

Deno.test("what is not understood is a sentence with its key", () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ mean: [0.5] }, /^Cannot make images by "config\.json": expected 3 numbers for mean, got \[0\.5\]$/],
    [{ std: [1, 0, 1] }, /expected 3 numbers above 0 for std, got \[1,0,1\]$/],
    [{ mean: ["a", 1, 1] }, /for mean, got \["a",1,1\]$/],
    [{ input_size: 224 }, /expected channels and two sides up to 8192 for input_size, got 224$/],
    [{ input_size: [3, 224, 1e9] }, /for input_size/],
    [{ crop_pct: 0 }, /expected a number above 0, at most 1 for crop_pct, got 0$/],
    [{ crop_pct: 1e-9 }, /expected sides up to 8192 of pictures of 32 x 48 pixels for input_size/],
    [
      { interpolation: "random" },
      /expected one of nearest, bilinear, bicubic, lanczos for interpolation, got "random"$/,
    ],
    [{ crop_mode: "border" }, /expected center or squash for crop_mode, got "border"$/],
  ];
  for (const [changes, message] of cases) assert.throws(() => form(changes), { name: "UserError", message });
});
