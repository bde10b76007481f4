"""A state-vector simulator on numbers that count every real addition and multiplication done with them, forward and
back by the adjoint method.

Signs and factors of i cost nothing, and a division or a complex product is what it takes in real numbers.
"""

import math

import numpy as np

from qnas.circuit.program import Fixed, Rotation

UNITS = (1, 1j, -1, -1j)


class Real:
    """A real number; the arithmetic of all is counted in `Real.n_operations`."""

    n_operations = 0

    def __init__(self, value):
        self.value = float(value)

    def __add__(self, other):
        Real.n_operations += 1
        return Real(self.value + other.value)

    def __sub__(self, other):
        Real.n_operations += 1
        return Real(self.value - other.value)

    def __mul__(self, other):
        Real.n_operations += 1
        return Real(self.value * other.value)

    def __truediv__(self, other):
        Real.n_operations += 1
        return Real(self.value / other.value)

    def __neg__(self):
        return Real(-self.value)


class Complex:
    """A complex number of two counted reals."""

    def __init__(self, re, im):
        self.re, self.im = re, im

    @classmethod
    def of(cls, value):
        return cls(Real(np.real(value)), Real(np.imag(value)))

    def __add__(self, other):
        return Complex(self.re + other.re, self.im + other.im)

    def __mul__(self, other):
        return Complex(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)

    def scaled(self, factor):
        return Complex(factor * self.re, factor * self.im)

    def turned(self, unit):
        """Times 1, i, -1 or -i: parts trade places and signs."""
        quarter = next(k for k, other in enumerate(UNITS) if abs(unit - other) < 1e-12)
        return [self, Complex(-self.im, self.re), Complex(-self.re, -self.im), Complex(self.im, -self.re)][quarter]


def counted(work, *arguments):
    """What `work` returns, and how many operations it took."""
    before = Real.n_operations
    result = work(*arguments)
    return result, Real.n_operations - before


def zero_state(n_qubits):
    return [Complex.of(index == 0) for index in range(2**n_qubits)]


def normalised(amplitudes):
    """Real amplitudes divided by their norm."""
    square = Real(0)
    for amplitude in amplitudes:
        square = square + amplitude * amplitude
    norm = Real(math.sqrt(square.value))
    return [Complex(amplitude / norm, Real(0)) for amplitude in amplitudes]


def run(program, angles, state):
    """The state after every operation of a program; `angles` by slot."""
    for operation in program.operations:
        if isinstance(operation, Rotation):
            state = rotated(operation.pauli, operation.qubits, angles[operation.slot], state)
        else:
            state = fixed(operation, state)
    return state


def pauli_image(pauli, qubits, index):
    """From which amplitude P psi takes its entry at `index`, and the unit that multiplies it."""
    source, unit = index, 1
    for symbol, qubit in zip(pauli, qubits, strict=True):
        is_one = bool(index >> qubit & 1)
        source ^= (symbol in "XY") << qubit
        unit *= {"X": 1, "Y": 1j if is_one else -1j, "Z": -1 if is_one else 1}[symbol]
    return source, unit


def rotated(pauli, qubits, angle, state):
    """cos(angle/2) psi - i sin(angle/2) P psi."""
    cos, sin = Real(math.cos(angle / 2)), Real(math.sin(angle / 2))
    new = []
    for index, amplitude in enumerate(state):
        source, unit = pauli_image(pauli, qubits, index)
        new.append(amplitude.scaled(cos) + state[source].turned(-1j * unit).scaled(sin))
    return new


def fixed(gate, state):
    """A matrix: as sums and differences for H, as moves for a permutation with phases, else row by row."""
    return [_entry(gate, index, state) for index in range(len(state))]


def _entry(gate, index, state):
    row = sum((index >> qubit & 1) << k for k, qubit in enumerate(gate.qubits))
    sources = [_replaced(index, gate.qubits, column) for column in range(len(gate.matrix))]
    if gate.name == "h":
        first, second = state[sources[0]], state[sources[1]]
        return (first + second.turned(-1 if row else 1)).scaled(Real(math.sqrt(0.5)))
    if (np.count_nonzero(np.abs(gate.matrix) > 1e-12, axis=1) == 1).all():
        column = int(np.abs(gate.matrix[row]).argmax())
        return _times(state[sources[column]], gate.matrix[row, column])
    products = [Complex.of(entry) * state[source] for entry, source in zip(gate.matrix[row], sources, strict=True)]
    total = products[0]
    for product in products[1:]:
        total = total + product
    return total


def _times(amplitude, phase):
    is_unit = min(abs(phase - unit) for unit in UNITS) < 1e-12
    return amplitude.turned(phase) if is_unit else Complex.of(phase) * amplitude


def _replaced(index, qubits, bits):
    for k, qubit in enumerate(qubits):
        index = index & ~(1 << qubit) | (bits >> k & 1) << qubit
    return index


