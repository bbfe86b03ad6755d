# cmake -DIN=file -DOUT=file.inc -P embed.cmake: the bytes of a file as a C array's contents.
file(READ "${IN}" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE "${OUT}" "${bytes}\n")
