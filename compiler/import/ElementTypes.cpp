#include "compiler/import/ElementTypes.h"

#include "compiler/import/onnx-ml.pb.h"

#include "llvm/ADT/StringRef.h"

using namespace mlir;

namespace dscc {

Type elementType(MLIRContext *context, int32_t dataType) {
  using Data = onnx::TensorProto;
  auto integer = [&](unsigned width, bool isUnsigned = false) -> Type {
    return IntegerType::get(context, width, isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
  };
  switch (dataType) {
  case Data::FLOAT: return Float32Type::get(context);
  case Data::DOUBLE: return Float64Type::get(context);
  case Data::FLOAT16: return Float16Type::get(context);
  case Data::BFLOAT16: return BFloat16Type::get(context);
  case Data::FLOAT8E4M3FN: return Float8E4M3FNType::get(context);
  case Data::FLOAT8E4M3FNUZ: return Float8E4M3FNUZType::get(context);
  case Data::FLOAT8E5M2: return Float8E5M2Type::get(context);
  case Data::FLOAT8E5M2FNUZ: return Float8E5M2FNUZType::get(context);
  case Data::FLOAT8E8M0: return Float8E8M0FNUType::get(context);
  case Data::FLOAT4E2M1: return Float4E2M1FNType::get(context);
  case Data::BOOL: return integer(1);
  case Data::INT2: return integer(2);
  case Data::INT4: return integer(4);
  case Data::INT8: return integer(8);
  case Data::INT16: return integer(16);
  case Data::INT32: return integer(32);
  case Data::INT64: return integer(64);
  case Data::UINT2: return integer(2, true);
  case Data::UINT4: return integer(4, true);
  case Data::UINT8: return integer(8, true);
  case Data::UINT16: return integer(16, true);
  case Data::UINT32: return integer(32, true);
  case Data::UINT64: return integer(64, true);
  default: return {};
  }
}

std::string dataTypeName(int32_t dataType) {
  if (!onnx::TensorProto::DataType_IsValid(dataType))
    return "number " + std::to_string(dataType);
  return llvm::StringRef(onnx::TensorProto::DataType_Name(onnx::TensorProto::DataType(dataType))).lower();
}

std::string dataTypeName(Type type) {
  for (int32_t dataType = 0; dataType < onnx::TensorProto::DataType_ARRAYSIZE; ++dataType)
    if (elementType(type.getContext(), dataType) == type)
      return dataTypeName(dataType);
  return "unknown";
}

unsigned storedBits(Type elementType) {
  // A boolean takes a byte.
  return elementType.isInteger(1) ? 8 : elementType.getIntOrFloatBitWidth();
}

} // namespace dscc
