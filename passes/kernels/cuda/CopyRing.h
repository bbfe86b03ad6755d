// A ring of slots in shared memory that one thread fills by bulk copies and others empty.
//
//     producer:   wait until `empty`  ─► tell `full` how many bytes come ─► copies ──┐
//                                                                                  ▼
//     consumers:  leave ─► `empty`   ◄── multiply  ◄── wait until `full`  ◄── bytes have come
//
// Each slot has two mbarriers. A phase of one is complete once all have come that it expects; `phase` is 0 or 1 in
// turn, as often as the ring has been gone round.

#ifndef DSCC_PASSES_KERNELS_CUDA_COPYRING_H
#define DSCC_PASSES_KERNELS_CUDA_COPYRING_H

#include "passes/kernels/KernelBuilder.h"

namespace dscc::kernels {

/// Blocks of a cluster that fill their rings together: each copies a part of what all of them need into all rings.
struct RingTeam {
  /// How many; 1 is none.
  int64_t size = 1;
  /// The first one's number in the cluster; an i32.
  Value first = {};
};

/// Where somebody is in the ring; indices.
struct RingPlace {
  Value slot, phase; // see above
};

/// One block's ring.
struct CopyRing {
  /// Writes what it does.
  KernelBuilder &k;
  /// Bytes of a slot, and how many there are.
  int64_t slotBytes, slots;
  /// Pointers to shared memory: the slots, and two mbarriers for each.
  Value memory, barriers;
  /// Who fills it, if not this block alone.
  RingTeam team = {};

  /// Of one mbarrier, and of all that a ring has.
  static constexpr int64_t barrierBytes = 8;
  /// Of the mbarriers of so many slots.
  static int64_t bytesOfBarriers(int64_t slots) { return 2 * slots * barrierBytes; }

  /// Makes the barriers; by one thread, before a barrier of all. So many warps of each block empty a slot.
  void initialize(int64_t warps) const;
  /// Where everybody begins.
  RingPlace begin() const { return {k.index(0), k.index(0)}; }
  /// The slot behind it, a phase later where the ring begins anew.
  RingPlace next(RingPlace at) const;
  /// The slot before it.
  Value before(Value slot) const;
  /// Where the slot lies.
  Value address(Value slot) const;

  /// Producer: waits until the slot is empty, and tells how many bytes come, an i32; a whole slot if null. What copies
  /// arrive at.
  Value fill(RingPlace at, Value bytes = {}) const;
  /// Consumers: waits until the slot is full.
  void waitFull(RingPlace at) const;
  /// A warp has read what it needs of the slot, in all blocks that fill it.
  void leave(Value slot, Value lane) const;

private:
  Value barrier(Value slot, bool isEmpty) const;
};

/// Waits until a phase of an mbarrier is complete, 0 or 1, an index.
void waitForPhase(KernelBuilder &k, Value barrier, Value phase);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_COPYRING_H
