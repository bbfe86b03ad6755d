#include "tools/run/Json.h"

#include <cmath>
#include <cstdio>

std::string dscc::run::jsonString(const std::string &text) {
  std::string quoted = "\"";
  for (unsigned char letter : text) {
    if (letter == '"' || letter == '\\') {
      quoted += '\\';
      quoted += static_cast<char>(letter);
      continue;
    }
    if (letter < 0x20) {
      char code[8];
      snprintf(code, sizeof(code), "\\u%04x", static_cast<unsigned>(letter));
      quoted += code;
      continue;
    }
    quoted += static_cast<char>(letter);
  }
  return quoted + "\"";
}

std::string dscc::run::jsonNumber(double value) {
  if (!std::isfinite(value))
    return "null";
  char text[40];
  snprintf(text, sizeof(text), "%.9g", value);
  return text;
}
