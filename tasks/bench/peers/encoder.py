"""The encoders of encoders.ts in PyTorch: the same numbers, the same network, as transformers computes it."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from hashed import hashed

SIZES = {  # layers, width, heads, ffn, vocabulary, batch, length
    "encoder-mail": (4, 96, 4, 192, 2500, 32, 96),
    "encoder-minilm": (6, 384, 12, 1536, 30522, 32, 96),
    "encoder-base": (1, 768, 12, 3072, 5087, 32, 128),
}


class Layer(nn.Module):
    def __init__(self, width, heads, ffn):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, 1e-12)
        self.up, self.down = nn.Linear(width, ffn), nn.Linear(ffn, width)
        self.last = nn.LayerNorm(width, 1e-12)

    def forward(self, x):
        batch, length, width = x.shape
        split = lambda y: y.view(batch, length, self.heads, -1).transpose(1, 2)
        attended = F.scaled_dot_product_attention(split(self.query(x)), split(self.key(x)), split(self.value(x)))
        x = self.norm(x + self.output(attended.transpose(1, 2).reshape(batch, length, width)))
        return self.last(x + self.down(F.gelu(self.up(x))))


class Network(nn.Module):
    """Its parameters are in the order of encoders.ts."""

    def __init__(self, layers, width, heads, ffn, vocabulary, length):
        super().__init__()
        self.word, self.position, self.kind = (nn.Embedding(n, width) for n in (vocabulary, length, 2))
        self.norm = nn.LayerNorm(width, 1e-12)
        self.layers = nn.Sequential(*(Layer(width, heads, ffn) for _ in range(layers)))
        self.pooler, self.classifier = nn.Linear(width, width), nn.Linear(width, 2)
        with torch.no_grad():
            for i, p in enumerate(self.parameters()):
                if p.dim() == 2:
                    p.copy_(hashed(200 + i, p.numel(), math.sqrt(3) * 0.02).reshape(p.shape))
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    module.bias.zero_()

    def forward(self, tokens):
        x = self.norm(self.word(tokens) + self.position.weight + self.kind.weight[0])
        return self.classifier(torch.tanh(self.pooler(self.layers(x)[:, 0])))


class Encoder:
    def __init__(self, name):
        layers, width, heads, ffn, vocabulary, batch, length = SIZES[name]
        self.size = batch
        tokens = batch * length
        layer = 2 * tokens * (4 * width * width + 2 * width * ffn) + 4 * tokens * length * width
        self.flops = 3 * (layers * layer + 2 * batch * width * (width + 2))
        self.tokens = ((hashed(5, tokens).double() + 1) / 2 * vocabulary).long().reshape(batch, length)
        self.labels = torch.arange(batch) % 2
        self.model = Network(layers, width, heads, ffn, vocabulary, length)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-4, eps=1e-6, weight_decay=0.01)
        self.loss = None

    def step(self):
        self.optimiser.zero_grad(set_to_none=True)
        self.loss = F.cross_entropy(self.model(self.tokens), self.labels)
        self.loss.backward()
        self.optimiser.step()

    def sync(self):
        return float(self.loss.detach())


class Attention:
    """The two products of attention, batched: x <- (x k^T) v for 384 heads of 128 tokens."""

    size, flops = 384, 2 * 2 * 384 * 128 * 128 * 64

    def __init__(self):
        shape = (384, 128, 64)
        count = math.prod(shape)
        self.x = hashed(6, count).reshape(shape)
        self.k = hashed(7, count, math.sqrt(3 / 64)).reshape(shape)
        self.v = hashed(8, count, math.sqrt(3 / 128)).reshape(shape)

    def step(self):
        self.x = (self.x @ self.k.transpose(1, 2)) @ self.v

    def sync(self):
        return float(self.x[0, 0, 0])
