"""Transformers as people write them, small: of the library, of PyTorch, and by hand. Each with an example of inputs."""

import math

import torch
import torch.nn.functional as F
from torch import nn

TOKENS = torch.arange(14).reshape(2, 7) * 5 % 50
NUMBERS = torch.randn(2, 7, 16, generator=torch.Generator().manual_seed(0))
LLAMA = {
    "vocab_size": 50, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 32,
}  # fmt: skip
BERT = {"vocab_size": 50, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}


class Decoder(nn.Module):
    """One block as in nanoGPT, attention written out, head and table tied; `mask`: how later keys are hidden."""

    def __init__(self, mask="fill", number=float("-inf"), einsum=False, tied=True):
        super().__init__()
        self.mask, self.number, self.einsum = mask, number, einsum
        self.wte, self.wpe = nn.Embedding(50, 16), nn.Embedding(16, 16)
        self.qkv, self.out, self.head = nn.Linear(16, 48), nn.Linear(16, 16), nn.Linear(16, 50, bias=False)
        self.first, self.second = nn.LayerNorm(16), nn.LayerNorm(16)
        self.mlp = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 16), nn.Dropout(0.1))
        self.register_buffer("seen", torch.tril(torch.ones(16, 16)).view(1, 1, 16, 16))
        if tied:
            self.head.weight = self.wte.weight
        for norm in (self.first, self.second):
            nn.init.normal_(norm.weight, 1, 0.2)
            nn.init.normal_(norm.bias)

    def forward(self, tokens):
        batch, length = tokens.shape
        x = self.wte(tokens) + self.wpe(torch.arange(length))
        q, k, v = (part.view(batch, length, 4, 4).transpose(1, 2) for part in self.qkv(self.first(x)).split(16, dim=2))
        logits = torch.einsum("bhtd,bhsd->bhts", q, k) if self.einsum else q @ k.transpose(-2, -1)
        p = F.dropout(F.softmax(self.hidden(logits / math.sqrt(4), length), dim=-1), 0.1, self.training)
        y = torch.einsum("bhts,bhsd->bhtd", p, v) if self.einsum else p @ v
        x = x + self.out(y.transpose(1, 2).contiguous().view(batch, length, 16))
        return self.head(x + self.mlp(self.second(x)))

    def hidden(self, logits, length):
        seen = self.seen[:, :, :length, :length]
        if self.mask == "fill":
            return logits.masked_fill(seen == 0, self.number)
        if self.mask == "where":
            return torch.where(seen.bool(), logits, self.number)
        if self.mask == "add":
            return logits + torch.triu(torch.full((length, length), self.number), 1)
        return logits * seen - 1e4 * (1 - seen)


class Attends(nn.Module):
    """nn.MultiheadAttention, with weights given back or not; the batch first or second."""

    def __init__(self, first=True, weights=False):
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(16, 4, batch_first=first), nn.Linear(16, 3)
        self.first, self.weights = first, weights

    def forward(self, x):
        x = x if self.first else x.transpose(0, 1)
        y, _ = self.attention(x, x, x, need_weights=self.weights)
        return self.head(y if self.first else y.transpose(0, 1))


class Encodes(nn.Module):
    """nn.TransformerEncoder, with a causal mask or without."""

    def __init__(self, first=True, causal=False, norm_first=False):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=first, norm_first=norm_first)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.first, self.causal = first, causal

    def forward(self, x):
        x = x if self.first else x.transpose(0, 1)
        length = x.shape[1 if self.first else 0]
        mask = torch.full((length, length), float("-inf"), dtype=x.dtype).triu(1) if self.causal else None
        y = self.layers(x, mask=mask, is_causal=self.causal)
        return y if self.first else y.transpose(0, 1)


