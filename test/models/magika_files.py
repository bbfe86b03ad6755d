"""Tells the type of files with a compiled Magika model.

    file's bytes -> 2,048 numbers -> dscc-run magika.so -> 214 probabilities -> label

The model looks at the first and the last 1,024 bytes of a file, blanks at the
ends dropped, gaps filled with a padding token; all sizes, labels and thresholds
come from the model's own configuration. NumPy is all that this file needs: the
package `magika` gives its data only, never its code.
"""

import argparse
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np


def model_folder():
    """Where the package `magika` keeps model.onnx and its configuration."""
    package = importlib.util.find_spec("magika")
    if package is None:
        sys.exit("the Python package magika is not installed; run tools/setup")
    return next(pathlib.Path(package.origin).parent.glob("models/*/model.onnx")).parent


def load_config():
    return json.loads((model_folder() / "config.min.json").read_text())


def features(content, config):
    """The numbers that the model sees of a file with this content."""
    block = min(config["block_size"], len(content))
    head = content[:block].lstrip()[: config["beg_size"]]
    tail = content[len(content) - block :].rstrip()[-config["end_size"] :]
    row = np.full(config["beg_size"] + config["end_size"], config["padding_token"], np.int32)
    row[: len(head)] = np.frombuffer(head, np.uint8)
    if tail:
        row[-len(tail) :] = np.frombuffer(tail, np.uint8)
    return row


def has_enough_bytes(row, config):
    """Below this many bytes the model is not asked."""
    return row[config["min_file_size_for_dl"] - 1] != config["padding_token"]


def label_of(probabilities, config):
    """The best label and its probability, as (label, probability, sure).

    `sure` says whether the probability reaches the label's own threshold."""
    best = int(np.argmax(probabilities))
    label = config["target_labels_space"][best]
    probability = float(probabilities[best])
    threshold = config["thresholds"].get(label, config["medium_confidence_threshold"])
    return config["overwrite_map"].get(label, label), probability, probability >= threshold


def run_artifact(dscc_run, artifact, rows, options=()):
    """The model's probabilities for each row of `rows`, computed by `dscc-run`."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "bytes.npy", rows)
        command = [dscc_run, artifact, "--input", f"bytes={folder / 'bytes.npy'}", "--output", folder / "out"]
        run = subprocess.run([*command, *options], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"dscc-run failed with exit code {run.returncode}: {run.stderr.strip()}")
        outputs = list((folder / "out").glob("*.npy"))
        if len(outputs) != 1:
            sys.exit(f"dscc-run wrote {len(outputs)} outputs, not 1")
        return np.load(outputs[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model-path", action="store_true", help="print where model.onnx lies, and stop")
    parser.add_argument("--artifact", help="the compiled model")
    parser.add_argument("--dscc-run", default="dscc-run", help="the runner (default: the one on PATH)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    if arguments.model_path:
        print(model_folder() / "model.onnx")
        return
    if not arguments.artifact or not arguments.files:
        parser.error("give --artifact and at least one file")

    config = load_config()
    rows = np.stack([features(pathlib.Path(name).read_bytes(), config) for name in arguments.files])
    answers = run_artifact(arguments.dscc_run, arguments.artifact, rows)
    found = []
    for name, row, probabilities in zip(arguments.files, rows, answers):
        label, probability, sure = label_of(probabilities, config)
        enough = bool(has_enough_bytes(row, config))
        found.append({"file": name, "label": label, "probability": probability, "sure": sure and enough})
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    width = max(len(name) for name in arguments.files)
    for answer in found:
        doubt = "" if answer["sure"] else "  (not sure)"
        print(f"{answer['file']:<{width}}  {answer['label']:<12} {answer['probability']:.4f}{doubt}")


if __name__ == "__main__":
    main()
