#include "password.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int take_line(FILE *from, char to[PASSWORD_SIZE])
{
    if (fgets(to, PASSWORD_SIZE, from) == NULL) {
        return PW_ERR_PEER;
    }
    to[strcspn(to, "\r\n")] = '\0';
    return to[0] != '\0' ? PW_OK : PW_ERR_PEER;
}

int password_from_file(char to[PASSWORD_SIZE], const char *file, struct pw_out *why)
{
    FILE *from = fopen(file, "re");
    int err = from != NULL ? take_line(from, to) : PW_ERR_PEER;
    if (err != PW_OK) {
        pw_put_s(why, file);
        pw_put_s(why, from == NULL ? ": cannot be read" : ": its first line is no password");
    }
    if (from != NULL) {
        (void)fclose(from);
    }
    return err;
}

int password_ask(char to[PASSWORD_SIZE], const char *prompt, struct pw_out *why)
{
    struct termios before;
    if (tcgetattr(STDIN_FILENO, &before) != 0) {
        pw_put_s(why, "no password and no terminal to ask on: --help lists the other ways");
        return PW_ERR_PEER;
    }
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    // Silent before it asks: a quick answer is neither shown nor lost.
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    (void)fputs(prompt, stderr);
    int err = take_line(stdin, to);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)fputc('\n', stderr);
    if (err != PW_OK) {
        pw_put_s(why, "nothing was typed");
    }
    return err;
}

int password_get(char to[PASSWORD_SIZE], const char *file, struct pw_out *why)
{
    const char *given = getenv("PILOTWIRE_PASSWORD");
    if (file != NULL) {
        return password_from_file(to, file, why);
    }
    if (given != NULL && given[0] != '\0') {
        if (pw_str_copy(to, PASSWORD_SIZE, pw_str_of(given)) != PW_OK) {
            pw_put_s(why, "$PILOTWIRE_PASSWORD is longer than 128 bytes");
            return PW_ERR_LIMIT;
        }
        return PW_OK;
    }
    return password_ask(to, "Password: ", why);
}
