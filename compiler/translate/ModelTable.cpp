#include "compiler/translate/ModelTable.h"

#include "dialects/dsc/Dsc.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"

#include <sys/mman.h>
#include <unistd.h>

namespace dscc {

using namespace mlir;

/// The number that ONNX gives an element type, or 0.
static int32_t dataTypeOf(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 1: return DSCC_BOOL;
    case 2: return isUnsigned ? DSCC_UINT2 : DSCC_INT2;
    case 4: return isUnsigned ? DSCC_UINT4 : DSCC_INT4;
    case 8: return isUnsigned ? DSCC_UINT8 : DSCC_INT8;
    case 16: return isUnsigned ? DSCC_UINT16 : DSCC_INT16;
    case 32: return isUnsigned ? DSCC_UINT32 : DSCC_INT32;
    case 64: return isUnsigned ? DSCC_UINT64 : DSCC_INT64;
    default: return 0;
    }
  }
  return llvm::TypeSwitch<Type, int32_t>(type)
      .Case<Float32Type>([](auto) { return DSCC_FLOAT; })
      .Case<Float64Type>([](auto) { return DSCC_DOUBLE; })
      .Case<Float16Type>([](auto) { return DSCC_FLOAT16; })
      .Case<BFloat16Type>([](auto) { return DSCC_BFLOAT16; })
      .Case<Float8E4M3FNType>([](auto) { return DSCC_FLOAT8E4M3FN; })
      .Case<Float8E4M3FNUZType>([](auto) { return DSCC_FLOAT8E4M3FNUZ; })
      .Case<Float8E5M2Type>([](auto) { return DSCC_FLOAT8E5M2; })
      .Case<Float8E5M2FNUZType>([](auto) { return DSCC_FLOAT8E5M2FNUZ; })
      .Case<Float4E2M1FNType>([](auto) { return DSCC_FLOAT4E2M1; })
      .Case<Float8E8M0FNUType>([](auto) { return DSCC_FLOAT8E8M0; })
      .Default([](Type) { return 0; });
}

namespace {
/// Writes C structures as LLVM constants, field by field in the order of <dscc/abi.h>. The fields there are ordered so
/// that C puts the same padding between them as LLVM does.
class TableWriter {
public:
  TableWriter(llvm::Module &module) : module(module), context(module.getContext()) {}

  llvm::PointerType *pointerType() { return llvm::PointerType::get(context, 0); }
  llvm::Constant *u32(uint64_t value) { return llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), value); }
  llvm::Constant *u64(uint64_t value) { return llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), value); }
  llvm::Constant *null() { return llvm::ConstantPointerNull::get(pointerType()); }

  llvm::Constant *place(llvm::Constant *value, uint64_t alignment = 0) {
    auto *global = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                            llvm::GlobalValue::PrivateLinkage, value);
    if (alignment)
      global->setAlignment(llvm::Align(alignment));
    return global;
  }
  llvm::Constant *text(llvm::StringRef text) { return place(llvm::ConstantDataArray::getString(context, text)); }
  llvm::Constant *record(llvm::ArrayRef<llvm::Constant *> fields) {
    return llvm::ConstantStruct::getAnon(context, fields);
  }
  /// A dscc_table of records, each as C lays out a `Record`.
  template <typename Record> llvm::Constant *table(llvm::ArrayRef<llvm::Constant *> records) {
    assert(llvm::all_of(records, [&](llvm::Constant *record) {
      return module.getDataLayout().getTypeAllocSize(record->getType()) == sizeof(Record);
    }));
    return record({array(records), u32(records.size()), u32(sizeof(Record))});
  }
  /// An array of values of one type; NULL if there are none.
  llvm::Constant *array(llvm::ArrayRef<llvm::Constant *> elements) {
    if (elements.empty())
      return null();
    return place(llvm::ConstantArray::get(llvm::ArrayType::get(elements[0]->getType(), elements.size()), elements));
  }
  /// Something defined in another object of the artifact.
  llvm::Constant *elsewhere(llvm::StringRef name) {
    if (auto *known = module.getNamedValue(name))
      return known;
    auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), false);
    auto *function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
    function->setVisibility(llvm::GlobalValue::HiddenVisibility);
    return function;
  }

  llvm::Module &module;
  llvm::LLVMContext &context;
};
} // namespace

