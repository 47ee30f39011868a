/// A server-sent event as a client has it.
struct ReadEvent: Hashable {
    var id: String?
    var type: String?
    var data: [UInt8]
}

/// Reads server-sent events by the HTML standard's rules, from bytes that may end anywhere: what is not ended by an
/// empty line does not count.
func readEvents(_ bytes: some Collection<UInt8>) -> [ReadEvent] {
    var events: [ReadEvent] = []
    var (id, type): (String?, String?) = (nil, nil)
    var data: [[UInt8]] = []
    var line: [UInt8] = []
    var previous: UInt8 = 0
    func end() {
        if line.isEmpty {
            if !data.isEmpty {
                events.append(ReadEvent(id: id, type: type, data: Array(data.joined(separator: [UInt8(ascii: "\n")]))))
            }
            (type, data) = (nil, [])
        } else if line.first != UInt8(ascii: ":") {
            let name = String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
            var value = line.dropFirst(name.utf8.count + 1)
            if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
            switch name {
            case "id": id = String(decoding: value, as: UTF8.self)
            case "event": type = String(decoding: value, as: UTF8.self)
            case "data": data.append(Array(value))
            default: break
            }
        }
        line = []
    }
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "\n"): if previous != UInt8(ascii: "\r") { end() }
        case UInt8(ascii: "\r"): end()
        default: line.append(byte)
        }
        previous = byte
    }
    return events
}
