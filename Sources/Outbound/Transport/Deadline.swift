/// Waits for `operation`, at most until `deadline`; then it is cancelled, awaited, and `failure` is thrown.
///
/// The operation must end soon once it is cancelled.
func before<Value: Sendable>(
    _ deadline: ContinuousClock.Instant,
    else failure: OutboundError,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask(operation: operation)
        group.addTask {
            try await Task.sleep(until: deadline, clock: .continuous)
            throw failure
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}
