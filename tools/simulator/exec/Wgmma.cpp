// wgmma: four warps multiply, asynchronously.
//
// A product is computed at its wait, from what shared memory holds then; until then its accumulators are NaN. Rows and
// columns of the fragments are those of the PTX manual: in warp w and lane i of the group, row 16 w + i / 4 (+ 8),
// column i % 4 * 2 (+ 1) of each 8 columns.
//
// A matrix descriptor has a beginning (14 bits, times 16), the leading and the stride byte offset (the same), and a
// swizzle:
//
//     bit  0         16        32        49            62
//          beginning | leading | stride | base offset | 1: 128 B, 2: 64 B, 3: 32 B
//
// The base offset, times 128, is where the swizzle's pattern begins, past a multiple of 1024.

#include "tools/simulator/exec/Wgmma.h"
#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/SharedChecks.h"
#include "tools/simulator/exec/Tensors.h"

#include "llvm/ADT/APFloat.h"

#include <array>
#include <cmath>
#include <cstring>
#include <immintrin.h>

namespace dscc::sim {

static constexpr uint32_t groupThreads = 128, rows = 64, maxN = 256, maxK = 32;
static constexpr const char *anotherShape =
    "registers that a wgmma of another shape may still write are used by a wgmma: "
    "wgmma.fence has to come between";

namespace {
enum Code : uint32_t { F16, Bf16, Tf32, F64, F32, S8, U8, S32, E4m3, E5m2 };

/// An operand in shared memory.
struct Descriptor {
  uint32_t begin, leading, stride; // bytes
  int mode;                        // of swizzling, as CUtensorMapSwizzle
  uint32_t base;                   // where its pattern begins

