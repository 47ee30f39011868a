/// Which of the two kinds of answer a client takes, by its `Accept` header (RFC 9110, section 12.5.1).
///
/// Without the header everything is taken. Of several ranges that fit a type the most specific one counts; `q=0`
/// forbids. Parameters other than `q` are ignored.
struct AcceptedTypes: Sendable, Hashable {
    let json: Bool
    let events: Bool

    init(_ values: [String]) {
        var ranges: [(range: Substring, isAllowed: Bool)] = []
        for element in values.flatMap({ $0.split(separator: ",") }) {
            let parts = element.split(separator: ";").map { $0.trimmingWhitespace() }
            guard let range = parts.first, !range.isEmpty else { continue }
            let weight = parts.dropFirst().last { $0.lowercased().hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
            ranges.append((range.lowercased()[...], (weight ?? 1) > 0))
        }
        func takes(_ type: Substring, _ all: Substring) -> Bool {
            if ranges.isEmpty { return true }
            for wanted in [type, all, "*/*"] {
                let fitting = ranges.filter { $0.range == wanted }
                if !fitting.isEmpty { return fitting.contains { $0.isAllowed } }
            }
            return false
        }
        json = takes("application/json", "application/*")
        events = takes("text/event-stream", "text/*")
    }
}

extension Substring {
    fileprivate func trimmingWhitespace() -> Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        var text = drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }
}
