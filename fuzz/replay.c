// Runs a fuzz target over saved inputs: every file of the folders and files named. This is how the
// corpus is an ordinary test under every compiler.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *data = malloc(INPUT_MAX);
    if (data == NULL) {
        (void)fclose(file);
        return 1;
    }
    size_t size = fread(data, 1, INPUT_MAX, file);
    // An exact copy, so that the sanitizer sees the first byte read past the end.
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact != NULL) {
        for (size_t i = 0; i < size; i++) {
            exact[i] = data[i];
        }
        (void)LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(data);
    return fclose(file) == 0 && exact != NULL ? 0 : 1;
}

static int run_path(const char *path, int *count)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        perror(path);
        return 1;
    }
    if (!S_ISDIR(info.st_mode)) {
        (*count)++;
        return run_file(path);
    }
    DIR *dir = opendir(path);
    int failed = dir == NULL ? 1 : 0;
    for (struct dirent *entry = NULL; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char inside[4096];
        if (entry->d_name[0] != '.') {
            (void)snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
            (*count)++;
            failed += run_file(inside);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    int count = 0;
    for (int i = 1; i < argc; i++) {
        failed += run_path(argv[i], &count);
    }
    (void)printf("%d inputs replayed, %d unreadable\n", count, failed);
    return failed == 0 && count > 0 ? 0 : 1;
}
