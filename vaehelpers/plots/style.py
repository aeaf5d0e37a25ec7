"""The look of the course: a style sheet, and one colour for each role, the same in every lesson."""

from pathlib import Path

#: ``plt.style.use(plots.STYLE)`` gives a notebook the look of the course.
STYLE = str(Path(__file__).parent.parent / "course.mplstyle")

# Never by colour alone: q is also dashed (lines) or hatched (bars), data are dots, the prior is dotted.
P = "C0"  # the true distribution
Q = "C1"  # the approximation
BOUND = "C2"  # the ELBO, and every other bound
DATA = "C3"
POSTERIOR = "C4"
PRIOR = "C5"
