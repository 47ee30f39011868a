public import Domain
import Foundation
import Synchronization

/// Finds the addresses of a host.
public protocol HostResolver: Sendable {
    /// At least one, in the order of preference.
    ///
    /// - Throws: `OutboundError` `cannotConnect`.
    func addresses(of host: String) async throws -> [IPAddress]
}

/// Asks the system, as every program here does.
public struct SystemResolver: HostResolver {
    public init() {}

    public func addresses(of host: String) async throws -> [IPAddress] {
        if let literal = IPAddress(host) { return [literal] }
        // The system's call blocks and can't be stopped, so it gets a thread of Dispatch's; a caller that no longer
        // waits leaves it to end by itself.
        let answer = Answer()
        let found = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                answer.wait(continuation)
                DispatchQueue.global().async { answer.give(.success(Self.lookUp(host))) }
            }
        } onCancel: {
            answer.give(.failure(CancellationError()))
        }
        guard !found.isEmpty else { throw OutboundError(.cannotConnect, "the host \(host) has no address") }
        return found
    }

    /// Given once, by the look-up or by the cancellation, whichever comes first and before or after somebody waits.
    private final class Answer: Sendable {
        private enum State {
            case open
            case waiting(CheckedContinuation<[IPAddress], any Error>)
            case given(Result<[IPAddress], any Error>)
        }

        private let state = Mutex(State.open)

        func wait(_ continuation: CheckedContinuation<[IPAddress], any Error>) {
            let given: Result<[IPAddress], any Error>? = state.withLock { state in
                if case .given(let result) = state { return result }
                state = .waiting(continuation)
                return nil
            }
            if let given { continuation.resume(with: given) }
        }

        func give(_ result: Result<[IPAddress], any Error>) {
            let waiting: CheckedContinuation<[IPAddress], any Error>? = state.withLock { state in
                defer { if case .given = state {} else { state = .given(result) } }
                if case .waiting(let continuation) = state { return continuation }
                return nil
            }
            waiting?.resume(with: result)
        }
    }

    private static func lookUp(_ host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var entry = list
        while let current = entry {
            if let address = address(in: current.pointee), !found.contains(address) { found.append(address) }
            entry = current.pointee.ai_next
        }
        return found
    }

    private static func address(in entry: addrinfo) -> IPAddress? {
        guard let pointer = entry.ai_addr else { return nil }
        switch entry.ai_family {
        case AF_INET:
            return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { socket in
                withUnsafeBytes(of: socket.pointee.sin_addr) { IPAddress(bytes: Array($0)) }
            }
        case AF_INET6:
            return pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { socket in
                withUnsafeBytes(of: socket.pointee.sin6_addr) { IPAddress(bytes: Array($0)) }
            }
        default: return nil
        }
    }
}
