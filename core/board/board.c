#include "board/board.h"

bool pw_board_same_drive(const struct pw_board_drive *a, const struct pw_board_drive *b)
{
    return a->cp == b->cp && a->duty_ppm == b->duty_ppm && a->contactor == b->contactor &&
           a->lock == b->lock && a->rcd_test == b->rcd_test && a->ventilation == b->ventilation &&
           a->lamp == b->lamp && a->buzzer == b->buzzer;
}