/// `standIn` is the number of the weight that is taken for the tensor where a caller gives none, plus 1; 0: there is
/// none.
static llvm::Constant *writeTensor(TableWriter &w, Type type, DictionaryAttr attributes, StringRef fallback,
                                   size_t standIn, JobLog &log) {
  auto name = attributes ? attributes.getAs<StringAttr>("dsc.name") : StringAttr();
  llvm::SmallVector<llvm::Constant *> dims;
  for (const DimExpr &dim : dsc::getDims(type))
    dims.push_back(w.text(dim.str()));
  Type element = cast<RankedTensorType>(type).getElementType();
  int32_t dataType = dataTypeOf(element);
  if (!dataType)
    log.fail(ExitCode::Internal, "the interface has an element type that ONNX does not know");
  return w.record(
      {w.text(name ? name.getValue() : fallback), w.u32(dataType), w.u32(dims.size()), w.array(dims), w.u64(standIn)});
}

static llvm::Constant *writeSymbols(TableWriter &w, ArrayAttr symbols) {
  llvm::SmallVector<llvm::Constant *> records;
  for (auto symbol : symbols.getAsRange<DictionaryAttr>()) {
    auto number = [&](StringRef key) { return symbol.getAs<IntegerAttr>(key).getInt(); };
    records.push_back(
        w.record({w.text(symbol.getAs<StringAttr>("name").getValue()), w.u64(number("min")), w.u64(number("max")),
                  w.u32(DSCC_SYMBOL_AXIS), w.u32(number("input")), w.u32(number("axis")), w.u32(0)}));
  }
  return w.table<dscc_symbol>(records);
}

/// Which of `symbols` occur in the two texts.
static llvm::Constant *writeSymbolsOf(TableWriter &w, StringRef lhs, StringRef rhs, ArrayAttr symbols, size_t &count) {
  std::vector<std::string> names;
  DimExpr::parse(lhs).collectSymbols(names);
  DimExpr::parse(rhs).collectSymbols(names);
  llvm::SmallVector<llvm::Constant *> indices;
  for (auto [index, symbol] : llvm::enumerate(symbols.getAsRange<DictionaryAttr>()))
    if (llvm::is_contained(names, symbol.getAs<StringAttr>("name").getValue()))
      indices.push_back(w.u32(index));
  count = indices.size();
  return w.array(indices);
}

static llvm::Constant *writeRelations(TableWriter &w, ArrayAttr relations, ArrayAttr symbols) {
  llvm::SmallVector<llvm::Constant *> records;
  for (auto relation : relations.getAsRange<DictionaryAttr>()) {
    auto text = [&](StringRef key) { return relation.getAs<StringAttr>(key).getValue(); };
    int32_t kind = llvm::StringSwitch<int32_t>(text("kind"))
                       .Case("broadcast", DSCC_BROADCAST)
                       .Case("multiple", DSCC_MULTIPLE)
                       .Default(DSCC_EQUAL);
    size_t count = 0;
    llvm::Constant *indices = writeSymbolsOf(w, text("lhs"), text("rhs"), symbols, count);
    records.push_back(
        w.record({w.text(text("node")), w.text(text("lhs")), w.text(text("rhs")), indices, w.u32(count), w.u32(kind)}));
  }
  return w.table<dscc_relation>(records);
}

static llvm::Constant *writeKernels(TableWriter &w, const ProgramEntry &program) {
  llvm::SmallVector<llvm::Constant *> records;
  llvm::Type *u32 = llvm::Type::getInt32Ty(w.context);
  for (const KernelEntry &kernel : program.kernels) {
    llvm::Constant *code = program.target->device == Device::Cpu ? w.elsewhere(program.prefix + kernel.name) : w.null();
    auto counts = [&](const std::array<uint32_t, 3> &values) {
      return llvm::ConstantArray::get(llvm::ArrayType::get(u32, 3),
                                      {w.u32(values[0]), w.u32(values[1]), w.u32(values[2])});
    };
    records.push_back(w.record({w.text(kernel.name), code, counts(kernel.threads), w.u32(kernel.sharedBytes),
                                w.u64(kernel.scratchBytes), w.u32(kernel.module), counts(kernel.cluster),
                                w.u32(kernel.overlaps ? DSCC_KERNEL_OVERLAPS : 0), w.u32(0)}));
  }
  return w.table<dscc_kernel>(records);
}

static llvm::Constant *writeLaunches(TableWriter &w, const ProgramEntry &program) {
  llvm::SmallVector<llvm::Constant *> records;
  for (const LaunchEntry &launch : program.launches)
    records.push_back(w.record({w.text(launch.nodes), w.u32(launch.kernel), w.u32(0)}));
  return w.table<dscc_launch>(records);
}

