// Loaded before a process's own libraries (LD_PRELOAD), so that what a program asks of the system fails when the test wants
// it to. The environment says what, and is read at each call, so that a program may set it for itself:
//   LUTNN_FAULT        "CALL N ERROR ROUND": the Nth call of that kind fails with that number; ERROR -1 writes half only.
//                      N below 0: from call -N on, as a full disk does. Another ROUND counts anew.
//   LUTNN_FAULT_UNDER  only files below this folder
// and LUTNN_FAULT_HIT is set once it has failed. CALL is open (for writing), write, fsync, rename, mkdir or memory, of which
// pieces from 128 KiB on count.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The error that this call is to have; 0 for none. */
static int fault(const char* call) {
  static int round, seen;
  char wanted[16];
  int at, error, ofRound, fails = 0;
  const char* spec = getenv("LUTNN_FAULT");
  if (!spec || sscanf(spec, "%15s %d %d %d", wanted, &at, &error, &ofRound) != 4 || strcmp(wanted, call) != 0) return 0;
  pthread_mutex_lock(&lock);
  if (ofRound != round) {
    round = ofRound;
    seen = 0;
  }
  seen++;
  fails = at > 0 ? seen == at : seen >= -at;
  pthread_mutex_unlock(&lock);
  if (fails) setenv("LUTNN_FAULT_HIT", "1", 1);
  return fails ? error : 0;
}

static int isUnder(const char* path) {
  const char* under = getenv("LUTNN_FAULT_UNDER");
  return under && strncmp(path, under, strlen(under)) == 0;
}

static int isOpenUnder(int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return isUnder(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_IF(condition, call)                    \
  do {                                              \
    int error = (condition) ? fault(call) : 0;      \
    if (error > 0) return errno = error, -1;        \
  } while (0)

static int isForWriting(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); }

#define OPEN(name)                                                        \
  int name(const char* path, int flags, ...) {                            \
    va_list more;                                                         \
    va_start(more, flags);                                                \
    mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;           \
    va_end(more);                                                         \
    FAIL_IF(isForWriting(flags) && isUnder(path), "open");                \
    return REAL(name)(path, flags, mode);                                 \
  }
OPEN(open)
OPEN(open64)

#define WRITE(name, parameters, arguments, half)                          \
  ssize_t name parameters {                                               \
    int error = isOpenUnder(descriptor) ? fault("write") : 0;             \
    if (error > 0) return errno = error, -1;                              \
    if (error < 0) half;                                                  \
    return REAL(name) arguments;                                          \
  }
#define HALF count = count > 1 ? count / 2 : count
#define FEWER count = count > 1 ? count / 2 : count
WRITE(write, (int descriptor, const void* bytes, size_t count), (descriptor, bytes, count), HALF)
WRITE(pwrite, (int descriptor, const void* bytes, size_t count, off_t at), (descriptor, bytes, count, at), HALF)
WRITE(pwrite64, (int descriptor, const void* bytes, size_t count, off64_t at), (descriptor, bytes, count, at), HALF)
WRITE(writev, (int descriptor, const struct iovec* parts, int count), (descriptor, parts, count), FEWER)
WRITE(pwritev, (int descriptor, const struct iovec* parts, int count, off_t at), (descriptor, parts, count, at), FEWER)
WRITE(pwritev64, (int descriptor, const struct iovec* parts, int count, off64_t at), (descriptor, parts, count, at), FEWER)

int fsync(int descriptor) {
  FAIL_IF(isOpenUnder(descriptor), "fsync");
  return REAL(fsync)(descriptor);
}
int fdatasync(int descriptor) {
  FAIL_IF(isOpenUnder(descriptor), "fsync");
  return REAL(fdatasync)(descriptor);
}
int rename(const char* from, const char* to) {
  FAIL_IF(isUnder(to), "rename");
  return REAL(rename)(from, to);
}
int mkdir(const char* path, mode_t mode) {
  FAIL_IF(isUnder(path), "mkdir");
  return REAL(mkdir)(path, mode);
}

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
static int isRefused(size_t bytes) { return bytes >= (1u << 17) && fault("memory"); }

void* malloc(size_t bytes) { return isRefused(bytes) ? (errno = ENOMEM, NULL) : __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) {
  return isRefused(count * bytes) ? (errno = ENOMEM, NULL) : __libc_calloc(count, bytes);
}
void* realloc(void* old, size_t bytes) { return isRefused(bytes) ? (errno = ENOMEM, NULL) : __libc_realloc(old, bytes); }
void* memalign(size_t alignment, size_t bytes) {
  return isRefused(bytes) ? (errno = ENOMEM, NULL) : __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** place, size_t alignment, size_t bytes) {
  void* made = memalign(alignment, bytes);
  if (!made) return ENOMEM;
  *place = made;
  return 0;
}
