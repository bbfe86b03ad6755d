#ifndef DSCC_DIALECTS_DSC_ELEMENTWISE_TD
#define DSCC_DIALECTS_DSC_ELEMENTWISE_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

/// One operand, one result of the same type.
class UnaryOp<string mnemonic, string what> : InferredOp<mnemonic, [ElementwiseOpInterface]>,
      InferBy<"inferSame(adaptor.getInput(), types)"> {
  let extraClassDefinition = definition;
  let summary = "elementwise " # what;
  let description = "Elementwise " # what # ".\n\n```mlir\n%y = dsc." # mnemonic # " %x : (tensor<4xf32>) -> tensor<4xf32>\n```\n";
  let arguments = (ins DataTensor:$input);
  let results = (outs DataTensor:$result);
}

/// Two operands of one element type, broadcast against each other.
class BinaryOp<string mnemonic, string what, list<Trait> traits = []>
    : InferredOp<mnemonic, traits # [ElementwiseOpInterface]>,
      InferBy<"inferBroadcast(location, adaptor.getOperands(), types)"> {
  let extraClassDefinition = definition;
  let summary = "elementwise " # what;
  let description = "Elementwise " # what # ", with NumPy broadcasting.\n\n"
    "1. (C1) The operands have one element type.\n2. (C2) Their dims broadcast.\n\n"
    "```mlir\n%y = dsc." # mnemonic # " %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>\n```\n";
  let arguments = (ins DataTensor:$lhs, DataTensor:$rhs);
  let results = (outs DataTensor:$result);
}

/// As BinaryOp, with a boolean result.
class CompareOp<string mnemonic, string what, list<Trait> traits = []>
    : InferredOp<mnemonic, traits # [ElementwiseOpInterface]>,
      InferBy<"inferComparison(location, adaptor.getOperands(), types)"> {
  let extraClassDefinition = definition;
  let summary = "elementwise " # what;
  let description = "Elementwise " # what # ", with NumPy broadcasting; false where an operand is NaN.\n\n"
    "1. (C1) The operands have one element type.\n2. (C2) Their dims broadcast.\n\n"
    "```mlir\n%y = dsc." # mnemonic # " %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>\n```\n";
  let arguments = (ins DataTensor:$lhs, DataTensor:$rhs);
  let results = (outs DataTensor:$result);
}

def AbsOp : UnaryOp<"abs", "absolute value">;
def NegOp : UnaryOp<"neg", "negation; integers wrap around">;
def SignOp : UnaryOp<"sign", "-1, 0 or 1; NaN stays">;
def FloorOp : UnaryOp<"floor", "largest integer not above">;
def CeilOp : UnaryOp<"ceil", "smallest integer not below">;
def RoundOp : UnaryOp<"round", "nearest integer, halves to even">;
def TruncOp : UnaryOp<"trunc", "integer part, towards zero">;
def SqrtOp : UnaryOp<"sqrt", "square root">;
def RsqrtOp : UnaryOp<"rsqrt", "reciprocal of the square root">;
def ReciprocalOp : UnaryOp<"reciprocal", "1 / x">;
def ExpOp : UnaryOp<"exp", "e to the x">;
def LogOp : UnaryOp<"log", "natural logarithm">;
def SinOp : UnaryOp<"sin", "sine">;
def CosOp : UnaryOp<"cos", "cosine">;
def TanOp : UnaryOp<"tan", "tangent">;
def AsinOp : UnaryOp<"asin", "arc sine">;
def AcosOp : UnaryOp<"acos", "arc cosine">;
def AtanOp : UnaryOp<"atan", "arc tangent">;
def SinhOp : UnaryOp<"sinh", "hyperbolic sine">;
def CoshOp : UnaryOp<"cosh", "hyperbolic cosine">;
def TanhOp : UnaryOp<"tanh", "hyperbolic tangent">;
def AsinhOp : UnaryOp<"asinh", "inverse hyperbolic sine">;
def AcoshOp : UnaryOp<"acosh", "inverse hyperbolic cosine">;
def AtanhOp : UnaryOp<"atanh", "inverse hyperbolic tangent">;
def ErfOp : UnaryOp<"erf", "Gauss error function">;
def SigmoidOp : UnaryOp<"sigmoid", "1 / (1 + exp(-x))">;
def ReluOp : UnaryOp<"relu", "maximum with zero; NaN stays">;
def SoftplusOp : UnaryOp<"softplus", "log(1 + exp(x)), without overflow">;
def GeluOp : UnaryOp<"gelu", "x/2 * (1 + erf(x / sqrt 2))">;
def GeluTanhOp : UnaryOp<"gelu_tanh", "the tanh approximation of gelu">;