static llvm::Constant *writeTensorMaps(TableWriter &w, const ProgramEntry &program) {
  llvm::SmallVector<llvm::Constant *> records;
  llvm::Type *u32 = llvm::Type::getInt32Ty(w.context);
  auto innermostFirst = [&](llvm::ArrayRef<int64_t> numbers, size_t room) {
    auto values = llvm::map_to_vector(llvm::reverse(numbers), [&](int64_t number) { return w.u32(uint32_t(number)); });
    values.resize(room, w.u32(0));
    return llvm::ConstantArray::get(llvm::ArrayType::get(u32, room), values);
  };
  for (const TensorMapEntry &map : program.tensorMaps) {
    auto alongAxes = [&](int64_t PixelAxis::*field) {
      auto numbers = llvm::map_to_vector(map.pixels, [&](const PixelAxis &axis) { return axis.*field; });
      return innermostFirst(numbers, DSCC_MAX_MAP_SPATIAL);
    };
    bool isTiled = map.pixels.empty();
    size_t rank = isTiled ? map.box.size() : map.pixels.size() + numOtherPixelDims;
    records.push_back(
        w.record({w.u32(dataTypeOf(map.element)), w.u32(rank), innermostFirst(map.box, DSCC_MAX_MAP_RANK),
                  w.u32(map.swizzle), w.u32(isTiled ? DSCC_MAP_TILED : DSCC_MAP_PIXELS), alongAxes(&PixelAxis::lower),
                  alongAxes(&PixelAxis::upper), alongAxes(&PixelAxis::step)}));
  }
  return w.table<dscc_tensor_map>(records);
}

/// Where each of the codes lies.
static llvm::SmallVector<llvm::Constant *> writeCodes(TableWriter &w, const ModelEntry &model) {
  // The driver reads PTX up to its NUL.
  return llvm::map_to_vector(model.codes, [&](const std::string &code) {
    return w.place(llvm::ConstantDataArray::getString(w.context, code, /*AddNull=*/true), 64);
  });
}

static llvm::Constant *writeModules(TableWriter &w, const ModelEntry &model, const ProgramEntry &program,
                                    llvm::ArrayRef<llvm::Constant *> codes) {
  llvm::SmallVector<llvm::Constant *> records;
  for (const ModuleEntry &module : program.modules) {
    llvm::SmallVector<llvm::Constant *> images;
    for (const ImageEntry &image : module.images) {
      uint64_t bytes = model.codes[image.code].size() + (image.kind == 2 ? 1 : 0);
      images.push_back(w.record(
          {w.u32(image.minSm), w.u32(image.maxSm), w.u32(image.kind), w.u32(0), codes[image.code], w.u64(bytes)}));
    }
    records.push_back(w.record({w.table<dscc_image>(images)}));
  }
  return w.table<dscc_module>(records);
}

/// A program whose weights do not begin the table gets a run function that hands it the rest of the table only.
static llvm::Constant *writeRun(TableWriter &w, const ProgramEntry &program) {
  llvm::Constant *run = w.elsewhere(program.prefix + "run");
  if (program.firstWeight == 0)
    return run;
  auto *i32 = llvm::Type::getInt32Ty(w.context);
  auto *type = llvm::FunctionType::get(i32, {w.pointerType()}, false);
  auto *function =
      llvm::Function::Create(type, llvm::GlobalValue::PrivateLinkage, program.prefix + "run_shifted", w.module);
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(w.context, "entry", function));
  constexpr unsigned fields = sizeof(dscc_run_args) / sizeof(void *);
  constexpr unsigned weightsField = offsetof(dscc_run_args, weights) / sizeof(void *);
  llvm::Value *shifted = b.CreateAlloca(llvm::ArrayType::get(w.pointerType(), fields));
  for (unsigned field = 0; field < fields; ++field) {
    llvm::Value *value =
        b.CreateLoad(w.pointerType(), b.CreateConstGEP1_32(w.pointerType(), function->getArg(0), field));
    if (field == weightsField)
      value = b.CreateConstGEP1_64(w.pointerType(), value, program.firstWeight);
    b.CreateStore(value, b.CreateConstGEP1_32(w.pointerType(), shifted, field));
  }
  b.CreateRet(b.CreateCall(type, run, {shifted}));
  return function;
}

static llvm::Constant *writePrograms(TableWriter &w, const ModelEntry &model) {
  llvm::SmallVector<llvm::Constant *> records;
  llvm::SmallVector<llvm::Constant *> codes = writeCodes(w, model);
  for (const ProgramEntry &program : model.programs) {
    bool isCpu = program.target->device == Device::Cpu;
    records.push_back(w.record({w.u32(isCpu ? DSCC_DEVICE_CPU : DSCC_DEVICE_CUDA), w.u32(program.target->level),
                                w.u32(program.services), w.u32(1), writeKernels(w, program), writeLaunches(w, program),
                                writeModules(w, model, program, codes), writeTensorMaps(w, program),
                                w.elsewhere(program.prefix + "arena_bytes"), writeRun(w, program)}));
  }
  return w.table<dscc_program>(records);
}

