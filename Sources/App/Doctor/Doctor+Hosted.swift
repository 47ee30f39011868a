import Airtable
import Domain

extension Doctor {
    /// The hosted bases: what is here of each, and how old it is.
    static func hosted(_ services: Services) async -> [Finding] {
        do {
            let context = try await services.ownerContext(.commandLine, timeout: .seconds(60))
            let names = Dictionary(
                try await services.airtable.bases(context: context).map { ($0.id, $0.name) },
                uniquingKeysWith: { first, _ in first }
            )
            return try await services.airtable.hostedBases(context: context).map { status in
                finding(status, name: names[status.base] ?? status.base.description, services)
            }
        } catch {
            return [.failed("hosted", error)]
        }
    }

    private static func finding(_ status: HostedBaseStatus, name: String, _ services: Services) -> Finding {
        let state = status.state
        if let problem = state.problem {
            return Finding("hosted", .warning, "base \"\(name)\" is not kept in step: \(problem)")
        }
        guard status.home == .mirrored else {
            return Finding("hosted", .ok, "base \"\(name)\" is asked for at the hosted service; its schema is here")
        }
        guard let changes = state.changesTime, let sweep = state.sweepTime else {
            let count = state.tables.reduce(0) { $0 + $1.pulled }
            let message = "the mirror of base \"\(name)\" has \(count) records so far"
            let hint = "run sync --base \(status.base), or let a server run"
            return Finding("hosted", .warning, message, hint: status.isTended ? nil : hint)
        }
        let now = Instant.now()
        let message =
            "the mirror of base \"\(name)\" is \(age(of: changes, at: now)) old, compared \(age(of: sweep, at: now)) ago"
        let rules = services.configuration.hosted.rules
        let isOld =
            Double(now.microseconds - changes.microseconds) / 1e6 > 10 * Double(rules.pollInterval.components.seconds)
        guard isOld, !status.isTended else { return Finding("hosted", .ok, message) }
        return Finding("hosted", .warning, message, hint: "run sync --base \(status.base), or let a server run")
    }

    private static func age(of time: Instant, at now: Instant) -> String {
        let seconds = max(0, now.microseconds - time.microseconds) / 1_000_000
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7_200: return "\(seconds / 60) min"
        default: return "\(seconds / 3_600) h"
        }
    }
}
