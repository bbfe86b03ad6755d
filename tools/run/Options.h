// The command line of dscc-run.

#ifndef DSCC_TOOLS_RUN_OPTIONS_H
#define DSCC_TOOLS_RUN_OPTIONS_H

#include <dscc/dscc.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace dscc::run {

/// What dscc-run tells the shell.
enum ExitCode : int {
  Ok = 0,
  Rejected = 1,    // the artifact or an input does not fit
  Usage = 2,       // the command line does not make sense
  Environment = 5, // no device, no memory, no disk
  Internal = 70,   // a fault of dscc's own
};

/// The command line as values. `errors` holds a sentence for each mistake; the rest counts only if there is none.
struct Options {
  std::string artifact;            // the model.so; empty only with help, version or errors
  dscc_device device = DSCC_AUTO;  // --device; `sim` is DSCC_CUDA here
  int threads = 0;                 // 0: the runtime decides
  uint64_t seed = 0;               // --seed, of random inputs
  std::vector<std::string> inputs; // NAME=FILE.npy; a name may hold a `=`, so the model's names decide where it ends
  std::map<std::string, int64_t> dims;    // --dim, by name; not negative
  std::string outputFolder;               // --output; empty: outputs are not written
  bool noReplay = false;                  // --no-replay: each run launch by launch, also on a GPU
  std::string cudaDriver;                 // --cuda-driver; empty: the runtime's default, or the simulator
  bool isSimulated = false;               // --device=sim
  std::string simChip, simCheck, simSeed; // empty: the simulator's own choice
  std::string simSample;                  // --sim-sample; empty: all blocks run
  std::string statistics;                 // --stats: "text" or "json"; empty: none. With `json` never "text"
  double benchSeconds = 0;                // 0: no bench
  bool profile = false;                   // measure each launch
  std::string traceFile;                  // --profile=FILE; empty: no trace
  bool json = false;                      // --json or --stats=json: the report is one line of JSON
  bool help = false;                      // --help
  bool version = false;                   // --version
  std::vector<std::string> errors;        // each a sentence
};

/// Reads the words after the program's name. Never fails: what is wrong is in `errors`.
Options readOptions(const std::vector<std::string> &words);

/// What --help prints.
extern const char *const helpText;

} // namespace dscc::run

#endif // DSCC_TOOLS_RUN_OPTIONS_H
