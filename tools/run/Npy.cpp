#include "tools/run/Npy.h"

#include <cassert>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>

using namespace dscc::run;

static constexpr char magic[] = "\x93NUMPY";
static constexpr size_t magicBytes = 6;
static constexpr size_t maxHeaderBytes = 1 << 20;

namespace {
struct Close {
  void operator()(FILE *file) const { fclose(file); }
};
using File = std::unique_ptr<FILE, Close>;

/// The dictionary of the header, which is a Python literal.
struct Header {
  std::string descriptor;
  bool isFortran = false;
  std::vector<int64_t> dims;
};

/// Reads just the literals that NumPy writes there: strings, True and False, tuples of numbers.
class HeaderReader {
public:
  explicit HeaderReader(const std::string &text) : text(text) {}

  bool read(Header &header) {
    bool hasDescriptor = false, hasOrder = false, hasShape = false;
    if (!take('{'))
      return false;
    while (!take('}')) {
      std::string key;
      if (!readString(key) || !take(':'))
        return false;
      bool ok = key == "descr"           ? hasDescriptor = readString(header.descriptor)
                : key == "fortran_order" ? hasOrder = readBool(header.isFortran)
                : key == "shape"         ? hasShape = readTuple(header.dims)
                                         : false;
      if (!ok || (!take(',') && !isNext('}')))
        return false;
    }
    skipSpace();
    return hasDescriptor && hasOrder && hasShape && position == text.size();
  }

private:
  void skipSpace() {
    while (position < text.size() && std::isspace(static_cast<unsigned char>(text[position])))
      ++position;
  }
  bool isNext(char letter) {
    skipSpace();
    return position < text.size() && text[position] == letter;
  }
  bool take(char letter) {
    bool found = isNext(letter);
    position += found;
    return found;
  }
  bool readString(std::string &value) {
    char quote = isNext('"') ? '"' : '\'';
    if (!take(quote))
      return false;
    size_t end = text.find(quote, position);
    if (end == std::string::npos)
      return false;
    value = text.substr(position, end - position);
    position = end + 1;
    return true;
  }
  bool readBool(bool &value) {
    skipSpace();
    value = text.compare(position, 4, "True") == 0;
    if (!value && text.compare(position, 5, "False") != 0)
      return false;
    position += value ? 4 : 5;
    return true;
  }
  bool readNumber(int64_t &value) {
    skipSpace();
    size_t start = position;
    value = 0;
    for (; position < text.size() && std::isdigit(static_cast<unsigned char>(text[position])); ++position)
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text[position] - '0', &value))
        return false;
    return position > start;
  }
  bool readTuple(std::vector<int64_t> &values) {
    if (!take('('))
      return false;
    while (!take(')')) {
      int64_t value;
      if (!readNumber(value) || (!take(',') && !isNext(')')))
        return false;
      values.push_back(value);
    }
    return true;
  }

  const std::string &text;
  size_t position = 0;
};
} // namespace

/// Reads everything up to the data. Returns a sentence without the file's name, or nothing.
static std::string readHeader(FILE *file, Header &header) {
  unsigned char start[12];
  if (fread(start, 1, 10, file) != 10 || std::memcmp(start, magic, magicBytes) != 0)
    return "is not a .npy file";
  int version = start[6];
  if (version < 1 || version > 3)
    return "has version " + std::to_string(version) + " of the .npy format; 1 to 3 are known";
  size_t bytes = start[8] | static_cast<size_t>(start[9]) << 8;
  if (version > 1) {
    if (fread(start + 10, 1, 2, file) != 2)
      return "ends within its header";
    bytes |= static_cast<size_t>(start[10]) << 16 | static_cast<size_t>(start[11]) << 24;
  }
  if (bytes > maxHeaderBytes)
    return "has a header of " + std::to_string(bytes) + " bytes";
  std::string text(bytes, '\0');
  if (fread(text.data(), 1, bytes, file) != bytes)
    return "ends within its header";
  if (!HeaderReader(text).read(header))
    return "has a header that is not NumPy's";
  return "";
}

