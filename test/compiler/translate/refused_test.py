"""What translation says of modules, tools and machines that it cannot work with. The modules are at stage `streamed`,
written by hand: no pass would make them."""

import os
import pathlib
import resource
import subprocess
import tempfile
import unittest

HEAD = 'module attributes {dsc.stage = "streamed", dsc.symbols = []} {\n'
MAIN = ('func.func private @main(tensor<8xf32> {dsc.name = "x"}) -> (tensor<8xf32> {dsc.name = "y"})\n')
DIMS = "llvm.func @dims(%symbols: !llvm.ptr, %dims: !llvm.ptr) {\n  llvm.return\n}\n"
PROGRAM = """llvm.func @arena_bytes(%symbols: !llvm.ptr) -> i64 {
  %zero = llvm.mlir.constant(0 : i64) : i64
  llvm.return %zero : i64
}
llvm.func @run(%args: !llvm.ptr) -> i32 {
  %zero = llvm.mlir.constant(0 : i32) : i32
  llvm.return %zero : i32
}
"""
CAST = "%0 = builtin.unrealized_conversion_cast %x : !llvm.ptr to i64\nllvm.store %0, %x : i64, !llvm.ptr\n"
# A function without a frame that uses its arguments.
NAKED = 'passthrough = ["naked"], '


def module(*nested, main=MAIN):
    return HEAD + main + DIMS + "".join(nested) + "}\n"


def cpu(body="", attributes="", weights=""):
    return (f'module attributes {{dsc.target = "cpu_v4", dsc.weights = [{weights}]}} {{\n'
            f'llvm.func @k(%block: !llvm.ptr, %x: !llvm.ptr) attributes {{{attributes}dsc.kernel = {{}}}} {{\n'
            f"{body}llvm.return\n}}\n{PROGRAM}}}\n")


def cuda(body="", attributes="", declarations=""):
    return ('module attributes {dsc.target = "cuda_sm80", dsc.weights = []} {\ngpu.module @kernels {\n'
            f'{declarations}llvm.func @k(%x: !llvm.ptr) attributes {{{attributes}nvvm.kernel, dsc.kernel = '
            f'{{}}}} {{\n{body}llvm.return\n}}\n}}\n{PROGRAM}}}\n')


class RefusedTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_dscc(self, text, *options, limits=(), **environment):
        """The exit code, and what is said on standard error."""
        path = self.folder / "model.mlir"
        path.write_text(text)

        def limit():
            for which, most in limits:
                resource.setrlimit(which, (most, most))

        run = subprocess.run(["dscc", path, "-o", self.folder / "model.so", *options], capture_output=True, text=True,
                             timeout=120, preexec_fn=limit, env=os.environ | environment)
        return run.returncode, run.stderr

    def refuse(self, code, sentence, text, *options, **rest):
        found, said = self.run_dscc(text, *options, **rest)
        self.assertEqual(found, code, said)
        self.assertIn(f"dscc: error: {sentence}", said)
        self.assertFalse((self.folder / "model.so").exists())

    def fake_ptxas(self, script):
        """A toolkit whose ptxas is this shell script."""
        program = self.folder / "bin" / "ptxas"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n" + script)
        program.chmod(0o755)
        return f"--cuda-path={self.folder}"

    def test_modules(self):
        self.refuse(70, "the module holds no program", module())
        self.refuse(70, "the module has no declaration of @main", module(cpu(), main=""))
        self.refuse(70, "the interface has an element type that ONNX does not know",
                    module(cpu(), main=MAIN.replace("8xf32", "8xindex", 1)))
        self.refuse(2, "--emit=cubin needs the target cuda", module(cpu()), "--emit=cubin")
        self.refuse(2, "--emit=cubin needs a program for one of the chips that --arch names", module(cuda()),
                    self.fake_ptxas("exit 1\n"), "--emit=cubin", "--arch=sm_90a")

    def test_kernels(self):
        self.refuse(70, "cannot translate the kernels of cuda_sm80 to LLVM IR", module(cuda(CAST)))
        self.refuse(70, "the LLVM IR of the kernels is invalid: ", module(cuda(
            "llvm.store %x, %x : !llvm.ptr, !llvm.ptr\n", NAKED)))
        self.refuse(70, "a kernel calls `stranger`, which no GPU code provides",
                    module(cuda("llvm.call @stranger(%x) : (!llvm.ptr) -> ()\n",
                                declarations="llvm.func @stranger(!llvm.ptr)\n")))

    def test_host_code(self):
        self.refuse(70, "cannot translate the host code of cpu_v4.* to LLVM IR", module(cpu(CAST)))
        self.refuse(70, "the LLVM IR of cpu_v4.* is invalid: ",
                    module(cpu("llvm.store %x, %x : !llvm.ptr, !llvm.ptr\n", NAKED)))
        self.refuse(70, "cannot link: ", module(cpu(), cpu()))

    def test_limits_of_the_machine(self):
        text = module(cpu(weights="dense<1.0> : tensor<4000000xf32>"))
        self.refuse(5, "cannot write the weights: File too large", text, limits=[(resource.RLIMIT_FSIZE, 1 << 20)])
        self.refuse(5, "cannot hold the objects in memory: File too large", text, limits=[(resource.RLIMIT_FSIZE, 64)])
        self.refuse(5, "cannot hold the weights in memory", text, "--emit=obj",
                    limits=[(resource.RLIMIT_FSIZE, 1 << 20)])

    def test_ptxas(self):
        text = module(cuda())
        toolkit = self.fake_ptxas("echo 'ptxas fatal: no'; exit 1\n")
        self.refuse(70, "ptxas refuses the PTX for sm_80: ptxas fatal: no", text, toolkit, "--arch=sm_80")
        (self.folder / "bin" / "ptxas").write_text("#!/bin/sh\nexit 0\n")
        self.refuse(5, "ptxas wrote no cubin for sm_80", text, toolkit, "--arch=sm_80")
        self.refuse(5, "cannot write into a temporary folder for ptxas", text, toolkit, "--arch=sm_80",
                    TMPDIR=str(self.folder / "missing"))
        (self.folder / "bin" / "ptxas").write_text("no program\n")
        self.refuse(5, f"cannot run {self.folder}/bin/ptxas: ", text, toolkit, "--arch=sm_80")

    def test_what_ptxas_warns_of(self):
        toolkit = self.fake_ptxas('echo "ptxas info : (C7511) slow"\nwhile [ $1 != -o ]; do shift; done\necho cubin > $2\n')
        code, said = self.run_dscc(module(cuda()), toolkit, "--arch=sm_80")
        self.assertEqual(code, 0, said)
        self.assertIn("dscc: warning: ptxas for sm_80: ptxas info : (C7511) slow", said)


if __name__ == "__main__":
    unittest.main()
