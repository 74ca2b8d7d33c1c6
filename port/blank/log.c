#include "blank.h"

#define TEXT_MAX (PW_LINE_MAX + 32)

static void write_line(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    const struct pw_blank_log *log = context;
    char line[TEXT_MAX];
    struct pw_out out = PW_OUT(line);
    pw_put_s(&out, pw_level_name(level));
    pw_put_c(&out, ' ');
    pw_put_s(&out, room);
    pw_put_c(&out, ' ');
    pw_put(&out, text);
    pw_put_c(&out, '\n');
    log->machine->put(log->machine->context, pw_out_str(&out));
}

void pw_blank_log_init(struct pw_blank_log *log, const struct pw_blank_machine *machine)
{
    log->machine = machine;
    log->log = (struct pw_log){.context = log, .write = write_line};
}
