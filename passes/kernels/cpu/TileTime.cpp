// About how long products and convolutions take in tiles on a CPU.
//
//   cycles of a step =  the longest of      its multiplications, which wait for each other where sums are few
//                                           its loads
//                                           lines of columns that the first cache does not hold
//
// A tile walks down its columns, and the next tile of rows walks down them again. A step is one row of their matrix:
//
//       |<- tile ->|               Rows that lie a power of 2 apart meet in few sets of a cache, which then holds
//    0  [==========]........       fewer of them than its bytes say. Those that lie a page apart are not loaded
//    1  [==========]........       ahead. A panel is one stream.

#include "passes/kernels/cpu/Tiles.h"

#include "passes/kernels/Panels.h"
#include "passes/kernels/Window.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <numeric>

using namespace mlir;

namespace dscc::kernels {

Extent extentOf(Operation *hero) {
  dsc::Dims dims = dsc::getDims(hero->getResult(0));
  if (auto conv = dyn_cast<dsc::ConvOp>(hero)) {
    dsc::Dims filter = dsc::getDims(conv.getFilter());
    int64_t groups = conv.getGroups();
    if (dsc::ImageOrder order = dsc::orderOf(conv); order.channelsLast) {
      int64_t apart = isDepthwise(conv) ? 1 : groups; // groups whose columns are no neighbours
      return {dims[0] * apart, dsc::countElements(order.spatialOf(dims)), dims.back().constant() / apart,
              order.countTerms(conv.getFilter())};
    }
    DimExpr outer = dims[0] * groups * dsc::countElements(ArrayRef(dims).drop_front(2).drop_back());
    return {outer, dims[1].constant() / groups, dims.back(), dsc::countElements(ArrayRef(filter).drop_front())};
  }
  auto matmul = cast<dsc::MatmulOp>(hero);
  dsc::Dims lhs = dsc::getDims(matmul.getLhs());
  return {dsc::countElements(ArrayRef(dims).drop_back(2)), dims[dims.size() - 2], dims.back(),
          lhs[lhs.size() - (matmul.getTransposeLhs() ? 2 : 1)]};
}

bool isLanewise(Operation *hero) {
  auto conv = dyn_cast<dsc::ConvOp>(hero);
  return conv && conv.getChannelsLast() && isDepthwise(conv);
}

/// Whether a vector of columns is gathered, at each step of the inner loop.
static bool gathersColumns(Operation *hero) {
  if (auto conv = dyn_cast<dsc::ConvOp>(hero)) {
    if (conv.getChannelsLast())
      return false;
    size_t last = dsc::getDims(conv.getInput()).size() - 1;
    return dsc::getIntegers(conv.getStrides()).back() != 1 || isGatheredAlong(conv.getInput(), last);
  }
  auto matmul = cast<dsc::MatmulOp>(hero);
  return isGatheredAlong(matmul.getRhs(), dsc::getDims(matmul.getRhs()).size() - (matmul.getTransposeRhs() ? 2 : 1));
}

/// How long it takes to bring the columns' operand of a product in once. Steps along rows of the matrix are far apart:
/// each is another page, and nothing is loaded ahead. A panel is one stream.
static double columnStream(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule, const Sizes &sizes) {
  constexpr double strided = 2; // times a stream
  Value columns = findColumns(findContraction(group));
  if (!columns)
    return 0;
  constexpr double bytes = 4;
  double seconds = sizes.count(dsc::getDims(columns)) * bytes / target.cpu->memoryBytesPerSecond;
  return *schedule.lookup("packed") ? seconds : strided * seconds;
}

static constexpr double lineBytes = 64;

namespace {
/// Cycles that a step of a tile waits for its columns, by where they come from: as the first rows of the block meet
/// them, and again for the rows behind those.
struct Incoming {
  double first = 0, again = 0;
};

/// The matrix that a product's tiles walk down.
class ColumnMatrix {
public:
  ColumnMatrix(dsc::GroupOp group, const Cpu &cpu, dsc::ScheduleAttr schedule, const Sizes &sizes);

