/// Looks every few milliseconds until `condition` holds, at most for `timeout`.
///
/// - Throws: `TestSupportError` when it never held; what `condition` throws, at once.
public func eventually(
    _ what: String = "the condition",
    timeout: Duration = .seconds(20),
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    while true {
        if try await condition() { return }
        guard ContinuousClock.now < deadline else { throw TestSupportError("\(what) did not hold within \(timeout)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
