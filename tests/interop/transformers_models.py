"""Saves random models with Hugging Face's transformers, for this program to read: folders that it did not write.

    python3 tests/interop/transformers_models.py FOLDER

FOLDER/NAME/                  what save_pretrained writes: config.json, model.safetensors (of one model in several files, of
                              others in half precision), and for text a tokenizer
FOLDER/NAME/probe.safetensors a batch and what the model makes of it, as transformers_student.py describes it

Needs transformers and torch (transformers_test.ts runs it where they are).
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import ByteLevelBPETokenizer
from transformers import (
    BertConfig, BertForSequenceClassification, BertForTokenClassification, BertTokenizerFast, CamembertConfig,
    CamembertForSequenceClassification, DeiTConfig, DeiTForImageClassification, DeiTForImageClassificationWithTeacher,
    DistilBertConfig, DistilBertForSequenceClassification, DistilBertForTokenClassification, ElectraConfig,
    ElectraForSequenceClassification, ElectraForTokenClassification, ElectraTokenizerFast, MPNetConfig,
    MPNetForSequenceClassification, MPNetForTokenClassification, MPNetTokenizerFast, RobertaConfig,
    RobertaForSequenceClassification, RobertaForTokenClassification, RobertaTokenizerFast, ViTConfig,
    ViTForImageClassification, XLMRobertaConfig, XLMRobertaForSequenceClassification,
)

TEXTS = [
    ("the cat sat", None),
    ("Café déjà vu: naïve, isn't it?", None),
    ("unknown 漢字 words…", "and a second (short) one!"),
    ("the cat sat on the mat, and on the hat", "e-mail me @ 10:30"),
    ("a", "The   cat\tSAT"),
]
PIECES = """[PAD] [UNK] [CLS] [SEP] [MASK] the cat sat on mat hat and a is it t ' , . : ! ? ( ) @ - e 10 30 me mail
cafe deja vu na ##ive un ##known words second short one ##s ##at""".split()
LABELS = ["no", "maybe", "yes"]
SIZES = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20)
DISTIL_SIZES = dict(dim=12, n_layers=2, n_heads=3, hidden_dim=20)


def bert_tokenizer(folder):
    file = folder / "vocab.txt"
    file.write_text("\n".join(PIECES) + "\n")
    return BertTokenizerFast(str(file))


def electra_tokenizer(folder):
    bert_tokenizer(folder)
    return ElectraTokenizerFast(str(folder / "vocab.txt"))


def mpnet_tokenizer(folder):
    """With BERT's special tokens as well, as the vocabulary of mpnet-base has them."""
    file = folder / "vocab.txt"
    file.write_text("\n".join(["<s>", "<pad>", "</s>", "<unk>", *PIECES, "<mask>"]) + "\n")
    return MPNetTokenizerFast(str(file))


def roberta_tokenizer(folder):
    trained = ByteLevelBPETokenizer()
    texts = [text for pair in TEXTS for text in pair if text]
    trained.train_from_iterator(texts, vocab_size=280, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    trained.save_model(str(folder))
    return RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))


def randomise(model):
    """Numbers of a size at which every part of the model counts."""
    for name, parameter in model.named_parameters():
        values = torch.randn(parameter.shape)
        if parameter.ndim > 1:
            fan = parameter[0].numel() if "embedding" not in name else 1
            values *= 1.5 / fan**0.5
        elif "norm" in name.lower() and name.endswith("weight"):
            values = torch.rand(parameter.shape) + 0.5
        else:
            values *= 0.3
        parameter.data = values


def labels(count):
    return dict(id2label=dict(enumerate(LABELS[:count])), label2id={label: i for i, label in enumerate(LABELS[:count])})


def finish(folder, model, inputs, metadata):
    model.eval()
    with torch.no_grad():
        outputs = model(**inputs, output_hidden_states=True)
    hidden = {f"hidden_states.{index}": tensor for index, tensor in enumerate(outputs.hidden_states)}
    probe = {**inputs, "logits": outputs.logits, **hidden}
    save_file({name: tensor.float().contiguous() for name, tensor in probe.items()}, folder / "probe.safetensors", metadata)


