const GENERATES = "it writes texts, and only encoders are read";

/** The `model_type` of Hugging Face configs that people try and that cannot be built, and why. */
export const OTHER_TYPES: Readonly<Record<string, string>> = {
  albert: "its layers share the weights of one",
  deberta: "its attention has vectors of distances",
  "deberta-v2": "its attention has vectors of distances",
  modernbert: "its positions are rotations, and its layers have gates and see what is near",
  longformer: "its attention sees what is near",
  xlnet: "its attention has vectors of distances",
  bart: GENERATES,
  gpt2: GENERATES,
  llama: GENERATES,
  mistral: GENERATES,
  qwen2: GENERATES,
  t5: GENERATES,
};
