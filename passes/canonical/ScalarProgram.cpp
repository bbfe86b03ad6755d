#include "passes/canonical/ScalarProgram.h"

#include "passes/canonical/RoundFloat.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/math/LowerMath.h"
#include "passes/math/MathFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <tuple>

using namespace mlir;

namespace dscc {

//===-- Numbers in C++ ------------------------------------------------------------------------------------------===//

namespace {
/// A float16 by its bits.
struct Half {
  uint16_t bits;
};
} // namespace

/// Calls `visit` with a number of the C++ type that holds such elements; false if there is none. Integers are unsigned.
template <class Visit> static bool visitInteger(Type type, Visit visit) {
  if (!type.isSignlessInteger())
    return false;
  switch (type.getIntOrFloatBitWidth()) {
  case 1: return visit(false);
  case 8: return visit(uint8_t());
  case 16: return visit(uint16_t());
  case 32: return visit(uint32_t());
  case 64: return visit(uint64_t());
  default: return false;
  }
}

/// The same for the floats that processors compute with.
template <class Visit> static bool visitFloat(Type type, Visit visit) {
  if (type.isF32())
    return visit(float());
  return type.isF64() && visit(double());
}

/// The same for all of them.
template <class Visit> static bool visitNumber(Type type, Visit visit) {
  if (type.isF16())
    return visit(Half());
  return visitInteger(type, visit) || visitFloat(type, visit);
}

template <class T> static auto asSigned(T value) {
  if constexpr (std::is_same_v<T, bool>)
    return -int(value);
  else
    return std::make_signed_t<T>(value);
}

/// A result in its type; integers wrap around, those of one bit too.
template <class R, class X> static R wrap(X value) {
  if constexpr (std::is_same_v<R, bool> && !std::is_same_v<X, bool>)
    return value & 1;
  else
    return R(value);
}

/// How many bits an integer has here.
template <class T> static constexpr unsigned widthOf = std::is_same_v<T, bool> ? 1 : 8 * sizeof(T);

/// True if the whole part of `x` is one of `bits` bits.
static bool fits(double x, unsigned bits, bool isSigned) {
  double whole = std::trunc(x), limit = std::ldexp(1.0, int(isSigned ? bits - 1 : bits));
  return whole >= (isSigned ? -limit : 0.0) && whole < limit; // false for NaN
}

/// A NaN wins, and -0 is less than 0.
template <class T> static T maximum(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<T>::quiet_NaN();
  return a == b ? (std::signbit(a) ? b : a) : std::max(a, b);
}

//===-- Steps ---------------------------------------------------------------------------------------------------===//

/// Makes steps of the ops of one function.
class ScalarAssembler {
public:
  explicit ScalarAssembler(ScalarProgram &program) : program(program) {}

  bool assemble(func::FuncOp function);

  /// result = compute(operands), which have the types A.
  template <class R, class... A, class F> bool step(Operation &op, F compute) {
    return [&]<size_t... i>(std::index_sequence<i...>) {
      R *to = lanesOf<R>(op.getResult(0));
      std::tuple<const A *...> from(lanesOf<const A>(op.getOperand(i))...);
      program.steps.push_back([=](size_t lanes) {
        for (size_t lane = 0; lane < lanes; ++lane)
          to[lane] = wrap<R>(compute(std::get<i>(from)[lane]...));
      });
      return true;
    }(std::index_sequence_for<A...>());
  }

  /// The same where `isDefined` holds; elsewhere the result is 0 and left open.
  template <class R, class... A, class D, class F> bool partialStep(Operation &op, D isDefined, F compute) {
    return [&]<size_t... i>(std::index_sequence<i...>) {
      char *open = openLanes(op.getResult(0));
      std::tuple<const A *...> from(lanesOf<const A>(op.getOperand(i))...);
      program.steps.push_back([=](size_t lanes) {
        for (size_t lane = 0; lane < lanes; ++lane)
          open[lane] = !isDefined(std::get<i>(from)[lane]...);
      });
      return step<R, A...>(op, [=](A... operands) { return isDefined(operands...) ? R(compute(operands...)) : R(); });
    }(std::index_sequence_for<A...>());
  }

  /// Fills all lanes now.
  template <class T> void fill(Value value, T number) {
    std::fill_n(lanesOf<T>(value), ScalarProgram::maxLanes, number);
  }

