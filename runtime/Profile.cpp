#include "runtime/Profile.h"

#include "runtime/Context.h"
#include "runtime/Error.h"

#include <cstdlib>

namespace dscc {

dscc_profile_entry *addEntry(Profile &profile, const char *kernel, const char *nodes, int64_t blocks) {
  if (profile.count == profile.capacity) {
    size_t capacity = profile.capacity ? 2 * profile.capacity : 64;
    void *memory = realloc(profile.entries, capacity * sizeof(dscc_profile_entry));
    if (!memory) {
      fail(DSCC_OUT_OF_MEMORY, "no memory for a profile of %zu launches", capacity);
      return nullptr;
    }
    profile.entries = static_cast<dscc_profile_entry *>(memory);
    profile.capacity = capacity;
  }
  dscc_profile_entry &entry = profile.entries[profile.count++];
  entry = {kernel, nodes, blocks, 0, 0};
  return &entry;
}

void freeProfile(Profile &profile) {
  free(profile.entries);
  profile = {};
}

} // namespace dscc

extern "C" const dscc_profile_entry *dscc_profile(const dscc_context *context, size_t *count) {
  if (count)
    *count = context ? context->profile.count : 0;
  return context && context->profile.count ? context->profile.entries : nullptr;
}
