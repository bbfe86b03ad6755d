// Lanes of a thread become accesses of 16 bytes: of four words, or of eight halves. Rows that are odd have none.
// RUN: rm -rf %t && mkdir %t
// RUN: dscc %s --target=cuda --arch=sm_80 --disable=join-launches --emit=ptx -o %t/k.ptx
// RUN: FileCheck %s --input-file=%t/k.ptx --check-prefix=WORDS
// RUN: FileCheck %s --input-file=%t/k.ptx --check-prefix=HALVES
// RUN: FileCheck %s --input-file=%t/k.ptx --check-prefix=ODD
// RUN: FileCheck %s --input-file=%t/k.ptx --check-prefix=ROWS

// WORDS: .entry add_{{[0-9a-f]+}}(
// WORDS: ld.global.v4.b32
// WORDS-NOT: ld.global
// WORDS: st.global.v4.b32

// Halves are multiplied two at a time.
// HALVES: .entry mul_{{[0-9a-f]+}}(
// HALVES: ld.global.v4.b32
// HALVES-COUNT-4: mul.rn.f16x2
// HALVES: st.global.v4.b32

// ODD: .entry sub_{{[0-9a-f]+}}(
// ODD-NOT: .v{{[24]}}
// ODD: ret;

// A row of 96 vectors, three to each lane of a warp, is read once for all passes.
// ROWS: .entry softmax_{{[0-9a-f]+}}(
// ROWS-COUNT-3: ld.global.v4.b32
// ROWS-NOT: ld.global
// ROWS-COUNT-3: st.global.v4.b32
// ROWS-NOT: st.global
// ROWS: ret;

module attributes {dsc.stage = "imported", dsc.symbols = [], dsc.relations = []} {
  func.func @main(%x: tensor<512x512xf32> {dsc.name = "x"}, %h: tensor<512x512xf16> {dsc.name = "h"}, %o: tensor<5x7xf32> {dsc.name = "o"},
                  %r: tensor<1536x768xf16> {dsc.name = "r"})
      -> (tensor<512x512xf32> {dsc.name = "a"}, tensor<512x512xf16> {dsc.name = "b"}, tensor<5x7xf32> {dsc.name = "c"}, tensor<1536x768xf16> {dsc.name = "d"}) {
    %0 = dsc.add %x, %x : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
    %1 = dsc.mul %h, %h : (tensor<512x512xf16>, tensor<512x512xf16>) -> tensor<512x512xf16>
    %2 = dsc.sub %o, %o : (tensor<5x7xf32>, tensor<5x7xf32>) -> tensor<5x7xf32>
    %3 = dsc.softmax %r {axis = 1 : i64} : (tensor<1536x768xf16>) -> tensor<1536x768xf16>
    return %0, %1, %2, %3 : tensor<512x512xf32>, tensor<512x512xf16>, tensor<5x7xf32>, tensor<1536x768xf16>
  }
}
