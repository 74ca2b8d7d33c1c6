// Cases of the part "profiles" (cases.def): one function each, named case_<function>.
#include "cases.h"
#include "rig.h"
