"""Recurrent layers, step by step in double precision. Sizes go to the batch; a sequence has a few steps."""

import numpy as np

from cases import FLOATS, Family, Input, case, few, same, weight
from tolerances import ulps

UNITS, INPUTS = 33, 9
# Each step rounds its sums again, and the gates' product is rounded to the type.
NEAR = ulps(2, units=8)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn(gates, state, r):
    h = np.tanh(gates + state[0] @ r.T)
    return (h,)


def gru_before(gates, state, r):
    n = r.shape[1]
    z, reset = (sigmoid(gates[:, i * n:(i + 1) * n] + state[0] @ r[i * n:(i + 1) * n].T) for i in range(2))
    h = np.tanh(gates[:, 2 * n:] + (reset * state[0]) @ r[2 * n:].T)
    return ((1 - z) * h + z * state[0],)


def gru_after(gates, state, r):
    n = r.shape[1]
    sums = state[0] @ r.T
    z, reset = (sigmoid(gates[:, i * n:(i + 1) * n] + sums[:, i * n:(i + 1) * n]) for i in range(2))
    h = np.tanh(gates[:, 2 * n:] + reset * sums[:, 2 * n:])
    return ((1 - z) * h + z * state[0],)


def lstm(gates, state, r):
    put, out, forget, cell = np.split(gates + state[0] @ r.T, 4, axis=1)
    after = sigmoid(forget) * state[1] + sigmoid(put) * np.tanh(cell)
    return sigmoid(out) * np.tanh(after), after


def layer(cell, states, walk=(False,)):
    """The reference of an operator without biases: outputs and last states."""
    def reference(x, w, r, lengths=None):
        steps, batch, _ = x.shape
        ends = np.full(batch, steps) if lengths is None else np.clip(lengths, 0, steps)
        outputs = np.zeros((steps, len(walk), batch, r.shape[2]), x.dtype)
        last = np.zeros((states, len(walk), batch, r.shape[2]), x.dtype)
        for way, backwards in enumerate(walk):
            for row, end in enumerate(ends):
                state = tuple(last[:, way, row:row + 1])
                for step in (range(end)[::-1] if backwards else range(end)):
                    state = cell(x[step, row:row + 1] @ w[way].T, state, r[way])
                    outputs[step, way, row] = state[0][0]
                for index in range(states):
                    last[index, way, row] = state[index][0]
        return (outputs, *last)
    return reference


def layer_case(name, operator, gates, cell, states, directions=1, inputs=(), **attributes):
    weights = [weight(directions, gates * UNITS, INPUTS), weight(directions, gates * UNITS, UNITS, seed=2)]
    walk = {"reverse": (True,), "bidirectional": (False, True)}.get(attributes.get("direction"), (False,))
    return case(name, operator, ["x", *weights, *inputs], layer(cell, states, walk), NEAR, out=(None,) * (1 + states),
                hidden_size=UNITS, **attributes)


def lengths_of(random, shape, element):
    return random.integers(-1, 8, shape).astype(np.int32)


FAMILIES = [Family(
    "recurrences", {"x": Input(["t", "n", INPUTS]), "lengths": Input(["n"], lengths_of, "i32")}, {"t": few, "n": same},
    [
        layer_case("rnn", "RNN", 1, rnn, 1),
        layer_case("gru_reset_before", "GRU", 3, gru_before, 1),
        layer_case("gru_reset_after", "GRU", 3, gru_after, 1, linear_before_reset=1, direction="reverse"),
        layer_case("lstm", "LSTM", 4, lstm, 2),
        layer_case("lstm_two_ways_with_lengths", "LSTM", 4, lstm, 2, directions=2, inputs=[None, "lengths"],
                   direction="bidirectional"),
    ], types=FLOATS, sizes=(1, 3, 7, 17, 33, 127))]
