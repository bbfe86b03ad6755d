"""How good are the schedules that estimates choose? Every candidate of each kernel is forced and timed.

    python test/bench/regret.py                                64 kernels on the CPU, 1 thread
    python test/bench/regret.py --kernel 'matmul.*' --rounds 5 --show

A kernel is a small module of one group. `--explain=schedule` lists its
candidates; each is written into the module as `--until=scheduled` prints it,
compiled, and run. Candidates take turns, round by round; a candidate's time is
the best of its rounds. The regret of a kernel is the time of the chosen
candidate over that of the best one.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

MODULE = """module attributes {{dsc.relations = [], dsc.stage = "imported", dsc.symbols = []}} {{
  func.func @main({arguments}) -> ({result} {{dsc.name = "result"}}) {{
{body}
    return %result : {result}
  }}
}}
"""


def tensor(*dims):
    return f"tensor<{''.join(f'{dim}x' for dim in dims)}f32>"


def module(inputs, result, lines):
    arguments = ", ".join(f'%{name}: {kind} {{dsc.name = "{name}"}}' for name, kind in inputs.items())
    return MODULE.format(arguments=arguments, result=result, body="\n".join("    " + line for line in lines))


def matmul(rows, inner, columns, batch=()):
    a, b, c = tensor(*batch, rows, inner), tensor(*batch, inner, columns), tensor(*batch, rows, columns)
    return module({"a": a, "b": b}, c, [f"%result = dsc.matmul %a, %b : ({a}, {b}) -> {c}"])


def conv(channels, size, filters, window, stride=1, groups=1):
    out = (size + 2 * (window // 2) - window) // stride + 1
    x, w, y = tensor(1, channels, size, size), tensor(filters, channels // groups, window, window), \
        tensor(1, filters, out, out)
    pad = window // 2
    return module({"x": x, "w": w}, y,
                  [f"%result = dsc.conv %x, %w {{strides = [{stride}, {stride}], dilations = [1, 1], "
                   f"pads = [{pad}, {pad}, {pad}, {pad}], groups = {groups}}} : ({x}, {w}) -> {y}"])


def rows(op, attributes, count, length, keeps):
    x, y = tensor(count, length), tensor(count, length if keeps else 1)
    return module({"x": x}, y, [f"%result = dsc.{op} %x {{{attributes}}} : ({x}) -> {y}"])


def columns(count, length):
    x, y = tensor(count, length), tensor(1, length)
    return module({"x": x}, y, [f"%result = dsc.reduce_sum %x {{axes = [0]}} : ({x}) -> {y}"])


def elementwise(*dims):
    x = tensor(*dims)
    return module({"x": x, "y": x}, x, [f"%0 = dsc.add %x, %y : ({x}, {x}) -> {x}",
                                        f"%result = dsc.sigmoid %0 : ({x}) -> {x}"])


def transpose(a, b):
    x, y = tensor(a, b), tensor(b, a)
    return module({"x": x}, y, [f"%result = dsc.transpose %x {{permutation = [1, 0]}} : ({x}) -> {y}"])


KERNELS = {f"matmul_{'x'.join(map(str, dims))}": matmul(*dims) for dims in [
    (1, 64, 64), (1, 768, 768), (1, 768, 3072), (2, 768, 768), (3, 512, 512), (7, 33, 127), (8, 768, 768), (17, 255, 33),
    (16, 768, 768), (33, 384, 1536), (64, 384, 384), (64, 384, 1536), (64, 1536, 384), (127, 64, 127), (128, 768, 768),
    (197, 768, 3072), (255, 255, 255), (512, 512, 512), (64, 64, 5), (64, 64, 20), (1025, 64, 64)]}
KERNELS |= {f"matmul_12x{'x'.join(map(str, dims))}": matmul(*dims, batch=(12,)) for dims in [
    (64, 32, 64), (64, 64, 32), (197, 64, 197)]}
KERNELS |= {f"conv_{'x'.join(map(str, dims))}": conv(*dims) for dims in [
    (3, 224, 64, 7, 2), (64, 56, 64, 1), (64, 56, 64, 3), (128, 28, 128, 3), (256, 14, 256, 3), (512, 7, 512, 3),
    (256, 56, 64, 1), (1024, 14, 256, 1), (16, 112, 16, 3, 1, 16), (96, 28, 96, 3, 1, 96), (960, 7, 960, 5, 1, 960),
    (24, 56, 72, 1), (72, 28, 40, 1), (40, 28, 120, 1)]}
for length in (7, 33, 64, 127, 256, 768, 1025, 4096):
    count = max(1, 100000 // length)
    KERNELS[f"softmax_{count}x{length}"] = rows("softmax", "axis = 1 : i64", count, length, True)
    KERNELS[f"layer_norm_{count}x{length}"] = rows("layer_norm", "axis = 1 : i64, epsilon = 1.0e-05 : f64", count, length,
                                                   True)
    if length in (33, 256, 1025):
        KERNELS[f"sum_{count}x{length}"] = rows("reduce_sum", "axes = [1]", count, length, False)
KERNELS |= {"sum_of_columns_512x512": columns(512, 512), "sum_of_columns_33x2049": columns(33, 2049)}
KERNELS |= {"sigmoid_1025": elementwise(1025), "sigmoid_63x97": elementwise(63, 97), "sigmoid_64x56x56": elementwise(64, 56, 56),
            "transpose_512x384": transpose(512, 384), "transpose_97x1023": transpose(97, 1023)}


def call(*command):
    child = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if child.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {child.returncode}\n{child.stderr}")
    return child


def candidates_of(path, dscc, folder, options):
    """The chosen schedule, every candidate with its estimate, and the module before any is written into it."""
    scheduled = folder / "scheduled.mlir"
    told = call(dscc, path, "--until=scheduled", "-o", scheduled, "--explain=schedule", *options).stderr
    chosen = re.search(r"has the schedule (#dsc\.schedule<[^>]*>)", told)[1]
    estimates = {name: float(us) for name, us in re.findall(r"; (#dsc\.schedule<[^>]*>): ([\d.]+) us", told)}
    return chosen, estimates, scheduled.read_text()


def time_kernel(name, arguments, folder):
    """{candidate: (estimate, time)} in us, and the chosen one."""
    dscc, run = arguments.build / "bin" / "dscc", arguments.build / "bin" / "dscc-run"
    options = ["--target=cpu", f"--march={arguments.march}"]
    path = folder / "kernel.mlir"
    path.write_text(KERNELS[name])
    chosen, estimates, text = candidates_of(path, dscc, folder, options)
    assert text.count(chosen) == 1, f"{name} is one group"
    artifacts = {}
    for number, candidate in enumerate(estimates):
        path.write_text(text.replace(chosen, candidate))
        artifacts[candidate] = folder / f"{number}.so"
        call(dscc, path, "-o", artifacts[candidate], *options)
    times = dict.fromkeys(estimates, float("inf"))
    for _ in range(arguments.rounds):
        for candidate, artifact in artifacts.items():
            report = call(run, artifact, "--device=cpu", "--threads=1", f"--bench={arguments.seconds:g}", "--json").stdout
            best = json.loads(report[report.index("{"):])["latency_ms"]["min"] * 1e3
            times[candidate] = min(times[candidate], best)
    return chosen, {candidate: (estimates[candidate], times[candidate]) for candidate in estimates}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--kernel", metavar="REGEX", default=".*", help="only kernels whose whole name matches")
    parser.add_argument("--march", default="x86-64-v4", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.02, help="of one candidate in one round")
    parser.add_argument("--show", action="store_true", help="every candidate, the fastest first")
    arguments = parser.parse_args()
    names = [name for name in KERNELS if re.fullmatch(arguments.kernel, name)]
    regrets = {}
    print(f"{'kernel':<26} {'ways':>4} {'chosen us':>10} {'best us':>10} {'regret':>7}  best")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            chosen, results = time_kernel(name, arguments, pathlib.Path(folder))
            best = min(results, key=lambda candidate: results[candidate][1])
            regrets[name] = results[chosen][1] / results[best][1]
            print(f"{name:<26} {len(results):>4} {results[chosen][1]:>10.2f} {results[best][1]:>10.2f} {regrets[name]:>7.2f}"
                  f"  {chosen if chosen == best else best + ' instead of ' + chosen}", flush=True)
            if arguments.show:
                for candidate, (estimate, measured) in sorted(results.items(), key=lambda item: item[1][1]):
                    print(f"    {measured:>10.2f} us, estimated {estimate:>10.2f} us  {candidate}")
    ordered = sorted(regrets.values())
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    print(f"{len(ordered)} kernels: median {statistics.median(ordered):.2f}, p95 {p95:.2f}, worst {ordered[-1]:.2f}")


if __name__ == "__main__":
    main()
