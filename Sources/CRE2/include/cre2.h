// RE2 in C: regular expressions that match in time linear in the text, whatever the pattern.
//
// Patterns and texts are UTF-8 given by address and length. Nothing is thrown across: what fails is a null, or -1.
// A compiled pattern may be used by many threads at once, and must outlive those calls.
#ifndef CRE2_H
#define CRE2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_pattern cre2_pattern;

/// A piece of the text: bytes from `start` to `end`; both -1 for a group that took no part.
typedef struct {
    ptrdiff_t start;
    ptrdiff_t end;
} cre2_span;

/// Compiles a pattern; null when it isn't one, or needs more than `memory_bytes`, for itself and its automata.
///
/// On failure up to `message_capacity` bytes of the reason, ended by a zero, are left in `message` (may be null).
cre2_pattern *cre2_compile(const char *bytes, size_t count, int64_t memory_bytes, char *message,
                           size_t message_capacity);

void cre2_free(cre2_pattern *pattern);

/// Capturing groups, the whole match not counted.
int cre2_group_count(const cre2_pattern *pattern);

/// Instructions of the compiled program: a search takes at most that many steps for each byte of the text.
int cre2_program_size(const cre2_pattern *pattern);

/// Looks for the first match that starts at `from` or later. `^` and `\b` see the whole text.
///
/// Fills `spans[0]` with the match and `spans[1]`… with its groups, as many as `span_count` says (0 asks
/// for a yes or no only, which is fastest).
///
/// Returns 1 for a match, 0 for none, -1 when memory ran out.
int cre2_search(const cre2_pattern *pattern, const char *bytes, size_t count, size_t from, cre2_span *spans,
                int span_count);

#ifdef __cplusplus
}
#endif

#endif
