// A model's bytes are nearly all raw_data of initialisers, and protobuf would copy each of them into a string. So the
// wire format is walked once first: messages on the way to a tensor are rewritten without their large raw_data fields,
// everything else is copied as it is.
//
//     ModelProto ─ graph ─ initializer ─ raw_data            ModelProto ─ graph ─ initializer ─ external_data
//     {"mapped", k}
//                                        400 MB      ==>     mapped[k] = where in the file

#include "compiler/import/OnnxFile.h"

#include <cstdint>

namespace dscc {

namespace {

constexpr size_t minimalCut = 1024;
constexpr unsigned maximalDepth = 100; // as deep as protobuf itself would go

enum class Message { Opaque, Model, Graph, Function, Node, Attribute, SparseTensor, Tensor };

enum WireType : uint32_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// The message types that may hold a tensor, by field numbers of onnx-ml.proto.
Message childOf(Message parent, uint32_t field) {
  switch (parent) {
  case Message::Model: return field == 7 ? Message::Graph : field == 25 ? Message::Function : Message::Opaque;
  case Message::Graph: return field == 1 ? Message::Node : field == 5 ? Message::Tensor : Message::Opaque;
  case Message::Function: return field == 7 ? Message::Node : field == 11 ? Message::Attribute : Message::Opaque;
  case Message::Node: return field == 5 ? Message::Attribute : Message::Opaque;
  case Message::Attribute:
    return field == 5 || field == 10 ? Message::Tensor : field == 6 || field == 11 ? Message::Graph : Message::Opaque;
  default: return Message::Opaque;
  }
}

constexpr uint32_t tensorRawData = 9, tensorExternalData = 13;

class Reader {
public:
  explicit Reader(llvm::ArrayRef<char> bytes) : bytes(bytes) {}
  bool atEnd() const { return bytes.empty(); }
  const char *position() const { return bytes.data(); }

  bool readVarint(uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 70 && !bytes.empty(); shift += 7) {
      uint8_t byte = bytes.front();
      bytes = bytes.drop_front();
      if (shift < 64)
        value |= uint64_t(byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return true;
    }
    return false;
  }

  bool readBytes(uint64_t size, llvm::ArrayRef<char> &part) {
    if (size > bytes.size())
      return false;
    part = bytes.take_front(size);
    bytes = bytes.drop_front(size);
    return true;
  }

private:
  llvm::ArrayRef<char> bytes;
};

class Cutter {
public:
  explicit Cutter(std::vector<llvm::ArrayRef<char>> &mapped) : mapped(mapped) {}

  bool cut(llvm::ArrayRef<char> message, Message type, unsigned depth, std::string &rest) {
    if (depth > maximalDepth)
      return false;
    Reader reader(message);
    while (!reader.atEnd()) {
      const char *start = reader.position();
      uint64_t tag, number;
      llvm::ArrayRef<char> content;
      if (!reader.readVarint(tag))
        return false;
      uint32_t field = tag >> 3, wireType = tag & 7;
      if (wireType == Varint ? !reader.readVarint(number) : !readContent(reader, wireType, content))
        return false;
      if (wireType == Bytes && content.size() > minimalCut) {
        if (type == Message::Tensor && field == tensorRawData) {
          writeReference(content, rest);
          continue;
        }
        if (Message child = childOf(type, field); child != Message::Opaque) {
          std::string inner;
          if (!cut(content, child, depth + 1, inner))
            return false;
          writeField(field, inner, rest);
          continue;
        }
      }
      rest.append(start, reader.position() - start);
    }
    return true;
  }

private:
  static bool readContent(Reader &reader, uint32_t wireType, llvm::ArrayRef<char> &content) {
    uint64_t size = wireType == Fixed64 ? 8 : 4;
    if (wireType == Bytes ? !reader.readVarint(size) : wireType != Fixed64 && wireType != Fixed32)
      return false;
    return reader.readBytes(size, content);
  }

  static void writeVarint(uint64_t value, std::string &out) {
    for (; value > 0x7f; value >>= 7)
      out.push_back(char(value | 0x80));
    out.push_back(char(value));
  }

  static void writeField(uint32_t field, llvm::StringRef content, std::string &out) {
    writeVarint(uint64_t(field) << 3 | Bytes, out);
    writeVarint(content.size(), out);
    out += content;
  }

  void writeReference(llvm::ArrayRef<char> content, std::string &rest) {
    std::string entry;
    writeField(1, OnnxFile::mappedKey, entry);
    writeField(2, std::to_string(mapped.size()), entry);
    writeField(tensorExternalData, entry, rest);
    mapped.push_back(content);
  }

  std::vector<llvm::ArrayRef<char>> &mapped;
};

} // namespace

mlir::LogicalResult cutRawData(llvm::ArrayRef<char> model, std::string &rest,
                               std::vector<llvm::ArrayRef<char>> &mapped) {
  return mlir::success(Cutter(mapped).cut(model, Message::Model, 0, rest));
}

} // namespace dscc
