#include "compiler/translate/MathLibrary.h"

namespace dscc {

alignas(16) static constexpr unsigned char hostObject[] = {
#include "compiler/translate/HostMath.inc"
};

alignas(16) static constexpr unsigned char deviceBitcode[] = {
#include "compiler/translate/DeviceMath.inc"
};

llvm::StringRef hostMathLibrary() {
  return llvm::StringRef(reinterpret_cast<const char *>(hostObject), sizeof(hostObject));
}

llvm::StringRef deviceMathLibrary() {
  return llvm::StringRef(reinterpret_cast<const char *>(deviceBitcode), sizeof(deviceBitcode));
}

} // namespace dscc
