// cp.async.bulk: one thread asks for a copy, which takes place beside the threads.
//
// To shared memory: the target is NaN until the copy lands at its mbarrier. To global memory: the source is read at the
// wait for the reads of its bulk group, so whoever overwrites it too early stores garbage, and the target is written at
// the wait for all of it. Sources and targets are checked at the issue, where the PTX line is.

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/SharedChecks.h"
#include "tools/simulator/exec/Statistics.h"
#include "tools/simulator/exec/Tensors.h"
#include "tools/simulator/exec/UnitSync.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <cstring>

namespace dscc::sim {

static bool isChecked() { return settings().check != CheckLevel::None; }

static void requireAligned(Lane &lane, const void *address, size_t alignment, const char *what, int site) {
  if (reinterpret_cast<uintptr_t>(address) % alignment == 0)
    return;
  reports().add(lane, "misaligned access",
                std::string(what) + " of a bulk copy is no multiple of " + std::to_string(alignment) + " bytes", site,
                misalignedAddress);
  abandon(lane);
}

[[noreturn]] static void refuse(Lane &lane, const std::string &what, int site) {
  fault(lane, "illegal bulk copy", what, site, illegalInstruction);
}

/// The owner of a target or source that has to be shared memory.
static Block &ownerOf(Lane &lane, const char *address, int site) {
  Block *owner = findSharedOwner(lane, address);
  if (!owner)
    refuse(lane, "an operand that has to be in shared memory is not", site);
  return *owner;
}

static bool isParameter(const Block &block, uintptr_t address, size_t bytes) {
  for (auto [index, size] : llvm::enumerate(block.kernel->parameterBytes)) {
    uintptr_t begin = reinterpret_cast<uintptr_t>(block.arguments[index]);
    if (address >= begin && size >= bytes && address - begin <= size - bytes)
      return true;
  }
  return false;
}

/// Even unchecked: what lies elsewhere may not be the host's to read.
static void checkMapAddress(Lane &lane, const TensorMap *map, int site) {
  uintptr_t address = reinterpret_cast<uintptr_t>(map);
  const Allocation *allocation = findAllocation(reinterpret_cast<const char *>(map));
  bool isHeld = allocation && allocation->holds(reinterpret_cast<const char *>(map), sizeof *map);
  if (isParameter(*lane.block, address, sizeof *map) || (isHeld && !allocation->isFree))
    return;
  std::string what = "a tensor map at 0x" + llvm::utohexstr(address);
  if (isHeld)
    reports().add(lane, "use after free", what + " in " + allocation->describe(), site, illegalAddress);
  else
    reports().add(lane, "out-of-bounds access",
                  what + ", which is neither in the device's memory nor among the kernel's parameters", site,
                  illegalAddress);
  abandon(lane);
}

static void checkMap(Lane &lane, const TensorMap &map, uint32_t rank, bool isIm2col, int site) {
  if (map.magic != TensorMap::magicNumber)
    refuse(lane,
           "its operand is no tensor map: one comes from cuTensorMapEncode*, as a __grid_constant__ parameter or in "
           "memory",
           site);
  if (map.rank != rank || bool(map.isIm2col) != isIm2col)
    refuse(lane,
           "the instruction is for a tensor of rank " + std::to_string(rank) + (isIm2col ? ", im2col" : ", tiled") +
               ", the map for rank " + std::to_string(map.rank) + (map.isIm2col ? ", im2col" : ", tiled"),
           site);
  if (map.interleave)
    refuse(lane, "the simulator does not know interleaved tensor maps", site);
}

/// The bytes of shared memory that a copy reads or writes. Swizzled rows that do not fill their last line of 128 bytes
/// lie scattered in it.
template <typename Visit> static void forEachPiece(const BulkCopy &copy, char *window, char *begin, Visit visit) {
  constexpr uint32_t lineBytes = 128, chunkBytes = 16;
  if (!copy.isTensor || !copy.map.swizzle || copy.bytes % lineBytes == 0)
    return visit(begin, copy.bytes);
  for (uint32_t at = 0; at < copy.bytes; at += chunkBytes)
    visit(window + swizzle(uint32_t(begin - window) + at, copy.map.swizzle), std::min(chunkBytes, copy.bytes - at));
}

/// How statistics see it.
static AccessKind kindOf(const BulkCopy &copy, bool isStore) {
  return !isStore ? LoadAccess : copy.op == BulkOp::Copy ? StoreAccess : AtomicAccess;
}

/// How the checks do: reductions of two blocks are no race.
static Access accessOf(const BulkCopy &copy, bool isStore) {
  return !isStore ? Access::Load : copy.op == BulkOp::Copy ? Access::Store : Access::Reduction;
}

/// Until it lands, what is copied to is NaN, and what is reduced as it was.
static void prepareTarget(Lane &lane, const BulkCopy &copy) {
  forEachPiece(copy, copy.target->shared, copy.to, [&](char *place, uint32_t bytes) {
    // Even unchecked: the host's memory ends somewhere too.
    checkSharedBounds(lane, *copy.target, place, bytes, true, copy.site);
    if (isChecked()) {
      checkFenced(lane, *copy.target, place, bytes, copy.site);
      beginAgentWrite(lane, *copy.target, place, bytes, accessOf(copy, true), copy.site);
    }
    if (copy.op == BulkOp::Copy)
      std::memset(place, 0xff, bytes);
  });
}

/// Instead of a mask of blocks: the one that the target is in.
static constexpr uint32_t blockOfTarget = ~0u;

/// To the shared memory of the blocks of `blocks`, a mask of ranks.
static void issueLoad(Lane &lane, BulkCopy copy, uint32_t blocks) {
  UnitSync &sync = *lane.block->unit->sync;
  Block &owner = ownerOf(lane, copy.to, copy.site);
  Block &mbarrierOwner = ownerOf(lane, copy.mbarrier, copy.site);
  if (&owner != &mbarrierOwner)
    refuse(lane, "its target and its mbarrier are in different blocks of the cluster", copy.site);
  uint64_t to = uint64_t(copy.to - owner.shared), mbarrier = uint64_t(copy.mbarrier - owner.shared);
  if (blocks == blockOfTarget)
    blocks = 1u << owner.rank;
  noteBulkBytes(lane, copy.bytes);
  for (Block *target : lane.block->unit->blocks) {
    if (!(blocks >> target->rank & 1))
      continue;
    copy.target = target;
    copy.to = target->shared + to;
    copy.mbarrier = target->shared + mbarrier;
    copy.operation = ++sync.numLoads;
    mbarrierAt(lane, copy.mbarrier, copy.site);
    prepareTarget(lane, copy);
    sync.loads.push_back(copy);
  }
  if (blocks >> lane.block->unit->blocks.size())
    refuse(lane, "its mask names blocks that the cluster does not have", copy.site);
}

/// What lies beyond a tensor goes nowhere, and need not have been written.
static void noteSource(Lane &lane, Block &owner, const BulkCopy &copy) {
  auto note = [&](char *place, uint32_t bytes) {
    noteAgentRead(lane, lane.warp->knowledge, owner, place, bytes, storeAgent, copy.operation, copy.site);
  };
  copy.isTensor ? forEachSharedPiece(copy, owner.shared, note) : note(copy.from, copy.bytes);
}

/// From shared memory, to be waited for as a bulk group.
static void issueStore(Lane &lane, BulkCopy copy) {
  UnitSync &sync = *lane.block->unit->sync;
  copy.operation = ++sync.numStores;
  Block &owner = ownerOf(lane, copy.from, copy.site);
  forEachPiece(copy, owner.shared, copy.from,
               [&](char *place, uint32_t bytes) { checkSharedBounds(lane, owner, place, bytes, false, copy.site); });
  if (isChecked())
    noteSource(lane, owner, copy);
  sync.stores.push_back(copy);
  lane.openBulk.push_back(copy.operation);
}

static void requireWhole(Lane &lane, uint32_t bytes, int site) {
  if (bytes % 16)
    refuse(lane, "a size of " + std::to_string(bytes) + " bytes is no multiple of 16", site);
}

static BulkCopy makeLinear(Lane *lane, char *to, char *from, uint32_t bytes, int op, int type, int site) {
  BulkCopy copy{};
  copy.issuer = lane;
  copy.site = site;
  copy.op = BulkOp(op);
  copy.type = BulkType(type);
  copy.to = to;
  copy.from = from;
  copy.bytes = bytes;
  requireAligned(*lane, to, 16, "the target", site);
  requireAligned(*lane, from, 16, "the source", site);
  requireWhole(*lane, bytes, site);
  return copy;
}

/// Global to shared memory.
static void loadLinear(Lane *lane, char *to, char *from, uint32_t bytes, char *mbarrier, uint32_t blocks, int site) {
  BulkCopy copy = makeLinear(lane, to, from, bytes, int(BulkOp::Copy), 0, site);
  copy.mbarrier = mbarrier;
  if (isChecked())
    checkGlobalRange(*lane, from, bytes, Access::Load, site);
  countBulkCopy(*lane, from, bytes, LoadAccess);
  issueLoad(*lane, copy, blocks);
}

/// Own shared memory to that of a block of the cluster, copied or reduced.
static void sendLinear(Lane *lane, char *to, char *from, uint32_t bytes, char *mbarrier, int op, int type, int site) {
  BulkCopy copy = makeLinear(lane, to, from, bytes, op, type, site);
  copy.mbarrier = mbarrier;
  Block &owner = ownerOf(*lane, from, site);
  checkSharedBounds(*lane, owner, from, bytes, false, site);
  if (isChecked())
    noteAgentRead(*lane, lane->warp->knowledge, owner, from, bytes, loadAgent, lane->block->unit->sync->numLoads + 1,
                  site);
  issueLoad(*lane, copy, blockOfTarget);
}

/// Shared to global memory, copied or reduced.
static void storeLinear(Lane *lane, char *to, char *from, uint32_t bytes, int op, int type, int site) {
  BulkCopy copy = makeLinear(lane, to, from, bytes, op, type, site);
  if (isChecked())
    checkGlobalRange(*lane, to, bytes, accessOf(copy, true), site);
  countBulkCopy(*lane, to, bytes, kindOf(copy, true));
  issueStore(*lane, copy);
}

/// Brings nothing, but has to be as a copy.
static void prefetch(Lane *lane, char *from, uint32_t bytes, int site) {
  requireAligned(*lane, from, 16, "the source", site);
  requireWhole(*lane, bytes, site);
}

static BulkCopy makeTensor(Lane *lane, const TensorMap *map, uint32_t rank, int isIm2col, const int32_t *coordinates,
                           char *place, int site) {
  BulkCopy copy{};
  copy.issuer = lane;
  copy.site = site;
  copy.isTensor = true;
  checkMapAddress(*lane, map, site);
  requireAligned(*lane, map, 64, "the tensor map", site);
  checkMap(*lane, *map, rank, isIm2col != 0, site);
  copy.map = *map;
  std::memcpy(copy.coordinates, coordinates, rank * sizeof(int32_t));
  copy.bytes = countBoxBytes(*map);
  // 128 bytes, and where rows are swizzled the pattern has to begin at its beginning for the addresses to be as meant.
  requireAligned(*lane, reinterpret_cast<void *>(place - lane->block->shared), 128, "the shared memory", site);
  return copy;
}

/// Checks, and counts, what a tensor copy touches in global memory.
static void visitTensorRows(Lane &lane, const BulkCopy &copy, bool isStore) {
  if (!isChecked() && !lane.block->statistics)
    return;
  forEachTensorRow(copy.map, copy.coordinates, copy.offsets, [&](const TensorRow &row) {
    if (row.last <= row.first)
      return;
    char *begin = row.address + size_t(row.first) * copy.map.elementBytes;
    size_t bytes = size_t(row.last - row.first) * copy.map.elementBytes;
    if (isChecked())
      checkGlobalRange(lane, begin, bytes, accessOf(copy, isStore), copy.site);
    countBulkCopy(lane, begin, bytes, kindOf(copy, isStore));
  });
}

/// Looks where a tensor copy begins. A GPU does not say what it copies from elsewhere, nor that it does.
static void checkStart(Lane &lane, const BulkCopy &copy, bool isStore) {
  static constexpr uint16_t mostOffsets[] = {0xffff, 0xff, 0x1f}; // by spatial dims
  auto say = [&](const std::string &what) { reports().add(lane, "illegal tensor coordinates", what, copy.site); };
  const TensorMap &map = copy.map;
  for (int dim = 0; isStore && dim < map.rank; ++dim)
    if (copy.coordinates[dim] < 0)
      return say("a copy to a tensor begins at " + std::to_string(copy.coordinates[dim]) + " of dim " +
                 std::to_string(dim) + ", which may not be negative");
  for (int i = 0; map.isIm2col && i < map.rank - 2; ++i) {
    int64_t at = copy.coordinates[i + 1], lower = map.corners.lower[i], upper = map.corners.upper[i],
            last = int64_t(map.dims[i + 1]) + upper;
    std::string ofDim = " of dim " + std::to_string(i + 1);
    if (isStore && (lower < 0 || upper > 0))
      return say("a copy to a tensor has a bounding box that reaches beyond it: corners " + std::to_string(lower) +
                 " and " + std::to_string(upper) + ofDim);
    if (at < lower || at > last)
      return say("a copy begins at pixel " + std::to_string(at) + ofDim + ", outside its bounding box from " +
                 std::to_string(lower) + " to " + std::to_string(last));
    if (copy.offsets[i] > mostOffsets[map.rank - 3])
      return say("an offset of " + std::to_string(copy.offsets[i]) + " in a tensor of rank " +
                 std::to_string(map.rank) + ", where " + std::to_string(mostOffsets[map.rank - 3]) + " is the largest");
  }
}

static void loadTensor(Lane *lane, char *to, const TensorMap *map, uint32_t rank, int isIm2col,
                       const int32_t *coordinates, char *mbarrier, const uint16_t *offsets, uint32_t blocks, int site) {
  Block &owner = ownerOf(*lane, to, site);
  BulkCopy copy = makeTensor(lane, map, rank, isIm2col, coordinates, lane->block->shared + (to - owner.shared), site);
  copy.to = to;
  copy.mbarrier = mbarrier;
  std::memcpy(copy.offsets, offsets, sizeof copy.offsets);
  if (isChecked())
    checkStart(*lane, copy, false);
  visitTensorRows(*lane, copy, false);
  issueLoad(*lane, copy, blocks);
}

static void checkReduction(Lane &lane, const BulkCopy &copy) {
  static constexpr const char *ops[] = {"", "add", "min", "max", "inc", "dec", "and", "or", "xor"};
  static constexpr const char *types[] = {"u8",  "u16", "u32",  "s32",         "u64",  "s64",         "f16",
                                          "f32", "f64", "bf16", "flushed f32", "tf32", "flushed tf32"};
  std::optional<BulkType> type = elementTypeOf(copy.map);
  if (!type || !isReduction(copy.op, *type, BulkTarget::Tensor))
    refuse(lane,
           "there is no reduction by " + std::string(ops[int(copy.op)]) + " of tensors of " +
               (copy.map.type < std::size(types) ? types[copy.map.type] : "an unknown type"),
           copy.site);
}

static void storeTensor(Lane *lane, const TensorMap *map, uint32_t rank, int isIm2col, const int32_t *coordinates,
                        char *from, int op, int site) {
  BulkCopy copy = makeTensor(lane, map, rank, isIm2col, coordinates, from, site);
  copy.from = from;
  copy.op = BulkOp(op);
  copy.type = elementTypeOf(copy.map).value_or(BulkType::B32);
  if (copy.op != BulkOp::Copy)
    checkReduction(*lane, copy);
  if (isChecked())
    checkStart(*lane, copy, true);
  visitTensorRows(*lane, copy, true);
  issueStore(*lane, copy);
}

static void endWrite(const BulkCopy &copy) {
  forEachPiece(copy, copy.target->shared, copy.to, [&](char *place, uint32_t bytes) {
    endAgentWrite(*copy.target, place, bytes, accessOf(copy, true), loadAgent, copy.operation);
  });
  if (copy.op == BulkOp::Copy)
    return;
  for (const BulkCopy &other : copy.issuer->block->unit->sync->loads)
    if (other.target == copy.target && other.op != BulkOp::Copy)
      noteReducing(*other.target, other.to, other.bytes);
}

void perform(const BulkCopy &copy) {
  if (copy.isTensor) {
    char *window = copy.target ? copy.target->shared : copy.image ? copy.image.get() : copy.issuer->block->shared;
    copyTensor(copy, window);
  } else if (copy.op == BulkOp::Copy) {
    std::memcpy(copy.to, copy.from, copy.bytes);
  } else {
    reduceElements(copy.to, copy.from, copy.bytes, copy.op, copy.type);
  }
  if (copy.target) {
    if (isChecked())
      endWrite(copy);
  } else if (!copy.isTensor) {
    memory::noteWritten(copy.to, copy.bytes);
  }
}

/// A store under way: they are in order.
static std::vector<BulkCopy>::iterator findStore(UnitSync &sync, uint32_t operation) {
  return std::lower_bound(sync.stores.begin(), sync.stores.end(), operation,
                          [](const BulkCopy &copy, uint32_t number) { return copy.operation < number; });
}

/// Its source may be written over from now on.
static void readSource(BulkCopy &copy) {
  copy.image = std::make_shared<char[]>(copy.bytes);
  if (copy.isTensor && copy.map.swizzle) {
    constexpr uint32_t chunkBytes = 16;
    char *window = copy.issuer->block->shared;
    uint32_t begin = uint32_t(copy.from - window);
    for (uint32_t at = 0; at < copy.bytes; at += chunkBytes)
      std::memcpy(copy.image.get() + at, window + swizzle(begin + at, copy.map.swizzle),
                  std::min(chunkBytes, copy.bytes - at));
    copy.map.swizzle = 0;
  } else {
    std::memcpy(copy.image.get(), copy.from, copy.bytes);
  }
  copy.from = copy.image.get();
}

static void commitBulk(Lane *lane) {
  lane->bulkGroups.push_back(std::move(lane->openBulk));
  lane->openBulk.clear();
}

static void completeOldest(Lane &lane) {
  UnitSync &sync = *lane.block->unit->sync;
  for (uint32_t operation : lane.bulkGroups.front()) {
    auto found = findStore(sync, operation);
    perform(*found);
    sync.stores.erase(found);
    acquireAgent(lane, storeAgent, operation);
  }
  lane.bulkGroups.erase(lane.bulkGroups.begin());
  lane.numBulkRead -= lane.numBulkRead > 0;
}

/// Until at most `left` groups are under way, or read their sources.
static void waitBulk(Lane *lane, uint32_t left, int isForReads) {
  UnitSync &sync = *lane->block->unit->sync;
  // A thread that never waits for the rest would keep all that it has ever stored.
  constexpr size_t mostRead = 64;
  size_t mostLeft = isForReads ? left + mostRead : left;
  while (lane->bulkGroups.size() > mostLeft)
    completeOldest(*lane);
  for (; lane->numBulkRead + left < lane->bulkGroups.size(); ++lane->numBulkRead)
    for (uint32_t operation : lane->bulkGroups[lane->numBulkRead]) {
      readSource(*findStore(sync, operation));
      acquireAgent(*lane, storeAgent, operation);
    }
}

void finishUnit(Unit &unit) {
  for (const BulkCopy &copy : unit.sync->stores)
    perform(copy);
  unit.sync->stores.clear();
}

static void fenceProxyOf(Lane *lane) { fenceProxy(*lane); }

llvm::ArrayRef<Callee> bulkCopyCallees() {
  static const Callee list[] = {{"dscc_sim_bulk_load", reinterpret_cast<void *>(loadLinear)},
                                {"dscc_sim_bulk_send", reinterpret_cast<void *>(sendLinear)},
                                {"dscc_sim_bulk_store", reinterpret_cast<void *>(storeLinear)},
                                {"dscc_sim_bulk_prefetch", reinterpret_cast<void *>(prefetch)},
                                {"dscc_sim_tensor_load", reinterpret_cast<void *>(loadTensor)},
                                {"dscc_sim_tensor_store", reinterpret_cast<void *>(storeTensor)},
                                {"dscc_sim_bulk_commit", reinterpret_cast<void *>(commitBulk)},
                                {"dscc_sim_bulk_wait", reinterpret_cast<void *>(waitBulk)},
                                {"dscc_sim_fence_proxy", reinterpret_cast<void *>(fenceProxyOf)}};
  return list;
}

} // namespace dscc::sim
