// The module as it was before the step in which the compiler broke down. Nobody keeps it on the way: dscc calls itself
// once more, with the same words, up to that step.

#ifndef DSCC_TOOLS_REPRODUCER_H
#define DSCC_TOOLS_REPRODUCER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <spawn.h>
#include <string>
#include <vector>

namespace dscc {

/// Made before a compilation begins; it must outlive it.
class Reproducer {
public:
  /// `arguments` are the program's own, without its name.
  Reproducer(llvm::ArrayRef<const char *> arguments, std::string file);
  ~Reproducer();

  /// The compilation has come this far.
  void reach(llvm::StringRef stage);
  /// Whether there is a stage to begin at.
  bool hasStage() const { return *stage != '\0'; }
  /// Of the file that write() makes.
  const std::string &path() const { return file; }
  /// Makes the file, with `reason` at its end; false if there is none. Safe to call from a signal handler: whatever it
  /// needs was made before.
  bool write(llvm::StringRef reason) const;

private:
  std::string file, story; // story: the command line, as a comment
  std::vector<std::string> words;
  std::vector<char *> pointers;
  char stageWord[64] = "--until=";
  char *stage; // within stageWord
  posix_spawn_file_actions_t quiet;
};

} // namespace dscc

#endif // DSCC_TOOLS_REPRODUCER_H