  Incoming incoming(double registers) const;
  /// Cycles that a step waits for columns that it gathers down the rows of a matrix that lies transposed. Each lane has
  /// a line of its own, which serves the next steps as well, as long as the first cache holds all of them.
  double gathered(double registers) const;

private:
  bool staysIn(const Cache &cache, double count, double lines) const;

  const Cpu &cpu;
  double width;
  double bytes = 0; // of all of it; 0: there is none
  double rows = 0, rowBytes = 0;
  bool isWalkedAgain; // by each tile of rows, while the tile's columns stay
};
} // namespace

ColumnMatrix::ColumnMatrix(dsc::GroupOp group, const Cpu &cpu, dsc::ScheduleAttr schedule, const Sizes &sizes)
    : cpu(cpu), width(*schedule.lookup("width")), isWalkedAgain(*schedule.lookup("columns_outside")) {
  Operation *hero = findContraction(group);
  Value columns = findColumns(hero);
  if (!columns)
    return;
  constexpr double elementBytes = 4;
  dsc::Dims dims = dsc::getDims(columns);
  bytes = sizes.count(dims) * elementBytes;
  rows = sizes.of(extentOf(hero).inner);
  rowBytes = (*schedule.lookup("packed") ? dsc::PanelsAttr::columns : sizes.of(dims.back())) * elementBytes;
}

/// Whether the cache holds so many lines of each of so many rows until they are wanted again.
bool ColumnMatrix::staysIn(const Cache &cache, double count, double lines) const {
  double way = double(cache.bytes) / cache.ways;
  // Rows begin at so few places of a way: one every `apart` bytes.
  constexpr double most = 1e15; // that is counted exactly
  double apart = rowBytes < most ? double(std::gcd(int64_t(rowBytes), int64_t(way))) : lineBytes;
  double linesApart = std::max(1.0, std::floor(apart / lineBytes));
  double reached = way / std::max(apart, lineBytes) * std::min(lines, linesApart);
  return count * lines <= reached * cache.ways;
}

Incoming ColumnMatrix::incoming(double registers) const {
  if (bytes == 0)
    return {};
  // Of what lies beyond the second cache: a row that is loaded ahead, and one that is not.
  constexpr double near = 2, far = 8, page = 4096;
  constexpr double free = 0.7; // of the first cache, beside what else a tile reads
  double taken = registers * width * 4, lines = std::max(1.0, taken / lineBytes);
  if (rowBytes <= lineBytes)
    lines = std::ceil(lines); // panels
  else if (std::fmod(taken, lineBytes) != 0)
    lines += 0.5; // about every second row begins within a line
  bool isStream = rowBytes <= lineBytes;
  auto from = [&](const Cache &cache) { return lines * lineBytes / cache.bytesPerCycle; };
  Incoming result;
  if (bytes > cpu.second.bytes)
    result.first = from(cpu.second) + (isStream ? 0 : rowBytes >= page ? far : near);
  else if (bytes > free * cpu.first.bytes)
    result.first = from(cpu.first);
  if (!isWalkedAgain)
    result.again = result.first;
  else if (rows * lines * lineBytes > cpu.second.bytes || !staysIn(cpu.second, rows, lines))
    result.again = from(cpu.second) + (isStream ? 0 : far);
  else if (rows * lines * lineBytes > free * cpu.first.bytes || !staysIn(cpu.first, rows, lines))
    result.again = from(cpu.first);
  return result;
}

double ColumnMatrix::gathered(double registers) const {
  double lanes = registers * width;
  bool stay = bytes == 0 || staysIn(cpu.first, lanes, 1);
  return lanes * (cpu.cyclesPerGatheredLane + (stay ? 0 : lineBytes / 2 / cpu.first.bytesPerCycle));
}

/// Registers that hold where lanes of one column register are along the image, and the limits for them: of 64 bits a
/// lane. Nothing where no lane can be outside.
static double countPlaceRegisters(Operation *hero, const Target &target, double width) {
  auto conv = dyn_cast<dsc::ConvOp>(hero);
  if (!conv || conv.getChannelsLast() || width == 1)
    return 0;
  Window window = windowOf(conv);
  return window.alwaysInside(window.rank() - 1) ? 0 : 2 * std::ceil(width * target.indexBits / target.vectorBits);
}

/// Instructions by which a step finds out which lanes of a column register lie inside of the image. Where a tile
/// begins at a known place, LLVM knows the mask. AVX-512 compares; AVX2 makes
/// masks of places, if there are registers for those, and else makes the places too.
static double countMaskInstructions(const Target &target, double needed, bool isKnown) {
  if (isKnown)
    return 1.5;
  if (target.vectorBits >= 512)
    return 5;
  return needed < target.vectorRegisters ? 8 : 14;
}

/// Multiplications of one line of the window with pixels of a whole line, as far as they lie inside of the image.
static int64_t countInside(const Window &window, int64_t pixels, int64_t size) {
  int64_t inside = 0;
  for (int64_t pixel = 0; pixel < pixels; ++pixel)
    for (int64_t tap = 0; tap < window.size.back(); ++tap) {
      int64_t place = pixel * window.strides.back() - window.pads[window.rank() - 1] + tap * window.dilations.back();
      inside += place >= 0 && place < size;
    }
  return inside;
}

/// Cycles for one element of the window, where lanes of the image meet lanes of the filter (ChannelsLast.cpp). Rows of
/// a tile that are known to be of one line share pixels along it, as far as registers keep those for the next row, and
/// only at the ends of lines pixels are looked for.
static double lanewiseStep(dsc::ConvOp conv, int64_t rows, double vectors, const Target &target) {
  constexpr double find = 0.8, perLine = 4, reload = 0.3; // cycles: of a pixel; of a line of the window; of a register
  Window window = windowOf(conv);
  dsc::ImageOrder order = dsc::orderOf(conv);
  DimExpr line = order.spatialOf(dsc::getDims(conv.getResult())).back(),
          size = order.spatialOf(dsc::getDims(conv.getInput())).back();
  double width = window.size.back(), stride = window.strides.back();
  double pixels = rows * width, products = pixels, kept = 1, lookedFor = 1;
  if (rows == 1 || (line.isConstant() && line.constant() % rows == 0)) {
    if (window.dilations.back() == 1)
      pixels = std::min(pixels, (rows - 1) * stride + width);
    kept = std::min(pixels, rows * stride);
    bool isWhole = line.isConstant(rows) && size.isConstant();
    if (isWhole)
      products = countInside(window, rows, size.constant());
    bool hasEnds = !isWhole && !window.alwaysInside(window.rank() - 1) && line.isConstant();
    lookedFor = hasEnds ? std::min(1.0, 2.0 * rows / line.constant()) : 0;
  }
  double multiplications = products * vectors / target.cpu->multipliesPerCycle;
  // Sums, and pixels that the next row wants; AVX-512 holds on to the filter besides. Where registers hold less than
  // that, LLVM keeps no pixel, and sums come and go.
  double needed = rows * vectors + kept * vectors + (target.vectorBits >= 512 ? 1 : 0);
  double missing = std::max(0.0, needed - target.vectorRegisters);
  double loaded = missing > 0 ? rows * width : pixels;
  double loads = (loaded + width) * vectors / target.cpu->loadsPerCycle;
  return (std::max(multiplications, loads) + perLine + find * pixels * lookedFor) / width + reload * missing;
}

/// Cycles of so many multiplications that each wait for the one of the step before.
static double multiply(const Cpu &cpu, double count) {
  constexpr double latency = 4;
  return together(count / cpu.multipliesPerCycle, latency);
}

/// Multiplications, of which enough must be under way at once; loads; what does not fit the registers is loaded at each
/// step; and what a tile covers beyond the last row or column is computed for nothing.
double estimateTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule, const Sizes &sizes) {
  Operation *hero = findContraction(group);
  const Cpu &cpu = *target.cpu;
  Extent extent = extentOf(hero);
  double rows = *schedule.lookup("rows"), vectors = *schedule.lookup("vectors"), width = *schedule.lookup("width");
  bool gathers = width > 1 && !*schedule.lookup("packed") && gathersColumns(hero);
  bool isLanewise = kernels::isLanewise(hero);
  double places = countPlaceRegisters(hero, target, width);
  ColumnMatrix matrix(group, cpu, schedule, sizes);
  auto cyclesOfStep = [&](double count, double registers, double incoming, bool isKnown) {
    if (isLanewise)
      return lanewiseStep(cast<dsc::ConvOp>(hero), count, registers, target);
    double sums = countRegisters(count, registers), needed = sums + places * registers;
    double multiplications = multiply(cpu, count * registers);
    // A gather is as many loads as it has lanes, beside which those of the rows' elements do not count. They are for
    // all rows of the tile, and more vectors share none.
    if (gathers) {
      constexpr double findPlaces = 1.5; // of one vector more
      double kept = target.vectorBits >= 512 ? sums + places : needed;
      return multiplications + matrix.gathered(registers) + (registers - 1) * findPlaces +
             std::max(0.0, kept - target.vectorRegisters);
    }
    // Loads share the front of the processor with multiplications even where they end before those. An element of a row
    // is spread by an instruction of its own, unless it is for one multiplication alone, which does so itself in
    // AVX-512.
    constexpr double shared = 0.1, startedPerCycle = 4, perStep = 3, forwarded = 7;
    double loads = (count + registers) / cpu.loadsPerCycle;
    double spread = target.vectorBits >= 512 && registers == 1 ? 0 : count;
    double masks = places > 0 ? registers * countMaskInstructions(target, needed, isKnown) : 0;
    double instructions = count * registers + spread + registers + masks + perStep;
    // AVX2 has masks, and what they are made of, in registers beside. A sum for which there is none is stored and
    // loaded again, and the next multiplication waits for that.
    double beside = places > 0 && target.vectorBits < 512 ? registers + (isKnown ? 0 : 1) : 0;
    double missing = sums + beside - target.vectorRegisters;
    double spilled = missing > 0 ? forwarded + missing : 0;
    double busy = std::max({multiplications, loads, instructions / startedPerCycle});
    return together(busy, incoming) + shared * loads + spilled;
  };
  double inner = sizes.of(extent.inner);
  // A tile begins with sums of zero, and ends with what is done with them.
  constexpr double perTile = 12;
  auto tile = [&](double count, double registers, double incoming, bool isKnown) {
    return count > 0 ? cyclesOfStep(count, registers, incoming, isKnown) * inner + perTile + count * registers : 0;
  };
  double all = sizes.of(extent.rows), whole = std::floor(all / rows), left = all - whole * rows;
  // The rows that are left over are as many as they are, if that is known; else the tile is as large as the others.
  if (left > 0 && !extent.rows.isConstant())
    left = rows;
  auto perColumn = [&](double registers, bool isKnown) {
    Incoming incoming = matrix.incoming(registers);
    if (whole == 0)
      return tile(left, registers, incoming.first, isKnown);
    return tile(rows, registers, incoming.first, isKnown) +
           (whole - 1) * tile(rows, registers, incoming.again, isKnown) +
           tile(left, registers, incoming.again, isKnown);
  };
  // So are the registers of columns.
  double columns = sizes.of(extent.columns), tiles = std::floor(columns / (width * vectors));
  double registers = std::ceil((columns - tiles * width * vectors) / width);
  if (registers > 0 && !extent.columns.isConstant())
    registers = vectors;
  // Where tiles begin is known to the compiler if one block has all columns.
  double step = width * vectors, work = rows * *schedule.lookup("row_tiles") * inner * step;
  bool isOneBlock = !*schedule.lookup("columns_outside") || step * std::floor(blockWork / work) >= columns;
  bool isKnown = extent.columns.isConstant() && (isOneBlock || columns <= step);
  double cycles =
      tiles * perColumn(vectors, isKnown && tiles <= 1) + (registers > 0 ? perColumn(registers, isKnown) : 0);
  return sizes.of(extent.outer) * cycles / cpu.clock + columnStream(group, target, schedule, sizes);
}

} // namespace dscc::kernels