  template <class T> T *lanesOf(Value value) {
    ScalarProgram::Lanes *&lanes = places[value];
    if (!lanes)
      lanes = program.values.emplace_back(std::make_unique<ScalarProgram::Lanes>()).get();
    return reinterpret_cast<T *>(lanes->bytes);
  }

private:
  bool assemble(Operation &op);
  void passOnOpenLanes(Operation &op);
  void closeWhereNan(Value result, Value operand);
  char *openLanes(Value value) {
    ScalarProgram::Lanes *&lanes = open[value];
    if (!lanes)
      lanes = program.values.emplace_back(std::make_unique<ScalarProgram::Lanes>()).get();
    return lanes->bytes;
  }

  ScalarProgram &program;
  llvm::DenseMap<Value, ScalarProgram::Lanes *> places, open;
};

namespace {
using Make = bool (*)(ScalarAssembler &, Operation &);
struct Entry {
  StringLiteral op;
  Make make;
};
} // namespace

/// One op on one to three numbers of one type.
template <auto compute, class T> static bool uniform(ScalarAssembler &a, Operation &op, T) {
  using F = decltype(compute);
  if constexpr (std::is_invocable_v<F, T>)
    return a.step<T, T>(op, compute);
  else if constexpr (std::is_invocable_v<F, T, T>)
    return a.step<T, T, T>(op, compute);
  else
    return a.step<T, T, T, T>(op, compute);
}

template <auto compute> static bool floats(ScalarAssembler &a, Operation &op) {
  return visitFloat(op.getResult(0).getType(), [&](auto number) { return uniform<compute>(a, op, number); });
}

template <auto compute> static bool integers(ScalarAssembler &a, Operation &op) {
  return visitInteger(op.getResult(0).getType(), [&](auto number) { return uniform<compute>(a, op, number); });
}

/// Integer ops that some operands have no result for.
template <auto isDefined, auto compute> static bool partial(ScalarAssembler &a, Operation &op) {
  return visitInteger(op.getResult(0).getType(),
                      [&]<class T>(T) { return a.partialStep<T, T, T>(op, isDefined, compute); });
}

/// How two numbers compare, as bits.
enum Relation : unsigned { equal = 1, less = 2, greater = 4, unordered = 8 };

template <class T> static unsigned relationOf(T a, T b) {
  return a == b ? equal : a < b ? less : a > b ? greater : unordered;
}

static bool compareFloats(ScalarAssembler &a, Operation &op) {
  // In the order of arith::CmpFPredicate.
  static constexpr unsigned accepted[] = {0,
                                          equal,
                                          greater,
                                          greater | equal,
                                          less,
                                          less | equal,
                                          less | greater,
                                          less | equal | greater,
                                          unordered | equal,
                                          unordered | greater,
                                          unordered | greater | equal,
                                          unordered | less,
                                          unordered | less | equal,
                                          unordered | less | greater,
                                          unordered,
                                          unordered | less | equal | greater};
  unsigned mask = accepted[unsigned(cast<arith::CmpFOp>(op).getPredicate())];
  return visitFloat(op.getOperand(0).getType(), [&]<class T>(T) {
    return a.step<bool, T, T>(op, [mask](T x, T y) { return (relationOf(x, y) & mask) != 0; });
  });
}

static bool compareIntegers(ScalarAssembler &a, Operation &op) {
  // In the order of arith::CmpIPredicate.
  static constexpr unsigned accepted[] = {equal,           less | greater, less,         less | equal, greater,
                                          greater | equal, less,           less | equal, greater,      greater | equal};
  auto predicate = cast<arith::CmpIOp>(op).getPredicate();
  unsigned mask = accepted[unsigned(predicate)];
  bool isSigned = predicate < arith::CmpIPredicate::ult;
  return visitInteger(op.getOperand(0).getType(), [&]<class T>(T) {
    if (!isSigned)
      return a.step<bool, T, T>(op, [mask](T x, T y) { return (relationOf(x, y) & mask) != 0; });
    return a.step<bool, T, T>(op, [mask](T x, T y) { return (relationOf(asSigned(x), asSigned(y)) & mask) != 0; });
  });
}

static bool select(ScalarAssembler &a, Operation &op) {
  return visitNumber(op.getResult(0).getType(), [&]<class T>(T) {
    return a.step<T, bool, T, T>(op, [](bool condition, T x, T y) { return condition ? x : y; });
  });
}

static bool constant(ScalarAssembler &a, Operation &op) {
  Attribute value = cast<arith::ConstantOp>(op).getValue();
  std::optional<uint64_t> bits;
  if (auto integer = dyn_cast<IntegerAttr>(value))
    bits = integer.getValue().getZExtValue();
  else if (auto floating = dyn_cast<FloatAttr>(value))
    bits = floating.getValue().bitcastToAPInt().getZExtValue();
  return bits && visitNumber(op.getResult(0).getType(), [&]<class T>(T number) {
           std::memcpy(&number, &*bits, sizeof(number)); // the low bytes come first
           a.fill(op.getResult(0), number);
           return true;
         });
}

static bool bitcast(ScalarAssembler &a, Operation &op) {
  return visitNumber(op.getOperand(0).getType(), [&]<class From>(From) {
    return visitNumber(op.getResult(0).getType(), [&]<class To>(To) {
      if constexpr (sizeof(To) != sizeof(From))
        return false;
      else
        return a.step<To, From>(op, [](From x) { return std::bit_cast<To>(x); });
    });
  });
}

/// From any integer to any other, as a number with a sign or without.
template <bool isSigned> static bool resize(ScalarAssembler &a, Operation &op) {
  return visitInteger(op.getOperand(0).getType(), [&]<class From>(From) {
    return visitInteger(op.getResult(0).getType(), [&]<class To>(To) {
      if constexpr (isSigned)
        return a.step<To, From>(op, [](From x) { return asSigned(x); });
      else
        return a.step<To, From>(op, [](From x) { return x; });
    });
  });
}

template <bool isSigned> static bool toFloat(ScalarAssembler &a, Operation &op) {
  return visitInteger(op.getOperand(0).getType(), [&]<class From>(From) {
    return visitFloat(op.getResult(0).getType(), [&]<class To>(To) {
      if constexpr (isSigned)
        return a.step<To, From>(op, [](From x) { return To(asSigned(x)); });
      else
        return a.step<To, From>(op, [](From x) { return To(x); });
    });
  });
}

template <bool isSigned> static bool toInteger(ScalarAssembler &a, Operation &op) {
  return visitFloat(op.getOperand(0).getType(), [&]<class From>(From) {
    return visitInteger(op.getResult(0).getType(), [&]<class To>(To) {
      auto isDefined = [](From x) { return fits(x, widthOf<To>, isSigned); };
      if constexpr (isSigned)
        return a.partialStep<To, From>(op, isDefined, [](From x) { return int64_t(x); });
      else
        return a.partialStep<To, From>(op, isDefined, [](From x) { return uint64_t(x); });
    });
  });
}

static bool widen(ScalarAssembler &a, Operation &op) {
  Type from = op.getOperand(0).getType(), to = op.getResult(0).getType();
  if (from.isF16() && to.isF32())
    return a.step<float, Half>(op, [](Half x) { return fromF16(x.bits); });
  return from.isF32() && to.isF64() && a.step<double, float>(op, [](float x) { return double(x); });
}

static bool narrow(ScalarAssembler &a, Operation &op) {
  Type from = op.getOperand(0).getType(), to = op.getResult(0).getType();
  if (from.isF32() && to.isF16())
    return a.step<Half, float>(op, [](float x) { return Half{roundToF16(x)}; });
  return from.isF64() && to.isF32() && a.step<float, double>(op, [](double x) { return float(x); });
}

template <class T, class... U> static bool callWith(ScalarAssembler &a, Operation &op, T (*function)(U...)) {
  return a.step<T, U...>(op, function);
}

static bool call(ScalarAssembler &a, Operation &op) {
  const MathFunction *callee = findMathFunction(cast<func::CallOp>(op).getCallee());
  return callee && std::visit([&](auto *function) { return callWith(a, op, function); }, callee->function);
}

// clang-format off
static constexpr auto hasQuotient = [](auto x, auto y) {
  using S = decltype(asSigned(x));
  return y != 0 && !(asSigned(y) == -1 && asSigned(x) == std::numeric_limits<S>::min());
};
static constexpr auto isNotZero = [](auto, auto y) { return y != 0; };
static constexpr auto isWithin = [](auto x, auto y) { return y < widthOf<decltype(x)>; };

static constexpr Entry entries[] = {
    {"arith.constant", constant},
    {"arith.addf", floats<[](auto x, auto y) { return x + y; }>},
    {"arith.subf", floats<[](auto x, auto y) { return x - y; }>},
    {"arith.mulf", floats<[](auto x, auto y) { return x * y; }>},
    {"arith.divf", floats<[](auto x, auto y) { return x / y; }>},
    {"arith.negf", floats<[](auto x) { return -x; }>},
    {"arith.maximumf", floats<[](auto x, auto y) { return maximum(x, y); }>},
    {"arith.minimumf", floats<[](auto x, auto y) { return -maximum(-x, -y); }>},
    {"math.absf", floats<[](auto x) { return std::fabs(x); }>},
    {"math.floor", floats<[](auto x) { return std::floor(x); }>},
    {"math.ceil", floats<[](auto x) { return std::ceil(x); }>},
    {"math.trunc", floats<[](auto x) { return std::trunc(x); }>},
    {"math.roundeven", floats<[](auto x) { return std::nearbyint(x); }>},
    {"math.sqrt", floats<[](auto x) { return std::sqrt(x); }>},
    {"math.copysign", floats<[](auto x, auto y) { return std::copysign(x, y); }>},
    {"math.fma", floats<[](auto x, auto y, auto z) { return std::fma(x, y, z); }>},
    {"arith.addi", integers<[](auto x, auto y) { return uint64_t(x) + y; }>},
    {"arith.subi", integers<[](auto x, auto y) { return uint64_t(x) - y; }>},
    {"arith.muli", integers<[](auto x, auto y) { return uint64_t(x) * y; }>},
    {"arith.andi", integers<[](auto x, auto y) { return x & y; }>},
    {"arith.ori", integers<[](auto x, auto y) { return x | y; }>},
    {"arith.xori", integers<[](auto x, auto y) { return x ^ y; }>},
    {"arith.maxsi", integers<[](auto x, auto y) { return asSigned(x) < asSigned(y) ? y : x; }>},
    {"arith.minsi", integers<[](auto x, auto y) { return asSigned(y) < asSigned(x) ? y : x; }>},
    {"arith.maxui", integers<[](auto x, auto y) { return x < y ? y : x; }>},
    {"arith.minui", integers<[](auto x, auto y) { return y < x ? y : x; }>},
    {"math.absi", integers<[](auto x) { return asSigned(x) < 0 ? -uint64_t(x) : uint64_t(x); }>},
    {"arith.divsi", partial<hasQuotient, [](auto x, auto y) { return asSigned(x) / asSigned(y); }>},
    {"arith.remsi", partial<hasQuotient, [](auto x, auto y) { return asSigned(x) % asSigned(y); }>},
    {"arith.divui", partial<isNotZero, [](auto x, auto y) { return x / y; }>},
    {"arith.remui", partial<isNotZero, [](auto x, auto y) { return x % y; }>},
    {"arith.shli", partial<isWithin, [](auto x, auto y) { return uint64_t(x) << y; }>},
    {"arith.shrui", partial<isWithin, [](auto x, auto y) { return x >> y; }>},
    {"arith.shrsi", partial<isWithin, [](auto x, auto y) { return asSigned(x) >> y; }>},
    {"arith.cmpf", compareFloats},
    {"arith.cmpi", compareIntegers},
    {"arith.select", select},
    {"arith.bitcast", bitcast},
    {"arith.extsi", resize<true>},
    {"arith.extui", resize<false>},
    {"arith.trunci", resize<false>},
    {"arith.sitofp", toFloat<true>},
    {"arith.uitofp", toFloat<false>},
    {"arith.fptosi", toInteger<true>},
    {"arith.fptoui", toInteger<false>},
    {"arith.extf", widen},
    {"arith.truncf", narrow},
    {"func.call", call},
};
// clang-format on

static Make findMake(Operation &op) {
  static const llvm::StringMap<Make> table = [] {
    llvm::StringMap<Make> map;
    for (const Entry &entry : entries)
      map[entry.op] = entry.make;
    return map;
  }();
  return table.lookup(op.getName().getStringRef());
}

/// A result is open where an operand is, but for what a select leaves out.
void ScalarAssembler::passOnOpenLanes(Operation &op) {
  // A partial step has set the lanes of its result; else the first operand does.
  bool isSet = open.contains(op.getResult(0)), isSelect = isa<arith::SelectOp>(op);
  for (auto [number, operand] : llvm::enumerate(op.getOperands())) {
    if (!open.contains(operand))
      continue;
    const char *from = openLanes(operand);
    char *to = openLanes(op.getResult(0));
    const bool *condition = isSelect && number > 0 ? lanesOf<const bool>(op.getOperand(0)) : nullptr;
    bool chosen = number == 1; // the condition that lets this operand through
    program.steps.push_back([=](size_t lanes) {
      for (size_t lane = 0; lane < lanes; ++lane) {
        bool isOpen = from[lane] && (!condition || condition[lane] == chosen);
        to[lane] = isOpen || (isSet && to[lane]);
      }
    });
    isSet = true;
  }
  // Whatever a sum's or a product's open operand is, with NaN it gives NaN.
  if (isSet && isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, math::FmaOp>(op))
    for (Value operand : op.getOperands())
      closeWhereNan(op.getResult(0), operand);
}

void ScalarAssembler::closeWhereNan(Value result, Value operand) {
  visitFloat(operand.getType(), [&]<class T>(T) {
    const T *number = lanesOf<const T>(operand);
    const char *from = open.contains(operand) ? openLanes(operand) : nullptr;
    char *to = openLanes(result);
    program.steps.push_back([=](size_t lanes) {
      for (size_t lane = 0; lane < lanes; ++lane)
        to[lane] &= from && from[lane] ? 1 : !std::isnan(number[lane]);
    });
    return true;
  });
}

bool ScalarAssembler::assemble(Operation &op) {
  Make make = findMake(op);
  if (!make || !make(*this, op))
    return false;
  passOnOpenLanes(op);
  return true;
}

bool ScalarAssembler::assemble(func::FuncOp function) {
  Block &body = function.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    lanesOf<char>(argument);
    if (!visitNumber(argument.getType(), [&](auto number) {
          program.inputBytes.push_back(sizeof(number));
          return true;
        }))
      return false;
  }
  for (Operation &op : body.without_terminator())
    if (!assemble(op))
      return false;
  Value result = body.getTerminator()->getOperand(0);
  lanesOf<char>(result);
  program.result = places[result];
  program.undefined = open.lookup(result);
  return visitNumber(result.getType(), [&](auto number) {
    program.resultBytes = sizeof(number);
    return true;
  });
}

