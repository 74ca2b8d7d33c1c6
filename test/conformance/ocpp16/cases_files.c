// Cases of the part "files" (cases.def): one function each, named case_<function>.
#include "cases.h"
#include "rig.h"
