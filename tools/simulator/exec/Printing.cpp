// printf of a kernel: vprintf's format, and the arguments as they lie behind each other in a buffer.
//
//     "%d: %5.2f\n"    ┌ int ┬ pad ┬ double ┐    ──►    one piece a conversion, each by the host's snprintf
//
// Integers have 4 bytes, or 8 if the conversion says so; floats are doubles; each is aligned to its size.

#include "tools/simulator/exec/Runtime.h"

#include "llvm/ADT/StringRef.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace dscc::sim {

std::string textAt(const char *address); // Calls.cpp

namespace {
class Printer {
public:
  Printer(llvm::StringRef format, const char *arguments) : format(format), arguments(arguments) {}
  std::string run();

private:
  template <typename T> T take() {
    offset = (offset + sizeof(T) - 1) & ~(sizeof(T) - 1);
    T value;
    std::memcpy(&value, arguments + offset, sizeof(T));
    offset += sizeof(T);
    return value;
  }
  void takeFlags(std::string &conversion);
  void takeNumber(std::string &conversion);
  bool takeLength();
  void convert();
  template <typename T> void put(const std::string &conversion, T value);

  llvm::StringRef format;
  const char *arguments;
  size_t offset = 0;
  std::string text;
};
} // namespace

template <typename T> void Printer::put(const std::string &conversion, T value) {
  int length = std::snprintf(nullptr, 0, conversion.c_str(), value);
  if (length <= 0)
    return;
  size_t begin = text.size();
  text.resize(begin + size_t(length) + 1);
  std::snprintf(text.data() + begin, size_t(length) + 1, conversion.c_str(), value);
  text.pop_back();
}

void Printer::takeFlags(std::string &conversion) {
  while (!format.empty() && llvm::StringRef("-+ #0").contains(format.front())) {
    conversion += format.front();
    format = format.drop_front();
  }
}

/// A width or a precision: digits, or an argument. What is wider than a line is no one's intention.
void Printer::takeNumber(std::string &conversion) {
  constexpr int widest = 1000;
  int number = 0;
  if (format.consume_front("*"))
    number = take<int32_t>();
  else if (format.consumeInteger(10, number))
    return;
  conversion += std::to_string(std::clamp(number, -widest, widest));
}

/// True if the conversion's integer has 8 bytes.
bool Printer::takeLength() {
  bool isLong = false;
  while (!format.empty() && llvm::StringRef("hljzt").contains(format.front())) {
    isLong |= format.front() != 'h';
    format = format.drop_front();
  }
  return isLong;
}

/// What stands behind a `%`.
void Printer::convert() {
  std::string conversion = "%";
  takeFlags(conversion);
  takeNumber(conversion);
  if (format.consume_front(".")) {
    conversion += '.';
    takeNumber(conversion);
  }
  bool isLong = takeLength();
  if (format.empty())
    return;
  char kind = format.front();
  format = format.drop_front();
  if (kind == '%')
    text += '%';
  else if (llvm::StringRef("diouxX").contains(kind))
    put(conversion + "ll" + kind, isLong                       ? take<int64_t>()
                                  : kind == 'd' || kind == 'i' ? int64_t(take<int32_t>())
                                                               : int64_t(take<uint32_t>()));
  else if (llvm::StringRef("eEfFgGaA").contains(kind))
    put(conversion + kind, take<double>());
  else if (kind == 'c')
    put(conversion + kind, take<int32_t>());
  else if (kind == 'p')
    put(conversion + kind, take<void *>());
  else if (kind == 's')
    put(conversion + kind, textAt(take<const char *>()).c_str());
}

std::string Printer::run() {
  while (!format.empty()) {
    auto [plain, rest] = format.split('%');
    text += plain;
    bool isOver = plain.size() == format.size();
    format = rest;
    if (!isOver)
      convert();
  }
  return std::move(text);
}

/// vprintf(format, arguments): pointers to the buffers of the result and of the parameters.
static void print(Lane *, int32_t *result, const char *const *format, const char *const *arguments, int) {
  std::string whole = textAt(*format);
  std::string text = Printer(whole, *arguments).run();
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  *result = int32_t(text.size());
}

llvm::ArrayRef<Callee> printingCallees() {
  static const Callee list[] = {{"dscc_sim_print", reinterpret_cast<void *>(print)}};
  return list;
}

} // namespace dscc::sim
