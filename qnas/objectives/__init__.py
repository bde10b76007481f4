"""What a front is made of. One file per objective; importing this room registers the bundled ones."""

from qnas.objectives import accuracy, counts, gradient_circuits, gradient_norm, noisy_accuracy
from qnas.objectives.design import Design
from qnas.objectives.entangling import EntanglingCapability, entangling_capability
from qnas.objectives.expressibility import Expressibility, expressibility
from qnas.objectives.flops import Flops, flops
from qnas.objectives.frame_potential import FramePotential, frame_potential
from qnas.objectives.gradient_cost import GradientCost, gradient_cost
from qnas.objectives.gradient_efficiency import GradientEfficiency, gradient_efficiency
from qnas.objectives.hardware import HardwareCost, hardware_cost
from qnas.objectives.lie_algebra import lie_algebra_dim
from qnas.objectives.objective import Estimate, Objective, choose_objectives, objective, objectives
from qnas.objectives.scaling import GradientScaling, gradient_scaling
from qnas.objectives.trainability import GradientVariance, gradient_variance

__all__ = [
    "Design",
    "EntanglingCapability",
    "Estimate",
    "Expressibility",
    "Flops",
    "FramePotential",
    "GradientCost",
    "GradientEfficiency",
    "GradientScaling",
    "GradientVariance",
    "HardwareCost",
    "Objective",
    "accuracy",
    "choose_objectives",
    "counts",
    "entangling_capability",
    "expressibility",
    "flops",
    "frame_potential",
    "gradient_circuits",
    "gradient_cost",
    "gradient_efficiency",
    "gradient_norm",
    "gradient_scaling",
    "gradient_variance",
    "hardware_cost",
    "lie_algebra_dim",
    "noisy_accuracy",
    "objective",
    "objectives",
]
