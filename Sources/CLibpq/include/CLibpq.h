// PostgreSQL's client library (Debian: libpq-dev to build, libpq5 to run), opened when the first PostgreSQL URL is.
//
// Linked in the usual way, it and the twenty libraries that it needs (TLS, Kerberos, LDAP) would be mapped into every
// process, most of which have a SQLite file. So the functions that we call are defined here, each a jump into the library.
#pragma once

#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

// Opens the library unless it is open. To be called before any other function of it.
//
// Returns null, or what is wrong: text that stays. Safe to call from several threads.
const char *clibpq_open(void);
