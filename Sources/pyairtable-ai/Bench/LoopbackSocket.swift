import Foundation

/// Plain connections of the benches' clients to the server in their own process.
enum LoopbackSocket {
    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    static func connected(to port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard descriptor >= 0, status == 0 else {
            throw Refused(description: "no connection to port \(port): \(String(cString: strerror(errno)))")
        }
        return descriptor
    }

    static func send(_ text: String, on descriptor: Int32) throws {
        let bytes = Array(text.utf8)
        guard Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Refused(description: "a request was not taken: \(String(cString: strerror(errno)))")
        }
    }
}