def expectations(observables, state):
    """Probabilities are computed once, and only if a string of Z needs them; several strings of Z are one diagonal."""
    probabilities = None
    found = []
    for operator in observables:
        total = Real(0)
        terms = operator.to_sparse_list()
        diagonal = [term for term in terms if set(term[0]) <= {"Z"}]
        if diagonal and probabilities is None:
            probabilities = [a.re * a.re + a.im * a.im for a in state]
        if len(diagonal) > 1:
            for index, probability in enumerate(probabilities):
                entry = sum(c.real * pauli_image(pauli, qubits, index)[1].real for pauli, qubits, c in diagonal)
                total = total + Real(entry) * probability
            terms = [term for term in terms if term not in diagonal]
        for term in terms:
            total = _with_string(total, term, state, probabilities)
        found.append(total.value)
    return found


def _with_string(total, term, state, probabilities):
    """The total and the expectation of one Pauli string, whose sign costs nothing."""
    pauli, qubits, coefficient = term
    weighted = abs(coefficient) != 1
    own = Real(0) if weighted else total
    for index, amplitude in enumerate(state):
        source, unit = pauli_image(pauli, qubits, index)
        unit = unit if weighted else unit * coefficient.real
        if set(pauli) <= {"Z"}:
            own = own + (probabilities[index] if unit.real > 0 else -probabilities[index])
        else:
            other = state[source].turned(unit)
            own = own + (amplitude.re * other.re + amplitude.im * other.im)
    return total + Real(coefficient.real) * own if weighted else own


# --- backward ------------------------------------------------------------------------------------------------------


def sweep(program, angles, state, observables, cotangent):
    """The derivatives of sum_k cotangent[k] <O_k> by the angle of each slot, and lambda before the first operation."""
    adjoint, found = seed(observables, cotangent, state), [0.0] * program.n_slots
    for operation in reversed(program.operations):
        if isinstance(operation, Rotation):
            found[operation.slot] = overlap(operation.pauli, operation.qubits, adjoint, state).value
        state, adjoint = (undone(operation, angles, each) for each in (state, adjoint))
    return found, adjoint


def undone(operation, angles, state):
    if isinstance(operation, Rotation):
        return rotated(operation.pauli, operation.qubits, -angles[operation.slot], state)
    return fixed(Fixed(operation.name, operation.qubits, operation.matrix.conj().T), state)


def overlap(pauli, qubits, adjoint, state):
    """Im <adjoint| P |state>."""
    total = Real(0)
    for index, left in enumerate(adjoint):
        source, unit = pauli_image(pauli, qubits, index)
        right = state[source].turned(unit)
        total = total + (left.re * right.im - left.im * right.re)
    return total


def seed(observables, cotangent, state):
    """sum_k g_k O_k psi: all strings of Z are one diagonal, by which psi is multiplied once."""
    terms = [(Real(g), operator.to_sparse_list()) for g, operator in zip(cotangent, observables, strict=True)]
    weights = [Real(0) for _ in state]
    for g, strings in terms:
        weights = _with_diagonal(weights, g, [term for term in strings if set(term[0]) <= {"Z"}])
    some = any(set(term[0]) <= {"Z"} for _, strings in terms for term in strings)
    found = [a.scaled(w) if some else Complex.of(0) for a, w in zip(state, weights, strict=True)]
    for g, strings in terms:
        for term in strings:
            if not set(term[0]) <= {"Z"}:
                found = _with_flips(found, g, term, state)
    return found


def _with_diagonal(weights, g, strings):
    """The weights plus g times a sum of strings of Z, whose entries are prepared where there are several."""
    if len(strings) == 1:
        ((pauli, qubits, coefficient),) = strings
        scaled, sign = _product(g, coefficient.real)
        signs = (sign * pauli_image(pauli, qubits, index)[1].real for index in range(len(weights)))
        return [weight + (scaled if s > 0 else -scaled) for weight, s in zip(weights, signs, strict=True)]
    for index, _ in enumerate(weights if strings else ()):
        entry = sum(c.real * pauli_image(pauli, qubits, index)[1].real for pauli, qubits, c in strings)
        weights[index] = weights[index] + Real(entry) * g
    return weights


def _with_flips(found, g, term, state):
    pauli, qubits, coefficient = term
    scaled, sign = _product(g, coefficient.real)
    new = []
    for index, amplitude in enumerate(found):
        source, unit = pauli_image(pauli, qubits, index)
        new.append(amplitude + state[source].turned(unit * sign).scaled(scaled))
    return new


def _product(g, coefficient):
    """g times a coefficient, which is free if that is 1 or -1, and the sign that is left over."""
    return (g, coefficient) if abs(coefficient) == 1 else (g * Real(coefficient), 1)


def projected(amplitudes, adjoint):
    """The derivatives by real amplitudes that are normalised first: 2 (Re lambda - <a, Re lambda> a) / norm."""
    norm = math.sqrt(sum(amplitude.value**2 for amplitude in amplitudes))
    unit, half = [Real(amplitude.value / norm) for amplitude in amplitudes], Real(norm / 2)
    along = Real(0)
    for a, b in zip(unit, adjoint, strict=True):
        along = along + a * b.re
    return [((b.re - along * a) / half).value for a, b in zip(unit, adjoint, strict=True)]
