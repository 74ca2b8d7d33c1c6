# cmake -DFROM=file -DTO=out.c -DNAME=symbol -P embed.cmake: a file as bytes of a C source.
file(READ "${FROM}" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(................................................................................)"
       "\\1\n" bytes "${bytes}")
file(WRITE "${TO}" "#include \"embedded.h\"\nconst unsigned char ${NAME}[] = {\n${bytes}};\n"
                   "const size_t ${NAME}_len = sizeof(${NAME});\n")
