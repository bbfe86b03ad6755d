// The streamed module taken apart into jobs that need nothing of each other: one a kernel, one for each program's host
// functions, one for those of the model.
//
//     module @cpu_v4     { @run, @arena_bytes, @k0, @k1 }   ==>   { @k0 }  { @k1 }  { @run, @arena_bytes }
//     module @cuda_sm90a { @run, .., gpu.module { @k0 } }   ==>   gpu.module { @k0 }  { @run, .. }
//     module @cuda_sm80  { @run, .., gpu.module { @k0 } }   ==>                       { @run, .. }
//
// So kernels compile side by side, and one whose text has not changed need not be compiled again (KernelCache.h). A
// kernel that several generations of GPUs have alike is one job, for the chips of all of them: one PTX, or one for each
// way to be launched, which share the work up to LLVM IR.

#ifndef DSCC_COMPILER_TRANSLATE_JOBS_H
#define DSCC_COMPILER_TRANSLATE_JOBS_H

#include "compiler/CompileOptions.h"
#include "compiler/translate/DeviceCode.h"
#include "compiler/translate/HostCode.h"
#include "compiler/translate/ModelTable.h"
#include "compiler/translate/Ptxas.h"

#include <deque>

namespace dscc {

/// Code for the host on its way to an object.
struct HostJob {
  mlir::OwningOpRef<mlir::ModuleOp> module; // null once it is compiled
  std::string name;                         // for people: "kernel add_1f0c22d9 of cpu_v4", "host code of cuda_sm80"
  HostOptions options;                      // how to compile it
  unsigned kernels;                         // in it
  HostObject object;                        // what became of it
  JobLog log;                               // what there is to say of it
};

/// PTX on its way to one chip's cubin.
struct ChipJob {
  const Chip *chip;  // for which
  Assembly assembly; // the cubin
  JobLog log;        // what there is to say of it
};

/// A module of a program.
struct ModulePlace {
  size_t program; // index into ModelEntry::programs
  size_t index;   // into ProgramEntry::modules
};

/// The kernels of a job as some generations launch them.
struct DeviceVersion {
  const Target *target = nullptr;       // of the last of the places: what it is compiled for
  std::vector<std::string> overlapping; // the names of the kernels that wait for the work before them by themselves
  std::vector<ModulePlace> places;      // in the order of the programs
  DeviceText text;                      // its PTX
  std::deque<ChipJob> chips;            // in the order in which the chips were asked for
};

/// Kernels for a GPU on their way to PTX and cubins: what becomes a module of each program that has them.
struct DeviceJob {
  mlir::OwningOpRef<mlir::ModuleOp> module; // null once it is compiled
  std::string source;                       // its text, which tells equal jobs; empty once it is compiled
  std::string name;                         // for people: the kernel's, or "kernels"
  unsigned kernels = 0;                     // in it, once for each place
  std::deque<DeviceVersion> versions;       // at least one
  JobLog log;                               // what there is to say of it
};

struct Jobs {
  std::deque<HostJob> host;     // in the order in which they are linked
  std::deque<DeviceJob> device; // in the order in which the programs have them first
};

/// Takes `module` apart, which is empty but for the signature afterwards, and fills in the programs and their weights.
/// False, with the reason in the log, if it holds no program.
bool takeApart(mlir::ModuleOp module, const CompileOptions &options, ModelEntry &model, Weights &weights, Jobs &jobs,
               JobLog &log);

/// The text of a module as it is before it is lowered: all that decides about its code.
std::string textOf(mlir::ModuleOp module);

/// LLVM's name for the host beside a GPU, which is to be any x86-64.
inline constexpr llvm::StringLiteral anyCpu = "x86-64";

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_JOBS_H
