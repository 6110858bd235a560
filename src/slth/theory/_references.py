"""The papers that bounds, gadgets, methods and reproductions rest on, and their BibTeX entries."""

from collections.abc import Iterable

from slth import _arguments
from slth.theory._papers import PAPERS
from slth.theory._reference import Reference

_ALL = (
    Reference(
        key="lueker1998",
        authors=("Lueker, George S.",),
        title="Exponentially small bounds on the expected optimum of the partition and subset sum problems",
        year=1998,
        venue="Random Structures and Algorithms 12(1):51-62",
        article=True,
    ),
    Reference(
        key="dacunha2022rss",
        authors=(
            "da Cunha, Arthur",
            "d'Amore, Francesco",
            "Giroire, Frédéric",
            "Lesfari, Hicham",
            "Natale, Emanuele",
            "Viennot, Laurent",
        ),
        title="Revisiting the Random Subset Sum Problem",
        year=2022,
        arxiv="2204.13929",
    ),
    Reference(
        key="borgs2001",
        authors=("Borgs, Christian", "Chayes, Jennifer", "Pittel, Boris"),
        title="Phase transition and finite-size scaling for the integer partitioning problem",
        year=2001,
        venue="Random Structures and Algorithms 19(3-4):247-288",
        article=True,
    ),
    Reference(
        key="becchetti2022",
        authors=(
            "Becchetti, Luca",
            "da Cunha, Arthur",
            "Clementi, Andrea",
            "d'Amore, Francesco",
            "Lesfari, Hicham",
            "Natale, Emanuele",
            "Trevisan, Luca",
        ),
        title="On the Multidimensional Random Subset Sum Problem",
        year=2022,
        arxiv="2207.13944",
    ),
    Reference(
        key="malach2020",
        authors=("Malach, Eran", "Yehudai, Gilad", "Shalev-Shwartz, Shai", "Shamir, Ohad"),
        title="Proving the Lottery Ticket Hypothesis: Pruning is All You Need",
        year=2020,
        venue="International Conference on Machine Learning",
        arxiv="2002.00585",
    ),
    Reference(
        key="pensia2020",
        authors=(
            "Pensia, Ankit",
            "Rajput, Shashank",
            "Nagle, Alliot",
            "Vishwakarma, Harit",
            "Papailiopoulos, Dimitris",
        ),
        title="Optimal Lottery Tickets via SubsetSum: Logarithmic Over-Parameterization is Sufficient",
        year=2020,
        venue="Advances in Neural Information Processing Systems",
        arxiv="2006.07990",
    ),
    Reference(
        key="orseau2020",
        authors=("Orseau, Laurent", "Hutter, Marcus", "Rivasplata, Omar"),
        title="Logarithmic Pruning is All You Need",
        year=2020,
        venue="Advances in Neural Information Processing Systems",
        arxiv="2006.12156",
    ),
    Reference(
        key="diffenderfer2021",
        authors=("Diffenderfer, James", "Kailkhura, Bhavya"),
        title="Multi-Prize Lottery Ticket Hypothesis: Finding Accurate Binary Neural Networks by Pruning A Randomly "
        "Weighted Network",
        year=2021,
        venue="International Conference on Learning Representations",
        arxiv="2103.09377",
    ),
    Reference(
        key="sreenivasan2022",
        authors=("Sreenivasan, Kartik", "Rajput, Shashank", "Sohn, Jy-yong", "Papailiopoulos, Dimitris"),
        title="Finding Nearly Everything within Random Binary Networks",
        year=2022,
        venue="International Conference on Artificial Intelligence and Statistics",
        arxiv="2110.08996",
    ),
    Reference(
        key="burkholz2022dense",
        authors=("Burkholz, Rebekka",),
        title="Most Activation Functions Can Win the Lottery Without Excessive Depth",
        year=2022,
        venue="Advances in Neural Information Processing Systems",
        arxiv="2205.02321",
    ),
    Reference(
        key="burkholz2022conv",
        authors=("Burkholz, Rebekka",),
        title="Convolutional and Residual Networks Provably Contain Lottery Tickets",
        year=2022,
        venue="International Conference on Machine Learning",
        arxiv="2205.02343",
    ),
    Reference(
        key="dacunha2022cnn",
        authors=("da Cunha, Arthur", "Natale, Emanuele", "Viennot, Laurent"),
        title="Proving the Lottery Ticket Hypothesis for Convolutional Neural Networks",
        year=2022,
        venue="International Conference on Learning Representations",
    ),
    Reference(
        key="ferbach2023",
        authors=("Ferbach, Damien", "Tsirigotis, Christos", "Gidel, Gauthier", "Bose, Avishek Joey"),
        title="A General Framework For Proving The Equivariant Strong Lottery Ticket Hypothesis",
        year=2023,
        venue="International Conference on Learning Representations",
        arxiv="2206.04270",
    ),
    Reference(
        key="xiong2023",
        authors=("Xiong, Zheyang", "Liao, Fangshuo", "Kyrillidis, Anastasios"),
        title="Strong Lottery Ticket Hypothesis with epsilon-perturbation",
        year=2023,
        venue="International Conference on Artificial Intelligence and Statistics",
        arxiv="2210.16589",
    ),
    Reference(
        key="dacunha2023structured",
        authors=("da Cunha, Arthur", "d'Amore, Francesco", "Natale, Emanuele"),
        title="Polynomially Over-Parameterized Convolutional Neural Networks Contain Structured Strong Winning Lottery "
        "Tickets",
        year=2023,
        venue="Advances in Neural Information Processing Systems",
        arxiv="2311.09858",
    ),
    Reference(
        key="natale2024",
        authors=(
            "Natale, Emanuele",
            "Ferrè, Davide",
            "Giambartolomei, Giordano",
            "Giroire, Frédéric",
            "Mallmann-Trenn, Frederik",
        ),
        title="On the Sparsity of the Strong Lottery Ticket Hypothesis",
        year=2024,
        venue="Advances in Neural Information Processing Systems",
        arxiv="2410.14754",
    ),
    Reference(
        key="kumar2025",
        authors=("Kumar, Aakash", "Natale, Emanuele"),
        title="Quantization vs Pruning: Insights from the Strong Lottery Ticket Hypothesis",
        year=2025,
        arxiv="2508.11020",
    ),
    Reference(
        key="unified2026",
        authors=("{Authors of arXiv 2607.03860}",),
        title="A Unified Framework for Quantized and Continuous Strong Lottery Tickets",
        year=2026,
        arxiv="2607.03860",
    ),
    Reference(
        key="otsuka2026",
        authors=(
            "Otsuka, Hikari",
            "Chijiwa, Daiki",
            "Okoshi, Yasuyuki",
            "Fujiki, Daichi",
            "Takeuchi, Susumu",
            "Motomura, Masato",
        ),
        title="The Strong Lottery Ticket Hypothesis for Multi-Head Attention Mechanisms",
        year=2026,
        venue="AAAI Conference on Artificial Intelligence",
        arxiv="2511.04217",
    ),
    Reference(
        key="laurent2000",
        authors=("Laurent, Béatrice", "Massart, Pascal"),
        title="Adaptive estimation of a quadratic functional by model selection",
        year=2000,
        venue="The Annals of Statistics 28(5):1302-1338",
        article=True,
    ),
)

REFERENCES = {reference.key: reference for reference in (*_ALL, *PAPERS)}


def bibtex(keys: Iterable[str]) -> str:
    """The entries of these keys, each once, in the order of the keys.

    Raises:
        InputError: a key is unknown.
    """
    entries = [REFERENCES[_arguments.one_of(key, REFERENCES, "reference")] for key in dict.fromkeys(keys)]
    return "\n\n".join(entry.as_bibtex() for entry in entries)