//===-- The program ---------------------------------------------------------------------------------------------===//

/// What a kernel does with one element, from memory to memory.
static OwningOpRef<ModuleOp> writeScalarCode(Operation *op) {
  Location loc = UnknownLoc::get(op->getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  OpBuilder b = OpBuilder::atBlockEnd(module->getBody());
  auto storageOf = [](Value value) { return kernels::getStorageType(dsc::getElementType(value)); };
  SmallVector<Type> types = llvm::map_to_vector(op->getOperands(), storageOf);
  Value result = op->getResult(0);
  auto function = func::FuncOp::create(b, loc, "scalar", b.getFunctionType(types, storageOf(result)));
  Block *body = function.addEntryBlock();
  b.setInsertionPointToStart(body);
  kernels::KernelBuilder k(b, loc, allTargets().front(), /*width=*/1);
  SmallVector<Value> operands;
  for (auto [argument, operand] : llvm::zip_equal(body->getArguments(), op->getOperands()))
    operands.push_back(k.toCompute(argument, dsc::getElementType(operand)));
  Value computed = kernels::emitScalar(k, op, operands);
  func::ReturnOp::create(b, loc, k.toStorage(computed, dsc::getElementType(result)));
  return module;
}

std::unique_ptr<ScalarProgram> ScalarProgram::compile(Operation *op) {
  auto isWhole = [](Value value) {
    Type element = dsc::getElementType(value);
    return element.isInteger(1) || element.getIntOrFloatBitWidth() % 8 == 0;
  };
  if (!dsc::isElementwise(op) || !kernels::hasScalarCode(op) || !llvm::all_of(op->getOperands(), isWhole) ||
      !llvm::all_of(op->getResults(), isWhole))
    return nullptr;
  OwningOpRef<ModuleOp> module = writeScalarCode(op);
  auto function = *module->getOps<func::FuncOp>().begin();
  auto isKnown = [](Operation &inner) { return findMake(inner) != nullptr; };
  if (!llvm::all_of(function.getBody().front().without_terminator(), isKnown) && failed(lowerMath(*module)))
    return nullptr;
  function = module->lookupSymbol<func::FuncOp>("scalar");
  auto program = std::make_unique<ScalarProgram>();
  return ScalarAssembler(*program).assemble(function) ? std::move(program) : nullptr;
}

bool ScalarProgram::run(ArrayRef<Input> inputs, char *to, size_t count) {
  assert(inputs.size() == inputBytes.size() && "a program has an input for each operand of its op");
  for (auto [input, bytes, lanes] : llvm::zip(inputs, inputBytes, values))
    for (size_t lane = 0; input.isSplat && lane < maxLanes; ++lane)
      std::memcpy(lanes->bytes + lane * bytes, input.bytes, bytes);
  for (size_t first = 0; first < count; first += maxLanes) {
    size_t lanes = std::min(maxLanes, count - first);
    for (auto [input, bytes, place] : llvm::zip(inputs, inputBytes, values))
      if (!input.isSplat)
        std::memcpy(place->bytes, input.bytes + first * bytes, lanes * bytes);
    for (const Step &step : steps)
      step(lanes);
    if (undefined && std::memchr(undefined->bytes, 1, lanes))
      return false;
    std::memcpy(to + first * resultBytes, result->bytes, lanes * resultBytes);
  }
  return true;
}

} // namespace dscc
