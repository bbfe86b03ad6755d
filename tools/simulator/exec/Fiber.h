// Switching between stacks, by hand: six registers and the stack pointer, some 3 ns. (ucontext makes a system call.)

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_FIBER_H
#define DSCC_TOOLS_SIMULATOR_EXEC_FIBER_H

#include <cstddef>

#ifdef __SANITIZE_ADDRESS__
#define DSCC_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DSCC_ADDRESS_SANITIZER
#endif
#endif
#ifdef DSCC_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif

/// Saves the running stack's pointer in `*from` and goes on where `to` was saved.
extern "C" void dscc_sim_switch(void **from, void *to);

namespace dscc::sim {

/// A stack, and where it was left.
struct Fiber {
  void *pointer = nullptr; // while it does not run
#ifdef DSCC_ADDRESS_SANITIZER
  const void *bottom = nullptr; // of the stack
  size_t bytes = 0;             // of the stack, from `bottom` on
  void *fakeStack = nullptr;    // the sanitizer's, while it does not run
#endif
};

/// Makes `fiber` begin in `main(argument)` on the stack [bottom, top) when it is switched to. `main` does not return,
/// and calls beginFiber first.
void prepareFiber(Fiber &fiber, char *bottom, char *top, void (*main)(void *), void *argument);

/// A fiber for the stack that the host thread runs on.
Fiber hostFiber();

/// Ends the switch to a stack that has not run before, as the address sanitizer wants to be told.
inline void beginFiber() {
#ifdef DSCC_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

/// Leaves `from`, which runs, for `to`; comes back when somebody switches to `from`.
inline void switchFiber(Fiber &from, const Fiber &to) {
#ifdef DSCC_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(&from.fakeStack, to.bottom, to.bytes);
#endif
  dscc_sim_switch(&from.pointer, to.pointer);
#ifdef DSCC_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(from.fakeStack, nullptr, nullptr);
#endif
}

/// Leaves the running fiber for good. `from` does not lie on its stack.
[[noreturn]] inline void leaveFiber(Fiber &from, const Fiber &to) {
#ifdef DSCC_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(nullptr, to.bottom, to.bytes);
#endif
  dscc_sim_switch(&from.pointer, to.pointer);
  __builtin_unreachable();
}

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_FIBER_H
