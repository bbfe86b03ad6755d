// The checks of every run: do the caller's tensors fit the model's signature?

#ifndef DSCC_RUNTIME_INPUTS_H
#define DSCC_RUNTIME_INPUTS_H

#include "runtime/Tables.h"

namespace dscc {

/// Where the results of a check go; the caller owns all of it.
struct Binding {
  int64_t *symbols;            // one a symbol
  int64_t *dims;               // of all inputs, then of all outputs
  const dscc_buffer **inputs;  // in the model's order: the caller's, or those of `defaults`
  const dscc_buffer **outputs; // in the model's order
  int64_t *sides;              // two a relation
  const dscc_buffer *defaults; // one an input, without a name where every caller must give it; or null
};

/// Puts the caller's inputs into the model's order, reads the named dims off them, computes all dims, and checks names,
/// types, ranks, dims, bounds and relations: DSCC_BAD_INPUT if one does not fit. `needData`: also check that there are
/// enough bytes. Fills in all of `binding` but the outputs.
dscc_status bindInputs(const dscc_model_v2 &table, const dscc_buffer *inputs, size_t count, bool needData,
                       const Binding &binding);
/// The same for outputs, after bindInputs: their dims must be those that it computed, where the caller gives any.
/// DSCC_TOO_SMALL if one has not enough bytes.
dscc_status bindOutputs(const dscc_model_v2 &table, const dscc_buffer *outputs, size_t count, const Binding &binding);

/// Whether the `tensor.rank` dims that the inputs give an output can be: DSCC_BAD_INPUT if one is negative.
dscc_status checkOutputDims(const dscc_tensor &tensor, const int64_t *dims);

/// Bytes of a tensor with these dims; false on overflow.
bool countBytes(int dtype, int rank, const int64_t *dims, uint64_t &bytes);

} // namespace dscc

#endif // DSCC_RUNTIME_INPUTS_H
