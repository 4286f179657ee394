import assert from "node:assert/strict";
import { useFiles } from "../../../../core/files/current.ts";
import { memoryFiles } from "../../../../core/files/memory_files.ts";
import { imageInputs } from "../../../../core/distill/teacher/image_inputs.ts";
import { readImageForm } from "../../../../core/model_folder/input_form.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { imageData } from "../../../support/inputs.ts";

const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };
const HALF = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

/** What Hugging Face's folders of these families have beside the weights. */
const FAMILIES = [
  {
    use: "vit, layers: 1, width: 8, heads: 2, patch: 16",
    config: { model_type: "vit" },
    processor: { feature_extractor_type: "ViTFeatureExtractor", do_resize: true, size: 224, resample: 2, ...HALF },
    to: [224, 224],
  },
  {
    use: "resnet, depth: 18",
    config: { model_type: "resnet" },
    processor: {
      image_processor_type: "ConvNextImageProcessor",
      crop_pct: 0.875,
      size: { shortest_edge: 224 },
      resample: 3,
      ...IMAGENET,
    },
    to: [256, 341],
  },
  {
    use: "mobilenet, version: v2",
    config: { model_type: "mobilenet_v2" },
    processor: {
      image_processor_type: "MobileNetV2ImageProcessor",
      ...{ do_center_crop: true, crop_size: { height: 224, width: 224 }, size: { shortest_edge: 256 }, resample: 2 },
      ...HALF,
    },
    to: [256, 341],
  },
] as const;

/** What a recipe's teacher is given of pictures of 48 x 64. */
async function given(family: typeof FAMILIES[number], settings: string) {
  useFiles(memoryFiles({
    "teacher/config.json": JSON.stringify(family.config),
    "teacher/preprocessor_config.json": JSON.stringify(family.processor),
  }));
  const text = `
name: stated
dataset: { use: image-folder, folder: pets }
teacher: { use: ${family.use}, weights: teacher${settings} }
student: { use: resnet, depth: 8 }
losses: [{ use: kd }]
train: { epochs: 1, batchSize: 2 }
evaluate: { batchSize: 2 }
`;
  const recipe = parseChecked(text, "stated.yaml", recipeSchema);
  const warnings: string[] = [];
  const image = { size: [48, 64, 3] as const, normalise: { mean: [0.1, 0.1, 0.1], std: [1, 1, 1] } };
  const tell = { report: () => {}, warning: (line: string) => void warnings.push(line) };
  const made = await imageInputs(recipe, recipe.value.teacher!, ["teacher"], {
    ...imageData([48, 64, 3], ["a", "b"]),
    image,
  }, tell);
  return { made: JSON.parse(made!.made), input: made!.input.image!, warnings };
}

for (const family of FAMILIES) {
  const [name] = family.use.split(",");
  Deno.test(`a ${name} of Hugging Face's takes what its preprocessor_config.json says; a recipe that says otherwise is told`, async () => {
    const { image_mean: mean, image_std: std } = family.processor;
    const stated = await given(family, "");
    assert.deepEqual(stated.warnings, []);
    assert.deepEqual([stated.made.resize.to, stated.made.resize.crop], [family.to, [224, 224]]);
    assert.deepEqual(stated.input, { size: [224, 224, 3], normalise: { mean, std } });
    const same = await given(family, `, imageSize: 224, normalise: { mean: [${mean}], std: [${std}] }`);
    assert.deepEqual([same.warnings, same.input], [[], stated.input]);
    const other = await given(family, ", imageSize: 96, normalise: { mean: [0, 0, 0], std: [1, 1, 1] }");
    assert.deepEqual(other.input, { size: [96, 96, 3], normalise: { mean: [0, 0, 0], std: [1, 1, 1] } });
    assert.deepEqual(
      other.warnings.map((line) => line.slice(0, line.indexOf(" says"))),
      ["normalise", "imageSize"].map((key) => `teacher.${key} is used, though "/teacher/preprocessor_config.json"`),
    );
  });
}

Deno.test("a teacher of this program takes larger pictures as its data set made its own, and those of its size as they are", async () => {
  const processor = {
    image_processor_type: "CLIPImageProcessor",
    ...{ size: { shortest_edge: 36 }, do_center_crop: true, crop_size: { height: 32, width: 32 }, resample: 3 },
  };
  const formOf = async (size: [number, number, number], more: object = {}) => {
    useFiles(memoryFiles({
      "own/config.json": JSON.stringify({
        input: { height: 32, width: 32, normalise: { mean: [0.5, 0.5, 0.5], std: [1, 1, 1] } },
      }),
      "own/preprocessor_config.json": JSON.stringify({ ...processor, ...HALF, ...more }),
    }));
    const normalise = { mean: [0, 0, 0], std: [1, 1, 1] };
    return (await readImageForm("own", { size, normalise }))!.form.resize;
  };
  assert.deepEqual(await formOf([64, 96, 3]), { to: [36, 54], resampling: "bicubic", crop: [32, 32] });
  const whole = { to: [32, 32], resampling: "bilinear", crop: [32, 32] };
  assert.deepEqual(await formOf([32, 32, 3]), whole);
  // One that was edited makes of them what the model does not take.
  assert.deepEqual(await formOf([64, 96, 3], { crop_size: { height: 30, width: 30 } }), whole);
});
