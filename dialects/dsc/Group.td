#ifndef DSCC_DIALECTS_DSC_GROUP_TD
#define DSCC_DIALECTS_DSC_GROUP_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

def GroupOp : DscOp<"group", [SingleBlock, IsolatedFromAbove]> {
  let role = "Structure";
  let flops = "countFlopsInside(getOperation())";
  let summary = "ops that will run as one kernel";
  let description = [{
    The body's arguments stand for the inputs. A hero op decides the emitter; the rest is computed inline. Inside, a
    tensor may have other dims than outside, of which the same elements make the same row-major list: a group is
    prepared for its emitter that way. Later stages add attributes: `schedule` (scheduled), one `#dsc.schedule` or a list
    of them, with `by_hand` if it was there before schedules were chosen, so that nobody changes it; `label`, what the kernel
    is called; `places` and `outputs` (placed), as `dsc.launch` has them, and where the
    kernels of a schedule share bytes beyond the group's tensors, how many, `workspace`, and their `workspace_place`.

    `windows`, where it is there, says where tensors lie that have no bytes of their own: `offset` and `strides` count
    elements of the tensor whose bytes they are in. `unit` stands for a tensor that begins where its bytes do and lies there in
    row-major order. Such windows come from `dsc.concat`, `dsc.slice` and `dsc.transpose` with the attribute `in_place`
    outside of groups, which compute nothing: the groups that make the concat's operands write into its parts, and those
    that read the slice or the transpose read its input. A transpose that is in place as a `"home"` has its input written
    into its own bytes.

    1. (C1) One body argument for each input, of its element type and with as many elements.
    2. (C2) The body ends in `dsc.yield` with a value for each result, of its element type and with as many elements.
    3. (C3) `schedule`, if there is one, is a `#dsc.schedule` for all runs, or a list that ends in one; those before it
       have a condition.
    4. (C4) `places` and `outputs`, if they are there, have one number for each result, from -1 on.
    5. (C5) `windows`, if it is there, has one entry for each input, then for each result: `unit`, or a dictionary of
       `offset`, one expression, and `strides`, one for each dim.
    6. (C6) `workspace`, if it is there, is one expression, and `workspace_place` a number from 0 on.
    7. (C7) If there is a group in the body, there is nothing else: groups side by side, each with schedules and with the
       windows that this one has for the same tensors, which read the body's arguments and make what it yields, in order.
       None waits for another, and all of them are one kernel.

    ```mlir
    %y = dsc.group (%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %0 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %0 : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<DataTensor>:$inputs);
  let results = (outs Variadic<DataTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`(` $inputs `)` attr-dict `:` functional-type($inputs, $results) $body";
  let hasVerifier = 1;
  let declarations = [{
    /// What the body yields: the results, as the body sees them.
    ::mlir::OperandRange getYielded() { return getBody().front().getTerminator()->getOperands(); }
    /// The schedules, in the order in which a run tries them; none before they are chosen.
    ::llvm::SmallVector<ScheduleAttr> getSchedules();
    /// The bytes that its kernels share beyond its tensors.
    ::dscc::DimExpr getWorkspace();
    /// Sets the schedules, of which at least the last is for all runs.
    void setSchedules(::llvm::ArrayRef<ScheduleAttr> schedules);
  }];
}

def YieldOp : DscOp<"yield", [Pure, Terminator, ParentOneOf<["GroupOp", "RecurrenceOp"]>]> {
  let role = "Structure";
  let summary = "hands the values of a group, or of a part of a recurrence, to the outside";
  let arguments = (ins Variadic<DataTensor>:$values);
  let assemblyFormat = "attr-dict $values `:` type($values)";
}

def LaunchOp : DscOp<"launch"> {
  let summary = "one launch of an emitted kernel";
  let description = [{
    `grid` counts the blocks; the kernel takes the inputs, the results, then the named dims in `symbols`, in order.
    `places` says which entry of the function's `dsc.arena` holds each result, -1 for what lies in an output; `outputs`
    says which output that is, -1 for what lies in the arena. A result with an entry in `windows` is a part of that place
    or output, and the kernel gets the address of its first element.

    `before` are kernels that are launched first, in order, and take the same, with grids of their own. Behind the results
    all of them take a workspace, if `workspace_place` is there: the address of that entry of `dsc.arena`, by which they
    hand on what they have computed.

    `alternatives` are kernels that take the same, with grids of their own and perhaps others before: a run launches the
    first whose `dim` is at most its `most`, or else `kernel`.

    `tensor_maps` lists the tensor maps ([TensorMaps.h](../dialects/dsc/TensorMaps.h)) that `kernel` takes behind its named
    dims; kernels before it and alternatives have lists of their own.

    1. (C1) `grid` has three counts.
    2. (C2) `places` and `outputs`, if they are there, have one number for each result, from -1 on.
    3. (C3) Each alternative is {kernel, grid, dim, most}: a symbol, three counts, one dim and a number; it may have a
       `before` as well.
    4. (C4) `windows`, if it is there, has one entry for each input, then for each result, as those of `dsc.group`.
    5. (C5) Each entry of `before` is {kernel, grid}: a symbol and three counts.
    6. (C6) `workspace_place`, if it is there, is a number from 0 on.
    7. (C7) Each of `tensor_maps` is {tensor, element, dims, strides, box, swizzle}, as the hardware wants them; it may
       have `pixels`, which are {lower, upper, steps}.

    ```mlir
    %y = dsc.launch @kernel (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: 0>}
       : (tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<DataTensor>:$inputs, DimsAttr:$grid, StrArrayAttr:$symbols,
                       OptionalAttr<DenseI64ArrayAttr>:$places, OptionalAttr<ArrayAttr>:$alternatives,
                       OptionalAttr<ArrayAttr>:$before, OptionalAttr<I64Attr>:$workspace_place);
  let results = (outs Variadic<DataTensor>:$results);
  let assemblyFormat = "$kernel `(` $inputs `)` attr-dict `:` functional-type($inputs, $results)";
  let hasVerifier = 1;
}

#endif // DSCC_DIALECTS_DSC_GROUP_TD
