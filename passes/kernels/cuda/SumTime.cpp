// Each thread has an element and runs over its terms:
//
//     loads of some terms, as many as the unrolled loop has  ──wait──►  multiplications  ──►  loads of the next ones
//
// Where few threads are there, that chain of waits is the time; where many are, the unit that is busiest: the
// schedulers, the pipe to L1, or the way from L2.

#include "passes/kernels/cuda/SumTime.h"

#include "passes/kernels/Window.h"
#include "passes/loops/UnrollLoops.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace mlir;

namespace dscc::kernels {

/// Threads of a block whose threads have elements of their own (Elementwise.cpp).
static constexpr double ownThreads = 256, schedulers = 4, sectorBytes = 32, sectorsPerClock = 4;

double clocksOfMiss(const Gpu &gpu, double fromMemory) {
  constexpr double l2 = 0.55; // of the way to memory
  return gpu.loadClocks * (l2 + (1 - l2) * std::clamp(fromMemory, 0.0, 1.0));
}

double clocksOfInstruction(const Gpu &gpu, double warps) {
  constexpr double integers = 2, lanes = 32, alone = 1.25; // the last is a factor
  double floats = 2 * lanes * schedulers / gpu.f32FlopPerClock;
  return (floats + integers) / 2 * (warps < 2 ? alone : 1);
}

double overlap(double moving, double computing, double warps) {
  if (!std::isfinite(moving + computing))
    return INFINITY;
  double each = 1 / std::max(1.0, warps);
  return std::max(moving + computing * each, computing + moving * each);
}

double l2BytesPerClock(const Gpu &gpu, double busy) {
  constexpr double all = 5200; // of a large chip
  return std::min(double(gpu.l2BytesPerClock), all / std::max(1.0, busy));
}

double clocksOfMemory(const Gpu &gpu, double bytes) {
  constexpr double reached = 0.92; // of the data sheet's bandwidth
  return bytes / (gpu.memoryBytesPerSecond * reached) * gpu.clock;
}

static double bytesOfElement(Value tensor) {
  return std::max(1.0, dsc::getElementType(tensor).getIntOrFloatBitWidth() / 8.0);
}

double bytesOf(Value tensor, const Sizes &sizes) { return sizes.count(dsc::getDims(tensor)) * bytesOfElement(tensor); }

double bytesOfOperands(Operation *hero, const Sizes &sizes) {
  return bytesOf(hero->getOperand(0), sizes) + bytesOf(hero->getOperand(1), sizes);
}

bool isPadded(Operation *hero) {
  auto conv = dyn_cast<dsc::ConvOp>(hero);
  if (!conv)
    return false;
  Window window = windowOf(conv);
  return !llvm::all_of(llvm::seq<size_t>(0, window.rank()), [&](size_t i) { return window.alwaysInside(i); });
}

namespace {
/// How threads run over the terms of one element.
struct TermLoop {
  double terms;           // of an element
  double clocks;          // of a scheduler for a term of a warp; integers, of which places are made, take two each
  double rounds = 1;      // in each of which a thread waits for its loads
  double pipe = 0;        // clocks of the way to L1 for a term of a warp
  double ownBytes = 0;    // that a block loads, and others of its multiprocessor do not
  double sharedBytes = 0; // that it loads, and others may have loaded before
  double shares = 1;      // how many different ones of the latter there are
};
} // namespace

/// Clocks of the pipe for a load whose neighbouring lanes are so many bytes apart, if so often, of all times, it begins
/// within a sector.
static double clocksOfPipe(double stride, double bytes, double unaligned) {
  constexpr double lanes = 32;
  double sectors = std::min(lanes, std::ceil(lanes * std::max(stride, bytes) / sectorBytes));
  return std::ceil(sectors / sectorsPerClock) + (sectors < lanes ? unaligned : 0);
}

/// How many different ones of so many pieces, which blocks take in turn, the blocks of a multiprocessor have.
static double countShares(double pieces, double multiprocessors) {
  if (pieces < 1 || pieces != std::floor(pieces) || pieces > multiprocessors * multiprocessors)
    return INFINITY;
  return pieces / double(std::gcd(int64_t(pieces), int64_t(multiprocessors)));
}

/// Fills in the rounds that UnrollLoops leaves of loops of these sizes, the innermost one last, if a term is so many of
/// its ops.
static void countRounds(TermLoop &loop, ArrayRef<DimExpr> loops, double ops, const Sizes &sizes) {
  constexpr double mostOps = mostUnrolledOps(Device::Cuda);
  double atOnce = 1, rounds = 1;
  bool isOpen = true; // all loops within have disappeared
  for (const DimExpr &dim : llvm::reverse(loops)) {
    double size = sizes.of(dim);
    if (isOpen && dim.isConstant() && atOnce * size * ops <= mostOps) {
      atOnce *= size;
    } else if (isOpen) {
      double factor = dim.isConstant() ? mostKnownRounds : mostUnrolledRounds;
      while (factor > 1 && factor * atOnce * ops > mostOps)
        factor /= 2;
      // Of a loop whose end only a run knows, the last terms come one by one.
      rounds = dim.isConstant() ? std::ceil(size / factor) : std::floor(size / factor) + std::fmod(size, factor);
      isOpen = false;
    } else {
      rounds *= size;
    }
  }
  loop.rounds = std::max(1.0, rounds);
}

static TermLoop loopOf(dsc::MatmulOp op, const Gpu &gpu, const Sizes &sizes) {
  constexpr double lanes = 32;
  dsc::Dims dims = dsc::getDims(op.getResult()), lhs = dsc::getDims(op.getLhs());
  DimExpr inner = lhs[lhs.size() - (op.getTransposeLhs() ? 2 : 1)];
  double rows = sizes.of(dims[dims.size() - 2]), columns = std::max(1.0, sizes.of(dims.back())),
         terms = sizes.of(inner), bytes = bytesOfElement(op.getRhs());
  TermLoop loop = {.terms = terms, .clocks = 4.2};
  countRounds(loop, {inner}, /*ops=*/20, sizes);
  // A warp has neighbours in a row, or in several short ones.
  double rowsOfWarp = std::ceil(lanes / columns);
  loop.pipe = std::ceil(std::min(lanes, rowsOfWarp) / sectorsPerClock);
  double unaligned =
      std::isfinite(columns) ? 1 - double(std::gcd(int64_t(columns * bytes), int64_t(sectorBytes))) / sectorBytes : 0;
  loop.pipe += op.getTransposeRhs() ? clocksOfPipe(terms * bytes * std::min(1.0, columns / lanes), bytes, 0)
                                    : clocksOfPipe(bytes, bytes, columns < lanes ? 0 : unaligned);
  double products = std::max(1.0, ownThreads / (rows * columns)); // that a block has elements of
  double ofRows = std::clamp(ownThreads / columns, 1.0, std::max(1.0, rows)), ofColumns = std::min(ownThreads, columns);
  loop.ownBytes = products * ofRows * terms * bytes;
  loop.sharedBytes = products * ofColumns * terms * bytes;
  loop.shares = sizes.count(ArrayRef(dims).drop_back(2)) > 1
                    ? INFINITY
                    : countShares(columns > ownThreads ? columns / ownThreads : 1, gpu.multiprocessors);
  return loop;
}

static TermLoop loopOf(dsc::ConvOp op, const Gpu &gpu, const Sizes &sizes) {
  dsc::ImageOrder order = dsc::orderOf(op);
  dsc::Dims filter = dsc::getDims(op.getFilter()), dims = dsc::getDims(op.getResult());
  Window window = windowOf(op);
  bool padded = isPadded(op);
  SmallVector<DimExpr> loops = {filter[order.taken()]};
  llvm::append_range(loops, window.sizeExprs());
  double terms = sizes.of(order.countTerms(op.getFilter())), bytes = bytesOfElement(op.getInput());
  TermLoop loop = {.terms = terms, .clocks = padded ? 13.0 : 4.5};
  countRounds(loop, loops, padded ? 40 : 35, sizes);
  // Lanes are neighbours along a line of pixels, or channels.
  double step = window.strides.back(), area = 1;
  for (int64_t stride : window.strides)
    area *= double(stride);
  double taps = sizes.count(window.sizeExprs());
  loop.pipe = order.channelsLast ? 2 : clocksOfPipe(step * bytes, bytes, taps > 1 ? 0.5 : 0) + 1;
  double pixels = std::max(1.0, sizes.count(order.spatialOf(dims))), made = sizes.of(dims[order.channel()]);
  double ownPixels = order.channelsLast ? std::max(1.0, ownThreads / made) : std::min(ownThreads, pixels);
  double ownChannels = order.channelsLast ? std::min(ownThreads, made) : std::max(1.0, ownThreads / pixels);
  double groups = std::max(1.0, ownChannels * double(op.getGroups()) / made);
  constexpr double border = 1.3; // of windows, around the pixels
  double read = groups * sizes.of(filter[order.taken()]) * ownPixels * area * (taps > 1 ? border : 1);
  loop.ownBytes = read * bytes;
  loop.sharedBytes = ownChannels * terms * bytes;
  loop.shares = INFINITY;
  return loop;
}

double estimateOwnSums(Operation *hero, const Target &target, const Sizes &sizes) {
  const Gpu &gpu = *target.gpu;
  auto conv = dyn_cast<dsc::ConvOp>(hero);
  TermLoop loop = conv ? loopOf(conv, gpu, sizes) : loopOf(cast<dsc::MatmulOp>(hero), gpu, sizes);
  double elements = std::max(1.0, sizes.count(dsc::getDims(hero->getResult(0))));
  double operands = bytesOfOperands(hero, sizes), written = elements * bytesOfElement(hero->getResult(0));
  double blocks = std::ceil(elements / ownThreads), busy = std::min(blocks, double(gpu.multiprocessors));
  double each = std::ceil(blocks / gpu.multiprocessors),
         waves = std::ceil(each * ownThreads / gpu.threadsPerMultiprocessor);
  double warps = each * std::ceil(std::min(elements, ownThreads) / target.warpSize);
  double blockBytes = std::min(loop.ownBytes + loop.sharedBytes, operands), l2 = l2BytesPerClock(gpu, busy);
  double loaded = std::min(each * loop.ownBytes + std::min(each, loop.shares) * loop.sharedBytes, operands);
  // A round's last load hits, its sum takes four clocks a term; and its warps' loads go one after the other.
  constexpr double hit = 40, addition = 4;
  double wait = clocksOfMiss(gpu, operands / (blockBytes * blocks)) + hit + addition * loop.terms / loop.rounds;
  double rounds = loop.rounds * waves, waiting = rounds * wait;
  double working =
      std::max({warps / schedulers * loop.terms * loop.clocks, warps * loop.terms * loop.pipe, loaded / l2});
  // Before the first load places are computed, behind the last sum there is a store.
  constexpr double start = 200;
  double outside = start + clocksOfMiss(gpu, 0) + each * ownThreads * bytesOfElement(hero->getResult(0)) / l2;
  double clocks = std::max(waiting + working / rounds, working + wait) + outside;
  double seconds = std::max(clocks, clocksOfMemory(gpu, operands + written)) / gpu.clock;
  return std::isfinite(seconds) ? seconds : INFINITY;
}

} // namespace dscc::kernels
