#!/bin/sh
# Compiles each program of this folder to the PTX beside it, with the nvcc of CUDA 13.0.
#
#     name of the PTX, architecture, options
#
# Lines without code are left out: comments, debug positions, empty ones.
set -e
cd "$(dirname "$0")"
nvcc=${NVCC:-nvcc}

compile() {
  ptx=$1 source=$2 chip=$3
  shift 3
  "$nvcc" -ptx -std=c++17 "-arch=compute_$chip" "$@" "$source.cu" -o "$ptx.ptx"
  sed -i -e '/^[[:space:]]*\/\//d' -e '/^[[:space:]]*\.\(loc\|file\) /d' -e '/^[[:space:]]*$/d' "$ptx.ptx"
}

for name in async bits calls half histogram integers math memory reduce scan transpose warps wmma; do
  compile "$name" "$name" 80 -O3
done
compile math-fast math 80 -O3 -use_fast_math -DFAST
# Unoptimised: other instructions, and calls where there were none.
for name in memory scan transpose warps; do
  compile "$name-O0" "$name" 80 -Xcicc -O0
done
compile cluster cluster 90 -O3

for bug in 1 2 3 4; do compile "scan-bug$bug" scan 80 -O3 "-DBUG=$bug"; done
for bug in 1 2 3 4; do compile "histogram-bug$bug" histogram 80 -O3 "-DBUG=$bug"; done
for bug in 1 2 3; do compile "transpose-bug$bug" transpose 80 -O3 "-DBUG=$bug"; done
for bug in 1 2 3; do compile "async-bug$bug" async 80 -O3 "-DBUG=$bug"; done
compile wmma-bug1 wmma 80 -O3 -DBUG=1
for bug in 1 2; do compile "cluster-bug$bug" cluster 90 -O3 "-DBUG=$bug"; done
