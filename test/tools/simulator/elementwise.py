"""Runs one instruction on tables of operands, a thread each: modules of one kernel an instruction."""

import ctypes

import numpy as np

BLOCK = 256


def kernel(index, text, arity, bits):
    """All operands and the result have the same width; a value's number is checked, so that a table may have any length."""
    lines = [f".visible .entry k{index}(.param .u64 a0, .param .u64 a1, .param .u64 a2, .param .u64 to, .param .u32 n)",
             "{", "  .reg .pred %p;", "  .reg .b32 %r<5>;", "  .reg .b64 %q<6>;", f"  .reg .b{bits} %x<4>;",
             "  mov.u32 %r0, %ctaid.x;", "  mov.u32 %r1, %ntid.x;", "  mov.u32 %r2, %tid.x;",
             "  mad.lo.u32 %r0, %r0, %r1, %r2;", "  ld.param.u32 %r3, [n];", "  setp.ge.u32 %p, %r0, %r3;", "  @%p ret;",
             f"  mul.wide.u32 %q5, %r0, {bits // 8};"]
    for i in range(arity):
        lines += [f"  ld.param.u64 %q{i}, [a{i}];", f"  add.u64 %q{i}, %q{i}, %q5;", f"  ld.global.b{bits} %x{i}, [%q{i}];"]
    operands = ", ".join(f"%x{i}" for i in range(arity))
    return lines + ["  ld.param.u64 %q3, [to];", "  add.u64 %q3, %q3, %q5;", f"  {text} %x3, {operands};",
                    f"  st.global.b{bits} [%q3], %x3;", "  ret;", "}"]


def module(instructions):
    """Of (text, arity, bits)."""
    lines = [".version 8.6", ".target sm_90", ".address_size 64"]
    for index, instruction in enumerate(instructions):
        lines += kernel(index, *instruction)
    return "\n".join(lines) + "\n"


def launch(driver, function, operands):
    """The results as an array of bit patterns; `operands`: up to three arrays of them, of one length."""
    count, stored = len(operands[0]), operands[0].dtype
    addresses = [driver.upload(np.ascontiguousarray(array)) for array in operands]
    to = driver.allocate(count * stored.itemsize)
    arguments = (addresses + [0, 0])[:3] + [to, ctypes.c_uint32(count)]
    said = driver.launch(function, [-(-count // BLOCK)], [BLOCK], arguments)
    if said.text or said.fault:
        raise AssertionError(said.text or said.fault)
    results = driver.download(to, stored, count)
    for address in addresses + [to]:
        driver.free(address)
    return results