static llvm::Constant *writeWeights(TableWriter &w, llvm::ArrayRef<dscc_weight> weights) {
  llvm::SmallVector<llvm::Constant *> records;
  for (const dscc_weight &weight : weights)
    records.push_back(w.record({w.u64(weight.offset), w.u64(weight.bytes), w.u32(weight.programs), w.u32(0)}));
  return w.table<dscc_weight>(records);
}

/// The address of the weights. Their place is a reservation of zeros that the linker puts last (Link.cpp).
static llvm::Constant *reserveWeights(TableWriter &w, uint64_t bytes) {
  if (!bytes)
    return w.null();
  auto *type = llvm::ArrayType::get(llvm::Type::getInt8Ty(w.context), bytes);
  auto *global = new llvm::GlobalVariable(w.module, type, /*isConstant=*/false, llvm::GlobalValue::ExternalLinkage,
                                          llvm::ConstantAggregateZero::get(type), weightDataName);
  global->setVisibility(llvm::GlobalValue::HiddenVisibility);
  global->setAlignment(llvm::Align(4096));
  // Large, hence in .lbss: nothing is addressed across it, so it can have any size.
  global->setCodeModel(llvm::CodeModel::Large);
  return global;
}

ArrayAttr listDefaults(ModuleOp module) {
  SmallVector<Attribute> values;
  if (auto main = module.lookupSymbol<func::FuncOp>("main"))
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      if (Attribute value = main.getArgAttr(i, "dsc.default"))
        values.push_back(value);
  return ArrayAttr::get(module.getContext(), values);
}

void buildModelTable(ModuleOp module, const ModelEntry &model, llvm::Module &table, JobLog &log) {
  TableWriter w(table);
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return log.fail(ExitCode::Internal, "the module has no declaration of @main");
  llvm::SmallVector<llvm::Constant *> inputs, outputs;
  size_t nextDefault = model.defaults;
  for (auto [index, type] : llvm::enumerate(main.getArgumentTypes())) {
    size_t standIn = main.getArgAttr(index, "dsc.default") ? ++nextDefault : 0;
    inputs.push_back(writeTensor(w, type, main.getArgAttrDict(index), "input" + std::to_string(index), standIn, log));
  }
  for (auto [index, type] : llvm::enumerate(main.getResultTypes()))
    outputs.push_back(writeTensor(w, type, main.getResultAttrDict(index), "output" + std::to_string(index), 0, log));
  auto symbols = module->getAttrOfType<ArrayAttr>("dsc.symbols");
  auto relations = module->getAttrOfType<ArrayAttr>("dsc.relations");
  ArrayAttr none = ArrayAttr::get(module.getContext(), {});
  symbols = symbols ? symbols : none;
  if (!relations || model.sidesName.empty() || symbols.empty())
    relations = none;

  // States have no records yet.
  llvm::Constant *states = w.record({w.null(), w.u32(0), w.u32(0)});
  llvm::Constant *record =
      w.record({w.u32(DSCC_MODEL_MAGIC), w.u32(DSCC_ABI_VERSION), w.u32(sizeof(dscc_model_v2)), w.u32(0),
                writeSymbols(w, symbols), w.table<dscc_tensor>(inputs), w.table<dscc_tensor>(outputs),
                writeWeights(w, model.weights), writePrograms(w, model), writeRelations(w, relations, symbols), states,
                w.elsewhere(model.dimsName), relations.empty() ? w.null() : w.elsewhere(model.sidesName),
                reserveWeights(w, model.weightBytes), w.u64(model.weightBytes), w.null(), w.text(model.buildInfo)});
  assert(table.getDataLayout().getTypeAllocSize(record->getType()) == sizeof(dscc_model_v2));
  auto *global = new llvm::GlobalVariable(table, record->getType(), /*isConstant=*/true,
                                          llvm::GlobalValue::ExternalLinkage, record, DSCC_MODEL_NAME);
  global->setAlignment(llvm::Align(8));
}

void fillWeights(const Weights &weights, llvm::Module &table, JobLog &log) {
  llvm::GlobalVariable *global = table.getGlobalVariable(weightDataName);
  if (!global)
    return;
  int file = memfd_create("dscc-weights", MFD_CLOEXEC);
  void *bytes = MAP_FAILED;
  if (file >= 0 && ftruncate(file, weights.bytes()) == 0 && weights.write(file, 0))
    bytes = mmap(nullptr, weights.bytes(), PROT_READ, MAP_PRIVATE, file, 0);
  if (file >= 0)
    close(file);
  if (bytes == MAP_FAILED)
    return log.fail(ExitCode::Environment, "cannot hold the weights in memory");
  llvm::StringRef text(static_cast<const char *>(bytes), weights.bytes());
  global->setInitializer(llvm::ConstantDataArray::getString(table.getContext(), text, /*AddNull=*/false));
  global->setConstant(true);
  munmap(bytes, weights.bytes());
}

} // namespace dscc
