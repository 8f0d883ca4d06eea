/*
 * Writes and checks MDBX environments by the real libmdbx, for the backup's tests.
 *
 *   helper write PATH PAGESIZE SEED COMMITS OPS RATE MODE [KEYS [DROP]]
 *       Opens or creates the environment (a file: no subdirectory) and commits COMMITS times OPS random changes each,
 *       at most RATE commits a second (0: no limit), printing `TXNID COUNTER SUM` after each. MODE is durable, nometasync,
 *       nosync, utterly (no sync at all) or writemap. Keys are drawn from KEYS (default 2,000) a table; DROP (default 25) of
 *       100 changes delete.
 *   helper check PATH
 *       Recomputes the checksum of the whole content, prints `COUNTER SUM ITEMS`, exit 1 where it differs from the one
 *       that was committed with it.
 *   helper empty PATH PAGESIZE
 *   helper clear PATH
 *       Removes all content in one commit, and commits some more, so that the file shrinks. Prints like write.
 *   helper fill PATH PAGESIZE SEED BYTES
 *       For the benchmark: values like small JSON documents under random keys until BYTES are in use. Prints how many.
 *   helper touch PATH SEED COUNT COMMITS
 *       Replaces COUNT of those values, drawn at random, in COMMITS transactions.
 *   helper churn PATH SEED OPS RATE SECONDS MODE
 *       Replaces OPS of those values a commit for so long; prints `COMMITS SECONDS`.
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

static unsigned drop_of_100 = 25;
static unsigned mode_of(const char *name) {
  if (!strcmp(name, "nosync")) return MDBX_SAFE_NOSYNC;
  if (!strcmp(name, "utterly")) return MDBX_UTTERLY_NOSYNC;
  if (!strcmp(name, "nometasync")) return MDBX_NOMETASYNC;
  return strcmp(name, "writemap") ? 0 : MDBX_WRITEMAP;
}

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
  int drop = next() % 100 < drop_of_100;
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
  unsigned mode = mode_of(argv[8]);
  unsigned keys = argc > 9 ? (unsigned)atol(argv[9]) : 2000;
  if (argc > 10) drop_of_100 = (unsigned)atol(argv[10]);
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


/* The benchmark's table: 16-byte keys in random order, values of 300 to 1,500 bytes that compress as JSON does. */
static uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}
static MDBX_val bench_key(uint64_t i) {
  static char text[17];
  sprintf(text, "%016" PRIx64, mix(i + 1));
  return (MDBX_val){text, 16};
}
static MDBX_val bench_value(uint64_t i) {
  static const char *const types[] = {"OrderPlaced", "OrderPaid", "OrderShipped", "ItemAdded", "ItemRemoved", "CustomerMoved"};
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  static char text[2048];
  size_t want = 300 + next() % 1200;
  size_t n = (size_t)sprintf(text, "{\"id\":%" PRIu64 ",\"tenant\":\"tenant-%u\",\"version\":%u,\"events\":[", i,
                             (unsigned)(next() % 500), (unsigned)(next() % 1000));
  while (n < want) {
    uint64_t r = next();
    n += (size_t)sprintf(text + n, "{\"type\":\"%s\",\"at\":\"2026-11-%02uT%02u:%02u:%02u.%03uZ\",\"amount\":%u,\"actor\":\"", types[r % 6],
                         (unsigned)(r >> 8) % 28 + 1, (unsigned)(r >> 16) % 24, (unsigned)(r >> 24) % 60,
                         (unsigned)(r >> 32) % 60, (unsigned)(r >> 40) % 1000, (unsigned)(next() % 100000));
    for (uint64_t token = next(), j = 0; j < 10; j++, token >>= 6) text[n++] = digits[token & 63];
    n += (size_t)sprintf(text + n, "\"},");
  }
  n += (size_t)sprintf(text + n, "]}");
  return (MDBX_val){text, n};
}
static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}
static uint64_t bench_count(MDBX_txn *txn, MDBX_dbi dbi) {
  MDBX_stat stat;
  must(mdbx_dbi_stat(txn, dbi, &stat, sizeof stat), "stat");
  return stat.ms_entries;
}

static int fill(int argc, char **argv) {
  if (argc != 6) return 64;
  seed = strtoull(argv[4], NULL, 10);
  uint64_t bytes = strtoull(argv[5], NULL, 10), count = 0;
  MDBX_env *env;
  must(mdbx_env_create(&env), "create");
  must(mdbx_env_set_maxdbs(env, 4), "maxdbs");
  must(mdbx_env_set_geometry(env, 0, -1, (intptr_t)1 << 36, 64 << 20, 256 << 20, atol(argv[3])), "geometry");
  must(mdbx_env_open(env, argv[2], MDBX_NOSUBDIR | MDBX_WRITEMAP | MDBX_UTTERLY_NOSYNC, 0600), "open");
  for (;;) {
    MDBX_txn *txn;
    MDBX_dbi dbi;
    MDBX_txn_info info;
    must(mdbx_txn_begin(env, NULL, 0, &txn), "begin");
    must(mdbx_dbi_open(txn, "documents", MDBX_CREATE, &dbi), "dbi");
    for (int i = 0; i < 20000; i++, count++) {
      MDBX_val k = bench_key(count), v = bench_value(count);
      must(mdbx_put(txn, dbi, &k, &v, MDBX_UPSERT), "put");
    }
    must(mdbx_txn_info(txn, &info, 0), "info");
    must(mdbx_txn_commit(txn), "commit");
    if (info.txn_space_used >= bytes) break;
  }
  must(mdbx_env_sync(env), "sync");
  must(mdbx_env_close(env), "close");
  printf("%" PRIu64 "\n", count);
  return 0;
}

