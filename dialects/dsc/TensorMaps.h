// Tensor maps: what hardware that copies boxes of tensors is told of one. A kernel takes them behind its named dims,
// 128 bytes each, which the runtime makes of an address, dims and strides.
//
//     tensor_maps = [{tensor = 0 : i64, element = i32, dims = #dsc.dims<"n", 64>, strides = #dsc.dims<64, 1>,
//                     box = array<i64: 8, 64>, swizzle = 0 : i64}]
//
// `tensor` is an input, or behind those a result, of the launch, whose address is the map's; dims and strides, in
// elements, are outermost first; what of a box lies outside of the dims reads as 0 and is not written. `swizzle` says
// among how many bytes chunks of 16 change places in shared memory: 0, 32, 64 or 128.
//
// A map with `pixels` is of the hardware's im2col kind, for convolutions; its dims are images, 1 to 3 spatial ones, and
// channels:
//
//     tensor_maps = [{tensor = 0 : i64, element = f16, dims = #dsc.dims<"n", 7, 9, 64>,
//                     strides = #dsc.dims<4032, 576, 64, 1>, box = array<i64: 128, 64>, swizzle = 128 : i64,
//                     pixels = {lower = array<i64: -1, -1>, upper = array<i64: -1, -1>, steps = array<i64: 1, 1>}}]
//
// One copy moves a matrix, box = [pixels, channels] whatever the rank. It begins at the pixel of its coordinates and
// goes on by `steps` through the bounding box, row by row, and then through those of the next images. The box begins at
// the pixel `lower`, and its last one is the image's last one plus `upper`: for windows of k places, each d from the
// one before, and p and q pixels of padding before and behind, lower is -p and upper q - (k - 1) d. Which place of the
// window is read, the instruction says as offsets. What lies outside of the image reads as 0.

#ifndef DSCC_DIALECTS_DSC_TENSORMAPS_H
#define DSCC_DIALECTS_DSC_TENSORMAPS_H

#include "dialects/dsc/Dsc.h"

namespace dscc {

/// The attribute of launches, and of the kernels before them and in their place.
inline constexpr llvm::StringLiteral tensorMapsName = "tensor_maps";

/// The pixels of a map along one spatial dim.
struct PixelAxis {
  /// Of the bounding box: its first pixel, and how far its last one is from the image's last one.
  int64_t lower, upper;
  /// From one pixel to the next.
  int64_t step;
};
/// Along all of them, outermost first.
using PixelAxes = llvm::SmallVector<PixelAxis, 0>;

/// One map.
struct TensorMap {
  /// The number of the tensor among the launch's inputs and results.
  int64_t tensor = 0;
  /// A float or an integer of 1, 2, 4 or 8 bytes.
  mlir::Type element;
  /// Of the tensor, outermost first; the last stride is 1, and each other one a multiple of 16 bytes.
  dsc::Dims dims, strides;
  /// Elements along each dim that one copy moves; with `pixels` how many of them, and channels of each. The last ones
  /// are whole 16 bytes, and no more than `swizzle` if that is not 0.
  llvm::SmallVector<int64_t> box;
  /// In bytes.
  int64_t swizzle = 0;
  /// Of the im2col kind, which has 3 to 5 dims; empty: it is tiled.
  PixelAxes pixels = {};
};

/// The hardware's limits: dims of a map, elements of a box along one of them, pixels of a copy, and steps between them.
constexpr size_t maxMapRank = 5;
constexpr int64_t maxMapBox = 256, maxMapPixels = 1024, maxMapStep = 8;
/// The dims of a map of pixels that are not spatial: images and channels.
constexpr size_t numOtherPixelDims = 2;

/// As an attribute.
mlir::DictionaryAttr encodeTensorMap(mlir::MLIRContext *context, const TensorMap &map);
/// What the attribute says; nothing if it is not a map of one of `numTensors` tensors that the hardware knows.
std::optional<TensorMap> readTensorMap(mlir::Attribute attribute, size_t numTensors);
/// What the part `pixels` of a map says; nothing if it is not one that the hardware knows.
std::optional<PixelAxes> readMapPixels(mlir::Attribute attribute);

} // namespace dscc

#endif // DSCC_DIALECTS_DSC_TENSORMAPS_H
