// One array a struct, as long as the struct: nm tells the sizes of the target, not of this machine.
#include "station.h"

extern char ram_pw_station[sizeof(struct pw_station)];
extern char ram_pw_bay[sizeof(struct pw_bay)];
extern char ram_pw_cp16[sizeof(struct pw_cp16)];
extern char ram_pw_journal[sizeof(struct pw_journal)];
extern char ram_pw_settings[sizeof(struct pw_settings)];

char ram_pw_station[sizeof(struct pw_station)];
char ram_pw_bay[sizeof(struct pw_bay)];
char ram_pw_cp16[sizeof(struct pw_cp16)];
char ram_pw_journal[sizeof(struct pw_journal)];
char ram_pw_settings[sizeof(struct pw_settings)];