/// The descriptor as NumPy itself writes it on this machine.
static std::string normalized(std::string descriptor) {
  if (descriptor.empty())
    return descriptor;
  bool isByte = descriptor.size() == 3 && descriptor.back() == '1'; // has no byte order
  if (isByte && std::strchr("<>=", descriptor[0]))
    descriptor[0] = '|';
  if (descriptor[0] == '=')
    descriptor[0] = '<';
  return descriptor;
}

static std::string readArray(FILE *file, int wanted, HostTensor &tensor) {
  Header header;
  if (std::string problem = readHeader(file, header); !problem.empty())
    return problem;
  std::string descriptor = normalized(header.descriptor);
  if (!descriptor.empty() && descriptor[0] == '>')
    return "is big-endian (" + header.descriptor + "); only little-endian arrays are read";
  if (header.isFortran)
    return "is in Fortran order; save it with numpy.ascontiguousarray";
  const char *wantedDescriptor = numpyDescriptor(wanted);
  bool fits = wantedDescriptor && descriptor == wantedDescriptor;
  tensor.dtype = fits ? wanted : dtypeOfDescriptor(descriptor);
  if (tensor.dtype == 0)
    return "has elements of NumPy's type " + header.descriptor + ", which no model takes";
  tensor.dims = header.dims;
  size_t bytes = 0;
  if (!countBytes(tensor.dtype, tensor.dims, bytes))
    return "claims dims whose product is too large";

  // Before any memory is asked for: the file must hold what its header claims.
  long start = ftell(file);
  if (start < 0 || fseek(file, 0, SEEK_END) != 0)
    return "cannot be read: " + std::string(std::strerror(errno));
  size_t present = static_cast<size_t>(ftell(file) - start);
  if (present != bytes)
    return "holds " + std::to_string(present) + " bytes of data, but its header speaks of " + std::to_string(bytes);
  tensor.bytes = Bytes(bytes);
  if (fseek(file, start, SEEK_SET) != 0 || fread(tensor.bytes.data(), 1, bytes, file) != bytes)
    return "cannot be read: " + std::string(std::strerror(errno));
  return "";
}

bool dscc::run::readNpy(const std::string &path, int wanted, HostTensor &tensor, std::string &error) {
  File file(fopen(path.c_str(), "rb"));
  if (!file) {
    error = path + ": cannot be read: " + std::strerror(errno);
    return false;
  }
  std::string problem = readArray(file.get(), wanted, tensor);
  if (!problem.empty())
    error = path + ": " + problem;
  return problem.empty();
}

static std::string makeHeader(const HostTensor &tensor) {
  assert(numpyDescriptor(tensor.dtype) && "an output has a type that the runtime knows");
  std::string dims;
  for (int64_t dim : tensor.dims)
    dims += std::to_string(dim) + (tensor.dims.size() == 1 || &dim != &tensor.dims.back() ? ", " : "");
  if (tensor.dims.size() == 1)
    dims.pop_back(); // "(3,)": the comma makes it a tuple
  std::string dictionary = std::string("{'descr': '") + numpyDescriptor(tensor.dtype) +
                           "', 'fortran_order': False, 'shape': (" + dims + "), }";
  // Data start at a multiple of 64. 16 dims of 20 digits are far below the 64 KiB of version 1.
  size_t padding = 63 - (magicBytes + 4 + dictionary.size()) % 64;
  dictionary += std::string(padding, ' ') + "\n";
  assert((magicBytes + 4 + dictionary.size()) % 64 == 0 && dictionary.size() < 65536 && "as version 1 wants it");
  std::string header(magic, magicBytes);
  header += {'\x01', '\0', static_cast<char>(dictionary.size() & 255), static_cast<char>(dictionary.size() >> 8)};
  return header + dictionary;
}

bool dscc::run::writeNpy(const std::string &path, const HostTensor &tensor, std::string &error) {
  std::string header = makeHeader(tensor);
  FILE *file = fopen(path.c_str(), "wb");
  bool ok = file && fwrite(header.data(), 1, header.size(), file) == header.size() &&
            fwrite(tensor.bytes.data(), 1, tensor.bytes.size(), file) == tensor.bytes.size();
  int reason = errno;
  // A full disk may show only here.
  if (file && fclose(file) != 0 && ok) {
    reason = errno;
    ok = false;
  }
  if (!ok)
    error = path + ": cannot be written: " + std::strerror(reason);
  return ok;
}