  explicit Descriptor(uint64_t bits)
      : begin(uint32_t(bits & 0x3fff) << 4), leading(uint32_t(bits >> 16 & 0x3fff) << 4),
        stride(uint32_t(bits >> 32 & 0x3fff) << 4), mode(bits >> 62 ? int(4 - (bits >> 62)) : 0),
        base(mode ? uint32_t(bits >> 49 & 7) << 7 : 0) {}
  uint32_t rowBytes() const { return 16u << mode; } // 16, 32, 64, 128
  uint32_t place(uint32_t offset) const { return swizzle(offset - base, mode) + base; }
};
} // namespace

static uint32_t bytesOf(uint32_t code) { return code == Tf32 ? 4 : code == F16 || code == Bf16 ? 2 : 1; }

/// Visits the operand's chunks of 16 bytes: (row or column of the matrix, index along k of its first element, offset).
/// Of a transposed operand a chunk has neighbours along the row index; else along k.
template <typename Visit>
static void forEachChunk(const Descriptor &d, uint32_t count, uint32_t k, uint32_t elementBytes, bool isTransposed,
                         Visit visit) {
  uint32_t perChunk = 16 / elementBytes, width = d.rowBytes();
  if (!isTransposed) {
    for (uint32_t row = 0; row < count; ++row)
      for (uint32_t chunk = 0; chunk * perChunk < k; ++chunk) {
        uint32_t along = d.mode ? chunk * 16 : chunk * d.leading;
        visit(row, chunk * perChunk, d.place(d.begin + row / 8 * d.stride + row % 8 * width + along));
      }
    return;
  }
  uint32_t perRow = width / elementBytes, across = d.mode ? d.leading : d.stride, along = d.mode ? d.stride : d.leading;
  for (uint32_t first = 0; first < count; first += perChunk)
    for (uint32_t i = 0; i < k; ++i)
      visit(first, i,
            d.place(d.begin + first / perRow * across + i / 8 * along + i % 8 * width + first % perRow * elementBytes));
}

static float decodeFloat8(uint8_t bits, bool isE5m2) {
  static const auto makeTable = [](const llvm::fltSemantics &semantics) {
    std::array<float, 256> values;
    for (unsigned i = 0; i < 256; ++i)
      values[i] = llvm::APFloat(semantics, llvm::APInt(8, i)).convertToFloat();
    return values;
  };
  static const std::array<float, 256> e4m3 = makeTable(llvm::APFloat::Float8E4M3FN()),
                                      e5m2 = makeTable(llvm::APFloat::Float8E5M2());
  return (isE5m2 ? e5m2 : e4m3)[bits];
}

template <typename T> static T decodeOne(const char *place, uint32_t code) {
  switch (code) {
  case F16: {
    uint16_t bits;
    std::memcpy(&bits, place, 2);
    return T(_cvtsh_ss(bits));
  }
  case Bf16: {
    uint16_t bits;
    std::memcpy(&bits, place, 2);
    return T(std::bit_cast<float>(uint32_t(bits) << 16));
  }
  case Tf32: {
    uint32_t bits;
    std::memcpy(&bits, place, 4);
    return T(std::bit_cast<float>(bits & ~0x1fffu));
  }
  case S8: return T(int8_t(*place));
  case U8: return T(uint8_t(*place));
  default: return T(decodeFloat8(uint8_t(*place), code == E5m2));
  }
}

/// The operand as [k][count], so that products run along `count`.
template <typename T>
static void fetch(const Block &block, const Descriptor &d, uint32_t count, uint32_t k, uint32_t code, bool isTransposed,
                  T *out, uint32_t pitch) {
  uint32_t elementBytes = bytesOf(code), perChunk = 16 / elementBytes;
  forEachChunk(d, count, k, elementBytes, isTransposed, [&](uint32_t row, uint32_t at, uint32_t offset) {
    const char *chunk = block.shared + offset;
    for (uint32_t e = 0; e < perChunk; ++e)
      out[isTransposed ? at * pitch + row + e : (at + e) * pitch + row] = decodeOne<T>(chunk + e * elementBytes, code);
  });
}

/// A from the threads' registers, as [k][64].
template <typename T> static void fetchRegisters(const WgmmaOperation &op, uint32_t code, T *out) {
  uint32_t elementBytes = bytesOf(code), perWord = 4 / elementBytes;
  for (uint32_t thread = 0; thread < groupThreads; ++thread) {
    uint32_t lane = thread % lanesPerWarp, row = thread / lanesPerWarp * 16 + lane / 4;
    for (uint32_t word = 0; word < 4; ++word)
      for (uint32_t e = 0; e < perWord; ++e) {
        uint32_t k = lane % 4 * perWord + 4 * perWord * (word / 2) + e;
        out[k * rows + row + 8 * (word % 2)] =
            decodeOne<T>(reinterpret_cast<const char *>(&op.a[thread][word]) + e * elementBytes, code);
      }
  }
}

namespace {
template <typename T> struct Operands {
  alignas(64) T a[maxK * rows], b[maxK * maxN], d[rows * maxN];
};
} // namespace

static uint32_t rowOf(uint32_t thread, uint32_t element) {
  return thread / lanesPerWarp * 16 + thread % lanesPerWarp / 4 + 8 * (element / 2 % 2);
}
static uint32_t columnOf(uint32_t thread, uint32_t element) { return element / 4 * 8 + thread % 4 * 2 + element % 2; }

template <typename T> static void loadSums(const WgmmaOperation &op, T *d) {
  bool isHalf = op.types >> 8 == F16;
  for (uint32_t thread = 0; thread < groupThreads; ++thread)
    for (uint32_t e = 0; e < op.n / 2; ++e) {
      T value;
      if (isHalf)
        value = decodeOne<T>(reinterpret_cast<const char *>(op.accumulators[thread]) + 2 * e, F16);
      else
        std::memcpy(&value, op.accumulators[thread] + e, 4);
      d[rowOf(thread, e) * op.n + columnOf(thread, e)] = value;
    }
}

template <typename T> static void storeSums(const WgmmaOperation &op, const T *d) {
  bool isHalf = op.types >> 8 == F16;
  for (uint32_t thread = 0; thread < groupThreads; ++thread)
    for (uint32_t e = 0; e < op.n / 2; ++e) {
      T value = d[rowOf(thread, e) * op.n + columnOf(thread, e)];
      if (isHalf) {
        uint16_t bits = uint16_t(_cvtss_sh(float(value), _MM_FROUND_TO_NEAREST_INT));
        std::memcpy(reinterpret_cast<char *>(op.accumulators[thread]) + 2 * e, &bits, 2);
      } else {
        std::memcpy(op.accumulators[thread] + e, &value, 4);
      }
    }
}

static void addProduct(float &sum, float x, float y) { sum = std::fma(x, y, sum); }
static void addProduct(int64_t &sum, int64_t x, int64_t y) { sum += x * y; }

/// In sums of type S; D's elements are of type D.
template <typename T, typename S, typename D> static void multiply(const Block &block, const WgmmaOperation &op) {
  static thread_local Operands<T> o;
  static thread_local S sums[rows * maxN];
  uint32_t aCode = op.types >> 4 & 15, bCode = op.types & 15;
  if (op.isAInRegisters)
    fetchRegisters<T>(op, aCode, o.a);
  else
    fetch<T>(block, Descriptor(op.descriptorA), rows, op.k, aCode, op.flags & TransposesA, o.a, rows);
  fetch<T>(block, Descriptor(op.descriptorB), op.n, op.k, bCode, op.flags & TransposesB, o.b, op.n);
  static thread_local D d[rows * maxN];
  if (op.scalesD)
    loadSums<D>(op, d);
  else
    std::fill(d, d + rows * op.n, D(0));
  std::copy(d, d + rows * op.n, sums);
  bool isNegated = bool(op.flags & NegatesA) != bool(op.flags & NegatesB);
  for (uint32_t row = 0; row < rows; ++row)
    for (uint32_t k = 0; k < op.k; ++k) {
      T x = isNegated ? T(-o.a[k * rows + row]) : o.a[k * rows + row];
      S *out = sums + row * op.n;
      const T *b = o.b + k * op.n;
      for (uint32_t column = 0; column < op.n; ++column)
        addProduct(out[column], S(x), S(b[column]));
    }
  for (uint32_t i = 0; i < rows * op.n; ++i) {
    if constexpr (std::is_integral_v<D>)
      d[i] = op.flags & Saturates ? D(std::clamp<S>(sums[i], INT32_MIN, INT32_MAX)) : D(uint32_t(sums[i]));
    else
      d[i] = D(sums[i]);
  }
  storeSums<D>(op, d);
}

static void execute(const Block &block, Warpgroup &group) {
  std::unique_ptr<WgmmaOperation> op = std::move(group.pending.front());
  group.pending.erase(group.pending.begin());
  if (op->types >> 8 == S32)
    multiply<int32_t, int64_t, int32_t>(block, *op);
  else
    multiply<float, float, float>(block, *op);
  for (uint32_t thread = 0; thread < groupThreads; ++thread) {
    bool goesOn = std::any_of(group.pending.begin(), group.pending.end(), [&](const auto &later) {
      return later->accumulators[thread] == op->accumulators[thread];
    });
    op->sets[thread]->state = goesOn ? WgmmaUnderWay : WgmmaDone;
  }
}

/// In the unit. A block's last group may have fewer warps than others; the next block's first one is another.
static uint32_t groupNumber(const Lane &lane) {
  const std::vector<Warp> &warps = lane.block->warps;
  uint32_t own = uint32_t(lane.warp - warps.data()), before = (lane.warp->number - own) / uint32_t(warps.size());
  return before * groupsOf(*lane.block) + own / groupWarps;
}

static Warpgroup &warpgroupOf(Lane &lane) { return lane.block->unit->sync->warpgroups[groupNumber(lane)]; }

static void checkOperand(Lane &lane, const Knowledge &knowledge, uint64_t descriptor, uint32_t count, uint32_t k,
                         uint32_t code, bool isTransposed, uint32_t number, int site) {
  Descriptor d(descriptor);
  Block &block = *lane.block;
  uint16_t agent = uint16_t(firstWarpgroupAgent + groupNumber(lane));
  forEachChunk(d, count, k, bytesOf(code), isTransposed, [&](uint32_t, uint32_t, uint32_t offset) {
    if (settings().check != CheckLevel::None)
      return noteAgentRead(lane, knowledge, block, block.shared + offset, 16, agent, number, site);
    if (offset + 16 > block.sharedBytes) // the host's memory ends somewhere too
      checkSharedBounds(lane, block, block.shared + offset, 16, false, site);
  });
}

/// All threads of the group are there: the product is under way.
static void issueAll(Lane &last, Warpgroup &group) {
  auto op = std::make_unique<WgmmaOperation>(*static_cast<WgmmaRequest *>(last.exchange)->operation);
  op->number = ++group.numIssued;
  Knowledge knowledge = last.warp->knowledge;
  for (Lane *lane : group.arrived) {
    const WgmmaRequest &request = *static_cast<WgmmaRequest *>(lane->exchange);
    const WgmmaOperation &own = *request.operation;
    bool isSame = own.site == op->site && own.descriptorA == op->descriptorA && own.descriptorB == op->descriptorB &&
                  own.scalesD == op->scalesD;
    if (!isSame) {
      reports().add(last, "divergence at a collective",
                    "threads of a warpgroup are at different wgmma, or differ in descriptors or scale-d; thread " +
                        std::to_string(lane->thread) + " is at PTX line " + std::to_string(own.site),
                    op->site, illegalInstruction);
      abandon(last);
    }
    uint32_t thread = lane->thread % groupThreads;
    op->accumulators[thread] = request.accumulators;
    op->sets[thread] = request.set;
    request.set->state = WgmmaUnderWay; // now: the product may be over when the thread gets its turn
    request.set->last = op->number;
    if (request.a) {
      std::memcpy(op->a[thread], request.a, sizeof op->a[thread]);
      request.aSet->last = op->number;
    }
    if (lane->index == 0)
      knowledge.meet(lane->warp->knowledge);
  }
  uint32_t aCode = op->types >> 4 & 15, bCode = op->types & 15;
  if (!op->isAInRegisters)
    checkOperand(last, knowledge, op->descriptorA, rows, op->k, aCode, op->flags & TransposesA, op->number, op->site);
  checkOperand(last, knowledge, op->descriptorB, op->n, op->k, bCode, op->flags & TransposesB, op->number, op->site);
  group.pending.push_back(std::move(op));
}

static void requireFence(Lane &lane, uint32_t shape, WgmmaSet &set, WgmmaSet *aSet, int site) {
  WgmmaProgress &progress = lane.wgmma;
  bool isTouched = set.touched == progress.fences || (aSet && aSet->touched == progress.fences),
       isOfAnotherShape = set.state != WgmmaIdle && set.shape != shape && set.fence == progress.fences;
  if (!progress.fences || isTouched || isOfAnotherShape) {
    reports().add(lane, "missing wgmma.fence",
                  isOfAnotherShape ? anotherShape
                                   : "registers of a warpgroup are used by wgmma after other instructions: wgmma.fence "
                                     "has to come between",
                  site);
    progress.fences = std::max(progress.fences, 1u); // said once
    set.touched = 0;
    if (aSet)
      aSet->touched = 0;
  }
  set.shape = shape;
  set.fence = progress.fences;
}

static void issue(Lane *lane, uint32_t shape, uint32_t types, uint32_t *accumulators, WgmmaSet *set, const uint32_t *a,
                  WgmmaSet *aSet, uint64_t descriptorA, uint64_t descriptorB, uint32_t scalesD, uint32_t flags,
                  int site) {
  WgmmaOperation operation;
  operation.site = site;
  operation.n = shape & 0xffff;
  operation.k = shape >> 16;
  operation.types = types;
  operation.flags = flags;
  operation.scalesD = scalesD;
  operation.isAInRegisters = a;
  operation.descriptorA = descriptorA;
  operation.descriptorB = descriptorB;
  WgmmaRequest request{&operation, accumulators, set, a, aSet};
  requireFence(*lane, shape, *set, aSet, site);
  Warpgroup &group = warpgroupOf(*lane);
  lane->exchange = &request;
  lane->isServed = false;
  group.arrived.push_back(lane);
  if (group.arrived.size() < groupThreads) {
    while (!lane->isServed)
      wait(*lane, "wgmma by all 128 threads of its warpgroup", site);
  } else {
    issueAll(*lane, group);
    for (Lane *other : group.arrived) {
      other->isServed = true;
      other->wgmma.last = group.numIssued;
      other->wgmma.hasIssued = true;
      makeReady(*other);
    }
    group.arrived.clear();
  }
}

/// A wgmma is about to be issued that shares registers, not all of them, with these accumulators: they come first.
static void settle(Lane *lane, WgmmaSet *set, int site) {
  if (set->state == WgmmaIdle)
    return;
  if (set->fence == lane->wgmma.fences)
    reports().add(*lane, "missing wgmma.fence", anotherShape, site);
  Warpgroup &group = warpgroupOf(*lane);
  while (!group.pending.empty() && group.pending.front()->number <= set->last)
    execute(*lane->block, group);
}

static void fence(Lane *lane) {
  ++lane->wgmma.fences;
  lane->wgmma.hasIssued = lane->wgmma.hasWaited = false;
}

static void commit(Lane *lane) { lane->wgmma.groups.push_back(lane->wgmma.last); }

static void waitForProducts(Lane *lane, uint32_t left) {
  Warpgroup &group = warpgroupOf(*lane);
  WgmmaProgress &progress = lane->wgmma;
  while (progress.groups.size() > left) {
    uint32_t number = progress.groups.front();
    progress.groups.erase(progress.groups.begin());
    progress.waited = number;
    while (!group.pending.empty() && group.pending.front()->number <= number)
      execute(*lane->block, group);
    acquireAgent(*lane, uint16_t(firstWarpgroupAgent + groupNumber(*lane)), number);
  }
  progress.hasWaited = progress.last;
}

/// A register of an accumulator is read, or written: wgmma may be about to write it, and before the next one there has
/// to be a fence. Between the first fence and the first wgmma compilers write accumulators, and ptxas puts it right.
static void checkUse(Lane *lane, WgmmaSet *set, int isWrite, int site) {
  if (set->state == WgmmaIdle) {
    if (lane->wgmma.hasWaited)
      set->touched = lane->wgmma.fences;
    return;
  }
  reports().add(*lane, "wgmma not waited for",
                std::string(isWrite ? "a write to" : "a read of") +
                    " an accumulator of a wgmma under way: wgmma.wait_group comes first",
                site);
}

/// A register is written that wgmma takes A from.
static void checkOverwrite(Lane *lane, WgmmaSet *set, int site) {
  const WgmmaProgress &progress = lane->wgmma;
  if (set->last > progress.waited)
    reports().add(*lane, "wgmma not waited for",
                  "a write to a register that holds A of a wgmma under way: wgmma.wait_group comes first", site);
  else if (progress.hasIssued || progress.hasWaited)
    set->touched = progress.fences;
}

llvm::ArrayRef<Callee> wgmmaCallees() {
  static const Callee list[] = {{"dscc_sim_wgmma", reinterpret_cast<void *>(issue)},
                                {"dscc_sim_wgmma_fence", reinterpret_cast<void *>(fence)},
                                {"dscc_sim_wgmma_commit", reinterpret_cast<void *>(commit)},
                                {"dscc_sim_wgmma_wait", reinterpret_cast<void *>(waitForProducts)},
                                {"dscc_sim_wgmma_settle", reinterpret_cast<void *>(settle)},
                                {"dscc_sim_wgmma_use", reinterpret_cast<void *>(checkUse)},
                                {"dscc_sim_wgmma_overwrite", reinterpret_cast<void *>(checkOverwrite)}};
  return list;
}

} // namespace dscc::sim
