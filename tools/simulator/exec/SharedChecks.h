// What the checks know of shared memory: bounds of its variables, who has written what, and who was ordered after whom.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_SHAREDCHECKS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_SHAREDCHECKS_H

#include "tools/simulator/exec/Block.h"

namespace dscc::sim {

/// Volatile, relaxed, acquiring and releasing accesses are strong. An exchange is an atomic for which it does not
/// matter what was there, a reduction one that does not tell.
enum class Access { Load, StrongLoad, Store, StrongStore, Atomic, Exchange, Reduction };
/// Whether it leaves memory as it was.
inline bool isLoad(Access access) { return access == Access::Load || access == Access::StrongLoad; }
/// Whether it is strong by the PTX ISA's "Memory Consistency Model": such accesses do not race with each other.
inline bool isStrong(Access access) { return access != Access::Load && access != Access::Store; }
/// Whether what was there matters, so that somebody has to have written it.
inline bool readsOld(Access access) {
  return isLoad(access) || access == Access::Atomic || access == Access::Reduction;
}
/// Whether it is an atomic of any kind.
inline bool isUpdate(Access access) {
  return access == Access::Atomic || access == Access::Exchange || access == Access::Reduction;
}
/// Whether it may learn what others have released; a reduction does not tell what it has read.
inline bool observes(Access access) {
  return access == Access::StrongLoad || access == Access::Atomic || access == Access::Exchange;
}
/// Whether it may tell others what its thread has released.
inline bool publishes(Access access) { return isStrong(access) && access != Access::StrongLoad; }

/// How a strong access is told to the checks.
struct StrongAccess {
  Access access;        // neither Load nor Store
  uint8_t elementBytes; // of a vector's
  bool isNarrow;        // its scope is the block or the cluster

  /// As one number, which compiled code passes as a constant.
  uint32_t pack() const { return uint32_t(access) | uint32_t(elementBytes) << 8 | uint32_t(isNarrow) << 16; }
  /// From the number that pack has made.
  static StrongAccess unpack(uint32_t bits) {
    return {Access(bits & 255), uint8_t(bits >> 8 & 255), (bits >> 16 & 1) != 0};
  }
};

/// The block of the lane's unit whose shared memory holds `address`; null if none does.
Block *findSharedOwner(const Lane &lane, const char *address);

/// An access of a lane to its own block's shared memory, or through the cluster to that of another.
void checkSharedAccess(Lane &lane, Block &owner, const char *address, uint32_t bytes, bool isStore, int site);
/// The same of an access of any kind.
void checkShared(Lane &lane, Block &owner, const char *address, uint32_t bytes, Access access, int site);
/// A cp.async into the lane's block is under way, or has landed.
void noteLanding(Lane &lane, const char *address, uint32_t bytes, bool isUnderWay);
/// Faults unless it is within one variable, or within the dynamic part.
void checkSharedBounds(Lane &lane, const Block &owner, const char *address, uint32_t bytes, bool isStore, int site);

/// A bulk copy will write these bytes (Store), or a bulk reduction change them (Atomic): whatever was done with them
/// has to come before its issue, other reductions excepted.
void beginAgentWrite(Lane &issuer, Block &owner, const char *address, uint32_t bytes, Access access, int site);
/// What threads have stored there has to be visible to the asynchronous proxy before. Of what they have read nothing is
/// asked: common code has no fence there.
void checkFenced(Lane &issuer, Block &owner, const char *address, uint32_t bytes, int site);
/// It has: as the agent's operation number `operation`.
void endAgentWrite(Block &owner, const char *address, uint32_t bytes, Access access, uint16_t agent,
                   uint32_t operation);
/// A bulk reduction is still under way, although another of the same bytes has ended.
void noteReducing(Block &owner, const char *address, uint32_t bytes);
/// An agent reads these bytes, for somebody who knows of `knowledge`; until the operation is waited for, nobody may
/// write them.
void noteAgentRead(Lane &issuer, const Knowledge &knowledge, Block &owner, const char *address, uint32_t bytes,
                   uint16_t agent, uint32_t operation, int site);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_SHAREDCHECKS_H
