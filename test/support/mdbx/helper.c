/*
 * Writes and checks MDBX environments by the real libmdbx, for the backup's tests.
 *
 *   helper write PATH PAGESIZE SEED COMMITS OPS RATE MODE [KEYS]
 *       Opens or creates the environment (a file: no subdirectory) and commits COMMITS times OPS random changes each,
 *       at most RATE commits a second (0: no limit), printing `TXNID COUNTER SUM` after each. MODE is durable, nometasync
 *       or nosync. Keys are drawn from KEYS (default 2,000) a table.
 *   helper check PATH
 *       Recomputes the checksum of the whole content, prints `COUNTER SUM ITEMS`, exit 1 where it differs from the one
 *       that was committed with it.
 *   helper empty PATH PAGESIZE
 *
 * SUM is the sum, modulo 2^64, of a hash of every table, key and value, so that a commit can carry the checksum of all
 * content at the price of its own changes.
 */
#include "mdbx.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PLAIN, DUP, DUPFIX, LARGE, INTKEY, FIXED_TABLES };
#define SUBS 40
#define TABLES (FIXED_TABLES + SUBS)
static const char *const names[FIXED_TABLES] = {"plain", "dup", "dupfix", "large", "intkey"};
static const unsigned flags[FIXED_TABLES] = {0, MDBX_DUPSORT, MDBX_DUPSORT | MDBX_DUPFIXED, 0, MDBX_INTEGERKEY};

