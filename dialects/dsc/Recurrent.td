#ifndef DSCC_DIALECTS_DSC_RECURRENT_TD
#define DSCC_DIALECTS_DSC_RECURRENT_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

def RecurrenceOp : DscOp<"recurrence", [Pure, AttrSizedOperandSegments, IsolatedFromAbove]> {
  let summary = "a recurrent layer: a cell applied step by step along a sequence";
  let description = [{
    What depends on the input alone has been computed for the whole sequence by one product: `gates`, [time, batch,
    directions * G * units]. Each step adds the products that depend on the state, and applies the cell. The cell is
    written for one batch row and direction, on tensors of [units]. It has one part for each of `weights`, and part p
    takes, each as [units]:

        the step's G gates, the P parameters, the S states, all that earlier parts yield, its own sums

    The sums of part p are units-wide columns of s * weights[p], where s is the first state for the first part, and for a
    later one what the part before yields first. The last part yields the S new states, the first of which is the step's
    output. An LSTM has one part with four sums and the states hidden and cell; a GRU has one or two parts.

    Direction d walks a row of the batch from its end if `reverse[d]` is not 0. Row b has `lengths[b]` steps, or all of
    them; behind its last step the output is 0. States are carried in f32 at least.

    Results are the outputs, [time, directions, batch, units], and the last states, [directions, batch, units] each.

    1. (C1) `weights` are [directions, units, sums * units], one for each part and at least one, of any numbers; units is
       a number.
    2. (C2) `gates` has rank 3, with a last dim of directions * units * G; `parameters` are [directions, P * units].
    3. (C3) `initial` has a tensor [directions, batch, units] for each state, at least one; `lengths` is i32, [batch].
    4. (C4) `reverse` has 0 or 1 for each direction.
    5. (C5) Each part takes and yields what is said above, of f64 if the gates are, else of f32.
    6. (C6) Results have the gates' element type.

    ```mlir
    func.func @rnn(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) -> tensor<5x1x2x3xf32> {
      %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>)
               initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
      ^bb0(%g: tensor<3xf32>, %state: tensor<3xf32>, %s: tensor<3xf32>):
        %0 = dsc.add %g, %s : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
        %1 = dsc.tanh %0 : (tensor<3xf32>) -> tensor<3xf32>
        dsc.yield %1 : tensor<3xf32>
      }
      return %y : tensor<5x1x2x3xf32>
    }
    ```
  }];
  let arguments = (ins DataTensor:$gates, Variadic<DataTensor>:$weights, Optional<DataTensor>:$parameters,
                       Optional<DataTensor>:$lengths, Variadic<DataTensor>:$initial, I64ArrayAttr:$reverse);
  let results = (outs DataTensor:$outputs, Variadic<DataTensor>:$last);
  let regions = (region VariadicRegion<SizedRegion<1>>:$parts);
  let assemblyFormat = [{
    `gates` `(` $gates `:` type($gates) `)` `weights` `(` $weights `:` type($weights) `)`
    (`parameters` `(` $parameters^ `:` type($parameters) `)`)? (`lengths` `(` $lengths^ `:` type($lengths) `)`)?
    `initial` `(` $initial `:` type($initial) `)` `reverse` $reverse attr-dict `->` type(results) $parts
  }];
  let hasVerifier = 1;
  let role = "Recurrence";
  let accumulates = 1;
  let weight = 2;
  let flops = "countRecurrence()";
  let declarations = [{
    /// Two for each element of the weights that a step and row of the batch meet, and what the parts count for each unit.
    DimExpr countRecurrence();
    /// The number of directions, 1 or 2.
    int64_t getDirections() { return getReverse().size(); }
    /// The width of a state.
    int64_t getUnits() { return getDims(getWeights()[0])[1].constant(); }
    /// How many gates the input has, and how many parameters a unit has.
    int64_t countGates(), countParameters();
    /// How many sums part `part` has.
    int64_t countSums(size_t part);
    /// Steps, and rows of the batch.
    ::dscc::DimExpr getTime() { return getDims(getGates())[0]; }
    ::dscc::DimExpr getBatch() { return getDims(getGates())[1]; }
    /// What the cell computes in.
    ::mlir::Type getCellElement();
  }];
}

#endif // DSCC_DIALECTS_DSC_RECURRENT_TD
