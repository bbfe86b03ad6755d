module attributes {dsc.stage = "typed"} {
  func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
    return %x : tensor<?xf32, #dsc.dims<"n">>
  }
}
