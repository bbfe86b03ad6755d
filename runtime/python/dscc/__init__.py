"""dscc's runtime for Python: ctypes and NumPy, nothing else.

    model = dscc.Model("model.so")
    outputs = model.run({"x": numpy.ones((2, 4), numpy.float32)})     # a dict by output name

One Model serves any number of threads. Tensors of other libraries are taken and written where they lie, on the host
or on the model's GPU, by DLPack:

    y = torch.empty(2, 4, device="cuda")
    model.run({"x": torch.ones(2, 4, device="cuda")}, {"y": y})
    y = torch.from_dlpack(model.run({"x": x}, on_device=True)["y"])

Types that NumPy lacks travel as raw integers of their width: bfloat16 as uint16, float8 as uint8, and types of 4 and 2
bits as one value a byte in int8 or uint8. `array.view(ml_dtypes.bfloat16)` makes numbers of them; inputs may be of
ml_dtypes' types as they are, but for int4 and int2: `.astype(numpy.int8)`. On a GPU, bfloat16 and float8 are known to
DLPack by their names.

The library is the one named by the variable DSCC_RUNTIME, else the one of the wheel, build folder or installation
that this package belongs to, else what the loader finds.
"""

from ._model import Model
from ._native import Error, version
from ._tensors import DeviceTensor

__all__ = ["DeviceTensor", "Error", "Model", "version"]
