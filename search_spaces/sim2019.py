"""The 19 circuit templates whose expressibility Sim, Johnson and Aspuru-Guzik compared, as hybrid classifiers.

Source: Sim, Johnson and Aspuru-Guzik 2019 (arXiv 1905.10876), figure 2: templates 1 to 19, written for any width, with
1 to 5 layers. Templates 3 and 16 differ in the order of gates that commute, so that they are alike. Our own reading is
all that is around the templates, which the paper does not train: features are RY angles behind one linear map, the
readout is Z of every qubit, and a linear map yields the outputs.
"""

from qnas.space import Space, choice, integer

space = Space(
    n_qubits=integer(3, 6),
    encoding=dict(name="angle", axis="y"),
    ansatz=dict(name="sim2019", template=choice(*range(1, 20)), n_layers=integer(1, 5)),
    coupling="serial",
    hidden=(),
    readout="z",
)
