/* A disk that takes 250 ms for every sync: put before the C library by LD_PRELOAD. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_for_the_disk(void)
{
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 250 * 1000 * 1000};
    nanosleep(&pause, NULL);
}

int fsync(int file)
{
    wait_for_the_disk();
    return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    wait_for_the_disk();
    return (int)syscall(SYS_fdatasync, file);
}
