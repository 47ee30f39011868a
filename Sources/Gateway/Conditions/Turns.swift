/// Lets work on one address of this process be done one after the other; so that what was looked at is still so when it
/// is changed.
final class Turns: Sendable {
    private let gates: [WorkGate]

    init() {
        // Whose figures nobody reads.
        let registry = PrometheusRegistry()
        gates = (0..<64).map { _ in
            WorkGate(places: 1, queue: 4_096, patience: .seconds(30), registry: registry, name: "turns")
        }
    }

    /// - Throws: `overloaded`; what `work` throws.
    func run<T: Sendable>(_ path: String, _ work: () async throws -> T) async throws -> T {
        // Two addresses may share a gate, and then only wait for each other.
        try await gates[Int(UInt(bitPattern: path.hashValue) % 64)].run(work)
    }
}
