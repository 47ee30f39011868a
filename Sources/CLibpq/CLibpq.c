#include "CLibpq.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

// Every function that `Database` calls: what it returns, its name, its parameters, and these as arguments.
#define FUNCTIONS(F)                                                                                                   \
    F(PGconn *, PQconnectStartParams, (const char *const *k, const char *const *v, int e), (k, v, e))                 \
    F(PostgresPollingStatusType, PQconnectPoll, (PGconn * c), (c))                                                     \
    F(PQconninfoOption *, PQconninfoParse, (const char *text, char **message), (text, message))                       \
    F(void, PQconninfoFree, (PQconninfoOption * options), (options))                                                   \
    F(void, PQfinish, (PGconn * c), (c))                                                                               \
    F(PGcancel *, PQgetCancel, (PGconn * c), (c))                                                                      \
    F(void, PQfreeCancel, (PGcancel * cancel), (cancel))                                                               \
    F(int, PQcancel, (PGcancel * cancel, char *message, int size), (cancel, message, size))                            \
    F(ConnStatusType, PQstatus, (const PGconn *c), (c))                                                                \
    F(PGTransactionStatusType, PQtransactionStatus, (const PGconn *c), (c))                                            \
    F(const char *, PQparameterStatus, (const PGconn *c, const char *name), (c, name))                                 \
    F(int, PQserverVersion, (const PGconn *c), (c))                                                                    \
    F(char *, PQerrorMessage, (const PGconn *c), (c))                                                                  \
    F(int, PQsocket, (const PGconn *c), (c))                                                                           \
    F(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn * c, PQnoticeProcessor p, void *with), (c, p, with))            \
    F(int, PQsetnonblocking, (PGconn * c, int is), (c, is))                                                            \
    F(int, PQsetSingleRowMode, (PGconn * c), (c))                                                                      \
    F(int, PQsendQuery, (PGconn * c, const char *sql), (c, sql))                                                       \
    F(int, PQsendQueryParams,                                                                                          \
      (PGconn * c, const char *sql, int n, const Oid *types, const char *const *values, const int *lengths,           \
       const int *formats, int format),                                                                                \
      (c, sql, n, types, values, lengths, formats, format))                                                            \
    F(int, PQsendPrepare, (PGconn * c, const char *name, const char *sql, int n, const Oid *types),                    \
      (c, name, sql, n, types))                                                                                        \
    F(int, PQsendDescribePrepared, (PGconn * c, const char *name), (c, name))                                          \
    F(int, PQsendQueryPrepared,                                                                                        \
      (PGconn * c, const char *name, int n, const char *const *values, const int *lengths, const int *formats,        \
       int format),                                                                                                    \
      (c, name, n, values, lengths, formats, format))                                                                  \
    F(int, PQenterPipelineMode, (PGconn * c), (c))                                                                     \
    F(int, PQexitPipelineMode, (PGconn * c), (c))                                                                      \
    F(int, PQpipelineSync, (PGconn * c), (c))                                                                          \
    F(int, PQflush, (PGconn * c), (c))                                                                                 \
    F(int, PQisBusy, (PGconn * c), (c))                                                                                \
    F(int, PQconsumeInput, (PGconn * c), (c))                                                                          \
    F(PGresult *, PQgetResult, (PGconn * c), (c))                                                                      \
    F(void, PQclear, (PGresult * r), (r))                                                                              \
    F(ExecStatusType, PQresultStatus, (const PGresult *r), (r))                                                        \
    F(char *, PQresultErrorField, (const PGresult *r, int code), (r, code))                                            \
    F(char *, PQcmdStatus, (PGresult * r), (r))                                                                        \
    F(char *, PQcmdTuples, (PGresult * r), (r))                                                                        \
    F(int, PQntuples, (const PGresult *r), (r))                                                                        \
    F(int, PQnfields, (const PGresult *r), (r))                                                                        \
    F(char *, PQfname, (const PGresult *r, int column), (r, column))                                                   \
    F(Oid, PQftype, (const PGresult *r, int column), (r, column))                                                      \
    F(char *, PQgetvalue, (const PGresult *r, int row, int column), (r, row, column))                                  \
    F(int, PQgetlength, (const PGresult *r, int row, int column), (r, row, column))                                    \
    F(int, PQgetisnull, (const PGresult *r, int row, int column), (r, row, column))                                    \
    F(int, PQnparams, (const PGresult *r), (r))                                                                        \
    F(Oid, PQparamtype, (const PGresult *r, int parameter), (r, parameter))

// Hidden: the library must find its own functions by these names, not ours.
#define DEFINE(result, name, parameters, arguments)                                                                    \
    static __typeof__(&name) opened_##name;                                                                            \
    __attribute__((visibility("hidden"))) result name parameters { return opened_##name arguments; }
FUNCTIONS(DEFINE)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[400];

#if defined(__APPLE__)
static const char file[] = "libpq.5.dylib";
#else
static const char file[] = "libpq.so.5";
#endif

static void open_library(void) {
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror();
        snprintf(problem, sizeof problem, "%s", reason ? reason : file);
        return;
    }
#define FIND(result, name, parameters, arguments)                                                                      \
    opened_##name = (__typeof__(&name))dlsym(library, #name);                                                          \
    if (!opened_##name && !problem[0]) snprintf(problem, sizeof problem, "%s: it has no %s", file, #name);
    FUNCTIONS(FIND)
}

const char *clibpq_open(void) {
    pthread_once(&once, open_library);
    return problem[0] ? problem : NULL;
}
