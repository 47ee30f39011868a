/// Bounds of the conformance fixtures.
extension Limits {
    /// Changes that wait for one watcher; who is further behind learns of the newest, and lists are read again anyway.
    public static let fixtureChanges = 64
}
