// Files that the build puts into the program (embed.cmake).
#ifndef PW_APP_CENTRAL_EMBEDDED_H
#define PW_APP_CENTRAL_EMBEDDED_H

#include <stddef.h>

extern const unsigned char openapi_yaml[];
extern const size_t openapi_yaml_len;

#endif