def AddOp : BinaryOp<"add", "sum", [Commutative]>;
def SubOp : BinaryOp<"sub", "difference">;
def MulOp : BinaryOp<"mul", "product", [Commutative]>;
def DivOp : BinaryOp<"div", "quotient; integers truncate towards zero">;
def FloorModOp : BinaryOp<"floor_mod", "remainder with the divisor's sign, as Python's %">;
def TruncModOp : BinaryOp<"trunc_mod", "remainder with the dividend's sign, as C's fmod and %">;
def PowOp : BinaryOp<"pow", "power">;
def MinOp : BinaryOp<"min", "minimum (of floats NaN if either is NaN; -0 is less than 0)", [Commutative]>;
def MaxOp : BinaryOp<"max", "maximum (of floats NaN if either is NaN; -0 is less than 0)", [Commutative]>;
def AndOp : BinaryOp<"and", "bitwise and; logical on i1", [Commutative]>;
def OrOp : BinaryOp<"or", "bitwise or; logical on i1", [Commutative]>;
def XorOp : BinaryOp<"xor", "bitwise exclusive or; logical on i1", [Commutative]>;
def ShiftLeftOp : BinaryOp<"shift_left", "logical shift towards the high bits; 0 once nothing is left">;
def ShiftRightOp : BinaryOp<"shift_right", "logical shift towards the low bits; 0 once nothing is left">;

def EqualOp : CompareOp<"equal", "equality", [Commutative]>;
def LessOp : CompareOp<"less", "less than">;
def LessEqualOp : CompareOp<"less_equal", "less than or equal">;

def NotOp : UnaryOp<"not", "bitwise complement; logical on i1">;

/// A test of one floating-point operand with a boolean result.
class ClassifyOp<string mnemonic, string what> : InferredOp<mnemonic, [ElementwiseOpInterface]>,
      InferBy<"inferComparison(location, adaptor.getOperands(), types)"> {
  let extraClassDefinition = definition;
  let summary = "elementwise test for " # what;
  let description = "Elementwise test for " # what # ".\n\n```mlir\n%y = dsc." # mnemonic # " %x : (tensor<4xf32>) -> tensor<4xi1>\n```\n";
  let arguments = (ins DataTensor:$input);
  let results = (outs DataTensor:$result);
}
def IsNanOp : ClassifyOp<"is_nan", "NaN">;
def IsInfOp : ClassifyOp<"is_inf", "plus or minus infinity">;

def WhereOp : InferredOp<"where", [ElementwiseOpInterface]> {
  let summary = "elementwise choice";
  let description = [{
    `$if_true` where the condition holds, else `$if_false`; NumPy broadcasting among all three.

    1. (C1) The condition is boolean.
    2. (C2) The two choices have one element type.
    3. (C3) The dims of all three broadcast.

    ```mlir
    %y = dsc.where %c, %a, %b : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins DataTensor:$condition, DataTensor:$if_true, DataTensor:$if_false);
  let results = (outs DataTensor:$result);
}

def CastOp : DscOp<"cast", [Pure, ElementwiseOpInterface]> {
  let summary = "elementwise conversion to another element type";
  let description = [{
    Converts as ONNX's Cast does: to an integer it truncates towards zero, to a boolean it compares with zero, to a
    narrower float it rounds to nearest even. With `saturate` a float8 result is clamped to the largest finite value,
    without it overflow becomes infinity, or NaN where the type has no infinity.

    1. (C1) Input and result have the same dims.

    ```mlir
    %y = dsc.cast %x {saturate} : (tensor<4xf32>) -> tensor<4xf16>
    ```
  }];
  let arguments = (ins DataTensor:$input, UnitAttr:$saturate);
  let results = (outs DataTensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def BitcastOp : DscOp<"bitcast", [Pure, ElementwiseOpInterface]> {
  let summary = "the same bits as another element type of that width";
  let description = [{
    1. (C1) Input and result have the same dims. 2. (C2) Their elements have the same width.

    ```mlir
    %y = dsc.bitcast %x : (tensor<4xf32>) -> tensor<4xi32>
    ```
  }];
  let arguments = (ins DataTensor:$input);
  let results = (outs DataTensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // DSCC_DIALECTS_DSC_ELEMENTWISE_TD
