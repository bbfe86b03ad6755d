#include "tools/simulator/exec/ReplayUnits.h"

#include "tools/simulator/Chips.h"

namespace dscc::sim {

static constexpr double numSchedulers = 4;

UnitTable::UnitTable(const Chip &chip, const Latencies &latencies) : chip(chip), mmaShare(latencies.mmaShare) {
  auto row = [&](OpClass kind) -> UnitRow & { return rows[size_t(kind)]; };
  // A multiply-add of all lanes on pairs, or on one element each, is two FLOP an element.
  double f32 = 2.0 * lanesPerWarp * numSchedulers / chip.f32FlopPerClock,
         half = 4.0 * lanesPerWarp * numSchedulers / chip.f16FlopPerClock,
         f64 = 2.0 * lanesPerWarp * numSchedulers / chip.f64FlopPerClock,
         special = double(lanesPerWarp) * numSchedulers / chip.specialFunctionsPerClock;
  row(OpClass::Integer) = {IntegerPipe, latencies.integerInterval, latencies.arithmetic, ArithmeticStall, false};
  row(OpClass::Multiply) = {F32Pipe, latencies.integerInterval, latencies.arithmetic, ArithmeticStall, false};
  row(OpClass::F32) = {F32Pipe, f32, latencies.arithmetic, ArithmeticStall, false};
  row(OpClass::Half) = {HalfPipe, half, latencies.arithmetic, ArithmeticStall, false};
  row(OpClass::F64) = {F64Pipe, f64, latencies.f64, ArithmeticStall, false};
  row(OpClass::Conversion) = {ConversionPipe, latencies.conversionInterval, latencies.conversion, ArithmeticStall,
                              false};
  row(OpClass::Special) = {SpecialPipe, special, latencies.special, ArithmeticStall, false};
  row(OpClass::Shuffle) = {numPipes, 0, latencies.shuffle, SharedStall, false};
  row(OpClass::Vote) = {numPipes, 0, latencies.shuffle, ArithmeticStall, false};
  row(OpClass::Matrix).pipe = TensorPipe;
  for (OpClass kind : {OpClass::Load, OpClass::Store, OpClass::Atomic, OpClass::MatrixLoad, OpClass::CopyAsync})
    row(kind).usesMemory = true;
}

double UnitTable::productClocks(const MicroOp &op) const {
  double perClock = 0;
  switch (op.unit) {
  case TensorTf32Flop: perClock = chip.tensorTf32FlopPerClock; break;
  case TensorF64Flop: perClock = chip.tensorF64FlopPerClock; break;
  case TensorF8Flop: perClock = chip.tensorF8FlopPerClock; break;
  case TensorInt8Flop: perClock = chip.tensorInt8OpPerClock; break;
  default: perClock = chip.tensorF16FlopPerClock;
  }
  if (perClock <= 0)
    return 1;
  double clocks = op.amount / (perClock / numSchedulers);
  if (op.kind != OpClass::Wgmma)
    return clocks / mmaShare;
  // Its operands come from shared memory at the rate of all banks.
  constexpr double sharedBytesPerClock = 128;
  return std::max(clocks, op.sharedBytes / sharedBytesPerClock);
}

//===-- records ---------------------------------------------------------------------------------------------------===//

void TraceCursor::enter(size_t record) {
  begin = record;
  segment = trace->records[begin].site;
  base = places->find(segment->function);
  at = 0;
  recordOf.assign(segment->ops.size(), 0);
  for (end = begin + 1; end < trace->records.size() && !trace->records[end].site->function; ++end) {
    const Site &site = *trace->records[end].site;
    if (site.segment == segment && !recordOf[site.op])
      recordOf[site.op] = uint32_t(end + 1);
  }
}

const MicroOp *TraceCursor::current(RegisterPlaces &all) {
  places = &all;
  while (!segment || at >= segment->order.size()) {
    size_t next = segment ? end : 0;
    while (next < trace->records.size() && !trace->records[next].site->function)
      ++next;
    if (next >= trace->records.size())
      return nullptr;
    enter(next);
  }
  return &segment->ops[segment->order[at]];
}

bool TraceCursor::skipToWait(const Record &event) {
  constexpr size_t farthest = 256; // records
  size_t found = 0, owner = begin, ownerOfFound = 0;
  for (size_t i = size_t(&event - trace->records.data()) + 1, last = std::min(i + farthest, trace->records.size());
       i < last; ++i) {
    const Record &record = trace->records[i];
    if (record.site->function)
      owner = i;
    if (!record.site->isEvent || !record.site->segment ||
        record.site->segment->ops[record.site->op].kind != OpClass::MbarrierWait)
      continue;
    if (record.address != event.address || record.value >> 1 != event.value >> 1)
      break;
    found = i;
    ownerOfFound = owner;
    if (record.value & 1)
      break;
  }
  if (!found)
    return false;
  if (ownerOfFound != begin)
    enter(ownerOfFound);
  uint32_t op = trace->records[found].site->op;
  at = uint32_t(std::find(segment->order.begin(), segment->order.end(), op) - segment->order.begin());
  return true;
}

} // namespace dscc::sim
