// What the two devices do differently around a kernel's body: how it gets its arguments and its place in the grid.

#ifndef DSCC_PASSES_KERNELS_SHELL_H
#define DSCC_PASSES_KERNELS_SHELL_H

#include "passes/kernels/KernelBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace dscc::kernels {

/// A kernel's function before its body is written; the builder stands where the body begins. Code is located at the
/// kernel itself, never at a node: one kernel serves many.
struct Shell {
  mlir::LLVM::LLVMFuncOp function;             // with the parameters that its device wants
  mlir::Value block;                           // this block's number along x, index-typed
  mlir::Value thread;                          // CUDA: this thread's number in its block, index-typed
  mlir::Value scratch;                         // CPU: this worker's scratch, a pointer
  llvm::SmallVector<mlir::Value> pointers;     // inputs, then results
  llvm::SmallVector<mlir::Value> symbolValues; // of the named dims, i64
  bool overlaps = false;                       // it waits for the work before it by itself, before all else
};

/// What a kernel takes: so many tensors, then so many named dims.
struct Arguments {
  size_t tensors, symbols; // how many
};

/// `void name(const dscc_block *, void **args)` at the end of `home`, as <dscc/abi.h> wants it. (cpu/Shell.cpp)
Shell openCpuShell(mlir::OpBuilder &b, llvm::StringRef name, Arguments arguments, mlir::Block *home);
/// Bytes of shared memory that a block has without asking for more, and all that arrays of a kernel's own may take.
constexpr int64_t mostStaticShared = 48 * 1024;
/// What any array there may be aligned to.
constexpr int64_t sharedAlignment = 128;
/// An array of `count` elements that the threads of a block share; a global of its own beside the kernel, because
/// MLIR's dynamic shared memory is miscompiled. `name` tells it from the kernel's other arrays. (cuda/Shell.cpp)
mlir::Value declareShared(KernelBuilder &k, llvm::StringRef name, mlir::Type type, int64_t count,
                          int64_t alignment = 16);
/// Memory of the block that its launch asks for (Kernel::shared), which may be more than arrays of its own take;
/// aligned as tensor maps with swizzles want it. The same one whoever asks. (cuda/Shell.cpp)
mlir::Value askForShared(KernelBuilder &k);
/// CUDA: this block's number along y, index-typed. (cuda/Shell.cpp)
mlir::Value blockAlongY(KernelBuilder &k);
/// An entry of the `gpu.module` whose body is `home`, with the arguments as its parameters. Where the target has
/// programmatic launches, it is to wait for the kernels before it and to let those behind it come. (cuda/Shell.cpp)
Shell openCudaShell(mlir::OpBuilder &b, llvm::StringRef name, Arguments arguments, mlir::Block *home,
                    const Target &target);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_SHELL_H
