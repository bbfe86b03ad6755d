// Element types: names and widths.

#include <dscc/dscc.h>

namespace {
struct DataType {
  int dtype;
  const char *name;
  size_t bytes;
};
} // namespace

static constexpr DataType types[] = {
    {DSCC_FLOAT, "float32", 4},
    {DSCC_UINT8, "uint8", 1},
    {DSCC_INT8, "int8", 1},
    {DSCC_UINT16, "uint16", 2},
    {DSCC_INT16, "int16", 2},
    {DSCC_INT32, "int32", 4},
    {DSCC_INT64, "int64", 8},
    {DSCC_BOOL, "bool", 1},
    {DSCC_FLOAT16, "float16", 2},
    {DSCC_DOUBLE, "float64", 8},
    {DSCC_UINT32, "uint32", 4},
    {DSCC_UINT64, "uint64", 8},
    {DSCC_BFLOAT16, "bfloat16", 2},
    {DSCC_FLOAT8E4M3FN, "float8e4m3fn", 1},
    {DSCC_FLOAT8E4M3FNUZ, "float8e4m3fnuz", 1},
    {DSCC_FLOAT8E5M2, "float8e5m2", 1},
    {DSCC_FLOAT8E5M2FNUZ, "float8e5m2fnuz", 1},
    {DSCC_UINT4, "uint4", 1},
    {DSCC_INT4, "int4", 1},
    {DSCC_FLOAT4E2M1, "float4e2m1", 1},
    {DSCC_FLOAT8E8M0, "float8e8m0", 1},
    {DSCC_UINT2, "uint2", 1},
    {DSCC_INT2, "int2", 1},
};

static const DataType *find(int dtype) {
  for (const DataType &type : types)
    if (type.dtype == dtype)
      return &type;
  return nullptr;
}

extern "C" size_t dscc_dtype_bytes(int dtype) {
  const DataType *type = find(dtype);
  return type ? type->bytes : 0;
}

extern "C" const char *dscc_dtype_name(int dtype) {
  const DataType *type = find(dtype);
  return type ? type->name : "unknown";
}
