module attributes {dsc.stage = "canonical"} {
  func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
    return %x : tensor<?xf32, #dsc.dims<"n">>
  }
}
