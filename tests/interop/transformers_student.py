"""Loads exported students in Hugging Face's transformers and compares what they compute: an independent reader of what a
run wrote.

    python3 tests/interop/transformers_student.py STUDENT PROBE [STUDENT PROBE ...]

STUDENT  a student folder: config.json, model.safetensors, and the files of a tokenizer or of an image processor
PROBE    a safetensors file: what the model is given, under its arguments' names (input_ids, attention_mask, token_type_ids,
         or pixel_values), and what must come out (logits, and some of hidden_states.0, hidden_states.1 and so on, counted
         from the embeddings). Its metadata may have `texts`, a JSON list of {text, pair, tokens, types} in the order of
         the logits: what the tokenizer must make of them, cut where its config says. It may have `pixels`, bytes
         [batch, height, width, channels] in the order of the logits: the image processor must make pixel_values of them.

Prints a line for each student, and exits with 1 if a tensor is missing, unexpected or misshapen, a number differs by more
than 1e-4, or a text has other tokens. Needs transformers, torch and pillow (transformers_test.ts runs it where they are).
"""

import json
import sys

import torch
import transformers
from PIL import Image
from safetensors import safe_open

TOLERANCE = 1e-4

CLASSES = {
    "ForSequenceClassification": transformers.AutoModelForSequenceClassification,
    "ForTokenClassification": transformers.AutoModelForTokenClassification,
    "ForImageClassification": transformers.AutoModelForImageClassification,
    "ForImageClassificationWithTeacher": transformers.AutoModelForImageClassification,
}


def read_probe(path):
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}


def load(folder):
    """The model by the class that its config.json names, and what is wrong with its tensors."""
    with open(f"{folder}/config.json") as file:
        (architecture,) = json.load(file)["architectures"]
    auto = CLASSES["For" + architecture.split("For", 1)[1]]
    model, info = auto.from_pretrained(folder, output_loading_info=True)
    problems = [f"{kind}: {sorted(map(str, names))}" for kind, names in info.items() if names]
    if type(model).__name__ != architecture:
        problems.append(f"loaded as {type(model).__name__} instead of {architecture}")
    return model.eval(), problems


def compute(model, probe):
    """The model's outputs under the probe's names."""
    inputs = {
        name: tensor if name == "pixel_values" else tensor.long()
        for name, tensor in probe.items()
        if name in ("input_ids", "attention_mask", "token_type_ids", "pixel_values")
    }
    with torch.no_grad():
        outputs = model(**inputs, output_hidden_states=True)
    hidden = {f"hidden_states.{index}": tensor for index, tensor in enumerate(outputs.hidden_states)}
    return {"logits": outputs.logits, **hidden}


def compare(outputs, probe, where=""):
    """The largest difference of each output that the probe has, and what is wrong with them."""
    problems, differences = [], {}
    for name, expected in probe.items():
        if name != "logits" and not name.startswith("hidden_states."):
            continue
        shape = list(outputs[name].shape) if name in outputs else None
        if shape != list(expected.shape):
            problems.append(f"{name}{where} has shape {shape}, expected {list(expected.shape)}")
            continue
        differences[name] = (outputs[name] - expected).abs().max().item()
        # Written so that NaN does not pass for a small difference.
        if not differences[name] <= TOLERANCE:
            problems.append(f"{name}{where} differs by {differences[name]:.2g}")
    return differences, problems


def compare_texts(folder, model, texts, logits):
    """What goes wrong where a user gives the tokenizer's output to the model: other tokens, or other logits than those."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    problems = []
    for expected, row in zip(texts, logits):
        text = [expected["text"]] if expected["pair"] is None else [expected["text"], expected["pair"]]
        encoded = tokenizer(*text, truncation=True, return_token_type_ids=True)
        for key, name in (("tokens", "input_ids"), ("types", "token_type_ids")):
            if encoded[name] != expected[key]:
                problems.append(f"{name} of {text} are {encoded[name]}, expected {expected[key]}")
        with torch.no_grad():
            alone = model(**tokenizer(*text, truncation=True, return_tensors="pt")).logits[0]
        problems += compare({"logits": alone}, {"logits": row[: len(alone)]}, f" for {text} alone")[1]
    return problems


def compare_images(folder, model, probe):
    """What goes wrong where a user gives pictures to the image processor, or to a pipeline that has it and the model."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    # Of one channel, a grey picture; a pipeline makes three of that, but takes an array as it is.
    arrays = list(probe["pixels"].byte().numpy())
    grey = arrays[0].shape[2] == 1
    pictures = [Image.fromarray(array[..., 0] if grey else array) for array in arrays]
    problems = []
    for name, images in (("arrays", arrays), ("pictures", pictures)):
        difference = (processor(images, return_tensors="pt")["pixel_values"] - probe["pixel_values"]).abs().max().item()
        if not difference <= TOLERANCE:
            problems.append(f"pixel_values of {name} differ by {difference:.2g}")
    larger = [picture.resize((picture.width + 2, picture.height + 5)) for picture in pictures]
    shape = processor(larger, return_tensors="pt")["pixel_values"].shape
    if shape != probe["pixel_values"].shape:
        problems.append(f"pixel_values of larger pictures have shape {list(shape)}")
    pipeline = transformers.pipeline("image-classification", model=model, image_processor=processor)
    every = pipeline(arrays if grey else pictures, function_to_apply="none", top_k=model.config.num_labels)
    for index, scores in enumerate(every):
        logits = {score["label"]: score["score"] for score in scores}
        alone = torch.tensor([logits[label] for _, label in sorted(model.config.id2label.items())])
        problems += compare({"logits": alone}, {"logits": probe["logits"][index]}, f" of image {index} in a pipeline")[1]
    return problems


def check(folder, path):
    """Prints a line about a student; whether all is well."""
    probe, metadata = read_probe(path)
    texts = json.loads(metadata.get("texts", "[]"))
    model, problems = load(folder)
    if not problems:
        differences, problems = compare(compute(model, probe), probe)
        problems += compare_texts(folder, model, texts, probe["logits"]) if texts else []
        problems += compare_images(folder, model, probe) if "pixels" in probe else []
    told = "; ".join(problems) or (
        f"logits of up to {probe['logits'].abs().max().item():.2f} differ by {differences.pop('logits'):.1e}"
        + (f", {len(differences)} hidden states by {max(differences.values()):.1e}" if differences else "")
        + (f", {len(texts)} texts have equal tokens and logits" if texts else "")
        + (f", {len(probe['pixels'])} pictures have equal pixels and logits" if "pixels" in probe else "")
    )
    print(f"{'WRONG' if problems else 'equal'}: {type(model).__name__} in {folder}: {told}")
    return not problems


def main(arguments):
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    return 0 if all([check(*pair) for pair in zip(arguments[::2], arguments[1::2], strict=True)]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
