"""The works that the lessons cite, and how we know the numbers of the sections and equations that are cited of them."""

from typing import NamedTuple


class Work(NamedTuple):
    """Who wrote a work, its title, and how we know the numbers that are cited; "" where none is cited."""

    authors: str
    title: str
    known: str = ""


MEMORY = "from memory"
SOURCES = {
    "Alemi et al. (2018)": Work("A. A. Alemi et al.", "Fixing a broken ELBO", "compared"),
    "Azzalini & Bowman (1990)": Work("A. Azzalini & A. W. Bowman", "A look at some data on the Old Faithful geyser"),
    "Bishop (2006)": Work(
        "C. M. Bishop", "Pattern Recognition and Machine Learning", "compared"
    ),
    "Blei et al. (2003)": Work("D. M. Blei, A. Y. Ng & M. I. Jordan", "Latent Dirichlet allocation", "compared"),
    "Blei et al. (2017)": Work(
        "D. M. Blei, A. Kucukelbir & J. D. McAuliffe", "Variational inference: a review for statisticians",
        "compared",
    ),
    "Bowman et al. (2016)": Work("S. R. Bowman et al.", "Generating sentences from a continuous space"),
    "Burda et al. (2016)": Work(
        "Y. Burda, R. Grosse & R. Salakhutdinov", "Importance weighted autoencoders", "compared"
    ),
    "Burgess et al. (2018)": Work("C. P. Burgess et al.", "Understanding disentangling in β-VAE"),
    "Chen et al. (2018)": Work(
        "R. T. Q. Chen, X. Li, R. Grosse & D. Duvenaud",
        "Isolating sources of disentanglement in variational autoencoders",
        "compared: eq. 2; §3 and §4 from memory",
    ),
    "Cooper (1990)": Work(
        "G. F. Cooper", "The computational complexity of probabilistic inference using Bayesian belief networks"
    ),
    "Cover & Thomas (2006)": Work(
        "T. M. Cover & J. A. Thomas", "Elements of Information Theory, second edition",
        "compared, but for §8.5 and §10.3.2 only that theorems with the numbers around them are where we say",
    ),
    "Cremer et al. (2018)": Work(
        "C. Cremer, X. Li & D. Duvenaud", "Inference suboptimality in variational autoencoders"
    ),
    "Dempster et al. (1977)": Work(
        "A. P. Dempster, N. M. Laird & D. B. Rubin", "Maximum likelihood from incomplete data via the EM algorithm"
    ),
    "Do & Batzoglou (2008)": Work(
        "C. B. Do & S. Batzoglou", "What is the expectation maximization algorithm?", "compared"
    ),
    "Doersch (2016)": Work("C. Doersch", "Tutorial on variational autoencoders"),
    "Eastwood & Williams (2018)": Work(
        "C. Eastwood & C. K. I. Williams",
        "A framework for the quantitative evaluation of disentangled representations",
    ),
    "Hastie et al. (2009)": Work(
        "T. Hastie, R. Tibshirani & J. Friedman", "The Elements of Statistical Learning, second edition", "compared"
    ),
    "Heckerman (1989)": Work("D. Heckerman", "A tractable inference algorithm for diagnosing multiple diseases"),
    "Higgins et al. (2017)": Work(
        "I. Higgins et al.",
        "β-VAE: Learning basic visual concepts with a constrained variational framework", "compared",
    ),
    "Hoffman & Johnson (2016)": Work(
        "M. D. Hoffman & M. J. Johnson",
        "ELBO surgery: yet another way to carve up the variational evidence lower bound",
    ),
    "Huffman (1952)": Work("D. A. Huffman", "A method for the construction of minimum-redundancy codes"),
    "Kim & Mnih (2018)": Work("H. Kim & A. Mnih", "Disentangling by factorising"),
    "Kingma & Welling (2014)": Work("D. P. Kingma & M. Welling", "Auto-encoding variational Bayes", "compared"),
    "Kingma & Welling (2019)": Work(
        "D. P. Kingma & M. Welling", "An introduction to variational autoencoders", "compared"
    ),
    "Kullback & Leibler (1951)": Work("S. Kullback & R. A. Leibler", "On information and sufficiency"),
    "Kumar et al. (2018)": Work(
        "A. Kumar, P. Sattigeri & A. Balakrishnan",
        "Variational inference of disentangled latent concepts from unlabeled observations",
    ),
    "Locatello et al. (2019)": Work(
        "F. Locatello et al.",
        "Challenging common assumptions in the unsupervised learning of disentangled representations", MEMORY,
    ),
    "Lucas et al. (2019)": Work(
        "J. Lucas, G. Tucker, R. Grosse & M. Norouzi",
        "Don't blame the ELBO! A linear VAE perspective on posterior collapse",
    ),
    "MacKay (2003)": Work(
        "D. J. C. MacKay", "Information Theory, Inference, and Learning Algorithms",
        "compared",
    ),
    "Metropolis et al. (1953)": Work(
        "N. Metropolis et al.", "Equation of state calculations by fast computing machines"
    ),
    "Mohamed et al. (2020)": Work(
        "S. Mohamed, M. Rosca, M. Figurnov & A. Mnih", "Monte Carlo gradient estimation in machine learning", "compared"
    ),
    "Murphy (2022)": Work("K. P. Murphy", "Probabilistic Machine Learning: An Introduction", "compared"),
    "Murphy (2023)": Work("K. P. Murphy", "Probabilistic Machine Learning: Advanced Topics", "compared"),
    "Neal & Hinton (1998)": Work(
        "R. M. Neal & G. E. Hinton", "A view of the EM algorithm that justifies incremental, sparse, and other variants"
    ),
    "Pearl (1988)": Work("J. Pearl", "Probabilistic Reasoning in Intelligent Systems", "compared"),
    "Rezende et al. (2014)": Work(
        "D. J. Rezende, S. Mohamed & D. Wierstra",
        "Stochastic backpropagation and approximate inference in deep generative models",
    ),
    "Rolinek et al. (2019)": Work(
        "M. Rolinek, D. Zietlow & G. Martius", "Variational autoencoders pursue PCA directions (by accident)"
    ),
    "Rybkin et al. (2021)": Work(
        "O. Rybkin, K. Daniilidis & S. Levine", "Simple and effective VAE training with calibrated decoders"
    ),
    "Shannon (1948)": Work("C. E. Shannon", "A mathematical theory of communication", "compared"),
    "Shoemake (1985)": Work("K. Shoemake", "Animating rotation with quaternion curves"),
    "Tipping & Bishop (1999)": Work(
        "M. E. Tipping & C. M. Bishop", "Probabilistic principal component analysis", MEMORY
    ),
    "White (2016)": Work("T. White", "Sampling generative networks", MEMORY),
}  # fmt: skip
