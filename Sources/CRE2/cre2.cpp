#include "cre2.h"

#include <cstring>
#include <exception>
#include <new>
#include <string>

#include <re2/re2.h>

struct cre2_pattern {
    re2::RE2 expression;

    cre2_pattern(const re2::StringPiece &text, const re2::RE2::Options &options) : expression(text, options) {}
};

namespace {

// The whole match and the nine groups that a replacement can name.
constexpr int spans_max = 10;

void tell(const char *reason, char *message, size_t capacity) {
    if (message == nullptr || capacity == 0) return;
    const size_t count = std::strlen(reason) < capacity - 1 ? std::strlen(reason) : capacity - 1;
    std::memcpy(message, reason, count);
    message[count] = 0;
}

}  // namespace

cre2_pattern *cre2_compile(const char *bytes, size_t count, int64_t memory_bytes, char *message,
                           size_t message_capacity) {
    try {
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(memory_bytes);
        auto *pattern = new cre2_pattern(re2::StringPiece(bytes, count), options);
        if (pattern->expression.ok()) return pattern;
        tell(pattern->expression.error().c_str(), message, message_capacity);
        delete pattern;
    } catch (const std::exception &) {
        tell("out of memory", message, message_capacity);
    }
    return nullptr;
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }

int cre2_group_count(const cre2_pattern *pattern) { return pattern->expression.NumberOfCapturingGroups(); }

int cre2_program_size(const cre2_pattern *pattern) { return pattern->expression.ProgramSize(); }

int cre2_search(const cre2_pattern *pattern, const char *bytes, size_t count, size_t from, cre2_span *spans,
                int span_count) {
    if (span_count < 0 || span_count > spans_max || from > count) return -1;
    // An empty text may come without an address; a span of it must not look like a group that took no part.
    if (bytes == nullptr) bytes = "";
    try {
        re2::StringPiece found[spans_max];
        const re2::StringPiece text(bytes, count);
        if (!pattern->expression.Match(text, from, count, re2::RE2::UNANCHORED, found, span_count)) return 0;
        for (int index = 0; index < span_count; index++) {
            if (found[index].data() == nullptr) {
                spans[index] = {-1, -1};
            } else {
                const ptrdiff_t start = found[index].data() - bytes;
                spans[index] = {start, start + static_cast<ptrdiff_t>(found[index].size())};
            }
        }
        return 1;
    } catch (const std::exception &) {
        return -1;
    }
}
