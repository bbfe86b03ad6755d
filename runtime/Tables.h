// How the runtime reads an artifact's lists. Records may be longer than their structures here: no list is indexed
// plainly.

#ifndef DSCC_RUNTIME_TABLES_H
#define DSCC_RUNTIME_TABLES_H

#include <dscc/dscc.h>

#include <cassert>
#include <cstddef>

namespace dscc {

/// The records of a table that checkTable has looked at. It points to the table's data, not to the table.
template <typename Record> class Records {
public:
  /// A checked one; the table itself may go.
  explicit Records(const dscc_table &table)
      : data(static_cast<const char *>(table.data)), stride(table.stride), count(table.count) {}

  /// How many there are.
  uint32_t size() const { return count; }
  /// One of them; it lives as long as the artifact.
  const Record &operator[](size_t index) const {
    assert(index < count && stride >= sizeof(Record) && "a record that is there, and long enough");
    return *reinterpret_cast<const Record *>(data + index * stride);
  }

  /// Which of the records this is.
  uint32_t indexOf(const Record &record) const {
    return uint32_t((reinterpret_cast<const char *>(&record) - data) / stride);
  }

  /// Goes from record to record, for loops over all.
  struct Iterator {
    const char *place; // of the record
    size_t stride;     // to the next one
    /// The record.
    const Record &operator*() const { return *reinterpret_cast<const Record *>(place); }
    /// Goes on to the next one.
    Iterator &operator++() {
      place += stride;
      return *this;
    }
    /// For two of one table.
    bool operator!=(const Iterator &other) const { return place != other.place; }
  };
  /// The first record.
  Iterator begin() const { return {data, stride}; }
  /// Behind the last record.
  Iterator end() const { return {data + count * stride, stride}; }

private:
  const char *data;
  size_t stride;
  uint32_t count;
};

// What each table has is said here and nowhere else.
/// The named dims.
inline Records<dscc_symbol> symbolsOf(const dscc_model_v2 &model) { return Records<dscc_symbol>(model.symbols); }
/// In the order in which runs have them.
inline Records<dscc_tensor> inputsOf(const dscc_model_v2 &model) { return Records<dscc_tensor>(model.inputs); }
/// In the order in which runs have them.
inline Records<dscc_tensor> outputsOf(const dscc_model_v2 &model) { return Records<dscc_tensor>(model.outputs); }
/// The constants of all programs.
inline Records<dscc_weight> weightsOf(const dscc_model_v2 &model) { return Records<dscc_weight>(model.weights); }
/// The best first.
inline Records<dscc_program> programsOf(const dscc_model_v2 &model) { return Records<dscc_program>(model.programs); }
/// What dims must fulfil.
inline Records<dscc_relation> relationsOf(const dscc_model_v2 &model) {
  return Records<dscc_relation>(model.relations);
}
/// Its code.
inline Records<dscc_kernel> kernelsOf(const dscc_program &program) { return Records<dscc_kernel>(program.kernels); }
/// What its runs do.
inline Records<dscc_launch> launchesOf(const dscc_program &program) { return Records<dscc_launch>(program.launches); }
/// What is loaded for it; none on CPUs.
inline Records<dscc_module> modulesOf(const dscc_program &program) { return Records<dscc_module>(program.modules); }
/// What its launches take beside tensors.
inline Records<dscc_tensor_map> tensorMapsOf(const dscc_program &program) {
  return Records<dscc_tensor_map>(program.tensor_maps);
}
/// One of them is loaded.
inline Records<dscc_image> imagesOf(const dscc_module &module) { return Records<dscc_image>(module.images); }

/// The most programs of a model: each has a bit in dscc_weight.programs.
constexpr uint32_t maxPrograms = 32;

/// Whether this runtime can read all of the table, and knows what it asks for; DSCC_BAD_FILE and a sentence if not.
dscc_status checkTable(const char *path, const dscc_model_v2 &model);

/// The services that are there, as dscc_program.services counts them.
uint32_t servicesIn(const dscc_services &services);

} // namespace dscc

#endif // DSCC_RUNTIME_TABLES_H
