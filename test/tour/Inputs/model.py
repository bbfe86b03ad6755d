"""Writes the tour's model, an image classifier with a batch norm and two channels, as an ONNX file.

    model.py FILE.onnx
"""

import sys

import onnx
import onnx.parser

TEXT = """
<ir_version: 8, opset_import: ["" : 17]>
classifier (float[batch, 1, 4, 4] image) => (float[batch, 5] scores)
<float[2, 1, 1, 1] filter = {3, 3}, float[2] factor = {2, 2}, float[2] shift = {1, 2},
 float[2] mean = {0, 0}, float[2] variance = {1, 1}, float[5, 2] weights = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}>
{
  [convolution] c = Conv(image, filter)
  [norm] n = BatchNormalization<epsilon: float = 0>(c, factor, shift, mean, variance)
  [activation] a = Relu(n)
  [pool] p = GlobalAveragePool(a)
  [flat] f = Flatten(p)
  [head] scores = Gemm<transB: int = 1>(f, weights)
}
"""

onnx.save(onnx.parser.parse_model(TEXT), sys.argv[1])
