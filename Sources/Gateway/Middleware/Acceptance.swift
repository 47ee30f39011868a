/// Whether a client takes what an address gives (RFC 9110, section 12.5.1).
enum Acceptance {
    /// - Parameters:
    ///   - accept: every value of `Accept`; none takes everything.
    ///   - types: what the address gives, such as `application/json`.
    static func takes(_ accept: [String], anyOf types: [String]) -> Bool {
        let ranges = accept.flatMap { $0.split(separator: ",") }.map { range in
            range.split(separator: ";", omittingEmptySubsequences: false).map { part in
                part.lowercased().filter { $0 != " " && $0 != "\t" }
            }
        }.filter { !($0.first ?? "").isEmpty }
        if ranges.isEmpty { return true }
        // Who only says what they do not want takes all else.
        let others = ranges.allSatisfy { Self.weight(of: $0) == 0 } ? 1.0 : 0
        return types.contains { type in weight(of: type, in: ranges, others: others) > 0 }
    }

    private static func weight(of range: [String]) -> Double {
        range.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
    }

    /// The most exact range decides, whatever the others say.
    private static func weight(of type: String, in ranges: [[String]], others: Double) -> Double {
        let kind = type.prefix { $0 != "/" }
        var best: (exactness: Int, weight: Double) = (0, others)
        for range in ranges {
            let exactness = range[0] == type ? 3 : range[0] == kind + "/*" ? 2 : range[0] == "*/*" ? 1 : 0
            guard exactness > best.exactness else { continue }
            best = (exactness, weight(of: range))
        }
        return best.weight
    }
}

extension RouteReply {
    /// Of files a client learns the type from the answer, and MCP has rules of its own for what must be taken.
    ///
    /// - Throws: `notAcceptable`.
    func checkAcceptance(_ accept: [String]) throws(GatewayError) {
        guard !accept.isEmpty, shape != nil || contentType == "application/json", !contentType.isEmpty else { return }
        var types = [contentType]
        if let otherContentType { types.append(otherContentType) }
        if events != nil { types.append(ServerSentEvent.contentType) }
        guard !Acceptance.takes(accept, anyOf: types) else { return }
        throw GatewayError(.notAcceptable, "This address gives \(types.joined(separator: " or ")).")
    }
}
