// A sine without fast-math flags, for which NVPTX has no instruction.
module attributes {dsc.stage = "streamed", dsc.symbols = []} {
  func.func private @main(tensor<4xf32> {dsc.name = "x"}) -> (tensor<4xf32> {dsc.name = "y"})
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    gpu.module @kernels {
      llvm.func @k(%x: !llvm.ptr<1>) attributes {nvvm.kernel, dsc.kernel = {}} {
        %a = llvm.load %x : !llvm.ptr<1> -> f32
        %b = llvm.intr.sin(%a) : (f32) -> f32
        llvm.store %b, %x : f32, !llvm.ptr<1>
        llvm.return
      }
    }
  }
}
