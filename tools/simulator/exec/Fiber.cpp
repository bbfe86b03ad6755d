#include "tools/simulator/exec/Fiber.h"

#include <cstdint>
#ifdef DSCC_ADDRESS_SANITIZER
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#endif

// System V x86-64: what a function must leave as it found it is %rbx, %rbp, %r12 to %r15 and the stack pointer. The
// rounding modes in MXCSR and the x87 control word are the same on all our stacks.
asm(R"(
        .text
        .globl  dscc_sim_switch
        .hidden dscc_sim_switch
        .type   dscc_sim_switch, @function
dscc_sim_switch:
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret
        .size   dscc_sim_switch, . - dscc_sim_switch

        .type   dscc_sim_begin, @function
dscc_sim_begin:
        movq    %r12, %rdi
        callq   *%r13
        ud2
        .size   dscc_sim_begin, . - dscc_sim_begin
)");

extern "C" void dscc_sim_begin();

namespace dscc::sim {

void prepareFiber(Fiber &fiber, char *bottom, char *top, void (*main)(void *), void *argument) {
  auto *stack = reinterpret_cast<void **>(reinterpret_cast<uintptr_t>(top) & ~uintptr_t(63));
  *--stack = nullptr; // keeps the stack aligned at the call in dscc_sim_begin
  *--stack = nullptr;
  *--stack = reinterpret_cast<void *>(dscc_sim_begin);
  *--stack = nullptr;                        // rbp
  *--stack = nullptr;                        // rbx
  *--stack = argument;                       // r12
  *--stack = reinterpret_cast<void *>(main); // r13
  *--stack = nullptr;                        // r14
  *--stack = nullptr;                        // r15
  fiber.pointer = stack;
#ifdef DSCC_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(bottom, size_t(top - bottom)); // what a fiber that was abandoned has left
  fiber.bottom = bottom;
  fiber.bytes = size_t(top - bottom);
#else
  (void)bottom;
#endif
}

#ifdef DSCC_ADDRESS_SANITIZER
static Fiber findHostStack() {
  Fiber fiber;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes))
    return fiber;
  void *bottom = nullptr;
  pthread_attr_getstack(&attributes, &bottom, &fiber.bytes);
  pthread_attr_destroy(&attributes);
  fiber.bottom = bottom;
  return fiber;
}
Fiber hostFiber() {
  static thread_local const Fiber host = findHostStack();
  return host;
}
#else
Fiber hostFiber() { return Fiber(); }
#endif

} // namespace dscc::sim
