"""The simulator's own tests, replayed on the device: instructions, conversions, arithmetic, approximations, matrices.

The tests have exact references of their own; on the device they have to hold as well, bit by bit, NaN aside where PTX leaves
its bits open, and for approximations within the manual's bound. Only the order in which a matrix instruction adds, and how
wide, is a GPU's own: there the bound is one of the sum's magnitude.
"""

import io
import os
import sys
import time
import unittest

SECONDS = 400
# module: the tests in it that a device can run; those about the simulator's checks stay at home. The quick ones come first.
TESTS = {
    "approximations_test": ["ApproximationsTest.test_functions", "ApproximationsTest.test_division",
                            "ApproximationsTest.test_upper_words"],
    "mma_test": ["MmaTest.test_shapes", "MmaTest.test_rounding", "MmaTest.test_saturating"],
    "matrices_test": ["Matrices.test_loads", "Matrices.test_store_between_loads", "Matrices.test_many_loads",
                      "Matrices.test_stores", "Matrices.test_generic_addresses"],
    "differential_test": ["DifferentialTest"],
    "arithmetic_test": ["ArithmeticTest"],
    "wgmma_test": ["WgmmaTest"],
    "conversions_test": ["ConversionsTest"],
}
QUICK = ("mma_test", "matrices_test")
SHOWN = 5


def prepare(module, task, twin):
    """Globals that the tests' own main would set."""
    module.DRIVER = twin
    module.LIBRARY = task["simulator"]
    module.TARGET = f"sm_{min(task['chip'], 90)}"
    module.CLANG = task["clang"]
    if not task["simulated"] and hasattr(module, "IN_ORDER"):
        module.IN_ORDER = False


def run(task, emit, settings):
    """In a worker: one module of tests."""
    sys.path.insert(0, task["folder"])
    import cuda
    from twin import Twin

    if not task["simulated"]:  # the simulator beside the device is of the same chip, and as old
        os.environ.update(DSCC_SIM_CHIP=task["twin"], DSCC_SIM_CHECK="none", DSCC_SIM_DRIVER_VERSION=str(task["driver_number"]))

    twin = Twin(cuda, task["library"], task["simulator"], task["chip"], task["driver_number"])
    module = __import__(task["module"])
    prepare(module, task, twin)
    said = io.StringIO()
    result = unittest.TextTestRunner(stream=said, verbosity=0).run(
        unittest.defaultTestLoader.loadTestsFromNames(task["tests"], module))
    texts = [f"{test.id() if hasattr(test, 'id') else test}: {text.strip().splitlines()[-1]}"
             for test, text in result.failures + result.errors]
    emit({"tests": result.testsRun, "failed": len(texts), "texts": texts, "words": twin.words, "differing": twin.differing,
          "farthest": twin.farthest, "left_out": twin.left_out + len(result.skipped)})


def check(suite):
    report, device = suite.report, suite.device
    if not suite.places.simulator.exists():
        report.leave_out("replay", "there is no libdscc_cuda_sim.so to compare with")
        return
    if suite.options.ordinal:
        report.leave_out("replay", "it runs on device 0 alone; CUDA_VISIBLE_DEVICES makes another one that")
        return
    clang = suite.places.find_clang()
    for name, tests in TESTS.items():
        if suite.options.quick and name not in QUICK:
            continue
        if name == "wgmma_test" and device.chip != 90:
            report.leave_out("replay/wgmma", "it is for sm_90 alone")
            continue
        if name == "differential_test" and not clang:
            report.leave_out("replay/differential", "no clang was found to compile C for the device")
            continue
        if time.monotonic() > suite.replay_until():
            report.leave_out(f"replay/{name.removesuffix('_test')}", "the time was up (--minutes)")
            continue
        replay_one(suite, name, tests, clang)


def replay_one(suite, name, tests, clang):
    from worker import Lost

    start, device, title = time.monotonic(), suite.device, f"replay/{name.removesuffix('_test')}"
    task = {"module": name, "tests": tests, "folder": str(suite.places.replays), "library": device.library,
            "simulator": str(suite.places.simulator), "simulated": device.simulated, "chip": device.chip,
            "twin": device.twin,
            "driver_number": device.driver_number, "clang": clang}
    # A worker of its own: the tests make contexts and modules of theirs.
    suite.worker.stop()
    try:
        (answer,) = list(suite.worker.run("replay", task, SECONDS))
    except Lost as lost:
        answer = {"tests": 0, "failed": 1, "texts": [str(lost)], "words": 0, "differing": 0, "farthest": 0, "left_out": 0}
    suite.worker.stop()
    if answer["failed"]:
        texts = answer["texts"]
        more = f" (and {len(texts) - SHOWN} more)" if len(texts) > SHOWN else ""
        suite.report.fail(title, "; ".join(texts[:SHOWN]) + more, [f"{suite.command} --section=replay"], texts=texts)
    suite.report.section(title, max(0, answer["tests"] - answer["failed"]), answer["failed"], time.monotonic() - start,
                         results=answer["words"], other_bits_than_simulated=answer["differing"],
                         farthest=answer["farthest"], instructions_left_out=answer["left_out"])
