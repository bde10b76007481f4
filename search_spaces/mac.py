"""Circuits added to classical networks, multiplied with them, or both.

Source: multiplicative and additive couplings of physics-informed networks (arXiv 2511.07216). From there are the
couplings (A q) + N, (A q) * N and (A q) * N + N', with q the readout of the circuit, A a linear map and N, N' MLPs,
and the genes: width and depth of the MLPs, number of qubits, depth of the circuit, and data re-uploading. Its tables
are not at hand, so the values of each gene are our own reading:

* one linear map stands in front of the circuit, so that `hidden` is about N and N' alone; all their layers are of one
  width.
* features are RX angles; a layer is RX, RY, RZ on each qubit and a ring of CX; the readout is Z of every qubit.
* before a single layer there is nothing to upload again, so there is no such design.
"""

from qnas.space import Space, boolean, choice, integer, repeat

space = Space(
    coupling=choice("additive", "multiplicative", "mac"),
    hidden=repeat(1, 3, choice(8, 16, 32, 64), tied=True),
    pre="linear",
    n_qubits=integer(2, 5),
    encoding=dict(name="angle", axis="x", reupload=boolean()),
    layers=repeat(1, 5, rotation="rx_ry_rz", entangler="cx", topology="ring", tied=True),
    readout="z",
).where(
    lambda a: len(a.layers) > 1 or not a.encoding.reupload, because="before a single layer features are uploaded once"
)
