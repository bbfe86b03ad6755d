// Switching between stacks, by hand: six registers and the stack pointer, some 3 ns. (ucontext makes a system call.)

#ifndef DSCC_RUNTIME_SIMULATOR_EXEC_FIBER_H
#define DSCC_RUNTIME_SIMULATOR_EXEC_FIBER_H

#include <cstddef>

/// Saves the running stack's pointer in `*from` and goes on where `to` was saved.
extern "C" void dscc_sim_switch(void **from, void *to);

namespace dscc::sim {

/// A stack pointer for dscc_sim_switch that begins in `main(argument)` on the stack that ends at `top`.
void *prepareFiber(char *top, void (*main)(void *), void *argument);

} // namespace dscc::sim

#endif // DSCC_RUNTIME_SIMULATOR_EXEC_FIBER_H