static uint64_t seed;
static uint64_t next(void) { /* splitmix64 */
  uint64_t z = (seed += UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static uint64_t hash(uint64_t h, const void *bytes, size_t length) {
  const unsigned char *p = bytes;
  h ^= length;
  for (size_t i = 0; i < length; i++) h = (h ^ p[i]) * UINT64_C(0x100000001B3);
  h ^= h >> 29;
  return h * UINT64_C(0xBF58476D1CE4E5B9);
}
static uint64_t entry(unsigned table, MDBX_val k, MDBX_val v) {
  return hash(hash(hash(UINT64_C(0xCBF29CE484222325), &table, sizeof table), k.iov_base, k.iov_len), v.iov_base, v.iov_len);
}

static void must(int rc, const char *what) {
  if (rc != MDBX_SUCCESS) {
    fprintf(stderr, "%s: %s (%d)\n", what, mdbx_strerror(rc), rc);
    exit(3);
  }
}

static MDBX_env *env_open(const char *path, long pagesize, unsigned mode) {
  MDBX_env *env;
  must(mdbx_env_create(&env), "create");
  must(mdbx_env_set_maxdbs(env, TABLES + 2), "maxdbs");
  if (pagesize) {
    intptr_t upper = pagesize >= 4096 ? (intptr_t)1 << 32 : (intptr_t)1 << 29;
    must(mdbx_env_set_geometry(env, 0, -1, upper, pagesize * 128, pagesize * 256, pagesize), "geometry");
  }
  must(mdbx_env_open(env, path, MDBX_NOSUBDIR | mode, 0600), "open");
  return env;
}

static const char *table_name(unsigned t, char *buffer) {
  if (t < FIXED_TABLES) return names[t];
  sprintf(buffer, "sub%03u", t - FIXED_TABLES);
  return buffer;
}

typedef struct { uint64_t counter, sum, items; } state_t;
static volatile sig_atomic_t stopping;
static void on_signal(int s) { (void)s; stopping = 1; }

static unsigned char data[1 << 20];
static void change(MDBX_txn *txn, const MDBX_dbi *dbi, unsigned keys, size_t pagesize, state_t *state) {
  unsigned pick = (unsigned)(next() % 10);
  unsigned t = pick < 4 ? PLAIN : pick < 5 ? DUP : pick < 6 ? DUPFIX : pick < 7 ? LARGE : pick < 9 ? INTKEY
             : FIXED_TABLES + (unsigned)(next() % SUBS);
  uint64_t number = next() % (t == LARGE ? keys / 20 + 1 : t == DUP || t == DUPFIX ? keys / 50 + 1 : keys);
  char text[24];
  MDBX_val k, v;
  if (t == INTKEY) k = (MDBX_val){&number, sizeof number};
  else k = (MDBX_val){text, (size_t)sprintf(text, "k%" PRIx64, number * 7919)};
  size_t length = t == DUPFIX ? 8 : t == DUP ? 4 + next() % 20 : t == LARGE ? next() % (pagesize * 5) : next() % (pagesize > 1024 ? 200 : 60);
  if (length > sizeof data) length = sizeof data;
  int drop = next() % 4 == 0;
  if (t == DUP || t == DUPFIX) {
    /* few distinct values, so that deletions hit: many enough for nested trees */
    uint64_t value = next() % 600;
    memset(data, 0, length = t == DUPFIX ? 8 : 8 + value % 16);
    memcpy(data, &value, 8);
    v = (MDBX_val){data, length};
    uint64_t h = entry(t, k, v);
    int rc = drop ? mdbx_del(txn, dbi[t], &k, &v) : mdbx_put(txn, dbi[t], &k, &v, MDBX_NODUPDATA);
    if (rc == MDBX_NOTFOUND || rc == MDBX_KEYEXIST) return;
    must(rc, "dup");
    state->sum += drop ? -h : h;
    state->items += drop ? -1 : 1;
    return;
  }
  MDBX_val old;
  int rc = mdbx_get(txn, dbi[t], &k, &old);
  if (rc == MDBX_SUCCESS) {
    state->sum -= entry(t, k, old);
    state->items--;
    if (drop) { must(mdbx_del(txn, dbi[t], &k, NULL), "del"); return; }
  } else if (rc != MDBX_NOTFOUND) must(rc, "get");
  else if (drop) return;
  for (size_t i = 0; i < length; i += 8) {
    uint64_t r = next();
    memcpy(data + i, &r, length - i < 8 ? length - i : 8);
  }
  v = (MDBX_val){data, length};
  must(mdbx_put(txn, dbi[t], &k, &v, MDBX_UPSERT), "put");
  state->sum += entry(t, k, v);
  state->items++;
}

static int write_all(int argc, char **argv) {
  if (argc < 9) return 64;
  long pagesize = atol(argv[3]);
  seed = strtoull(argv[4], NULL, 10);
  long commits = atol(argv[5]), ops = atol(argv[6]), rate = atol(argv[7]);
  unsigned mode = !strcmp(argv[8], "nosync") ? MDBX_SAFE_NOSYNC : !strcmp(argv[8], "nometasync") ? MDBX_NOMETASYNC : 0;
  unsigned keys = argc > 9 ? (unsigned)atol(argv[9]) : 2000;
  signal(SIGTERM, on_signal);
  MDBX_env *env = env_open(argv[2], pagesize, mode);
  MDBX_dbi dbi[TABLES], meta;
  MDBX_txn *txn;
  char buffer[16];
  struct timespec began;
  clock_gettime(CLOCK_MONOTONIC, &began);
  for (long done = 0; done < commits && !stopping; done++) {
    must(mdbx_txn_begin(env, NULL, 0, &txn), "begin");
    if (done == 0) {
      for (unsigned t = 0; t < TABLES; t++)
        must(mdbx_dbi_open(txn, table_name(t, buffer), MDBX_CREATE | (t < FIXED_TABLES ? flags[t] : 0), &dbi[t]), "dbi");
      must(mdbx_dbi_open(txn, "state", MDBX_CREATE, &meta), "dbi");
    }
    state_t state = {0, 0, 0};
    MDBX_val k = {"state", 5}, v;
    int rc = mdbx_get(txn, meta, &k, &v);
    if (rc == MDBX_SUCCESS) memcpy(&state, v.iov_base, sizeof state);
    else if (rc != MDBX_NOTFOUND) must(rc, "state");
    for (long i = 0; i < ops; i++) change(txn, dbi, keys, (size_t)pagesize, &state);
    state.counter++;
    v = (MDBX_val){&state, sizeof state};
    must(mdbx_put(txn, meta, &k, &v, MDBX_UPSERT), "state");
    uint64_t id = mdbx_txn_id(txn);
    must(mdbx_txn_commit(txn), "commit");
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", id, state.counter, state.sum);
    fflush(stdout);
    if (rate > 0) {
      struct timespec now;
      clock_gettime(CLOCK_MONOTONIC, &now);
      double ahead = (double)(done + 1) / rate - ((now.tv_sec - began.tv_sec) + (now.tv_nsec - began.tv_nsec) / 1e9);
      if (ahead > 0) usleep((useconds_t)(ahead * 1e6));
    }
  }
  must(mdbx_env_close(env), "close");
  return 0;
}

static int check(int argc, char **argv) {
  if (argc != 3) return 64;
  MDBX_env *env = env_open(argv[2], 0, MDBX_RDONLY | MDBX_EXCLUSIVE);
  MDBX_txn *txn;
  must(mdbx_txn_begin(env, NULL, MDBX_TXN_RDONLY, &txn), "begin");
  state_t state = {0, 0, 0}, found = {0, 0, 0};
  MDBX_dbi dbi;
  MDBX_val k = {"state", 5}, v;
  int rc = mdbx_dbi_open(txn, "state", 0, &dbi);
  if (rc == MDBX_SUCCESS) {
    must(mdbx_get(txn, dbi, &k, &v), "state");
    memcpy(&state, v.iov_base, sizeof state);
  } else if (rc != MDBX_NOTFOUND) must(rc, "state");
  for (unsigned t = 0; t < TABLES; t++) {
    char buffer[16];
    rc = mdbx_dbi_open(txn, table_name(t, buffer), t < FIXED_TABLES ? flags[t] : 0, &dbi);
    if (rc == MDBX_NOTFOUND) continue;
    must(rc, "dbi");
    MDBX_cursor *cursor;
    must(mdbx_cursor_open(txn, dbi, &cursor), "cursor");
    while ((rc = mdbx_cursor_get(cursor, &k, &v, MDBX_NEXT)) == MDBX_SUCCESS) {
      found.sum += entry(t, k, v);
      found.items++;
    }
    if (rc != MDBX_NOTFOUND) must(rc, "next");
    mdbx_cursor_close(cursor);
  }
  printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", state.counter, found.sum, found.items);
  if (found.sum == state.sum && found.items == state.items) return 0;
  fprintf(stderr, "content %" PRIu64 "/%" PRIu64 " is not what was committed: %" PRIu64 "/%" PRIu64 "\n", found.sum,
          found.items, state.sum, state.items);
  return 1;
}

int main(int argc, char **argv) {
  if (argc > 2 && !strcmp(argv[1], "write")) return write_all(argc, argv);
  if (argc > 2 && !strcmp(argv[1], "check")) return check(argc, argv);
  if (argc == 4 && !strcmp(argv[1], "empty")) {
    must(mdbx_env_close(env_open(argv[2], atol(argv[3]), 0)), "close");
    return 0;
  }
  fprintf(stderr, "usage: helper write|check|empty PATH …\n");
  return 64;
}
