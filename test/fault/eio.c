/*
 * Preloaded into the server: while the file named by EIO_SWITCH exists, some of the writes and syncs of files below
 * EIO_BELOW fail with EIO, as a dying disk makes them. A failed write has written nothing.
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

static int fails(int fd) {
  const char *trigger = getenv("EIO_SWITCH"), *below = getenv("EIO_BELOW"), *percent = getenv("EIO_PERCENT");
  static __thread unsigned seed;
  char link[64], path[4096];
  if (!trigger || !below || !percent || access(trigger, F_OK) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  if (strncmp(path, below, strlen(below)) != 0) return 0;
  if (seed == 0) seed = (unsigned)(size_t)&seed ^ (unsigned)getpid();
  if (rand_r(&seed) % 100 >= (unsigned)atoi(percent)) return 0;
  errno = EIO;
  return 1;
}

#define WRAP(type, name, parameters, arguments)                              \
  type name parameters {                                                     \
    static type(*real) parameters;                                           \
    if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);           \
    return fails(fd) ? (type)-1 : real arguments;                            \
  }

WRAP(ssize_t, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t length, off_t at), (fd, bytes, length, at))
WRAP(ssize_t, pwrite64, (int fd, const void *bytes, size_t length, off_t at), (fd, bytes, length, at))
WRAP(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
WRAP(ssize_t, pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at))
WRAP(ssize_t, pwritev64, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