static void touch_some(MDBX_txn *txn, MDBX_dbi dbi, uint64_t count, long some) {
  for (long i = 0; i < some; i++) {
    uint64_t which = next() % count;
    MDBX_val k = bench_key(which), v = bench_value(which);
    must(mdbx_put(txn, dbi, &k, &v, MDBX_UPSERT), "put");
  }
}

static int touch(int argc, char **argv) {
  if (argc != 6) return 64;
  seed = strtoull(argv[3], NULL, 10);
  long count = atol(argv[4]), commits = atol(argv[5]);
  MDBX_env *env = env_open(argv[2], 0, MDBX_SAFE_NOSYNC);
  for (long done = 0; done < commits; done++) {
    MDBX_txn *txn;
    MDBX_dbi dbi;
    must(mdbx_txn_begin(env, NULL, 0, &txn), "begin");
    must(mdbx_dbi_open(txn, "documents", 0, &dbi), "dbi");
    touch_some(txn, dbi, bench_count(txn, dbi), count / commits);
    must(mdbx_txn_commit(txn), "commit");
  }
  must(mdbx_env_sync(env), "sync");
  must(mdbx_env_close(env), "close");
  return 0;
}

static int churn(int argc, char **argv) {
  if (argc != 8) return 64;
  seed = strtoull(argv[3], NULL, 10);
  long ops = atol(argv[4]), rate = atol(argv[5]), done = 0;
  double limit = atof(argv[6]), began = seconds(), now = began;
  signal(SIGTERM, on_signal);
  MDBX_env *env = env_open(argv[2], 0, mode_of(argv[7]));
  for (; now - began < limit && !stopping; now = seconds(), done++) {
    MDBX_txn *txn;
    MDBX_dbi dbi;
    must(mdbx_txn_begin(env, NULL, 0, &txn), "begin");
    must(mdbx_dbi_open(txn, "documents", 0, &dbi), "dbi");
    touch_some(txn, dbi, bench_count(txn, dbi), ops);
    must(mdbx_txn_commit(txn), "commit");
    double ahead = rate > 0 ? began + (double)(done + 1) / rate - seconds() : 0;
    if (ahead > 0) usleep((useconds_t)(ahead * 1e6));
  }
  must(mdbx_env_close(env), "close");
  printf("%ld %f\n", done, now - began);
  return 0;
}

static int clear(int argc, char **argv) {
  if (argc != 3) return 64;
  MDBX_env *env = env_open(argv[2], 0, MDBX_SAFE_NOSYNC);
  for (int round = 0; round < 12; round++) {
    MDBX_txn *txn;
    MDBX_dbi dbi;
    must(mdbx_txn_begin(env, NULL, 0, &txn), "begin");
    for (unsigned t = 0; round == 0 && t < TABLES; t++) {
      char buffer[16];
      must(mdbx_dbi_open(txn, table_name(t, buffer), t < FIXED_TABLES ? flags[t] : 0, &dbi), "dbi");
      must(mdbx_drop(txn, dbi, 0), "drop");
    }
    /* What needs many pages takes back all free ones, those at the end of the file too, which are then cut off. */
    must(mdbx_dbi_open(txn, "large", 0, &dbi), "dbi");
    for (int i = 0; round % 2 == 1 && i < 8; i++) {
      MDBX_val name = {&i, sizeof i}, value = {data, sizeof data / 2};
      must(mdbx_put(txn, dbi, &name, &value, MDBX_UPSERT), "put");
    }
    if (round % 2 == 0) must(mdbx_drop(txn, dbi, 0), "drop");
    if (round == 11) must(mdbx_drop(txn, dbi, 0), "drop");
    must(mdbx_dbi_open(txn, "state", 0, &dbi), "dbi");
    state_t state = {0, 0, 0};
    MDBX_val k = {"state", 5}, v;
    must(mdbx_get(txn, dbi, &k, &v), "state");
    memcpy(&state, v.iov_base, sizeof state);
    state.counter++;
    state.sum = state.items = 0;
    v = (MDBX_val){&state, sizeof state};
    must(mdbx_put(txn, dbi, &k, &v, MDBX_UPSERT), "state");
    uint64_t id = mdbx_txn_id(txn);
    must(mdbx_txn_commit(txn), "commit");
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", id, state.counter, state.sum);
  }
  must(mdbx_env_close(env), "close");
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 2 && !strcmp(argv[1], "write")) return write_all(argc, argv);
  if (argc > 2 && !strcmp(argv[1], "check")) return check(argc, argv);
  if (argc > 2 && !strcmp(argv[1], "clear")) return clear(argc, argv);
  if (argc > 2 && !strcmp(argv[1], "fill")) return fill(argc, argv);
  if (argc > 2 && !strcmp(argv[1], "touch")) return touch(argc, argv);
  if (argc > 2 && !strcmp(argv[1], "churn")) return churn(argc, argv);
  if (argc == 4 && !strcmp(argv[1], "empty")) {
    must(mdbx_env_close(env_open(argv[2], atol(argv[3]), 0)), "close");
    return 0;
  }
  fprintf(stderr, "usage: helper write|check|empty|clear|fill|touch|churn PATH …\n");
  return 64;
}
