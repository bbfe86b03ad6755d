// cp.async: what is copied is not there until it has been waited for.
//
// At the issue the target is filled with NaN, and the copy takes place at the wait: a program that forgets the wait, or
// overwrites the source too early, computes garbage instead of passing by luck. For the checks both are stores: others
// see what has landed from the next barrier on.

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/SharedChecks.h"

#include <cstring>

namespace dscc::sim {

static void copyAsync(Lane *lane, char *target, const char *source, uint32_t bytes, uint32_t sourceBytes, int site) {
  bool isAligned =
      bytes && !((target - lane->shared) & (bytes - 1)) && !(reinterpret_cast<uintptr_t>(source) & (bytes - 1));
  if (!isAligned || sourceBytes > bytes) {
    reports().add(*lane, "misaligned access",
                  "cp.async of " + std::to_string(bytes) + " bytes to shared address " +
                      std::to_string(target - lane->shared),
                  site, misalignedAddress);
    abandon(*lane);
  }
  if (settings().check != CheckLevel::None) {
    // A part of the bytes is no access of a power of two: by words, and by bytes at the end.
    for (uint32_t at = 0, step; at < sourceBytes; at += step) {
      step = sourceBytes == bytes ? bytes : sourceBytes - at >= 4 ? 4 : 1;
      checkAccess(*lane, source + at, step, false, site);
    }
    checkAccess(*lane, target, bytes, true, site);
    noteLanding(*lane, target, bytes, true);
  }
  std::memset(target, 0xff, bytes);
  lane->copies.push_back({target, source, bytes, sourceBytes, site});
}

void landUntil(Lane &lane, uint64_t end) {
  if (end <= lane.numLanded)
    return;
  size_t count = size_t(end - lane.numLanded);
  for (size_t i = 0; i < count; ++i) {
    const AsyncCopy &copy = lane.copies[i];
    if (settings().check != CheckLevel::None) {
      noteLanding(lane, copy.target, copy.bytes, false);
      // What an mbarrier waits for is a store of when it was issued: that is what the arrival makes known.
      if (lane.numLanded + i >= lane.numTracked)
        checkAccess(lane, copy.target, copy.bytes, true, copy.site);
    }
    std::memcpy(copy.target, copy.source, copy.sourceBytes);
    std::memset(copy.target + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
  }
  lane.copies.erase(lane.copies.begin(), lane.copies.begin() + ptrdiff_t(count));
  lane.numLanded = end;
}

static void commit(Lane *lane) { lane->copyGroups.push_back(lane->numLanded + lane->copies.size()); }

/// Until at most `left` groups are under way; -1: everything, committed or not.
static void waitForCopies(Lane *lane, int left) {
  if (left < 0)
    commit(lane);
  while (int(lane->copyGroups.size()) > std::max(left, 0)) {
    landUntil(*lane, lane->copyGroups.front());
    lane->copyGroups.erase(lane->copyGroups.begin());
  }
}

llvm::ArrayRef<Callee> asyncCopyCallees() {
  static const Callee list[] = {{"dscc_sim_copy_async", reinterpret_cast<void *>(copyAsync)},
                                {"dscc_sim_copy_commit", reinterpret_cast<void *>(commit)},
                                {"dscc_sim_copy_wait", reinterpret_cast<void *>(waitForCopies)}};
  return list;
}

} // namespace dscc::sim
