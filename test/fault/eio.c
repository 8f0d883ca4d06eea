/*
 * Preloaded into the server: while the file named by EIO_SWITCH exists, EIO_PERCENT of the writes and syncs of files below
 * EIO_BELOW fail with EIO, as a dying disk makes them. A failed write has written nothing. EIO_ONLY narrows it down:
 * `root` fails only writes to the index's root pages (the first two of data.mdb), `body-sync` only syncs of body files,
 * and `read` nothing but reads, of the byte EIO_AT.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const off_t SYNC = -1, SOMEWHERE = -2;

static int reads_only(void) {
  const char *only = getenv("EIO_ONLY");
  return only && strcmp(only, "read") == 0;
}

static int wanted(const char *only, const char *path, off_t at) {
  if (!only || !*only || reads_only()) return 1;
  if (strcmp(only, "root") == 0) return at >= 0 && at < 2 * 4096 && strstr(path, "/index/data.mdb") != NULL;
  return at == SYNC && strstr(path, "/bodies/") != NULL;
}

static int fails(int fd, off_t at) {
  const char *trigger = getenv("EIO_SWITCH"), *below = getenv("EIO_BELOW"), *percent = getenv("EIO_PERCENT");
  static __thread unsigned seed;
  char link[64], path[4096];
  if (!trigger || !below || !percent || access(trigger, F_OK) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  if (strncmp(path, below, strlen(below)) != 0) return 0;
  if (!wanted(getenv("EIO_ONLY"), path, at)) return 0;
  if (seed == 0) seed = (unsigned)(size_t)&seed ^ (unsigned)getpid();
  if (rand_r(&seed) % 100 >= (unsigned)atoi(percent)) return 0;
  errno = EIO;
  return 1;
}

#define WRAP(type, name, parameters, arguments, at)                          \
  type name parameters {                                                     \
    static type(*real) parameters;                                           \
    if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);           \
    return !reads_only() && fails(fd, at) ? (type)-1 : real arguments;           \
  }

#define WRAP_READ(name)                                                      \
  ssize_t name(int fd, void *bytes, size_t length, off_t at) {               \
    static ssize_t (*real)(int, void *, size_t, off_t);                      \
    if (!real) real = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, #name); \
    const char *which = getenv("EIO_AT");                                    \
    off_t byte = which ? atoll(which) : 0;                                   \
    int hit = at <= byte && byte < at + (off_t)length;                       \
    return reads_only() && hit && fails(fd, at) ? -1 : real(fd, bytes, length, at); \
  }

WRAP(ssize_t, write, (int fd, const void *bytes, size_t length), (fd, bytes, length), SOMEWHERE)
WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t length, off_t at), (fd, bytes, length, at), at)
WRAP(ssize_t, pwrite64, (int fd, const void *bytes, size_t length, off_t at), (fd, bytes, length, at), at)
WRAP(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), SOMEWHERE)
WRAP(ssize_t, pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at), at)
WRAP(ssize_t, pwritev64, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at), at)
WRAP(int, fsync, (int fd), (fd), SYNC)
WRAP(int, fdatasync, (int fd), (fd), SYNC)
WRAP_READ(pread)
WRAP_READ(pread64)
