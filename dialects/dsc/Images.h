// Where images and filters have which dims: whoever reads or makes convolutions and pools asks here.
//
//                    image                     filter
//     model's order  [N, C, spatial...]        [M, C/groups, window...]
//     channels last  [N, spatial..., C]        [window..., C/groups, M]

#ifndef DSCC_DIALECTS_DSC_IMAGES_H
#define DSCC_DIALECTS_DSC_IMAGES_H

#include "dialects/dsc/TensorTypes.h"

#include "mlir/IR/Operation.h"

namespace dscc::dsc {

/// The attribute of convolutions and pools whose images have their channels last.
inline constexpr llvm::StringLiteral channelsLastName = "channels_last";

/// The order of the dims of one op's images, and of its filter if it has one.
struct ImageOrder {
  /// Whether channels come last.
  bool channelsLast = false;
  /// How many spatial dims there are.
  size_t rank = 0;

  /// Of an image: the dim of the channels, and spatial dim i.
  size_t channel() const { return channelsLast ? rank + 1 : 1; }
  size_t spatial(size_t i) const { return channelsLast ? 1 + i : 2 + i; }
  /// Of a filter: the dims of the channels that it makes and takes, and the window's dim i.
  size_t made() const { return channelsLast ? rank + 1 : 0; }
  size_t taken() const { return channelsLast ? rank : 1; }
  size_t window(size_t i) const { return channelsLast ? i : 2 + i; }

  /// What an image has along each dim: dims, coordinates, limits.
  template <class T> llvm::SmallVector<T> arrange(T image, T channel, llvm::ArrayRef<T> spatial) const {
    llvm::SmallVector<T> all = {image, channel};
    all.insert(channelsLast ? all.begin() + 1 : all.end(), spatial.begin(), spatial.end());
    return all;
  }
  /// The same of a filter.
  template <class T> llvm::SmallVector<T> arrangeFilter(T made, T taken, llvm::ArrayRef<T> window) const {
    llvm::SmallVector<T> all;
    if (channelsLast)
      llvm::append_range(all, window);
    all.append({channelsLast ? taken : made, channelsLast ? made : taken});
    if (!channelsLast)
      llvm::append_range(all, window);
    return all;
  }
  /// Of an image's, or a result's, dims those that are spatial.
  Dims spatialOf(llvm::ArrayRef<DimExpr> dims) const { return Dims(dims.slice(channelsLast ? 1 : 2, rank)); }
  /// Of a filter's dims those of the window.
  Dims windowOf(llvm::ArrayRef<DimExpr> filter) const { return Dims(filter.slice(channelsLast ? 0 : 2, rank)); }
  /// How many products each element of a convolution with the filter is the sum of.
  DimExpr countTerms(mlir::Value filter) const {
    Dims dims = getDims(filter);
    dims.erase(dims.begin() + made());
    return countElements(dims);
  }
};

/// The order in which a convolution or pool has its images.
inline ImageOrder orderOf(mlir::Operation *op) {
  return {op->hasAttr(channelsLastName), getDims(op->getOperand(0)).size() - 2};
}

} // namespace dscc::dsc

#endif // DSCC_DIALECTS_DSC_IMAGES_H
