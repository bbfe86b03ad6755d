#ifndef DSCC_DIALECTS_DSC_ELEMENTWISE_TD
#define DSCC_DIALECTS_DSC_ELEMENTWISE_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

/// One element from one of each operand. `flop` says how many additions take as long: 1 for what costs no more than a
/// load. `floats` says what narrow floats do to it.
class ElementwiseOp<string mnemonic, int flop, string floats, list<Trait> traits = []>
    : InferredOp<mnemonic, traits> {
  let role = "Elementwise";
  let precision = floats;
  let weight = flop;
}

/// One operand, one result of the same type.
class UnaryOp<string mnemonic, string what, int flop = 1, string floats = "Follows">
    : ElementwiseOp<mnemonic, flop, floats>,
      InferBy<"inferSame(adaptor.getInput(), types)"> {
  let extraClassDefinition = definition;
  let summary = "elementwise " # what;
  let description = "Elementwise " # what # ".\n\n```mlir\n%y = dsc." # mnemonic # " %x : (tensor<4xf32>) -> tensor<4xf32>\n```\n";
  let arguments = (ins DataTensor:$input);
  let results = (outs DataTensor:$result);
}

/// Two operands of one element type, broadcast against each other.
class BinaryOp<string mnemonic, string what, list<Trait> traits = [], int flop = 1, string floats = "Follows">
    : ElementwiseOp<mnemonic, flop, floats, traits>,
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
class CompareOp<string mnemonic, string what, list<Trait> traits = []> : ElementwiseOp<mnemonic, 1, "Follows", traits>,
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
def SqrtOp : UnaryOp<"sqrt", "square root", 4, "Sensitive">;
def RsqrtOp : UnaryOp<"rsqrt", "reciprocal of the square root", 8, "Sensitive">;
def ReciprocalOp : UnaryOp<"reciprocal", "1 / x", 4, "Sensitive">;
def ExpOp : UnaryOp<"exp", "e to the x", 16, "Sensitive">;
def LogOp : UnaryOp<"log", "natural logarithm", 20, "Sensitive">;
def SinOp : UnaryOp<"sin", "sine", 24, "Sensitive">;
def CosOp : UnaryOp<"cos", "cosine", 24, "Sensitive">;
def TanOp : UnaryOp<"tan", "tangent", 40, "Sensitive">;
def AsinOp : UnaryOp<"asin", "arc sine", 30>;
def AcosOp : UnaryOp<"acos", "arc cosine", 30>;
def AtanOp : UnaryOp<"atan", "arc tangent", 24>;
def SinhOp : UnaryOp<"sinh", "hyperbolic sine", 40, "Sensitive">;
def CoshOp : UnaryOp<"cosh", "hyperbolic cosine", 40, "Sensitive">;
def TanhOp : UnaryOp<"tanh", "hyperbolic tangent", 20>;
def AsinhOp : UnaryOp<"asinh", "inverse hyperbolic sine", 60>;
def AcoshOp : UnaryOp<"acosh", "inverse hyperbolic cosine", 60>;
def AtanhOp : UnaryOp<"atanh", "inverse hyperbolic tangent", 60>;
def ErfOp : UnaryOp<"erf", "Gauss error function", 24>;
def SigmoidOp : UnaryOp<"sigmoid", "1 / (1 + exp(-x))", 20>;
def ReluOp : UnaryOp<"relu", "maximum with zero; NaN stays">;
def SoftplusOp : UnaryOp<"softplus", "log(1 + exp(x)), without overflow", 40, "Sensitive">;
def MishOp : UnaryOp<"mish", "x * tanh(softplus(x))", 24>;
def GeluOp : UnaryOp<"gelu", "x/2 * (1 + erf(x / sqrt 2))", 28>;
def GeluTanhOp : UnaryOp<"gelu_tanh", "the tanh approximation of gelu", 28>;

def AddOp : BinaryOp<"add", "sum", [Commutative]>;
def SubOp : BinaryOp<"sub", "difference">;
def MulOp : BinaryOp<"mul", "product", [Commutative]>;
def DivOp : BinaryOp<"div", "quotient; integers truncate towards zero", [], 4>;
def FloorModOp : BinaryOp<"floor_mod", "remainder with the divisor's sign, as Python's %", [], 12, "Sensitive">;
def TruncModOp : BinaryOp<"trunc_mod", "remainder with the dividend's sign, as C's fmod and %", [], 10, "Sensitive">;
def PowOp : BinaryOp<"pow", "power", [], 60, "Sensitive">;
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
class ClassifyOp<string mnemonic, string what> : ElementwiseOp<mnemonic, 1, "Follows">,
      InferBy<"inferComparison(location, adaptor.getOperands(), types)"> {
  let extraClassDefinition = definition;
  let summary = "elementwise test for " # what;
  let description = "Elementwise test for " # what # ".\n\n```mlir\n%y = dsc." # mnemonic # " %x : (tensor<4xf32>) -> tensor<4xi1>\n```\n";
  let arguments = (ins DataTensor:$input);
  let results = (outs DataTensor:$result);
}
def IsNanOp : ClassifyOp<"is_nan", "NaN">;
def IsInfOp : ClassifyOp<"is_inf", "plus or minus infinity">;

def WhereOp : ElementwiseOp<"where", 1, "Follows"> {
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

def CastOp : DscOp<"cast", [Pure]> {
  let role = "Elementwise";
  let weight = 1;
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

def BitcastOp : DscOp<"bitcast", [Pure]> {
  let role = "Elementwise";
  let precision = "Sensitive";
  let weight = 1;
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
