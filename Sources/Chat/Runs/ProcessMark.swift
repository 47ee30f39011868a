import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What tells whether the process that left a lease is still there, when it was on this machine.
///
/// `boot|namespace|pid|start`: the boot and the namespace say where the pid means something, the start time that it is
/// the same process. Where there is no `/proc`, a mark says nothing and leases run out by time.
enum ProcessMark {
    /// This process's.
    static let own: String = {
        guard let place, let start = start(of: getpid()) else { return "" }
        return "\(place)|\(getpid())|\(start)"
    }()

    /// Whether the process of `mark` was on this machine and is no more.
    static func isGone(_ mark: String) -> Bool {
        let parts = mark.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 4, let place, parts[0] + "|" + parts[1] == place, let pid = pid_t(parts[2]) else {
            return false
        }
        return start(of: pid) != String(parts[3])
    }

    private static let place: String? = {
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
            let namespace = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        else { return nil }
        return "\(boot.filter { !$0.isWhitespace })|\(namespace)"
    }()

    /// Field 22 of `/proc/PID/stat`; nil when there is no such process, or it is dead and not buried.
    private static func start(of pid: pid_t) -> String? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            // The name in the second field may hold anything but ends with the last parenthesis.
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return String(fields[19])
    }
}
