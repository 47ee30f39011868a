import Access
import Domain
import Logging

/// Looks again and again whether the caller of something that goes on may still have it.
struct KeyWatch: Sendable {
    let access: AccessService
    /// Of the request that began it.
    let context: RequestContext
    /// What the route asked for; nil when any key will do.
    let permission: Permission?
    let interval: Duration

    /// How long one look may take.
    private static let patience = Duration.seconds(5)

    /// - Returns: true when the key is dead, within `interval` and the time of a look; false when the task is cancelled.
    func untilDead() async -> Bool {
        while true {
            do { try await Task.sleep(for: interval) } catch { return false }
            if await isDead() { return true }
        }
    }

    /// Whether the key was revoked, ran out, or has no longer the permission. A database that does not answer says
    /// nothing about a key: the next look will tell.
    func isDead() async -> Bool {
        do {
            let renewed = try await access.renewed(context, timeout: Self.patience)
            if let permission { try renewed.require(permission) }
            return false
        } catch let failure as any Failure where failure.kind == .unauthenticated || failure.kind == .forbidden {
            return true
        } catch {
            context.logger.debug("key not checked", metadata: ["error": "\(error)"])
            return false
        }
    }
}
