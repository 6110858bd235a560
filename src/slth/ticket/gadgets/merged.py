r"""Merged projections: one map for two of an attention, by the two random layers that are its source's projections.

Otsuka, Chijiwa, Okoshi, Fujiki, Takeuchi and Motomura (2025), Theorem 3. The target's projections of a head are merged
to M = W_Kᵀ W_Q and U = W_O W_V, see `slth.graph.merging`. The source is an attention of the same architecture, with
*no further layers*, of head sizes n_K and n_V. It realises M by the lift A and the pruned mixing layer B of a linear
`TwoLayer`: B Aᵀ ... written for a query x_t and a key y_s,

    ⟨M̂ x_t, y_s⟩ = ⟨g (m B)ᵀ A x_t, y_s⟩ = g ⟨A x_t, (m B) y_s⟩        A (n_K, d) queries, m B (n_K, d) keys

so A is its query projection, block-structured by the scan, and m B its key projection; likewise U by its value
projection A and its output projection (m B)ᵀ. A bias of the queries is the lift's β, which only constants keep. n_K is
the number of the lift's live neurons, n · d and those of the constant.

The scale. The paper draws W̃_Q, W̃_K from U[−n_K^{1/4}, n_K^{1/4}] and divides logits by √n_K: two factors n_K^{1/4}
that cancel it, so that what is pruned are products of two numbers from U[−1, 1]. Here these are drawn, and nothing is
divided; instead logits are multiplied by the target's own scale (1/√d_head) and by the gain g, a power of two. In the
paper's normalisation that is a source with W̃_Q = n_K^{1/4} A, W̃_K = n_K^{1/4} m B, at the temperature 1/(scale · g).

Lemma 7. Entry (i, j) of M̂ is g Σ_k m_ikj v_ik u_kj over the n = n_K/d neurons k that read input j: no ReLU, so no
sign split, and every product of either sign is usable. If n ≥ C log(d²/ε), with probability at least 1 − ε *all*
entries are within ε/d² at once. What follows for the attention is the certificate's business (Theorem 3); it does not
depend on the number of positions.
"""

from dataclasses import dataclass
from typing import ClassVar

from slth.graph import QUERY_KEY
from slth.ticket.gadgets.two_layer import TwoLayer


@dataclass(frozen=True, slots=True)
class Merged(TwoLayer):
    """The linear two layers of a merged map: those of `TwoLayer`, and what of the target they stand for.

    Nothing is overridden: all that treats two layers treats these, and another kind says that the target is merged
    before it is compared.
    """

    linear: bool = True
    part: str = QUERY_KEY  # of an attention: query-key or value-output
    weights: int = 1  # parameters of the target's projections that this map stands for, as `Product` counts them

    kind: ClassVar[str] = "merged"