class Grouped(nn.Module):
    """Batch and heads merged for bmm, key heads shared, positions as a bias of each head; norms written out."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = nn.Linear(16, 16), nn.Linear(16, 8), nn.Linear(16, 8), nn.Linear(16, 16)
        self.gain, self.shift = nn.Parameter(torch.rand(16) + 0.5), nn.Parameter(torch.rand(16))
        self.slopes = nn.Parameter(torch.rand(4))

    def forward(self, x):
        batch = x.shape[0]
        x = self.gain * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
        x = (x - mean) / torch.sqrt(variance + 1e-5) * self.gain + self.shift
        q = self.q(x).view(batch, 7, 4, 4).transpose(1, 2).reshape(batch * 4, 7, 4) / 2
        k = self.k(x).view(batch, 7, 2, 4).transpose(1, 2).repeat_interleave(2, dim=1).reshape(batch * 4, 7, 4)
        v = self.v(x).view(batch, 7, 2, 4).transpose(1, 2)
        v = v[:, :, None].expand(batch, 2, 2, 7, 4).reshape(batch * 4, 7, 4)
        far = torch.arange(7)[:, None] - torch.arange(7)
        logits = torch.bmm(q, k.transpose(1, 2)).view(batch, 4, 7, 7) - far.abs() * self.slopes[:, None, None]
        y = torch.bmm(logits.softmax(-1).view(batch * 4, 7, 7), v).view(batch, 4, 7, 4)
        return self.out(y.transpose(1, 2).reshape(batch, 7, 16))


def norms():
    parts = [nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.InstanceNorm2d(8, affine=True), nn.LayerNorm([8, 6, 6])]
    model = nn.Sequential(*parts, nn.Flatten(), nn.Linear(288, 4), nn.RMSNorm(4, eps=1e-6))
    with torch.no_grad():
        for part in (*parts[1:], model[-1]):
            part.weight.normal_(1, 0.2)
    return model, torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def of_library(name, config, **options):
    """A model of the transformers library with random weights, also of its norms."""

    def build():
        import transformers

        model = getattr(transformers, name)(getattr(transformers, config)(**options))
        with torch.no_grad():
            for part in model.modules():
                if type(part).__name__.endswith("Norm"):
                    part.weight.normal_(1, 0.2)
        return model, torch.randn(2, 3, 16, 16) if "image_size" in options else TOKENS

    return build


HAND_WRITTEN = {
    "decoder": lambda: (Decoder(), TOKENS),
    "decoder_where": lambda: (Decoder("where"), TOKENS),
    "decoder_add": lambda: (Decoder("add"), TOKENS),
    "decoder_products": lambda: (Decoder("products"), TOKENS),
    "decoder_1e9": lambda: (Decoder(number=-1e9), TOKENS),
    "decoder_einsum": lambda: (Decoder(einsum=True), TOKENS),
    "grouped": lambda: (Grouped(), NUMBERS),
    "norms": norms,
}
OF_PYTORCH = {
    **{
        f"attends_{first}_{weights}": lambda first=first, weights=weights: (Attends(first, weights), NUMBERS)
        for first in (True, False)
        for weights in (True, False)
    },
    "encodes": lambda: (Encodes(), NUMBERS),
    "encodes_second": lambda: (Encodes(first=False), NUMBERS),
    "encodes_causal": lambda: (Encodes(causal=True, norm_first=True), NUMBERS),
}
OF_LIBRARY = {
    "gpt2": of_library("GPT2LMHeadModel", "GPT2Config", vocab_size=50, n_positions=16, n_embd=16, n_layer=2, n_head=2),
    "bert": of_library("BertModel", "BertConfig", **BERT, num_hidden_layers=2, max_position_embeddings=16),
    "bert_classes": of_library(
        "BertForSequenceClassification", "BertConfig", **BERT, num_hidden_layers=1, max_position_embeddings=16
    ),
    "distilbert": of_library(
        "DistilBertModel",
        "DistilBertConfig",
        vocab_size=50,
        dim=16,
        n_layers=1,
        n_heads=2,
        hidden_dim=32,
        max_position_embeddings=16,
    ),
    "vit": of_library(
        "ViTForImageClassification",
        "ViTConfig",
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=16,
        patch_size=8,
        num_labels=5,
    ),
    "llama": of_library("LlamaForCausalLM", "LlamaConfig", **LLAMA),
    "qwen2": of_library("Qwen2ForCausalLM", "Qwen2Config", **LLAMA),
    "mistral": of_library("MistralForCausalLM", "MistralConfig", **LLAMA, sliding_window=4),
    "t5_encoder": of_library(
        "T5EncoderModel", "T5Config", vocab_size=50, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2
    ),
}
TRANSFORMERS = {**HAND_WRITTEN, **OF_PYTORCH, **OF_LIBRARY}
