// ocpp: messages (codec.h and the rows of v16/) and the exchange of calls and answers (rpc.h).
#ifndef PW_OCPP_H
#define PW_OCPP_H

#include "ocpp/codec.h"
#include "ocpp/rpc.h"
#include "ocpp/v16/v16.h"

#endif
