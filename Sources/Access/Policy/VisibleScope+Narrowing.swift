import Crypto
import Domain

extension VisibleScope {
    /// What is kept back inside the bases that are seen, as a short text that is the same for the same: for telling, later and
    /// elsewhere, whether somebody sees as much as was seen. Nil when nothing is.
    package var narrowing: String? {
        if isWholeInBases, sight.excludedViews.isEmpty, sight.excludedBases.isEmpty { return nil }
        var parts: [String] = []
        for (base, tables) in sight.tables { parts.append("only \(base) \(Self.list(tables))") }
        for (table, fields) in sight.excludedFields { parts.append("fields \(table) \(Self.list(fields))") }
        parts.append("bases \(Self.list(sight.excludedBases))")
        parts.append("tables \(Self.list(sight.excludedTables))")
        parts.append("views \(Self.list(sight.excludedViews))")
        for (table, rule) in sight.rules { parts.append("rule \(table) \(Self.text(of: rule))") }
        let digest = SHA256.hash(data: Array(parts.sorted().joined(separator: "\n").utf8))
        return digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func list<ID: CustomStringConvertible>(_ ids: Set<ID>) -> String {
        ids.map(\.description).sorted().joined(separator: ",")
    }

    /// Texts are quoted, so that no two rules are written alike.
    private static func text(of rule: RecordRule) -> String {
        func quoted(_ texts: [String]) -> String { texts.map { "\($0.utf8.count):\($0)" }.joined() }
        let allowances = rule.allowances.map { "(\(list($0.records)) \(quoted($0.formulas)))" }.joined()
        let reader = rule.reader
        let person = quoted([reader.user.description, reader.name, reader.email ?? ""] + reader.groups)
        return "\(allowances) -\(list(rule.refused)) \(quoted(rule.refusing)) \(person)"
    }
}
