"""What type checkers see of the public names, which are imported when they are first used."""

from qnas.architecture import Architecture as Architecture
from qnas.circuit.ansatze import ansatz as ansatz
from qnas.circuit.build import build_circuit as build_circuit
from qnas.circuit.encodings import encoding as encoding
from qnas.circuit.readouts import readout as readout
from qnas.circuit.topologies import topology as topology
from qnas.data import dataset as dataset
from qnas.experiment.callbacks import Callbacks as Callbacks
from qnas.experiment.results import Result as Result
from qnas.launch import search as search
from qnas.model.couplings import coupling as coupling
from qnas.model.hybrid import build_model as build_model
from qnas.model.quantum_layer import QuantumLayer as QuantumLayer
from qnas.objectives import Estimate as Estimate
from qnas.objectives import entangling_capability as entangling_capability
from qnas.objectives import expressibility as expressibility
from qnas.objectives import flops as flops
from qnas.objectives import gradient_cost as gradient_cost
from qnas.objectives import gradient_efficiency as gradient_efficiency
from qnas.objectives import gradient_scaling as gradient_scaling
from qnas.objectives import gradient_variance as gradient_variance
from qnas.objectives import lie_algebra_dim as lie_algebra_dim
from qnas.objectives import objective as objective
from qnas.references import cites as cites
from qnas.search import searcher as searcher
from qnas.space import load_space as load_space
