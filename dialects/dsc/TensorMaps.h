// Tensor maps: what hardware that copies boxes of tensors is told of one. A kernel takes them behind its named dims,
// 128 bytes each, which the runtime makes of an address, dims and strides.
//
//     tensor_maps = [{tensor = 0 : i64, element = i32, dims = #dsc.dims<"n", 64>, strides = #dsc.dims<64, 1>,
//                     box = array<i64: 8, 64>, swizzle = 0 : i64}]
//
// `tensor` is an input, or behind those a result, of the launch, whose address is the map's; dims and strides, in
// elements, are outermost first; what of a box lies outside of the dims reads as 0 and is not written. `swizzle` says
// among how many bytes chunks of 16 change places in shared memory: 0, 32, 64 or 128.

#ifndef DSCC_DIALECTS_DSC_TENSORMAPS_H
#define DSCC_DIALECTS_DSC_TENSORMAPS_H

#include "dialects/dsc/Dsc.h"

namespace dscc {

/// The attribute of launches, and of the kernels before them and in their place.
inline constexpr llvm::StringLiteral tensorMapsName = "tensor_maps";

/// One map.
struct TensorMap {
  /// The number of the tensor among the launch's inputs and results.
  int64_t tensor = 0;
  /// A float or an integer of 1, 2, 4 or 8 bytes.
  mlir::Type element;
  /// Of the tensor, outermost first; the last stride is 1, and each other one a multiple of 16 bytes.
  dsc::Dims dims, strides;
  /// Elements along each dim that one copy moves.
  llvm::SmallVector<int64_t> box;
  /// In bytes.
  int64_t swizzle = 0;
};

/// The hardware's limits: dims of a map, and elements of a box along one of them.
constexpr size_t maxMapRank = 5;
constexpr int64_t maxMapBox = 256;

/// As an attribute.
mlir::DictionaryAttr encodeTensorMap(mlir::MLIRContext *context, const TensorMap &map);
/// What the attribute says; nothing if it is not a map of one of `numTensors` tensors that the hardware knows.
std::optional<TensorMap> readTensorMap(mlir::Attribute attribute, size_t numTensors);

} // namespace dscc

#endif // DSCC_DIALECTS_DSC_TENSORMAPS_H
