"""gpu-check: does dscc work on this GPU? Kernels against double precision, models against the CPU, faults, speed.

    gpu-check --report report.json             everything, in 10 minutes at most
    gpu-check --quick                          a selection
    gpu-check --device=sim --sim-chip=sm_80    on the simulator, without a GPU
    gpu-check --only=products/f16              some kernels: a family, its type, its case

Exit codes: 0 nothing failed, 1 something did, 2 the command line is wrong, 5 there is no device.
"""

import argparse
import pathlib
import sys
import tempfile
import time

import device
import places
from report import Report, fail_usage

SECTIONS = ("models", "kernels", "faults", "replay", "bench")


def parse(words):
    parser = argparse.ArgumentParser(prog="gpu-check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE", help="write the report there, as JSON")
    parser.add_argument("--minutes", type=float, default=10, metavar="N",
                        help="begin nothing new after so many (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="fewer types and sizes, a part of the replay")
    where = parser.add_argument_group("where")
    where.add_argument("--device", choices=("cuda", "sim"), default="cuda", help="default: %(default)s")
    where.add_argument("--ordinal", type=int, default=0, metavar="N", help="which GPU (default: %(default)s)")
    where.add_argument("--cuda-driver", metavar="LIB", help="library to load in place of libcuda.so.1")
    where.add_argument("--sim-chip", default="sm_90", metavar="CHIP", help="sm_80, sm_86, sm_89 or sm_90 (default)")
    where.add_argument("--build", metavar="FOLDER", help="the build folder or installation to check")
    what = parser.add_argument_group("what")
    what.add_argument("--section", dest="sections", action="append", choices=SECTIONS, help="only this one; may be repeated")
    what.add_argument("--only", action="append", metavar="NAME", help="only these kernels, as family, family/type or "
                      "family/type/case")
    what.add_argument("--sizes", type=lambda text: [int(word) for word in text.split(",")], metavar="N,...",
                      help="edge sizes of kernels")
    what.add_argument("--fixed", action="store_true", help="only kernels compiled for one size")
    what.add_argument("--open", action="store_true", help="only kernels compiled for all sizes")
    what.add_argument("--seed", type=int, default=0, metavar="S", help="of random operands (default: %(default)s)")
    parser.add_argument("--failures", type=pathlib.Path, default=pathlib.Path("gpu-check-failures"), metavar="FOLDER",
                        help="where models that fail are kept (default: %(default)s)")
    options = parser.parse_args(words)
    if options.minutes <= 0:
        parser.error("--minutes is more than 0")
    if options.sizes and min(options.sizes) < 1:
        parser.error("--sizes are at least 1")
    if options.fixed and options.open:
        parser.error("--fixed and --open exclude each other")
    return options


def check_packages():
    try:
        import ml_dtypes, numpy, onnx  # noqa: F401, E401
    except ImportError as error:
        fail_usage(f"{error}; gpu-check needs the Python packages numpy, onnx and ml_dtypes (tools/setup makes an "
                   "environment in build/venv; PYTHON names the interpreter of another)", 5)


def main(words):
    options = parse(words)
    check_packages()
    found = places.Places(options.build)
    if options.device == "sim":
        if not found.simulator.exists():
            fail_usage(f"{found.simulator} is missing; build it first", 5)
        device.simulate(options.sim_chip)
    library = options.cuda_driver or (str(found.simulator) if options.device == "sim" else "libcuda.so.1")
    try:
        gpu = device.find(library, options.device == "sim", options.ordinal)
    except device.NoDevice as error:
        fail_usage(error, 5)

    import families
    import suite
    if unknown := [only for only in options.only or [] if only.split("/")[0] not in families.FAMILIES]:
        fail_usage(f"there is no family {unknown[0].split('/')[0]}; there are {', '.join(families.FAMILIES)}")
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as folder:
        report = Report({"device": gpu.facts(), "command": ["gpu-check", *words], "seed": options.seed,
                         "date": time.strftime("%Y-%m-%d")})
        checks = suite.Suite(options, found, gpu, report, pathlib.Path(folder))
        if options.only and not checks.groups():
            fail_usage(f"no kernels are chosen by --only={' --only='.join(options.only)}")
        report.data["dscc"] = checks.compiler.version()
        report.say(f"gpu-check: {gpu.describe()}{', simulated' if gpu.simulated else ''}; {report.data['dscc']}")
        try:
            checks.run()
        finally:
            checks.worker.stop()
            report.data["compiled"] = {"models": checks.compiler.models, "seconds": round(checks.compiler.seconds, 1)}
            report.finish(options.report)
    return 1 if report.failed() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
