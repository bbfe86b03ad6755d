#include "compiler/translate/MathLibrary.h"

namespace dscc {

static constexpr unsigned char object[] = {
#include "compiler/translate/MathObject.inc"
};

llvm::StringRef mathLibraryObject() {
  return llvm::StringRef(reinterpret_cast<const char *>(object), sizeof(object));
}

} // namespace dscc
