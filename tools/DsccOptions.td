include "llvm/Option/OptParser.td"

// What `dscc` understands. A group's help text is its heading in --help.

class F<string letter, string help> : Flag<["-"], letter>, HelpText<help>;
class FF<string name, string help> : Flag<["--"], name>, HelpText<help>;
class EQ<string name, string meta, string help>
    : Joined<["--"], name # "=">, MetaVarName<meta>, HelpText<help>;

def grp_output : OptionGroup<"output">, HelpText<"WHAT TO MAKE">;
let Group = grp_output in {
def o : JoinedOrSeparate<["-"], "o">, MetaVarName<"<file>">,
        HelpText<"Write to <file>; default: the model's name with .so, in this folder. `-` is the standard output">;
def emit : EQ<"emit", "<kind>", "so (default), obj, ptx, cubin or llvm">;
def until : EQ<"until", "<stage>", "Stop after a stage and print the module: imported, canonical, split, typed, "
               "grouped, scheduled, placed, emitted, streamed">;
def MD : F<"MD", "Also write a make rule: the files that the output was made from">;
def MF : JoinedOrSeparate<["-"], "MF">, MetaVarName<"<file>">, HelpText<"Where -MD writes; default: the output's name with .d">;
}

def grp_target : OptionGroup<"target">, HelpText<"FOR WHICH MACHINES">;
let Group = grp_target in {
def target : EQ<"target", "<list>", "cpu, cuda or both (default), at every level and generation; one artifact serves all">;
def arch : EQ<"arch", "<list>", "NVIDIA chips that get machine code; default: sm_80,sm_86,sm_89,sm_90a; any other name lists more. "
                 "sm_90a is compute capability 9.0: H100, H200, GH200. Others run the PTX">;
def march : EQ<"march", "<list>", "x86-64-v4, x86-64-v3 or both (default); the runtime takes the best that runs">;
def strip_ptx : FF<"strip-ptx", "Leave out the PTX that each chip's machine code was made from; only the simulator runs it">;
def cuda_path : EQ<"cuda-path", "<folder>", "Where to find bin/ptxas; default: CUDA_HOME, PATH, then dscc's own set-up">;
}

def grp_model : OptionGroup<"model">, HelpText<"ABOUT THE MODEL">;
let Group = grp_model in {
def dim : EQ<"dim", "<name>=<n>", "Fix a named dim, as in --dim=batch=4, or bound it, as in --dim=batch=1..64">;
def dim_separate : Separate<["--"], "dim">, Alias<dim>;
def shape : EQ<"shape", "<input>=<dims>", "Fix the dims of an input, as in --shape=image=1x3x224x224; ? leaves one as it is">;
def shape_separate : Separate<["--"], "shape">, Alias<shape>;
def precision : EQ<"precision", "<type>", "fp32 (default), fp16 or bf16; inputs and outputs keep their types">;
}

def grp_optimize : OptionGroup<"optimize">, HelpText<"HOW HARD TO TRY">;
let Group = grp_optimize in {
def O : Joined<["-"], "O">, MetaVarName<"<level>">, HelpText<"0 to 3 (default)">;
def disable : EQ<"disable", "<list>", "Leave passes out, by name, as in --disable=fuse-groups">;
def cache_dir : EQ<"cache-dir", "<folder>", "Keep compiled kernels there and take from it what was compiled before. Builds may share it; "
                   "the output does not depend on it">;
def cache_size : EQ<"cache-size", "<size>", "The most that --cache-dir may hold, oldest out first; default 2GiB">;
def j : JoinedOrSeparate<["-"], "j">, MetaVarName<"<n>">, HelpText<"Threads; default: one a core. The output does not depend on it">;
}

def grp_report : OptionGroup<"report">, HelpText<"WHAT TO TELL">;
let Group = grp_report in {
def v : F<"v", "Tell what was made, as a table: kernels, their registers and nodes, the arena; with --diagnostics=json as JSON">;
def explain : EQ<"explain", "<what>", "Tell as remarks why: layouts, for each convolution, "
                 "where its channels are; fusion, for each two nodes that follow each other, which rule took "
                 "the first into the second's kernel, or why each declined; schedule, for each kernel, which emitter writes "
                 "it and why others do not. fusion=<regex> tells of nodes whose name matches">;
def time_passes : FF<"time-passes", "Tell where the time went">;
def save_temps : FF<"save-temps", "Keep the module after each stage, LLVM IR and PTX beside the output">;
def diagnostics : EQ<"diagnostics", "<form>", "text (default) or json, one object a line">;
def no_reproducer : FF<"no-reproducer", "Leave no file behind when dscc itself breaks down">;
def help : FF<"help", "This text">;
def help_short : Flag<["-"], "h">, Alias<help>;
def version : FF<"version", "The versions of dscc, LLVM and ptxas">;
}

def grp_limits : OptionGroup<"limits">, HelpText<"LIMITS (sizes may end in KiB, MiB, GiB; reaching one is exit code 4)">;
let Group = grp_limits in {
def max_model_bytes : EQ<"max-model-bytes", "<size>", "The model with its external data; default 64GiB">;
def max_nodes : EQ<"max-nodes", "<n>", "Nodes after inlining functions; default 1000000">;
def max_tensor_bytes : EQ<"max-tensor-bytes", "<size>", "Any one tensor of known size; default 64GiB">;
def max_folded_bytes : EQ<"max-folded-bytes", "<size>", "All that constant folding makes; default 256MiB">;
def max_seconds : EQ<"max-seconds", "<n>", "The whole compilation; default 3600">;
}