def save_text(
    root, name, tokenizer_of, config_class, model_class, stored=torch.float32, most="1GB", **options
):
    """`stored` is what the numbers are saved as, `most` the size of a file from which there are several."""
    folder = root / name
    folder.mkdir()
    tokenizer = tokenizer_of(folder)
    config = config_class(
        vocab_size=len(tokenizer), max_position_embeddings=70, pad_token_id=tokenizer.pad_token_id, **options
    )
    model = model_class(config)
    randomise(model)
    model.to(stored).save_pretrained(folder, max_shard_size=most)
    model.float()
    tokenizer.save_pretrained(folder)
    single = [tokenizer(*[text for text in pair if text], return_token_type_ids=True) for pair in TEXTS]
    texts = [
        {"text": a, "pair": b, "tokens": one["input_ids"], "types": one["token_type_ids"]}
        for (a, b), one in zip(TEXTS, single)
    ]
    length = max(len(one["input_ids"]) for one in single)
    pad = lambda key, value: torch.tensor([one[key] + [value] * (length - len(one[key])) for one in single])
    inputs = {"input_ids": pad("input_ids", tokenizer.pad_token_id), "attention_mask": pad("attention_mask", 0)}
    if getattr(config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = pad("token_type_ids", 0)
    finish(folder, model, inputs, {"texts": json.dumps(texts)})


def save_images(root, name, config_class, model_class, size, channels):
    folder = root / name
    folder.mkdir()
    model = model_class(
        config_class(image_size=size, patch_size=3, num_channels=channels, **SIZES, **labels(3))
    )
    randomise(model)
    model.save_pretrained(folder)
    height, width = size if isinstance(size, list) else (size, size)
    finish(folder, model, {"pixel_values": torch.randn(3, channels, height, width)}, {})


def main(root):
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    bert, roberta = bert_tokenizer, roberta_tokenizer
    save_text(root, "bert", bert, BertConfig, BertForSequenceClassification, **SIZES, **labels(3))
    save_text(root, "bert-regression", bert, BertConfig, BertForSequenceClassification, **SIZES, num_labels=1,
              problem_type="regression", hidden_act="relu")
    save_text(root, "bert-tags", bert, BertConfig, BertForTokenClassification, **SIZES, **labels(3),
              hidden_act="gelu_new", stored=torch.bfloat16)
    save_text(root, "distilbert", bert, DistilBertConfig, DistilBertForSequenceClassification, **DISTIL_SIZES, **labels(2))
    save_text(root, "distilbert-tags", bert, DistilBertConfig, DistilBertForTokenClassification, **DISTIL_SIZES, **labels(3),
              stored=torch.float16)
    save_text(root, "roberta", roberta, RobertaConfig, RobertaForSequenceClassification, **SIZES, **labels(3),
              type_vocab_size=1, layer_norm_eps=1e-5)
    save_text(root, "roberta-tags", roberta, RobertaConfig, RobertaForTokenClassification, **SIZES, **labels(3), most="4KB")
    save_text(root, "xlm-roberta", roberta, XLMRobertaConfig, XLMRobertaForSequenceClassification, **SIZES, **labels(3))
    save_text(root, "camembert", roberta, CamembertConfig, CamembertForSequenceClassification, **SIZES, **labels(2))
    save_text(root, "electra", electra_tokenizer, ElectraConfig, ElectraForSequenceClassification, **SIZES, **labels(3),
              embedding_size=8)
    save_text(root, "electra-tags", electra_tokenizer, ElectraConfig, ElectraForTokenClassification, **SIZES, **labels(3),
              embedding_size=12)
    save_text(root, "mpnet", mpnet_tokenizer, MPNetConfig, MPNetForSequenceClassification, **SIZES, **labels(3),
              layer_norm_eps=1e-5)
    save_text(root, "mpnet-tags", mpnet_tokenizer, MPNetConfig, MPNetForTokenClassification, **SIZES, **labels(3))
    save_images(root, "vit", ViTConfig, ViTForImageClassification, [6, 9], 2)
    save_images(root, "deit", DeiTConfig, DeiTForImageClassificationWithTeacher, 9, 3)
    save_images(root, "deit-one-head", DeiTConfig, DeiTForImageClassification, 9, 3)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
