// What a context notes of its last run, if its caller asked for it: how long each launch and each copy took.

#ifndef DSCC_RUNTIME_PROFILE_H
#define DSCC_RUNTIME_PROFILE_H

#include <dscc/dscc.h>

namespace dscc {

/// The entries of a run. They grow during a context's first profiled run, and are reused by those that follow.
struct Profile {
  bool isOn = false;                     // false: nothing is noted
  dscc_profile_entry *entries = nullptr; // in the order in which the work was given
  size_t count = 0, capacity = 0;        // entries noted, and room for them
};

/// One more entry, its times still zero; null, with the sentence left, if there is no memory for it. The texts must
/// live as long as the model.
dscc_profile_entry *addEntry(Profile &profile, const char *kernel, const char *nodes, int64_t blocks);
/// Gives the memory back.
void freeProfile(Profile &profile);

} // namespace dscc

#endif // DSCC_RUNTIME_PROFILE_H
